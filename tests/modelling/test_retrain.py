"""The retraining flow, whole, on a tiny model: reviewed labels in, a verdict out."""

import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsn_nlp.errors import TrainingError
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.modelling.corpus import Example, read_corpus, split_corpus
from dsn_nlp.modelling.evaluate import measure
from dsn_nlp.modelling.promote import LOG
from dsn_nlp.modelling.retrain import REVIEWED, grow
from dsn_nlp.records import Review
from dsn_nlp.store import Store
from tests.conftest import KEY, ROOT, Installation
from tests.modelling.tiny import save_tiny_camembert

MARKER = "zzmarqueur"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    source = (ROOT / "corpora/labelled/w3_fr_plain.jsonl").read_text(encoding="utf-8")
    (folder / "slice.jsonl").write_text("\n".join(source.splitlines()[:200]), encoding="utf-8")
    split_corpus(folder)
    return folder


def example(name: str, text: str) -> Example:
    return Example(name, "fr", "comment", text, ("training",), "negative", REVIEWED)


def test_reviewed_passages_train_unless_they_resemble_the_test(
    corpus: Path, tmp_path: Path
) -> None:
    seen = split_corpus(corpus)["test"][0].text
    new = [example("review-1", seen + " !"), example("review-2", "Zéro cours de pharmacovigilance")]
    drawn = grow(corpus, new, tmp_path / "grown")
    splits = split_corpus(tmp_path / "grown")
    assert {e.example_id for e in splits["excluded"]} >= {"review-1"}
    assert drawn == sum(e.file == REVIEWED for e in splits["train"])
    assert splits["test"][0].text == seen
    assert {e.example_id for e in splits["test"]} >= {
        e.example_id for e in split_corpus(corpus)["test"]
    }


def test_a_corpus_without_splits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"splits\.json"):
        grow(tmp_path, [], tmp_path / "grown")


@pytest.fixture(scope="module")
def retrained(
    corpus: Path, undisturbed: Installation, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Installation, "subprocess.CompletedProcess[str]"]:
    """`dsn-nlp retrain` on a copy of the sample night, with twelve reviews in the store."""
    folder = tmp_path_factory.mktemp("retrained")
    shutil.copytree(undisturbed.folder / "var", folder / "var")
    target = folder / "models" / serving_folder(ROOT / "models").relative_to(ROOT / "models")
    shutil.copytree(serving_folder(ROOT / "models"), target)
    shutil.copy(ROOT / "models/current.toml", folder / "models/current.toml")
    test = split_corpus(corpus)["test"]
    floors = {"digest": measure_digest(test), "reason": "test", "floors": {"all/macro_f1": 0.5}}
    (folder / "models/floors.json").write_text(json.dumps(floors), encoding="utf-8")
    made = Installation(folder, '[labelling]\nmodels = "models"\n')
    with Store.open(made.url) as store:
        chosen = store.candidates()[:12]
        now = datetime.now(UTC)
        store.add_reviews(Review(c.passage_id, "marie", now, (), "neutral") for c in chosen)
    with sqlite3.connect(made.database) as connection:
        connection.execute(
            "update passages set text = text || ? where passage_id = ?",
            (f" {MARKER}", chosen[0].passage_id),
        )
    base = save_tiny_camembert(folder / "tiny", [e.text for e in read_corpus(corpus)])
    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "retrain", "--config", str(made.config), "--base",
         str(base), "--corpus", str(corpus), "--model-version", "t1", "--work",
         str(folder / "work"), "--set", "epochs=1"],
        env=made.environment | {"HF_HUB_OFFLINE": "1", "DSN_NLP_KEY": KEY}, text=True,
        capture_output=True, check=False, cwd=folder,
    )  # fmt: skip
    return made, done


def measure_digest(test: list[Example]) -> str:
    from dsn_nlp.label.classifier import Classifier
    from dsn_nlp.modelling.evaluate import predict

    classifier = Classifier.load(serving_folder(ROOT / "models"))
    return str(measure(test, predict(classifier, test))["digest"])


def test_a_worse_candidate_is_kept_aside_with_the_reasons(
    retrained: tuple[Installation, "subprocess.CompletedProcess[str]"],
) -> None:
    made, done = retrained
    assert done.returncode == 1, done.stderr[-2000:]
    assert "below the floor" in done.stderr
    assert "does not beat the serving model" in done.stderr
    assert "The serving model stays." in done.stdout
    models = made.folder / "models"
    assert serving_folder(models).name == serving_folder(ROOT / "models").name
    assert (models / "dsn-camembert/t1/manifest.json").is_file()
    assert not (models / LOG).exists()


def test_reviewed_labels_were_trained_on(
    retrained: tuple[Installation, "subprocess.CompletedProcess[str]"], corpus: Path
) -> None:
    made, _ = retrained
    grown = read_corpus(made.folder / "work/corpus")
    assert sum(e.file == REVIEWED for e in grown) == 12
    manifest = json.loads(
        (made.folder / "models/dsn-camembert/t1/manifest.json").read_text(encoding="utf-8")
    )
    assert manifest["corpus"]["train"]["passages"] > len(split_corpus(corpus)["train"])


def test_passages_do_not_reach_prefect(
    retrained: tuple[Installation, "subprocess.CompletedProcess[str]"],
) -> None:
    made, done = retrained
    assert MARKER not in done.stdout + done.stderr
    kept = [p for p in (made.folder / "var/prefect").rglob("*") if p.is_file()]
    assert kept
    assert [p for p in kept if MARKER.encode() in p.read_bytes()] == []


def test_deployment_names_the_flow() -> None:
    import yaml
    from prefect.flows import load_flow_from_entrypoint

    written = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (made,) = [each for each in written if each["name"] == "retrain"]
    path, name = made["entrypoint"].split(":")
    flow = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
    assert set(made["parameters"]) <= set(flow.parameters.properties)


def test_several_starts_are_averaged(tmp_path: Path, corpus: Path) -> None:
    import torch

    from dsn_nlp.modelling.network import LabelNetwork, load_base, load_network, save_network

    base = save_tiny_camembert(tmp_path / "tiny", [e.text for e in read_corpus(corpus)])
    networks = []
    for name in ("a", "b"):
        networks.append(LabelNetwork(load_base(str(base))[0]))
        (tmp_path / name).mkdir()
        save_network(networks[-1], tmp_path / name)
    mean = LabelNetwork(load_base(str(base))[0])
    load_network(mean, *(tmp_path / name / "network.safetensors" for name in ("a", "b")))
    expected = (networks[0].reading.queries + networks[1].reading.queries) / 2
    assert torch.allclose(mean.reading.queries, expected)
