"""Pictures of what an augmentation makes of an image."""

from typing import TYPE_CHECKING

from nnlearn.plotting._grid import bare
from nnlearn.plotting._style import check_drawn, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.augment import Preview


def plot_variants(preview: "Preview", ax: "Axes | None" = None) -> "Axes":
    """Draw the variants of an image side by side, in a square as far as may be.

    Parameters
    ----------
    preview : Preview
        What `augment.preview` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Without ticks; the title names the augmentation.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    ValueError
        If the images have neither one channel nor three.
    """
    from nnlearn.augment import Preview

    check_drawn("preview", preview, Preview)
    grid = preview.grid()
    ax = new_axes(ax, (4.8, 5.0))
    ax.imshow(grid, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    ax.set_title(_title(preview), fontsize="medium")
    return bare(ax)


def _title(preview: "Preview") -> str:
    """What the augmentation is, in lines of two parts."""
    parts = getattr(preview.augment, "parts", (preview.augment,))
    words = list(map(repr, parts)) or [repr(preview.augment)]
    lines = [", ".join(words[i : i + 2]) for i in range(0, len(words), 2)]
    return ",\n".join(lines)
