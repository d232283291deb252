"""Questions that the summary of a night, and later pages, ask of ``labelled_passages``."""

from dataclasses import dataclass
from typing import Any

from dsn_nlp.analyse.cells import THRESHOLD, TOTAL, suppress
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import run_query

_FIGURES = ("passages", *COMPLAINTS, *SENTIMENTS, "needs_review")


@dataclass(frozen=True)
class Breakdown:
    """Passages of one kind and language (``None``: of all), by complaint and sentiment.

    Figures are ``None`` where too few people stand behind them.
    """

    kind: str | None
    lang: str | None
    passages: int | None
    complaints: tuple[int | None, ...]
    sentiments: tuple[int | None, ...]
    needs_review: int | None


def breakdown(url: str, respondents: int = THRESHOLD) -> list[Breakdown]:
    """Count passages by kind and language, with a last row for all of them.

    :param url: of the store.
    :param respondents: fewest people a group may have and be shown.
    :raises StoreError: when there is no store, or it cannot be read.
    """
    sums = [f"sum(case when p.{label} then 1 else 0 end)" for label in COMPLAINTS]
    sums += [f"sum(case when p.sentiment = '{mood}' then 1 else 0 end)" for mood in SENTIMENTS]
    sums.append("sum(case when p.needs_review then 1 else 0 end)")
    people = "case when p.kind = 'comment' then coalesce(d.respondent, d.document_id) end"
    _, found = run_query(
        url,
        f"select p.kind, p.lang, count(distinct {people}), count(*), {', '.join(sums)} "
        "from labelled_passages p join documents d on d.document_id = p.document_id "
        "group by p.kind, p.lang order by p.kind, p.lang",
    )
    columns = ("kind", "lang", "respondents", *_FIGURES)
    rows: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in found]
    if not rows:
        return []
    total = {name: sum(int(row[name]) for row in rows) for name in columns[2:]}
    rows.append({"kind": TOTAL, "lang": TOTAL} | total)
    return [
        _to_breakdown(row)
        for row in suppress(_joined(rows), ("cell",), "respondents", _FIGURES, respondents).rows
    ]


def _joined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One dimension for both, since no sum of a kind or a language is shown."""
    return [
        row | {"cell": TOTAL if row["kind"] == TOTAL else f"{row['kind']} {row['lang']}"}
        for row in rows
    ]


def _to_breakdown(row: dict[str, Any]) -> Breakdown:
    all_ = row["kind"] == TOTAL

    def figures(names: tuple[str, ...]) -> tuple[int | None, ...]:
        return tuple(None if row[name] is None else int(row[name]) for name in names)

    return Breakdown(
        None if all_ else row["kind"],
        None if all_ else row["lang"],
        figures(("passages",))[0],
        figures(COMPLAINTS),
        figures(SENTIMENTS),
        figures(("needs_review",))[0],
    )
