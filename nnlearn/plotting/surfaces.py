"""Pictures of a cost over two weights, and of the paths that optimisers take down it."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn.plotting._columns import Array
from nnlearn.plotting._style import ink, line_style, new_axes, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mpl_toolkits.mplot3d import Axes3D

    from nnlearn.descent import Descent, Surface

    Cost = Surface | Callable[[Array, Array], Any]
    View = tuple[float, float, float, float]
    Paths = Descent | Array | Mapping[str, Descent | Array]

#: Places along each side at which the cost is worked out.
_CONTOUR_PLACES, _SURFACE_PLACES = 201, 101
#: Contours lie at powers of equal steps, between these, closer together where most of the plane is.
_POWERS = (1.0, 4.0)
#: Up to so many steps of a path have a dot each.
_MOST_DOTS = 60


def plot_contours(
    surface: "Cost",
    ax: "Axes | None" = None,
    *,
    view: "View | None" = None,
    paths: "Paths | None" = None,
    levels: int = 12,
) -> "Axes":
    """Draw the contours of a cost over two weights, with the paths of optimisers.

    ::

        level_k = low + (high - low) (k / levels)^p        k = 1, 2, ..., levels - 1

    Parameters
    ----------
    surface : Surface or callable
        `descent.Bowl`, `descent.Valley`, an object of yours with a method ``cost(x, y)``, or such
        a function itself: of two arrays of one shape, giving an array of that shape.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    view : (left, right, bottom, top), optional
        What is drawn; by default the surface's own ``view``, which a function lacks.
    paths : Descent, ndarray of shape (n, 2), or mapping of str to them, optional
        What `descent.descend` gave, or places of yours. Of a mapping each has its name in the
        legend.
    levels : int, default 12
        Steps between the lowest cost in view and the highest, >= 2.

    Returns
    -------
    matplotlib.axes.Axes
        The higher the cost, the deeper the shade. A path begins with a ring and ends with a dot;
        where it leaves the view it is cut off. A cross is the surface's ``minimum``, where it has
        one.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range, or the cost gives no real numbers,
        one for each place.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_surface : The same in three dimensions.

    Notes
    -----
    p, from 1 to 4, puts half of the contours below the median cost in view, so that they tell
    about a flat floor as well as about steep walls.

    Examples
    --------
    >>> from nnlearn import SGD
    >>> from nnlearn.descent import Bowl, descend
    >>> path = descend(Bowl(), Bowl.start, SGD(1.5), steps=30)
    >>> ax = plot_contours(Bowl(), paths={"gradient descent": path})
    >>> ax.get_xlim() == Bowl.view[:2]
    True
    >>> ax = plot_contours(lambda x, y: x**2 * y**2, view=(-1, 1, -1, 1))
    """
    levels = _checks.integer("levels", levels, minimum=2)
    limits = _read_view(surface, view)
    named = _read_paths(paths)
    x, y, costs = _costs_in(surface, limits, _CONTOUR_PLACES)
    ax = new_axes(ax, (6.4, 4.8))
    if (steps := _levels(costs, levels)).size:
        _draw_contours(ax, x, y, costs, steps)
    minimum = getattr(surface, "minimum", None)
    if minimum is not None:
        ax.plot(*minimum, "+", color=ink(), markersize=11, markeredgewidth=1.6, zorder=4)
    for style, points in _styled(named):
        ax.plot(points[:, 0], points[:, 1], **style)
        _mark_ends(ax, points, style["color"])
    ax.set_xlim(limits[0], limits[1])
    ax.set_ylim(limits[2], limits[3])
    _label(ax)
    if isinstance(paths, Mapping):
        above: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
        ax.legend(ncols=3, frameon=False, fontsize="small", **above)
    return ax


def plot_surface(
    surface: "Cost",
    ax: "Axes3D | None" = None,
    *,
    view: "View | None" = None,
    paths: "Paths | None" = None,
) -> "Axes3D":
    """Draw a cost over two weights in three dimensions, with the paths of optimisers.

    Parameters
    ----------
    surface : Surface or callable
        As of `plot_contours`.
    ax : mpl_toolkits.mplot3d.Axes3D, optional
        Where to draw, as ``figure.add_subplot(projection="3d")`` makes it; a new figure by default.
    view : (left, right, bottom, top), optional
        What is drawn; by default the surface's own ``view``, which a function lacks.
    paths : Descent, ndarray of shape (n, 2), or mapping of str to them, optional
        As of `plot_contours`.

    Returns
    -------
    mpl_toolkits.mplot3d.Axes3D
        Paths lie on the surface and are seen through it; those parts that are out of view are left
        out. ``ax.view_init`` turns it.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range, axes of two dimensions among them,
        or the cost gives no real numbers, one for each place.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_contours : The same from above.

    Examples
    --------
    >>> from nnlearn.descent import Valley
    >>> plot_surface(Valley()).get_zlabel()
    'cost'
    """
    limits = _read_view(surface, view)
    named = _read_paths(paths)
    x, y, costs = _costs_in(surface, limits, _SURFACE_PLACES)
    lifted = {name: _on_surface(surface, points, limits) for name, points in named.items()}
    ax = _new_axes_3d(ax)
    from matplotlib.ticker import MaxNLocator

    ax.computed_zorder = False  # paths lie upon the surface, not behind the half of it
    mesh: dict[str, Any] = {"edgecolor": "#00000030", "linewidth": 0.3}
    shown: dict[str, Any] = {"cmap": _pale(), "alpha": 0.8, "zorder": 1}
    ax.plot_surface(x, y, costs, rcount=40, ccount=40, **mesh, **shown)
    for style, points in _styled(lifted):
        ax.plot(*points.T, **style)
        _mark_ends(ax, points, style["color"])
    ax.set_xlim(limits[0], limits[1])
    ax.set_ylim(limits[2], limits[3])
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    _label(ax)
    ax.set_zlabel("cost", labelpad=8)
    ax.set_box_aspect((1, 1, 0.6))
    ax.view_init(elev=35, azim=-60)
    if isinstance(paths, Mapping):
        ax.legend(loc="upper left", frameon=False, fontsize="small")
    return ax


# ---- what is drawn ------------------------------------------------------------------------------


def _read_view(surface: Any, view: Any) -> "View":
    """Left, right, bottom, top, checked; the surface's own where none is given."""
    if not callable(getattr(surface, "cost", surface)):
        _checks.fail(TypeError, "surface", "be a Surface or a function of two arrays", surface)
    view = getattr(surface, "view", None) if view is None else view
    requirement = "be four numbers: left, right, bottom, top"
    if view is None:
        hint = "a function has none of its own"
        _checks.fail(TypeError, "view", requirement, view, hint)
    if not isinstance(view, (tuple, list, np.ndarray)):
        _checks.fail(TypeError, "view", requirement, view)
    if np.shape(view) != (4,):
        _checks.fail(ValueError, "view", requirement, view)
    left, right, bottom, top = (_checks.real("each number of view", value) for value in view)
    if not (left < right and bottom < top):
        _checks.fail(ValueError, "view", "have left < right and bottom < top", tuple(view))
    return left, right, bottom, top


