"""One hash of all content, equal for equal content on any database and in any order of writing."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from dsn_nlp.store.schema import contexts, documents, labels, mentions, passages, rejected, voices

_ROWS_A_FETCH = 1000
# Who wrote a row and when is bookkeeping, not content; the day follows from the moment.
_BOOKKEEPING = {"run_id", "first_seen_at", "settled_at", "day"}


def digest(connection: sa.Connection) -> str:
    """Hash documents, passages, labels (scores to four decimals), contexts and open rejections.

    A rejection that is settled tells of a night gone by, and not of what is in the store.
    Rows are streamed by key, so memory does not grow with the store.

    :param connection: in a transaction that sees one state of the store.
    :return: 64 hexadecimal digits.
    """
    total = hashlib.sha256()
    table = ""
    for name, line in content_lines(connection):
        if name != table:
            total.update(f"{name}\n".encode())
            table = name
        total.update(line)
    return total.hexdigest()


def content_lines(connection: sa.Connection) -> Iterator[tuple[str, bytes]]:
    """Give what :func:`digest` hashes: the name of a table and a row of it, by key."""
    for table in (documents, passages, labels, rejected, contexts, mentions, voices):
        for row in _stream(connection, table):
            yield table.name, _canonical(row)


def _stream(connection: sa.Connection, table: sa.Table) -> sa.CursorResult[tuple[object, ...]]:
    columns = [column for column in table.columns if column.name not in _BOOKKEEPING]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    if "settled_at" in table.columns:
        query = query.where(table.c.settled_at.is_(None))
    return connection.execution_options(yield_per=_ROWS_A_FETCH).execute(query)


def _canonical(row: Sequence[object]) -> bytes:
    return (json.dumps([_plain(value) for value in row], ensure_ascii=False) + "\n").encode()


def _plain(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.4f}"
    return value.isoformat() if isinstance(value, datetime) else value
