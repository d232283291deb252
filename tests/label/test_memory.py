"""Texts that come again are scored once, and with the same scores to the last bit."""

from collections.abc import Sequence

import numpy as np

from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.label.memory import ScoreMemory
from dsn_nlp.label.network import FloatArray
from tests.conftest import ROOT

TEXTS = [f"Vingt-{word} clics pour une aspirine, bravo." for word in ("deux", "trois", "quatre")]


class Recording(Classifier):
    """A classifier that remembers what its n-grams, and so its network, were asked."""

    def ngram_logits(self, texts: Sequence[str]) -> FloatArray:
        self.__dict__.setdefault("asked", []).extend(texts)
        return super().ngram_logits(texts)


def test_a_text_that_comes_again_is_scored_once() -> None:
    folder = serving_folder(ROOT / "models")
    remembering = Recording.load(folder, 1, remember=100)
    plain = Recording.load(folder, 1)
    for texts in (TEXTS[:2], TEXTS, [TEXTS[0], TEXTS[0], TEXTS[2]]):
        ours, theirs = remembering.score(texts), plain.score(texts)
        assert np.array_equal(ours.complaints, theirs.complaints)
        assert np.array_equal(ours.sentiment, theirs.sentiment)
        assert np.array_equal(ours.risk, theirs.risk)
    assert remembering.asked == TEXTS
    assert len(plain.asked) == 2 + 3 + 2


def test_the_least_lately_used_is_let_go() -> None:
    memory = ScoreMemory(2)
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    memory.keep(["a", "b"], rows[:2])
    assert [row is None for row in memory.recall(["a", "c"])] == [False, True]
    memory.keep(["c"], rows[2:])
    assert [row is None for row in memory.recall(["a", "b", "c"])] == [False, True, False]
    found = memory.recall(["c"])[0]
    assert found is not None
    assert found.tolist() == [4, 5]
    forgetful = ScoreMemory(0)
    forgetful.keep(["a"], rows[:1])
    assert forgetful.recall(["a"]) == [None]
