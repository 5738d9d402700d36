"""Optuna's studies and storages, as a search opens them."""

import contextlib
import hashlib
import json
import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from nnlearn import _checks
from nnlearn._texts import Nameless, text_of

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from optuna.study import Study

#: Seconds between the signs of life of a trial, where a storage takes them.
BEAT = 10
#: Seconds without one after which other processes take the trial for dead.
GRACE = 120
#: The name of a study in a storage, when none is given.
STUDY_NAME = "nnlearn"

_ATTRIBUTE = "nnlearn"
_LONGEST = 300  # text of a setting that is kept as it is
_NO_MATTER = ("callbacks", "sparse", "verbose")  # settings that change no result
_LOCK_SECONDS = 60  # that SQLite waits while another process writes
_IN_MEMORY = (None, "", ":memory:")  # what SQLite calls a database without a file
_ATTEMPTS, _PAUSE = 10, 0.1  # seconds
_LONGEST_ENTRY = 2**16  # bytes of the first line of a journal


def require_optuna() -> None:
    """Raise ImportError, saying what to install, if there is no Optuna."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise ImportError('search needs Optuna: pip install "nnlearn[search]"') from None


class _Quiet:
    """Optuna says errors only while any thread is within; progress is shown in another way.

    The first one in keeps the level that Optuna had, the last one out brings it back, unless
    somebody has set another one in between.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        from optuna import logging

        with self._lock:
            if self._inside == 0:
                self._before = logging.get_verbosity()
                logging.set_verbosity(logging.ERROR)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        from optuna import logging

        with self._lock:
            self._inside -= 1
            if self._inside == 0 and logging.get_verbosity() == logging.ERROR:
                logging.set_verbosity(self._before)


#: One for all searches of the process, since Optuna has one level for all threads.
_QUIET = _Quiet()
#: `warnings` has one list of filters for all threads.
_WARNINGS = threading.Lock()


def quiet() -> contextlib.AbstractContextManager[None]:
    """Let Optuna say errors only, within the block; blocks of several threads may overlap."""
    return _QUIET


@contextlib.contextmanager
def _stable() -> Iterator[None]:
    """Take Optuna's heartbeats as stable within the block, which one thread enters at a time."""
    import optuna

    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def open_study(
    storage: "BaseStorage | None",
    study_name: str | None,
    direction: Literal["maximize", "minimize"],
    identity: Mapping[str, Mapping[str, str]] | None,
    **parts: Any,
) -> "Study":
    """The study of this name, or a new one.

    Parameters
    ----------
    storage : BaseStorage or None
        As `open_storage` gives it.
    study_name : str or None
        Its name there.
    direction : {"maximize", "minimize"}
        Of a new one.
    identity : mapping or None
        What makes two searches the same study, by kind and name, in words. None: a new one.
    **parts
        Sampler and pruner.

    Raises
    ------
    ValueError
        If the study has been made by a search that differs in its identity.
    """
    import optuna

    if study_name is not None and not isinstance(study_name, str):
        _checks.fail(TypeError, "study_name", "be text", study_name)
    if storage is None and study_name is not None:
        hint = 'storage="sqlite:///search.db"'
        _checks.fail(ValueError, "study_name", "be given with a storage", study_name, hint)
    study = optuna.create_study(
        storage=storage,
        study_name=study_name or (None if storage is None else STUDY_NAME),
        direction=direction,
        load_if_exists=storage is not None,
        **parts,
    )
    if identity is not None:
        _agree(study, direction, identity)
    return study


def open_storage(storage: Any) -> "BaseStorage | None":
    """The storage that a user means: a database for an address, else a journal file."""
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if isinstance(storage, RDBStorage) and storage.get_heartbeat_interval() is not None:
        hint = "give its address in its place"
        _checks.fail(ValueError, "storage", "have no heartbeat of its own", storage, hint)
    if storage is None or isinstance(storage, optuna.storages.BaseStorage):
        return storage
    if not isinstance(storage, (str, os.PathLike)):
        requirement = "be a database's address, a path or a storage of Optuna's"
        _checks.fail(TypeError, "storage", requirement, storage, 'storage="sqlite:///search.db"')
    address = os.fspath(storage)
    if "://" not in address:
        _check_journal(address)
        return JournalStorage(JournalFileBackend(address))
    database = _database(address)
    if database.engine.url.database in _IN_MEMORY:  # another for every thread
        _checks.fail(ValueError, "storage", "be a database in a file or on a server", storage)
    return database


