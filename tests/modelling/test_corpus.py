"""The corpus is sound, and its splits do not leak."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsn_nlp.errors import CorpusError
from dsn_nlp.modelling.corpus import (
    Example,
    assign_splits,
    digest,
    read_corpus,
    read_examples,
    read_splits,
    similarity_groups,
)
from tests.conftest import ROOT

CORPUS = ROOT / "corpora/labelled"


UNRELATED = [
    "L'imprimante du sous-sol répond quand elle veut.",
    "Personne ne nous a montré la tournée de médication.",
    "N'importe qui peut ouvrir le dossier de ma voisine.",
    "The Minister will visit both hospitals on Thursday.",
]


def example(name: str, text: str, file: str = "a") -> Example:
    return Example(name, "fr", "comment", text, (), "neutral", file)


def test_committed_corpus_is_sound_and_split() -> None:
    examples = read_corpus(CORPUS)
    splits = read_splits(CORPUS)
    assert {e.example_id for e in examples} == set(splits)
    assert len({e.text for e in examples}) == len(examples)
    assert {e.lang for e in examples} == {"fr", "en"}
    assert {e.kind for e in examples} == {"comment", "news"}


def test_no_sample_text_is_in_the_corpus() -> None:
    labelled = {e.text.strip() for e in read_corpus(CORPUS)}
    for path in (ROOT / "corpora/sample").rglob("*.csv"):
        text = path.read_text(encoding="utf-8-sig")
        assert not [t for t in labelled if len(t) > 40 and t in text]


def test_trained_and_tested_passages_are_not_alike() -> None:
    """The nearest trained passage to a tested one stays under the threshold of the groups."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    from dsn_nlp.modelling.corpus import FAR_SIMILARITY

    examples, splits = read_corpus(CORPUS), read_splits(CORPUS)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2)
    vectors = vectorizer.fit_transform([e.text for e in examples])
    train = np.array([splits[e.example_id] == "train" for e in examples])
    test = np.array([splits[e.example_id] == "test" for e in examples])
    nearest = (vectors[test] @ vectors[train].T).max(axis=1).toarray()
    # A little above: inverse document frequencies move as the corpus grows.
    assert nearest.max() < FAR_SIMILARITY + 0.03


def test_contrast_pairs_share_a_group() -> None:
    rows = [
        example("1", "Vingt-trois clics pour donner congé à une entorse de cheville."),
        example("2", "Congé d'une entorse de cheville en quatre clics ce matin, pour vrai."),
        *(example(f"x{i}", t) for i, t in enumerate(UNRELATED)),
        example("4", "Vingt-trois clics pour donner congé à une entorse de cheville!", "b"),
    ]
    groups = similarity_groups(rows).tolist()
    assert groups[0] == groups[1] == groups[-1] == 0
    assert groups[2:-1] == list(range(2, len(rows) - 1))


def test_splits_are_stable_as_the_corpus_grows() -> None:
    rows = list(read_examples(CORPUS / "w3_fr_plain.jsonl"))
    old, frozen = rows[:300], assign_splits(rows[:300])
    tested = next(e for e in old if frozen[e.example_id] == "test" and len(e.text) > 60)
    trained = next(e for e in old if frozen[e.example_id] == "train" and len(e.text) > 60)
    copies = [example("n1", tested.text + " Merci."), example("n2", trained.text + " Merci.")]
    second = assign_splits([*old, *copies, *rows[300:]], frozen)
    assert all(second[name] == split for name, split in frozen.items())
    assert second["n1"] == "excluded"
    assert second["n2"] in ("train", "excluded")
    assert {second[e.example_id] for e in rows[300:]} >= {"train", "test", "development"}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"text": "", "complaints": [], "sentiment": "neutral"}, "'text'"),
        ({"text": "a", "complaints": ["cost"], "sentiment": "neutral"}, "'complaints'"),
        ({"text": "a", "complaints": None, "sentiment": "neutral"}, "'complaints'"),
        ({"text": "a", "complaints": [], "sentiment": "mixed"}, "'sentiment'"),
        ([1], "not a JSON object"),
    ],
)
def test_wrong_rows_name_file_and_row(tmp_path: Path, row: object, problem: str) -> None:
    path = tmp_path / "w.jsonl"
    path.write_text("\n" + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"w\.jsonl:2: ") as failure:
        list(read_examples(path))
    assert problem in str(failure.value)


def test_digest_follows_content_not_order() -> None:
    a, b = example("1", "un"), example("2", "deux")
    assert digest([a, b]) == digest([b, a]) != digest([a])
