"""Bring a store's schema forward with Alembic, run from here and not from its command line."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.schema import SetColumnComment, SetTableComment

from dsn_nlp.errors import StoreError
from dsn_nlp.store.engine import describe, writing_engine
from dsn_nlp.store.failures import translated
from dsn_nlp.store.schema import metadata
from dsn_nlp.store.schema_views import DOORS

# Any number of our own will do: it makes two first openings on PostgreSQL take turns.
_LOCK = 0x64736E


def migrate(url: sa.URL) -> None:
    """Bring a store to the schema of this code; do nothing when it is there already.

    :param url: from ``parse_url``; an SQLite file must exist, empty or not.
    :raises StoreError: when the store is newer than the code, or cannot be migrated.
    """
    engine = writing_engine(url, foreign_keys=False)
    try:
        with translated(describe(url)):
            with engine.connect() as connection:
                if _is_current(connection, describe(url)):
                    return
            with engine.execution_options(writing=True).begin() as connection:
                _take_turns(connection)
                if not _is_current(connection, describe(url)):
                    upgrade(connection, describe(url))
    finally:
        engine.dispose()


def alembic_config(connection: sa.Connection) -> Config:
    """Configure Alembic for the package's scripts and an open connection.

    :param connection: in a transaction, which the caller commits.
    """
    config = Config()
    config.set_main_option("script_location", _scripts())
    config.attributes["connection"] = connection
    return config


def _scripts() -> str:
    return str(Path(__file__).parent / "migrations").replace("%", "%%")


def _is_current(connection: sa.Connection, place: str) -> bool:
    scripts = ScriptDirectory.from_config(alembic_config(connection))
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"{place}: this store was written by a newer dsn-nlp (schema {revision}); "
            "upgrade dsn-nlp"
        )
    return revision == scripts.get_current_head()


def _take_turns(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def head() -> str:
    """Name the newest revision that this code knows."""
    config = Config()
    config.set_main_option("script_location", _scripts())
    return str(ScriptDirectory.from_config(config).get_current_head())


def revision_of(connection: sa.Connection) -> str:
    """Name the revision of a store's schema; empty before there is one."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def downgrade(connection: sa.Connection) -> None:
    """Remove the schema, and all rows with it."""
    command.downgrade(alembic_config(connection), "base")


def upgrade(connection: sa.Connection, place: str, revision: str = "head") -> None:
    """Bring the schema to a revision, in the caller's transaction.

    :raises StoreError: when it cannot be done, or the revision is not known.
    """
    try:
        command.upgrade(alembic_config(connection), revision)
    except CommandError as error:
        raise StoreError(f"{place}: the schema cannot be migrated ({error})") from None
    if connection.dialect.supports_comments and revision == "head":
        _write_dictionary(connection)


def _write_dictionary(connection: sa.Connection) -> None:
    """Keep PostgreSQL's comments as ``schema.py`` has them, whatever the revision."""
    for table in (*metadata.sorted_tables, *DOORS):
        for column in table.columns:
            connection.execute(SetColumnComment(column))
    for view in DOORS:
        statement = str(SetTableComment(view).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement.replace("ON TABLE", "ON VIEW", 1))
