"""Labelling on a real Dask cluster with a real PostgreSQL, workers killed in the middle."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dsn_nlp.config import load_settings
from dsn_nlp.errors import ConfigError
from dsn_nlp.store import Store, run_query
from tests.conftest import Installation
from tests.measure.stored import fill, settings_text
from tests.postgres import Postgres
from tests.store.conftest import server  # noqa: F401

pytest.importorskip("prefect_dask")
from pipelines.labelling import check_cluster

DOCUMENTS = 70


@pytest.fixture(scope="module")
def expected(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:  # noqa: F811
    """Digest of the store, and its passages, after an undisturbed night in one process."""
    url = stored_passages(server)
    made = Installation(tmp_path_factory.mktemp("alone"), settings_text(url))
    done = made.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    with Store.open(url) as store:
        found = store.digest(), store.counts()["passages"]
    server.drop_database(url)
    return found


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:  # noqa: F811
    made = stored_passages(server)
    yield made
    server.drop_database(made)


def stored_passages(server: Postgres) -> str:  # noqa: F811
    url = server.make_database()
    run_id = fill(url, DOCUMENTS)
    with Store.open(url) as store:
        store.fail_run(run_id)
    return url


def labels_in(url: str) -> int:
    return int(run_query(url, "select count(*) from labels")[1][0][0])


def wait_until(reached: Callable[[], bool], night: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 240
    while night.poll() is None and not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert night.poll() is None, f"the night ended before: {night.communicate()[0][-3000:]}"


def check(made: Installation, url: str, said: str, expected: tuple[str, int]) -> None:
    with Store.open(url) as store:
        assert store.digest() == expected[0]
        assert store.counts()["labels"] == expected[1]
        assert [run["status"] for run in store.runs(1)] == ["published"]
        assert store.runs(1)[0]["counts"]["labelled"] == expected[1]
    for path in (made.folder / "var" / "prefect").rglob("*.db*"):
        content = path.read_bytes()
        for text in sample_of(url):
            assert text.encode() not in content
    assert "Traceback" not in said


def sample_of(url: str) -> list[str]:
    _, rows = run_query(url, "select text from passages order by passage_id limit 20")
    return [str(text)[:40] for (text,) in rows if len(str(text)) >= 40]


def test_a_killed_worker_costs_its_range_alone(
    url: str, tmp_path: Path, expected: tuple[str, int]
) -> None:
    made = Installation(
        tmp_path, settings_text(url, task_runner="dask", workers=2, range_passages=20)
    )
    small = {"DSN_NLP_LABELLING__BATCH_PASSAGES": "5"}
    night = made.start("run", **small)
    try:
        wait_until(lambda: labels_in(url) >= 15, night)
        workers = workers_of(night.pid)
        assert len(workers) == 2
        workers[0].kill()
        done = labels_in(url)
        said = night.communicate(timeout=240)[0]
    finally:
        night.kill()
    assert night.returncode == 0, said[-3000:]
    assert done < expected[1]
    ranges = -(-expected[1] // 20)
    assert f"{ranges} of {ranges} ranges labelled" in said
    check(made, url, said, expected)


def workers_of(pid: int) -> list[psutil.Process]:
    """Workers that a night has started: what multiprocessing spawned, its tracker apart."""
    return [
        child
        for child in psutil.Process(pid).children(recursive=True)
        if any("spawn_main" in word for word in child.cmdline())
    ]


class Cluster:
    """A scheduler and workers as an operator starts them, without nannies."""

    def __init__(self, folder: Path, workers: int, environment: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        self._log = (folder / "cluster.log").open("w")
        self._environment = environment
        port = self.address.rpartition(":")[2]
        local = ["--host", "127.0.0.1", "--no-dashboard"]
        self.processes = [self._start("scheduler", *local, "--port", port)]
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny", *local]
        self.processes += [self._start(*words) for _ in range(workers)]

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            stdout=self._log, stderr=self._log, env=self._environment,
        )  # fmt: skip

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(30)
        self._log.close()


def test_a_running_cluster_loses_a_worker_for_good(
    url: str, tmp_path: Path, expected: tuple[str, int]
) -> None:
    made = Installation(tmp_path, "")
    cluster = Cluster(tmp_path, 2, made.environment | {"DSN_NLP_LABELLING__BATCH_PASSAGES": "5"})
    made.config.write_text(
        settings_text(url, task_runner="dask", address=cluster.address, range_passages=20),
        encoding="utf-8",
    )
    night = made.start("run")
    try:
        wait_until(lambda: labels_in(url) >= 15, night)
        cluster.processes[1].kill()
        said = night.communicate(timeout=240)[0]
    finally:
        night.kill()
        cluster.close()
    assert night.returncode == 0, said[-3000:]
    check(made, url, said, expected)


def test_workers_elsewhere_need_a_server_they_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    text = settings_text("postgresql://u@h/d", task_runner="dask", address="tls://10.1.2.3:8786")
    (tmp_path / "dsn.toml").write_text(text, encoding="utf-8")
    assert "PREFECT_API_URL" not in os.environ
    with pytest.raises(ConfigError, match="set PREFECT_API_URL"):
        check_cluster(load_settings(tmp_path / "dsn.toml"))


def test_a_night_on_sqlite_is_refused_before_it_begins(tmp_path: Path) -> None:
    text = settings_text(f"sqlite:///{tmp_path}/dsn.db", task_runner="dask")
    (tmp_path / "dsn.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="needs a store in PostgreSQL"):
        check_cluster(load_settings(tmp_path / "dsn.toml"))
    assert not (tmp_path / "dsn.db").exists()
