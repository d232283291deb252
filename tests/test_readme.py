"""Every command of the README is run here, in its order, on a copy of what a clone holds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KEY, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TRAINING = "tests/modelling/test_training.py"
# What takes hours or never ends is run elsewhere, in small: command -> the test that does.
ELSEWHERE = {
    "make run": "tests/test_night.py::test_night_through_prefect",
    "make test": "tests/test_readme.py",
    ".venv/bin/dsn-nlp serve": "tests/test_flow.py::test_serve_schedules_the_night",
    ".venv/bin/dsn-nlp make-base": f"{TRAINING}::test_base_encoder_brings_translations_together",
    ".venv/bin/dsn-nlp train --model-version 1.4.0": f"{TRAINING}::trained",
    ".venv/bin/dsn-nlp models promote dsn-camembert/1.4.0":
        "tests/modelling/test_promote.py::test_commands",
    '.venv/bin/dsn-nlp models rollback --reason "plaintes du terrain"':
        "tests/modelling/test_promote.py::test_commands",
    ".venv/bin/dsn-nlp annotate suspects --size 20 -o suspects.jsonl":
        "tests/modelling/test_suspects.py::test_planted_errors_come_to_the_top",
    ".venv/bin/dsn-nlp retrain --model-version 1.5.0":
        "tests/modelling/test_retrain.py::retrained",
    ".venv/bin/dsn-nlp bench":
        f"{TRAINING}::test_bench_times_every_way_on_the_same_passages",
    ".venv/bin/dsn-nlp dashboard": "tests/dashboard/test_server.py::test_strangers_see_nothing",
    ".venv/bin/dsn-nlp demo":
        "tests/test_demo.py::test_the_story_is_half_a_year_and_always_the_same",
    ".venv/bin/dsn-nlp backfill --since 2026-05-01 --until 2026-05-31":
        "tests/gather/test_keeping.py::test_a_backfill_run_twice_asks_for_no_page_twice",
    ".venv/bin/dsn-nlp evaluate --baselines": f"{TRAINING}::test_baselines_are_measured",
}  # fmt: skip


def commands(page: str = README) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page, flags=re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip() and line[0] != "#"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What commands read, in a folder where they may write; ``.venv`` is the one that tests use."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("corpora", "models"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("dsn.toml", "dsn.example.toml", "Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


def test_french_page_has_the_same_commands_and_live_links() -> None:
    french = ROOT / "docs" / "lisezmoi.md"
    text = french.read_text(encoding="utf-8")
    assert commands(text) == commands()
    for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", text):
        assert (french.parent / target).exists(), target


def test_readme_is_short_and_starts_with_two_commands() -> None:
    assert len(README.splitlines()) <= 250
    assert commands()[:2] == ["make run", "make test"]


@pytest.mark.parametrize("command", [c for c in commands() if c in ELSEWHERE])
def test_long_commands_are_tested_elsewhere(command: str) -> None:
    path, _, name = ELSEWHERE[command].partition("::")
    assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["make run", "make test", "make setup"])
def test_make_targets_exist(command: str) -> None:
    done = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


def test_commands_work_in_their_order(clone: Path) -> None:
    environment = os.environ | {"DSN_NLP_KEY": KEY, "PREFECT_HOME": str(clone / "prefect")}
    ran = 0
    for command in commands():
        if command in ELSEWHERE:
            continue
        done = subprocess.run(
            ["bash", "-c", command], cwd=clone, env=environment, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran >= 8


def test_every_command_of_the_program_is_named() -> None:
    from dsn_nlp.cli import app

    names = [c.name or c.callback.__name__.replace("_", "-") for c in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    assert [name for name in names if f"dsn-nlp {name}" not in README] == []


def test_links_of_the_readme_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