def _costs_at(surface: Any, x: Array, y: Array) -> Array:
    """The costs at these places, NaN where they are not finite."""
    function = getattr(surface, "cost", surface)
    try:
        costs = np.asarray(function(x, y))
    except ValueError as error:  # NumPy's, of `if x > 0` and the like
        if "truth value" not in str(error):
            raise
        requirement = "take arrays"
        got = "a function of single numbers"
        hint = "np.vectorize makes one of arrays"
        raise ValueError(_checks.message("surface", requirement, got, hint)) from error
    if costs.dtype.kind not in "biuf":
        _checks.fail(TypeError, "surface", "give real numbers", costs)
    if costs.shape != x.shape:
        requirement = f"give an array of the places' shape {x.shape}"
        raise ValueError(_checks.message("surface", requirement, f"shape {costs.shape}"))
    costs = costs.astype(np.float64)
    return np.where(np.isfinite(costs), costs, np.nan)


def _costs_in(surface: Any, view: "View", n: int) -> tuple[Array, Array, Array]:
    """Places of a grid over the view, and their costs."""
    x, y = np.meshgrid(np.linspace(*view[:2], n), np.linspace(*view[2:], n))
    costs = _costs_at(surface, x, y)
    if np.isnan(costs).all():
        raise ValueError(_checks.message("surface", "be finite somewhere in view", "nowhere"))
    return x, y, costs


