"""Reviewed labels: checked into the store, out of it as agreement and as rows to train on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, groupby

from dsn_nlp.records import Review
from dsn_nlp.review.agreement import Told, kappas
from dsn_nlp.review.read import Unusable
from dsn_nlp.store import Store

# How the corpora name what the store calls an article.
_CORPUS_KINDS = {"article": "news", "comment": "comment"}


@dataclass(frozen=True)
class Reviewed:
    """One passage that people have reviewed and do not disagree on."""

    passage_id: str
    text: str
    lang: str
    kind: str
    complaints: tuple[str, ...]
    sentiment: str

    def __repr__(self) -> str:
        return f"Reviewed({self.passage_id}, {len(self.text)} characters)"


@dataclass(frozen=True)
class Intake:
    """What came of an import.

    :ivar stored: reviews that were new or changed.
    :ivar unchanged: reviews that were there already.
    :ivar unusable: rows put aside, with their reasons.
    """

    stored: int
    unchanged: int
    unusable: tuple[Unusable, ...]


def take_in(store: Store, found: Iterable[Review | Unusable]) -> Intake:
    """Store the good rows of a sheet and report the others."""
    rows = list(found)
    reviews = [row for row in rows if isinstance(row, Review)]
    known = store.known_passages(review.passage_id for review in reviews)
    good = [review for review in reviews if review.passage_id in known]
    aside = [row for row in rows if isinstance(row, Unusable)]
    aside += [
        Unusable(f"passage {review.passage_id[:64]!r}", "no such passage in this store")
        for review in reviews
        if review.passage_id not in known
    ]
    stored = store.add_reviews(good)
    return Intake(stored, len(good) - stored, tuple(aside))


def reviewed_passages(store: Store) -> Iterator[Reviewed]:
    """Read reviewed passages that serve as examples; those people disagree on are left out."""
    for _, rows in groupby(store.reviews(), key=lambda row: row[0].passage_id):
        said = list(rows)
        review, text, lang, kind = said[0]
        if len({(other.complaints, other.sentiment) for other, *_ in said}) == 1:
            yield Reviewed(
                review.passage_id, text, lang, _CORPUS_KINDS[kind], review.complaints,
                review.sentiment,
            )  # fmt: skip


def agreement(store: Store) -> tuple[int, dict[str, float]]:
    """Kappa a label over all pairs of reviews of the same passage, and how many pairs there are."""
    pairs: list[tuple[Told, Told]] = []
    for _, rows in groupby(store.reviews(), key=lambda row: row[0].passage_id):
        said = [(row[0].complaints, row[0].sentiment) for row in rows]
        pairs.extend(combinations(said, 2))
    return len(pairs), kappas(pairs)
