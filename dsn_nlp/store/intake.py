"""Files read, and what was set aside of them: sealed rows, settled and asked for again.

Every function works inside the caller's transaction.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict

import sqlalchemy as sa

from dsn_nlp.store.gathering import ARTICLE_STAGES, put_off_more
from dsn_nlp.store.schema import deliveries, rejected, sealed_rows

_IDS_A_QUERY = 900


class DeliveryRow(TypedDict):
    """A file of a source: keyed hash of its bytes, hash of the settings, state and notes."""

    source: str
    content_key: str
    reading: str
    name: str
    state: str
    notes: str | None


def known_deliveries(connection: sa.Connection, source: str) -> dict[str, str]:
    """Give the hash of the settings with which each file of a source was last read."""
    table = deliveries.c
    query = sa.select(table.content_key, table.reading).where(table.source == source)
    return {str(key): str(reading) for key, reading in connection.execute(query)}


def add_delivery(connection: sa.Connection, row: DeliveryRow) -> None:
    """Remember a file; what was known of it gives way."""
    key = (deliveries.c.source == row["source"], deliveries.c.content_key == row["content_key"])
    connection.execute(deliveries.delete().where(*key))
    now = datetime.now(UTC)
    connection.execute(deliveries.insert().values(**row, read_at=now))
    if row["state"] == "read":
        # What this file, or the source as a whole, was refused for has been mended.
        mended = (rejected.c.source == row["source"], rejected.c.settled_at.is_(None))
        whole = sa.or_(
            sa.and_(rejected.c.stage == "file", rejected.c.place == row["name"]),
            rejected.c.stage == "source",
        )
        connection.execute(rejected.update().where(*mended, whole).values(settled_at=now))


def _sealed_rows_of(source: str) -> sa.Select[str, str, bytes]:
    """Write the query for the open sealed rows of a source, in order of place."""
    return (
        sa.select(rejected.c.rejected_id, rejected.c.reason, sealed_rows.c.sealed)
        .join(sealed_rows, sealed_rows.c.rejected_id == rejected.c.rejected_id)
        .where(rejected.c.source == source, rejected.c.settled_at.is_(None))
        .order_by(rejected.c.place, rejected.c.rejected_id)
    )


def read_sealed_rows(connection: sa.Connection, source: str) -> list[tuple[str, str, bytes]]:
    """Give the open sealed rows of a source with id and reason of the rejection."""
    rows = connection.execute(_sealed_rows_of(source)).all()
    return [(str(row[0]), str(row[1]), bytes(row[2])) for row in rows]


def settle(connection: sa.Connection, ids: Sequence[str]) -> int:
    """Close rejections and erase their sealed rows."""
    now, closed = datetime.now(UTC), 0
    for start in range(0, len(ids), _IDS_A_QUERY):
        some = ids[start : start + _IDS_A_QUERY]
        open_ = (rejected.c.rejected_id.in_(some), rejected.c.settled_at.is_(None))
        closed += connection.execute(
            rejected.update().where(*open_).values(settled_at=now)
        ).rowcount
        connection.execute(sealed_rows.delete().where(sealed_rows.c.rejected_id.in_(some)))
    return closed


def reopen(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Open settled rejections that came up again.

    :return: those that had been settled.
    """
    found: set[str] = set()
    for start in range(0, len(ids), _IDS_A_QUERY):
        some = ids[start : start + _IDS_A_QUERY]
        closed = (rejected.c.rejected_id.in_(some), rejected.c.settled_at.is_not(None))
        query = sa.select(rejected.c.rejected_id).where(*closed)
        found.update(map(str, connection.scalars(query)))
        connection.execute(rejected.update().where(*closed).values(settled_at=None))
    return found


def ask_again(connection: sa.Connection, source: str) -> int:
    """Forget that files and articles were refused, so that both are tried again."""
    files = connection.execute(
        deliveries.delete().where(deliveries.c.source == source, deliveries.c.state == "refused")
    ).rowcount
    whole = rejected.c.stage.in_(["file", *ARTICLE_STAGES])
    mine = (rejected.c.source == source, whole, rejected.c.settled_at.is_(None))
    pages = sa.select(rejected.c.place).distinct().where(*mine, rejected.c.place.startswith("http"))
    articles = [str(place) for place in connection.scalars(pages.order_by(rejected.c.place))]
    connection.execute(rejected.update().where(*mine).values(settled_at=datetime.now(UTC)))
    # Their feed may not announce them any more, or not have changed since.
    put_off_more(connection, source, articles)
    return files + len(articles)


def forget_sealed_rows(connection: sa.Connection, before: datetime) -> int:
    """Erase sealed rows that were kept since before a moment."""
    return connection.execute(sealed_rows.delete().where(sealed_rows.c.kept_at < before)).rowcount
