"""The folder that results go to: what has ended is found there again."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from nnlearn import _core, _json, _texts
from nnlearn._whole_file import replace_file
from nnlearn.config import show_config
from nnlearn.data import Dataset
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lock import LOCK_FILE, Lock
from nnlearn.experiments._section import Section
from nnlearn.tables import count

_RUN_FILE = "run.json"
#: Folders that are looked at before giving up: NAME, NAME-2, NAME-3, ...
_MOST = 1000


@dataclass(frozen=True)
class Making:
    """What results depend on, apart from chance: they are only put beside others of the same.

    Parameters
    ----------
    version : str
        Of nnlearn.
    code : str
        Some digits of the SHA-256 of its files.
    data : str
        The digits, by their source and a digest.
    seeds : tuple of int
        The seeds.
    quick : bool
        Whether the run is short.
    kernels : str
        What the core computes with: the same bits are promised for one kernel set alone.
    """

    version: str
    code: str
    data: str
    seeds: tuple[int, ...]
    quick: bool
    kernels: str

    @classmethod
    def of(cls, data: Dataset, seeds: Sequence[int], quick: bool) -> "Making":
        """That of a run that is to begin now."""
        sets = [part for part in (data.train, data.validation, data.test) if part is not None]
        parts = [_texts.digest(array) for split in sets for array in (split.x, split.y)]
        sha = hashlib.sha256("".join(parts).encode()).hexdigest()[:12]
        kernels = show_config()["kernels"]
        source = f"{data.source}, {len(data.train):,} training samples, SHA-256 {sha}"
        return cls(_core.__version__, _code_digest(), source, tuple(seeds), quick, kernels)

    def to_json(self) -> dict[str, Any]:
        """For the file of the folder."""
        return {**vars(self), "seeds": list(self.seeds)}

    def difference(self, other: Any) -> str:
        """In what another making, out of a file, differs: words for the user; "" if in nothing."""
        if not isinstance(other, dict):
            return "something else"
        seeds = other.get("seeds")
        n = count(len(seeds), "seed") if isinstance(seeds, list) else "other seeds"
        words = {
            "version": f"version {other.get('version')}",
            "quick": "a quick run" if other.get("quick") else "a run in full",
            "seeds": n,
            "data": "other data",
            "kernels": "other kernels",
            "code": "other files of nnlearn",
        }
        mine = self.to_json()
        return next((word for name, word in words.items() if other.get(name) != mine[name]), "")


class Folder:
    """A folder of results, all of one making; one run at a time holds it, until `close`.

    Parameters
    ----------
    path : Path
        Where the user wants it. One that is there with something else in it is kept as it is; the
        first of ``path-2``, ``path-3``, ... that is of this making, or free, is taken in its place.
    making : Making
        What the results are of.

    Attributes
    ----------
    path : Path
        The folder taken.
    kept : str
        A sentence about the folder that was asked for, where another was taken.

    Raises
    ------
    InUse
        If another run is at work in it.
    OSError
        If it cannot be made or written to.
    """

    def __init__(self, path: Path, making: Making) -> None:
        self.kept = ""
        for candidate in _candidates(path):
            what = _content(candidate, making)
            if not what:
                candidate.mkdir(parents=True, exist_ok=True)
                self._lock = Lock(candidate)
                what = _content(candidate, making)  # now that nobody else changes it
                if not what:
                    break
                self._lock.close()
            if not self.kept:
                self.kept = f"{path} holds {what} and is kept as it is"
        else:
            raise FileExistsError(f"{path} and {_MOST - 1} folders beside it hold other results")
        self.path = candidate
        self._making = making
        try:
            # The file first: a folder that has it is ours, however early the process ends.
            replace_file(self.path / _RUN_FILE, [_json.dump(making.to_json()).encode()])
            (self.path / "parts").mkdir(exist_ok=True)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let other runs work in it."""
        self._lock.close()

    def read(self, experiment: Experiment) -> Section | None:
        """The section of an experiment that has ended.

        None if it has not, if its file is damaged, or was written by a run of another making that
        began here at the same time.

        Raises
        ------
        OSError
            If the file is there and cannot be read.
        """
        try:
            content = _json.parse(self._part(experiment.name).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(content, dict) or content.get("of") != self._stamp(experiment):
            return None
        try:
            return Section.from_json(content.get("section"))
        except ValueError:
            return None

    def write(self, experiment: Experiment, section: Section) -> None:
        """Keep a section: there is the whole file afterwards, or none."""
        content = {"of": self._stamp(experiment), "section": section.to_json()}
        replace_file(self._part(section.name), [_json.dump(content).encode()])

    def write_file(self, name: str, text: str) -> Path:
        """Write a file of the folder, whole or not at all; its path."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        replace_file(path, [text.encode()])
        return path

    def _stamp(self, experiment: Experiment) -> dict[str, Any]:
        """What a part depends on: its making, and the optional packages that it uses."""
        return {**self._making.to_json(), "packages": _installed(experiment.packages)}

    def _part(self, name: str) -> Path:
        return self.path / "parts" / f"{name}.json"


def _candidates(path: Path) -> Iterator[Path]:
    """The path, then the same with a number behind."""
    yield path
    for number in range(2, _MOST + 1):
        yield path.with_name(f"{path.name}-{number}")


def _content(path: Path, making: Making) -> str:
    """What there is that keeps these results out; "" where they may go."""
    if not path.exists():
        return ""
    found: Any = None
    with suppress(FileNotFoundError, ValueError):
        found = _json.parse((path / _RUN_FILE).read_bytes())
    if found is None:
        return "other files" if any(map(_is_foreign, path.iterdir())) else ""
    what = making.difference(found)
    return f"results of {what}" if what else ""


def _is_foreign(path: Path) -> bool:
    """Whether a file is no remainder of a process that ended while it wrote its first one."""
    ours = path.name.startswith(".nnlearn-") and path.suffix == ".tmp"
    return not (ours or path.name == LOCK_FILE)


def _installed(packages: Sequence[str]) -> list[str]:
    """What is installed of these packages, with versions."""
    found = []
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return found


def _code_digest() -> str:
    """Some digits of the SHA-256 of the package's Python files and compiled core."""
    package = Path(__file__).parents[1]
    sha = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".so", ".npz")):
        sha.update(path.relative_to(package).as_posix().encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()[:12]
