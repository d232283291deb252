"""Whether a query reads the text of documents, so that whoever runs it is recorded."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

from dsn_nlp.store.engine import describe, parse_url
from dsn_nlp.store.failures import translated
from dsn_nlp.store.query import authorize, read_only_engine

_NAMES = {"text", "quote"}
_TEXT = {("documents", "text"), ("passages", "text")}
# In a plan of PostgreSQL, what may be the column; a plan lists more than the answer needs, and
# too many records are better than one too few.
_IN_PLAN = re.compile(r"[\w\"]\.(?:\*|\"?(?:text|quote)\b)")


def reads_text(url: str, sql: str) -> bool:
    """Tell whether a query that ``run_query`` would run may show text of documents.

    SQLite says which columns it reads; PostgreSQL's plan is searched for them. A query that cannot
    be compiled reads nothing.

    :param url: as for ``Store.open``.
    """
    engine = read_only_engine(url)
    with translated(describe(parse_url(url))), engine.connect() as connection, connection.begin():
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            return _sqlite_reads_text(driver, sql)
        try:
            plan = connection.exec_driver_sql(f"EXPLAIN (VERBOSE) {sql}".replace("%", "%%"))
            return any(_IN_PLAN.search(str(row[0])) for row in plan)
        except DBAPIError:
            return False


def _sqlite_reads_text(driver: sqlite3.Connection, sql: str) -> bool:
    views = {
        str(row[0]) for row in driver.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
    }
    opened = False

    def listen(action: int, first: str | None, second: str | None, *rest: str | None) -> int:
        nonlocal opened
        # A view names all its columns, asked for or not: what counts is what is read of the view.
        within = rest[1] if len(rest) > 1 else None
        if action == sqlite3.SQLITE_READ and within not in views:
            opened = opened or (first in views and second in _NAMES) or (first, second) in _TEXT
        return authorize(action, first, second, *rest)

    driver.set_authorizer(listen)
    try:
        driver.execute(f"EXPLAIN {sql}").close()
    except (sqlite3.Error, sqlite3.Warning, ValueError):
        return False
    finally:
        driver.set_authorizer(authorize)
    return opened
