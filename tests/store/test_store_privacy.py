"""Erasing for good, on both databases: rows, what hangs on them, bytes of the file; and records."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import store_nights as nights

from dsn_nlp.errors import RunInProgressError, StoreError
from dsn_nlp.records import Rejection, Review
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.schema import metadata

PERSON, OTHER = "a" * 32, "b" * 32
MARKER = "MOT-A-EFFACER"


def person_pair(number, person=PERSON):
    document, passages = nights.pair(number, MARKER if person == PERSON else "")
    return replace(document, kind="comment", url=None, title=None, respondent=person), passages


@pytest.fixture
def filled(store):
    """Two people's comments, labelled, one reviewed; a sealed row of each."""
    run_id = store.begin_run("0.1.0", nights.LEASE)
    nights.register(store)
    pairs = [person_pair(n, PERSON if n < 3 else OTHER) for n in range(6)]
    store.add_documents(run_id, pairs)
    for person in (PERSON, OTHER):
        sealed = Rejection(
            "presse", f"f.csv:{person[0]}", "read", "r", sealed=b"x", respondent=person
        )
        store.add_rejections(run_id, [sealed])
    while found := store.unlabelled(nights.MODEL, 5):
        store.add_labels(run_id, [nights.label(one) for one in found])
    store.publish(run_id, {}, nights.MODEL)
    when = datetime(2026, 5, 1, tzinfo=UTC)
    store.add_reviews([Review(pairs[0][1][0].passage_id, "marie", when, (), "neutral")])
    return pairs


def everything(store):
    """Every cell of every table, as text."""
    found = []
    with store._reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                found += [(table.name, str(cell)) for cell in row if cell is not None]
    return found


def test_a_respondent_is_erased_everywhere(store, filled):
    ids = [key for d, cut in filled[:3] for key in (d.document_id, *(p.passage_id for p in cut))]
    erased = store.erase("respondent", PERSON)
    assert erased.counts == {
        "documents": 3, "passages": 9, "labels": 9, "reviews": 1, "sealed_rows": 1
    }  # fmt: skip
    left = everything(store)
    assert [cell for cell in left if any(k in cell[1] for k in (*ids, PERSON, MARKER))] == []
    assert store.counts()["documents"] == 3
    again = store.erase("respondent", PERSON)
    assert not again.anything
    assert len(store.records("deletions")) == 1
    entry = store.records("deletions")[0]
    assert (entry["cause"], entry["scope"]) == ("erasure", "respondent")
    assert entry["counts"]["documents"] == 3


def test_what_was_erased_does_not_come_back(store, filled):
    store.erase("respondent", PERSON)
    store.erase("document", filled[5][0].document_id)
    assert filled[5][0].document_id in store.known_documents([filled[5][0].document_id])
    run_id = store.begin_run("0.1.0", nights.LEASE)
    new = person_pair(9)
    assert store.add_documents(run_id, [*filled, new]) == []
    sealed = Rejection("presse", "g.csv:9", "read", "r", sealed=b"y", respondent=PERSON)
    assert store.add_rejections(run_id, [sealed]) == 1
    assert run_count(store, "sealed_rows") == 1


def run_count(store, table):
    with store._reading() as connection:
        return connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))


def test_derived_counts_follow(store, filled, url):
    sql = "SELECT count(*) FROM labelled_passages WHERE kind = 'comment'"
    before = run_query(url, sql)[1][0][0]
    store.erase("document", filled[4][0].document_id)
    assert run_query(url, sql)[1][0][0] == before - nights.CUTS


def test_a_source_goes_whole_and_its_pages_are_not_fetched_again(store):
    nights.night(store)
    erased = store.erase("source", "presse")
    assert erased.counts["documents"] == nights.DOCUMENTS
    assert store.counts()["documents"] == store.counts()["labels"] == 0
    urls = ["https://exemple.test/1", "https://exemple.test/99"]
    assert store.known_among("presse", urls) == store.known_among("autre", urls) == {urls[0]}
    assert store.erase("source", "presse").counts["documents"] == 0
    assert store.records("deletions")[0]["subject"] == "presse"


