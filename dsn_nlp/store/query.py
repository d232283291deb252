"""Read-only SQL for analysts: the database itself refuses whatever is not reading."""

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from dsn_nlp.errors import QueryError, StoreError
from dsn_nlp.store.engine import BUSY_SECONDS, connect_options, describe, parse_url
from dsn_nlp.store.failures import translated

SECONDS = 60
_ALLOWED = ("SELECT", "WITH", "VALUES", "EXPLAIN")
_SPACE_OR_COMMENT = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
# Failures of the file, whatever is asked of it.
_STORE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
_MAX_VALUE_BYTES = 50_000_000  # else zeroblob() and the like could take all memory
_OPCODES_A_CHECK = 100_000
_TOO_LONG = "the query took too long and was stopped; narrow it down"
# Classes of SQLSTATE whose messages speak of the query only; others may quote stored values.
_ABOUT_THE_QUERY = ("42", "25", "0A", "3F")

Rows = list[tuple[Any, ...]]


def read_only_engine(url: str, seconds: int = SECONDS) -> sa.Engine:
    """Make an engine that cannot write.

    SQLite is opened ``mode=ro`` under an authorizer that allows reading alone, so PRAGMA, ATTACH
    and BEGIN are refused too; PostgreSQL transactions are READ ONLY and in UTC.

    :param url: as for ``Store.open``.
    :param seconds: PostgreSQL stops a statement after this long; on SQLite ``run_query`` does.
    :raises StoreError: when the address is not understood, or the SQLite file does not exist.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _read_only_sqlite(Path(str(parsed.database)))
    engine = sa.create_engine(
        parsed, hide_parameters=True, poolclass=NullPool, connect_args=connect_options(parsed)
    )

    @event.listens_for(engine, "begin")
    def _read_only(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")

    return engine


def run_query(
    url: str, sql: str, limit: int | None = None, seconds: int = SECONDS
) -> tuple[list[str], Rows]:
    """Answer one query.

    On SQLite booleans come as 0 and 1 and times as UTC text; on PostgreSQL as Python values.

    :param url: as for ``Store.open``.
    :param sql: one statement that begins with SELECT, WITH, VALUES or EXPLAIN.
    :param limit: return this many rows at most.
    :param seconds: stop the query after this long.
    :return: names of the columns, and rows of ``len(names)`` values.
    :raises QueryError: when the query is refused, wrong, or takes too long.
    :raises TransientStoreError: when the store is locked or not reachable for now.
    :raises StoreError: when there is no store.
    """
    word = _first_word(sql)
    if word not in _ALLOWED or "\x00" in sql:  # a driver in C would stop reading at the zero
        raise QueryError("refused: only one SELECT, WITH, VALUES or EXPLAIN statement is run")
    place = describe(parse_url(url))
    engine = read_only_engine(url, seconds)
    with translated(place), engine.connect() as connection, connection.begin():
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            return _ask(lambda: _run_sqlite(driver, sql, word, limit, seconds), _explain_sqlite)
        return _ask(lambda: _run_postgres(driver, sql, limit), _explain_postgres)


def _first_word(sql: str) -> str:
    gap = _SPACE_OR_COMMENT.match(sql)
    found = re.compile(r"[A-Za-z]+").match(sql, gap.end() if gap else 0)
    return found.group().upper() if found else ""


def _ask(
    run: Callable[[], tuple[list[str], Rows]], explain: Callable[[Exception], str | None]
) -> tuple[list[str], Rows]:
    try:
        return run()
    except (sqlite3.Error, sqlite3.Warning, psycopg.Error, ValueError, OverflowError) as error:
        message = explain(error)
        if message is None:
            raise
    raise QueryError(" ".join(message.split())[:300])


def _read_only_sqlite(path: Path) -> sa.Engine:
    if not path.is_file():
        raise StoreError(f"{path}: there is no store here yet; run `dsn-nlp run` first")
    address = f"file:{quote(str(path.absolute()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
    )

    # Not in connect(): SQLAlchemy asks a PRAGMA of its first connection before this event.
    @event.listens_for(engine, "connect")
    def _allow_reading_only(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        connection.set_authorizer(authorize)

    return engine


def authorize(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
    """Allow reading alone, as SQLite's authorizer."""
    loads_code = action == sqlite3.SQLITE_FUNCTION and second == "load_extension"
    allowed = action in _READING and not loads_code
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class _CompileError(ValueError):
    """SQLite would not compile a query; it has read no row, so its message quotes none."""


def _run_sqlite(
    driver: sqlite3.Connection, sql: str, word: str, limit: int | None, seconds: int
) -> tuple[list[str], Rows]:
    try:
        driver.execute(sql if word == "EXPLAIN" else f"EXPLAIN {sql}").close()
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        if _store_failed(error):
            raise
        raise _CompileError(str(error)) from None
    deadline = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _OPCODES_A_CHECK)
    cursor = driver.execute(sql)
    return _fetch(cursor, limit)


def _run_postgres(driver: Any, sql: str, limit: int | None) -> tuple[list[str], Rows]:
    # A prepared statement is one statement: "SELECT 1; COMMIT; DROP …" is refused by the server.
    with driver.cursor() as cursor:
        cursor.execute(sql, prepare=True)
        return _fetch(cursor, limit)


def _fetch(cursor: Any, limit: int | None) -> tuple[list[str], Rows]:
    names = [str(column[0]) for column in cursor.description or ()]
    return names, cursor.fetchall() if limit is None else cursor.fetchmany(limit)


def _store_failed(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _STORE_CODES


def _explain_sqlite(error: Exception) -> str | None:
    """Say why a query failed, or ``None`` when the store did and not the query."""
    if _store_failed(error):
        return None
    if isinstance(error, _CompileError):
        denied = "not authorized" in str(error) or "prohibited" in str(error)
        return f"refused: only reading is allowed ({error})" if denied else str(error)
    code = getattr(error, "sqlite_errorname", type(error).__name__)
    if code == "SQLITE_INTERRUPT":
        return _TOO_LONG
    # While rows are read the message may quote them.
    return f"the database stopped at this query ({code})"


def _explain_postgres(error: Exception) -> str | None:
    """Say why a query failed, or ``None`` when the store did and not the query."""
    if not isinstance(error, psycopg.Error):
        return f"the query cannot be sent ({type(error).__name__})"
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return None
    if error.sqlstate == "57014":
        return _TOO_LONG
    state = error.sqlstate or ""
    if state.startswith(_ABOUT_THE_QUERY) and error.diag.message_primary:
        return str(error.diag.message_primary)
    return f"the database stopped at this query ({type(error).__name__} {state})"
