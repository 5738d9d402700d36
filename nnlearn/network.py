"""The network: how it is made and trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core, training
from nnlearn._fit_settings import Settings
from nnlearn._foreign import hints
from nnlearn._shared import SharedData
from nnlearn._state import Stateful
from nnlearn.architecture import Architecture, resolve
from nnlearn.config import default_threads
from nnlearn.history import History
from nnlearn.layers import core_layer

_GIVEN_TO_FIT = "batch_size epochs l1 l2 learning_rate momentum optimizer".split()  # noqa: SIM905


@hints(
    dict.fromkeys(_GIVEN_TO_FIT, "it is given to fit"),
    hidden_layer_sizes="layers= has all sizes, from the inputs to the outputs",
    hidden="layers= has all sizes, from the inputs to the outputs",
    sizes="use layers=",
    loss="use cost=",
    kernel_initializer="use init=",
    random_state="use seed=",
    alpha="use l2= of fit",
)
class Network(Stateful):
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
        kind, seed = _checks.precision(dtype), check_seed(seed)
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
        self._run: training.Run | None = None  # the fit under way
        self._warns = True  # of classes that training never shows
        self._changes = 0  # of history and seed, for who copies them meanwhile
        self._seed = seed
        self._n_threads = n_threads
        self._use_threads(None)
        self.history = History(["epoch"])

    def _use_threads(self, n_threads: int | None) -> None:
        """Let the core share long work among so many threads; None: as the network says."""
        self._core.n_threads = n_threads or self._n_threads or default_threads()

    @property
    def n_threads(self) -> int | None:
        """As given: how many threads may share a long step."""
        return self._n_threads

    @n_threads.setter
    def n_threads(self, value: int | None) -> None:
        self._n_threads = check_n_threads(value)
        self._use_threads(None)

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
        class_weight: Any = None,
        sparse: bool | None = None,
        schedule: Any = None,
        early_stopping: Any = None,
        augment: Any = None,
        callbacks: Any = (),
        shuffle: bool = True,
        seed: int | None = None,
        reset_optimizer: bool = False,
        resume: Any = None,
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
        epochs : int, optional
            Passes over the data, >= 0. None: 30; 1,000 with `early_stopping` or DropOnPlateau;
            the schedule's own with Cosine and OneCycle.
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
        class_weight : {"balanced"} or mapping of int to float, optional
            A factor on w for each label; those that a mapping leaves out have 1. "balanced":
            n / (k n_c) for a label of n_c among n rows, k labels in all.
        sparse : bool, optional
            Whether the first layer works on the nonzeros of x alone. None: where x has few enough
            and 65 columns or more. Either way gives the same but for rounding; True needs a Dense
            layer first.
        schedule : schedule, function or str, optional
            The learning rate's factor for epoch k = 1, 2, ... of this fit: `Exponential`, `Step`,
            `Cosine`, `OneCycle`, any function of k, or `DropOnPlateau`. "cosine", "one_cycle" and
            "drop_on_plateau" stand for those of this many epochs.
        early_stopping : EarlyStopping or int, optional
            End when the results no longer become better; an int is the patience.
        augment : augment.Augmentation, optional
            Change the images that are the rows of x at random, anew in every epoch:
            ``nnlearn.augment.Shift`` and its like. Their shape is the part's `shape`, a Split's,
            or the network's. Evaluated sets stay as they are, the training set too where it is
            evaluated.
        callbacks : function, Callback or a sequence of them, default ()
            Called after each epoch, after schedule and early stopping, in their order; see
            `Callback`. True from on_epoch_end ends the fit. `Checkpoint` is one.
        shuffle : bool, default True
            A new permutation each epoch; False takes the rows as they stand.
        seed : int, optional
            Of mini-batches, dropout and held-out rows; None: the network's. Counters go on over
            the network's life, so that fit(10) and then fit(20) equals fit(30), bit for bit.
        reset_optimizer : bool, default False
            Forget velocities of earlier fits first.
        resume : str or os.PathLike, optional
            A file of `Checkpoint`: go on where it ends, up to `epochs` in all. The network becomes
            what it was then, with history, counters and seed. The data and the settings must be
            those of the fit that wrote it, but for epochs, callbacks, n_threads and verbose.
        n_threads : int, optional
            How many threads may share a long step of this fit; None: the network's.
        verbose : {None, 0, 1}, default None
            0 (or False) nothing, 1 (or True) progress, None progress in a terminal or notebook
            alone. On stderr.

        Returns
        -------
        History
            Of this fit, its epochs before `resume` too; ``net.history`` has all. Its
            ``stop_reason`` says in words why training ended.

        Raises
        ------
        TypeError, ValueError
            Before anything changes: an argument that does not fit, an unknown name, a file to
            resume that is damaged or of another fit. A schedule that gives NaN, zero or less ends
            the fit before that epoch.
        FileNotFoundError
            There is no file to resume.
        FloatingPointError
            The loss or a parameter became NaN or infinite: network, optimiser state and history
            are as after the last finite epoch.
        KeyboardInterrupt
            On Ctrl-C: weights as reached, history of whole epochs; the next fit begins the
            interrupted epoch anew.
        RuntimeError
            Another fit of this network is under way.

        Warns
        -----
        UserWarning
            An evaluated set has a label that the training data never shows.

        See Also
        --------
        find_learning_rate : What to give as learning_rate.
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
        settings = Settings.checked(
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
            class_weight=class_weight,
            sparse=sparse,
            schedule=schedule,
            early_stopping=early_stopping,
            augment=augment,
            callbacks=callbacks,
            shuffle=shuffle,
            seed=seed,
            reset_optimizer=reset_optimizer,
            resume=resume,
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


def check_seed(seed: Any) -> int:
    """A seed of the user's, or one drawn from the operating system for None."""
    if seed is None:
        return int.from_bytes(os.urandom(4), "little")
    return _checks.seed(seed)
