"""One night at a time, published whole; a killed one is taken over by the next."""

import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import store_nights as nights

from dsn_nlp.errors import RunInProgressError, StoreError
from dsn_nlp.store import Store, run_query

PROGRAM = Path(nights.__file__)
SEEN = "SELECT count(DISTINCT document_id), count(*), min(model), max(model) FROM labelled_passages"


@pytest.fixture
def child():
    """Start nights in child processes; none outlives its test."""
    started = []

    def start(url):
        process = subprocess.Popen(
            [sys.executable, PROGRAM, url], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("writes", [0, 1, 6, 13, 15, 18, 22])
def test_killed_night_is_resumed(url, make_url, child, writes):
    process = child(url)
    for _ in range(1 + writes):  # its run id, then a line a write; the kill falls in what follows
        assert process.stdout.readline()
    kill(process)
    with Store.open(url) as store, Store.open(make_url("sqlite")) as undisturbed:
        assert run_query(url, SEEN)[1] == [(0, 0, None, None)]
        run_id = nights.night(store)
        nights.night(undisturbed)
        assert store.digest() == undisturbed.digest()
        assert store.counts() == undisturbed.counts()
        states = [(run["run_id"] == run_id, run["status"]) for run in store.runs(9)]
        assert states == [(True, "published"), (False, "interrupted")]


def test_resumed_night_does_nothing_twice(url, child):
    process = child(url)
    while process.stdout.readline() != "done\n":
        pass
    kill(process)
    with Store.open(url) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        pairs = [nights.pair(number) for number in range(nights.DOCUMENTS)]
        assert store.add_documents(run_id, pairs) == []
        assert store.count_unlabelled(nights.MODEL) == 0
        assert {row["run_id"] for row in store.rejected(9)} == {run_id}
        store.publish(run_id, {}, nights.MODEL)
        assert run_query(url, SEEN)[1] == [(12, 36, nights.MODEL, nights.MODEL)]


def test_second_night_is_refused_while_one_lives(url, child):
    process = child(url)
    run_id = process.stdout.readline().strip()
    with Store.open(url) as store:
        with pytest.raises(RunInProgressError, match=rf"{run_id} .* until \d{{4}}-.* UTC"):
            store.begin_run("0.1.0", nights.LEASE)
        kill(process)
        store.begin_run("0.1.0", nights.LEASE)


def test_two_that_begin_at_once(url):
    Store.open(url).close()
    barrier = threading.Barrier(4)
    outcomes = []

    def begin():
        with Store.open(url) as store:
            barrier.wait()
            try:
                outcomes.append(store.begin_run("0.1.0", nights.LEASE))
            except RunInProgressError:
                outcomes.append(None)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert sum(outcome is not None for outcome in outcomes) == 1


def test_expired_lease_is_taken_over_and_its_run_fenced_off(store):
    slow = store.begin_run("0.1.0", timedelta(0))
    store.add_documents(slow, [nights.pair(1)])
    fast = store.begin_run("0.1.0", nights.LEASE)
    for write in (
        lambda: store.add_documents(slow, [nights.pair(2)]),
        lambda: store.add_rejections(slow, [nights.rejection(1)]),
        lambda: store.add_labels(slow, []),
        lambda: store.renew_lease(slow),
        lambda: store.publish(slow, {}, nights.MODEL),
        lambda: store.fail_run(slow),
    ):
        with pytest.raises(RunInProgressError, match="took over"):
            write()
    assert len(store.unlabelled(nights.MODEL, 9, fast)) == 3


def test_renewed_lease_holds(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    before = store.runs(1)[0]["lease_expires_at"]
    store.renew_lease(run_id)
    assert store.runs(1)[0]["lease_expires_at"] > before
    with pytest.raises(RunInProgressError):
        store.begin_run("0.1.0", nights.LEASE)


def test_owner_of_another_host_counts_as_alive(store, url):
    nights_away = "elsewhere:1:1"
    run_id = store.begin_run("0.1.0", nights.LEASE)
    with store._writing() as connection:
        connection.exec_driver_sql(f"UPDATE runs SET owner = '{nights_away}'")
    with pytest.raises(RunInProgressError, match=run_id):
        store.begin_run("0.1.0", nights.LEASE)


def test_failed_night_is_taken_over(store, url):
    failed = store.begin_run("0.1.0", nights.LEASE)
    nights.work(store, failed, range(4))
    store.fail_run(failed)
    assert run_query(url, SEEN)[1] == [(0, 0, None, None)]
    with pytest.raises(StoreError, match="failed"):
        store.add_documents(failed, [nights.pair(5)])
    nights.night(store, range(2))
    assert run_query(url, SEEN)[1] == [(4, 12, nights.MODEL, nights.MODEL)]


def test_unknown_run_and_model_are_refused(store):
    with pytest.raises(StoreError, match="unknown"):
        store.add_documents("nothing", [nights.pair(1)])
    run_id = store.begin_run("0.1.0", nights.LEASE)
    with pytest.raises(StoreError, match="register it"):
        store.publish(run_id, {}, "absent@1")
    assert store.runs(1)[0]["status"] == "running"


def test_refused_publishing_leaves_the_serving_model(store):
    nights.night(store, range(2))
    run_id = store.begin_run("0.1.0", nights.LEASE)
    with pytest.raises(StoreError):
        store.publish(run_id, {}, "absent@1")
    assert store.serving_model() == nights.MODEL
    assert store.counts()["labels"] == 6


def test_readers_never_see_half_a_night(store, url):
    published = {(0, 0, None, None)}
    stop, seen, errors = threading.Event(), [], []

    def read():
        try:
            while not stop.is_set():
                seen.append(run_query(url, SEEN)[1][0])
        except Exception as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for count in range(1, 7):
            # Each night brings documents and relabels all of them under a new model.
            model = f"toy@{count}"
            published.add((2 * count, 6 * count, model, model))
            nights.night(store, range(2 * count), model)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not errors
    assert set(seen) <= published
    assert run_query(url, SEEN)[1][0] == (12, 36, "toy@6", "toy@6")


def test_relabelling_adds_rows_and_the_view_follows(store, url):
    nights.night(store, range(2))
    assert store.serving_model() == "toy@1"
    run_id = store.begin_run("0.1.0", nights.LEASE)
    nights.work(store, run_id, range(2), "toy@2")
    assert run_query(url, SEEN)[1] == [(2, 6, "toy@1", "toy@1")]
    store.publish(run_id, {"labels": 6}, "toy@2")
    assert store.serving_model() == "toy@2"
    assert run_query(url, SEEN)[1] == [(2, 6, "toy@2", "toy@2")]
    by_model = "SELECT model, count(*) FROM labels GROUP BY model ORDER BY model"
    assert run_query(url, by_model)[1] == [("toy@1", 6), ("toy@2", 6)]
    nights.night(store, range(2), "toy@1")
    assert run_query(url, SEEN)[1] == [(2, 6, "toy@1", "toy@1")]