def test_an_erased_article_stays_known_by_the_address_it_was_announced_under(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    document, passages = nights.pair(1)
    link = "https://exemple.test/fil/1"
    store.add_documents(run_id, [(replace(document, link=link), passages)])
    store.fail_run(run_id)
    store.erase("document", document.document_id)
    assert store.known_among("presse", [link, "https://exemple.test/2"]) == {link}
    assert store.counts()["documents"] == 0


def test_a_night_at_work_is_not_disturbed(store, filled):
    store.begin_run("0.1.0", nights.LEASE)
    with pytest.raises(RunInProgressError):
        store.erase("respondent", PERSON)
    assert store.counts()["documents"] == 6


def test_retention_goes_by_the_night_of_arrival(store, filled):
    arrived = store.runs(1)[0]["started_at"]
    assert not store.expire("presse", arrived).anything
    assert not store.expire("other", arrived + timedelta(days=999)).anything
    erased = store.expire("presse", arrived + timedelta(seconds=1))
    assert erased.counts["documents"] == 6
    assert store.records("deletions")[0]["cause"] == "retention"


def test_bytes_leave_the_sqlite_files(make_url):
    url = make_url("sqlite")
    with Store.open(url) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        nights.register(store)
        store.add_documents(run_id, [person_pair(n, PERSON if n < 3 else OTHER) for n in range(6)])
        store.publish(run_id, {}, nights.MODEL)
        folder = Path(store._place).parent

        def found():
            return [p.name for p in folder.iterdir() if MARKER.encode() in p.read_bytes()]

        assert found(), "the marker lies in the file before"
        store.erase("respondent", PERSON)
        assert store.scrub(whole=True)
        assert found() == []


def test_bytes_leave_the_tables_of_postgres(make_url, postgres):
    url = make_url("postgresql")
    with Store.open(url) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        nights.register(store)
        store.add_documents(run_id, [person_pair(n) for n in range(6)])
        store.publish(run_id, {}, nights.MODEL)

        def found():
            with store._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("CHECKPOINT")
            return [
                p for p in (postgres / "db" / "base").rglob("*")
                if p.is_file() and MARKER.encode() in p.read_bytes()
            ]  # fmt: skip

        assert found()
        store.erase("respondent", PERSON)
        store.scrub(whole=True)
        assert found() == []


def test_a_reader_that_holds_on_is_told(make_url):
    with Store.open(make_url("sqlite")) as store:
        nights.night(store)
        with store._reading() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
            connection.exec_driver_sql("SELECT count(*) FROM documents")
            with store._engine.connect() as other:
                other.exec_driver_sql("PRAGMA busy_timeout = 1")
            store.erase("source", "presse")
            assert not store.scrub()
        assert store.scrub()


@pytest.mark.parametrize("table", ["deletions", "accesses", "register_entries"])
@pytest.mark.parametrize("sql", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_registers_cannot_be_rewritten(store, filled, table, sql):
    store.erase("respondent", PERSON)
    store.record_access("marie", "query", "étude", 4)
    store.record_entry("marie", "incident", {"what": "x"})
    before = store.records(table)
    assert before
    column = {"deletions": "scope = 'x'", "accesses": "who = 'x'", "register_entries": "kind = 'x'"}
    with pytest.raises(StoreError), store._writing() as connection:
        connection.exec_driver_sql(sql.format(table, column[table]))
    assert store.records(table) == before


def test_exports_with_text_are_withdrawn(store, filled, tmp_path):
    text, counts = tmp_path / "a.csv", tmp_path / "counts.csv"
    for path, rows, has_text in ((text, 6, True), (text, 7, True), (counts, 2, False)):
        path.write_text("x")
        store.record_export(path, "run", rows, has_text)
    assert len(store.records("exports")) == 2
    assert store.erase("respondent", PERSON).withdrawn == (str(text),)
    states = {r["path"]: r["withdrawn_at"] for r in store.records("exports")}
    assert states[str(counts)] is None
    assert states[str(text)] is not None
    assert store.erase("document", filled[4][0].document_id).withdrawn == ()


def test_every_table_of_passages_and_documents_goes_with_them():
    """A table added later must cascade, too, or erasure would leave its rows behind."""
    for table in metadata.sorted_tables:
        for name, parent in (("passage_id", "passages"), ("document_id", "documents")):
            if name in table.columns and table.name != parent:
                (key,) = [k for k in table.c[name].foreign_keys if k.column.table.name == parent]
                assert key.ondelete == "CASCADE", f"{table.name}.{name}"
