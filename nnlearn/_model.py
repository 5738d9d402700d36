"""What a network is, and what it answers about data: outputs, classes, measures, gradients."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core, _network_view
from nnlearn._assess import evaluate
from nnlearn._core_data import inputs_alone, labelled, look
from nnlearn._measures import check_probabilities, probabilities
from nnlearn.architecture import Architecture
from nnlearn.costs import check_cost, check_pair
from nnlearn.evaluation import Evaluation
from nnlearn.history import History
from nnlearn.inspection import Inspection
from nnlearn.parameters import ParameterList, Parameters
from nnlearn.tables import Table

if TYPE_CHECKING:
    from nnlearn.layers import Layer

Array = npt.NDArray[Any]


class Model:
    """A network as it stands: nothing here changes it. `Network` adds the rest."""

    history: History
    _architecture: Architecture
    _core: _core.Network
    _core_module: ModuleType  # of its precision
    _dtype: np.dtype[Any]
    _input_scale: float | None  # 255 once trained on uint8
    _names: list[str]  # of the parameters
    _seed: int

    # ---- what it is ---------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers after the inputs, complete."""
        return self._architecture.layers

    @property
    def cost(self) -> str:
        """The name of the cost function."""
        return self._architecture.cost

    @property
    def seed(self) -> int:
        """What repeats the network's life: of start values, mini-batches and dropout."""
        return self._seed

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision, float32 or float64."""
        return self._dtype

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self._architecture.input_shape

    @property
    def n_inputs(self) -> int:
        """Columns of x."""
        return self._architecture.n_inputs

    @property
    def n_outputs(self) -> int:
        """Units of the last layer."""
        return self._architecture.n_outputs

    @property
    def n_parameters(self) -> int:
        """Weights and biases together."""
        return sum(array.size for array in self._core.parameters())

    @property
    def parameters(self) -> Parameters:
        """Every parameter by name, as a view."""
        return Parameters(self._names, self._core.parameters())

    @property
    def weights(self) -> ParameterList:
        """The weights (n_in, n_out) of each layer that has them, as views."""
        return ParameterList("weights", self._core.parameters()[0::2])

    @property
    def biases(self) -> ParameterList:
        """The biases (n_out,) of each layer that has them, as views."""
        return ParameterList("biases", self._core.parameters()[1::2])

    def summary(self) -> Table:
        """The layers, their output shapes and numbers of parameters, as a table."""
        return _network_view.table(self)

    def __repr__(self) -> str:
        return _network_view.line(self)

    def _repr_html_(self) -> str:
        return _network_view.html(self)

    # ---- what it answers ------------------------------------------------------------------------

    def forward(self, x: Any) -> Array:
        """The outputs for x, without dropout.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs)
            float32, float64 and uint8 (i stands for i/255) are read in place. (n,) for one input
            and (n, height, width) are taken too; SciPy's sparse matrices, as CSR, never become
            dense. A Split stands for its x.

        Returns
        -------
        ndarray, shape (n, n_outputs)
            a of the last layer, in the network's precision.

        Raises
        ------
        TypeError, ValueError
            If x holds no real numbers, does not fit, or has NaN or infinity.

        Examples
        --------
        >>> import nnlearn as nn
        >>> nn.Network([2, 3, 1], init="zeros").forward([[1.0, 2.0]])
        array([[0.5]], dtype=float32)
        """
        data = inputs_alone(self, x)
        out = np.empty((data.n_rows, self.n_outputs), self.dtype)
        look(self, self._core.forward, data, out)
        return out

    def predict(self, x: Any) -> Array:
        """The class of each row of x; for regression the outputs.

        With several outputs the first largest; with one, 1 where a >= 0.5 (tanh: a >= 0), else 0.

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
        if self._architecture.is_regression:
            outputs = self.forward(x)
            return outputs[:, 0] if self.n_outputs == 1 else outputs
        return self._classes(x, False)

    def _classes(self, x: Any, heeds_stop: bool) -> Array:
        data = inputs_alone(self, x)
        classes = np.empty(data.n_rows, np.int64)
        look(self, self._core.predict, data, classes, heeds_stop)
        return classes

    def _predict_in_claim(self, x: Any) -> Array:
        """Classes as of `predict`, ended by stop() as a fit is."""
        return self._core.claimed(lambda: self._classes(x, True), lambda: None)

    def predict_proba(self, x: Any) -> Array:
        """Probabilities of the classes.

        Softmax outputs as they are; one sigmoid output a as (1 - a, a); several sigmoids as
        a / sum a.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs)
            As `forward` takes it.

        Returns
        -------
        ndarray, shape (n, n_classes)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If the outputs are no probabilities: hinge, tanh, relu, regression.
        TypeError, ValueError
            As `forward`.
        """
        output = self._architecture.output
        check_probabilities(output)
        return probabilities(self.forward(x), output)

    def accuracy(self, x: Any, y: Any = None) -> float:
        """The share of rows whose class is predicted right, in [0, 1].

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,), or targets (n, n_outputs): then the largest output is held against the
            largest target (one output: both sides >= 0.5, tanh >= 0).

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For regression, which has no classes.
        TypeError, ValueError
            If x or y do not fit, or there are no rows.
        """
        if self._architecture.is_regression:
            requirement = "tell classes apart to have an accuracy"
            got, hint = f"{self._architecture.output} outputs of regression", "use loss"
            raise ValueError(_checks.message("the network", requirement, got, hint))
        return look(self, self._core.evaluate, labelled(self, x, y), self.cost)[1]

    def loss(self, x: Any, y: Any = None, *, cost: str | None = None) -> float:
        """The data term of the cost: ``(1/n) sum_i c(a_i, y_i)``, in nats.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,) or targets (n, n_outputs).
        cost : str, optional
            Another cost function that goes with the outputs; None: the network's.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If x or y do not fit, there are no rows, or the cost does not go with the outputs.
        """
        cost = self.cost if cost is None else check_cost(cost)
        check_pair(cost, self._architecture.output, self.n_outputs)
        return look(self, self._core.evaluate, labelled(self, x, y, cost=cost), cost)[0]

    def evaluate(self, x: Any, y: Any = None) -> Evaluation:
        """How the network does on data, by class and sample by sample, from one pass over it.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,) or targets (n, n_outputs).

        Returns
        -------
        Evaluation
            Loss, accuracy, confusion table, precision and recall, top-k accuracy, the samples of
            largest loss, calibration; for regression errors of each output.

        Raises
        ------
        TypeError, ValueError
            If x or y do not fit, or there are no rows.

        See Also
        --------
        accuracy, loss : One number each.
        Ensemble.evaluate : The same for several networks together.

        Examples
        --------
        >>> import nnlearn as nn
        >>> xor = nn.datasets.xor()
        >>> net = nn.Network([2, 4, 1], seed=3)
        >>> _ = net.fit(xor, epochs=300, learning_rate=2.0, momentum=0.9)
        >>> net.evaluate(xor).confusion
        array([[2, 0],
               [0, 2]])
        """
        return evaluate(self, x, y)

    def cost_and_gradient(
        self,
        x: Any,
        y: Any = None,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        n: float | None = None,
        penalize_biases: bool = False,
        sample_weight: Any = None,
        training: bool = False,
        seed: int = 0,
    ) -> tuple[float, Parameters]:
        """Cost over all rows, and its gradient.

        ::

            cost = (1/m) sum_i w_i c(a_i, y_i) + (l1/n) sum |W| + (l2/2n) sum W^2      m rows
            g    = dcost/dW,   sgn(0) = 0

        Parameters
        ----------
        x : array_like, shape (m, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (m,) or targets (m, n_outputs).
        l1, l2 : float, default 0.0
            Penalties, >= 0.
        n : float, optional
            What the penalties are divided by; None: the rows given.
        penalize_biases : bool, default False
            Whether the penalties count the biases too.
        sample_weight : array_like, shape (m,), optional
            w, finite and >= 0; 1 by default.
        training : bool, default False
            Whether dropout drops, with the masks that `seed` gives at step 0.
        seed : int, default 0
            Of those masks.

        Returns
        -------
        cost : float
        gradient : mapping of str to ndarray
            Like `parameters`.

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit.

        Examples
        --------
        >>> import nnlearn as nn
        >>> net = nn.Network([1, 1], init="zeros", dtype="float64")
        >>> cost, gradient = net.cost_and_gradient([[2.0]], [0])
        >>> gradient["dense1.weight"], gradient["dense1.bias"]
        (array([[1.]]), array([0.5]))
        """
        data = labelled(self, x, y, sample_weight=sample_weight)
        cost, arrays = look(
            self,
            self._core.gradient,
            data,
            l1=_checks.real("l1", l1, minimum=0.0),
            l2=_checks.real("l2", l2, minimum=0.0),
            n=float(data.n_rows) if n is None else _checks.real("n", n, above=0.0),
            penalize_biases=_checks.boolean("penalize_biases", penalize_biases),
            training=_checks.boolean("training", training),
            seed=_checks.seed(seed),
        )
        return cost, Parameters(self._names, arrays)

    def inspect(self, x: Any, y: Any = None) -> Inspection:
        """What happens inside, sample by sample, without dropout.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it.
        y : array_like, optional
            Labels (n,) or targets (n, n_outputs).

        Returns
        -------
        Inspection
            z, a, delta, saturated for each layer with weights.

        Raises
        ------
        TypeError, ValueError
            If x or y do not fit, or there are no rows.
        """
        data = labelled(self, x, y)
        n, sizes = data.n_rows, [array.shape for array in self._core.parameters()[0::2]]
        z = [np.empty((n, n_out), self.dtype) for _, n_out in sizes]
        delta = [np.empty((n, n_out), self.dtype) for _, n_out in sizes]
        a = [np.empty((n, n_in), self.dtype) for n_in, _ in sizes]
        a.append(np.empty((n, self.n_outputs), self.dtype))
        look(self, self._core.inspect, data, z, a, delta)
        functions = [self._architecture.activation_after(i) for i in range(len(sizes))]
        return Inspection(tuple(z), tuple(a), tuple(delta), tuple(functions))

    def explain(self, x: Any, batch_size: int = 10, *, augment: Any = None) -> str:
        """Which path training takes through each layer for this data, and why, in words.

        Whether the first layer works on the nonzeros of x alone; for each Dense layer whether its
        products run in loops of the core's own or in BLIS; whether threads share a step; each with
        the numbers that decided it. Results differ between paths by rounding alone.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            As `forward` takes it, a SciPy matrix too.
        batch_size : int, default 10
            Rows a step, >= 1; more than n is one batch.
        augment : augment.Augmentation, optional
            As `fit` takes it.

        Returns
        -------
        str
            Lines: the batch, the kernels of this CPU, x, threads, then a line a Dense layer.

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit, or there are no rows.

        See Also
        --------
        fit : Its `sparse` overrules the choice for the first layer.

        Notes
        -----
        The paths are those the core decides on, asked for and not worked out anew. A sparse form
        that is made on the way is kept for the next fit of the same numbers.

        Examples
        --------
        >>> import nnlearn as nn
        >>> net = nn.Network([4, 10, 3])
        >>> print(net.explain([[0.0, 1.0, 2.0, 3.0]] * 20).splitlines()[-2])
        dense1 (4 -> 10): own loops, as 10 rows are few (up to 32)
        """
        from nnlearn._explain import explain

        batch_size = _checks.integer("batch_size", batch_size, minimum=1)
        return explain(self, x, batch_size, augment)
