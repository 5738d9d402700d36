"""A real JupyterLab in real Chromium, for the few tests that need both.

`notebook` is the fixture: a notebook open in a page, with a kernel that has closed the widgets of
the test before. One server, one page and one kernel serve all tests. A test's end is a test as
well: nothing went wrong in the page, nothing was asked of another machine, and the kernel has
logged nothing.

The check by hand that goes further, for which no test has the time: a new environment with nothing
but the wheel, outside of this folder, and the pictures that this leaves in `SCREENSHOTS` ::

    pip wheel . --no-deps --wheel-dir dist
    python3 -m venv /tmp/fresh
    /tmp/fresh/bin/pip install "$(echo dist/nnlearn-*.whl)[widgets]" jupyterlab
    python tests/lab.py /tmp/fresh/bin/python
"""

import ast
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from pages import ARGUMENTS, SCREENSHOTS, require_chromium

NEEDED = ("jupyterlab", "ipykernel", "anywidget", "playwright")

#: Seconds that anything in the page may take; most take a hundredth.
PATIENCE = 30.0

#: What JupyterLab itself says now and then, when a kernel is restarted or a page reloaded: in the
#: console, and in the kernel, which it asks after widgets by a channel that is closed twice,
#: and whose own coroutine for messages may not have ended when it is.
HARMLESS = ("Could not restore the debugger state", "Canceled future for")
HARMLESS_IN_KERNEL = ("No such comm", "_async_in_context", "UnknownSubshellError")

#: The same in the log, each with its tracebacks: of the kernel's coroutine, and of the server's,
#: whose last message to a page may meet a page that has gone.
HARMLESS_IN_LOG = re.compile(
    r"Task exception was never retrieved\n"
    r"future: .* exception=(?:UnknownSubshellError|WebSocketClosedError)\(.*\n"
    r"(?:Traceback .*\n(?: .*\n)+\S.*(?:\n\nDuring handling .*\n\n|\n|$))+"
)

#: What no line of the server's and the kernels' log may hold.
BAD = ("Traceback", "Error", "[E ", "[C ", "Exception", "Segmentation", "Fatal")

SERVER = """
    -m jupyterlab --no-browser --allow-root --ip=127.0.0.1 --ServerApp.port_retries=0
    --IdentityProvider.token= --LabApp.expose_app_in_browser=True --LabApp.news_url=
    --LabApp.extension_manager=readonly
    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate
""".split()  # noqa: SIM905
NO_BUILD = {"page_config_data": {"buildAvailable": False, "buildCheck": False}}

