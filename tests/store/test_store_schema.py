"""Opening, migrating and refusing stores; what lies on disk; what messages never hold."""

import os
import sqlite3
import stat
import threading
import traceback
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
import store_nights as nights
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dsn_nlp.errors import QueryError, StoreError, TransientStoreError
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.migrate import alembic_config
from dsn_nlp.store.schema import labelled_passages, metadata
from dsn_nlp.store.schema_views import DOORS

MARKER = "MARQUEUR-DE-TEXTE"


@pytest.fixture
def transaction(store, url):
    """A transaction on the store that goes round the store's own interface."""
    store.close()
    engine = writing_engine(parse_url(url), foreign_keys=False)
    with engine.execution_options(writing=True).begin() as connection:
        yield connection
    engine.dispose()


def test_migrations_make_what_the_schema_declares(transaction):
    context = MigrationContext.configure(transaction, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("view", DOORS, ids=lambda view: view.name)
def test_views_have_the_declared_columns(store, url, view):
    names, rows = run_query(url, f"SELECT * FROM {view.name}")
    assert names == view.columns.keys()
    assert rows == []


def test_down_and_up_again(transaction, url):
    command.downgrade(alembic_config(transaction), "base")
    assert set(sa.inspect(transaction).get_table_names()) == {"alembic_version"}
    assert sa.inspect(transaction).get_view_names() == []
    transaction.commit()
    with Store.open(url) as store:
        nights.night(store, range(2))
        assert store.counts()["labels"] == 6


def test_opening_again_keeps_everything(store, url):
    nights.night(store)
    before = store.digest()
    with Store.open(url) as again:
        assert again.digest() == before


def test_newer_schema_is_refused(transaction, url):
    transaction.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    transaction.commit()
    with pytest.raises(StoreError, match=r"newer dsn-nlp \(schema 9999\); upgrade dsn-nlp"):
        Store.open(url)


def test_failed_migration_leaves_nothing_behind(url):
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        os.makedirs(os.path.dirname(parsed.database))
    engine = writing_engine(parsed)
    with engine.execution_options(writing=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE rejected (other INTEGER)")  # in the way
    with pytest.raises(StoreError):
        Store.open(url)
    assert sa.inspect(engine).get_table_names() == ["rejected"]
    engine.dispose()


def test_first_openings_at_once(url):
    barrier, errors = threading.Barrier(4), []

    def open_it():
        barrier.wait()
        try:
            Store.open(url).close()
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_postgres_holds_the_data_dictionary(make_url):
    url = make_url("postgresql")
    Store.open(url).close()
    comment = "SELECT col_description('{}'::regclass, {}), obj_description('{}'::regclass)"
    assert run_query(url, comment.format("documents", 1, "labelled_passages"))[1] == [
        (metadata.tables["documents"].c.document_id.comment, labelled_passages.comment)
    ]
    assert run_query(url, comment.format("labelled_passages", 1, "runs"))[1][0][0] == "the passage"


def test_files_are_their_owners_only(tmp_path):
    path = tmp_path / "new" / "dsn.db"
    mask = os.umask(0)
    try:
        with Store.open(f"sqlite:///{path}") as store:
            nights.night(store, range(2))
            beside = {
                entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()
            }
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert beside == {"dsn.db": 0o600, "dsn.db-wal": 0o600, "dsn.db-shm": 0o600}


def test_sqlite_is_set_up_to_keep_its_promises(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/dsn.db") as store, store._reading() as connection:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        wanted |= {"secure_delete": 1, "busy_timeout": 30_000}
        assert wanted == {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted
        }


@pytest.mark.parametrize(
    "address",
    [
        "mysql://anna:s3cret@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "anna:s3cret@host",
        "postgresql://anna:s3cret@host:port/db",
        "",
    ],
)
def test_odd_addresses_are_refused_without_repeating_them(address):
    with pytest.raises(StoreError, match=r"store\.url is not understood") as caught:
        Store.open(address)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_password_is_in_no_message():
    address = "postgresql://anna:s3cret@127.0.0.1:1/db?application_name=s3cret"
    for ask in (lambda: Store.open(address), lambda: run_query(address, "SELECT 1")):
        with pytest.raises(TransientStoreError, match=r"PostgreSQL 127\.0\.0\.1:1/db") as caught:
            ask()
        assert_silent(caught.value, "s3cret")


def test_a_file_that_is_no_store(tmp_path):
    path = tmp_path / "dsn.db"
    path.write_text("not a database, but long enough to be taken for one" * 50)
    with pytest.raises(StoreError, match="not an SQLite store"):
        Store.open(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="not an SQLite store"):
        run_query(f"sqlite:///{path}", "SELECT * FROM labelled_passages")


def test_a_place_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made here \(.+\); set store\.url"):
        Store.open(f"sqlite:///{tmp_path}/file/dsn.db")


def test_locked_store_is_transient(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/dsn.db") as store:
        with store._reading() as connection:  # the pool will give this connection again
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(tmp_path / "dsn.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientStoreError, match="locked"):
            store.begin_run("0.1.0", nights.LEASE)
        other.close()


def test_lost_connection_is_transient(make_url):
    with Store.open(make_url("postgresql")) as store:
        with pytest.raises(TransientStoreError), store._reading() as connection:  # noqa: PT012
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with store._writing() as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
            connection.exec_driver_sql("SELECT 1")
        assert store.counts()["documents"] == 0


def assert_silent(error, marker=MARKER):
    """Look for a marker in an error, and in all that hangs on it."""
    while error is not None:
        assert marker not in str(error)
        assert marker not in repr(error)
        assert "\n" not in str(error)
        assert error.__context__ is None or error.__suppress_context__
        error = error.__cause__ or error.__context__


def _broken_writes():
    document, passages = nights.pair(1, MARKER)
    yield document, [passages[0], replace(passages[1], position=0)]
    yield document, [replace(passages[0], document_id="nowhere")]
    yield replace(document, text=f"{MARKER} \ud800"), passages
    yield replace(document, text=None, title=MARKER), passages
    yield document, [passages[0], passages[0]]
    yield replace(document, published_at=datetime(2026, 1, 1)), passages
    yield document, [replace(passages[0], position=MARKER)]


@pytest.mark.parametrize("number", range(7))
def test_text_is_in_no_message(store, number):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    document, passages = list(_broken_writes())[number]
    try:
        store.add_documents(run_id, [(document, passages)])
    except StoreError as error:
        assert_silent(error)
    else:
        # SQLite's integer columns take text; everything else is refused by both.
        assert (number, store._place.endswith("dsn.db")) == (6, True)


def test_text_that_postgres_cannot_hold(make_url):
    with Store.open(make_url("postgresql")) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        document, passages = nights.pair(1)
        with pytest.raises(StoreError) as caught:
            store.add_documents(run_id, [(replace(document, text=f"{MARKER}\x00"), passages)])
        assert_silent(caught.value)


def test_queries_do_not_quote_stored_text(store, url):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    store.add_documents(run_id, [nights.pair(1, MARKER)])
    for sql in (
        "SELECT CAST(text AS integer) FROM passages",
        "SELECT json_extract('{}', text) FROM passages",
        "SELECT CAST(text AS json) FROM passages",
        "SELECT abs(-9223372036854775807 - length(text) + 12) FROM passages",
    ):
        try:
            run_query(url, sql)
        except QueryError as error:
            assert_silent(error)
