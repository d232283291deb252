"""Make an invented store many times larger inside the database: for measures of two million rows.

Every id of a copy is that of the original with its digits turned round by one place more, so ids
stay distinct, as scattered as real ones, and the same from run to run.
"""

import sqlalchemy as sa

from dsn_nlp.errors import InputError
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.schema import metadata

# In the order of what refers to what; ``group_id`` and ``text_key`` are the document's own id.
_TABLES = ("documents", "contexts", "passages", "passage_contexts", "labels")
_IDS = ("document_id", "passage_id", "respondent", "text_key", "group_id")
MOST_COPIES = 31
_CACHE = "PRAGMA cache_size = -800000"


def multiply(url: str, copies: int) -> None:
    """Add copies of every document of an invented store.

    :param url: of a store that ``invent`` filled and nothing was added to.
    :param copies: how many to add, at most 31: an id has 32 digits.
    :raises InputError: when there would be more.
    """
    if not 0 <= copies <= MOST_COPIES:
        raise InputError(f"copies: write a number from 0 to {MOST_COPIES}")
    # References hold by construction; checking ten million of them takes longer than all the rest.
    engine = writing_engine(parse_url(url), foreign_keys=False)
    try:
        for name in _TABLES:
            _copy(engine, metadata.tables[name], copies)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()


def _copy(engine: sa.Engine, table: sa.Table, copies: int) -> None:
    """Copy one table; rows come in the order of their key, so that its index grows in order."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_CACHE)
            connection.rollback()
        with connection.execution_options(writing=True).begin():
            originals = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            if not (originals and copies):
                return
            numbers = sa.union_all(
                *(sa.select(sa.literal(place).label("places")) for place in range(1, copies + 1))
            ).subquery("turns")
            columns = [_turned(c, numbers.c.places) if c.name in _IDS else c for c in table.c]
            rows = sa.select(*columns).select_from(table.join(numbers, sa.true()))
            key = next(iter(table.primary_key.columns)).name
            ordered = rows.order_by(sa.literal_column(str(1 + list(table.c.keys()).index(key))))
            connection.execute(table.insert().from_select(table.c.keys(), ordered))


def _turned(column: sa.ColumnElement[str], places: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """``abcd`` turned by one place: ``bcda``."""
    rest = sa.func.substr(column, places + 1, type_=sa.String())
    return rest.concat(sa.func.substr(column, 1, places))