SETTINGS = {
    "apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}

EMPTY = {
    "cells": [],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def bad_lines(log: str) -> list[str]:
    """The lines of a log that tell of something gone wrong, without what is harmless."""
    log = HARMLESS_IN_LOG.sub("", log)
    return [line for line in log.splitlines() if any(word in line for word in BAD)]


def require_lab() -> str:
    """Chromium's path; skips the test where it or JupyterLab is missing, fails it in CI."""
    path = require_chromium()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        said = f"these tests need {', '.join(missing)}: pip install 'nnlearn[test]'"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    return path


# ---- the server ---------------------------------------------------------------------------------


class Server:
    """A running JupyterLab.

    Attributes
    ----------
    address : str
    folder : Path
        Where its notebooks are.
    log : Path
        What it and its kernels print.
    """

    def __init__(self, address: str, folder: Path, log: Path, process: subprocess.Popen) -> None:
        self.address, self.folder, self.log, self.process = address, folder, log, process


@contextmanager
def running_server(python: str = sys.executable, path: str | None = None) -> Iterator[Server]:
    """JupyterLab, with all that it keeps in a temporary folder, ended surely at the end.

    Parameters
    ----------
    python : str
        The interpreter that runs it and its kernels.
    path : str, optional
        PYTHONPATH of the kernels.
    """
    with tempfile.TemporaryDirectory(prefix="nnlearn-lab-") as home:
        folder = Path(home, "notebooks")
        folder.mkdir()
        for name, settings in SETTINGS.items():
            file = Path(home, "settings", "@jupyterlab", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings))
        for key in ("JUPYTER_TOKEN", "JUPYTER_PATH", "JUPYTER_PREFER_ENV_PATH"):
            os.environ.pop(key, None)
        places = {
            "HOME": home,
            "JUPYTER_CONFIG_DIR": f"{home}/config",
            "JUPYTER_DATA_DIR": f"{home}/data",
            "JUPYTER_RUNTIME_DIR": f"{home}/runtime",
            "IPYTHONDIR": f"{home}/ipython",
            "JUPYTERLAB_SETTINGS_DIR": f"{home}/settings",
            "JUPYTERLAB_WORKSPACES_DIR": f"{home}/workspaces",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or the debugger warns in every new kernel
        }
        environment = {**os.environ, **places}
        environment.pop("PYTHONPATH", None)
        if path is not None:
            environment["PYTHONPATH"] = path
        port = _free_port()
        arguments = [
            f"--port={port}",
            f"--ServerApp.root_dir={folder}",
            f"--ServerApp.tornado_settings={NO_BUILD}",
        ]
        log = Path(home, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [python, *SERVER, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,  # a group of its own, which can be ended as a whole
            )
        try:
            server = Server(f"http://127.0.0.1:{port}", folder, log, process)
            _wait_for(server)
            yield server
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), urlopen(f"{server.address}/api/status", timeout=1):
            return
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < end, server.log.read_text()
        time.sleep(0.05)


def _end(process: subprocess.Popen) -> None:
    """End the server. It ends its kernels, which would miss it within a second if it could not."""
    for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


# ---- the page -----------------------------------------------------------------------------------

OPEN = """async (path) => {
    await jupyterapp.restored;
    await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    window.panel = panel;
    window.said = [];
    const note = ({header, content}) => {
        if (header.msg_type === 'error') said.push(content.traceback.join('\\n'));
        if (header.msg_type === 'stream' && content.name === 'stderr') said.push(content.text);
    };
    panel.sessionContext.iopubMessage.connect((_, message) => note(message));
    await panel.sessionContext.session.kernel.info;
}"""

IDLE = "() => panel.sessionContext.session.kernel.status === 'idle'"

# Replaces the cells and runs them; resolves to what failed.
RUN = """async (sources) => {
    const shared = panel.content.model.sharedModel;
    const cells = sources.map((source) => ({cell_type: 'code', source, metadata: {}, outputs: []}));
    shared.transact(() => {
        shared.deleteCellRange(0, shared.cells.length);
        shared.insertCells(0, cells);
    });
    await jupyterapp.commands.execute('notebook:run-all-cells');
    return shared.cells.flatMap((cell) => cell.outputs ?? [])
        .filter((output) => output.output_type === 'error')
        .map((output) => output.traceback.join('\\n'));
}"""

ASK = """async (expression) => {
    const kernel = panel.sessionContext.session.kernel;
    const request = {code: '', store_history: false, user_expressions: {answer: expression}};
    return (await kernel.requestExecute(request).done).content.user_expressions.answer;
}"""


class Notebook:
    """A notebook in JupyterLab.

    Attributes
    ----------
    page : playwright.sync_api.Page
    errors : list of str
        What went wrong in the page so far.
    """

    def __init__(self, context: Any, server: Server, name: str = "test.ipynb") -> None:
        self.server, self._name = server, name
        self.errors: list[str] = []
        (server.folder / name).write_text(json.dumps(EMPTY))
        self._log_read = 0
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)
        self.page.goto(f"{server.address}/lab?reset")
        self.enter()

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self._note(f"console: {message.text}")

    def _note(self, error: str) -> None:
        if not any(text in error for text in HARMLESS):
            self.errors.append(error)

    def _on_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.errors.append(f"request: {request.url}")

    def enter(self) -> None:
        """Wait for JupyterLab, and open the notebook there."""
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate(OPEN, self._name)
        self.page.wait_for_function(IDLE)

    def reload(self) -> None:
        """Save the notebook and load the whole page anew; the kernel stays."""
        self.command("docmanager:save")
        self.page.reload()
        self.enter()

    def command(self, name: str) -> None:
        """Execute one of JupyterLab's commands."""
        self.page.evaluate("(name) => jupyterapp.commands.execute(name)", name)

    def kernel(self, action: str) -> None:
        """Have the kernel do "restart" or "interrupt"."""
        self.page.evaluate(
            """async (action) => {
                const kernel = panel.sessionContext.session.kernel;
                await kernel[action]();
                if (action === 'restart') await kernel.info;
            }""",
            action,
        )

    def run(self, *cells: str) -> None:
        """Make these the notebook's cells and run them all."""
        failed = self.page.evaluate(RUN, list(cells))
        assert failed == [], failed

    def begin(self, *cells: str) -> None:
        """The same without waiting for their end."""
        self.page.evaluate(f"(sources) => {{ window.running = ({RUN})(sources); }}", list(cells))

    def calm(self) -> None:
        """Restart the kernel if a test before has left it at work."""
        if not self.page.evaluate(IDLE):
            self.kernel("restart")
            self.page.wait_for_function(IDLE)

    def start(self, code: str) -> None:
        """Have the kernel begin this code, beside the cells, and wait until it is at it."""
        self.page.evaluate(
            """async (code) => {
                const {kernel} = panel.sessionContext.session;
                window.started = kernel.requestExecute({code, store_history: false});
                await new Promise((resolve) => {
                    started.onIOPub = ({header}) => {
                        if (header.msg_type === 'execute_input') resolve();
                    };
                });
            }""",
            code,
        )

    def ended(self) -> str:
        """How the code of `start` has ended: "ok" or the exception's name."""
        return self.page.evaluate(
            "started.done.then(({content}) => content.ename ?? content.status)"
        )

    def ask(self, expression: str) -> Any:
        """The value of an expression in the kernel, which is a literal."""
        answer = self.page.evaluate(ASK, expression)
        assert answer["status"] == "ok", answer
        return ast.literal_eval(answer["data"]["text/plain"])

    def until(self, condition: str) -> None:
        """Wait until an expression of JavaScript is true in the page.

        There ``roots`` are the widgets in sight, ``root`` is the first of them.
        """
        script = f"""() => {{
            const roots = [...document.querySelectorAll('.jp-NotebookPanel .nn-widget')];
            const root = roots[0];
            return Boolean(roots.length && ({condition}));
        }}"""
        try:
            self.page.wait_for_function(script, polling=20)
        except Exception as error:
            self.screenshot("lab-never-true")
            raise AssertionError(f"never true: {condition}; {self.errors}") from error

    def look(self, expression: str) -> Any:
        """The value of an expression, with the names of `until`."""
        return self.page.evaluate(
            f"""() => {{
            const roots = [...document.querySelectorAll('.jp-NotebookPanel .nn-widget')];
            const root = roots[0];
            return {expression};
        }}"""
        )

    def slider(self, label: str, widget: int = 0) -> "Slider":
        """A slider of one of the widgets."""
        root = self.page.locator(".jp-NotebookPanel .nn-widget").nth(widget)
        return Slider(self.page, root.get_by_label(label, exact=True))

    def click(self, button: str, widget: int = 0) -> None:
        """Press one of a widget's buttons."""
        root = self.page.locator(".jp-NotebookPanel .nn-widget").nth(widget)
        root.get_by_role("button", name=button, exact=True).click()

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def heard(self) -> list[str]:
        """What the kernel has complained of since the last time: errors, and lines on stderr."""
        said = self.page.evaluate("said.splice(0)")
        return [text for text in said if not any(known in text for known in HARMLESS_IN_KERNEL)]

    def check(self) -> None:
        """Fail if anything went wrong since the last time."""
        said = self.heard()
        text = self.server.log.read_text(errors="replace")
        new, self._log_read = text[self._log_read :], len(text)
        errors, self.errors[:] = list(self.errors), []
        found = {"page": errors, "kernel": said, "log": bad_lines(new)}
        assert not any(found.values()), found


