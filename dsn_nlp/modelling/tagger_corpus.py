"""Tagged comments and identifier-free passages as words with classes, for the tagger."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsn_nlp.modelling.corpus import split_corpus
from dsn_nlp.prepare.deid_score import Tagged
from dsn_nlp.prepare.deid_text import fold
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.prepare.deid_words import word_spans
from dsn_nlp.prepare.deidentify import Deidentifier, Span
from dsn_nlp.records import Language

CLASSES = 1 + 2 * len(TYPES)


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """A text to learn from, with its identifiers: ``(start, end, type)``."""

    text: str
    lang: Language
    spans: tuple[tuple[int, int, str], ...]


def sample_of(example: Tagged) -> Sample:
    """Fold a tagged comment as the engine does, and carry its tags along."""
    folded = fold(example.text)
    spans = tuple(
        (_folded_place(folded.starts, s.start), _folded_place(folded.starts, s.end), s.type)
        for s in example.spans
    )
    return Sample(folded.text, example.lang, spans)


def _folded_place(starts: Sequence[int], place: int) -> int:
    return next((index for index, start in enumerate(starts) if start >= place), len(starts))


def classes_of(sample: Sample) -> tuple[list[tuple[int, int]], list[int]]:
    """Give the words of a sample and the class of each: 0, or ``1 + 2 t`` (B), ``2 + 2 t`` (I)."""
    words = word_spans(sample.text)
    told = [0] * len(words)
    for start, end, kind in sample.spans:
        inside = [i for i, (a, b) in enumerate(words) if a < end and start < b]
        for order, index in enumerate(inside):
            told[index] = 1 + 2 * TYPES.index(kind) + (order > 0)
    return words, told


def free_passages(corpus: Path, count: int, seed: int) -> list[Sample]:
    """Draw passages of the labelled training split in which the rules alone find nothing."""
    rows = [e for e in split_corpus(corpus)["train"] if e.lang in ("fr", "en")]
    random.Random(seed).shuffle(rows)
    find = Deidentifier(None).find
    drawn: list[Sample] = []
    for row in rows:
        lang: Language = "fr" if row.lang == "fr" else "en"
        if row.kind != "news" or len(drawn) % 5 == 0:
            found: list[Span] = find(row.text, lang)
            if not found:
                drawn.append(Sample(fold(row.text).text, lang, ()))
        if len(drawn) == count:
            break
    return drawn
