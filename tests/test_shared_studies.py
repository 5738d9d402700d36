"""Studies in a storage: continued, shared by processes, refused where they contradict."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from searches import DATA, SPACE, look, tried

import nnlearn as nn
from nnlearn.searching import studies

optuna = pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def data():
    return DATA


@pytest.fixture(params=["database", "journal"])
def storage(request, tmp_path):
    return f"sqlite:///{tmp_path}/s.db" if request.param == "database" else tmp_path / "s.log"


def test_a_study_goes_on_where_it_is_stored(storage, data):
    first = look(data, storage=storage, trials=3)
    both = look(data, storage=storage, trials=2, method="tpe")
    assert tried(both) == tried(look(data, trials=3)) + tried(both)[3:]
    assert len(both) == 5
    assert both.trials[:3] == first.trials
    assert both.best_network.accuracy(data.validation) == both.best.value


def test_a_grid_goes_on_with_what_is_left(tmp_path, data):
    settings = {"method": "grid", "storage": tmp_path / "s.log", "prune": False, "epochs": 1}
    assert len(look(data, trials=10, **settings)) == 10
    whole = look(data, trials=10, **settings)
    assert len(whole) == len({str(s) for s in tried(whole)}) == 16
    assert len(look(data, trials=10, **settings)) == 16, "nothing is left"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"space": SPACE | {"batch_size": nn.integers(5, 30, n=2)}},
            r"study 'nnlearn' must be continued with the same space, got batch_size="
            r"integers\(5, 30, n=2\) where the study has integers\(5, 20, n=2\): give another",
        ),
        ({"space": {**SPACE, "l2": [0.0]}}, "got l2=.* where the study has nothing"),
        ({"epochs": 3}, "with the same settings, got epochs=3 where the study has 2"),
        ({"seeds": 2}, r"got seeds=\(0, 1\) where the study has \(0,\)"),
        ({"monitor": "val_loss"}, "got monitor='val_loss' where the study has 'val_accuracy'"),
    ],
)
def test_a_search_that_contradicts_the_stored_study_is_refused(change, message, tmp_path, data):
    path = tmp_path / "s.log"
    look(data, storage=path, trials=1)
    with pytest.raises(ValueError, match=message):
        look(data, storage=path, trials=1, **change)
    assert len(look(data, storage=path, trials=1, study_name="another", **change)) == 1


def schedule(epoch):
    return 0.9**epoch


WEIGHTS = np.linspace(0.5, 1.5, 60)
OTHER_WEIGHTS = np.where(np.arange(60) == 30, 2.0, WEIGHTS)


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("schedule", schedule, None),
        ("schedule", functools.partial(pow, 0.9), functools.partial(pow, 0.8)),
        ("sample_weight", WEIGHTS, OTHER_WEIGHTS),
        ("sample_weight", [*WEIGHTS], [*OTHER_WEIGHTS]),
        ("early_stopping", 3, 4),
    ],
)
def test_a_setting_that_differs_from_the_stored_ones_is_refused(name, value, other, tmp_path, data):
    path = tmp_path / "s.log"
    for _ in range(2):
        look(data, storage=path, trials=1, **{name: value})
    with pytest.raises(ValueError, match=rf"with the same settings, got {name}=.* the study has"):
        look(data, storage=path, trials=1, **{name: other})


def test_choices_in_the_middle_of_long_arrays_count(tmp_path, data):
    for values, refused in ((WEIGHTS, False), (WEIGHTS.copy(), False), (OTHER_WEIGHTS, True)):
        with pytest.raises(ValueError, match="same space") if refused else nullcontext():
            look(data, SPACE | {"sample_weight": [values]}, storage=tmp_path / "s.log", trials=1)


class Bare:
    def __call__(self, epoch):
        return 0.9


@pytest.mark.parametrize("nameless", [lambda epoch: 0.9, Bare(), [lambda epoch: 0.9]])
def test_what_has_no_name_is_not_stored(nameless, tmp_path, data):
    space, settings = SPACE, {"schedule": nameless}
    if isinstance(nameless, list):
        space, settings = SPACE | settings, {}
    look(data, space, trials=1, **settings)
    message = "schedule must read the same in every process, to be kept in a storage, got"
    with pytest.raises(ValueError, match=message):
        look(data, space, storage=tmp_path / "s.log", trials=1, **settings)


def changed(part):
    """The same data but for one part."""
    (x, y), (vx, vy) = DATA.train, DATA.validation
    return {
        "training x": nn.Dataset((x * 0, y), DATA.validation),
        "training y": nn.Dataset((x, y[::-1]), DATA.validation),
        "validation x": nn.Dataset(DATA.train, (vx[::-1], vy)),
        "validation y": nn.Dataset(DATA.train, (vx, vy[::-1])),
    }[part]


@pytest.mark.parametrize("part", ["training x", "training y", "validation x", "validation y"])
def test_other_data_is_refused(part, tmp_path, data):
    path = tmp_path / "s.log"
    look(data, storage=path, trials=1)
    message = f"must be continued with the same data and seeds, got {part}=an array of shape"
    with pytest.raises(ValueError, match=message):
        look(changed(part), storage=path, trials=1)


def test_other_numbers_of_a_sparse_matrix_are_refused(tmp_path, data):
    sparse = pytest.importorskip("scipy.sparse")
    x, y = data.train
    forms = [sparse.csr_matrix(x), sparse.csr_matrix(x), sparse.csr_matrix(x[::-1])]
    some = [nn.Dataset((form, y), data.validation) for form in forms]
    for one in some[:2]:
        look(one, storage=tmp_path / "s.log", trials=1)
    with pytest.raises(ValueError, match="training x=a sparse matrix of shape"):
        look(some[2], storage=tmp_path / "s.log", trials=1)


@pytest.mark.parametrize(
    ("storage", "why"),
    [
        ("sqlite:////nonexistent/x.db", "unable to open database file"),
        ("foo://x", "Can't load plugin.*foo"),
        ("sqlite:///{file}", "file is not a database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_at_once(
    storage, why, tmp_path, data, monkeypatch
):
    (tmp_path / "file").write_text("no database" * 100)
    monkeypatch.setattr(studies.time, "sleep", lambda seconds: pytest.fail("tried again"))
    message = f"storage must be a database that can be opened, got '.*: {why}"
    with pytest.raises(ValueError, match=message):
        look(data, storage=storage.format(file=tmp_path / "file"))


@pytest.mark.parametrize("times", [1, 100])
def test_a_database_is_tried_again_while_it_is_locked(times, tmp_path, data, monkeypatch):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    busy = sqlalchemy.exc.OperationalError("CREATE", {}, Exception("database is locked"))
    errors, real = [busy] * times, optuna.storages.RDBStorage

    class Locked(real):
        def __init__(self, *values, **named):
            if errors:
                raise errors.pop()
            super().__init__(*values, **named)

    monkeypatch.setattr(optuna.storages, "RDBStorage", Locked)
    monkeypatch.setattr(studies, "_PAUSE", 0)
    refused = pytest.raises(ValueError, match=r"can be opened, got .*: database is locked")
    with nullcontext() if times == 1 else refused:
        assert len(look(data, storage=f"sqlite:///{tmp_path}/s.db", trials=1)) == 1


@pytest.mark.parametrize("content", [b"hello\n", b'{"a": 1}\n{"a": 2}\n', b"3\n", b"\xff\x00"])
def test_a_foreign_file_is_no_journal(content, tmp_path, data):
    path = tmp_path / "s.log"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="storage must be a new file or a journal of Optuna's"):
        look(data, storage=path)
    assert path.read_bytes() == content


def test_a_study_of_the_other_direction_is_refused(tmp_path, data):
    with studies.quiet():
        storage = studies.open_storage(tmp_path / "s.log")
        optuna.create_study(storage=storage, study_name="theirs", direction="minimize")
    with pytest.raises(ValueError, match="study 'theirs' must maximize, got one that does not"):
        look(data, storage=storage, study_name="theirs")


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_without_a_file_is_no_storage(address, data):
    with pytest.raises(ValueError, match="storage must be a database in a file or on a server"):
        look(data, storage=address)


def test_a_storage_has_no_heartbeat_of_its_own(tmp_path, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/s.db", heartbeat_interval=60)
    with pytest.raises(ValueError, match="storage must have no heartbeat of its own"):
        look(data, storage=storage)


def test_a_study_that_no_search_made_is_refused(tmp_path, data):
    with studies.quiet():
        storage = studies.open_storage(tmp_path / "s.log")
        study = optuna.create_study(storage=storage, study_name="theirs", direction="maximize")
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(ValueError, match="study 'theirs' must be one that a search made"):
        look(data, storage=storage, study_name="theirs")


OTHER = """
    import os, sys, signal
    sys.path.insert(0, {tests!r})
    import nnlearn as nn
    from nnlearn.searching import studies
    from searches import DATA, look
    {before}
    found = look(DATA, storage={storage!r}, {settings})
    print(len(found), end="")
