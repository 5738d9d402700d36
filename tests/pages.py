"""Widgets in a real browser without a notebook: the page's half in Chromium, the kernel's here.

`mount` is the fixture. The JavaScript of a widget is served on an address that no network knows,
with a stand-in for anywidget's model, and what it sends reaches the very widget object of the test.
"""

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "these tests need Chromium: apt-get install chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
ADDRESS = "http://widget.test/"
STAND_IN = Path(__file__).with_name("stand_in.html").read_text(encoding="utf-8")

#: Where pictures go; in CI the folder is kept where NNLEARN_SCREENSHOTS names one.
SCREENSHOTS = Path(
    os.environ.get("NNLEARN_SCREENSHOTS", Path(__file__).parents[1] / "build" / "screenshots")
)

COLOURS = {"light": ("#ffffff", "#111111"), "dark": ("#111111", "#eeeeee")}


def require_chromium() -> str:
    """The browser's path; skips the test where there is none, fails it in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return CHROMIUM


class Mounted:
    """A widget and the page that shows it.

    Attributes
    ----------
    page : playwright.sync_api.Page
    errors : list of str
        What went wrong in the page: exceptions, errors on its console, requests that went out.
    received : list of dict
        What the page has sent.
    """

    def __init__(self, page: Any, widget: Any, theme: str) -> None:
        self.page, self.widget = page, widget
        self.errors: list[str] = []
        self.received: list[dict[str, Any]] = []
        self._inbox: list[dict[str, Any]] = []
        self._outbox: list[tuple[str, Any]] = []
        widget.send = lambda content, buffers=None: self._outbox.append(("", (content, buffers)))
        names = [name for name in widget.trait_names(sync=True) if name not in _NOT_SENT]
        widget.observe(lambda change: self._outbox.append((change["name"], change["new"])), names)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("requestfailed", lambda request: self.errors.append(request.url))
        page.expose_function("toKernel", lambda text: self._inbox.append(json.loads(text)))
        background, colour = COLOURS[theme]
        state = {name: _plain(getattr(widget, name)) for name in names}
        html = (
            STAND_IN.replace("STYLE", widget._css)
            .replace("BACKGROUND", background)
            .replace("COLOUR", colour)
            .replace("STATE", json.dumps(state).replace("</", "<\\/"))
        )
        page.route(ADDRESS, lambda route: route.fulfill(body=html, content_type="text/html"))
        script = widget._esm
        page.route(
            ADDRESS + "widget.js",
            lambda route: route.fulfill(body=script, content_type="text/javascript"),
        )
        page.goto(ADDRESS)
        page.wait_for_selector("body[data-mounted]", timeout=10_000, state="attached")
        self.pump()

    def pump(self, seconds: float = 0.1) -> None:
        """Carry messages both ways for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.page.wait_for_timeout(5)
            self._carry()

    def until(self, condition: str, timeout: float = 10.0) -> None:
        """Carry messages until an expression of JavaScript is true in the page.

        ``root`` is the widget's outermost element there.
        """
        end = time.monotonic() + timeout
        root = "const root = document.querySelector('.nn-widget')"
        script = f"(() => {{ {root}; return {condition}; }})()"
        while not self.page.evaluate(script):
            assert time.monotonic() < end, f"never true: {condition}; errors: {self.errors}"
            self.pump(0.02)

    def _carry(self) -> None:
        while self._inbox:
            content = self._inbox.pop(0)
            self.received.append(content)
            self.widget._on_message(None, content, [])
        for _ in range(len(self._outbox)):  # not those that come while the page is busy with these
            name, value = self._outbox.pop(0)
            if name:
                self.page.evaluate(
                    "([name, value]) => setTrait(name, value)", [name, _plain(value)]
                )
            else:
                content, buffers = value
                texts = [base64.b64encode(part).decode() for part in buffers or ()]
                self.page.evaluate("([content, texts]) => pushed(content, texts)", [content, texts])

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path


#: Traits of anywidget's and ipywidgets' own.
_NOT_SENT = {"_esm", "_css", "_anywidget_id", "layout", "tabbable", "tooltip", "comm"} | {
    f"_{part}_{what}"
    for part in ("model", "view")
    for what in ("module", "module_version", "name", "count")
}


def _plain(value: Any) -> Any:
    """What the stand-in takes: bytes as a mapping that it knows."""
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(value).decode()}
    return value


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, once for all tests."""
    path = require_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def mount(browser: Any) -> Iterator[Callable[..., Mounted]]:
    """``mount(widget, theme="light", width=1400)`` shows it; no page may have had an error."""
    mounted: list[Mounted] = []

    def show(widget: Any, *, theme: str = "light", width: int = 1400) -> Mounted:
        page = browser.new_page(viewport={"width": width, "height": 900})
        mounted.append(Mounted(page, widget, theme))
        return mounted[-1]

    yield show
    for one in mounted:
        one.page.close()
        one.widget.close()
    for one in mounted:
        assert one.errors == []
