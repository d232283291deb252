"""Promotion through the gate, and the way back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsn_nlp.errors import CorpusError, ModelError
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import read_manifest, serving_folder, set_serving
from dsn_nlp.modelling.corpus import split_corpus, write_splits
from dsn_nlp.modelling.evaluate import measure, predict, set_floors
from dsn_nlp.modelling.promote import LOG, lost_by_quantization, promote, roll_back
from tests.conftest import ROOT, dsn_nlp

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice of the committed test split."""
    folder = tmp_path_factory.mktemp("corpus")
    test = split_corpus(ROOT / "corpora/labelled")["test"][:120]
    rows = [
        {"id": e.example_id, "lang": e.lang, "kind": e.kind, "text": e.text,
         "complaints": list(e.complaints), "sentiment": e.sentiment}
        for e in test
    ]  # fmt: skip
    (folder / "slice.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    write_splits(folder, {e.example_id: "test" for e in test})
    return folder


def install(models: Path, reference: str, change: Change = lambda manifest: None) -> None:
    """Put the shipped model under another name, with a change of its manifest."""
    target = models / reference
    shutil.copytree(serving_folder(ROOT / "models"), target)
    path = target / "manifest.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    written["name"], written["version"] = reference.split("/")
    change(written)
    path.write_text(json.dumps(written), encoding="utf-8")


def deaf(manifest: dict[str, Any]) -> None:
    """Never tell of training or security."""
    manifest["thresholds"] |= {"training": 1.1, "security": 1.1}


def crushed(manifest: dict[str, Any]) -> None:
    manifest["measured"]["float_network"] = {"int8": [0.80, 0.85], "float": [0.82, 0.85]}


@pytest.fixture
def models(tmp_path: Path, corpus: Path) -> Path:
    """``weak/1`` serves; the floors are those that ``good/1`` reaches with a margin."""
    install(tmp_path, "good/1")
    install(tmp_path, "weak/1", deaf)
    test = split_corpus(corpus)["test"]
    set_floors(measure(test, predict(Classifier.load(tmp_path / "good/1"), test)), tmp_path, "test")
    set_serving(tmp_path, "weak/1")
    return tmp_path


def test_a_better_model_is_promoted_and_rolled_back(models: Path, corpus: Path) -> None:
    verdict = promote(models, "good/1", corpus)
    assert verdict.promoted, verdict.reasons
    assert verdict.serving is not None
    assert verdict.candidate[0] > verdict.serving[0]
    assert serving_folder(models) == models / "good/1"
    assert roll_back(models, "a complaint from the field") == "weak/1"
    assert serving_folder(models) == models / "weak/1"
    log = [json.loads(line) for line in (models / LOG).read_text(encoding="utf-8").splitlines()]
    assert [(line["from"], line["to"]) for line in log] == [
        ("weak/1", "good/1"),
        ("good/1", "weak/1"),
    ]


def test_a_model_below_a_floor_is_refused(models: Path, corpus: Path) -> None:
    set_serving(models, "good/1")
    verdict = promote(models, "weak/1", corpus)
    assert not verdict.promoted
    assert any("all/training" in reason and "floor" in reason for reason in verdict.reasons)
    assert serving_folder(models) == models / "good/1"
    assert not (models / LOG).exists()


def test_a_model_that_is_no_better_is_refused(models: Path, corpus: Path) -> None:
    install(models, "same/1")
    set_serving(models, "good/1")
    verdict = promote(models, "same/1", corpus)
    assert len(verdict.reasons) == 1
    assert "does not beat" in verdict.reasons[0]


def test_a_model_that_quantization_hurt_is_refused(models: Path, corpus: Path) -> None:
    install(models, "crushed/1", crushed)
    verdict = promote(models, "crushed/1", corpus)
    assert [reason for reason in verdict.reasons if "int8 loses 0.0200" in reason]
    assert serving_folder(models) == models / "weak/1"


def test_the_shipped_model_loses_little_by_quantization() -> None:
    assert lost_by_quantization(read_manifest(serving_folder(ROOT / "models"))) == []


def test_other_test_data_is_refused(models: Path, corpus: Path, tmp_path: Path) -> None:
    floors = models / "floors.json"
    floors.write_text(floors.read_text().replace('"digest": "', '"digest": "0'), encoding="utf-8")
    with pytest.raises(CorpusError, match="set on test data"):
        promote(models, "good/1", corpus)


def test_roll_back_without_a_past_says_what_to_do(models: Path) -> None:
    with pytest.raises(ModelError, match="models serve"):
        roll_back(models, "")


def test_commands(models: Path, corpus: Path) -> None:
    """`dsn-nlp models promote` and `dsn-nlp models rollback`."""
    place = ("--models", str(models))
    done = dsn_nlp("models", "promote", "good/1", *place, "--corpus", str(corpus))
    assert (done.returncode, done.stdout.strip()) == (0, "Serving: good/1")
    done = dsn_nlp("models", "rollback", *place, "--reason", "a test")
    assert (done.returncode, done.stdout.strip()) == (0, "Serving: weak/1")
    done = dsn_nlp("models", "serve", "good/1", *place)
    assert done.returncode == 0
    done = dsn_nlp("models", "promote", "weak/1", *place, "--corpus", str(corpus))
    assert done.returncode == 1
    assert "below the floor" in done.stderr
    assert "Traceback" not in done.stderr
