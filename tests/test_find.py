"""Where the files of a data set are found, and how they are downloaded."""

import hashlib
import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nnlearn import datasets
from nnlearn.datasets import _find
from nnlearn.datasets._find import FASHION_MNIST, MNIST, NAMES, Source, find, is_here

GZIPPED = [f"{name}.gz" for name in NAMES]
LISTING = f"{GZIPPED[0]}, {GZIPPED[1]}, {GZIPPED[2]} and {GZIPPED[3]}"


def says(text: str) -> str:
    """A pattern for pytest's `match` that is the whole text."""
    return f"^{re.escape(text)}$"


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds a data set by the environment of whoever runs it."""
    monkeypatch.delenv("NNLEARN_DATA_DIR", raising=False)


def empty_files(folder: Path, names: list[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


UNPACKED = list(NAMES)
DOTTED = [name.replace("-idx", ".idx") for name in NAMES]


@pytest.mark.parametrize("names", [GZIPPED, UNPACKED, DOTTED, [*UNPACKED[:2], *GZIPPED[2:]]])
def test_files_are_found_under_the_names_they_go_by(tmp_path: Path, names: list[str]) -> None:
    files = empty_files(tmp_path, names)
    assert find(MNIST, tmp_path) == files
    assert find(MNIST, str(tmp_path)) == files


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_data_folder_has_a_sub_folder_for_each_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Source
) -> None:
    files = empty_files(tmp_path / source.name, GZIPPED)
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path))
    assert find(source) == files


def test_path_comes_before_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_files(tmp_path / "data" / "mnist", GZIPPED)
    files = empty_files(tmp_path / "here", GZIPPED)
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path / "data"))
    assert find(MNIST, tmp_path / "here") == files


def test_a_folder_without_one_of_the_files_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mnist"
    empty_files(folder, GZIPPED[:3])
    got = f"{str(folder)!r}, which has no {GZIPPED[3]}"
    for name, path in (("path", folder), ("--data-dir", folder), ("NNLEARN_DATA_DIR", None)):
        monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path))
        settings = {"name": name} if name == "--data-dir" else {}
        message = f"{name} must lead to a folder with {LISTING}, gzipped or not, got {got}"
        with pytest.raises(FileNotFoundError, match=says(message)):
            find(MNIST, path, **settings)


def test_a_path_that_is_no_folder_is_an_error() -> None:
    message = f"path must lead to a folder with {LISTING}, gzipped or not, got '/nowhere'"
    with pytest.raises(FileNotFoundError, match=says(message)):
        datasets.load_mnist(path="/nowhere")


def test_a_path_of_another_kind_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=says("path must be a str or os.PathLike, got 3")):
        datasets.load_mnist(path=3)  # type: ignore[arg-type]


# --- Downloading -------------------------------------------------------------------------------


class Server:
    """The four files of a small source over HTTP, and the requests that came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        contents = {file: f"the content of {file}\n".encode() * 9999 for file in GZIPPED}
        for file, content in contents.items():
            (folder / file).write_bytes(content)
        hashes = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.source = Source("toy", f"http://127.0.0.1:{self._httpd.server_port}/", hashes)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()

    def _handler(self) -> Any:
        requests = self.requests

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *arguments: Any) -> None:
                requests.append(self.path.lstrip("/"))

        return partial(Handler, directory=str(self.folder))

    def close(self) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.close()


def test_what_is_missing_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    files = find(server.source, cache=cache)
    assert files == [cache / file for file in GZIPPED]
    assert sorted(os.listdir(cache)) == sorted(GZIPPED)
    for file in files:
        assert file.read_bytes() == (server.folder / file.name).read_bytes()
    assert find(server.source, cache=cache) == files
    assert server.requests == GZIPPED


def test_the_data_folder_comes_before_the_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = empty_files(tmp_path / "data" / "toy", GZIPPED)
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path / "data"))
    assert find(server.source, cache=tmp_path / "cache") == files
    assert server.requests == []


def test_a_data_folder_without_this_data_set_does_not_matter(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path))
    assert find(server.source, cache=tmp_path / "cache")[0] == tmp_path / "cache" / GZIPPED[0]


def test_what_is_here_needs_no_download(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    assert not is_here(server.source, cache=cache)
    find(server.source, cache=cache)
    assert is_here(server.source, cache=cache)
    (cache / GZIPPED[0]).write_bytes(b"altered")
    assert not is_here(server.source, cache=cache)
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path))
    assert not is_here(server.source, cache=cache)
    (tmp_path / server.source.name).mkdir()
    assert is_here(server.source, cache=cache)


def test_a_download_with_another_hash_is_not_kept(server: Server, tmp_path: Path) -> None:
    tampered = GZIPPED[1]
    (server.folder / tampered).write_bytes(b"something else")
    message = (
        f"{server.source.url}{tampered} must have the SHA-256 {server.source.hashes[tampered]}, "
        "got another one: the download was not kept"
    )
    with pytest.raises(ValueError, match=says(message)):
        find(server.source, cache=tmp_path / "cache")
    assert os.listdir(tmp_path / "cache") == GZIPPED[:1]


def test_a_file_altered_in_the_cache_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    files = find(server.source, cache=tmp_path)
    good = files[2].read_bytes()
    files[2].write_bytes(good[:-1])
    find(server.source, cache=tmp_path)
    assert files[2].read_bytes() == good
    assert server.requests == [*GZIPPED, GZIPPED[2]]


def test_without_a_network_the_error_says_what_to_put_where(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.close()
    head = f"toy must be on disk or within reach, got ConnectionError from {server.source.url}: "
    place = "a folder toy, set NNLEARN_DATA_DIR to the folder around it"
    end = ", or name their folder by path="
    with pytest.raises(ConnectionError, match=says(f"{head}put {LISTING} into {place}{end}")):
        find(server.source, cache=tmp_path / "cache")
    end = ", or name their folder by --data-dir"
    with pytest.raises(ConnectionError, match=says(f"{head}put {LISTING} into {place}{end}")):
        find(server.source, cache=tmp_path / "cache", name="--data-dir")
    end = ", or name their folder by path="
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path))
    place = f"{str(tmp_path / 'toy')!r} (NNLEARN_DATA_DIR)"
    with pytest.raises(ConnectionError, match=says(f"{head}put {LISTING} into {place}{end}")):
        find(server.source, cache=tmp_path / "cache")


def test_a_file_that_the_server_has_not_is_reported_alike(server: Server, tmp_path: Path) -> None:
    (server.folder / GZIPPED[0]).unlink()
    with pytest.raises(
        ConnectionError, match=r"^toy must be .*, got HTTPError from .*: put train-"
    ):
        find(server.source, cache=tmp_path)


def test_progress_is_shown_in_a_terminal(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    find(server.source, cache=tmp_path)
    size = (tmp_path / GZIPPED[0]).stat().st_size / 1e6
    lines = terminal.getvalue()
    assert re.search(rf"toy {GZIPPED[0]} .*\d %  0\.\d of {size:.1f} MB", lines)
    assert f"toy {GZIPPED[0]}  {size:.1f} of {size:.1f} MB" in lines
    assert re.search(r"MB *\n$", lines)


def test_no_bar_is_drawn_elsewhere(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    find(server.source, cache=tmp_path)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_registry_has_a_hash_for_each_file(source: Source) -> None:
    assert list(source.files) == GZIPPED
    assert source.url.endswith("/")
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in source.hashes.values())
    assert len(set(source.hashes.values())) == 4


def test_the_cache_is_the_users() -> None:
    assert _find.cache_folder().is_absolute()
    assert _find.cache_folder().name == "nnlearn"
