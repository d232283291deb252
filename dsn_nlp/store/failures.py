"""Foreign database errors as ours, in one line that holds no stored text and no password.

A database's own message may quote the values of a row, so it is never passed on: what is said is
the place, a hint by error code, and the code.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dsn_nlp.errors import StoreError, TransientStoreError

_SQLITE_TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_HINTS = {
    sqlite3.SQLITE_BUSY: "another process kept it locked for 30 seconds; try again",
    sqlite3.SQLITE_LOCKED: "another connection keeps it locked; try again",
    sqlite3.SQLITE_FULL: "the disk is full; free some space and run again",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that the folder exists and its rights",
    sqlite3.SQLITE_NOTADB: "this file is not an SQLite store; name another with store.url",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; check it and run again",
    sqlite3.SQLITE_CONSTRAINT: "a row breaks a rule of the schema",
}
# Connection lost, shutting down, serialisation, deadlock, lock and connection limits.
_POSTGRES_TRANSIENT = ("08", "57P", "40001", "40P01", "55P03", "53300")
_NO_RIGHT = "42501"
_REFUSED_LOGIN = ("authentication failed", "no password supplied", "does not exist")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers raise inside into a ``StoreError``.

    :param place: how messages name the store: a path, or host, port and database.
    :raises TransientStoreError: when it was locked or the connection was lost.
    :raises StoreError: for every other failure of the database or of a value given to it.
    """
    try:
        yield
    # A value that cannot be encoded or bound raises plain errors which carry the value.
    except (SQLAlchemyError, sqlite3.Error, psycopg.Error, ValueError, OverflowError) as error:
        failure = explain(place, error)
        try:
            raise failure from None
        finally:
            # "from None" hides the foreign error and keeps it; a debugger would show its text.
            failure.__context__ = None


def explain(place: str, error: Exception) -> StoreError:
    """Say what went wrong with a store, without quoting the database.

    :param place: how the message names the store.
    :param error: what SQLAlchemy or a driver raised.
    :return: the error to raise.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _explain_sqlite(place, original)
    if isinstance(original, psycopg.Error):
        return _explain_postgres(place, original)
    if isinstance(original, SQLAlchemyError):
        return StoreError(f"{place}: the database call failed ({type(original).__name__})")
    return StoreError(f"{place}: a value cannot be stored ({type(original).__name__})")


def _explain_sqlite(place: str, error: sqlite3.Error) -> StoreError:
    # Extended codes keep the plain one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    hint = _SQLITE_HINTS.get(code, "the database refused the call")
    kind = TransientStoreError if code in _SQLITE_TRANSIENT else StoreError
    return kind(f"{place}: {hint} ({name})")


def _explain_postgres(place: str, error: psycopg.Error) -> StoreError:
    state = error.sqlstate
    if state is None and isinstance(error, psycopg.OperationalError):
        if any(phrase in str(error) for phrase in _REFUSED_LOGIN):
            return StoreError(f"{place}: login refused; check user, password and database name")
        return TransientStoreError(f"{place}: no connection, or it was lost; is the server up?")
    name = f"{type(error).__name__}, {state}"
    if state is not None and state.startswith(_POSTGRES_TRANSIENT):
        return TransientStoreError(f"{place}: PostgreSQL did not answer for now ({name})")
    if state is not None and state.startswith("28"):
        return StoreError(f"{place}: login refused; check user and password ({name})")
    if state == _NO_RIGHT:
        return StoreError(
            f"{place}: this account may not do that; dsn_analyst reads the views, by dsn-nlp query "
            f"or SQL; questions, dashboard and nights take the service's own account ({name})"
        )
    return StoreError(f"{place}: PostgreSQL refused the call ({name})")
