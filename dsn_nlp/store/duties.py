"""The store's side of rights and duties: erasing, forgetting by date, records and registers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dsn_nlp.store import privacy, runs, schema_privacy
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

    def record_export(self, row: Mapping[str, Any]) -> None:
        """Record a file that was written.

        :param row: ``path``, ``door``, ``rows``, ``has_text`` and ``sha256`` of the file.
        """
        with self._writing() as connection:
            privacy.record_export(connection, row)

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
