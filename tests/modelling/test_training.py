"""The road from a base model to a served one, on a tiny random CamemBERT, offline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dsn_nlp.errors import TrainingError
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.modelling.corpus import read_corpus
from tests.conftest import ROOT
from tests.modelling.tiny import save_tiny_camembert


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice of the committed corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    source = (ROOT / "corpora/labelled/w3_fr_plain.jsonl").read_text(encoding="utf-8")
    (folder / "slice.jsonl").write_text("\n".join(source.splitlines()[:240]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dsn-nlp train --base <Hugging Face folder>`, with the hub out of reach."""
    folder = tmp_path_factory.mktemp("trained")
    texts = [e.text for e in read_corpus(small_corpus)]
    base = save_tiny_camembert(folder / "tiny-camembert", texts)
    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "train", "--base", str(base), "--corpus",
         str(small_corpus), "--models", str(folder / "models"), "--work", str(folder / "work"),
         "--epochs", "2", "--set", "exits=1", "--name", "tiny", "--model-version", "1"],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "DSN_NLP_LANG": "en"}, text=True,
        capture_output=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "dsn-nlp models serve tiny/1" in done.stdout
    return folder


def test_trained_folder_serves(trained: Path) -> None:
    classifier = Classifier.load(trained / "models/tiny/1")
    scores = classifier.score(["Aucune formation.", "Tout va bien."])
    assert scores.complaints.shape == (2, 5)
    manifest = classifier.manifest
    assert manifest.training["family"] == "camembert"
    assert manifest.corpus["train"]["passages"] > 100
    card = (trained / "models/tiny/1/README.md").read_text(encoding="utf-8")
    assert manifest.corpus["test"]["digest"] in card


