"""Shared fixtures: a night on the bundled sample in a folder of its own, and the command line."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsn_nlp.speech import screen_language

ROOT = Path(__file__).resolve().parents[1]
KEY = "a key for tests only, 32 characters"


class Installation:
    """A settings file, a store and a key in one temporary folder."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        self.config = folder / "dsn.toml"
        self.config.write_text(settings, encoding="utf-8")
        self.environment = os.environ | {
            "DSN_NLP_KEY": KEY,
            "DSN_NLP_LANG": "en",
            "PREFECT_HOME": str(folder / "var" / "prefect"),
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        }

    @property
    def database(self) -> Path:
        return self.folder / "var" / "dsn.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dsn_nlp", *words, "--config", str(self.config)]

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*words), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.environment | environment, cwd=self.folder,
        )  # fmt: skip

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words), text=True, capture_output=True, check=False,
            env=self.environment | environment, cwd=self.folder,
        )  # fmt: skip


def sample_settings() -> str:
    """The bundled settings without reports, with paths that hold from any folder."""
    text = (ROOT / "dsn.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[run\]\nreports = .*\n\n", "", text)
    text = text.replace('"corpora/sample', f'"{ROOT}/corpora/sample')
    return text.replace("[gather]", f'[labelling]\nmodels = "{ROOT}/models"\n\n[gather]', 1)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path, sample_settings())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation after one whole night on the sample; tests only read it."""
    made = Installation(tmp_path_factory.mktemp("undisturbed"), sample_settings())
    done = made.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    return made


def dsn_nlp(
    *words: str, stdin: str | None = None, cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Run a command that needs no settings."""
    return subprocess.run(
        [sys.executable, "-m", "dsn_nlp", *words], text=True, capture_output=True, check=False,
        input=stdin, cwd=cwd, env=os.environ | {"DSN_NLP_LANG": "en"},
    )  # fmt: skip


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Choose the screen's language, which a process else learns once."""

    def choose(lang: str) -> None:
        monkeypatch.setenv("DSN_NLP_LANG", lang)
        screen_language.cache_clear()

    yield choose
    monkeypatch.undo()
    screen_language.cache_clear()
