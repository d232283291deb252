"""Relevance, sites, voices and near-copies of documents: rows in, records out.

Every function works inside the caller's transaction. What a document's context is depends on its
text alone, so writing it again changes nothing; groups are named when a run is published.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from dsn_nlp.groups import Groups
from dsn_nlp.records import Document, DocumentContext, Passage
from dsn_nlp.store.content import insert_new
from dsn_nlp.store.schema import (
    bands,
    contexts,
    documents,
    mentions,
    near_copies,
    passage_contexts,
    passages,
    voices,
)

Row = dict[str, Any]
_KEYS_A_QUERY = 900
# A band shared by more texts than this is boilerplate, or one text copied without end.
_MOST_A_BAND = 50


def without_context(
    connection: sa.Connection, preparation: str, limit: int
) -> list[tuple[Document, list[Passage]]]:
    """Read documents, with their passages, that this preparation has not looked at yet."""
    known = sa.exists().where(
        contexts.c.document_id == documents.c.document_id, contexts.c.preparation == preparation
    )
    query = sa.select(documents).where(~known).order_by(documents.c.document_id).limit(limit)
    found = [_document(row) for row in connection.execute(query).mappings()]
    cut: dict[str, list[Passage]] = {one.document_id: [] for one in found}
    of_these = sa.select(passages).where(passages.c.document_id.in_(list(cut)))
    for row in connection.execute(of_these.order_by(passages.c.position)).mappings():
        cut[row["document_id"]].append(_passage(row))
    return [(one, cut[one.document_id]) for one in found]


def copies_of(connection: sa.Connection, key: str, document_id: str) -> str | None:
    """Name another document of the same text, if one has a context."""
    query = sa.select(sa.func.min(contexts.c.document_id)).where(
        contexts.c.text_key == key, contexts.c.document_id != document_id
    )
    found: str | None = connection.scalar(query)
    return found


def alike(
    connection: sa.Connection, keys: Sequence[str], document_id: str
) -> list[tuple[str, str]]:
    """Read ids and texts of documents that share a band, by id; see ``prepare.copies``."""
    rank = sa.func.row_number().over(partition_by=bands.c.band_key, order_by=bands.c.document_id)
    ranked = sa.select(bands.c.document_id, rank.label("rank")).where(
        bands.c.band_key.in_(keys), bands.c.document_id != document_id
    ).subquery()  # fmt: skip
    near = sa.select(ranked.c.document_id).where(ranked.c.rank <= _MOST_A_BAND).distinct()
    query = sa.select(documents.c.document_id, documents.c.text).where(
        documents.c.document_id.in_(near)
    )
    return [(str(key), text) for key, text in connection.execute(query)]


def add_contexts(connection: sa.Connection, given: Iterable[DocumentContext]) -> int:
    """Store contexts, in place of those of an earlier preparation.

    :return: how many.
    """
    told = list(given)
    ids = [one.document_id for one in told]
    groups = _groups(connection, ids)
    for table in (contexts, mentions, voices, bands):
        for some in _slices(ids):
            connection.execute(table.delete().where(table.c.document_id.in_(some)))
    passage_ids = [key for one in told for key, _, _ in one.passages]
    for some in _slices(passage_ids):
        gone = passage_contexts.c.passage_id.in_(some)
        connection.execute(passage_contexts.delete().where(gone))
    for one in told:
        _insert(connection, one, groups.get(one.document_id))
    return len(told)


def regroup(connection: sa.Connection) -> None:
    """Name the groups of documents that have none yet, and merge those that they bring together."""
    new = set(connection.scalars(sa.select(contexts.c.document_id).where(_ungrouped())))
    if not new:
        return
    pairs = _edges_of(connection, new)
    known = _groups(connection, [other for pair in pairs for other in pair])
    groups = Groups()
    groups.join([*pairs, *known.items()])
    find = groups.find
    for key in sorted(new):
        connection.execute(
            contexts.update().where(contexts.c.document_id == key).values(group_id=find(key))
        )
    for group in sorted(set(known.values())):
        if find(group) != group:
            moved = contexts.update().where(contexts.c.group_id == group)
            connection.execute(moved.values(group_id=find(group)))


def _ungrouped() -> sa.ColumnElement[bool]:
    return contexts.c.group_id.is_(None)


def _edges_of(connection: sa.Connection, new: set[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for some in _slices(sorted(new)):
        for column in (near_copies.c.document_id, near_copies.c.other_id):
            query = sa.select(near_copies.c.document_id, near_copies.c.other_id)
            rows = connection.execute(query.where(column.in_(some)))
            found.extend((str(one), str(other)) for one, other in rows)
    return found


def _groups(connection: sa.Connection, ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _slices(sorted(set(ids))):
        query = sa.select(contexts.c.document_id, contexts.c.group_id).where(
            contexts.c.document_id.in_(some), ~_ungrouped()
        )
        found.update((str(key), str(group)) for key, group in connection.execute(query))
    return found


def _insert(connection: sa.Connection, one: DocumentContext, group: str | None) -> None:
    key = one.document_id
    row = {
        "document_id": key,
        "preparation": one.preparation,
        "site": one.site,
        "relevance_score": float(one.relevance_score),
        "relevance_reason": one.relevance_reason,
        "text_key": one.text_key,
        "group_id": group,
    }
    connection.execute(contexts.insert(), row)
    rows: list[tuple[sa.Table, list[Row]]] = [
        (mentions, [
            {"document_id": key, "start_offset": start, "end_offset": end, "site": site}
            for start, end, site in one.mentions
        ]),
        (voices, [
            {"document_id": key, "start_offset": s, "end_offset": e, "role": r, "direct": d}
            for s, e, r, d in one.voices
        ]),
        (bands, [{"band_key": band, "document_id": key} for band in sorted(set(one.bands))]),
        (passage_contexts, [
            {"passage_id": passage, "site": site, "voice_role": role}
            for passage, site, role in one.passages
        ]),
    ]  # fmt: skip
    for table, made in rows:
        if made:
            connection.execute(table.insert(), made)
    insert_new(connection, near_copies, [
        {"document_id": min(key, other), "other_id": max(key, other)} for other in one.copies
    ])  # fmt: skip


def _slices(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    for at in range(0, len(ids), _KEYS_A_QUERY):
        yield ids[at : at + _KEYS_A_QUERY]


def _document(row: sa.RowMapping) -> Document:
    names = ("document_id", "kind", "source", "text", "lang", "url", "title", "published_at",
             "site", "unit", "role")  # fmt: skip
    return Document(**{name: row[name] for name in names})


def _passage(row: sa.RowMapping) -> Passage:
    names = ("passage_id", "document_id", "position", "text", "lang")
    fields = {name: row[name] for name in names}
    return Passage(**fields, start=row["start_offset"], end=row["end_offset"])
