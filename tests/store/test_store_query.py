"""Analysts' SQL reads and does nothing else."""

import pytest
import store_nights as nights

from dsn_nlp.errors import QueryError, StoreError
from dsn_nlp.store import Store, read_only_engine, run_query

WRITES = [
    "INSERT INTO runs (run_id) VALUES ('x')",
    "UPDATE documents SET text = ''",
    "DELETE FROM labels",
    "DROP TABLE rejected",
    "CREATE TABLE more (a INTEGER)",
    "ALTER TABLE runs ADD COLUMN more INTEGER",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "ATTACH DATABASE '/tmp/dsn-stolen.db' AS other",
    "DETACH DATABASE main",
    "VACUUM INTO '/tmp/dsn-stolen.db'",
    "COPY documents TO '/tmp/dsn-stolen.csv'",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/dsn-stolen'",
    "BEGIN",
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "DO $$ BEGIN DELETE FROM labels; END $$",
    "CALL anything()",
    "SHOW data_directory",
    "TABLE documents",
    "",
    "   ",
    ";",
    "-- SELECT 1",
    "/* SELECT 1 */",
    "/* SELECT",
    "/* SELECT */ DELETE FROM labels",
    "-- SELECT\nDELETE FROM labels",
    "SELECTED",
    "(SELECT 1)",
    "SELECT \x00",
    "SELECT 1 \x00; DROP TABLE labels",
]
DISGUISED = [
    "SELECT 1; DELETE FROM labels",
    "SELECT 1; COMMIT; DROP TABLE labels CASCADE",
    "SELECT 1;; SELECT 2",
    "SELECT ';'; DROP TABLE labels",
    "SELECT 1 /* ; */; DROP TABLE labels",
    "WITH gone AS (DELETE FROM labels RETURNING *) SELECT * FROM gone",
    "WITH x AS (SELECT 1) DELETE FROM labels",
    "WITH x AS (SELECT 1) INSERT INTO rejected SELECT * FROM rejected",
    "WITH x AS (SELECT 1) UPDATE documents SET text = ''",
    "EXPLAIN ANALYZE DELETE FROM labels",
    "EXPLAIN DELETE FROM labels; DELETE FROM labels",
    "VALUES (1); DELETE FROM labels",
    "SELECT * INTO stolen FROM documents",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT writefile('/tmp/dsn-stolen', 'x')",
    "SELECT * FROM pragma_query_only",
    "SELECT * FROM pragma_journal_mode('delete')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT lo_create(0)",
    "SELECT * FROM documents FOR UPDATE",
    "SELECT * FROM absent",
    "SELECT absent FROM labelled_passages",
    "SELECT FROM WHERE",
    "SELECT '",
    "SELECT \ud800",
    "EXPLAIN",
    "EXPLAIN EXPLAIN SELECT 1",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT zeroblob(i * 9999999) FROM n",
]


@pytest.mark.parametrize("sql", WRITES)
def test_only_reading_words_may_begin(store, url, sql):
    with pytest.raises(QueryError, match=r"^refused: only one SELECT"):
        run_query(url, sql)


@pytest.mark.parametrize("sql", DISGUISED)
def test_the_database_refuses_what_is_disguised(store, url, sql):
    nights.night(store, range(2))
    before = store.digest()
    with pytest.raises(QueryError) as caught:
        run_query(url, sql)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None
    assert store.digest() == before
    assert store.counts()["labels"] == 6


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("select count(*) from labelled_passages", [(6,)]),
        ("-- how many; really?\n/* ; */ SELECT 1 AS one;", [(1,)]),
        ("WITH x AS (SELECT 2 AS a) SELECT a FROM x", [(2,)]),
        ("VALUES (1, 'a;b')", [(1, "a;b")]),
        ("SELECT 'cent % et ? et :x'", [("cent % et ? et :x",)]),
        ("SELECT model FROM labelled_passages WHERE model LIKE 'toy%' LIMIT 1", [("toy@1",)]),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)"
            " SELECT i FROM n",
            [(1,), (2,), (3,)],
        ),
    ],
)
def test_reading_is_answered(store, url, sql, answer):
    nights.night(store, range(2))
    assert run_query(url, sql)[1] == answer


def test_explain_answers(store, url):
    names, rows = run_query(url, "EXPLAIN SELECT * FROM labelled_passages")
    assert names
    assert rows


def test_limit_and_names(store, url):
    nights.night(store)
    names, rows = run_query(url, "SELECT passage_id, text AS words FROM labelled_passages", limit=4)
    assert names == ["passage_id", "words"]
    assert len(rows) == 4


def test_mistakes_are_told(store, url):
    with pytest.raises(QueryError, match="absent"):
        run_query(url, "SELECT absent FROM labelled_passages")


def test_endless_query_is_stopped(store, url):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 0 FROM n) SELECT max(i) FROM n"
    with pytest.raises(QueryError, match="too long and was stopped"):
        run_query(url, endless, seconds=1)


def test_missing_store_names_the_path_and_the_way_out(tmp_path):
    path = tmp_path / "none" / "dsn.db"
    with pytest.raises(StoreError, match=f"{path}: .* run `dsn-nlp run` first"):
        run_query(f"sqlite:///{path}", "SELECT 1")
    assert not path.parent.exists()


def test_store_that_nobody_has_open_can_be_read(tmp_path):
    path = tmp_path / "l'année 100 % ?#" / "dsn.db"
    with Store.open(f"sqlite:///{str(path).replace('?', '%3F')}") as store:
        nights.night(store, range(2))
        address = str(store._engine.url)
    assert run_query(address, "SELECT count(*) FROM labelled_passages")[1] == [(6,)]


def test_engine_reads_for_pages(store, url):
    nights.night(store, range(2))
    engine = read_only_engine(url)
    with engine.connect() as connection:
        for _ in range(2):
            sql = "SELECT count(*) FROM labelled_passages"
            assert connection.exec_driver_sql(sql).scalar() == 6
    engine.dispose()
