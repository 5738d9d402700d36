"""Studies in a storage: continued, shared by processes, refused where they contradict."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import pytest
from searches import DATA, SPACE, look, tried

import nnlearn as nn
from nnlearn import _studies

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


def test_a_study_of_the_other_direction_is_refused(tmp_path, data):
    with _studies.quiet():
        storage = _studies.open_storage(tmp_path / "s.log")
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
    with _studies.quiet():
        storage = _studies.open_storage(tmp_path / "s.log")
        study = optuna.create_study(storage=storage, study_name="theirs", direction="maximize")
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(ValueError, match="study 'theirs' must be one that a search made"):
        look(data, storage=storage, study_name="theirs")


OTHER = """
    import os, sys, signal
    sys.path.insert(0, {tests!r})
    import nnlearn as nn
    from nnlearn import _studies
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
    assert 16 <= len(whole) <= 17, "at most once both took the same point"
    assert [t.number for t in whole.trials] == list(range(len(whole)))


def test_a_killed_process_costs_its_trial_alone(storage, data, monkeypatch):
    for name in ("BEAT", "GRACE"):
        monkeypatch.setattr(_studies, name, 1)
    die = "lambda net, history: os.kill(os.getpid(), signal.SIGKILL)"
    before = "_studies.BEAT = _studies.GRACE = 1"
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
