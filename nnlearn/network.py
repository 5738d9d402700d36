"""The network: layers, parameters, and all that is asked of them."""

from __future__ import annotations

import copy as copying
import os
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from nnlearn import _arrays, _checks, _core, _sparse, training
from nnlearn._shared import SharedData
from nnlearn._views import layer_rows, of_network
from nnlearn.architecture import Architecture, resolve
from nnlearn.config import default_threads
from nnlearn.costs import check_cost, check_pair
from nnlearn.history import History
from nnlearn.inspection import Inspection
from nnlearn.layers import core_layer
from nnlearn.parameters import ParameterList, Parameters
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from nnlearn.layers import Layer

Array = npt.NDArray[Any]

T = TypeVar("T")


class Network:
    """A feed-forward network, trained by `fit`.

    ::

        a_0 = x ;   z_l = a_(l-1) W_l + b_l ;   a_l = f_l(z_l)
        cost = (1/n) sum_i w_i c(a_i, y_i) + (l1/n) sum |W| + (l2/2n) sum W^2

    Parameters
    ----------
    layers : list
        The input shape (an int or a tuple), then the layers: an int n stands for
        ``Dense(n)`` with `activation`; or `Dense`, `Activation`, `Dropout` objects. An int as last
        layer takes its activation from the cost.
    cost : {None, "quadratic", "cross_entropy", "log_likelihood", "hinge"}, default None
        The cost function. None: that of the last layer's activation (sigmoid: cross_entropy,
        softmax: log_likelihood, else quadratic).
    activation : {"sigmoid", "tanh", "relu", "linear"}, default "sigmoid"
        Of hidden layers that name none.
    init : {"scaled", "large", "xavier", "he", "zeros"} or float, default "scaled"
        Start values: "scaled" W ~ N(0, 1/n_in), b ~ N(0, 1); "large" W, b ~ N(0, 1); "xavier"
        W ~ N(0, 2/(n_in + n_out)), b = 0; "he" W ~ N(0, 2/n_in), b = 0; a number s W ~ N(0, s^2),
        b = 0.
    dropout : float, default 0.0
        Probability of dropping a unit, in [0, 1): `Dropout` after every hidden Dense layer, unless
        one follows it anyway.
    dtype : {"float32", "float64"}, default "float32"
        Precision of the parameters and of all arithmetic.
    seed : int, optional
        Of start values, mini-batches and dropout, in [0, 2^64). None draws one; ``net.seed`` tells
        it and repeats the run.
    n_threads : int, optional
        How many threads may share a long training step or a large block of an evaluation. None:
        NNLEARN_NUM_THREADS, else BLIS_NUM_THREADS, else OMP_NUM_THREADS, else the cores that this
        process may use. Short steps stay in one thread. The number changes no result, not in the
        last bit.

    Attributes
    ----------
    layers : tuple of Dense, Activation, Dropout
        The layers after the inputs, complete with activation and initialisation.
    weights, biases : sequence of ndarray
        Views into the core, (n_in, n_out) and (n_out,), one for each layer that has them. Writing
        into them, or assigning an item, changes the network. They stay valid without it.
    parameters : mapping of str to ndarray
        The same views by name: "dense1.weight", "dense1.bias", ...
    history : History
        All epochs of the network's life.
    cost, seed, dtype, n_threads, input_shape, n_inputs, n_outputs, n_parameters
        As their names say.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range, or the cost does not go with the
        outputs. See `nnlearn.costs.PAIRS`.

    See Also
    --------
    compare : Many networks side by side.

    Notes
    -----
    Methods release the GIL while the core works. A fit claims the network: a second fit raises
    RuntimeError; reads from other threads wait for the epoch's end. Seeds name random numbers by
    their use, so that a Dropout layer more changes no start weight.

    Examples
    --------
    >>> import nnlearn as nn
    >>> net = nn.Network([2, 3, 1], seed=1)
    >>> net
    Network([2, Dense(3, sigmoid), Dense(1, sigmoid)], cost='cross_entropy', seed=1)
    >>> net.weights[0].shape, net.n_parameters
    ((2, 3), 13)
    """

    history: History

    def __init__(
        self,
        layers: Sequence[Any],
        *,
        cost: str | None = None,
        activation: str = "sigmoid",
        init: str | float = "scaled",
        dropout: float = 0.0,
        dtype: npt.DTypeLike = "float32",
        seed: int | None = None,
        n_threads: int | None = None,
    ) -> None:
        architecture = resolve(layers, cost=cost, activation=activation, init=init, dropout=dropout)
        kind, seed = _check_dtype(dtype), check_seed(seed)
        self._build(architecture, kind, seed, check_n_threads(n_threads))

    def _build(
        self, architecture: Architecture, dtype: np.dtype[Any], seed: int, n_threads: int | None
    ) -> None:
        """Make the core's network, with start weights, and what belongs to it here."""
        self._architecture = architecture
        self._dtype = dtype
        self._core_module = _core_of(dtype)
        self._core: _core.Network = _made(self._core_module, architecture, dtype, seed)
        self._names = self._core.names  # of the parameters
        self._trainer: _core.Trainer | None = None  # made by the first fit
        self._input_scale: float | None = None  # 255 once trained on uint8
        self._shared: SharedData | None = None  # for the next fit, beside others on the same data
        self._changes = 0  # of history and seed, for who copies them meanwhile
        self._seed = seed
        self._n_threads = n_threads
        self._use_threads(None)
        self.history = History(["epoch"])

    def _use_threads(self, n_threads: int | None) -> None:
        """Let the core share long work among so many threads; None: as the network says."""
        self._core.n_threads = n_threads or self._n_threads or default_threads()

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
    def n_threads(self) -> int | None:
        """As given: how many threads may share a long step."""
        return self._n_threads

    @n_threads.setter
    def n_threads(self, value: int | None) -> None:
        self._n_threads = check_n_threads(value)
        self._use_threads(None)

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
        rows = [
            (name if layer is None else _short(layer), shape, n)
            for name, layer, shape, n in layer_rows(self)
        ]
        title = f"cost {self.cost}, {self.dtype}, {self.n_parameters:,} parameters, "
        title += f"seed {self.seed}, {count(len(self.history), 'epoch')} trained"
        head = ["layer", "output shape", "parameters"]
        return Table(head, rows, title, formats={"parameters": ","})

    def __repr__(self) -> str:
        shape: Any = self.input_shape if len(self.input_shape) > 1 else self.n_inputs
        chain = ", ".join([str(shape), *map(_short, self.layers)])
        dtype = "" if self.dtype == np.float32 else f", dtype='{self.dtype}'"
        return f"Network([{chain}], cost={self.cost!r}{dtype}, seed={self.seed})"

    def _repr_html_(self) -> str:
        return of_network(self)

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
        data = self._data(x)
        out = np.empty((data.n_rows, self.n_outputs), self.dtype)
        self._look(self._core.forward, data, out)
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
        data = self._data(x)
        classes = np.empty(data.n_rows, np.int64)
        self._look(self._core.predict, data, classes, heeds_stop)
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
        if output not in ("sigmoid", "softmax"):
            requirement = "have sigmoid or softmax outputs to give probabilities"
            raise ValueError(_checks.message("the network", requirement, output))
        a = self.forward(x)
        if output == "softmax":
            return a
        if self.n_outputs == 1:
            return np.hstack([1 - a, a])
        total = a.sum(axis=1, keepdims=True)
        # Where every output has underflowed to 0 nothing is known: all classes alike.
        return np.where(total > 0, a, 1) / np.where(total > 0, total, self.n_outputs)

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
        return self._look(self._core.evaluate, self._labelled(x, y), self.cost)[1]

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
        return self._look(self._core.evaluate, self._labelled(x, y, cost=cost), cost)[0]

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
        data = self._labelled(x, y, sample_weight=sample_weight)
        cost, arrays = self._look(
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
        data = self._labelled(x, y)
        n, sizes = data.n_rows, [array.shape for array in self._core.parameters()[0::2]]
        z = [np.empty((n, n_out), self.dtype) for _, n_out in sizes]
        delta = [np.empty((n, n_out), self.dtype) for _, n_out in sizes]
        a = [np.empty((n, n_in), self.dtype) for n_in, _ in sizes]
        a.append(np.empty((n, self.n_outputs), self.dtype))
        self._look(self._core.inspect, data, z, a, delta)
        functions = [self._architecture.activation_after(i) for i in range(len(sizes))]
        return Inspection(tuple(z), tuple(a), tuple(delta), tuple(functions))

    def explain(self, x: Any, batch_size: int = 10) -> str:
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

        return explain(self, x, _checks.integer("batch_size", batch_size, minimum=1))

    # ---- training -----------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int | None = None,
        batch_size: int = 10,
        learning_rate: float | None = None,
        momentum: float = 0.0,
        optimizer: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        penalize_biases: bool = False,
        validation: Any = None,
        evaluate_train: bool = False,
        evaluate_first: bool = False,
        evaluate_every: int = 1,
        sample_weight: Any = None,
        sparse: bool | None = None,
        callbacks: Any = (),
        shuffle: bool = True,
        seed: int | None = None,
        reset_optimizer: bool = False,
        n_threads: int | None = None,
        verbose: int | None = None,
        **unknown: Any,
    ) -> History:
        """Train by mini-batch gradient descent.

        For each batch of m rows, with n rows in all::

            g = (1/m) sum_i w_i dc_i/dW + (l1/n) sgn(W) + (l2/n) W
            v <- mu v - eta g ;   W <- W + v

        A short last batch is averaged over its own length.

        Parameters
        ----------
        x : array_like, shape (n, n_inputs), or Split
            Inputs; float32, float64 and uint8 with contiguous columns are read in place and must
            not change during the fit. SciPy's sparse matrices are taken as CSR.
        y : array_like, optional
            Integer labels (n,), or targets (n, n_outputs).
        epochs : int, default 30
            Passes over the data, >= 0.
        batch_size : int, default 10
            Rows a step, >= 1; more than n is one batch.
        learning_rate : float
            eta > 0. This or an `optimizer` object must be given.
        momentum : float, default 0.0
            mu, in [0, 1).
        optimizer : SGD or str, optional
            An object, which stands alone, or a name beside `learning_rate`.
        l1, l2 : float, default 0.0
            Penalties, >= 0 and finite; divided by n.
        penalize_biases : bool, default False
            Whether penalties count the biases too.
        validation : Split, (x, y), float or mapping, optional
            Evaluated after each epoch: one set, a share of the data to hold out (by the seed,
            stratified for labels; x is copied for it), or several sets by name.
        evaluate_train : bool, default False
            Also evaluate the training data after each epoch.
        evaluate_first : bool, default False
            Also evaluate before training, into ``history.start``.
        evaluate_every : int, default 1
            Evaluate only every k-th epoch and the last; rows between hold NaN.
        sample_weight : array_like, shape (n,), optional
            w, finite and >= 0; 1 by default, never normalised.
        sparse : bool, optional
            Whether the first layer works on the nonzeros of x alone. None: where x has few enough
            and 65 columns or more. Either way gives the same but for rounding; True needs a Dense
            layer first.
        callbacks : function, Callback or a sequence of them, default ()
            Called between epochs; see `Callback`. True from on_epoch_end ends the fit.
        shuffle : bool, default True
            A new permutation each epoch; False takes the rows as they stand.
        seed : int, optional
            Of mini-batches, dropout and held-out rows; None: the network's. Counters go on over
            the network's life, so that fit(10) and then fit(20) equals fit(30), bit for bit.
        reset_optimizer : bool, default False
            Forget velocities of earlier fits first.
        n_threads : int, optional
            How many threads may share a long step of this fit; None: the network's.
        verbose : {None, 0, 1}, default None
            0 (or False) nothing, 1 (or True) progress, None progress in a terminal or notebook
            alone. On stderr.

        Returns
        -------
        History
            Of this fit; ``net.history`` has all.

        Raises
        ------
        TypeError, ValueError
            Before anything changes: an argument that does not fit, an unknown name.
        FloatingPointError
            The loss or a parameter became NaN or infinite: network, optimiser state and history
            are as after the last finite epoch.
        KeyboardInterrupt
            On Ctrl-C: weights as reached, history of whole epochs; the next fit begins the
            interrupted epoch anew.
        RuntimeError
            Another fit of this network is under way.

        See Also
        --------
        compare : Many networks side by side.

        Notes
        -----
        The loss of a row is the mean over its epoch, each sample as the network was at its step;
        with dropout, so are loss and accuracy. The GIL is released for each epoch.

        References
        ----------
        .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3.

        Examples
        --------
        >>> import nnlearn as nn
        >>> xor = nn.datasets.xor()
        >>> net = nn.Network([2, 4, 1], seed=3)
        >>> history = net.fit(xor, epochs=50, learning_rate=2.0, momentum=0.9)
        >>> net.accuracy(xor) > 0.9
        True
        """
        settings = training.Settings.checked(
            self,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            momentum=momentum,
            optimizer=optimizer,
            l1=l1,
            l2=l2,
            penalize_biases=penalize_biases,
            evaluate_train=evaluate_train,
            evaluate_first=evaluate_first,
            evaluate_every=evaluate_every,
            sparse=sparse,
            callbacks=callbacks,
            shuffle=shuffle,
            seed=seed,
            reset_optimizer=reset_optimizer,
            n_threads=n_threads,
            verbose=verbose,
            unknown=unknown,
        )
        return training.fit(self, x, y, validation, sample_weight, settings)

    def stop(self) -> None:
        """End the running fit quietly, before its next step; nothing happens when none runs.

        May be called from any thread and from a signal handler. The interrupted epoch leaves no
        row; the next fit begins it anew.
        """
        self._core.stop()

    def reset(self, seed: int | None = None) -> Network:
        """Draw the start weights anew and forget history and optimiser state.

        Parameters
        ----------
        seed : int, optional
            The new seed; None keeps the network's, which gives the very same start.

        Returns
        -------
        Network
            This network.

        Raises
        ------
        RuntimeError
            If a fit is under way.
        """
        seed = self.seed if seed is None else check_seed(seed)

        def begin_anew() -> None:
            self._core.initialize(seed)
            self._trainer, self._input_scale = None, None
            self._seed = seed
            self.history = History(["epoch"])
            self._changes += 1

        self._core.claimed(lambda: None, begin_anew)
        return self

    # ---- copies -------------------------------------------------------------------------------

    def copy(self) -> Network:
        """An independent copy: parameters, optimiser state, counters, seed and history."""
        return type(self)._restored(self.__getstate__(), self.dtype)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self.copy()

    def astype(self, dtype: npt.DTypeLike) -> Network:
        """A copy in another precision.

        Parameters
        ----------
        dtype : {"float32", "float64"}
            The precision.

        Returns
        -------
        Network
            Independent, also where the precision is the same.
        """
        return type(self)._restored(self.__getstate__(), _check_dtype(dtype))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network into one file, which `load` reads.

        Parameters, history, seed, counters and input scale are saved, with a checksum. The state
        of the optimiser is not (`copy` and pickle carry it), nor is the number of threads.

        Parameters
        ----------
        path : str or os.PathLike
            The file; ``.safetensors`` is the usual suffix. An existing file is replaced in one
            step: whatever happens, there is the old one or the new one, whole.

        Raises
        ------
        OSError
            If the file cannot be written; the old one is as it was.
        ValueError
            If a parameter is NaN or infinite, or `path` names a device.
        TypeError
            If `path` is no path.
        RuntimeError
            If called from within an epoch or an evaluation of this network, or in a process
            forked during one.

        See Also
        --------
        load : Reads the file.

        Notes
        -----
        Called from another thread during a fit it waits for the end of the epoch; between epochs,
        as in a callback, it saves the network as it is then. The epochs of a fit join the
        network's history when it ends.

        The format is safetensors: ``safetensors.numpy.load_file`` gives the arrays to other
        tools. A process that is killed while it saves leaves the file as it was, and a file
        ``.nnlearn-*.tmp`` beside it.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> import nnlearn as nn
        >>> net = nn.Network([2, 3, 1], seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(os.path.join(folder, "net.safetensors"))
        ...     again = nn.load(os.path.join(folder, "net.safetensors"))
        >>> np.array_equal(again.weights[0], net.weights[0])
        True
        """
        from nnlearn.files import save

        save(self, path)

    def __getstate__(self) -> dict[str, Any]:
        """All that makes the network, in arrays of its own: for pickle, copies and files.

        Parameters, counters and the optimiser's state are of one moment, the end of an epoch. The
        epochs of a running fit join the history at its end: until then it has fewer rows than the
        counters say, never more.
        """
        while True:
            changes = self._changes
            arrays, counters, optimizer = self._core.snapshot(self._trainer)
            state = {
                "architecture": self._architecture,
                "dtype": self.dtype.name,
                "seed": self.seed,
                "n_threads": self.n_threads,
                "input_scale": self._input_scale,
                "parameters": dict(zip(self._names, arrays, strict=True)),
                "counters": counters,
                "optimizer": optimizer,
                "history": copying.deepcopy(self.history),
            }
            if self._changes == changes:
                return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._restore(state, np.dtype(state["dtype"]))

    @classmethod
    def _restored(cls, state: dict[str, Any], dtype: np.dtype[Any]) -> Network:
        """The network that a state describes, as `__getstate__` gives it, in this precision."""
        net = cls.__new__(cls)
        net._restore(state, dtype)
        return net

    def _restore(self, state: dict[str, Any], dtype: np.dtype[Any]) -> None:
        """Become the network that a state describes, in this precision."""
        self._build(state["architecture"], dtype, state["seed"], state["n_threads"])
        self._input_scale = state["input_scale"]
        parameters = self.parameters
        for name, array in state["parameters"].items():
            parameters[name] = array
        self._core.counters = state["counters"]
        self.history = state["history"]
        if state["optimizer"] is not None:
            name, slots = state["optimizer"]
            self._trainer = self._core_module.Trainer(self._core)
            self._trainer.set_state(
                name, [s and [np.ascontiguousarray(part, dtype) for part in s] for s in slots]
            )

    # ---- data for the core ----------------------------------------------------------------------

    def _look(self, method: Callable[..., T], data: _core.Data, *args: Any, **settings: Any) -> T:
        """What a method of the core answers for guarded data, with a place in its complaint."""
        try:
            return method(data, *args, **settings)
        except self._core_module.NumberError:
            assert data.x is not None
            _arrays.check_scan(data.scan(False), data.x, self._input_scale, "x", False)
            raise  # the number is gone: x was changed meanwhile

    def _data(self, x: Any) -> _core.Data:
        """Inputs alone, checked."""
        x, _ = _arrays.unpack(x, None)
        rows = _arrays.inputs(x, self._architecture, self.dtype)
        return self._core_data(rows, {}, "x", self._input_scale, False, True, False)

    def _labelled(
        self,
        x: Any,
        y: Any,
        *,
        cost: str | None = None,
        sample_weight: Any = None,
        names: tuple[str, str] = ("x", "y"),
        scale: float | None = None,
        fit: bool = False,
        scan: bool = True,
        shared: SharedData | None = None,
        sparse: bool | None = False,
    ) -> _core.Data:
        """Inputs with labels or targets, checked.

        names: what messages call x and y; scale: 255 where the network is about to be trained on
        uint8; fit: x is to be trained on; scan: look for NaN and the scale of x, without `fit` and
        `sparse` not before `_look`; shared: where other networks may have made the same; sparse:
        whether the data gets the sparse form of x, None where it pays.
        """
        x, y = _arrays.unpack(x, y)
        scale = scale or self._input_scale
        a = self._architecture

        def make() -> _core.Data:
            rows = _arrays.inputs(x, a, self.dtype, names[0])
            parts = _arrays.answers(y, rows, a, self.dtype, cost or self.cost, names)
            parts["sample_weight"] = _arrays.weights(sample_weight, rows.shape[0], self.dtype)
            return self._core_data(rows, parts, names[0], scale, fit, scan, sparse)

        if shared is None or sample_weight is not None:
            return make()
        needs = (self.dtype, a.input_shape, a.n_outputs, a.output, cost or self.cost, scale, fit)
        return shared.get(x, y, (*needs, sparse), make)

    def _core_data(
        self,
        rows: Any,
        parts: dict[str, Any],
        name: str,
        scale: float | None,
        fit: bool,
        scan: bool,
        sparse: bool | None,
    ) -> _core.Data:
        """The core's data over an array or CSR, with its labels and the like; as `_labelled`."""
        core = self._core_module
        data: _core.Data
        if _sparse.is_sparse(rows):
            form = _sparse.of_csr(core, rows, name)
            # sparse=False is the caller's word in a fit, and the rule elsewhere
            written_out = fit and sparse is False
            data = core.Data(None, **parts, sparse=form, written_out=written_out)
            if scan:
                _arrays.check_scan(data.scan(), rows, scale, name, fit)
            return data
        if scan and not fit and sparse is False:  # looked at block by block, in `_look`
            data = core.Data(rows, **parts, most=_arrays.most(rows, scale))
            return data
        data = core.Data(rows, **parts)
        may_be_sparse = sparse or (
            sparse is None and _sparse.worth_a_look(rows, self._architecture)
        )
        may_be_sparse = bool(may_be_sparse)
        if not scan and not may_be_sparse:
            return data
        found = data.scan(may_be_sparse)
        if scan:
            _arrays.check_scan(found, rows, scale, name, fit)
        if may_be_sparse and (sparse or _sparse.worth_it(found[2], rows, self.dtype)):
            form = _sparse.forms.get(core, self.dtype, data, found)
            data = core.Data(rows, **parts, sparse=form)
        return data


def _made(
    core: ModuleType, architecture: Architecture, dtype: np.dtype[Any], seed: int
) -> _core.Network:
    """The core's network; MemoryError says how much it would have needed."""
    layers = [core_layer(layer) for layer in architecture.layers]
    try:
        net: _core.Network = core.Network(architecture.n_inputs, layers, architecture.cost, seed)
    except MemoryError:
        size = architecture.n_parameters * dtype.itemsize
        got = f"{architecture.n_parameters:,} parameters, which take {size / 1e9:,.1f} GB"
        raise MemoryError(_checks.message("layers", "fit into memory", got)) from None
    return net


def check_n_threads(value: Any) -> int | None:
    """A number of threads of the user's, or None."""
    return None if value is None else _checks.integer("n_threads", value, minimum=1)


def _core_of(dtype: np.dtype[Any]) -> ModuleType:
    """The compiled core of this precision; that of float64 is loaded when first needed."""
    if dtype == np.float32:
        return _core
    from nnlearn import _core64

    return _core64


def _check_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """The dtype that is meant; None, which NumPy takes for float64, is refused."""
    if dtype is None:
        _checks.fail(TypeError, "dtype", "be float32 or float64", dtype)
    try:
        kind = np.dtype(dtype)
    except TypeError:
        _checks.fail(TypeError, "dtype", "be float32 or float64", dtype)
    if kind not in (np.dtype("float32"), np.dtype("float64")):
        _checks.fail(ValueError, "dtype", "be float32 or float64", dtype)
    return kind.newbyteorder("=")


def check_seed(seed: Any) -> int:
    """A seed of the user's, or one drawn from the operating system for None."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "little")
    return _checks.seed(seed)


def _short(layer: Layer) -> str:
    """A layer in few words: ``Dense(30, sigmoid)``."""
    values = [str(v) for k, v in vars(layer).items() if k != "init" and v is not None]
    return f"{type(layer).__name__}({', '.join(values)})"
