"""What rules and the tagger find, put together: votes, doubts, unions, repeated names."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dsn_nlp.prepare.deid_lexicon import Lexicon, held, lexicon
from dsn_nlp.prepare.deid_tagger import Reading
from dsn_nlp.prepare.deid_tokens import Token, protected, tokens_of
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.prepare.deid_words import Tagging, by_type

PERSON = TYPES.index("PERSON")
# From this probability on, the tagger votes for a name: rules believe it if they agree.
VOTE = 0.1
# From this probability on, a name is believed though a place or a product bears it too.
SURE = 0.97


class Piece(NamedTuple):
    """A stretch ``[start, end)`` of folded text, its type and how sure it is."""

    start: int
    end: int
    type: str
    score: float


def votes_of(reading: Reading) -> list[tuple[int, int]]:
    """Give the words that the tagger holds to be part of a name, if only faintly."""
    likely = np.flatnonzero(by_type(reading.probabilities)[:, PERSON] >= VOTE)
    return [reading.words[index] for index in map(int, likely)]


def believed(reading: Reading, span: tuple[int, int, float], doubts: float) -> bool:
    """Tell whether the tagger leaves a name of the rules some chance to be an identifier."""
    others = reading.probabilities[reading.rows(span[0], span[1]), 0]
    return not others.size or float(1 - others.min()) >= doubts


def unprotected(text: str, spans: Iterable[Tagging]) -> list[Tagging]:
    """Leave out names of which every word stays: places, products, eponyms, ordinary words.

    An ordinary word is one that a dictionary holds and no list of names; so is an acronym. What
    the tagger is quite sure of is believed all the same.
    """
    kept = list(spans)
    if not any(span.type == "PERSON" and span.score < SURE for span in kept):
        return kept
    lists, tokens = lexicon(), tokens_of(text)
    safe = protected(tokens, text)
    stays = {
        token.start
        for index, token in enumerate(tokens)
        if index in safe or _ordinary(token, lists)
    }
    starts = [token.start for token in tokens]
    return [span for span in kept if not _all_stay(span, tokens, starts, stays)]


def _ordinary(token: Token, lists: Lexicon) -> bool:
    if lists.is_name(token.key) or lists.is_wide(token.key):
        return False
    acronym = token.shape == "U" and len(token.key) < 6
    return acronym or lists.is_word(token.key)


def _all_stay(
    span: Tagging, tokens: Sequence[Token], starts: Sequence[int], stays: set[int]
) -> bool:
    if span.type != "PERSON" or span.score >= SURE:
        return False
    first, last = bisect_right(starts, span.start), bisect_left(starts, span.end)
    if first and tokens[first - 1].end > span.start:
        first -= 1
    return first < last and all(start in stays for start in starts[first:last])


def united(pieces: Iterable[Piece]) -> list[Piece]:
    """Make one of pieces that overlap: structured types name it before persons, then the longest.

    Nothing that any of them covers stays open.
    """
    joined: list[list[Piece]] = []
    reach = -1
    for piece in sorted(pieces):
        if joined and piece.start < reach:
            joined[-1].append(piece)
        else:
            joined.append([piece])
        reach = max(reach, piece.end) if piece.start < reach else piece.end
    return [_whole(group) for group in joined]


def _whole(group: list[Piece]) -> Piece:
    best = min(group, key=lambda p: (p.type == "PERSON", p.start - p.end, -p.score))
    return best._replace(start=min(p.start for p in group), end=max(p.end for p in group))


def repeated(text: str, pieces: list[Piece]) -> list[Piece]:
    """Add further places of the names that were found: who is named twice is hidden twice."""
    if not any(piece.type == "PERSON" for piece in pieces):
        return pieces
    lists, tokens = lexicon(), tokens_of(text)
    starts = [token.start for token in tokens]
    named = {
        token.key: piece.score
        for piece in pieces
        if piece.type == "PERSON"
        for token in tokens[bisect_left(starts, piece.start) : bisect_left(starts, piece.end)]
        if token.end <= piece.end and len(token.key) > 3
    }
    odd = {
        name
        for name in named
        if not lists.is_word(name)
        and not held(name, lists.never, lists.words, lists.titles, lists.roles)
        and name not in lists.kept
    }
    if not odd:
        return pieces
    kept = protected(tokens, text)
    more = [
        Piece(token.start, token.end, "PERSON", named[token.key])
        for index, token in enumerate(tokens)
        if token.key in odd and index not in kept
    ]
    return united([*pieces, *more])
