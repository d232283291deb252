"""Relevance, sites, voices and near-copies of documents: rows in, records out.

Every function works inside the caller's transaction. What a document's context is depends on its
text alone, so writing it again changes nothing; groups are named when a run is published.
"""

from collections.abc import Iterable, Mapping, Sequence
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
MOST_A_BAND = 50


def without_context(
    connection: sa.Connection, preparation: str, limit: int, after: str = ""
) -> list[tuple[Document, list[Passage]]]:
    """Read documents, with their passages, that this preparation has not looked at yet.

    :param after: only ids past this one: the last seen, which spares the store a rescan.
    """
    known = sa.exists().where(
        contexts.c.document_id == documents.c.document_id, contexts.c.preparation == preparation
    )
    later = sa.select(documents).where(~known, documents.c.document_id > after)
    query = later.order_by(documents.c.document_id).limit(limit)
    found = [_document(row) for row in connection.execute(query).mappings()]
    cut: dict[str, list[Passage]] = {one.document_id: [] for one in found}
    of_these = sa.select(passages).where(passages.c.document_id.in_(list(cut)))
    for row in connection.execute(of_these.order_by(passages.c.position)).mappings():
        cut[row["document_id"]].append(_passage(row))
    return [(one, cut[one.document_id]) for one in found]


def same_texts(connection: sa.Connection, preparation: str, keys: Iterable[str]) -> dict[str, str]:
    """Name the first document, by id, of each of these texts that this preparation has told.

    One that earlier rules told is about to be told anew, and may then take its bands from another.
    """
    told = contexts.c.preparation == preparation
    found = _first_of(connection, contexts.c.text_key, keys, 1, told)
    return {key: first for key, (first,) in found.items()}


def in_bands(connection: sa.Connection, keys: Iterable[str]) -> dict[str, list[str]]:
    """Name the first documents, by id, of each of these bands; see ``prepare.copies``.

    :return: one document more than counts, so that a document can be left out of its own bands.
    """
    return _first_of(connection, bands.c.band_key, keys, MOST_A_BAND + 1)


def _first_of(
    connection: sa.Connection,
    column: sa.Column[str],
    keys: Iterable[str],
    most: int,
    only: sa.ColumnElement[bool] | None = None,
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    own = column.table.c.document_id
    rank = sa.func.row_number().over(partition_by=column, order_by=own).label("rank")
    every = sa.select(column, own, rank)
    chosen = every if only is None else every.where(only)
    for some in _slices(sorted(set(keys))):
        ranked = chosen.where(column.in_(some)).subquery()
        query = sa.select(*list(ranked.c)[:2]).where(ranked.c.rank <= most).order_by(ranked.c.rank)
        for key, document_id in connection.execute(query):
            found.setdefault(str(key), []).append(str(document_id))
    return found


def texts_of(connection: sa.Connection, ids: Iterable[str]) -> dict[str, str]:
    """Read the texts of documents."""
    found: dict[str, str] = {}
    for some in _slices(sorted(set(ids))):
        query = sa.select(documents.c.document_id, documents.c.text)
        rows = connection.execute(query.where(documents.c.document_id.in_(some)))
        found.update((str(key), str(text)) for key, text in rows)
    return found


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
    _insert(connection, told, groups)
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
    named = contexts.update().where(contexts.c.document_id == sa.bindparam("key"))
    connection.execute(
        named.values(group_id=sa.bindparam("group")),
        [{"key": key, "group": find(key)} for key in sorted(new)],
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


def _insert(
    connection: sa.Connection, told: Sequence[DocumentContext], groups: Mapping[str, str]
) -> None:
    rows: list[tuple[sa.Table, list[Row]]] = [
        (contexts, [_context_row(one, groups.get(one.document_id)) for one in told]),
        (mentions, [
            {"document_id": one.document_id, "start_offset": start, "end_offset": end, "site": site}
            for one in told for start, end, site in one.mentions
        ]),
        (voices, [
            {"document_id": one.document_id, "start_offset": start, "end_offset": end,
             "role": role, "direct": direct}
            for one in told for start, end, role, direct in one.voices
        ]),
        (bands, [
            {"band_key": band, "document_id": one.document_id}
            for one in told for band in sorted(set(one.bands))
        ]),
        (passage_contexts, [
            {"passage_id": passage, "site": site, "voice_role": role}
            for one in told for passage, site, role in one.passages
        ]),
    ]  # fmt: skip
    for table, made in rows:
        if made:
            connection.execute(table.insert(), made)
    pairs = {tuple(sorted((one.document_id, other))) for one in told for other in one.copies}
    insert_new(connection, near_copies, [
        {"document_id": one, "other_id": other} for one, other in sorted(pairs)
    ])  # fmt: skip


def _context_row(one: DocumentContext, group: str | None) -> Row:
    return {
        "document_id": one.document_id,
        "preparation": one.preparation,
        "site": one.site,
        "relevance_score": float(one.relevance_score),
        "relevance_reason": one.relevance_reason,
        "text_key": one.text_key,
        "group_id": group,
    }


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
