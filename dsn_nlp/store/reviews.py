"""What people say of passages: candidates out, reviewed labels in.

Every function works inside the caller's transaction.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Candidate, Review
from dsn_nlp.store.schema import documents, labels, models, passages, reviews, runs

_IDS_A_QUERY = 900


def candidates(connection: sa.Connection, annotator: str | None = None) -> list[Candidate]:
    """Read published passages with the serving model's labels that nobody has reviewed.

    :param annotator: only leave out what this person has reviewed, for a second reading.
    """
    reviewed = sa.exists().where(reviews.c.passage_id == passages.c.passage_id)
    if annotator is not None:
        reviewed = reviewed.where(reviews.c.annotator == annotator)
    query = (
        sa.select(labels, passages.c.text, passages.c.lang, documents.c.kind)
        .join(models, sa.and_(models.c.model == labels.c.model, models.c.serving))
        .join(passages, passages.c.passage_id == labels.c.passage_id)
        .join(documents, documents.c.document_id == passages.c.document_id)
        .join(runs, sa.and_(runs.c.run_id == labels.c.run_id, runs.c.status == "published"))
        .where(~reviewed)
        .order_by(labels.c.passage_id)
    )
    return [_candidate(row) for row in connection.execute(query).mappings()]


def add_reviews(connection: sa.Connection, given: Iterable[Review]) -> int:
    """Store reviews; a later one of the same person on the same passage replaces the earlier.

    :return: how many were new or changed.
    """
    count = 0
    for review in given:
        count += _put(connection, review)
    return count


def known_passages(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Tell which of these passage ids are stored."""
    wanted = sorted(set(ids))
    found: set[str] = set()
    for begin in range(0, len(wanted), _IDS_A_QUERY):
        some = wanted[begin : begin + _IDS_A_QUERY]
        query = sa.select(passages.c.passage_id).where(passages.c.passage_id.in_(some))
        found.update(str(known) for known in connection.scalars(query))
    return found


def read_reviews(connection: sa.Connection) -> list[tuple[Review, str, str, str]]:
    """Read every review with its passage's text, language and document kind, by passage."""
    query = (
        sa.select(reviews, passages.c.text, passages.c.lang, documents.c.kind)
        .join(passages, passages.c.passage_id == reviews.c.passage_id)
        .join(documents, documents.c.document_id == passages.c.document_id)
        .order_by(reviews.c.passage_id, reviews.c.annotator)
    )
    rows = connection.execute(query).mappings()
    return [(_review(row), row["text"], row["lang"], row["kind"]) for row in rows]


def _put(connection: sa.Connection, review: Review) -> int:
    where = sa.and_(
        reviews.c.passage_id == review.passage_id, reviews.c.annotator == review.annotator
    )
    row = {
        "passage_id": review.passage_id,
        "annotator": review.annotator,
        "reviewed_at": review.reviewed_at,
        "sentiment": review.sentiment,
        **{name: name in review.complaints for name in COMPLAINTS},
    }
    stored = connection.execute(sa.select(reviews).where(where)).mappings().one_or_none()
    if stored is None:
        connection.execute(reviews.insert(), [row])
        return 1
    said = _review(stored)
    if said.reviewed_at > review.reviewed_at or (said.complaints, said.sentiment) == (
        review.complaints,
        review.sentiment,
    ):
        return 0
    connection.execute(reviews.update().where(where).values(row))
    return 1


def _candidate(row: sa.RowMapping) -> Candidate:
    return Candidate(
        passage_id=row["passage_id"],
        lang=row["lang"],
        kind=row["kind"],
        text=row["text"],
        complaints=tuple(name for name in COMPLAINTS if row[name]),
        sentiment=row["sentiment"],
        scores=tuple(row[f"{name}_score"] for name in (*COMPLAINTS, *SENTIMENTS)),
    )


def _review(row: Any) -> Review:
    return Review(
        passage_id=row["passage_id"],
        annotator=row["annotator"],
        reviewed_at=row["reviewed_at"],
        complaints=tuple(name for name in COMPLAINTS if row[name]),
        sentiment=row["sentiment"],
    )
