"""How fast a hand sees what it does: `CostComparison` in a real JupyterLab and Chromium.

    python -m benchmarks.widget [changes [seconds [re-trainings]]]

Two costs, 1,000 images, 784-30-10, 10 epochs. Three things are measured, 50 changes, 10 seconds
and 500 re-trainings by default, and kept in `benchmarks/results/<cpu>-widget.json`:

* from a slider's change, as the browser dates it, until the first new point of a curve has been
  painted: half of the changes within 100 ms, 19 of 20 within 200 ms;
* complete re-trainings a second while the slider is dragged without a rest: at least 10;
* memory of kernel and page after many re-trainings beside that after the first tenth.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.__main__ import RESULTS, available_cores

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # what drives JupyterLab is there

from lab import Notebook, Slider, require_lab, running_server  # noqa: E402
from pages import ARGUMENTS  # noqa: E402

SHOW = """
from nnlearn.widgets import CostComparison
w = CostComparison(n_train=1000, hidden=(30,), epochs=10)
w
"""
DONE = "root.dataset.done === 'true' && root.dataset.pending === 'false'"

#: Limits: half of all changes and 19 of 20 in milliseconds; re-trainings a second.
MEDIAN, HIGH, RATE = 100.0, 200.0, 10.0

#: Movements of the mouse a second, as a screen's.
MOVES = 60

# Keeps in `latencies` the milliseconds from each change of a slider to the frame of the screen in
# which the first new point is seen: data-latency is set as soon as it is drawn.
WATCH = """() => {
    const root = document.querySelector('.nn-widget');
    window.latencies = [];
    let changed = null;
    addEventListener('input', (event) => { changed ??= event.timeStamp; }, true);
    const channel = new MessageChannel();  // its messages come after the painting
    channel.port1.onmessage = ({data}) => latencies.push(performance.now() - data);
    new MutationObserver(() => {
        const began = changed;
        changed = null;
        if (began !== null) requestAnimationFrame(() => channel.port2.postMessage(began));
    }).observe(root, {attributeFilter: ['data-latency']});
}"""


@contextmanager
def notebook() -> Iterator[Notebook]:
    """A notebook in a new JupyterLab."""
    from playwright.sync_api import sync_playwright

    with running_server(path=str(ROOT)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_lab(), args=[*ARGUMENTS, "--enable-precise-memory-info"]
        )
        yield Notebook(browser.new_context(viewport={"width": 1400, "height": 900}), server)
        browser.close()


def latencies(book: Notebook, slider: Slider, changes: int) -> list[float]:
    """Milliseconds of single changes, each after the run before has ended."""
    book.page.evaluate(WATCH)
    with slider.held() as move:
        for i in range(changes):
            before = slider.value
            share = 0.3 + 0.4 * ((i * 7) % 10) / 10
            while slider.value == before:
                move(share)
                share += 0.02
            book.until(f"latencies.length === {i + 1} && {DONE}")
    found: list[float] = book.page.evaluate("latencies")
    return found


def retrained(book: Notebook) -> int:
    """Complete runs so far."""
    return int(book.look("root.dataset.retrained"))


def drag(book: Notebook, slider: Slider, seconds: float, most: float = math.inf) -> float:
    """Complete runs a second while the slider goes to and fro; ends early after `most` runs."""
    before, began, i = retrained(book), time.perf_counter(), 0
    with slider.held() as move:
        while (now := time.perf_counter() - began) < seconds:
            move(0.5 + 0.2 * math.sin(2 * now))
            i += 1
            if i % 10 == 0 and retrained(book) - before >= most:
                break
            time.sleep(max(began + i / MOVES - time.perf_counter(), 0))
        made = retrained(book) - before
        took = time.perf_counter() - began
    book.until(DONE)
    return made / took


def memory(book: Notebook) -> dict[str, float]:
    """Of the kernel and the page, in MB, and what the page holds."""
    kernel = book.ask(
        "(__import__('gc').collect(), int(open('/proc/self/status').read()"
        ".partition('VmRSS:')[2].split()[0]))[1]"
    )
    client = book.page.context.new_cdp_session(book.page)
    client.send("HeapProfiler.collectGarbage")
    client.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
    client.detach()
    return {
        "kernel, MB": kernel / 1024,
        "page's JavaScript, MB": metrics["JSHeapUsedSize"] / 2**20,
        "page's nodes": metrics["Nodes"],
        "page's listeners": metrics["JSEventListeners"],
    }


def measure(changes: int, seconds: float, runs: int) -> dict[str, Any]:
    """All three, in one notebook."""
    with notebook() as book:
        book.run(SHOW)
        book.until("root.dataset.done === 'true'")
        slider = book.slider("learning rate, quadratic")
        drag(book, slider, 1.0)  # warm
        times = sorted(latencies(book, slider, changes))
        rate = drag(book, slider, seconds)
        began = retrained(book)
        drag(book, slider, 600.0, most=runs / 10)
        first = memory(book)
        drag(book, slider, 600.0, most=runs - runs / 10)
        last = memory(book)
        done = retrained(book) - began
        book.check()
    return {
        "machine": machine.describe(),
        "cores": len(available_cores()),
        "latencies, ms": [round(one, 1) for one in times],
        "median, ms": round(statistics.median(times), 1),
        "95th percentile, ms": round(times[math.ceil(0.95 * len(times)) - 1], 1),
        "re-trainings a second": round(rate, 1),
        "re-trainings": done,
        "memory after a tenth": first,
        "memory at the end": last,
    }


def main(changes: int = 50, seconds: float = 10.0, runs: int = 500) -> int:
    found = measure(changes, seconds, runs)
    median, high, rate = (
        found[name] for name in ("median, ms", "95th percentile, ms", "re-trainings a second")
    )
    print(f"{changes} changes: median {median:.0f} ms, 95th percentile {high:.0f} ms")
    print(f"dragged for {seconds:g} s: {rate:.1f} re-trainings a second")
    print(f"memory after {runs // 10} re-trainings and after {found['re-trainings']}:")
    for name, first in found["memory after a tenth"].items():
        print(f"    {name:24}{first:10.1f}{found['memory at the end'][name]:10.1f}")
    out = RESULTS / machine.file_name(found["machine"], "widget")
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"kept in {out.relative_to(ROOT)}")
    return 1 if median > MEDIAN or high > HIGH or rate < RATE else 0


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:])))
