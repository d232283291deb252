"""The shipped model: verified before it is loaded, and steady whatever the batch."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dsn_nlp.errors import ModelError
from dsn_nlp.label import folder as files
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.weights import sha256_of
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return Classifier.load(files.serving_folder(ROOT / "models"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "models" / "m" / "1"
    shutil.copytree(files.serving_folder(ROOT / "models"), target)
    return target


TEXTS = [
    "Écran figé.",
    "Nobody trained us before the launch and I had to ask a resident.",
    "Trop de clics, " * 30,
    "Le nouveau dossier sera déployé le 9 mai.",
]


def test_scores_are_probabilities_of_the_right_shape(shipped: Classifier) -> None:
    scores = shipped.score(TEXTS)
    assert scores.complaints.shape == (4, 5)
    assert scores.sentiment.shape == (4, 3)
    assert scores.complaints.dtype == np.float32
    assert np.allclose(scores.sentiment.sum(axis=1), 1, atol=1e-5)
    assert ((scores.risk >= 0) & (scores.risk <= 1)).all()


def test_scores_do_not_depend_on_the_batch(shipped: Classifier) -> None:
    together = shipped.score(TEXTS)
    for index, text in enumerate(TEXTS):
        alone = shipped.score([text])
        assert (alone.complaints[0] == together.complaints[index]).all()
        assert (alone.sentiment[0] == together.sentiment[index]).all()


def test_equal_texts_score_alike_and_none_is_fine(shipped: Classifier) -> None:
    scores = shipped.score([TEXTS[0], TEXTS[1], TEXTS[0]])
    assert (scores.complaints[0] == scores.complaints[2]).all()
    assert shipped.score([]).complaints.shape == (0, 5)


@pytest.mark.parametrize("name", files.FILES)
def test_an_altered_file_is_refused(copy: Path, name: str) -> None:
    path = copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: checksum differs"):
        Classifier.load(copy)


@pytest.mark.parametrize("name", [*files.FILES, files.MANIFEST])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match="missing"):
        Classifier.load(copy)


def test_swapped_labels_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / files.MANIFEST).read_text(encoding="utf-8"))
    manifest["complaints"].reverse()
    (copy / files.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="labels"):
        Classifier.load(copy)


def test_a_pickle_in_place_of_the_network_is_never_loaded(copy: Path) -> None:
    (copy / files.NETWORK).chmod(0o600)
    (copy / files.NETWORK).write_bytes(b"\x80\x04cposix\nsystem\n.")
    manifest = json.loads((copy / files.MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][files.NETWORK] = sha256_of(copy / files.NETWORK)
    (copy / files.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Classifier.load(copy)


@pytest.mark.parametrize("place", ["../../x", "beside.bin", "/etc/passwd"])
def test_weights_in_another_file_are_refused(copy: Path, place: str) -> None:
    onnx = pytest.importorskip("onnx")
    weights = onnx.numpy_helper.from_array(np.ones(1, np.float32), "w")
    onnx.external_data_helper.set_external_data(weights, place, 0, 4)
    weights.ClearField("raw_data")
    node = onnx.helper.make_node("Identity", ["w"], ["y"])
    told = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    made = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [told], [weights]))
    (copy / files.NETWORK).chmod(0o600)
    (copy / files.NETWORK).write_bytes(made.SerializeToString())
    manifest = json.loads((copy / files.MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][files.NETWORK] = sha256_of(copy / files.NETWORK)
    (copy / files.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="in another file"):
        Classifier.load(copy)


@pytest.mark.parametrize("reference", ["../../etc/x", "/abs/x", "only-name", "a/b/c"])
def test_serving_stays_inside_the_models_folder(tmp_path: Path, reference: str) -> None:
    (tmp_path / files.CURRENT).write_text(f'serving = "{reference}"\n', encoding="utf-8")
    with pytest.raises(ModelError, match="not of the form"):
        files.serving_folder(tmp_path)


def test_serving_is_switched_only_to_a_sound_model(copy: Path) -> None:
    models = copy.parents[1]
    files.set_serving(models, "m/1")
    assert files.serving_folder(models) == copy
    (copy / files.NGRAMS).unlink()
    with pytest.raises(ModelError):
        files.set_serving(models, "m/1")
