"""Widgets as files of their own: one HTML page that needs neither Python nor a network."""

import base64
import html
import json
import os
from collections.abc import Sequence

from nnlearn._whole_file import replace_file
from nnlearn.widgets import _bundle

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 1600px; background: Canvas; color: CanvasText; }}
{style}
</style>
</head>
<body>
<main id="widget"></main>
<script type="application/json" id="frames">{frames}</script>
<script type="module">
{script}
const texts = JSON.parse(document.getElementById("frames").textContent);
widget.render({{ model: offlineModel(texts, answer), el: document.getElementById("widget") }});
</script>
</body>
</html>
"""


def write_page(
    path: str | os.PathLike[str], name: str, title: str, frames: Sequence[bytes]
) -> None:
    """Write the page of a widget.

    Parameters
    ----------
    path : str or path
        The file; replaced as a whole.
    name : str
        The widget's file in `static`, whose ``answer(frames, settings)`` stands in for the kernel.
    title : str
        The page's.
    frames : sequence of bytes
        What `answer` chooses from.
    """
    script = _bundle.script("offline", name).replace("export default {", "const widget = {")
    texts = json.dumps([base64.b64encode(frame).decode() for frame in frames])
    page = _PAGE.format(
        title=html.escape(title), style=_bundle.style(), frames=texts, script=script
    )
    replace_file(path, [page.encode()])
