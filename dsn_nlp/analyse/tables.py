"""The rows that questions are answered with, and what stands under every table: its origin."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1] (net sentiment: in [-1, 1]) with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class About:
    """Where a table is from, so that every figure can be traced.

    :ivar run_id: newest published run; ``None`` where there is none.
    :ivar published_at: when that run was published, UTC.
    :ivar model: the serving model, ``name@version``.
    :ivar thresholds: from which score the model tells each complaint.
    :ivar corrected: whether shares are corrected for the model's measured errors; ``False`` for a
        model that carries no error profile, whose shares are then plain counts.
    :ivar respondents: fewest people a group may have and be shown.
    :ivar passages: passages the table is about, near-copies counted once.
    :ivar since: first day in it, Québec time.
    :ivar until: last day in it.
    """

    run_id: str | None
    published_at: datetime | None
    model: str | None
    corrected: bool
    respondents: int
    passages: int
    since: date | None
    until: date | None
    thresholds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Table(Generic[Row_co]):
    """An answer: its rows, what they are cut by, where they are from and how many are hidden.

    :ivar by: dimensions that the rows are cut by.
    :ivar hidden: rows whose figures are withheld because too few people stand behind them.
    :ivar sides: what ``first`` and ``second`` are, where the question itself says so.
    """

    rows: tuple[Row_co, ...]
    about: About
    by: tuple[str, ...] = ()
    hidden: int = 0
    sides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Share of one complaint or sentiment in one group.

    Every figure is ``None`` in a group that is too small to be shown.

    :ivar group: one value a dimension of the table; ``"∑"`` sums over it.
    :ivar label: a complaint, a sentiment, or ``net`` (positive less negative, in [-1, 1]).
    :ivar told: passages that the model tells to have it.
    :ivar counted: their plain share, biased by the model's errors.
    :ivar share: the share corrected for them; equal to ``counted`` without an error profile.
    """

    group: tuple[str, ...]
    label: str
    passages: int | None
    documents: int | None
    respondents: int | None
    told: int | None
    counted: float | None
    share: Estimate | None

    @property
    def hidden(self) -> bool:
        """Whether the group is too small to be shown."""
        return self.passages is None


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two complaints in the same passage, as the model tells them.

    :ivar both: passages with both.
    :ivar expected: passages there would be, were they independent.
    :ivar lift: ``both / expected``; above 1 they attract each other.
    :ivar q: false discovery rate at which they are not independent (Fisher, Benjamini-Hochberg).
    """

    label: str
    other: str
    both: int | None
    expected: float | None
    lift: float | None
    q: float | None


@dataclass(frozen=True, slots=True)
class WordRow:
    """A word, or two, that sets passages with a label apart from the others of the scope.

    :ivar z: weighted log-odds with an informative prior (Monroe, Colaresi and Quinn 2008).
    """

    words: str
    lang: str
    passages: int
    elsewhere: int
    z: float


@dataclass(frozen=True, slots=True)
class PassageRow:
    """One de-identified passage and what the model says of it."""

    passage_id: str
    document_id: str
    kind: str
    lang: str
    source: str
    site: str | None
    day: date | None
    complaints: tuple[str, ...]
    sentiment: str
    score: float
    text: str

    def __repr__(self) -> str:
        return f"PassageRow({self.passage_id}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One share in two groups, and whether they differ.

    :ivar difference: second less first.
    :ivar q: false discovery rate at which the difference is told (Benjamini-Hochberg over the
        whole table).
    :ivar verdict: ``rises``, ``falls`` or ``steady``; a change is told only where ``q`` ≤ 0.05.
    """

    group: tuple[str, ...]
    label: str
    first: Estimate | None
    second: Estimate | None
    difference: Estimate | None
    q: float | None
    verdict: str | None


def flat(table: Table[Any]) -> tuple[list[str], list[list[Any]]]:
    """Spread a table out for spreadsheets: a column a figure, an interval in three.

    :return: names of the columns, and rows of as many values.
    """
    rows = [_spread(row, table.by) for row in table.rows]
    names = list(rows[0]) if rows else []
    for row in rows:
        names += [name for name in row if name not in names]
    return names, [[row.get(name) for name in names] for row in rows]


def _spread(row: Any, by: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name == "group":
            cells |= dict(zip(by, value, strict=True))
        elif "Estimate" in str(field.type):
            for part in ("value", "low", "high"):
                name = field.name if part == "value" else f"{field.name}_{part}"
                cells[name] = getattr(value, part) if value is not None else None
        else:
            cells[field.name] = _cell(value)
    return cells


def _cell(value: Any) -> Any:
    if is_dataclass(value):
        return repr(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
