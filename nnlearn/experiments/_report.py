"""The report: one HTML page that holds all it shows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nnlearn._html import Html, element, join
from nnlearn.experiments._catalogue import PARTS
from nnlearn.experiments._claims import HOLDS, NOT_SHOWN, OPPOSITE, Claim
from nnlearn.experiments._pictures import Drawing
from nnlearn.experiments._quotes import AGREES, DIFFERS, KINDS, NOT_COMPARABLE, Measured
from nnlearn.experiments._result import is_replay
from nnlearn.experiments._rules import COLUMNS, RULES
from nnlearn.experiments._section import Section
from nnlearn.progress import duration
from nnlearn.tables import Table, count

#: The page's style: light or dark as the reader has chosen, black on paper.
_STYLE = Path(__file__).with_name("report.css")
#: What stands before the words of a judgement, for who does not see the colours.
_MARKS = {
    **dict.fromkeys((AGREES, HOLDS), "\N{CHECK MARK} "),
    **dict.fromkeys((DIFFERS, NOT_SHOWN, OPPOSITE), "\N{BALLOT X} "),
}
_CLASSES = {
    **dict.fromkeys((AGREES, HOLDS), "good"),
    **dict.fromkeys((DIFFERS, NOT_SHOWN, OPPOSITE), "bad"),
    NOT_COMPARABLE: "soft",
}


def report(
    title: str,
    facts: Mapping[str, str],
    sections: Sequence[Section],
    failed: Mapping[str, str],
    missing: Sequence[str],
) -> str:
    """The page.

    Parameters
    ----------
    title : str
        Its heading.
    facts : mapping of str to str
        What holds for all of it: version, data, seeds.
    sections : sequence of Section
        What it shows, in order.
    failed : mapping of str to str
        Experiments that did not end, and why.
    missing : sequence of str
        The titles of those that are still to be run.

    Returns
    -------
    str
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(_STYLE.read_text())),
    )
    body = element(
        "body",
        element("h1", title),
        _facts(facts),
        element("p", _summary(sections)),
        _failures(failed),
        _unfinished(missing),
        _reading(),
        _contents(sections),
        *_parts(sections),
    )
    page = element("html", head, body, lang="en")
    return f"<!doctype html>\n{page}\n"


# ---- head ---------------------------------------------------------------------------------------


def _summary(sections: Iterable[Section]) -> str:
    """How many quoted numbers agree and claims hold, in all."""
    sections = list(sections)
    judged = [(row, row.judge(s.shortened).word) for s in sections for row in s.rows if row.quote]
    quoted = [
        (row.quote.kind == "exact", w) for row, w in judged if row.quote and not is_replay(row)
    ]
    chance, without = ([w for exact, w in quoted if exact == asked] for asked in (False, True))
    replayed = [word for row, word in judged if is_replay(row)]
    held = [claim.word for section in sections for claim in section.claims]
    parts = [
        _counts(f"{count(len(chance), 'quoted number')} of training runs", chance),
        _counts(f"{count(len(without), 'quoted number')} without chance in them", without),
        _counts(f"{count(len(replayed), 'replayed number')}, which nobody published", replayed),
    ]
    if held:
        said = _said(held, (HOLDS, NOT_SHOWN, OPPOSITE))
        parts.append(f"{count(len(held), 'claim')} of direction: {said}.")
    return " ".join(filter(None, parts))


def _counts(what: str, words: Sequence[str]) -> str:
    """How many of some quoted numbers there are of each word; nothing of none."""
    return f"{what}: {_said(words, (AGREES, DIFFERS, NOT_COMPARABLE))}." if words else ""


def _said(words: Sequence[str], kinds: Sequence[str]) -> str:
    """``3 x agrees, 1 x differs``: those that there are."""
    times = "\N{MULTIPLICATION SIGN}"
    return ", ".join(f"{words.count(kind)} {times} {kind}" for kind in kinds if kind in words)


def _failures(failed: Mapping[str, str]) -> Html:
    if not failed:
        return Html("")
    items = [element("li", element("b", name), f": {why}") for name, why in failed.items()]
    return join([element("p", "These experiments did not end:"), element("ul", *items)])


def _unfinished(missing: Sequence[str]) -> Html:
    if not missing:
        return Html("")
    text = "This report is not whole: the run was interrupted before these, and the same command "
    return element("p", f"{text}goes on with them: {'; '.join(missing)}.", _class="bad")


def _reading() -> Html:
    """How to read the tables: in every report."""
    rules = [element("p", rule) for rule in (*RULES, *COLUMNS)]
    return element("details", element("summary", "How to read the tables"), *rules)


def _contents(sections: Sequence[Section]) -> Html:
    """The table of contents, with how each experiment came out."""
    parts = []
    for part, own in _by_part(sections):
        items = [
            element(
                "li",
                element("a", section.title, href=f"#{section.name}"),
                " ",
                element("span", _brief(section), _class="soft"),
            )
            for section in own
        ]
        parts.append(element("li", element("b", part), element("ul", *items)))
    return element("nav", element("h2", "Contents"), element("ul", *parts), aria_label="Contents")


