"""Our n-grams and hashes are those of the library that fitted the served models."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.label.ngrams import CHARACTER_FEATURES, WORD_FEATURES, counts, weigh
from dsn_nlp.modelling.corpus import split_corpus
from tests.conftest import ROOT

ODD = [
    "", " ", "!", "a", "Ça  va?!\n\tNON", "L'écran gèle… 23 clics !", "x" * 300, "İstanbul ẞ ﬁ",
    "e\u0301te\u0301", "日本語 テスト", "👩‍⚕️ ok", "a\u00a0b", "\x1c\x85", "NAM: ABCD 1234",
]  # fmt: skip


def texts() -> list[str]:
    known = [e.text for e in split_corpus(ROOT / "corpora" / "labelled")["development"][:400]]
    return ODD + known


def test_counts_are_those_of_scikit_learn() -> None:
    shared = {"alternate_sign": False, "norm": None, "strip_accents": "unicode"}
    words = HashingVectorizer(
        n_features=WORD_FEATURES, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[?!]", **shared
    )
    characters = HashingVectorizer(
        n_features=CHARACTER_FEATURES, ngram_range=(2, 5), analyzer="char_wb", **shared
    )
    ours, given = counts(texts()), texts()
    for part, theirs in (
        (ours[:, :WORD_FEATURES], words.transform(given)),
        (ours[:, WORD_FEATURES:], characters.transform(given)),
    ):
        theirs.sort_indices()
        assert (part.indptr == theirs.indptr).all()
        assert (part.indices == theirs.indices).all()
        assert part.data == pytest.approx(1 + np.log(theirs.data), abs=1e-6)


def test_scores_are_those_of_the_sparse_product() -> None:
    model = Classifier.load(serving_folder(ROOT / "models"))._ngrams
    given = texts()
    expected = weigh(counts(given), model.idf) @ model.weights + model.bias
    assert model.logits(given) == pytest.approx(np.asarray(expected), abs=1e-5)
    assert (model.logits(given[3:5]) == model.logits(given)[3:5]).all()
    assert model.logits([]).shape == (0, 8)
