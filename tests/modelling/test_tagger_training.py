"""`dsn-nlp models train-deidentifier` on a tiny encoder: tagged comments in, a folder out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dsn_nlp.modelling import tagger
from dsn_nlp.modelling.tagger import TaggerRecipe, train_tagger
from dsn_nlp.modelling.tagger_corpus import sample_of
from dsn_nlp.prepare.deid_score import read_tagged
from dsn_nlp.prepare.deid_tagger import Tagger
from dsn_nlp.prepare.deid_types import TYPES
from tests.conftest import ROOT
from tests.modelling.tiny import save_tiny_camembert

CORPUS = ROOT / "corpora" / "deidentification"


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice of the committed corpus: some to train on, some to hold out."""
    folder = tmp_path_factory.mktemp("tagged")
    rows = (CORPUS / "train.jsonl").read_text(encoding="utf-8").splitlines()
    held = [row for row in rows if json.loads(row)["id"].startswith("tb-")][:40]
    kept = [row for row in rows if json.loads(row)["id"].startswith("ta-")][:60]
    (folder / "train.jsonl").write_text("\n".join(kept + held) + "\n", encoding="utf-8")
    older = (CORPUS / "dev.jsonl").read_text(encoding="utf-8").splitlines()[:40]
    (folder / "dev.jsonl").write_text("\n".join(older) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def base(tagged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [example.text for example in read_tagged("train", tagged)]
    return save_tiny_camembert(tmp_path_factory.mktemp("base") / "tiny", texts)


def test_the_command_trains_and_writes_a_folder_that_is_served(
    tagged: Path, base: Path, tmp_path: Path
) -> None:
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    source = (ROOT / "corpora/labelled/w3_fr_plain.jsonl").read_text(encoding="utf-8")
    (labelled / "slice.jsonl").write_text("\n".join(source.splitlines()[:60]), encoding="utf-8")
    command = [
        sys.executable, "-m", "dsn_nlp", "models", "train-deidentifier", "--base", str(base),
        "--corpus", str(tagged), "--labelled", str(labelled), "--models", str(tmp_path / "models"),
        "--work", str(tmp_path / "work"), "--epochs", "1", "--layers", "1", "--model-version", "9",
    ]  # fmt: skip
    done = subprocess.run(
        command, env=os.environ | {"HF_HUB_OFFLINE": "1", "DSN_NLP_LANG": "en"}, text=True,
        capture_output=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "fr: " in done.stdout
    assert "person_recall" in done.stdout
    folder = tmp_path / "models" / "dsn-deidentifier" / "9"
    first = Tagger.load(folder, TYPES)
    again = [*command[:-1], "10", "--start", str(folder), "--epochs", "0"]
    again[again.index("--work") + 1] = str(tmp_path / "other")
    subprocess.run(again, env=os.environ | {"HF_HUB_OFFLINE": "1"}, check=True, cwd=ROOT)
    second = Tagger.load(folder.parent / "10", TYPES)
    texts = [example.text for example in read_tagged("dev", tagged)]
    for one, other in zip(first.read(texts), second.read(texts), strict=True):
        assert np.allclose(one.probabilities, other.probabilities, atol=0.02)
    (folder / "network.onnx").write_bytes(b"altered")
    with pytest.raises(Exception, match=r"network\.onnx"):
        Tagger.load(folder, TYPES)


def test_a_run_broken_off_goes_on_as_if_it_had_not_been(
    tagged: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [sample_of(example) for example in read_tagged("train", tagged)]
    recipe = TaggerRecipe(base=str(base), layers=1, epochs=2, dropout=0.0)
    whole = train_tagger(samples, [], recipe, tmp_path / "whole")
    keep = tagger._keep

    def broken(*told: object) -> None:
        keep(*told)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(tagger, "_keep", broken)
    with pytest.raises(KeyboardInterrupt):
        train_tagger(samples, [], recipe, tmp_path / "broken")
    monkeypatch.setattr(tagger, "_keep", keep)
    resumed = train_tagger(samples, [], recipe, tmp_path / "broken")
    assert len(resumed.record["losses"]) == 1
    for name, weight in whole.network.state_dict().items():
        assert weight.allclose(resumed.network.state_dict()[name], atol=1e-6), name
