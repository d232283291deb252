"""Erasing what a person, a document or a source left, and the records that duties ask for.

Every function works inside the caller's transaction. Records hold ids only as hashes, never text.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from dsn_nlp.store import schema
from dsn_nlp.store.schema import documents, labels, passages, rejected, reviews, runs, sealed_rows
from dsn_nlp.store.schema_privacy import accesses, deletions, exports, register_entries, tombstones
from dsn_nlp.text import content_id

Scope = Literal["document", "respondent", "source"]
Cause = Literal["erasure", "retention"]
_IDS_A_QUERY = 900
# What a news source leaves besides its documents: addresses and headlines.
_OF_A_SOURCE = (schema.cursors, schema.remembered, schema.postponed)


@dataclass(frozen=True)
class Erasure:
    """What one erasure removed.

    :ivar counts: rows that went, by table.
    :ivar withdrawn: paths of exports that may hold what was erased.
    """

    counts: Mapping[str, int]
    withdrawn: tuple[str, ...] = field(default=(), repr=False)

    @property
    def anything(self) -> bool:
        """Whether any row went."""
        return any(self.counts.values())


def erase(connection: sa.Connection, scope: Scope, value: str) -> Erasure:
    """Erase a document, all of a respondent, or all of a source, and keep it from coming back.

    :param value: a document id, a respondent's keyed hash, or a source's name.
    """
    column = {
        "document": documents.c.document_id,
        "respondent": documents.c.respondent,
        "source": documents.c.source,
    }[scope]
    counts = _remove(connection, column == value)
    counts["sealed_rows"] = _remove_sealed(connection, scope, value)
    if scope == "respondent":
        _bury(connection, [(value, "", None)])
    if scope == "source":
        for table in _OF_A_SOURCE:
            gone = connection.execute(table.delete().where(table.c.source == value)).rowcount
            counts[table.name] = gone
    erasure = Erasure(counts, _withdraw(connection) if any(counts.values()) else ())
    if erasure.anything:
        _log(connection, "erasure", scope, value if scope == "source" else told(value), erasure)
    return erasure


def expire(connection: sa.Connection, source: str, before: datetime) -> Erasure:
    """Erase the documents of a source whose night of arrival began before a moment."""
    old = sa.select(runs.c.run_id).where(runs.c.started_at < before)
    counts = _remove(connection, sa.and_(documents.c.source == source, documents.c.run_id.in_(old)))
    erasure = Erasure(counts, _withdraw(connection) if any(counts.values()) else ())
    if erasure.anything:
        _log(connection, "retention", "source", source, erasure)
    return erasure


def told(value: str) -> str:
    """Hash an id for a log: whoever holds the id can find the entry, nobody else learns it."""
    return hashlib.sha256(value.encode()).hexdigest()


def buried(connection: sa.Connection, values: Iterable[str]) -> set[str]:
    """Tell which of these ids and respondents were erased."""
    by_hash = {told(value): value for value in values}
    hashes = list(by_hash)
    found: set[str] = set()
    for begin in range(0, len(hashes), _IDS_A_QUERY):
        some = hashes[begin : begin + _IDS_A_QUERY]
        query = sa.select(tombstones.c.tombstone).where(tombstones.c.tombstone.in_(some))
        found.update(by_hash[str(known)] for known in connection.scalars(query))
    return found


def record_access(
    connection: sa.Connection, who: str, door: str, purpose: str | None, count: int
) -> None:
    """Record that comment text may have been shown."""
    connection.execute(
        accesses.insert().values(
            access_id=_entry_id(),
            accessed_at=datetime.now(UTC),
            who=who,
            door=door,
            purpose=purpose,
            passages=count,
        )
    )


def record_export(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Record a file that was written; the same path again replaces the entry."""
    key = told(str(row["path"]))[:32]
    connection.execute(exports.delete().where(exports.c.export_id == key))
    now = datetime.now(UTC)
    connection.execute(exports.insert().values(export_id=key, exported_at=now, **row))


def record_entry(connection: sa.Connection, who: str, kind: str, fields: Mapping[str, str]) -> str:
    """Add an entry to a register.

    :return: the entry's id.
    """
    key = _entry_id()
    connection.execute(
        register_entries.insert().values(
            entry_id=key,
            recorded_at=datetime.now(UTC),
            recorded_by=who,
            kind=kind,
            fields=dict(fields),
        )
    )
    return key


def _entry_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"


def _remove(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, int]:
    """Remove documents with all that hangs on them; count first, since cascades do not say."""
    counts = {"documents": 0, "passages": 0, "labels": 0, "reviews": 0}
    of = documents.c
    query = sa.select(of.document_id, of.source, of.url, of.link).where(which)
    gone = [(str(row[0]), str(row[1]), row[2], row[3]) for row in connection.execute(query)]
    if not gone:
        return counts
    chosen = sa.select(passages.c.passage_id).join(documents).where(which)
    for table in (labels, reviews):
        count = sa.select(sa.func.count()).where(table.c.passage_id.in_(chosen))
        counts[table.name] = int(connection.scalar(count) or 0)
    count = sa.select(sa.func.count()).select_from(chosen.subquery())
    counts["passages"] = int(connection.scalar(count) or 0)
    counts["documents"] = len(gone)
    _bury(connection, [(key, source, url) for key, source, url, _ in gone])
    # An article is announced under this address; its own is known only once it is fetched.
    links = {link: source for _, source, _, link in gone if link}
    _bury(connection, [(content_id("article", link), links[link], link) for link in links])
    connection.execute(documents.delete().where(which))
    return counts


def _remove_sealed(connection: sa.Connection, scope: Scope, value: str) -> int:
    """Remove raw rows that wait, encrypted, to be read again."""
    if scope == "document":
        return 0
    which = sealed_rows.c.respondent == value
    if scope == "source":
        refused = sa.select(rejected.c.rejected_id).where(rejected.c.source == value)
        which = sealed_rows.c.rejected_id.in_(refused)
    return connection.execute(sealed_rows.delete().where(which)).rowcount


def _bury(connection: sa.Connection, gone: Sequence[tuple[str, str, str | None]]) -> None:
    now = datetime.now(UTC)
    known = buried(connection, (value for value, *_ in gone))
    rows = [
        {"tombstone": told(value), "source": source, "url": url, "erased_at": now}
        for value, source, url in gone
        if value not in known
    ]
    if rows:
        connection.execute(tombstones.insert(), rows)


def _withdraw(connection: sa.Connection) -> tuple[str, ...]:
    """Mark every export with text as out of date; the next night writes it anew."""
    current = sa.and_(exports.c.has_text, exports.c.withdrawn_at.is_(None))
    paths = tuple(map(str, connection.scalars(sa.select(exports.c.path).where(current))))
    connection.execute(exports.update().where(current).values(withdrawn_at=datetime.now(UTC)))
    return paths


def _log(
    connection: sa.Connection, cause: Cause, scope: Scope, subject: str, erasure: Erasure
) -> None:
    counts = {name: count for name, count in erasure.counts.items() if count}
    connection.execute(
        deletions.insert().values(
            deletion_id=_entry_id(),
            deleted_at=datetime.now(UTC),
            cause=cause,
            scope=scope,
            subject=subject,
            counts=counts | {"exports": len(erasure.withdrawn)},
        )
    )
