"""Several networks that answer together: by the mean of their outputs, or by a vote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from nnlearn import _arrays, _checks
from nnlearn._assess import names_of
from nnlearn._core_data import inputs_alone, labelled, look
from nnlearn._foreign import hints
from nnlearn._measures import (
    PROBABILITIES,
    Array,
    Classes,
    Floats,
    Numbers,
    check_probabilities,
    probabilities,
)
from nnlearn._together import Answers, Together, ballot, logarithms, losses_of, scores_of
from nnlearn.costs import check_cost, check_pair
from nnlearn.evaluation import Evaluation, evaluation_of
from nnlearn.network import Network
from nnlearn.tables import count


@hints(estimators="use networks=", voting="use vote=True or False")
class Ensemble:
    """Networks that answer together, each as it stands whenever it is asked.

    ::

        a = (1/K) sum_k a_k                K networks with outputs a_k

    Parameters
    ----------
    networks : iterable of Network
        One or more. They may differ in hidden layers, cost and precision; inputs, number and kind
        of the outputs must agree. They are not copied: training one later changes the answers.
    vote : bool, default False
        False: the class is that of the mean output. True: the class that most networks predict;
        of those with equally many votes the one with the largest mean output, of these the first.

    Raises
    ------
    TypeError
        If `networks` holds anything but networks.
    ValueError
        If there is none, if their inputs or outputs do not agree, or if networks of regression,
        which have no classes, are to vote.

    See Also
    --------
    compare : Trains networks that differ in their seed alone.

    Notes
    -----
    ``len(ensemble)`` is the number of networks, ``ensemble[k]`` one of them. What it answers is
    worked out in double, network by network, and takes a few arrays (n, n_outputs).

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 6, on the vote of five networks.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(500)
    >>> runs = nn.compare({"one": {}}, digits, hidden=(10,), epochs=2, learning_rate=0.5)
    >>> ensemble = nn.Ensemble(run.network for run in runs["one"])
    >>> ensemble
    Ensemble of 3 networks by mean: 784 inputs, 10 sigmoid outputs
    >>> mean = sum(net.forward(digits.test) for net in ensemble) / 3
    >>> bool(abs(ensemble.forward(digits.test) - mean).max() < 1e-6)
    True
    """

    def __init__(self, networks: Iterable[Network], vote: bool = False) -> None:
        self._networks = _checked(networks)
        self._vote = _checks.boolean("vote", vote)
        if vote and self._networks[0]._architecture.is_regression:
            got = f"{self._networks[0]._architecture.output} outputs of regression"
            requirement = "tell classes apart to vote"
            raise ValueError(_checks.message("networks", requirement, got, "leave out vote"))

    # ---- what it is -----------------------------------------------------------------------------

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks, in the order given."""
        return self._networks

    @property
    def vote(self) -> bool:
        """Whether the class is voted on."""
        return self._vote

    @property
    def cost(self) -> str:
        """The cost function of `loss` and `evaluate`: that of the first network."""
        return self._networks[0].cost

    @property
    def n_inputs(self) -> int:
        """Columns of x."""
        return self._networks[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Units of the last layer of each network."""
        return self._networks[0].n_outputs

    def __len__(self) -> int:
        return len(self._networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self._networks)

    def __getitem__(self, k: int) -> Network:
        return self._networks[k]

    def __repr__(self) -> str:
        how = "vote" if self.vote else "mean"
        outputs = f"{count(self.n_outputs, f'{self._kind} output')}"
        inputs = count(self.n_inputs, "input")
        return f"Ensemble of {count(len(self), 'network')} by {how}: {inputs}, {outputs}"

    # ---- what it answers ------------------------------------------------------------------------

    def forward(self, x: Any) -> Floats:
        """The mean of the networks' outputs for x, also where they vote.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs)
            As `Network.forward` takes it. A Split stands for its x.

        Returns
        -------
        ndarray of float64, shape (n, n_outputs)

        Raises
        ------
        TypeError, ValueError
            As `Network.forward`.
        """
        return self._together(x).mean

    def predict(self, x: Any) -> Array:
        """The class of each row of x, by mean or by vote; for regression the mean outputs.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs)
            As `forward` takes it.

        Returns
        -------
        ndarray
            int64 (n,); for regression floats (n, n_outputs), and (n,) with one output.

        Raises
        ------
        TypeError, ValueError
            As `forward`.
        """
        found = self._together(x)
        if self._is_regression:
            return found.mean[:, 0] if self.n_outputs == 1 else found.mean
        return found.predicted()

    def predict_proba(self, x: Any) -> Floats:
        """Probabilities of the classes, from the mean output as `Network.predict_proba` has them.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs)
            As `forward` takes it.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If the networks vote, or their outputs are no probabilities.
        TypeError, ValueError
            As `forward`.
        """
        check_probabilities(self._kind, "the networks")
        if self.vote:
            requirement = "take the mean of its networks to give probabilities"
            raise ValueError(_checks.message("the ensemble", requirement, "vote=True"))
        return probabilities(self.forward(x), self._kind)

    def accuracy(self, x: Any, y: Any = None) -> float:
        """The share of rows whose class is predicted right, in [0, 1].

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            As `Network.accuracy` takes it.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For regression.
        TypeError, ValueError
            If x or y do not fit, or there are no rows.
        """
        if self._is_regression:
            requirement = "tell classes apart to have an accuracy"
            got = f"{self._kind} outputs of regression"
            raise ValueError(_checks.message("the networks", requirement, got, "use loss"))
        rows, answers = self._read(x, y, self.cost)
        return int(np.sum(self._together(rows).predicted() == answers.true)) / len(answers.true)

    def loss(self, x: Any, y: Any = None, *, cost: str | None = None) -> float:
        """The loss of the mean output: ``(1/n) sum_i c(a_i, y_i)``, also where networks vote.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,) or targets (n, n_outputs).
        cost : str, optional
            A cost function that goes with the outputs; None: that of the first network.

        Returns
        -------
        float
            For a convex cost never more than the mean of the networks' losses.

        Raises
        ------
        TypeError, ValueError
            If x or y do not fit, there are no rows, or the cost does not go with the outputs.
        """
        cost = self.cost if cost is None else check_cost(cost)
        check_pair(cost, self._kind, self.n_outputs)
        rows, answers = self._read(x, y, cost)
        return float(losses_of(cost, self._together(rows, answers, cost), answers.targets).mean())

    def evaluate(self, x: Any, y: Any = None) -> Evaluation:
        """How the networks do together, as `Network.evaluate` has it for one.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,) or targets (n, n_outputs).

        Returns
        -------
        Evaluation
            Its losses are those of the mean output. Where networks vote, classes stand in the
            order of their votes, and there are no probabilities.

        Raises
        ------
        TypeError, ValueError
            If x or y do not fit, or there are no rows.

        Examples
        --------
        >>> import nnlearn as nn
        >>> x, y = [[0.0], [1.0], [2.0]], [0, 1, 2]
        >>> nets = [nn.Network([1, 8, 3], seed=seed) for seed in range(5)]
        >>> for net in nets:
        ...     history = net.fit(x, y, epochs=100, learning_rate=2.0)
        >>> nn.Ensemble(nets, vote=True).evaluate(x, y).confusion
        array([[1, 0, 0],
               [0, 1, 0],
               [0, 0, 1]])
        """
        cost = self.cost
        rows, answers = self._read(x, y, cost)
        found = self._together(rows, answers, cost)
        losses = losses_of(cost, found, answers.targets)
        if self._is_regression:
            return evaluation_of(cost, losses, Numbers(found.mean, answers.targets))
        true, predicted, rank = answers.true, found.predicted(), found.rank_of(answers.true)
        kind, confidence, probability = "a vote" if self.vote else self._kind, None, None
        if kind in PROBABILITIES:
            p, at = probabilities(found.mean, kind), np.arange(len(true))
            confidence, probability = p[at, predicted], p[at, true]
        n_classes = self._networks[0]._architecture.n_classes
        classes = Classes(n_classes, predicted, true, rank, confidence, probability, kind)
        return evaluation_of(cost, losses, classes, names_of(x))

    # ---- how it comes to its answer -------------------------------------------------------------

    @property
    def _kind(self) -> str:
        """The activation of the outputs."""
        return self._networks[0]._architecture.output

    @property
    def _is_regression(self) -> bool:
        return self._networks[0]._architecture.is_regression

    def _read(self, x: Any, y: Any, cost: str) -> tuple[Any, Answers]:
        """The rows of x, and what should come of them."""
        x, y = _arrays.unpack(x, y)
        net = self._networks[0]
        a = net._architecture
        rows = _arrays.inputs(x, a, net.dtype)
        parts = _arrays.answers(y, rows, a, np.dtype(np.float64), cost, ("x", "y"))
        return rows, Answers.of(parts, y, self.n_outputs, self._kind)

    def _together(self, x: Any, answers: Answers | None = None, cost: str = "") -> Together:
        """All networks' outputs for x: their mean, the votes, and where the cost needs them logs.

        The answers and the cost are given where losses will be asked for.
        """
        total, votes, logs = None, None, None
        for net in self._networks:
            a, z = _outputs(net, x, answers, cost)
            total = a.astype(np.float64) if total is None else np.add(total, a, out=total)
            if self.vote:
                cast = ballot(scores_of(a, self._kind))
                votes = cast if votes is None else np.add(votes, cast, out=votes)
            if z is not None:
                parts = logarithms(z.astype(np.float64), cost)
                logs = parts if logs is None else np.logaddexp(logs, parts, out=logs)
        assert total is not None
        if logs is not None:
            logs -= np.log(len(self))
        return Together(total / len(self), votes, logs, self._kind)


def _checked(networks: Any) -> tuple[Network, ...]:
    """The networks, which must agree in what goes in and comes out."""
    requirement = "be a list of networks"
    if isinstance(networks, (str, bytes, Network)) or not isinstance(networks, Iterable):
        _checks.fail(TypeError, "networks", requirement, networks)
    nets = tuple(networks)
    if not nets:
        _checks.fail(ValueError, "networks", "hold at least one network", networks)
    for k, net in enumerate(nets):
        if not isinstance(net, Network):
            hint = ".network is the one of a Run" if hasattr(net, "network") else None
            _checks.fail(TypeError, f"networks[{k}]", "be a Network", net, hint)
        for wanted, got in zip(_interface(nets[0]), _interface(net), strict=True):
            if got != wanted:
                requirement = f"have {wanted}, as networks[0]"
                raise ValueError(_checks.message(f"networks[{k}]", requirement, got))
    return nets


def _interface(net: Network) -> tuple[str, str]:
    """What the networks of an ensemble share, in words."""
    a = net._architecture
    outputs = count(a.n_outputs, f"{a.output} output")
    return count(a.n_inputs, "input"), outputs + (" of regression" if a.is_regression else "")


def _outputs(net: Network, x: Any, answers: Answers | None, cost: str) -> tuple[Array, Any]:
    """The outputs of one network, and where the cost works on them their weighted inputs."""
    if answers is None or cost not in ("cross_entropy", "log_likelihood"):
        data = inputs_alone(net, x)
        a = np.empty((data.n_rows, net.n_outputs), net.dtype)
        look(net, net._core.forward, data, a)
        return a, None
    data = labelled(net, x, answers.given, cost=cost)
    a, z = (np.empty((data.n_rows, net.n_outputs), net.dtype) for _ in range(2))
    look(net, net._core.assess, data, *[None] * 6, z, a)
    return a, z
