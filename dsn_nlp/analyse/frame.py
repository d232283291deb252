"""All published passages as columns of numbers, read once; texts stay in the store.

Near-copies are left out but for one of each group, so that a press release printed in ten papers
counts once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from dsn_nlp.analyse.roles import trade_of
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import read_only_engine
from dsn_nlp.store.engine import describe, parse_url
from dsn_nlp.store.failures import translated
from dsn_nlp.store.schema import QUEBEC, documents, labelled_passages

NO_DAY = -1
DEMO = "demo-"
_ROWS_A_FETCH = 20_000
_CODED = ("kind", "lang", "source", "site", "role", "voice")
_FILTERS = dict(zip(("kinds", "langs", "sources", "sites", "roles", "voices"), _CODED, strict=True))
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Column:
    """Values of one dimension as codes into their names; code 0 is the empty name: unknown."""

    codes: Codes
    names: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """``n`` published passages.

    :ivar columns: ``kind``, ``lang``, ``source``, ``site``, ``role`` and ``voice``.
    :ivar day: proleptic ordinal of the day in Québec; ``NO_DAY`` where unknown.
    :ivar passage: ids, as bytes.
    :ivar document: index of the passage's document.
    :ivar respondent: index of the person who commented (of the document, where no key is
        stored); -1 for articles.
    :ivar edition: number of the night that brought the document, in order of the nights.
    :ivar told: whether the model tells each complaint, ``(n, 5)``.
    :ivar scores: probability of each complaint, float32 ``(n, 5)``.
    :ivar mood: index into ``SENTIMENTS``, ``(n,)``.
    :ivar mood_score: probability of that sentiment, float32 ``(n,)``.
    """

    columns: dict[str, Column]
    day: Codes
    passage: npt.NDArray[np.bytes_]
    document: Codes
    respondent: Codes
    edition: Codes
    told: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float32]
    mood: npt.NDArray[np.uint8]
    mood_score: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.day)

    def chosen(self, scope: Scope) -> npt.NDArray[np.intp]:
        """Rows that a scope selects, in order."""
        keep = np.ones(len(self), bool)
        if scope.since:
            keep &= self.day >= scope.since.toordinal()
        if scope.until:
            keep &= (self.day != NO_DAY) & (self.day <= scope.until.toordinal())
        for name, dimension in _FILTERS.items():
            wanted = getattr(scope, name)
            if wanted:
                column = self.columns[dimension]
                codes = [i for i, known in enumerate(column.names) if known in wanted]
                keep &= np.isin(column.codes, codes)
        return np.flatnonzero(keep)

    def days(self, rows: npt.NDArray[np.intp]) -> tuple[date | None, date | None]:
        """First and last day among some rows."""
        known = self.day[rows]
        known = known[known != NO_DAY]
        if not len(known):
            return None, None
        return date.fromordinal(int(known.min())), date.fromordinal(int(known.max()))


def is_invented(frame: Frame) -> bool:
    """Whether passages are of a demonstration: their sources say so."""
    return any(name.startswith(DEMO) for name in frame.columns["source"].names)


def read_frame(url: str) -> Frame:
    """Read every published passage but near-copies.

    :param url: of the store.
    :raises StoreError: when there is no store, or it cannot be read.
    """
    reader = _Reader()
    engine = read_only_engine(url)
    with translated(describe(parse_url(url))), engine.connect() as connection, connection.begin():
        rows = connection.execution_options(yield_per=_ROWS_A_FETCH).execute(_query())
        for part in rows.partitions():
            reader.take(part)
    return reader.frame()


def _query() -> sa.Select[tuple[object, ...]]:
    view = labelled_passages.c
    told: sa.ColumnElement[int] = sa.literal(0)
    for place, name in enumerate(COMPLAINTS):
        told = told + sa.case((view[name], 1 << place), else_=0)
    moods = {mood: index for index, mood in enumerate(SENTIMENTS)}
    voice = view["voice_role"] if "voice_role" in view else sa.null()
    query = sa.select(
        view.passage_id,
        view.document_id,
        view.kind,
        view.lang,
        view.source,
        view.site,
        documents.c.role,
        voice,
        documents.c.respondent,
        documents.c.run_id,
        # As stored: each moment is read once, not each row.
        sa.type_coerce(view.published_at, sa.types.NullType()),
        told,
        sa.case(moods, value=view.sentiment),
        view.sentiment_score,
        *(view[f"{name}_score"] for name in COMPLAINTS),
    ).join_from(labelled_passages, documents, documents.c.document_id == view.document_id)
    if "representative" in view:
        query = query.where(view["representative"])
    return query


class _Codes:
    """Gives each value a number, in order of appearance."""

    def __init__(self, *first: str) -> None:
        self.known: dict[object, int] = {value: i for i, value in enumerate(first)}
        self.parts: list[Codes] = []

    def take(self, values: Iterable[object]) -> None:
        known = self.known
        codes = [known.setdefault(value, len(known)) for value in values]
        self.parts.append(np.array(codes, np.int32))

    def all(self) -> Codes:
        return np.concatenate(self.parts) if self.parts else np.zeros(0, np.int32)


class _Reader:
    """Turns rows into columns, part by part."""

    def __init__(self) -> None:
        self.coded = {name: _Codes("") for name in _CODED}
        self.document, self.respondent, self.moment = _Codes(), _Codes(), _Codes()
        self.run = _Codes()
        self.passages: list[npt.NDArray[np.bytes_]] = []
        self.numbers: list[npt.NDArray[np.float64]] = []

    def take(self, rows: Sequence[sa.Row[tuple[object, ...]]]) -> None:
        passages, ids, kind, lang, source, site, role, voice, respondent, run, moment, *numbers = (
            zip(*rows, strict=True)
        )
        self.passages.append(np.array(passages, "S"))
        speaks = [
            told if is_ == "article" else trade_of(given)
            for is_, told, given in zip(kind, voice, role, strict=True)
        ]
        for name, values in zip(_CODED, (kind, lang, source, site, role, speaks), strict=True):
            self.coded[name].take(value or "" for value in values)
        self.document.take(ids)
        self.respondent.take(
            None if is_ == "article" else key or one
            for is_, key, one in zip(kind, respondent, ids, strict=True)
        )
        self.run.take(run)
        self.moment.take(moment)
        self.numbers.append(np.array(numbers, np.float64))

    def frame(self) -> Frame:
        numbers = np.hstack(self.numbers) if self.numbers else np.zeros((3 + len(COMPLAINTS), 0))
        bits = numbers[0].astype(np.int64)
        respondent = self.respondent.all()
        nobody = self.respondent.known.get(None, -2)
        days = np.array([_day(moment) for moment in self.moment.known], np.int32)
        return Frame(
            columns={
                name: Column(codes.all(), tuple(map(str, codes.known)))
                for name, codes in self.coded.items()
            },
            day=days[self.moment.all()] if len(days) else np.zeros(0, np.int32),
            passage=np.concatenate(self.passages) if self.passages else np.zeros(0, "S1"),
            document=self.document.all(),
            respondent=np.where(respondent == nobody, -1, respondent).astype(np.int32),
            edition=self._edition(),
            told=(bits[:, None] >> np.arange(len(COMPLAINTS)) & 1).astype(bool),
            scores=np.ascontiguousarray(numbers[3:].T, np.float32),
            mood=numbers[1].astype(np.uint8),
            mood_score=numbers[2].astype(np.float32),
        )

    def _edition(self) -> Codes:
        """Nights by their ids, which begin with when they began."""
        names = [str(name) for name in self.run.known]
        rank = np.empty(len(names), np.int32)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        return rank[self.run.all()]


def _day(moment: object) -> int:
    if moment is None:
        return NO_DAY
    known = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return known.astimezone(QUEBEC).date().toordinal()


def monday(day: Codes) -> Codes:
    """Ordinal of the Monday of each day's week."""
    # Ordinal 1, the first of January of year 1, was a Monday.
    return ((day - 1) // 7 * 7 + 1).astype(np.int32)


def today() -> date:
    """Today in Québec."""
    return datetime.now(UTC).astimezone(QUEBEC).date()
