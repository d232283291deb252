"""What is kept of each news source between two nights: cursors, validators, pages to ask again.

Every function works inside the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from dsn_nlp.records import Cursor, Postponed, Remembered
from dsn_nlp.store.privacy import buried
from dsn_nlp.store.schema import cursors, documents, postponed, rejected, remembered
from dsn_nlp.text import content_id

# Below the limit on bound values of the oldest SQLite in use (999), with room for the source.
_URLS_A_QUERY = 900
# A page refused for these reasons is not asked for again of itself.
ARTICLE_STAGES = ("gather", "extract", "screen")


def known_among(connection: sa.Connection, source: str, urls: Sequence[str]) -> set[str]:
    """Tell which addresses need no fetching: stored by any source, erased, or refused for good."""
    known: set[str] = set()
    for begin in range(0, len(urls), _URLS_A_QUERY):
        some = urls[begin : begin + _URLS_A_QUERY]
        by_id = {content_id("article", url): url for url in some}
        stored = sa.select(documents.c.document_id).where(documents.c.document_id.in_(list(by_id)))
        known.update(by_id[str(key)] for key in connection.scalars(stored))
        known.update(by_id[key] for key in buried(connection, by_id))
        for query in (
            sa.select(documents.c.link).where(documents.c.link.in_(some)),
            sa.select(rejected.c.place).where(
                rejected.c.source == source,
                rejected.c.place.in_(some),
                rejected.c.stage.in_(ARTICLE_STAGES),
                rejected.c.settled_at.is_(None),
                ~rejected.c.reason.startswith("transient:"),
            ),
        ):
            known.update(str(url) for url in connection.scalars(query))
    return known


def recall(connection: sa.Connection, source: str, url: str) -> Remembered | None:
    """Read what a server said of an address when it was last asked."""
    query = sa.select(remembered).where(remembered.c.source == source, remembered.c.url == url)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Remembered(url, row["etag"], row["last_modified"], bytes(row["body"]))


def remember(connection: sa.Connection, source: str, learnt: Iterable[Remembered]) -> None:
    """Keep what servers said, in place of what they said before."""
    for one in learnt:
        where = sa.and_(remembered.c.source == source, remembered.c.url == one.url)
        connection.execute(remembered.delete().where(where))
        row = {"url": one.url, "etag": one.etag, "last_modified": one.last_modified}
        connection.execute(remembered.insert().values(source=source, body=one.body, **row))


def put_off(connection: sa.Connection, source: str, pages: Iterable[Postponed]) -> None:
    """Keep the pages to ask another night, in place of those kept before."""
    connection.execute(postponed.delete().where(postponed.c.source == source))
    rows = {page.link: _postponed_row(source, page) for page in pages}
    if rows:
        connection.execute(postponed.insert(), list(rows.values()))


def put_off_more(connection: sa.Connection, source: str, links: Iterable[str]) -> None:
    """Ask for these pages again on the next night, whatever was said of them."""
    for link in dict.fromkeys(links):
        where = sa.and_(postponed.c.source == source, postponed.c.link == link)
        connection.execute(postponed.delete().where(where))
        row = _postponed_row(source, Postponed(link, "", None, 0))
        connection.execute(postponed.insert(), [row])


def put_off_before(connection: sa.Connection, source: str) -> list[Postponed]:
    """Read the pages to ask again, by address."""
    query = sa.select(postponed).where(postponed.c.source == source).order_by(postponed.c.link)
    return [
        Postponed(row["link"], row["title"], row["published_at"], row["attempts"])
        for row in connection.execute(query).mappings()
    ]


def read_cursor(connection: sa.Connection, source: str) -> Cursor | None:
    """Read where a source stands; ``None`` before it was first asked."""
    query = sa.select(cursors).where(cursors.c.source == source)
    row = connection.execute(query).mappings().one_or_none()
    return Cursor(**row) if row is not None else None


def note_answer(connection: sa.Connection, source: str, newest_at: datetime | None) -> None:
    """Note that a source has answered, and the newest publication seen in it."""
    now = datetime.now(UTC)
    before = read_cursor(connection, source)
    newest = max(filter(None, (newest_at, before.newest_at if before else None)), default=None)
    _put(
        connection,
        source,
        {"asked_at": now, "answered_at": now, "newest_at": newest, "failures": 0},
    )


def note_failure(connection: sa.Connection, source: str) -> None:
    """Note that a source did not answer."""
    before = read_cursor(connection, source)
    failures = (before.failures if before else 0) + 1
    _put(connection, source, {"asked_at": datetime.now(UTC), "failures": failures})


def note_covered(connection: sa.Connection, source: str, since: datetime, until: datetime) -> None:
    """Note which time a backfill went through, joined with that of earlier ones it touches.

    One stretch is kept, and it has no gap: where the two lie apart, the new one takes the place
    of the old one. What is told may be less than what was covered, and is never more.
    """
    before = read_cursor(connection, source)
    begun, ended = (before.covered_since, before.covered_until) if before else (None, None)
    if begun and ended and since <= ended and begun <= until:
        since, until = min(since, begun), max(until, ended)
    _put(connection, source, {"covered_since": since, "covered_until": until})


def _put(connection: sa.Connection, source: str, changed: dict[str, Any]) -> None:
    where = cursors.c.source == source
    if not connection.execute(cursors.update().where(where).values(**changed)).rowcount:
        row = {"asked_at": datetime.now(UTC), "failures": 0, **changed}
        connection.execute(cursors.insert().values(source=source, **row))


def _postponed_row(source: str, page: Postponed) -> dict[str, Any]:
    return {
        "source": source,
        "link": page.link,
        "title": page.title,
        "published_at": page.published_at,
        "attempts": page.attempts,
    }
