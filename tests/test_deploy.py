"""What ``deploy/`` holds is well-formed, says what the README says, and keeps telemetry off."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from dsn_nlp.cli import ALREADY_RUNNING
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
HERE = ZoneInfo("America/Toronto")


def units() -> list[Path]:
    return sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer"))


def keys(path: Path) -> dict[str, dict[str, list[str]]]:
    """A unit file by section and key; systemd allows keys twice, configparser does not."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
            continue
        key, value = re.fullmatch(r"(\w+)=(.*)", line).groups()  # type: ignore[union-attr]
        found.setdefault(section, {}).setdefault(key, []).append(value)
    return found


def test_units_are_understood_by_systemd(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here; the next test reads the units")
    for unit in units():
        text = unit.read_text(encoding="utf-8")
        text = text.replace("/opt/dsn-nlp/.venv/bin/dsn-nlp", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in units())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_units_run_the_night_at_four() -> None:
    service, timer = (keys(path) for path in units())
    assert timer["Timer"]["OnCalendar"] == ["*-*-* 04:00:00 America/Toronto"]
    assert timer["Timer"]["Persistent"] == ["true"]
    assert timer["Timer"]["Unit"] == ["dsn-nlp-night.service"]
    (command,) = service["Service"]["ExecStart"]
    words = command.split()[1:]
    assert words[:2] == ["run", "--no-prefect"]
    assert service["Service"]["Type"] == ["oneshot"]
    assert service["Service"]["UMask"] == ["0077"]
    assert service["Service"]["SuccessExitStatus"] == [str(ALREADY_RUNNING)]


def test_compose_is_whole() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = made["services"]
    assert set(services) == {"store", "prefect-db", "prefect", "worker"}
    for name, service in services.items():
        assert ("image" in service) or ("build" in service), name
        assert service["restart"] == "unless-stopped"
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in made["volumes"], volume
    for name in ("prefect", "worker"):
        environment = services[name]["environment"]
        assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        assert environment["DO_NOT_TRACK"] == "1"
    assert services["prefect"]["ports"] == ["127.0.0.1:4200:4200"]
    assert (DEPLOY / services["worker"]["build"]["dockerfile"]).name == "Containerfile"


def test_compose_holds_no_password() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    values = re.findall(r"PASSWORD: (.*)|_KEY: (.*)", text)
    assert len(values) == 3
    assert all(value.startswith("${") for pair in values for value in pair if value)
    in_urls = re.findall(r"://\w+:([^@\s/]+)@", text)
    assert len(in_urls) == 2
    assert all(password.startswith("${") for password in in_urls)


def test_compose_as_docker_reads_it() -> None:
    words = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run([*words, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("docker compose is not here; the tests above read the file")
    secrets = {"DSN_STORE_PASSWORD": "a", "PREFECT_DB_PASSWORD": "b", "DSN_NLP_KEY": "c" * 16}
    done = subprocess.run(
        [*words, "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"],
        capture_output=True, text=True, check=False, env=os.environ | secrets,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_prefects_own_settings_are_spelt_as_prefect_spells_them() -> None:
    """Prefect ignores what it does not know."""
    from prefect.settings.legacy import _get_settings_fields
    from prefect.settings.models.root import Settings

    known = set(_get_settings_fields(Settings))
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    used = {
        name
        for service in made["services"].values()
        for name in service["environment"]
        if name.startswith("PREFECT_") and name != "PREFECT_DB_PASSWORD"
    }
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    used |= set(re.findall(r"\b(PREFECT_\w+)=", container))
    assert len(used) >= 7
    assert used <= known


def test_containerfile_copies_what_is_there_and_is_not_root() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert re.findall(r"^USER (\w\S+)$", text, re.MULTILINE) == ["dsn-nlp"]
    instructions = {line.split()[0] for line in text.splitlines() if re.match(r"[A-Z]+ ", line)}
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    assert instructions <= known
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 12, 31)])
def test_the_schedule_runs_once_a_day_on_odd_days(day: date) -> None:
    import asyncio

    from prefect.server.schemas.schedules import CronSchedule

    made = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    (schedule,) = made["deployments"][0]["schedules"]
    cron = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    start = datetime.combine(day - timedelta(days=1), datetime.min.time(), HERE)
    moments = asyncio.run(cron.get_dates(n=3, start=start))
    told = [moment.astimezone(HERE) for moment in moments]
    assert [moment.date() for moment in told] == [day + timedelta(days=n) for n in (-1, 0, 1)]
    assert {moment.hour for moment in told} == {4}
