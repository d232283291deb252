"""Check 18: canaries in place of every secret, errors forced where each is used."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Installation, sample_settings

PASSWORD, KEY = "CANARY-dsn-password", "CANARY-hmac-key-of-many-characters"
SECRETS = {
    "DSN_NLP_STORE__URL": f"postgresql://anna:{PASSWORD}@127.0.0.1:1/db?application_name=dsn",
    "DSN_NLP_KEY": KEY,
}


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    return Installation(tmp_path, sample_settings())


def seen_in_processes() -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "CANARY" in words:
            found.append(words)
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("doctor",),
        ("run", "--no-prefect"),
        ("query", "SELECT 1"),
        ("privacy", "register"),
        ("privacy", "roles", "--apply"),
        ("privacy", "erase", "--respondent", "x"),
        ("annotate", "agreement"),
    ],
)
def test_no_secret_in_output_files_or_process_list(
    made: Installation, words: tuple[str, ...]
) -> None:
    """The store cannot be reached: each command fails, with the address in its hands."""
    running = made.start(*words, **SECRETS, DSN_NLP_DEBUG="1", PREFECT_LOGGING_LEVEL="DEBUG")
    while running.poll() is None:
        assert seen_in_processes() == []
        time.sleep(0.1)
    told = running.communicate()[0]
    assert running.returncode != 0
    assert "CANARY" not in told
    assert "127.0.0.1:1/db" in told, "the message names the place"
    holding = [p for p in made.folder.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()]
    assert holding == []


def test_bad_secrets_are_not_repeated(made: Installation) -> None:
    for secret in (
        {"DSN_NLP_STORE__URL": f"mysql://anna:{PASSWORD}@h/d"},
        {"DSN_NLP_STORE__URL": f"{PASSWORD}"},
        {"DSN_NLP_KEY": "CANARY"},
        {"DSN_NLP_STORE": f'{{"url": ["{PASSWORD}"]}}'},
        {"DSN_NLP_STORE": PASSWORD},
    ):
        done = made.run("doctor", **secret)
        assert done.returncode == 1
        assert "CANARY" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_settings_hide_their_secrets() -> None:
    code = (
        "import sys, json; from pathlib import Path; from dsn_nlp.config import load_settings; "
        "s = load_settings(Path('dsn.toml')); "
        "print(s, repr(s), s.model_dump(), s.model_dump_json())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True,
        env=os.environ | SECRETS,
    )  # fmt: skip
    assert "CANARY" not in done.stdout + done.stderr
    assert "**********" in done.stdout


def test_help_shows_no_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "privacy", "erase", "--help"], cwd=ROOT, text=True,
        capture_output=True, check=True, env=os.environ | SECRETS,
    )  # fmt: skip
    assert "CANARY" not in done.stdout