def test_exported_network_gives_the_float_networks_numbers(trained: Path, tmp_path: Path) -> None:
    """ONNX against torch, with padding in the batch: the attention mask is in the graph."""
    import onnxruntime
    import torch

    from dsn_nlp.modelling.export import export_float
    from dsn_nlp.modelling.network import LabelNetwork, load_base, load_network

    encoder, tokenizer = load_base(str(trained / "tiny-camembert"))
    network = LabelNetwork(encoder).eval()
    load_network(network, trained / "work/network.safetensors")
    batch = tokenizer(["Trop de clics", "Écran figé depuis ce matin, personne"], padding=True)
    ids, mask = (torch.tensor(batch[k]) for k in ("input_ids", "attention_mask"))
    with torch.no_grad():
        expected = network.logits(ids, mask).numpy()
    export_float(network, tmp_path / "float.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "float.onnx"))
    told = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    assert np.abs(told - expected).max() < 1e-3


def test_run_record_says_what_was_done(trained: Path) -> None:
    record = json.loads((trained / "work/run.json").read_text(encoding="utf-8"))
    assert record["recipe"]["epochs"] == 2
    assert len(record["epochs"]) == 2
    assert set(record["digests"]) == {"train", "development", "test", "excluded"}


def test_unknown_base_is_one_line(small_corpus: Path, tmp_path: Path) -> None:
    from dsn_nlp.modelling.network import load_base

    with pytest.raises(TrainingError, match="no such base model"):
        load_base(str(tmp_path / "nothing"))


def test_base_encoder_brings_translations_together(tmp_path: Path) -> None:
    """`dsn-nlp make-base`: a sentence and its translation are nearer than unrelated ones."""
    from dsn_nlp.modelling.base import make_base
    from dsn_nlp.modelling.baselines import embed

    parameters = make_base(tmp_path / "base")
    assert 30e6 < parameters < 50e6
    rows = embed(
        str(tmp_path / "base"),
        ["query: Le système est tombé en panne deux heures.",
         "query: The system was down for two hours.", "query: J'aime les pommes vertes."],
    )  # fmt: skip
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    near, far = unit[0] @ unit[1], unit[0] @ unit[2]
    assert near > 0.9 > far


def test_baselines_are_measured(trained: Path, small_corpus: Path) -> None:
    """`dsn-nlp evaluate --baselines`, on a slice: n-grams beat the majority."""
    from dsn_nlp.modelling.baselines import measure_baselines
    from dsn_nlp.modelling.corpus import split_corpus

    reports = measure_baselines(split_corpus(small_corpus), str(trained / "tiny-camembert"))
    assert len(reports) == 3
    majority, ngrams = reports["majority"], reports["TF-IDF + logistic regression"]
    assert ngrams["macro_f1"] > majority["macro_f1"]
    assert len({report["digest"] for report in reports.values()}) == 1


def test_training_goes_on_from_a_shipped_model_folder(trained: Path, tmp_path: Path) -> None:
    """The int8 weights of a release come back within half a quantization step."""
    from dsn_nlp.modelling.network import LabelNetwork, load_base, load_network

    encoder, _ = load_base(str(trained / "tiny-camembert"))
    exact, thawed = (
        LabelNetwork(encoder),
        LabelNetwork(load_base(str(trained / "tiny-camembert"))[0]),
    )
    load_network(exact, trained / "work/network.safetensors")
    load_network(thawed, trained / "models/tiny/1")
    kept = dict(thawed.named_parameters())
    for name, weights in exact.named_parameters():
        step = 2 * float(weights.detach().abs().max()) / 254
        assert float((kept[name] - weights).detach().abs().max()) <= step / 2 + 1e-6, name
    with pytest.raises(TrainingError, match="no network to start from"):
        load_network(thawed, tmp_path)


def test_model_folder_carries_its_error_profile(trained: Path) -> None:
    from dsn_nlp.label.profile import read_profile

    folder = trained / "models/tiny/1"
    profile = read_profile(folder)
    measured = Classifier.load(folder).manifest.measured["test"]
    assert profile is not None
    assert len(profile.groups) == measured["passages"] == len(profile.sentiment)
    told = profile.sentiment_scores.argmax(1)
    gold, answers = np.eye(3)[profile.sentiment], np.eye(3)[told]
    f1 = 2 * (gold * answers).sum(0) / (gold + answers).sum(0).clip(min=1)
    assert np.mean(f1) == pytest.approx(measured["sentiment_macro_f1"], abs=1e-3)


def test_replay_keeps_what_is_fresh_and_a_share_of_the_rest(small_corpus: Path) -> None:
    from dsn_nlp.modelling.finetune import Recipe, replayed

    examples = read_corpus(small_corpus)
    fresh = examples[0].example_id[:-1]
    kept = replayed(examples, Recipe(base="", fresh=fresh, replay=0.25))
    new = [e for e in examples if e.example_id.startswith(fresh)]
    assert set(new) <= set(kept)
    assert 0.1 < (len(kept) - len(new)) / (len(examples) - len(new)) < 0.4
    assert replayed(examples, Recipe(base="")) == examples
    again = replayed(examples, Recipe(base="", fresh=fresh, replay=0.25, seed=18))
    assert again != kept


def test_scores_do_not_depend_on_what_runs_beside(trained: Path) -> None:
    """To the last bit, so that a resumed night equals an undisturbed one."""
    classifier = Classifier.load(trained / "models/tiny/1", threads=2)
    assert classifier.manifest.activations == "token"
    words = list("abcdefghijklm")
    texts = [" ".join(words[i % 13 :] + words[: i % (j + 1)]) for i in range(26) for j in range(5)]
    together = classifier.network_logits(texts)
    alone = np.vstack([classifier.network_logits([text]) for text in texts])
    assert np.array_equal(together, alone)
    assert np.array_equal(classifier.network_logits(texts[::-1])[::-1], together)


def _leaving(trained: Path, risk: float) -> Classifier:
    """The tiny model, whose passages leave after its first layer at that risk."""
    folder = trained / "models/tiny/1"
    classifier = Classifier.load(folder, threads=2)
    classifier.manifest = classifier.manifest.model_copy(update={"exit_risk": risk})
    return classifier


def test_a_sure_passage_goes_no_deeper(trained: Path, small_corpus: Path) -> None:
    texts = [e.text for e in read_corpus(small_corpus)][:60]
    never, always = _leaving(trained, -1.0), _leaving(trained, 1.0)
    assert never.manifest.exits == (1,)
    assert set(never.depths(texts)) == {2}
    assert set(always.depths(texts)) == {1}
    assert np.array_equal(never.score(texts).risk, always.score(texts, deep=True).risk)
    assert not np.array_equal(never.score(texts).risk, always.score(texts).risk)
    limit = float(np.median(always.score(texts).risk))
    some = _leaving(trained, limit)
    assert set(some.depths(texts)) == {1, 2}
    alone = np.concatenate([some.score([text]).risk for text in texts])
    assert np.array_equal(some.score(texts).risk, alone)


def test_an_explanation_tells_what_is_stored(trained: Path, small_corpus: Path) -> None:
    """Also where the label came of an early reading."""
    from dsn_nlp.label.explain import explain

    always = _leaving(trained, 1.0)
    for example in read_corpus(small_corpus)[:5]:
        stored = always.score([example.text])
        found = explain(always, example.text)[-1]
        assert found.told
        assert found.score == pytest.approx(float(stored.sentiment[0].max()), abs=1e-6)


def test_parts_of_a_network_come_in_order(trained: Path, tmp_path: Path) -> None:
    import shutil

    from dsn_nlp.errors import ModelError

    copy = tmp_path / "copy"
    shutil.copytree(trained / "models/tiny/1", copy)
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["exits"] = [8, 4]
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="exits"):
        Classifier.load(copy)


