"""Chooses from which probability on the tagger is believed, by type, on comments held out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from dsn_nlp.prepare.deid_merge import Piece, believed, repeated, united, unprotected, votes_of
from dsn_nlp.prepare.deid_patterns import find_structured
from dsn_nlp.prepare.deid_persons import find_persons
from dsn_nlp.prepare.deid_score import Scores, Tagged, score
from dsn_nlp.prepare.deid_tagger import Reading, Tagger
from dsn_nlp.prepare.deid_text import Folded, fold
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.prepare.deid_words import spans_of
from dsn_nlp.prepare.deidentify import Span
from dsn_nlp.records import Language

# What de-identification has to reach, and the least that a miss of each weighs.
TARGETS = {
    "person_recall": 0.97,
    "structured_recall": 0.99,
    "fully_redacted": 0.95,
    "precision": 0.92,
    "untouched": 0.95,
}
# A name that stays open is worse than a word hidden in vain.
_RECALL = ("person_recall", "structured_recall", "fully_redacted")
_GRID = (0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
_DOUBTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Limits:
    """From which probability on a word is believed, by type; and names of the rules doubted."""

    thresholds: dict[str, float]
    doubts: float


@dataclass(frozen=True, repr=False)
class Seen:
    """A comment with what the tagger read in it and what the rules found, in folded text."""

    example: Tagged
    folded: Folded
    reading: Reading
    rules: tuple[Piece, ...]


def see(examples: Iterable[Tagged], tagger: Tagger) -> list[Seen]:
    """Let tagger and rules read comments once."""
    kept = list(examples)
    folded = [fold(example.text) for example in kept]
    readings = tagger.read([text.text for text in folded])
    return [
        Seen(example, text, reading, tuple(ruled(text.text, reading, example.lang)))
        for example, text, reading in zip(kept, folded, readings, strict=True)
    ]


def ruled(text: str, reading: Reading, lang: Language) -> list[Piece]:
    """Give what the rules find in folded text with the tagger's votes, none of it doubted."""
    persons = find_persons(text, votes_of(reading), lang)
    found = [Piece(start, end, "PERSON", score) for start, end, score in persons]
    return found + [Piece(f.start, f.end, f.type, f.score) for f in find_structured(text)]


def found_in(seen: Seen, limits: Limits) -> list[Span]:
    """Put rules and tagger together as the engine does, under other limits."""
    text, reading = seen.folded.text, seen.reading
    pieces = [
        p
        for p in seen.rules
        if p.type != "PERSON" or believed(reading, (p.start, p.end, p.score), limits.doubts)
    ]
    cuts = [limits.thresholds[kind] for kind in TYPES]
    tagged = spans_of(text, reading.words, reading.probabilities, TYPES, cuts)
    pieces += [Piece(*span) for span in unprotected(text, tagged)]
    told = repeated(text, united(pieces))
    return [Span(*seen.folded.origin(p.start, p.end), p.type, p.score) for p in told]


def scores_of(seen: Sequence[Seen], limits: Limits) -> dict[str, Scores]:
    """Score by language."""
    found = {id(each.example): found_in(each, limits) for each in seen}
    by_text = {each.example.text: found[id(each.example)] for each in seen}

    def finder(text: str, _: Language) -> list[Span]:
        return by_text[text]

    return {
        lang: score(finder, [each.example for each in seen if each.example.lang == lang])
        for lang in get_args(Language)
    }


def merit(scores: dict[str, Scores]) -> float:
    """Weigh what falls short of the targets, then what is above them a little."""
    total = 0.0
    for told in scores.values():
        for measure, target in TARGETS.items():
            reached = getattr(told, measure)
            weight = 3.0 if measure in _RECALL else 1.0
            total += weight * (min(0.0, reached - target) + 0.1 * reached)
    return total


def choose_limits(seen: Sequence[Seen]) -> Limits:
    """Choose thresholds and doubts, one after the other, twice round."""
    best = Limits(dict.fromkeys(TYPES, 0.7), _DOUBTS[1])
    reached = merit(scores_of(seen, best))
    for _ in range(2):
        for kind in TYPES:
            for cut in _GRID:
                tried = replace(best, thresholds=best.thresholds | {kind: cut})
                told = merit(scores_of(seen, tried))
                if told > reached + 1e-9:
                    best, reached = tried, told
        for doubts in _DOUBTS:
            tried = replace(best, doubts=doubts)
            told = merit(scores_of(seen, tried))
            if told > reached + 1e-9:
                best, reached = tried, told
    return best
