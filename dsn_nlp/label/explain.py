"""The words that bear a label, by occlusion: what the score loses when they are taken out.

Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901; of words: Li et al. 2016, arXiv 1612.08220)
reads the served model itself, n-grams and calibration included, and needs no gradient.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import InputError
from dsn_nlp.label.classifier import Classifier, Scores
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

NAMES = (*COMPLAINTS, *SENTIMENTS)
# Neighbours are taken out together too, so that a pair that says it twice is seen.
WIDEST = 3
_WORD = re.compile(r"[^\W_]+(?:['’](?=[^\W_]))?")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text at ``[start, end)``.

    :ivar weight: how much the label's log-odds fall without it; negative where they rise.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What bears one label.

    :ivar score: the label's calibrated probability.
    :ivar told: whether the model tells the label.
    :ivar words: every word of the text, the weightiest first.
    """

    label: str
    score: float
    told: bool
    words: tuple[Word, ...]


def explain(
    classifier: Classifier, text: str, labels: Sequence[str] | None = None
) -> list[Evidence]:
    """Weigh the words of a text for some labels; for the told ones by default.

    :raises InputError: when the text has no word, or a label is unknown.
    """
    for label in labels or ():
        if label not in NAMES:
            raise InputError(f"no label is named '{label[:40]}'; there are {', '.join(NAMES)}")
    spans = list(words_of(text))
    if not spans:
        raise InputError("a text without a single word cannot be explained")
    windows = list(_windows(len(spans)))
    texts = [text, *(without(text, [spans[i] for i in window]) for window in windows)]
    # What is told and stored may come of an early reading; words are weighed at full depth.
    scores = classifier.score([text])
    told = _told(classifier, scores)
    odds = _log_odds(classifier.score(texts, deep=True))
    falls = odds[0] - odds[1:]
    weights = _share_out(falls, windows, len(spans))
    asked = labels if labels is not None else told
    return [_evidence(name, scores, told, spans, weights) for name in dict.fromkeys(asked)]


def words_of(text: str) -> Iterator[tuple[int, int]]:
    """Find words as ``(start, end)`` offsets; ``l'accès`` is two, combining accents stay inside."""
    plain = "".join("a" if unicodedata.combining(c) else c for c in text)
    return (match.span() for match in _WORD.finditer(plain))


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Take spans out of a text and close the gaps."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + " " + text[end:]
    return " ".join(text.split())


def _windows(count: int) -> Iterator[range]:
    for width in range(1, min(WIDEST, count) + 1):
        yield from (range(first, first + width) for first in range(count - width + 1))


def _share_out(
    falls: npt.NDArray[np.float64], windows: Sequence[range], count: int
) -> npt.NDArray[np.float64]:
    """Mean fall a word over the windows it is in; a window's fall is shared by its words."""
    total, seen = np.zeros((count, falls.shape[1])), np.zeros((count, 1))
    for fall, window in zip(falls, windows, strict=True):
        for index in window:
            total[index] += fall / len(window)
            seen[index] += 1
    return total / seen


def _log_odds(scores: Scores) -> npt.NDArray[np.float64]:
    both = np.hstack([scores.complaints, scores.sentiment]).astype(np.float64)
    inside = np.clip(both, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _told(classifier: Classifier, scores: Scores) -> list[str]:
    complaints = classifier.decide(scores)[0]
    names = [name for name, yes in zip(COMPLAINTS, complaints, strict=True) if yes]
    return [*names, SENTIMENTS[int(scores.sentiment[0].argmax())]]


def _evidence(
    name: str,
    scores: Scores,
    told: Sequence[str],
    spans: Sequence[tuple[int, int]],
    weights: npt.NDArray[np.float64],
) -> Evidence:
    column = NAMES.index(name)
    order = np.argsort(-weights[:, column], kind="stable")
    words = tuple(
        Word(spans[i][0], spans[i][1], round(float(weights[i, column]), 4)) for i in order
    )
    score = float(np.concatenate([scores.complaints[0], scores.sentiment[0]])[column])
    return Evidence(name, score, name in told, words)