def test_a_model_folder_without_one_of_its_parts_is_refused(trained: Path, tmp_path: Path) -> None:
    import shutil

    from dsn_nlp.errors import ModelError

    copy = tmp_path / "copy"
    shutil.copytree(trained / "models/tiny/1", copy)
    (copy / "network.1.onnx").unlink()
    with pytest.raises(ModelError, match=r"network\.1\.onnx: missing"):
        Classifier.load(copy)


def test_a_large_token_does_not_coarsen_the_others(tmp_path: Path) -> None:
    """One scale a token is nearer to the float product than one for all that runs together."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from dsn_nlp.modelling.quantize import quantize

    draw = np.random.default_rng(1)
    weights = numpy_helper.from_array(draw.normal(size=(32, 16)).astype(np.float32), "w")
    shapes = {"x": ["passages", "tokens", 32], "y": ["passages", "tokens", 16]}
    ends = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()}
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="/only/MatMul")
    graph = helper.make_graph([node], "one", [ends["x"]], [ends["y"]], [weights])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "f.onnx")
    quantize(tmp_path / "f.onnx", tmp_path / "token.onnx")
    quantize_dynamic(
        str(tmp_path / "f.onnx"), str(tmp_path / "batch.onnx"), weight_type=QuantType.QInt8,
        per_channel=True, extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )  # fmt: skip
    tokens = draw.normal(size=(1, 9, 32)).astype(np.float32)
    tokens[0, 0] *= 40  # as the first token of a sentence does
    gold, ours, theirs = (
        onnxruntime.InferenceSession(str(tmp_path / name)).run(None, {"x": tokens})[0][0, 1:]
        for name in ("f.onnx", "token.onnx", "batch.onnx")
    )
    assert np.abs(ours - gold).mean() < 0.2 * np.abs(theirs - gold).mean()


def test_bench_times_every_way_on_the_same_passages(trained: Path, small_corpus: Path) -> None:
    from dsn_nlp.label.folder import set_serving
    from dsn_nlp.modelling.bench import PIPELINE, bench, table

    set_serving(trained / "models", "tiny/1")
    base = str(trained / "tiny-camembert")
    found = bench(trained / "models", small_corpus, base, passages=64, rounds=2)
    assert len(found["systems"]) == 5
    assert found["systems"][PIPELINE]["against_pipeline"] == 1.0
    assert all(row["passages_per_second"] > 0 for row in found["systems"].values())
    assert 0 < found["share_of_peak"] < 1
    assert sum(found["told_by_part"]) == pytest.approx(1, abs=0.01)
    assert table(found).count("\n") == 9
    own = ["Écran figé.", *(f"Rien à dire {n}." for n in range(70))]
    timed = bench(trained / "models", small_corpus, base, passages=66, rounds=1, texts=own)
    assert timed["passages"] == 66
    with pytest.raises(TrainingError, match="make-base"):
        bench(trained / "models", small_corpus, "nowhere", passages=64, rounds=1)
