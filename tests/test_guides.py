"""The analyst's guides and the notebook: every command and cell runs on the demonstration."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import KEY, ROOT

GUIDES = {"fr": ROOT / "docs" / "guide-analyste.md", "en": ROOT / "docs" / "analyst-guide.md"}
NOTEBOOK = ROOT / "notebooks" / "premiers-pas.ipynb"


def commands(guide: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [line.split("  #")[0].strip() for line in lines]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds, with the demonstration that the guides begin with."""
    folder = tmp_path_factory.mktemp("guides")
    for name in ("corpora", "models"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    _run(commands(GUIDES["fr"])[0], folder, "fr")
    return folder


def _run(command: str, folder: Path, lang: str) -> str:
    environment = os.environ | {"DSN_NLP_KEY": KEY, "DSN_NLP_LANG": lang}
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=environment, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_both_guides_say_the_same() -> None:
    french, english = (GUIDES[lang].read_text(encoding="utf-8") for lang in ("fr", "en"))
    assert commands(GUIDES["fr"]) == commands(GUIDES["en"])
    assert len(re.findall("^## ", french, flags=re.M)) == len(
        re.findall("^## ", english, flags=re.M)
    )


@pytest.mark.parametrize("command", commands(GUIDES["fr"])[1:])
def test_commands_of_the_guides_work(clone: Path, command: str) -> None:
    lang = "en" if len(command) % 2 else "fr"
    told = _run(command, clone, lang)
    written = re.search(r" -o (\S+)", command)
    assert (clone / written[1]).stat().st_size > 100 if written else told.strip()


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_links_of_the_guides_exist(guide: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", guide.read_text(encoding="utf-8")):
        assert (guide.parent / target).exists(), target


def test_every_view_and_question_is_in_the_guides() -> None:
    from dsn_nlp.cli.ask import ask_app
    from dsn_nlp.store.schema_views import DOORS

    for guide in GUIDES.values():
        text = guide.read_text(encoding="utf-8")
        assert [view.name for view in DOORS if f"`{view.name}`" not in text] == []
        names = [c.name or c.callback.__name__ for c in ask_app.registered_commands]
        assert [name for name in names if f"dsn-nlp ask {name}" not in text] == []


def test_the_notebook_runs_and_is_kept_without_outputs(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSN_NLP_NOTEBOOK", str(clone / "var" / "demo" / "dsn.toml"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(clone)}}).execute()
    shown = {cell.id: cell.outputs for cell in cells}
    assert "formation" in shown["phrases"][0]["text"]
    assert "image/svg+xml" in shown["dessin"][0]["data"]
    assert "Hôpital Fleury" in shown["parts"][0]["data"]["text/html"]