"""


def other_process(storage, settings, before=""):
    tests = os.path.dirname(__file__)
    values = {"tests": tests, "storage": str(storage), "settings": settings, "before": before}
    return textwrap.dedent(OTHER.format(**values))


def test_two_processes_share_a_study(storage, data):
    text = other_process(storage, 'method="grid", trials=8, epochs=1, prune=False')
    command = [sys.executable, "-W", "error", "-c", text]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        look(data, storage=storage, method="grid", trials=8, epochs=1, prune=False)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    whole = look(data, storage=storage, method="grid", trials=100, epochs=1, prune=False)
    assert {t.state for t in whole.trials} == {"complete"}
    assert len({str(settings) for settings in tried(whole)}) == 16
    assert len(whole) >= 16, "both may take the same point"
    assert [t.number for t in whole.trials] == list(range(len(whole)))


def test_a_killed_process_costs_its_trial_alone(storage, data, monkeypatch):
    for name in ("BEAT", "GRACE"):
        monkeypatch.setattr(studies, name, 1)
    die = "lambda net, history: os.kill(os.getpid(), signal.SIGKILL)"
    before = "studies.BEAT = studies.GRACE = 1"
    text = other_process(storage, f"callbacks={die}", before)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    is_database = "sqlite" in str(storage)
    if is_database:
        time.sleep(2.5)  # its signs of life have whole seconds
    found = look(data, storage=storage, trials=3)
    dead, *rest = (t.state for t in found.trials)
    assert dead == ("interrupted" if is_database else "running")
    assert set(rest) == {"complete"}
    assert len(rest) == 3