def _check_journal(path: str) -> None:
    """Refuse a file that holds something else, before Optuna writes into it."""
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        first = file.readline(_LONGEST_ENTRY)
    try:
        is_journal = not first or "op_code" in json.loads(first)
    except (TypeError, ValueError):
        is_journal = False
    if not is_journal:
        hint = "sqlite:///search.db is how a database is named"
        _checks.fail(ValueError, "storage", "be a new file or a journal of Optuna's", path, hint)


def _database(address: str, **signs: Any) -> "RDBStorage":
    """The storage in a database; its tables are made unless there are some."""
    import sqlalchemy.exc
    from optuna.storages import RDBStorage

    sqlite = {"connect_args": {"timeout": _LOCK_SECONDS}} if address.startswith("sqlite") else {}
    for left in reversed(range(_ATTEMPTS)):
        try:
            return RDBStorage(address, engine_kwargs=sqlite, **signs)
        except sqlalchemy.exc.ArgumentError as error:
            why = str(error)
        except sqlalchemy.exc.DBAPIError as error:
            why = str(error.orig)
            is_busy = isinstance(error, sqlalchemy.exc.IntegrityError)
            if left and (is_busy or "locked" in why or "already exists" in why):
                time.sleep(_PAUSE)  # another process is making the same tables
                continue
        _checks.fail(ValueError, "storage", "be a database that can be opened", address, why)
    raise AssertionError("unreachable")


class Pulse:
    """Signs of life of the trials of one process, and a look at those of others.

    Optuna gives them within `Study.optimize` alone, so this is a second view of the database. Other
    storages take none: nothing happens then.
    """

    def __init__(self, storage: "BaseStorage | None", study: "Study") -> None:
        import optuna
        from optuna.storages import RDBStorage

        self._study: Study | None = None
        if not isinstance(storage, RDBStorage):
            return
        with _stable():
            self._storage = _database(storage.url, heartbeat_interval=BEAT, grace_period=GRACE)
        self._study = optuna.load_study(study_name=study.study_name, storage=self._storage)
        self._study_id = self._storage.get_study_id_from_name(study.study_name)

    def beat(self, number: int) -> None:
        """Give a sign of life of the trial with this number. Any thread may."""
        if self._study is not None:
            of = self._storage.get_trial_id_from_study_id_trial_number
            self._storage.record_heartbeat(of(self._study_id, number))

    def close(self) -> None:
        """Close the second view."""
        if self._study is not None:
            self._study = None
            self._storage.remove_session()
            self._storage.engine.dispose()

    def bury(self) -> None:
        """Mark as failed the trials without a sign of life. The main thread alone may."""
        import optuna

        if self._study is not None:
            with _stable():
                optuna.storages.fail_stale_trials(self._study)


def _agree(study: "Study", direction: str, identity: Mapping[str, Mapping[str, str]]) -> None:
    """Write the identity into a new study; refuse an old one that has another."""
    stored = study.user_attrs.get(_ATTRIBUTE)
    where = f"study {study.study_name!r}"
    hint = "give another study_name"
    if stored is None:
        if study.get_trials(deepcopy=False):
            requirement = "be one that a search made, or have no trials"
            raise ValueError(_checks.message(where, requirement, "others' trials", hint))
        if study.direction.name.lower() != direction:
            got = f"one that does not: {hint}"
            raise ValueError(_checks.message(where, direction, got))
        study.set_user_attr(_ATTRIBUTE, {kind: dict(items) for kind, items in identity.items()})
        return
    for kind, items in identity.items():
        then = stored.get(kind, {})
        for name in sorted({*items, *then}):
            old, new = then.get(name, "nothing"), items.get(name, "nothing")
            if old != new:
                got = f"{name}={new} where the study has {old}"
                requirement = f"be continued with the same {kind}"
                raise ValueError(_checks.message(where, requirement, got, hint))


def identity_of(
    space: Mapping[str, Any],
    common: Mapping[str, Any],
    rest: Mapping[str, str],
) -> dict[str, dict[str, str]]:
    """What makes two searches the same study: words that are the same in every process.

    Raises ValueError for a setting that has none.
    """
    kept = {name: value for name, value in common.items() if name not in _NO_MATTER}
    return {
        "space": {name: _words(name, domain) for name, domain in space.items()},
        "settings": {name: _words(name, value) for name, value in kept.items()},
        "data and seeds": dict(rest),
    }


def _words(name: str, value: Any) -> str:
    try:
        text = text_of(value, exact=True)
    except Nameless as nameless:
        requirement = "read the same in every process, to be kept in a storage"
        hint = "a function of a module does, and an object with a repr of its own"
        raise ValueError(_checks.message(name, requirement, str(nameless), hint)) from None
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... with SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:12]}"
