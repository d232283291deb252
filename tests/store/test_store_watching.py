"""What a run measures of itself, on both databases; publishing twice; settled notes; the clock."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import store_nights as nights

from dsn_nlp.errors import StoreError
from dsn_nlp.records import Rejection
from dsn_nlp.store.schema import rejected, runs
from dsn_nlp.store.watching import BINS


@pytest.fixture
def worked(store):
    """A run that has done all but publish."""
    run_id = store.begin_run("0.1.0", nights.LEASE)
    nights.work(store, run_id)
    return run_id


def test_stock_counts_what_the_run_took_in(store, worked):
    stock = store.take_stock(worked, nights.MODEL)
    documents = [nights.document(number) for number in range(nights.DOCUMENTS)]
    labels = [nights.label(p) for d in documents for p in nights.passages(d)]
    assert stock["volumes"] == {"presse": nights.DOCUMENTS}
    assert stock["passages"] == {"all": len(labels)}
    assert stock["languages"] == {"fr": len(labels)}
    assert stock["strata"] == {"article-fr": len(labels) // 2, "comment-fr": len(labels) // 2}
    assert stock["sentiments"] == {"negative": len(labels), "neutral": 0, "positive": 0}
    assert stock["complaints"]["training"] == sum("training" in one.complaints for one in labels)
    expected = [0] * BINS
    for one in labels:
        expected[min(int(one.complaint_scores[0] * BINS), BINS - 1)] += 1
    assert stock["scores"]["training"] == expected
    assert sum(stock["rejected"]["presse"].values()) == 3
    assert stock["away"] == {}


def test_stock_is_of_this_run_alone(store, worked):
    store.publish(worked, {}, nights.MODEL)
    run_id = store.begin_run("0.1.0", nights.LEASE)
    stock = store.take_stock(run_id, nights.MODEL)
    assert stock["passages"] == {"all": 0}
    assert stock["volumes"] == stock["rejected"] == {}


def test_measures_are_kept_and_replaced(store, worked):
    store.note_measures(worked, {"volumes": {"a": 1}, "seconds": {"label": 0.5}})
    store.note_measures(worked, {"volumes": {"a": 2}})
    assert store.past_measures(28) == []  # not published yet
    store.publish(worked, {}, nights.MODEL)
    assert store.past_measures(28) == [{"volumes": {"a": 2}, "seconds": {"label": 0.5}}]
    with pytest.raises(StoreError, match="cannot write any more"):
        store.note_measures(worked, {"volumes": {}})


def test_publishing_again_does_nothing(store, worked):
    store.publish(worked, {"documents": 1}, nights.MODEL)
    store.publish(worked, {"documents": 2}, nights.MODEL)
    assert store.runs(1)[0]["counts"] == {"documents": 1}


def test_a_source_that_is_back_leaves_no_trace_in_the_content(store, worked):
    before = store.digest()
    away = Rejection("presse", "presse", "source", "transient: no answer")
    store.add_rejections(worked, [away])
    assert store.digest() != before
    assert store.take_stock(worked, nights.MODEL)["away"] == {"presse": "transient: no answer"}
    assert store.settle_source(worked, "presse") == 1
    assert store.digest() == before
    store.add_rejections(worked, [away])
    store.reopen_source(worked, "presse", away.reason)
    assert store.take_stock(worked, nights.MODEL)["away"] == {"presse": "transient: no answer"}


def test_a_page_that_was_away_is_settled_once_it_is_judged(store, worked):
    before = store.digest()
    stored, refused = nights.document(1).url, nights.rejection(4).place
    for place in (stored, refused, "https://exemple.test/still-away"):
        store.add_rejections(worked, [Rejection("presse", place, "gather", "transient: later")])
    assert store.settle_source(worked, "presse") == 2
    assert store.digest() != before
    with store._reading() as connection:
        query = sa.select(rejected.c.place).where(rejected.c.reason == "transient: later")
        open_notes = query.where(rejected.c.settled_at.is_(None))
        assert connection.scalars(open_notes).all() == ["https://exemple.test/still-away"]


def test_a_lost_night_of_this_process_is_given_back(store, worked):
    store.fail_own_run()
    assert store.runs(1)[0]["status"] == "failed"
    assert store.begin_run("0.1.0", nights.LEASE) != worked


def test_leases_on_postgresql_go_by_the_servers_clock(make_url, monkeypatch):
    """A machine whose clock is a day ahead neither loses its lease nor takes another's."""
    from datetime import UTC, datetime

    from dsn_nlp.store import Store
    from dsn_nlp.store import runs as module

    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1)

    with Store.open(make_url("postgresql")) as store:
        monkeypatch.setattr(module, "datetime", Ahead)
        run_id = store.begin_run("0.1.0", nights.LEASE)
        monkeypatch.undo()
        with store._reading() as connection:
            expires = connection.scalar(sa.select(runs.c.lease_expires_at))
        assert expires < datetime.now(UTC) + 2 * nights.LEASE
        assert run_id


def test_runs_are_found_by_how_their_id_begins(store, worked):
    assert store.find_run(worked[:8])["run_id"] == worked
    assert store.find_run("")["run_id"] == worked
    assert store.find_run("%") is None
