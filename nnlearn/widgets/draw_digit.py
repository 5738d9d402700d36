"""`DrawDigit`: a network reads what a hand draws, while it draws."""

import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.data import Dataset, Split
from nnlearn.datasets import load_mnist_small
from nnlearn.datasets.digit_image import SIDE, centre_of_mass, drawn, ink_box, normalised
from nnlearn.network import Network
from nnlearn.widgets import _bundle
from nnlearn.widgets._data import labelled
from nnlearn.widgets._drawings import (
    PEN,
    PEN_FROM,
    PEN_TO,
    read_image,
    read_pen_width,
    read_strokes,
)
from nnlearn.widgets._live import LiveWidget, Run, check_names
from nnlearn.widgets._runner import Runner, Stop
from nnlearn.widgets._tiles import scaled

_Array = npt.NDArray[Any]

#: Hidden units of the network made when none is given, and how it is trained: on the digits inside
#: the package in a fraction of a second.
N_HIDDEN, LEARNING_RATE, EPOCHS = 100, 0.5, 20

#: Classes of the digits inside the package.
N_DIGITS = 10

#: Hidden units shown of a layer, and units named as speakers.
MOST_UNITS, MOST_SPEAKERS = 400, 5

#: What is shown: one of these, or nothing.
SOURCES = ("strokes", "sample", "image")


@dataclass(frozen=True, eq=False)
class Settings:
    """What a `DrawDigit` shows, checked: strokes, or a sample of the data, or an image."""

    pen_width: float
    strokes: tuple[_Array, ...] = ()
    sample: int | None = None
    image: _Array | None = None  # of the sample, too

    @functools.cached_property
    def seen(self) -> _Array:
        """What the network is given, float32 (28, 28)."""
        if self.image is not None:
            return self.image
        return normalised(drawn(self.strokes, self.pen_width))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says to an image, and its hidden units' part in that."""

    probabilities: _Array
    hidden: tuple[_Array, ...]  # activations, layer by layer
    speakers: tuple[int, ...]  # units of the last hidden layer that add most to the winner's z
    adds: tuple[float, ...]  # how much: a_j W_jk

    @property
    def winner(self) -> int:
        """The class of the largest probability."""
        return int(self.probabilities.argmax())


