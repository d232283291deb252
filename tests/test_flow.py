"""Prefect's side: the deployment file fits the flow, and the flow keeps text to itself."""

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from dsn_nlp.store import Store
from tests.conftest import ROOT, Installation

MARKER = "ZZMARQUEURQX"


def deployment() -> dict:
    return yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"][0]


def test_deployment_names_the_flow_and_the_hour() -> None:
    from prefect.flows import load_flow_from_entrypoint

    made = deployment()
    path, name = made["entrypoint"].split(":")
    flow = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
    assert flow.name == "nightly"
    assert set(made["parameters"]) <= set(flow.parameters.properties)
    assert made["schedules"] == [
        {"cron": "0 4 * * *", "timezone": "America/Toronto", "active": True}
    ]
    assert made["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_only_transient_failures_are_asked_again() -> None:
    from prefect.states import Failed

    from dsn_nlp.errors import InputError, TransientFetchError
    from pipelines.policy import is_transient

    assert is_transient(None, None, Failed(data=TransientFetchError("x")))
    assert not is_transient(None, None, Failed(data=InputError("x")))


def test_a_broken_night_says_why_in_one_line(installation: Installation) -> None:
    text = installation.config.read_text(encoding="utf-8")
    installation.config.write_text(text.replace(f"{ROOT}/models", "no-models"), encoding="utf-8")
    done = installation.run("run")
    assert done.returncode == 1
    assert sum(line.startswith("dsn-nlp: ") for line in done.stderr.splitlines()) == 1
    assert "no-models" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_identifiers_reach_neither_store_nor_prefect_nor_logs(tmp_path: Path) -> None:
    """A marker inside identifiers, at debug level, through a whole night."""
    rows = [
        f"1;2026-05-12;Hôpital Fleury;{MARKER.lower()}@exemple.ca;inf.;"
        f"Écrire à {MARKER}.x@exemple.ca svp, l'écran gèle.",
        f"2;2026-13-45;Hôpital Fleury;2e;inf.;date fausse {MARKER}",
        f"3;2026-05-12;Hôpital Fleury;2e;inf.;trop;de;champs {MARKER}",
        f"4;2026-05-12;Hôpital Fleury;2e;inf.;Voir https://facebook.com/{MARKER} pour la photo.",
    ]
    (tmp_path / "c.csv").write_text(
        "id;date;site;unit;role;texte\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    settings = (
        f'[labelling]\nmodels = "{ROOT}/models"\n[[comments]]\nname = "c"\npath = "c.csv"\n'
        '[comments.columns]\nresponse_id = "id"\ndate = "date"\nsite = "site"\nunit = "unit"\n'
        'role = "role"\ntext = ["texte"]\n'
    )
    made = Installation(tmp_path, settings)
    done = made.run("run", PREFECT_LOGGING_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    with Store.open(made.url) as store:
        assert store.counts()["documents"] == 2
    seen = done.stdout + done.stderr
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "c.csv"]
    assert any("prefect" in str(p) for p in files)
    forms = [MARKER.encode(), MARKER.lower().encode(), base64.b64encode(MARKER.encode())[:12]]
    assert MARKER.lower() not in seen.lower()
    leaks = [(p.name, f) for p in files for f in forms if f in p.read_bytes()]
    assert leaks == []


def test_serve_schedules_the_night(installation: Installation) -> None:
    """`dsn-nlp serve` starts a server where none is configured, and registers the schedule."""
    log = installation.folder / "serve.log"
    with log.open("w") as handle:
        served = subprocess.Popen(
            installation.command("serve"), stdout=handle, stderr=subprocess.STDOUT,
            env=installation.environment, cwd=installation.folder, start_new_session=True,
        )  # fmt: skip
    try:
        found = _wait_for_deployment(served)
    finally:
        os.killpg(served.pid, 15)
        served.wait(timeout=60)
    assert found["name"] == "nightly", log.read_text()
    schedule = found["schedules"][0]["schedule"]
    assert (schedule["cron"], schedule["timezone"]) == ("0 4 * * *", "America/Toronto")
    assert found["parameters"] == {"config": str(installation.config)}


def _wait_for_deployment(served: "subprocess.Popen[bytes]") -> dict:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and served.poll() is None:
        try:
            answer = httpx.post(
                "http://127.0.0.1:4200/api/deployments/filter", json={}, trust_env=False
            )
            if answer.is_success and answer.json():
                return answer.json()[0]
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    return {
        "name": "none",
        "schedules": [{"schedule": {"cron": "", "timezone": ""}}],
        "parameters": {},
    }


def test_pipelines_are_importable_when_installed() -> None:
    code = "import pipelines.nightly, pipelines.server"
    done = subprocess.run([sys.executable, "-c", code], cwd="/", check=False, env=os.environ)
    assert done.returncode == 0


def test_a_night_that_was_cancelled_is_not_begun_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's answer to a cancelled run is given in place of its engine's."""
    from prefect.states import Cancelled

    from dsn_nlp.errors import StoreError
    from pipelines.nightly import run_nightly

    monkeypatch.setenv("DSN_NLP_KEY", installation.environment["DSN_NLP_KEY"])
    monkeypatch.setattr("pipelines.nightly.nightly", lambda *_, **__: Cancelled())
    with pytest.raises(StoreError, match="cancelled in Prefect"):
        run_nightly(str(installation.config))
    with Store.open(installation.url) as store:
        assert store.counts()["documents"] == 0
