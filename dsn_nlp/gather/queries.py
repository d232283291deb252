"""Comments from another database: one SELECT, streamed, in a transaction that cannot write.

The URL's password is in no message; the driver's own messages, which may quote values, neither.
"""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from dsn_nlp.config import CommentQuery, CommentSource
from dsn_nlp.errors import InputError, TransientFetchError
from dsn_nlp.gather.rows import Row, check_header, column_name
from dsn_nlp.gather.sheet_child import cell_text

ROWS_A_FETCH = 500
_CONNECT_SECONDS = 10
# What was passed over is not tried again in other pieces, which would take for ever (?>…).
_READS = re.compile(r"(?>(?:\s|--[^\n]*\n|/\*.*?\*/)*)(SELECT|WITH)\b", re.I | re.DOTALL)
# How a session is told to change nothing, where the database knows of such sessions.
_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
_OPCODES_A_CHECK = 100_000


@dataclass(frozen=True, slots=True)
class QueryTable:
    """A query whose answer is read as a table."""

    shown: str
    query: CommentQuery
    header: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """Run the query and give its rows as they come.

        :raises InputError: when the database refuses the query.
        :raises TransientFetchError: when it cannot be reached, or takes too long.
        """
        with _answer(self.shown, self.query) as result:
            for number, values in enumerate(result, start=1):
                yield _row(number, tuple(values))


def open_query(source: CommentSource, query: CommentQuery, wanted: set[str]) -> QueryTable:
    """Ask a query for its columns, and check that what is wanted is among them.

    :raises InputError: when the settings are wrong, or no wanted column is there.
    :raises TransientFetchError: when the database cannot be reached.
    """
    shown = f"{source.name} (query)"
    if not _READS.match(query.sql) or ";" in query.sql.strip().rstrip(";"):
        told = f"{shown}: only one SELECT (or WITH … SELECT), without ';', is run"
        raise InputError(told, "sql")
    with _answer(shown, query) as result:
        header = tuple(map(column_name, result.keys()))
    check_header(shown, header, wanted)
    return QueryTable(shown, query, header)


def _row(number: int, values: tuple[object, ...]) -> Row:
    if any(isinstance(value, bytes | memoryview) for value in values):
        return Row((), number, number, "bytes in place of text", "sql")
    return Row(tuple(cell_text(value) for value in values), number, number)


@contextmanager
def _answer(shown: str, query: CommentQuery) -> Iterator[sa.CursorResult[Any]]:
    url = _address(shown, query)
    engine = None
    try:
        engine = _engine(url, query.seconds)
        # No parameters: a percent sign of the query is a percent sign, whatever the driver.
        streamed = {"stream_results": True, "yield_per": ROWS_A_FETCH, "no_parameters": True}
        with engine.connect() as connection:
            _forbid_writing(connection, query.seconds)
            text = query.sql.strip().rstrip(";")
            # Closing rolls back, whatever the database made of the query.
            asked = connection.execution_options(**streamed)
            with asked.exec_driver_sql(text) as result:
                yield result
    except NoSuchModuleError:
        raise InputError(f"{shown}: SQLAlchemy knows no database of this URL", "sql") from None
    except ModuleNotFoundError as error:
        told = f"{shown}: the driver '{error.name}' is missing; pip install it"
        raise InputError(told, "sql") from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _explained(shown, error) from None
    finally:
        if engine is not None:
            engine.dispose()


def _address(shown: str, query: CommentQuery) -> sa.URL:
    written = query.url.get_secret_value() if query.url else os.environ.get(query.url_env or "")
    if not written:
        told = f"{shown}: the environment variable {query.url_env} is not set"
        raise InputError(told, "sql")
    try:
        url = sa.make_url(written)
    except (ArgumentError, ValueError):
        told = f"{shown}: the URL is not understood; write dialect://user:password@host/database"
        raise InputError(told, "sql") from None
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _engine(url: sa.URL, seconds: int) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(Path(url.database or ""), seconds)
    known = {"postgresql": {"connect_timeout": _CONNECT_SECONDS}}
    arguments = known.get(url.get_backend_name(), {})
    return sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)


def _sqlite(path: Path, seconds: int) -> sa.Engine:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    deadline = time.monotonic() + seconds

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(address, uri=True, timeout=_CONNECT_SECONDS)
        made.set_progress_handler(lambda: time.monotonic() > deadline, _OPCODES_A_CHECK)
        return made

    return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _forbid_writing(connection: sa.Connection, seconds: int) -> None:
    backend = connection.dialect.name
    if backend in _READ_ONLY:
        connection.exec_driver_sql(_READ_ONLY[backend])
        connection.commit()
    if backend == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")


def _explained(shown: str, error: Exception) -> InputError | TransientFetchError:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    told = f"{type(original).__name__}{f', {code}' if code else ''}"
    if code in ("SQLITE_INTERRUPT", "57014"):
        return TransientFetchError(f"{shown}: the query took too long and was stopped")
    if type(original).__name__ == "OperationalError" and code in (None, "SQLITE_BUSY"):
        return TransientFetchError(f"{shown}: the database cannot be reached ({told})")
    return InputError(f"{shown}: the database refused the query ({told}); correct it", "sql")
