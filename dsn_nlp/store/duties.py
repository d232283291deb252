"""The store's side of rights and duties: erasing, forgetting by date, records and registers."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dsn_nlp.store import privacy, runs, schema, schema_privacy
from dsn_nlp.store.failures import translated
from dsn_nlp.store.privacy import Erasure, Scope

_REWRITTEN = ("documents", "passages", "labels", "reviews", "sealed_rows")


class Duties:
    """Calls that only privacy commands and the retention of a night make."""

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self._place = place

    def erase(self, scope: Scope, value: str) -> Erasure:
        """Erase a document, a respondent or a source for good; a second time does nothing.

        :param value: a document id, a respondent's keyed hash, or a source's name.
        :raises RunInProgressError: when a night is at work.
        """
        with self._writing() as connection:
            runs.refuse_if_held(connection)
            return privacy.erase(connection, scope, value)

    def expire(self, source: str, before: datetime) -> Erasure:
        """Erase the documents of a source that came in before a moment (aware)."""
        with self._writing() as connection:
            return privacy.expire(connection, source, before)

    def scrub(self, whole: bool = False) -> bool:
        """Make what was erased leave the disk, too, as far as the database can.

        SQLite: freed pages are zeroed when they are freed; here the write-ahead log is emptied
        and, with ``whole``, the file rewritten. PostgreSQL: dead rows are vacuumed, with ``whole``
        the tables are rewritten; its own write-ahead log and backups go by their own retention.

        :return: false when a reader still holds the old state; try again later.
        """
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with translated(self._place), engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                how = "VACUUM (FULL)" if whole else "VACUUM"
                connection.exec_driver_sql(f"{how} {', '.join(_REWRITTEN)}")
                return True
            return _scrub_sqlite(connection, whole)

    def record_access(self, who: str, door: str, purpose: str | None, count: int) -> None:
        """Record that comment text may have been shown.

        :param who: account of the person.
        :param door: what was used: query, annotate, dashboard, export.
        :param count: passages or rows shown.
        """
        with self._writing() as connection:
            privacy.record_access(connection, who, door, purpose, count)

    def record_export(self, path: Path, door: str, rows: int, has_text: bool) -> None:
        """Record a file that was written, so that an erasure can withdraw it.

        :param door: what wrote it: run, annotate, dashboard, report.
        :param has_text: whether text of comments is in it.
        """
        with path.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        row = {"path": str(path.absolute()), "door": door, "rows": rows, "has_text": has_text}
        with self._writing() as connection:
            privacy.record_export(connection, row | {"sha256": sha256})

    def record_entry(self, who: str, kind: str, fields: Mapping[str, str]) -> str:
        """Add an entry to the register of communications, incidents or anonymisations."""
        with self._writing() as connection:
            return privacy.record_entry(connection, who, kind, fields)

    def records(self, name: str, limit: int = 1000) -> list[dict[str, Any]]:
        """Read the newest rows of deletions, accesses, exports or register_entries first."""
        table: sa.Table = getattr(schema_privacy, name)
        moment = next(c for c in table.columns if c.name.endswith("ed_at"))
        query = sa.select(table).order_by(moment.desc(), *table.primary_key.columns).limit(limit)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def sources(self) -> list[tuple[str, str]]:
        """Name every source that has documents, with their kind."""
        table = schema.documents
        query = (
            sa.select(table.c.source, table.c.kind).distinct().order_by(*table.c["source", "kind"])
        )
        with self._reading() as connection:
            return [(str(source), str(kind)) for source, kind in connection.execute(query)]

    def source_counts(self) -> dict[str, int]:
        """Count the documents of each source."""
        table = schema.documents
        query = sa.select(table.c.source, sa.func.count()).group_by(table.c.source)
        with self._reading() as connection:
            return {str(source): int(count) for source, count in connection.execute(query)}

    def quasi_identifiers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give, for each comment, who wrote it and site, unit, role and ISO week, as stored."""
        table = schema.documents
        columns = table.c["document_id", "respondent", "site", "unit", "role", "published_at"]
        query = sa.select(*columns).where(table.c.kind == "comment")
        with self._reading() as connection:
            for key, respondent, site, unit, role, when in connection.execute(query):
                week = f"{when:%G-W%V}" if when else ""
                yield str(respondent or key), (site or "", unit or "", role or "", week)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that sees one state of the store throughout."""
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with translated(self._place), engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self, run_id: str | None = None) -> Iterator[sa.Connection]:
        """Open a transaction that writes; with a run id, only while that run may."""
        engine = self._engine.execution_options(writing=True)
        with translated(self._place), engine.begin() as connection:
            if run_id is not None:
                runs.check_running(connection, run_id)
            yield connection


def _scrub_sqlite(connection: sa.Connection, whole: bool) -> bool:
    # The driver's own connection: SQLAlchemy would begin a transaction, which VACUUM refuses.
    driver = connection.connection.driver_connection
    assert driver is not None
    if driver.in_transaction:
        driver.execute("COMMIT")
    if whole:
        driver.execute("VACUUM")
    busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
