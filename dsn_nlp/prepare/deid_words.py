"""Words as the tagger sees them, the tokens that speak for them, and spans from their scores."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\s\w]|_")
# What may stand inside one identifier between two of its words.
_JOINTS = re.compile(r"[ \t\xa0]*[-'.’,/\\@_:()+#&~?=]?[ \t\xa0]*")


class Tagging(NamedTuple):
    """An identifier that the tagger tells: ``text[start:end]``, its type, its surest word."""

    start: int
    end: int
    type: str
    score: float


def word_spans(text: str) -> list[tuple[int, int]]:
    """Cut text into rows of letters, rows of digits and single marks.

    :returns: start and end of each; spans begin and end at these alone, so that their offsets are
        exact whatever a tokenizer makes of the text.
    """
    return [match.span() for match in _WORD.finditer(text)]


def first_tokens(
    text: str, words: Sequence[tuple[int, int]], offsets: Iterable[tuple[int, int]]
) -> list[int]:
    """Give for each word the first token that covers some of it, or -1.

    :param offsets: start and end of each token in ``text``; special tokens have empty ones.
    """
    tokens = []
    for index, (begin, end) in enumerate(offsets):
        start = begin
        while start < end and text[start].isspace():
            start += 1
        if start < end:
            tokens.append((start, end, index))
    found, at = [], 0
    for start, end in words:
        while at < len(tokens) and tokens[at][1] <= start:
            at += 1
        covers = at < len(tokens) and tokens[at][0] < end
        found.append(tokens[at][2] if covers else -1)
    return found


def softmax(logits: FloatArray) -> FloatArray:
    """Turn logits ``(words, classes)`` into probabilities."""
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True, initial=-1e9))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float32)


def by_type(probabilities: FloatArray) -> FloatArray:
    """Sum the classes B and I of each type: ``(words, 1 + 2 types)`` to ``(words, types)``."""
    return np.asarray(probabilities[:, 1::2] + probabilities[:, 2::2], np.float32)


def spans_of(
    text: str,
    words: Sequence[tuple[int, int]],
    probabilities: FloatArray,
    types: Sequence[str],
    thresholds: Sequence[float],
) -> list[Tagging]:
    """Join words whose probability of a type reaches its threshold to identifiers.

    :param probabilities: ``(words, 1 + 2 types)``: O, then B and I of each type.
    """
    scores = by_type(probabilities)
    limits = np.asarray(thresholds, np.float32)
    reached = scores >= limits
    chosen = np.where(reached.any(axis=1), (scores * reached).argmax(axis=1), -1)
    found: list[Tagging] = []
    for index in map(int, np.flatnonzero(chosen >= 0)):
        kind, score = int(chosen[index]), float(scores[index, chosen[index]])
        start, end = words[index]
        begins = probabilities[index, 1 + 2 * kind] > probabilities[index, 2 + 2 * kind]
        if found and found[-1].type == types[kind] and _joined(text, found[-1].end, start, begins):
            whole = found[-1]
            found[-1] = whole._replace(end=end, score=max(whole.score, score))
        else:
            found.append(Tagging(start, end, types[kind], score))
    told = [span for span in found if any(map(str.isalnum, text[span.start : span.end]))]
    return [_trimmed(text, span) for span in told]


def _joined(text: str, end: int, start: int, begins: bool) -> bool:
    """Tell whether two words of one type are one identifier: "TREMBLAY, Josée" may be."""
    if _JOINTS.fullmatch(text, end, start) is None:
        return False
    return not begins or text[end:start].strip() in ("", "-", "'", "’", ".")


def _trimmed(text: str, span: Tagging) -> Tagging:
    """Leave marks at the ends out, but for what belongs: a bracket of a phone, an initial's dot."""
    start, end = span.start, span.end
    while not text[start].isalnum() and text[start] not in "(+#@\\":
        start += 1
    while not text[end - 1].isalnum() and not _belongs(text, end - 1):
        end -= 1
    return span._replace(start=start, end=end)


def _belongs(text: str, place: int) -> bool:
    initial = text[place] == "." and place > 0 and text[place - 1].isalpha()
    return (initial and (place < 2 or not text[place - 2].isalpha())) or text[place] == "/"