def _brief(section: Section) -> str:
    """A few words on how an experiment came out."""
    judged = [(is_replay(row), row.judge(section.shortened).word) for row in section.rows]
    parts = []
    for what, replay in (("", False), (" replayed", True)):
        words = [word for of, word in judged if of == replay and word not in ("", NOT_COMPARABLE)]
        if words:
            parts.append(f"{words.count(AGREES)} of {len(words)}{what} agree")
    if section.claims:
        holding = sum(claim.word == HOLDS for claim in section.claims)
        verb = "holds" if holding == 1 else "hold"
        parts.append(f"{holding} of {count(len(section.claims), 'claim')} {verb}")
    return ", ".join(parts)


# ---- one experiment ------------------------------------------------------------------------------


def _parts(sections: Sequence[Section]) -> list[Html]:
    return [
        element("div", element("h2", part), *(_section(section) for section in own))
        for part, own in _by_part(sections)
    ]


def _by_part(sections: Sequence[Section]) -> list[tuple[str, list[Section]]]:
    """The sections under the headings of the catalogue; no empty ones."""
    own = {part: [s for s in sections if s.name in names] for part, names in PARTS.items()}
    return [(part, found) for part, found in own.items() if found]


def _section(section: Section) -> Html:
    slides = sorted({number for drawing in section.drawings for number in drawing.slides})
    where = f"slide{'s' if len(slides) > 1 else ''} {', '.join(map(str, slides))}" if slides else ""
    took = f"took {duration(section.seconds)}"
    return element(
        "section",
        element("h3", section.title, id=section.name),
        element(
            "p", " \N{MIDDLE DOT} ".join(filter(None, [section.name, where, took])), _class="soft"
        ),
        element("p", section.question, _class="question"),
        element("p", section.verdict, _class="verdict"),
        _facts(section.settings),
        *(_figure(drawing) for drawing in section.drawings),
        _numbers(section),
        _claims(section.claims),
        *(_table(table) for table in section.tables),
        *(element("p", remark) for remark in section.remarks),
    )


def _facts(facts: Mapping[str, str]) -> Html:
    pairs = [join([element("dt", name), element("dd", text)]) for name, text in facts.items()]
    return element("dl", *pairs) if pairs else Html("")


def _figure(drawing: Drawing) -> Html:
    return element("figure", drawing.element(), element("figcaption", drawing.caption))


def _numbers(section: Section) -> Html:
    """The quoted numbers beside the measured ones."""
    if not section.rows:
        return Html("")
    quoted = any(row.quote for row in section.rows)
    names = ["", "quoted", "mean", "sd", "median", "seeds", "in words"]
    numeric = (False, True, True, True, True, True, False)
    kept = [i for i, name in enumerate(names) if quoted or name not in ("quoted", "in words")]
    head = [_cell("th", names[i], numeric[i]) for i in kept]
    rows = []
    for row in section.rows:
        cells = _measured_cells(row, section.shortened)
        rows.append(element("tr", *(_cell("td", cells[i], numeric[i]) for i in kept)))
    inner = element("thead", element("tr", *head)), element("tbody", *rows)
    return element("div", element("table", *inner), _class="wide")


def _measured_cells(row: Measured, shortened: str) -> list[object]:
    quote, judgement = row.quote, row.judge(shortened)
    unit = f" {row.unit}" if row.unit else ""
    what: object = row.what
    if quote:
        source = f"{quote.source}: {quote.settings}; {KINDS[quote.kind]}"
        what = join([row.what, element("br"), element("span", source, _class="soft")])
    notes = [] if row.stuck is None else [f"{row.stuck} stuck"]
    notes += [f"{row.diverged} diverged"] if row.diverged else []
    seeds = ", ".join([str(len(row.values)), *notes])
    one = len(row.values) == 1

    def shown(value: float) -> str:
        return "-" if value != value else f"{value:.{row.digits}f}"

    return [
        what,
        quote.value + unit if quote else "",
        shown(row.mean) + (unit if row.known else ""),
        "" if one else shown(row.sd),
        "" if one else shown(row.median),
        seeds,
        _words(judgement.word, judgement.text),
    ]


def _words(word: str, text: str) -> Html:
    """A judgement with a mark before it, and what it follows from."""
    if not word:
        return Html("")
    shown = element("span", f"{_MARKS.get(word, '')}{word}", _class=_CLASSES[word])
    return join([shown, f": {text}"])


def _claims(claims: Sequence[Claim]) -> Html:
    if not claims:
        return Html("")
    rows = []
    for claim in claims:
        text = join(
            [
                claim.text,
                *(
                    [" ", element("span", f"({claim.source})", _class="soft")]
                    if claim.source
                    else []
                ),
            ]
        )
        rows.append(
            element("tr", _cell("td", text), _cell("td", _words(claim.word, claim.evidence)))
        )
    head = element("tr", _cell("th", "claim"), _cell("th", "over the seeds"))
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("div", table, _class="wide")


def _table(table: Table) -> Html:
    """A table of an experiment."""
    numeric = table._numeric()
    head = [_cell("th", name, n) for name, n in zip(table.columns, numeric, strict=True)]
    rows = [
        element("tr", *(_cell("td", text, n) for text, n in zip(texts, numeric, strict=True)))
        for texts in table._texts()
    ]
    title = [element("caption", table.title)] if table.title else []
    inner = element("thead", element("tr", *head)), element("tbody", *rows)
    return element("div", element("table", *title, *inner), _class="wide")


def _cell(tag: str, content: object, number: bool = False) -> Html:
    return element(tag, content, _class="number" if number else None)
