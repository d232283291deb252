"""Store addresses, and the engines that write to them."""

import os
import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

from dsn_nlp.errors import StoreError

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
_PRAGMAS = (
    f"busy_timeout = {BUSY_SECONDS * 1000}",
    "synchronous = FULL",  # WAL's usual NORMAL may lose the last publish at a power cut
    "secure_delete = ON",  # what is erased is gone from the file, not only from the tables
)


def parse_url(url: str) -> sa.URL:
    """Read a store's address.

    :param url: ``sqlite:///path``, ``postgresql://…`` or ``postgresql+psycopg://…``.
    :raises StoreError: when it is none of these; the message does not repeat the address.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    backend = parsed.get_backend_name() if parsed else ""
    if parsed is not None and backend == "sqlite" and parsed.database not in (None, ":memory:"):
        return sa.URL.create("sqlite+pysqlite", database=parsed.database)
    if parsed is not None and backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(
        "store.url is not understood; write sqlite:///path/to/file.db "
        "or postgresql://user:password@host/database"
    )


def describe(url: sa.URL) -> str:
    """Name a store for messages: never its user, password or options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL {url.host or 'local'}{port}/{url.database or ''}"


def connect_options(url: sa.URL) -> dict[str, object]:
    """Collect what the driver is told besides the address."""
    if url.get_backend_name() == "sqlite":
        return {"timeout": BUSY_SECONDS}
    return {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}


def make_place(url: sa.URL) -> None:
    """Make an SQLite store's folder (0700) and file (0600) where they are missing.

    :raises StoreError: when they cannot be made.
    """
    if url.get_backend_name() != "sqlite":
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made before SQLite does, whose umask would leave it readable; -wal and -shm copy it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(
            f"{path}: the store cannot be made here ({reason}); set store.url to a path you can "
            "write"
        ) from None


def writing_engine(url: sa.URL, *, foreign_keys: bool = True) -> sa.Engine:
    """Make an engine whose errors hide parameters.

    On SQLite, connections with the execution option ``writing`` begin with ``BEGIN IMMEDIATE``:
    a transaction that reads first and writes later would fail as locked without waiting.

    :param url: from :func:`parse_url`.
    :param foreign_keys: off only to migrate, where SQLite rebuilds tables others refer to.
    """
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=url.get_backend_name() == "postgresql",
        connect_args=connect_options(url),
    )
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine, foreign_keys)
    return engine


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Let readers see the last published night while the next is written.

    Two processes that switch a new file at once fail as busy without SQLite's own waiting.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _prepare_sqlite(engine: sa.Engine, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN, the driver does not
        for pragma in (*_PRAGMAS, f"foreign_keys = {'ON' if foreign_keys else 'OFF'}"):
            connection.execute(f"PRAGMA {pragma}")
        _switch_to_wal(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
