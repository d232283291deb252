"""The words that bear a label, on the shipped model."""

import json
import os
import subprocess
import sys

import pytest

from dsn_nlp.errors import InputError
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.explain import Evidence, explain, without, words_of
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.modelling.corpus import split_corpus
from dsn_nlp.modelling.deletion import deletion_test
from tests.conftest import ROOT, dsn_nlp


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return Classifier.load(serving_folder(ROOT / "models"))


def bearing(text: str, evidence: Evidence, top: int = 3) -> set[str]:
    return {text[w.start : w.end].lower() for w in evidence.words[:top]}


@pytest.mark.parametrize(
    ("text", "label", "word"),
    [
        ("Personne ne nous a formés avant le lancement.", "training", "formés"),
        ("La formation était bien, mais l'écran gèle sans arrêt.", "technical_failure", "gèle"),
        ("N'importe qui peut ouvrir le dossier de mon voisin.", "security", "importe"),
        ("The lunch was good but the system crashed twice today.", "technical_failure", "crashed"),
        ("Nobody trained us before the launch.", "training", "trained"),
    ],
)
def test_the_bearing_words_are_those_a_reader_names(
    shipped: Classifier, text: str, label: str, word: str
) -> None:
    found = {e.label: e for e in explain(shipped, text, [label])}
    assert word in bearing(text, found[label])


def test_told_labels_are_explained_by_default(shipped: Classifier) -> None:
    text = "Nobody trained us before the launch."
    found = explain(shipped, text)
    assert {e.label for e in found} == {"training", "negative"}
    assert all(e.told for e in found)
    weights = [w.weight for w in found[0].words]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L’accès au DSN", ["L’", "accès", "au", "DSN"]),
        ("👩‍⚕️ l'écran gèle !", ["l'", "écran", "gèle"]),
        ("e\u0301cran fige\u0301", ["e\u0301cran", "fige\u0301"]),
        ("[bravo]\u00a0« rien »", ["bravo", "rien"]),
    ],
)
def test_offsets_are_exact(text: str, words: list[str]) -> None:
    assert [text[a:b] for a, b in words_of(text)] == words


def test_words_are_taken_out_and_gaps_closed() -> None:
    assert without("un deux  trois", [(3, 7)]) == "un trois"
    assert without("un", [(0, 2)]) == ""


def test_one_word_can_be_explained(shipped: Classifier) -> None:
    assert len(explain(shipped, "Bravo")[0].words) == 1


@pytest.mark.parametrize("text", ["", " \u00a0", "… !"])
def test_a_text_without_words_is_refused(shipped: Classifier, text: str) -> None:
    with pytest.raises(InputError, match="without a single word"):
        explain(shipped, text)


def test_an_unknown_label_is_refused(shipped: Classifier) -> None:
    with pytest.raises(InputError, match="training"):
        explain(shipped, "Bravo", ["formation"])


def test_deletion(shipped: Classifier) -> None:
    """Removing the top words lowers the score much more than removing random ones."""
    development = split_corpus(ROOT / "corpora/labelled")["development"]
    found = deletion_test(shipped, development[:60])
    assert found.cases >= 20
    assert found.top > 2 * found.random
    assert found.wins > 0.8


@pytest.mark.parametrize(("lang", "name"), [("fr", "Formation"), ("en", "Training")])
def test_command_speaks_both_languages(lang: str, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "explain", "Personne ne nous a formés [x]."],
        text=True, capture_output=True, check=True, cwd=ROOT,
        env=os.environ | {"DSN_NLP_LANG": lang},
    )  # fmt: skip
    assert done.stdout.startswith(name)
    assert "formés [x]." in done.stdout


def test_command_as_json_and_from_standard_input() -> None:
    text = "Nobody trained us."
    done = dsn_nlp("explain", "-", "--json", "--label", "training", "--top", "2", stdin=text)
    (row,) = json.loads(done.stdout)
    assert row["label"] == "training"
    assert len(row["words"]) == 2
    assert all(text[w["start"] : w["end"]] == w["word"] for w in row["words"])


def test_command_refuses_in_one_line() -> None:
    done = dsn_nlp("explain", "...")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