class DrawDigit(LiveWidget[Settings]):
    """Draw a digit and see what a network makes of it, while you draw.

    The drawing is scaled and centred as MNIST's digits are; beside it stand the image that the
    network sees, the probability of each class, the activations of the hidden units, and the units
    that speak most for the answer.

    Parameters
    ----------
    net : Network, optional
        With 784 inputs and at least 2 sigmoid or softmax outputs. By default a network with 100
        hidden units is trained in the background on the training set of `data`.
    data : Dataset, optional
        Images of 28 x 28 pixels with integer labels, whose class names are shown and whose samples
        can be loaded: those of the test set, else of the validation set, else of the training set.
        By default the digits inside the package, if the network has 10 outputs.
    class_names : sequence of str, optional
        One for each output; by default those of `data`, else 0, 1, 2, ...
    **settings
        ``strokes``, ``sample`` or ``image`` to begin with, as the properties below take them, and
        ``pen_width=0.08``, a share of the paper's side, 0.01 to 0.3.

    Raises
    ------
    TypeError
        If `net` is no Network or `data` no Dataset.
    ValueError
        If the network has other inputs or outputs, the data do not fit it, or a setting is unknown
        or wrong.

    See Also
    --------
    nnlearn.datasets.digit_image.normalised : How a drawing becomes an image.

    Notes
    -----
    A unit j of the last hidden layer speaks for the class k by the part that it adds to the
    weighted input z_k: its activation times its weight, a_j W_jk.

    Nothing is trained while you draw, and a drawing needs a kernel that reads it: the widget has no
    ``to_html``.

    Examples
    --------
    >>> from nnlearn.widgets import DrawDigit
    >>> w = DrawDigit(strokes=[[(0.5, 0.2), (0.5, 0.8)]])
    >>> w.wait()
    True
    >>> w.image.shape
    (28, 28)
    >>> w.class_names[w.probabilities.argmax()]
    '1'
    >>> w.close()
    """

    _esm = _bundle.script("draw_digit")
    _css = _bundle.style()

    def __init__(
        self,
        net: Network | None = None,
        *,
        data: Dataset | None = None,
        class_names: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._training = net is None
        if net is None:
            self._data: Dataset | None = load_mnist_small() if data is None else _images(data)
            net = Network([SIDE * SIDE, N_HIDDEN, _n_classes(self._data)], seed=0)
        else:
            self._data = _data_for(data, _reads_digits(net).n_outputs)
        self._network = net
        self._samples, self._set_name = _samples_of(self._data)
        names = self._data.class_names if class_names is None and self._data else class_names
        self._names = _names(names, net.n_outputs)
        self._accuracy: float | None = None
        self._trainer = Runner(self._show_error)
        self._trainer.start(self._train if self._training else self._measure)
        self._trainer.wait(self._patience)
        self._begin(Settings(PEN), settings)

    # ---- what users see -------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The network that reads."""
        return self._network

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the outputs stand for."""
        return self._names

    @property
    def accuracy(self) -> float | None:
        """The network's accuracy on the samples that can be loaded; None until known."""
        return self._accuracy

    @property
    def image(self) -> _Array:
        """What the network sees, float32 (28, 28), 0 for paper and 1 for ink.

        An image assigned to it is shown as it is, neither scaled nor moved: (28, 28) or (784,),
        numbers from 0 to 1, or uint8, of which 255 is ink.
        """
        return self._current.seen.copy()

    @image.setter
    def image(self, image: npt.ArrayLike) -> None:
        self._change({"image": image})

    @property
    def strokes(self) -> tuple[_Array, ...]:
        """The drawing: for each stroke the pen's places (x, y), float64 (n, 2).

        The paper reaches from (0, 0), its upper left corner, to (1, 1). Strokes assigned to it are
        drawn; an empty list clears the paper.
        """
        return tuple(stroke.copy() for stroke in self._current.strokes)

    @strokes.setter
    def strokes(self, strokes: Iterable[npt.ArrayLike]) -> None:
        self._change({"strokes": strokes})

    @property
    def probabilities(self) -> _Array | None:
        """Of each class, float (n_classes,); None while nothing is drawn."""
        answer = self._answer(self._current.seen)
        return None if answer is None else answer.probabilities

    def clear(self) -> None:
        """Take everything off the paper."""
        self._change({"strokes": ()})

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the network is trained and has answered to what is there now.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most, for each of the two.

        Returns
        -------
        bool
            Whether it is and has.
        """
        return self._trainer.wait(timeout) and super().wait(timeout)

    def close(self) -> None:
        """Stop, and take the widget off all pages."""
        self._trainer.stop()
        super().close()

    # ---- settings -------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now = self._current
        known = ("pen_width", *SOURCES)
        check_names(changes, known)
        width = read_pen_width(changes.get("pen_width", now.pen_width))
        if not any(name in changes for name in SOURCES):
            return Settings(width, now.strokes, now.sample, now.image)
        strokes = read_strokes(changes.get("strokes", ()))
        sample, image = changes.get("sample"), changes.get("image")
        if (len(strokes) > 0) + (sample is not None) + (image is not None) > 1:
            requirement = "have only one of strokes, sample and image"
            _checks.fail(ValueError, "settings", requirement, sorted(changes))
        if sample is not None:
            return self._sample(sample, width)
        return Settings(width, strokes, image=None if image is None else read_image(image))

    def _sample(self, sample: Any, width: float) -> Settings:
        if self._samples is None:
            hint = "data= gives some"
            _checks.fail(ValueError, "sample", "be None where no samples are", sample, hint)
        sample = _checks.integer("sample", sample, minimum=0, maximum=len(self._samples) - 1)
        return Settings(width, sample=sample, image=read_image(self._samples.x[sample]))

    def _tell(self, settings: Settings) -> dict[str, Any]:
        own = settings.image is not None and settings.sample is None
        return {
            "pen_width": settings.pen_width,
            "strokes": [stroke.tolist() for stroke in settings.strokes],
            "sample": settings.sample,
            "image": settings.image.tolist() if own and settings.image is not None else None,
        }

    # ---- the network ----------------------------------------------------------------------------

    def _train(self, stop: Stop) -> None:
        assert self._data is not None
        train = self._data.train
        stop.fit(self._network, train, epochs=EPOCHS, learning_rate=LEARNING_RATE, verbose=0)
        self._measure(stop)

    def _measure(self, stop: Stop) -> None:
        if stop.requested:
            return
        if self._samples is not None:
            self._accuracy = self._network.accuracy(self._samples)
        self._training = False
        if self._generation > 0:  # what is there was answered before
            self._restart(None)

    def _answer(self, image: _Array) -> Answer | None:
        """What the network says; None to an image without ink."""
        if not image.any():
            return None
        net, x = self._network, image.reshape(1, -1)
        probabilities = net.predict_proba(x)[0]
        winner = int(probabilities.argmax())
        hidden = tuple(layer[0] for layer in net.inspect(x, [winner]).a[1:-1])
        if not hidden:
            return Answer(probabilities, hidden, (), ())
        adds = hidden[-1] * net.weights[-1][:, winner]
        units = [int(j) for j in np.argsort(-adds)[:MOST_SPEAKERS] if adds[j] > 0]
        return Answer(probabilities, hidden, tuple(units), tuple(float(adds[j]) for j in units))

    # ---- frames ---------------------------------------------------------------------------------

    def _work(self, settings: Settings, run: Run) -> None:
        began = time.perf_counter()
        image = settings.seen
        answer = self._answer(image)
        centre = centre_of_mass(image)
        header = {
            "names": self._names,
            "training": self._training,
            "accuracy": self._accuracy,
            "set": self._set_name,
            "limits": {
                "samples": 0 if self._samples is None else len(self._samples),
                "pen_width": [PEN_FROM, PEN_TO],
            },
            "box": ink_box(image),
            "centre": centre and [each + 0.5 for each in centre],  # from the image's corner
            "units": [weights.shape[0] for weights in self._network.weights[1:]],
            "most_units": MOST_UNITS,
            "label": self._label(settings.sample),
            "answered": answer is not None,
        }
        arrays = [image]
        if answer is not None:
            header |= {
                "winner": answer.winner,
                "speakers": answer.speakers,
                "adds": answer.adds,
            }
            parts = self._parts(image, answer)
            header["parts"] = parts is not None
            arrays += [answer.probabilities, *(layer[:MOST_UNITS] for layer in answer.hidden)]
            arrays += [] if parts is None else [parts]
        header["milliseconds"] = 1000 * (time.perf_counter() - began)
        run.finish(header, arrays)

    def _label(self, sample: int | None) -> str | None:
        """The name of the class that the sample is of."""
        if sample is None or self._samples is None:
            return None
        return self._names[int(np.asarray(self._samples.y)[sample])]

    def _parts(self, image: _Array, answer: Answer) -> npt.NDArray[np.int8] | None:
        """What each pixel adds to the weighted input of each speaker, as images.

        Only units of the first layer look at pixels.
        """
        if len(answer.hidden) != 1 or not answer.speakers:
            return None
        weights = np.asarray(self._network.weights[0])[:, list(answer.speakers)]
        adds = np.ascontiguousarray(weights.T, np.float32) * image.reshape(1, -1)
        return scaled(adds.reshape(-1, SIDE, SIDE))


# ---- arguments ---------------------------------------------------------------------------------


def _reads_digits(net: Any) -> Network:
    """The network, which must take an image and give probabilities."""
    if not isinstance(net, Network):
        _checks.fail(TypeError, "net", "be a Network", net)
    if net.n_inputs != SIDE * SIDE or net.n_outputs < 2:
        requirement = f"have {SIDE * SIDE} inputs and at least 2 outputs"
        got = f"{net.n_inputs} inputs and {net.n_outputs} outputs"
        raise ValueError(_checks.message("net", requirement, got))
    net.predict_proba(np.zeros((1, net.n_inputs), np.float32))
    return net


def _data_for(data: Any, n_outputs: int) -> Dataset | None:
    """The data for a network with so many outputs; without any given, the digits if they fit."""
    if data is None:
        return load_mnist_small() if n_outputs == N_DIGITS else None
    images = _images(data)
    n_classes = _n_classes(images)
    if n_classes > n_outputs:
        requirement = f"have no more classes than the network's {n_outputs} outputs"
        _checks.fail(ValueError, "data", requirement, n_classes)
    return images


def _images(data: Any) -> Dataset:
    """The data, which must be labelled images of the right size."""
    if not isinstance(data, Dataset):
        _checks.fail(TypeError, "data", "be a Dataset", data)
    x = data.train.x
    if not isinstance(x, np.ndarray) or x[:1].size != SIDE * SIDE:
        _checks.fail(ValueError, "data", "hold images of 28 x 28 pixels", x)
    return labelled(data)


def _n_classes(data: Dataset) -> int:
    """How many classes the data have, at least 2."""
    labelled = (each for each in (data.train, data.validation, data.test) if each is not None)
    largest = max(int(np.asarray(each.y).max()) for each in labelled)
    return max(largest + 1, len(data.class_names or ()), 2)


def _samples_of(data: Dataset | None) -> tuple[Split | None, str]:
    """The set whose samples can be loaded, and its name."""
    if data is None:
        return None, ""
    if data.test is not None:
        return data.test, "test set"
    if data.validation is not None:
        return data.validation, "validation set"
    return data.train, "training set"


def _names(names: Any, n_classes: int) -> tuple[str, ...]:
    if names is None:
        return tuple(str(k) for k in range(n_classes))
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    if not is_list or len(names) != n_classes or not all(isinstance(n, str) for n in names):
        requirement = f"be {n_classes} strings, one for each output"
        _checks.fail(ValueError, "class_names", requirement, names)
    return tuple(names)
