"""Questions that the summary of a night, and later pages, ask of ``labelled_passages``."""

from dataclasses import dataclass

from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import run_query


@dataclass(frozen=True)
class Breakdown:
    """Passages of one kind and language (``None``: of all), by complaint and sentiment."""

    kind: str | None
    lang: str | None
    passages: int
    complaints: tuple[int, ...]
    sentiments: tuple[int, ...]
    needs_review: int


def breakdown(url: str) -> list[Breakdown]:
    """Count passages by kind and language, with a last row for all of them.

    :param url: of the store.
    :raises StoreError: when there is no store, or it cannot be read.
    """
    sums = [f"sum(case when {label} then 1 else 0 end)" for label in COMPLAINTS]
    sums += [f"sum(case when sentiment = '{mood}' then 1 else 0 end)" for mood in SENTIMENTS]
    sums.append("sum(case when needs_review then 1 else 0 end)")
    _, rows = run_query(
        url,
        f"select kind, lang, count(*), {', '.join(sums)} "
        "from labelled_passages group by kind, lang order by kind, lang",
    )
    parts = [_to_breakdown(row[0], row[1], [int(cell) for cell in row[2:]]) for row in rows]
    totals = [sum(column) for column in zip(*[[int(c) for c in r[2:]] for r in rows], strict=True)]
    return [*parts, _to_breakdown(None, None, totals)] if parts else []


def _to_breakdown(kind: str | None, lang: str | None, counts: list[int]) -> Breakdown:
    cut = 1 + len(COMPLAINTS)
    return Breakdown(
        kind=kind,
        lang=lang,
        passages=counts[0],
        complaints=tuple(counts[1:cut]),
        sentiments=tuple(counts[cut : cut + len(SENTIMENTS)]),
        needs_review=counts[-1],
    )
