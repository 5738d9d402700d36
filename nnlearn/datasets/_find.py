"""Where the files of a published data set are: found on disk, else downloaded once.

They are looked for in this order:

    1. the folder given as ``path=``
    2. the data set's sub-folder of ``NNLEARN_DATA_DIR``, where that exists
    3. the cache of downloads
    4. the network, into that cache; a file whose SHA-256 differs is not kept
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlearn._checks import fail, message, show
from nnlearn._display import make_display
from nnlearn.progress import Clock

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
TIMEOUT = 30  # seconds without an answer
PIECE = 1 << 16  # bytes between two looks at the progress


@dataclass(frozen=True)
class Source:
    """A published data set: four gzipped IDX files under one address."""

    name: str  # also the name of its folder
    url: str
    hashes: dict[str, str] = field(repr=False)  # SHA-256 of each file as served

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self.hashes)


def _source(name: str, url: str, *hashes: str) -> Source:
    return Source(name, url, {f"{n}.gz": h for n, h in zip(NAMES, hashes, strict=True)})


MNIST = _source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
FASHION_MNIST = _source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
)


def find(
    source: Source,
    path: str | os.PathLike[str] | None = None,
    *,
    cache: Path | None = None,
    name: str = "path",
) -> list[Path]:
    """The four files of a data set, in the order of `Source.files`.

    A folder that is named, or that is there, must have them all: another place is not tried
    instead. `cache` replaces the folder of downloads, `name` is what messages call `path`.
    """
    if path is not None:
        if not isinstance(path, (str, os.PathLike)):
            fail(TypeError, name, "be a str or os.PathLike", path)
        return _in_folder(source, Path(path).expanduser(), name)
    folder = data_folder(source)
    if folder is not None and folder.is_dir():
        return _in_folder(source, folder, "NNLEARN_DATA_DIR")
    return _downloaded(source, cache or cache_folder() / source.name, name)


def is_here(source: Source, *, cache: Path | None = None) -> bool:
    """Whether `find` needs no download. A folder that lacks a file counts: `find` says which."""
    folder = data_folder(source)
    if folder is not None and folder.is_dir():
        return True
    cache = cache or cache_folder() / source.name
    return all(
        (cache / file).is_file() and _pooch().file_hash(cache / file) == digest
        for file, digest in source.hashes.items()
    )


def data_folder(source: Source) -> Path | None:
    """The data set's sub-folder of NNLEARN_DATA_DIR, whether it exists or not."""
    given = os.environ.get("NNLEARN_DATA_DIR")
    return Path(given).expanduser() / source.name if given else None


def cache_folder() -> Path:
    """The folder under which downloads are kept, a sub-folder for each data set."""
    return Path(_pooch().os_cache("nnlearn")).expanduser()


def _pooch() -> Any:
    """The pooch package, imported only when files are looked for in its cache."""
    import pooch  # type: ignore[import-untyped]

    pooch.get_logger().setLevel("WARNING")  # its lines would stand between those of the bar

    return pooch


def _in_folder(source: Source, folder: Path, name: str) -> list[Path]:
    found = []
    for file in source.files:
        path = next((p for p in _spellings(folder, file) if p.is_file()), None)
        if path is None:
            what = f"{str(folder)!r}, which has no {file}" if folder.is_dir() else show(str(folder))
            requirement = f"lead to a folder with {_listing(source)}, gzipped or not"
            raise FileNotFoundError(message(name, requirement, what))
        found.append(path)
    return found


def _spellings(folder: Path, file: str) -> list[Path]:
    """The names under which a file goes: as served, unpacked, and with the dot of old archives."""
    unpacked = file.removesuffix(".gz")
    dotted = unpacked.replace("-idx", ".idx")
    return [folder / name for name in (file, unpacked, f"{dotted}.gz", dotted)]


def _listing(source: Source) -> str:
    return ", ".join(source.files[:-1]) + " and " + source.files[-1]


def _downloaded(source: Source, cache: Path, name: str) -> list[Path]:
    """The files in `cache`; those that are missing there or altered are downloaded into it."""
    registry = {file: f"sha256:{digest}" for file, digest in source.hashes.items()}
    fetcher = _pooch().create(path=cache, base_url=source.url, registry=registry)
    return [Path(_fetch(source, file, fetcher, name)) for file in source.files]


def _fetch(source: Source, file: str, fetcher: Any, name: str) -> str:
    import requests

    bar = _Bar(f"{source.name} {file}")
    download = _pooch().HTTPDownloader(progressbar=bar, chunk_size=PIECE, timeout=TIMEOUT)
    try:
        return str(fetcher.fetch(file, downloader=download))
    except requests.RequestException as error:
        raise ConnectionError(_not_reached(source, error, name)) from error
    except ValueError as error:  # pooch has deleted what it got
        requirement = f"have the SHA-256 {source.hashes[file]}"
        hint = "the download was not kept"
        raise ValueError(message(source.url + file, requirement, "another one", hint)) from error
    finally:
        bar.end()


def _not_reached(source: Source, error: Exception, name: str) -> str:
    """What to say without a network: which files to put where."""
    folder = data_folder(source)
    if folder is None:
        place = f"a folder {source.name}, set NNLEARN_DATA_DIR to the folder around it"
    else:
        place = f"{str(folder)!r} (NNLEARN_DATA_DIR)"
    by = f"{name}=" if name.isidentifier() else name
    hint = f"put {_listing(source)} into {place}, or name their folder by {by}"
    got = f"{type(error).__name__} from {source.url}"
    return message(source.name, "be on disk or within reach", got, hint)


class _Bar:
    """What pooch asks of a progress bar, drawn as the progress of a fit is."""

    def __init__(self, name: str) -> None:
        self.total = 0
        self._name = name
        self._done = 0
        self._display = make_display(None)
        self._clock = Clock()
        self._drawn = False

    def update(self, count: int) -> None:
        self._done = min(self._done + count, self.total)
        if self._display and self.total and self._clock.due():
            share = self._done / self.total
            self._display.draw(self._name, share, [self._size(), self._clock.left(share)])
            self._drawn = True

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Pooch's word that all is there; the line ends in `end`, which also comes on failure."""

    def end(self) -> None:
        if self._display and self._drawn:
            self._display.end(f"{self._name}  {self._size()}")

    def _size(self) -> str:
        return f"{self._done / 1e6:.1f} of {self.total / 1e6:.1f} MB"
