"""Backfills killed in the middle, and run again, through the real command line."""

import signal
import sqlite3
import time
from pathlib import Path

import pytest

from dsn_nlp.store import Store, run_query
from tests.conftest import Installation, sample_settings

BACKFILL = ("backfill", "--since", "2026-05-01", "--until", "2026-05-31", "--no-prefect")
SMALL = {"DSN_NLP_LABELLING__BATCH_PASSAGES": "8"}


def digest(made: Installation) -> str:
    with Store.open(made.url) as store:
        return store.digest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("whole"), sample_settings())
    done = made.run(*BACKFILL, **SMALL)
    assert done.returncode == 0, done.stderr
    return made


def rows(database: Path, table: str) -> int:
    """How many there are, by now; 0 before the store is made."""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


@pytest.mark.parametrize("table", ["documents", "labels"])
def test_a_killed_backfill_goes_on_to_the_same_store(
    installation: Installation, whole: Installation, table: str
) -> None:
    half = run_query(whole.url, f"select count(*) from {table}")[1][0][0] // 2
    child = installation.start(*BACKFILL, **SMALL)
    while child.poll() is None and rows(installation.database, table) < half:
        time.sleep(0.005)
    assert child.poll() is None, f"the backfill ended before it had {half} {table}"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert run_query(installation.url, "select count(*) from labelled_passages")[1] == [(0,)]
    done = installation.run(*BACKFILL, **SMALL)
    assert done.returncode == 0, done.stderr
    assert digest(installation) == digest(whole)
    with Store.open(installation.url) as store:
        statuses = sorted(run["status"] for run in store.runs(10))
    assert statuses == ["interrupted", "published"]


def test_a_replay_changes_nothing(whole: Installation) -> None:
    before = digest(whole)
    for words in (BACKFILL, (*BACKFILL, "--source", "courrier-nord")):
        done = whole.run(*words, **SMALL)
        assert done.returncode == 0, done.stderr
        assert "2026-05-31: 0 new documents, 0 passages, 0 labelled" in done.stdout
        assert digest(whole) == before
