"""Objective, as Optuna's and hyperopt's own loops take it."""

import numpy as np
import pytest
from searches import DATA, LINES, SPACE

import nnlearn as nn
from nnlearn.searching import studies

optuna = pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def data():
    return DATA


@pytest.fixture(scope="module")
def lines():
    return LINES


BOTH = {
    "learning_rate": nn.when("cost", "quadratic", nn.uniform(1, 2), nn.loguniform(0.1, 0.2)),
    "momentum": nn.when("cost", ["quadratic"], nn.uniform(0, 0.9)),
    "cost": ["quadratic", "cross_entropy"],
    "hidden": [(4,), [3, 3]],
    "batch_size": nn.integers(5, 9),
    "l2": nn.when("hidden", [(4,), [3, 3]], nn.loguniform(1e-6, 1e-5)),
}


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_optuna_takes_the_objective_in_the_direction_of_its_study(direction, data, lines):
    with studies.quiet():
        for some, space in ((data, SPACE), (lines, {"learning_rate": [0.01, 0.1]})):
            objective = nn.Objective(
                space, some, epochs=2, **({} if some is data else {"hidden": 4})
            )
            study = optuna.create_study(direction=direction, pruner=optuna.pruners.NopPruner())
            study.optimize(objective, n_trials=3)
            for trial in study.trials:
                measure = trial.user_attrs["values"][0]
                if direction != objective.direction:
                    measure = 1 - measure if some is data else -measure
                assert trial.value == measure
                assert trial.intermediate_values[2] == pytest.approx(measure)
                assert sorted(trial.intermediate_values) == [1, 2]


def test_the_objective_is_pruned_by_the_study(data):
    objective = nn.Objective(SPACE, data, epochs=5)
    bound = optuna.pruners.ThresholdPruner(upper=-1.0)
    with studies.quiet():
        study = optuna.create_study(pruner=bound)
        study.optimize(objective, n_trials=2)
    assert {t.state.name for t in study.trials} == {"PRUNED"}
    assert {t.user_attrs["epochs"] for t in study.trials} == {1}


def test_the_objective_takes_a_fixed_trial(data):
    objective = nn.Objective(SPACE, data, epochs=2)
    params = {"learning_rate": 0.5, "hidden": "(4,)", "batch_size": 10}
    value = objective(optuna.trial.FixedTrial(params))
    settings = {"learning_rate": 0.5, "hidden": (4,), "batch_size": 10.0}
    assert objective(settings)["loss"] == 1 - value


def test_the_objective_takes_a_mapping(data, lines):
    objective = nn.Objective(BOTH, data, epochs=1)
    settings = {"cost": "quadratic", "learning_rate": 1.5, "momentum": 0.5, "hidden": (4,)}
    settings |= {"batch_size": np.float64(6.0), "l2": 1e-5}
    answer = objective(settings)
    assert answer["status"] == "ok"
    assert answer["loss"] == 1 - answer["values"][0]
    other = settings | {"cost": "cross_entropy", "learning_rate": 0.15}
    values = [objective(other | {"momentum": mu})["values"] for mu in (None, 0.0, 0.9)]
    assert values[0] == values[1] == values[2], "momentum is left out"
    with pytest.raises(ValueError, match="settings must give 'l2'"):
        objective({name: value for name, value in settings.items() if name != "l2"})
    with pytest.raises(ValueError, match=r"settings must be those of the space .*, got 'l1'"):
        objective(settings | {"l1": 0.5})
    with pytest.raises(ValueError, match=r"learning_rate: value must be from 1.0 to 2.0, got 500"):
        objective(settings | {"learning_rate": 500})
    with pytest.raises(TypeError, match=r"trial must be a trial of Optuna's or a mapping .* got 5"):
        objective(5)
    loss = nn.Objective({"learning_rate": [0.01]}, lines, hidden=3, epochs=1)
    answer = loss({"learning_rate": 0.01})
    assert answer["loss"] == answer["values"][0]


def test_a_value_that_is_nan_makes_the_worst():
    far = (np.full((4, 2), 3e38), np.zeros(4))
    space = {"learning_rate": [1e-6]}
    layers = [2, nn.Dense(200, activation="relu"), nn.Dense(1, activation="linear")]
    objective = nn.Objective(space, nn.Dataset(LINES.train, far), layers=layers, epochs=1)
    answer = objective({"learning_rate": 1e-6})
    assert answer["loss"] == np.inf
    assert answer["diverged"] == "val_loss became NaN"


def test_an_error_of_a_callback_is_no_divergence(data):
    def callback(net, history):
        raise FloatingPointError("mine")

    objective = nn.Objective(SPACE, data, epochs=1, callbacks=callback)
    with pytest.raises(FloatingPointError, match="mine"):
        objective({"learning_rate": 0.5, "hidden": (4,), "batch_size": 10})


def test_hyperopt_takes_the_objective_and_its_space(data):
    hyperopt = pytest.importorskip("hyperopt")
    seen = []

    class Watched(nn.Objective):
        def _train(self, settings, *rest):
            seen.append(settings)
            return super()._train(settings, *rest)

    objective = Watched(BOTH, data, epochs=1)
    trials = hyperopt.Trials()
    hyperopt.fmin(
        objective,
        objective.hyperopt_space(),
        algo=hyperopt.tpe.suggest,
        max_evals=30,
        trials=trials,
        rstate=np.random.default_rng(0),
        show_progressbar=False,
    )
    assert len(seen) == len(trials) == 30
    assert min(trials.losses()) == trials.best_trial["result"]["loss"]
    assert {str(s["hidden"]) for s in seen} == {"(4,)", "[3, 3]"}
    assert {s["batch_size"] for s in seen} == {5, 6, 7, 8, 9}
    assert {type(s["batch_size"]) for s in seen} == {int}
    for settings, trial in zip(seen, trials.trials, strict=True):
        quadratic = settings["cost"] == "quadratic"
        assert ("momentum" in settings) == quadratic
        low, high = (1, 2) if quadratic else (0.1, 0.2)
        assert low <= settings["learning_rate"] <= high
        # hyperopt knows what was left out, and does not learn from it.
        assert bool(trial["misc"]["vals"]["momentum"]) == quadratic
