"""Ranges of passages cover what is to be labelled, once, whoever labels them and however often."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from dsn_nlp.config import Settings, load_settings
from dsn_nlp.errors import ConfigError, ModelError, RunInProgressError, StoreError
from dsn_nlp.label.routing import read_serving
from dsn_nlp.labelling import (
    PassageRange,
    check_scale,
    cut_shares,
    digest_of,
    kept_lease,
    label_range,
    load_once,
    register,
)
from dsn_nlp.store import Store
from tests.measure.stored import fill, write_settings
from tests.store.conftest import make_url, postgres, server, store, url  # noqa: F401

DOCUMENTS = 20


def settings_on(folder: Path, place: str, /, **scale: object) -> Settings:
    return load_settings(write_settings(folder, place, **scale))


def test_ranges_cover_all_passages_once(url: str, tmp_path: Path) -> None:  # noqa: F811
    settings = settings_on(tmp_path, url)
    serving = read_serving(settings.labelling)
    run_id = fill(url, DOCUMENTS)
    with Store.open(url) as stored:
        register(stored, serving)
        everything = stored.unlabelled(serving.model, 1000)
        shares = cut_shares(stored, serving, 7)
        assert shares.passages == len(everything) > 2 * DOCUMENTS - 1
        assert len(shares.ranges) == -(-len(everything) // 7)
        parts = [
            stored.unlabelled(serving.model, 1000, first=part.first, until=part.until)
            for part in shares.ranges
        ]
        assert [each for part in parts for each in part] == everything
        assert {len(part) for part in parts[:-1]} == {7}
        whole = PassageRange("", None)
        last = shares.ranges[-1]
        assert label_range(settings, run_id, shares.digest, last) == len(parts[-1])
        assert label_range(settings, run_id, shares.digest, last) == 0
        rest = len(everything) - len(parts[-1])
        assert cut_shares(stored, serving, 1000).passages == rest
        assert label_range(settings, run_id, shares.digest, whole) == rest
        assert cut_shares(stored, serving, 1000).ranges == ()


def test_another_model_is_refused_and_the_same_is_loaded_once(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/dsn.db"
    settings = settings_on(tmp_path, address)
    run_id = fill(address, 1)
    with pytest.raises(ModelError, match="another model where the night began"):
        label_range(settings, run_id, "another", PassageRange("", None))
    serving = read_serving(settings.labelling)
    assert load_once(serving, 1) is load_once(read_serving(settings.labelling), 1)
    assert len(digest_of(serving)) == 64


def test_a_run_that_was_taken_over_labels_no_more(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/dsn.db"
    settings = settings_on(tmp_path, address)
    run_id = fill(address, 1)
    serving = read_serving(settings.labelling)
    with Store.open(address) as stored:
        register(stored, serving)
        stored.fail_run(run_id)
        stored.begin_run("next", timedelta(minutes=1))
    with pytest.raises(StoreError):
        label_range(settings, run_id, digest_of(serving), PassageRange("", None))


def test_sqlite_is_not_shared_out(tmp_path: Path) -> None:
    settings = settings_on(tmp_path, f"sqlite:///{tmp_path}/dsn.db", task_runner="dask")
    with pytest.raises(ConfigError, match=r"needs a store in PostgreSQL.*task_runner = \"here\""):
        check_scale(settings)
    check_scale(settings_on(tmp_path, "sqlite:///x.db"))
    check_scale(settings_on(tmp_path, "postgresql://u@h/db", task_runner="dask"))


def test_an_address_without_a_cluster_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set task_runner"):
        settings_on(tmp_path, "sqlite:///x.db", address="tcp://10.0.0.1:8786")
    with pytest.raises(ConfigError, match=r"scale\.address"):
        settings_on(tmp_path, "sqlite:///x.db", task_runner="dask", address="10.0.0.1:8786")


def test_the_lease_is_renewed_while_others_work(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/dsn.db"
    path = write_settings(tmp_path, address)
    path.write_text(path.read_text() + "[run]\nlease_minutes = 0.01\n", encoding="utf-8")
    settings = load_settings(path)
    with Store.open(address) as stored:
        run_id = stored.begin_run("x", timedelta(minutes=0.01))
        with kept_lease(settings, run_id):
            time.sleep(1.5)
            with pytest.raises(RunInProgressError):
                stored.begin_run("y", timedelta(minutes=1))
        stored.fail_run(run_id)
    assert "lease" not in [thread.name for thread in threading.enumerate()]


def test_renewals_at_once_do_not_wait_for_each_other(make_url) -> None:  # noqa: F811
    """Two that share the lock of the run's row, and both want to change it, would deadlock."""
    address = make_url("postgresql")
    failures: list[BaseException] = []
    with Store.open(address) as stored:
        run_id = stored.begin_run("x", timedelta(minutes=5))

        def renew() -> None:
            try:
                for _ in range(60):
                    stored.renew_lease(run_id)
            except StoreError as error:
                failures.append(error)

        threads = [threading.Thread(target=renew) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