class Slider:
    """A slider that is moved by the mouse, as a hand does."""

    def __init__(self, page: Any, element: Any) -> None:
        self._page, self._element = page, element

    @property
    def share(self) -> float:
        """How far along the way it is."""
        return float(self._element.evaluate("(e) => (e.value - e.min) / (e.max - e.min)"))

    @property
    def value(self) -> float:
        """What it says."""
        return float(self._element.get_attribute("aria-valuetext"))

    @contextmanager
    def held(self) -> Iterator[Callable[[float], None]]:
        """Hold the thumb: what is given moves it to a share of the way."""
        self._element.scroll_into_view_if_needed()
        box = self._element.bounding_box()
        thumb = box["height"]  # as wide as it is high
        left, way, y = box["x"] + thumb / 2, box["width"] - thumb, box["y"] + thumb / 2

        def move(share: float) -> None:
            self._page.mouse.move(left + share * way, y)

        move(self.share)
        self._page.mouse.down()
        try:
            yield move
        finally:
            self._page.mouse.up()

    def drag(self, *shares: float) -> None:
        """Take hold, move to one share after the other, let go."""
        with self.held() as move:
            for share in shares:
                move(share)


# ---- fixtures -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """JupyterLab with the package under test, once for all tests."""
    require_lab()
    import nnlearn

    with running_server(path=str(Path(nnlearn.__file__).parents[1])) as one:
        yield one


@pytest.fixture(scope="session")
def open_notebook(browser: Any, server: Server) -> Iterator[Callable[[], Notebook]]:
    """The one notebook, opened when it is first asked for."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened: list[Notebook] = []

    def give() -> Notebook:
        if not opened:
            opened.append(Notebook(context, server))
        return opened[0]

    yield give
    context.close()


@pytest.fixture
def notebook(open_notebook: Callable[[], Notebook]) -> Iterator[Notebook]:
    """The notebook, without widgets of other tests; afterwards nothing may have gone wrong."""
    one = open_notebook()
    one.calm()
    yield one
    one.check()
    one.run("import ipywidgets; ipywidgets.Widget.close_all()")
    one.check()


# ---- by hand ------------------------------------------------------------------------------------


def main(python: str) -> None:
    """Show the widget in another interpreter's JupyterLab, move a slider, leave pictures."""
    from playwright.sync_api import sync_playwright

    with running_server(python) as one, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_lab(), args=ARGUMENTS)
        notebook = Notebook(browser.new_context(viewport={"width": 1400, "height": 900}), one)
        notebook.run("import nnlearn.widgets\nw = nnlearn.widgets.CostComparison()\nw")
        notebook.until("root.dataset.done === 'true'")
        notebook.screenshot("fresh-environment")
        notebook.slider("learning rate, quadratic").drag(0.9)
        notebook.until("root.dataset.generation > 1 && root.dataset.done === 'true'")
        notebook.screenshot("fresh-environment-moved")
        file = notebook.ask("nnlearn.__file__")
        notebook.check()
        browser.close()
    print(f"{file}: shown and moved; pictures in {SCREENSHOTS}")


if __name__ == "__main__":
    main(*sys.argv[1:])
