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
#: The columns of the measured numbers that are numbers.
_NUMERIC = range(1, 5)


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
        element("main", *_parts(sections)),
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
        verb = "holds" if 1 in (holding, len(section.claims)) else "hold"
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
    picture = element("div", drawing.element(), _class="wide")
    return element("figure", picture, element("figcaption", drawing.caption))


def _numbers(section: Section) -> Html:
    """The quoted numbers beside the measured ones; each row stands alone where there is no room."""
    if not section.rows:
        return Html("")
    names = ["what", "quoted", "mean", "sd", "median", "unit", "seeds", "in words"]
    used = {
        "quoted": any(row.quote for row in section.rows),
        "unit": any(row.unit for row in section.rows),
        "sd": any(len(row.values) > 1 for row in section.rows),
    }
    used |= {"median": used["sd"], "in words": used["quoted"]}
    kept = [i for i, name in enumerate(names) if used.get(name, True)]
    head = [_head(names[i], i in _NUMERIC) for i in kept]
    rows, above = [], ""
    for row in section.rows:
        source = _source(row)
        cells = _measured_cells(row, section.shortened, source, source == above)
        above = source
        rest = (_cell(cells[i], i in _NUMERIC, names[i]) for i in kept[1:])
        rows.append(_row(_row_head(cells[0]), *rest))
    return _whole_table("stacked", "Measured numbers", head, rows)


def _source(row: Measured) -> str:
    """Where a quoted number stands, and how it came about."""
    quote = row.quote
    return f"{quote.source}: {quote.settings}; {KINDS[quote.kind]}" if quote else ""


def _measured_cells(row: Measured, shortened: str, source: str, repeated: bool) -> list[object]:
    quote, judgement = row.quote, row.judge(shortened)
    what: object = row.what
    if source:
        # The same of many rows one after the other is read once.
        small = element("span", "as\N{NO-BREAK SPACE}above" if repeated else source, _class="soft")
        what = join([row.what, " " if repeated else element("br"), small])
    notes = [] if row.stuck is None else [f"{row.stuck} stuck"]
    notes += [f"{row.diverged} diverged"] if row.diverged else []
    one = len(row.values) == 1

    def shown(value: float) -> str:
        return "-" if value != value else f"{value:.{row.digits}f}"

    return [
        what,
        quote.value if quote else "",
        shown(row.mean),
        "" if one else shown(row.sd),
        "" if one else shown(row.median),
        row.unit,
        ", ".join([str(len(row.values)), *notes]),
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
        source = element("span", f"({claim.source})", _class="soft") if claim.source else ""
        what = join([claim.text, " ", source])
        rows.append(_row(_row_head(what), _cell(_words(claim.word, claim.evidence))))
    return _whole_table("stacked", "Claims", [_head("claim"), _head("over the seeds")], rows)


def _table(table: Table) -> Html:
    """A table of an experiment; it scrolls where there is no room."""
    numeric = table._numeric()
    head = [_head(name, n) for name, n in zip(table.columns, numeric, strict=True)]
    rows = [
        _row(*(_cell(text, n) for text, n in zip(texts, numeric, strict=True)))
        for texts in table._texts()
    ]
    return _whole_table("wide", table.title or "Table", head, rows, caption=table.title)


# ---- tables --------------------------------------------------------------------------------------


def _whole_table(
    kind: str, label: str, head: Sequence[Html], rows: Sequence[Html], caption: str = ""
) -> Html:
    """A table in what it is as wide as.

    Roles are written out: a browser forgets them where a style sheet makes blocks of the rows. What
    scrolls can be reached by the keyboard, with a name for who hears the page.
    """
    title = [element("caption", caption)] if caption else []
    top = element("thead", element("tr", *head, role="row"), role="rowgroup")
    body = element("tbody", *rows, role="rowgroup")
    whole = element("table", *title, top, body, role="table", aria_label=label)
    reach = {"tabindex": "0", "role": "region", "aria_label": label} if kind == "wide" else {}
    return element("div", whole, _class=kind, **reach)


def _row(*cells: Html) -> Html:
    return element("tr", *cells, role="row")


def _head(name: str, number: bool = False) -> Html:
    """The head of a column."""
    kind = "number" if number else None
    return element("th", name, scope="col", role="columnheader", _class=kind)


def _row_head(content: object) -> Html:
    """The head of a row."""
    return element("th", content, scope="row", role="rowheader")


def _cell(content: object, number: bool = False, name: str | None = None) -> Html:
    """A cell; with the name of its column, for where that is not seen."""
    kind = "number" if number else None
    return element("td", content, role="cell", data_name=name, _class=kind)
