"""What the two roles may do on a real PostgreSQL, asked as the people who have them."""

import psycopg
import pytest
import store_nights as nights

from dsn_nlp.analyse.frame import read_frame
from dsn_nlp.errors import ConfigError, StoreError
from dsn_nlp.privacy.roles import ANALYST, TEXT_READER, grant
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.opened import reads_text

READ = "SELECT passage_id, site, training FROM labelled_passages"
TEXT = "SELECT text FROM labelled_passages"


@pytest.fixture
def address(make_url):
    """A store with a night in it, and both roles."""
    url = make_url("postgresql")
    with Store.open(url) as store:
        nights.night(store)
    grant(url)
    grant(url)  # twice changes nothing
    return url


def ask(address, role, sql):
    with psycopg.connect(address) as connection:
        connection.execute(f"SET ROLE {role}")
        return connection.execute(sql).fetchall()


def test_analysts_read_views_without_text(address):
    assert len(ask(address, ANALYST, READ)) == 36
    assert len(ask(address, TEXT_READER, TEXT)) == 36
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(address, ANALYST, TEXT)


@pytest.mark.parametrize("role", [ANALYST, TEXT_READER])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT text FROM documents", "SELECT respondent FROM documents",
        "SELECT text FROM passages", "SELECT sealed FROM sealed_rows", "SELECT * FROM accesses",
        "SELECT * FROM reviews", "DELETE FROM labels", "UPDATE documents SET text = ''",
        "INSERT INTO labels SELECT * FROM labels", "DROP VIEW labelled_passages",
        "CREATE TABLE mine (a int)", "DELETE FROM accesses", "UPDATE accesses SET who = 'x'",
        "TRUNCATE documents", "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM labelled_passages",
    ],
)  # fmt: skip
def test_neither_role_touches_tables(address, role, sql):
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType,
                        psycopg.errors.ObjectNotInPrerequisiteState)):  # fmt: skip
        ask(address, role, sql)


@pytest.mark.parametrize("role", [ANALYST, TEXT_READER])
def test_both_roles_write_the_access_log_and_nothing_else(address, role):
    row = "'a', now(), 'marie', 'query', NULL, 3"
    with psycopg.connect(address) as connection:
        connection.execute(f"SET ROLE {role}")
        connection.execute(f"INSERT INTO accesses VALUES ({row})")


def test_questions_tell_an_analyst_which_account_they_take(address):
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE marie LOGIN IN ROLE {ANALYST}")
    try:
        own = address.replace("dsn@", "marie@")
        assert len(run_query(own, READ)[1]) == 36
        with pytest.raises(StoreError, match=r"dsn_analyst reads the views.*service's own account"):
            read_frame(own)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("DROP ROLE marie")


def test_roles_need_postgres(tmp_path):
    with pytest.raises(ConfigError, match="PostgreSQL"):
        grant(f"sqlite:///{tmp_path}/dsn.db")


@pytest.mark.parametrize(
    ("sql", "opened"),
    [
        (TEXT, True),
        ("SELECT count(*) FROM labelled_passages WHERE text LIKE '%DSN%'", True),
        ("WITH x AS (SELECT p.text AS y FROM passages p) SELECT max(y) FROM x", True),
        ("SELECT p FROM passages p", True),
        ("SELECT to_json(p) FROM passages p", True),
        ("SELECT kind, source FROM documents", False),
        ("SELECT count(*) FROM runs", False),
        ("SELECT nonsense", False),
    ],
)
def test_postgres_plans_say_what_is_read(address, sql, opened):
    assert reads_text(address, sql) is opened
