"""Which column holds what: as the settings say, or as the export of a known tool has it."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.rows import Row, Table, column_name, find_column

EXPORTS = ("microsoft-forms", "limesurvey", "redcap")
# How many rows are looked at to tell questions with free answers from those with choices.
SAMPLE_ROWS = 1_000
_FREE_WORDS = 8
_FREE_HEADINGS = (
    "comment", "précisez", "expliquez", "explain", "suggestion", "décrivez", "describe",
    "pourquoi", "why", "amélior", "improv", "votre avis", "your opinion", "témoign", "tell us",
    "racontez", "dites-nous",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand; of several for a date, the first that is filled counts."""

    texts: tuple[tuple[str, int], ...]
    response: tuple[int, ...] = ()
    dates: tuple[int, ...] = ()
    site: int | None = None
    unit: int | None = None
    role: int | None = None
    lang: int | None = None
    respondent: int | None = None
    no_date: frozenset[str] = frozenset()
    nobody: frozenset[str] = frozenset()
    unread: tuple[str, ...] = field(default=(), repr=False)
    export: str | None = None


@lru_cache(maxsize=1)
def _exports() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("exports.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def wanted_columns(source: CommentSource) -> set[str]:
    """Name the columns by which a header is known for one."""
    named = source.columns
    wanted = {*named.text, *_parts(named.response_id)}
    wanted |= {n for n in (named.date, named.site, named.unit, named.role) if n}
    wanted |= {n for n in (named.lang, named.respondent) if n}
    if source.export is not None and not named.text:
        for tool in EXPORTS if source.export == "auto" else (source.export,):
            own = _exports()[tool]
            wanted |= {*own["sure"], *own.get("response_id", ())}
            wanted |= {name for part in own.get("response_id_parts", ()) for name in part}
    return {column_name(name) for name in wanted}


def recognise(header: Sequence[str]) -> str | None:
    """Tell of which tool's export a header is: two columns that only it writes.

    :return: one of ``EXPORTS``, the one with most such columns.
    """
    counts = {tool: _sure_columns(header, _exports()[tool]) for tool in EXPORTS}
    best = max(counts, key=lambda tool: counts[tool])
    return best if counts[best] >= 2 else None


def _sure_columns(header: Sequence[str], own: dict[str, Any]) -> int:
    names = {name.casefold() for name in header}
    sure = names & {name.casefold() for name in own["sure"]}
    ends = tuple(own.get("sure_ends", ()))
    return len(sure) + sum(bool(ends) and name.endswith(ends) for name in names - sure)


def place_columns(source: CommentSource, table: Table) -> Columns:
    """Find every column that the settings name, and those that an export has by itself.

    :raises InputError: when a named column is missing or there twice, or when the export is not
        recognised or has no question that looks like free text.
    """
    if source.export is None:
        return _named(source, table, Columns(()))
    tool = recognise(table.header) if source.export == "auto" else source.export
    if tool is None:
        told = f"{table.shown}: not an export of {', '.join(EXPORTS)}; name its columns"
        raise InputError(told, "export-unknown")
    placed = _named(source, table, _of_export(tool, table.header))
    return placed if source.columns.text else _free_text(table, placed, _exports()[tool])


def _named(source: CommentSource, table: Table, given: Columns) -> Columns:
    """Put what the settings name over what is given."""
    named = source.columns

    def at(name: str | None, else_: int | None) -> int | None:
        return else_ if name is None else find_column(table, name)

    response = tuple(find_column(table, part) for part in _parts(named.response_id))
    placed = Columns(
        texts=tuple((name, find_column(table, name)) for name in named.text),
        response=response or given.response,
        dates=given.dates if named.date is None else (find_column(table, named.date),),
        site=at(named.site, given.site),
        unit=at(named.unit, given.unit),
        role=at(named.role, given.role),
        lang=at(named.lang, given.lang),
        respondent=at(named.respondent, given.respondent),
        no_date=given.no_date,
        nobody=given.nobody,
        export=given.export,
    )
    return _with_unread(placed, table.header)


def _with_unread(placed: Columns, header: Sequence[str]) -> Columns:
    used = _used(placed)
    own = _exports()[placed.export] if placed.export else {}
    unread = tuple(
        name
        for position, name in enumerate(header)
        if position not in used and name and not _is_own(name, own)
    )
    return Columns(**{**_fields(placed), "unread": unread})


def _fields(placed: Columns) -> dict[str, Any]:
    return {name: getattr(placed, name) for name in Columns.__slots__}


def _used(placed: Columns) -> set[int]:
    single = (placed.site, placed.unit, placed.role, placed.lang, placed.respondent)
    texts = (position for _, position in placed.texts)
    return {*texts, *placed.response, *placed.dates, *(p for p in single if p is not None)}


def _of_export(tool: str, header: Sequence[str]) -> Columns:
    own, questions = _exports()[tool], _exports()["questions"]
    parts = [_first(header, part) for part in own.get("response_id_parts", ())]
    if parts and parts[0] is None:
        parts[0] = 0  # REDCap's first column is the record, whatever the project calls it
    single = _first(header, own.get("response_id", ()))
    return Columns(
        texts=(),
        response=tuple(p for p in ([single] if single is not None else parts) if p is not None),
        dates=_all(header, own["date"], own.get("date_ends", ())),
        site=_question(header, questions["site"], own),
        unit=_question(header, questions["unit"], own),
        role=_question(header, questions["role"], own),
        lang=_first(header, own.get("lang", ())),
        respondent=_first(header, own["respondent"]),
        no_date=frozenset(own.get("no_date", ())),
        nobody=frozenset(own.get("nobody", ())),
        export=tool,
    )


def _first(header: Sequence[str], names: Iterable[str]) -> int | None:
    return next(iter(_all(header, names)), None)


def _all(header: Sequence[str], names: Iterable[str], ends: Iterable[str] = ()) -> tuple[int, ...]:
    """Give positions in the order of the names, then those that end as asked."""
    folded = [name.casefold() for name in header]
    found = [folded.index(n.casefold()) for n in names if n.casefold() in folded]
    tails = tuple(ends)
    found += [i for i, name in enumerate(folded) if tails and name.endswith(tails)]
    return tuple(dict.fromkeys(found))


def _question(header: Sequence[str], asked: Sequence[str], own: dict[str, Any]) -> int | None:
    """Find a question by its whole heading, else by a heading that begins with several words."""
    whole = _first(header, asked)
    if whole is not None:
        return whole
    starts = tuple(words.casefold() for words in asked if " " in words)
    for position, name in enumerate(header):
        if name.casefold().startswith(starts) and not _is_own(name, own):
            return position
    return None


def _is_own(name: str, own: dict[str, Any]) -> bool:
    """Tell whether a column is the tool's, and no answer."""
    folded = name.casefold()
    keys = ("sure", "own", "response_id", "date", "respondent", "lang")
    known = {n.casefold() for key in keys for n in own.get(key, ())}
    known |= {n.casefold() for part in own.get("response_id_parts", ()) for n in part}
    starts = tuple(n.casefold() for n in own.get("own_starts", ()))
    ends = tuple(own.get("own_ends", ()))
    return (
        folded in known
        or (bool(starts) and folded.startswith(starts))
        or (bool(ends) and folded.endswith(ends))
    )


def _free_text(table: Table, placed: Columns, own: dict[str, Any]) -> Columns:
    """Take as text the questions that are answered in sentences, or ask for comments."""
    used = _used(placed)
    open_ = [
        i
        for i, name in enumerate(table.header)
        if name and i not in used and not _is_own(name, own)
    ]
    rows = [row for row in islice(table.rows(), SAMPLE_ROWS) if row.trouble is None]
    chosen = [i for i in open_ if _is_free(table.header[i], rows, i)]
    if not chosen:
        told = f"{table.shown}: no question looks like free text; name them in columns.text"
        raise InputError(told, "no-text-column")
    texts = tuple((table.header[i], i) for i in chosen)
    return _with_unread(Columns(**{**_fields(placed), "texts": texts}), table.header)


def _is_free(heading: str, rows: Sequence[Row], position: int) -> bool:
    if any(word in heading.casefold() for word in _FREE_HEADINGS):
        return True
    answers = [row.cells[position] for row in rows if row.cells[position].strip()]
    words = [len(answer.split()) for answer in answers]
    return (
        bool(answers)
        and max(words) >= _FREE_WORDS
        and sum(words) >= 4 * len(words)
        and 2 * len(set(answers)) >= len(answers)
    )


def _parts(response_id: str | list[str] | None) -> list[str]:
    if response_id is None:
        return []
    return [response_id] if isinstance(response_id, str) else response_id
