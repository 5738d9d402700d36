"""What `Network.explain` says: which path training takes through each layer, and why.

The rules themselves are the core's (``Network.paths``) and, for the sparse form of x, those of
`_sparse`; here they are only put into words.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnlearn import _arrays, _checks, _sparse
from nnlearn._core_data import core_data
from nnlearn._fit_settings import checked_augment

if TYPE_CHECKING:
    from nnlearn._model import Model

Path = Mapping[str, Any]


def explain(net: "Model", x: Any, batch_size: int, augment: Any) -> str:
    """The text of `Network.explain`."""
    images = None
    if augment is not None:
        from nnlearn.augment._images import core_augment

        images = core_augment(checked_augment(augment, None), x, net.input_shape)
    x, _ = _arrays.unpack(x, None)
    rows = _arrays.inputs(x, net._architecture, net.dtype)
    if rows.shape[0] == 0:
        raise ValueError(_checks.message("x", "have at least one row", f"shape {rows.shape}"))
    sparse = None if images is None else False
    data = core_data(net, rows, {}, "x", net._input_scale, True, True, sparse)
    batch_size = min(batch_size, data.n_rows)
    block, shared, paths = net._core.paths(data, batch_size, images)
    kernels = net._core_module.info()
    lines = [
        f"batches of {batch_size:,} rows of x {rows.shape}, {rows.dtype}, in {net.dtype}",
        f"kernels: {kernels['kernels']}, and BLIS with {kernels['blis_kernels']}",
        f"x: {_of_images(images)}" if images is not None else f"x: {_of_x(data, rows, net)}",
        f"threads: {_of_threads(shared, net)}",
    ]
    if block < batch_size:
        lines.append(f"blocks: a step takes {block:,} rows at once, for want of room")
    for i, path in enumerate(paths, 1):
        lines.append(f"dense{i} ({path['n_in']} -> {path['n_out']}): {_of_layer(path, block)}")
    return "\n".join(lines)


def _of_x(data: Any, rows: Any, net: "Model") -> str:
    """Whether the first layer works on the nonzeros of x."""
    form = data.sparse
    if form is None:
        n_nonzero = data.scan(False)[2]
        return f"read as it is, as {_sparse.why_not(n_nonzero, rows, net._architecture, net.dtype)}"
    share = form.n_nonzero / (rows.shape[0] * rows.shape[1])
    text = f"{share:.1%} of its numbers are not 0; their sparse form takes {_size(form.nbytes)}"
    if _sparse.is_sparse(rows):
        text += ", as it is given"
    else:
        text += f", written out x takes {_size(rows.size * rows.itemsize)}"
    if not _sparse.starts_dense(net._architecture):
        first = type(net.layers[0]).__name__
        text += f"; written out batch by batch, as the first layer is a {first}"
    return text


def _of_images(images: tuple[Any, ...]) -> str:
    """That every row is changed on its way into a batch."""
    shape, parts = images
    sides = " x ".join(map(str, shape[1:] if shape[0] == 1 else shape))
    names = ", ".join(name for name, amount, _ in parts if amount > 0)
    return f"all of its numbers, as images of {sides} changed anew in every epoch ({names})"


def _of_threads(shared: bool, net: "Model") -> str:
    if not shared:
        return "one, as a step is too short to be shared"
    return f"a step is long enough to be shared among {net._core.n_threads}"


def _of_layer(path: Path, rows: int) -> str:
    """The way forward and the update, then that of the gradient of the layer's inputs."""
    text = _of_sparse(path, rows) if path["sparse"] else _of_dense(path, rows)
    if not path["has_input_gradient"]:
        return text
    if path["transposes"]:
        return f"{text}; dx in own loops, over W^T written out"
    return f"{text}; dx by BLIS"


def _of_sparse(path: Path, rows: int) -> str:
    text = "on the nonzeros alone, in own loops"
    if path["tile"]:
        text += f", W in tiles of {path['tile']} columns, as it is wide and {rows} rows are many"
    if path["by_rows"]:
        how = f"row after row of the batch, as {path['n_out']} columns are few"
        how += f" (up to {path['narrow']})"
    else:
        how = "input after input, each row of W once, "
        if path["n_out"] > path["narrow"]:
            how += f"as {path['n_out']} columns are many (more than {path['narrow']})"
        else:
            how += "as threads share them"
    return f"{text}; plain SGD updates {how}, with L2 decay as one lazy factor of W"


def _of_dense(path: Path, rows: int) -> str:
    width = f"{path['n_in']} x {path['n_out']}"
    return {
        "few rows": f"own loops, as {rows} rows are few (up to {path['few_rows']})",
        "narrow": f"own loops, as {path['n_out']} columns are few (up to {path['narrow']}) "
        f"and {width} weights stay in the second-level cache",
        "BLIS": f"BLIS, as {rows} rows (more than {path['few_rows']}) and {width} weights "
        "are large enough for it",
    }[path["loops"]]


def _size(n_bytes: int) -> str:
    """Bytes as a person says them."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:,.1f} kB"