def _read_paths(paths: Any) -> dict[str, Array]:
    """The places of each path; names that legends leave out where there are none."""
    if paths is None:
        return {}
    named = paths if isinstance(paths, Mapping) else {"_path": paths}
    return {str(name): _read_path(path) for name, path in named.items()}


def _read_path(path: Any) -> Array:
    from nnlearn.descent import Descent

    requirement = "be a Descent or an array (n, 2) of places"
    points = path.points if isinstance(path, Descent) else path
    if not isinstance(points, (np.ndarray, list, tuple)):
        _checks.fail(TypeError, "each path", requirement, path)
    try:
        points = np.asarray(points)
    except ValueError:  # rows of different lengths
        _checks.fail(ValueError, "each path", requirement, path)
    if points.dtype.kind not in "biuf":
        _checks.fail(TypeError, "each path", requirement, points)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        _checks.fail(ValueError, "each path", requirement, points)
    return points.astype(np.float64)


def _on_surface(surface: Any, points: Array, view: "View") -> Array:
    """Places with their costs, NaN outside the view."""
    x, y = points.T
    costs = _costs_at(surface, x, y)
    left, right, bottom, top = view
    inside = (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
    return np.where(inside[:, None], np.c_[points, costs], np.nan)


# ---- how it is drawn ----------------------------------------------------------------------------


def _new_axes_3d(ax: Any) -> "Axes3D":
    """The axes given, or those of a new figure."""
    require_matplotlib()
    from mpl_toolkits.mplot3d import Axes3D

    if ax is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(6.4, 5.0), layout="constrained")
        ax = figure.add_subplot(projection="3d")
    if not isinstance(ax, Axes3D):
        hint = 'figure.add_subplot(projection="3d") makes them'
        _checks.fail(TypeError, "ax", "be axes of three dimensions", ax, hint)
    return ax


def _levels(costs: Array, n: int) -> Array:
    """The lowest cost, n - 1 levels, the highest; none where all costs are the same."""
    known = costs[~np.isnan(costs)]
    low, high = float(known.min()), float(known.max())
    if not high > low:
        return np.empty(0)
    median = (float(np.median(known)) - low) / (high - low)
    power = -np.log2(median) if 0 < median < 1 else _POWERS[1 if median < 0.5 else 0]
    steps: Array = low + (high - low) * (np.arange(n + 1) / n) ** np.clip(power, *_POWERS)
    return steps if (np.diff(steps) > 0).all() else np.empty(0)


def _draw_contours(ax: "Axes", x: Array, y: Array, costs: Array, steps: Array) -> None:
    """Shades of the text's colour between the steps, lines at them, numbers at every other one."""
    from matplotlib.colors import to_rgba

    shades = [to_rgba(ink(), 0.18 * k / (len(steps) - 2)) for k in range(len(steps) - 1)]
    ax.contourf(x, y, costs, steps, colors=shades, zorder=1)
    thin: dict[str, Any] = {"colors": [to_rgba(ink(), 0.45)], "linewidths": 0.7, "linestyles": "-"}
    lines = ax.contour(x, y, costs, steps[1:-1], zorder=2, **thin)
    ax.clabel(lines, steps[1:-1][1::2], fontsize="x-small", fmt="%.2g")


def _styled(paths: Mapping[str, Array]) -> Iterator[tuple[dict[str, Any], Array]]:
    """Each path with its line, and with a dot for each step where all are short."""
    few = max(map(len, paths.values()), default=0) <= _MOST_DOTS + 1
    for index, (name, points) in enumerate(paths.items()):
        style = line_style(index, len(points)) | {"linewidth": 1.6, "label": name, "zorder": 3}
        yield style | {"marker": "o" if few else None, "markersize": 3}, points


def _mark_ends(ax: "Axes | Axes3D", points: Array, colour: str) -> None:
    """A ring where a path begins, a larger dot where it ends."""
    ring: dict[str, Any] = {"mfc": "none", "mec": colour, "mew": 1.6, "markersize": 9}
    ax.plot(*points[:1].T, "o", zorder=4, **ring)
    ax.plot(*points[-1:].T, "o", color=colour, markersize=7, zorder=4)


def _pale() -> Any:
    """From nearly white to a dull violet, which no path has: paths stand out upon it."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("costs", ["#f7f5fa", "#b9b2cc", "#6f6590"])


def _label(ax: "Axes | Axes3D") -> None:
    ax.set_xlabel("weight $w_1$")
    ax.set_ylabel("weight $w_2$")
