"""The slides' list of hyper-parameters: what nnlearn's objects set, read from their signatures."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FUNCTION, TRAINING, WORK = "the function", "its training", "the work around it"
#: The data itself, which nobody tunes.
_DATA = ("self", "x", "y")
#: What is looked at, told and kept, and which way to the same result is taken. None of it changes
#: what is learnt, but for `validation`, where a setting of the training looks at it.
_WORK = (
    "callbacks",
    "evaluate_every",
    "evaluate_first",
    "evaluate_train",
    "n_threads",
    "resume",
    "sparse",
    "validation",
    "verbose",
)


@dataclass(frozen=True)
class Setting:
    """One argument of Network or of Network.fit.

    Parameters
    ----------
    of : str
        What it sets: `FUNCTION`, `TRAINING` or `WORK`.
    name : str
        The argument.
    default : str
        Its default, as it is written; "" where it must be given.
    meaning : str
        What its documentation says first.
    """

    of: str
    name: str
    default: str
    meaning: str


def settings() -> tuple[Setting, ...]:
    """All of them: those of the function, of its training, and of the work around it.

    What the network sets of the work around it and a fit may set anew stands there once.
    """
    found = [*_of(Network, Network.__init__, FUNCTION), *_of(Network.fit, Network.fit, TRAINING)]
    known: dict[tuple[str, str], Setting] = {}
    for one in found:
        known.setdefault((one.of, one.name), one)
    order = (FUNCTION, TRAINING, WORK)
    return tuple(sorted(known.values(), key=lambda one: order.index(one.of)))


def _of(documented: Any, function: Callable[..., Any], of: str) -> Iterator[Setting]:
    """The arguments of a function, with what `documented` says of them."""
    meanings = _meanings(inspect.getdoc(documented) or "")
    for name, parameter in inspect.signature(function).parameters.items():
        if name in _DATA or parameter.kind is parameter.VAR_KEYWORD:
            continue
        needed = parameter.default is parameter.empty
        default = "" if needed else repr(parameter.default).replace("'", '"')
        group = WORK if name in _WORK else of
        yield Setting(group, name, default, meanings.get(name, ""))


def _meanings(text: str) -> dict[str, str]:
    """The first sentence on each argument, from the parameters' section of a docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", text, re.M | re.S)
    found: dict[str, str] = {}
    if section:
        for entry in re.finditer(
            r"^(\S[^:\n]*)(?: :[^\n]*)?\n((?:[ ]+\S.*\n?)+)", section[1], re.M
        ):
            words = " ".join(textwrap.dedent(entry[2]).split())
            sentence = re.split(r"(?<=[^.][.;:])\s", words, maxsplit=1)[0].rstrip(".;:")
            found.update((name.strip(), sentence) for name in entry[1].split(","))
    return found


def _measure(lab: Lab) -> Result:
    known = settings()
    groups = {of: [s for s in known if s.of == of] for of in (FUNCTION, TRAINING, WORK)}
    rows = [(s.of, s.name, s.default or "must be given", s.meaning) for s in known]
    table = Table(["of", "setting", "default", "what it is"], rows, "What nnlearn's objects set")
    counts = ", ".join(f"{len(group)} of {of}" for of, group in groups.items())

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        below = _box(left, "Network(...): the function $a = f(x;\\ W, b)$", groups[FUNCTION], 0)
        right_end = _box(
            right, "fit(...): its training, $W \\leftarrow W + v$", groups[TRAINING], 1
        )
        end = _box(left, "the work around it", groups[WORK], 2, top=below - _LINE)
        for ax in (left, right):
            ax.set_xlim(0, 1)
            ax.set_ylim(min(end, right_end) - 0.02, 1.02)
            ax.set_axis_off()

    return Result(
        {
            "read from": "the signatures and the documentation of Network and Network.fit",
            "found": f"{count(len(known), 'setting')}: {counts}",
        },
        pictures=(
            Picture(
                "settings",
                "What sets the function that a network is, and what sets how it is trained, with "
                "the defaults; learning rate and epochs are chosen with every fit.",
                draw,
                slides=(30,),
                size=(8.4, 5.2),
            ),
        ),
        tables=(table,),
        finding=_finding(groups),
        remarks=(
            "Weights and biases are parameters: fit finds them. All that stands here is chosen "
            "beforehand, and is a hyper-parameter as far as the result depends on it. What is of "
            "the work around it changes what is looked at and kept, not what is learnt, but that "
            "early stopping and a rate that drops on a plateau look at the validation set.",
        ),
    )


def _finding(groups: Mapping[str, Sequence[Setting]]) -> str:
    """How many settings there are of what, and which must be given."""
    counts = ", ".join(f"{len(group)} of {of}" for of, group in groups.items())
    needed = [s.name for group in groups.values() for s in group if not s.default]
    total = sum(map(len, groups.values()))
    return (
        f"A network and its fit have {total} settings, {counts}; without a default: "
        f"{', '.join(needed)}."
    )


#: Height of a line.
_LINE = 0.043


def _box(ax: "Axes", title: str, group: list[Setting], colour: int, *, top: float = 1.0) -> float:
    """A framed list of names and defaults; returns where it ends."""
    from matplotlib.patches import FancyBboxPatch

    end = top - _LINE * (len(group) + 1.9)
    frame = FancyBboxPatch(
        (0.02, end),
        0.96,
        top - end,
        boxstyle="round,pad=0,rounding_size=0.02",
        facecolor=COLOURS[colour],
        edgecolor=COLOURS[colour],
        linewidth=1.4,
        alpha=0.14,
    )
    ax.add_patch(frame)
    ax.text(0.05, top - _LINE, title, weight="bold", va="center")
    for i, setting in enumerate(group):
        y = top - _LINE * (i + 2.2)
        ax.text(0.07, y, setting.name, va="center", family="monospace", fontsize="small")
        text = setting.default or "must be given"
        ax.text(0.62, y, text, va="center", family="monospace", fontsize="small")
    return end


experiment = Experiment(
    name="hyper-parameters",
    title="What there is to choose",
    question="Which hyper-parameters does a network have, and which its training?",
    slides=(30,),
    measure=_measure,
    seconds=(0.2, 0.2),
    needs_data=False,
)
