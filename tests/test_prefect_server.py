"""Deployments, artifacts and events on a real Prefect server; nights without one."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dsn_nlp.records import Document, Passage
from dsn_nlp.store import Store
from tests.conftest import ROOT, Installation
from tests.watch.test_watch import install


class Server:
    """A Prefect server on this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/api"
        self.environment = os.environ | {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.address,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        (folder / "prefect").mkdir(parents=True, exist_ok=True)
        self._words = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self._log = folder / "server.log"
        self.start()

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *self._words], stdout=log, stderr=log,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.address}/health", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.3)
        raise AssertionError(self._log.read_text()[-2000:])

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.address}/{path}", json=body, trust_env=False, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def prefect(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "prefect", *words], cwd=ROOT, text=True, capture_output=True,
            check=False, env=self.environment | environment,
        )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("prefect"))
    yield running
    running.kill()


def test_all_deployments_are_taken_by_a_server(server: Server) -> None:
    made = server.prefect("work-pool", "create", "dsn", "--type", "process")
    assert made.returncode == 0, made.stdout + made.stderr
    done = server.prefect("--no-prompt", "deploy", "--all", DSN_NLP_HOME=str(ROOT))
    assert done.returncode == 0, done.stdout + done.stderr
    found = {each["name"]: each for each in server.ask("deployments/filter")}
    assert set(found) == {"nightly", "backfill", "retrain", "relabel"}
    for each in found.values():
        assert each["work_pool_name"] == "dsn"
        assert "dsn-nlp" in each["tags"]
        assert each["global_concurrency_limit"]["limit"] == 1
        assert each["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
        assert each["pull_steps"][0]["prefect.deployments.steps.set_working_directory"] == {
            "directory": str(ROOT)
        }
    (schedule,) = found["nightly"]["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "0 4 * * *"
    assert schedule["schedule"]["timezone"] == "America/Toronto"


def test_the_automation_against_dead_runs_is_made_once(server: Server) -> None:
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy" / "zombies.py")], env=server.environment,
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    found = server.ask("automations/filter")
    assert [each["name"] for each in found] == ["dsn-nlp: runs that died"]
    assert found[0]["actions"][0]["state"] == "CRASHED"


def test_a_night_leaves_artifacts_and_events(server: Server, installation: Installation) -> None:
    install(installation, "banner")
    done = installation.run("run", **_of(server))
    assert done.returncode == 0, done.stdout + done.stderr
    left = {each["key"]: each["data"] for each in server.ask("artifacts/filter")}
    assert set(left) == {"nightly-summary", "nightly-quality", "nightly-report"}
    assert "| documents | 1 |" in left["nightly-summary"]
    assert "source c: 1 documents where 12 are usual" in left["nightly-summary"]
    assert "| c | 1 | 0 |" in left["nightly-quality"]
    assert "https://rapports.example/2" in left["nightly-report"]
    told = _events(server)
    assert [each["resource"]["dsn-nlp.code"] for each in told] == ["volume"]
    assert told[0]["payload"]["subject"] == "c"
    names = [each["name"] for each in server.ask("flow_runs/filter")]
    assert len([name for name in names if name.startswith("night-20")]) == 1
    assert "gèle" not in json.dumps([left, told], ensure_ascii=False)


def _events(server: Server) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < deadline:
        wanted = {"event": {"name": ["dsn-nlp.alert"]}}
        found = server.ask("events/filter", filter=wanted)["events"]
        time.sleep(0.3)
    return found


def test_files_of_a_flow_that_a_worker_starts_are_its_owners_only(
    server: Server, installation: Installation
) -> None:
    """A worker imports the flow and calls it: the command line has no part in it."""
    install(installation, "banner")
    text = installation.config.read_text(encoding="utf-8")
    text += '\n[run]\nexport = "out/export"\nreports = "out/reports"\n'
    installation.config.write_text(text, encoding="utf-8")
    before = set(installation.folder.rglob("*"))
    code = (
        "import os; os.umask(0o022); from pipelines.nightly import nightly; "
        f"nightly({str(installation.config)!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=installation.environment | _of(server), text=True,
        capture_output=True, check=False, cwd=installation.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = [path for path in set(installation.folder.rglob("*")) - before if path.is_file()]
    suffixes = {path.suffix for path in made if "out" in path.parts}
    assert {".csv", ".html"} <= suffixes
    open_ = [path.name for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_ == ["dsn_nlp.prom"], "counts, which the node exporter reads under its own account"


def test_relabelling_through_prefect(server: Server, installation: Installation) -> None:
    install(installation, "banner")
    text = "L'écran gèle."
    with Store.open(installation.url) as store:
        run_id = store.begin_run("0", timedelta(minutes=1))
        document = Document("d", "comment", "c", text, "fr")
        store.add_documents(run_id, [(document, [Passage("p", "d", 0, 0, len(text), text, "fr")])])
        store.publish(run_id, {}, "toy@1")
        assert store.counts()["labels"] == 0
    code = f"from pipelines.relabel import relabel; print(relabel({str(installation.config)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=installation.environment | _of(server), text=True,
        capture_output=True, check=False, cwd=installation.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "'labelled': 1" in done.stdout
    with Store.open(installation.url) as store:
        assert store.counts()["labels"] == 1
        assert len(store.past_measures(28)) == 10  # a relabelling is no night to compare with


def test_secrets_come_from_blocks(server: Server, installation: Installation) -> None:
    code = (
        "from prefect.blocks.system import Secret\n"
        "Secret(value='sqlite:///from-a-block.db').save('dsn-store')\n"
        "from pipelines.vault import open_vault\nimport os\n"
        "assert open_vault() == ['DSN_NLP_STORE__URL']\n"
        "assert os.environ['DSN_NLP_STORE__URL'] == 'sqlite:///from-a-block.db'\n"
        "assert open_vault() == []\n"
        "os.environ['DSN_NLP_SECRET_BLOCKS'] = 'DSN_NLP_KEY2=no-such-block'\n"
        "from dsn_nlp.errors import ConfigError\n"
        "try:\n    open_vault()\nexcept ConfigError as error:\n    print(error)\n"
    )
    blocks = {"DSN_NLP_SECRET_BLOCKS": "DSN_NLP_STORE__URL=dsn-store"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=installation.environment | _of(server) | blocks,
        text=True, capture_output=True, check=False, cwd=installation.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "secret block 'no-such-block': cannot be loaded" in done.stdout
    assert "from-a-block" not in done.stdout + done.stderr


def test_the_server_dies_in_the_middle_of_a_night(
    server: Server, installation: Installation, undisturbed: Installation
) -> None:
    impatient = {"PREFECT_CLIENT_MAX_RETRIES": "0", "DSN_NLP_LABELLING__BATCH_PASSAGES": "32"}
    night = installation.start("run", **_of(server), **impatient)
    while night.poll() is None and not _has_labels(installation):
        time.sleep(0.05)
    assert night.poll() is None, night.communicate()[0]
    server.kill()
    said, _ = night.communicate()
    server.start()
    assert night.returncode == 0, said
    with Store.open(installation.url) as store, Store.open(undisturbed.url) as other:
        assert store.digest() == other.digest()
        assert "running" not in [run["status"] for run in store.runs(5)]


def _has_labels(installation: Installation) -> bool:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{installation.database}?mode=ro", uri=True) as connection:
            return bool(connection.execute("SELECT count(*) FROM labels").fetchone()[0])
    except sqlite3.Error:
        return False


def test_the_server_is_absent(installation: Installation) -> None:
    install(installation, "off")
    done = installation.run("run", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert done.returncode == 0, done.stderr
    assert "the Prefect server does not answer; the night runs without it" in done.stderr
    assert "Traceback" not in done.stderr


def _of(server: Server) -> dict[str, str]:
    return {"PREFECT_API_URL": server.address}
