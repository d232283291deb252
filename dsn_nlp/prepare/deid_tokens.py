"""Words of a folded text with their shape, and the stretches that are never names of persons."""

import re
from dataclasses import dataclass

from dsn_nlp.prepare.deid_lexicon import Lexicon, held, lexicon, read_set
from dsn_nlp.prepare.deid_text import key, shouted

_WORD = re.compile(r"[^\W\d_]+")
_STOPS = frozenset('.!?\n•"(:;—–*→>|…')
_JOINTS = frozenset({" ", "-", "'", ". ", ".-", " - ", ".", "  "})
_ABBREVIATED = read_set("abbreviated")


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A word: its place, its key, its shape and what stands between it and the word before.

    Shapes: ``l`` small letters, ``T`` capital first, ``U`` capitals, ``I`` one capital letter. In
    a text all in capitals every word has the shape ``l``, since its case tells nothing.
    """

    start: int
    end: int
    key: str
    shape: str
    gap: str
    opens: bool


def tokens_of(text: str) -> list[Token]:
    """Cut folded text into words."""
    flat = shouted(text)
    found: list[Token] = []
    end = 0
    for match in _WORD.finditer(text):
        gap, word = text[end : match.start()], key(match.group())
        found.append(
            Token(
                match.start(),
                match.end(),
                word,
                _shape(match.group(), flat),
                gap,
                _opens(gap, found),
            )
        )
        end = match.end()
    return found


def _shape(word: str, flat: bool) -> str:
    if flat or word[0].islower() or not word[0].isupper():
        return "l"
    if len(word) == 1:
        return "I"
    return "U" if word.isupper() else "T"


def _opens(gap: str, before: list[Token]) -> bool:
    """Tell whether a word opens a sentence, so that its capital tells nothing."""
    if not before or (
        gap.strip() and not any(map(str.isalnum, gap)) and gap.strip(" ,'-./&") != ""
    ):
        return True
    if gap[:1] == "." and (before[-1].key in _ABBREVIATED or before[-1].shape == "I"):
        return False
    return any(mark in _STOPS for mark in gap) or " - " in gap


def protected(tokens: list[Token], votes_text: str) -> set[int]:
    """Give the indices of words that belong to places, products, eponyms and the like."""
    lists = lexicon()
    kept: set[int] = set()
    for index, token in enumerate(tokens):
        kept.update(_phrase(tokens, index, lists))
        if token.key in lists.heads:
            kept.update(_after_head(tokens, index, lists))
        if token.key in lists.tails and token.shape in "TU" and token.gap in (" ", "-", "'"):
            kept.update(_before_tail(tokens, index, lists))
        wing = token.key in _WINGS and token.shape == "l" and token.gap == " " and index > 1
        if wing and tokens[index - 1].shape == "T" and tokens[index - 2].key == "the":
            kept.add(index - 1)
        if token.key in ("saint", "sainte", "st", "ste"):
            kept.update(_saint(tokens, index, lists))
    return kept


def _phrase(tokens: list[Token], index: int, lists: Lexicon) -> range:
    for words in lists.kept.get(tokens[index].key, ()):
        stretch = tokens[index : index + len(words)]
        joined = all(0 < len(token.gap) < 3 and token.gap != ", " for token in stretch[1:])
        if joined and tuple(token.key for token in stretch) == words:
            if _is_person_anyway(tokens, index, len(words), lists):
                continue
            return range(index, index + len(words))
    return range(0)


def _is_person_anyway(tokens: list[Token], index: int, size: int, lists: Lexicon) -> bool:
    """A title, or a first name beside it, makes a person of a name that a place bears too."""
    before = tokens[index - 1] if index else None
    if before is not None and tokens[index].gap in (" ", ". ", "-"):
        if (before.key in lists.titles and tokens[index].shape != "l") or (
            before.key in lists.titles
            and tokens[index].gap != "-"
            and lists.is_name(tokens[index].key)
        ):
            return " ".join(t.key for t in tokens[index - 1 : index + size]) not in ("dr house",)
        if (
            before.key in ("van", "von", "den", "der", "el", "ben", "da", "di")
            and before.shape == "T"
        ):
            return True
        sure = before.key in lists.first and not held(before.key, lists.words, lists.never)
        if (
            sure
            and size == 1
            and tokens[index].key in lists.last
            and before.shape == tokens[index].shape
        ):
            return True
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if size == 1 and following is not None and following.key in ("qui", "who"):
        told = before is not None and before.key in ("est", "s", "is")
        return told and tokens[index].key in lists.first
    if size == 1 and following is not None and following.gap == " " and following.shape == "T":
        first = tokens[index].key in lists.first
        return first and following.key in lists.last and not lists.is_word(following.key)
    hyphened = size == 1 and (
        tokens[index].gap == "-" or (following is not None and following.gap == "-")
    )
    return hyphened and tokens[index].key in lists.first


def _after_head(tokens: list[Token], index: int, lists: Lexicon) -> list[int]:
    """Take the capitalised words after "hôpital", "échelle de", "rue"…"""
    taken: list[int] = []
    for place in range(index + 1, min(index + 8, len(tokens))):
        token = tokens[place]
        if token.gap not in (" ", "-", "'", ". ", " -") or (
            token.gap == ". " and tokens[place - 1].shape == "T"
        ):
            break
        link = token.key in _LINKS or (token.key in _KINDS and token.shape == "l")
        if not link and token.shape not in "TUI":
            break
        taken.append(place)
        if (
            (
                not link
                and token.gap == " "
                and taken
                and tokens[place - 1].key not in _LINKS
                and place > index + 1
            )
            and token.key in lists.first
            and token.key not in lists.words
        ):
            taken.pop()
            break
    return taken


_LINKS, _WINGS, _KINDS = read_set("links"), read_set("wings"), read_set("kinds")


def _before_tail(tokens: list[Token], index: int, lists: Lexicon) -> list[int]:
    taken = [index]
    place = index
    while place > max(0, index - 4):
        joint = tokens[place].gap
        token = tokens[place - 1]
        if joint not in (" ", "-", "'", ". ") or (token.shape not in "TUI" and token.key != "s"):
            break
        taken.append(place - 1)
        place -= 1
    return taken


def _saint(tokens: list[Token], index: int, lists: Lexicon) -> list[int]:
    """ "Saint-Eustache" is a place, unless a title or a first name comes before it."""
    if index + 1 >= len(tokens) or tokens[index + 1].gap not in ("-", ". ", " ", ".-"):
        return []
    before = tokens[index - 1] if index else None
    if before is not None and tokens[index].gap in (" ", ". ", "-"):
        named = before.key in lists.titles or (
            before.key in lists.first and before.key not in lists.never
        )
        stranger = before.shape == "T" and not before.opens and not lists.is_word(before.key)
        stranger = stranger and before.key not in lists.kept and tokens[index].gap == " "
        if named or stranger or before.shape == "I" or before.key in lists.roles:
            return []
    following = tokens[index + 2] if index + 2 < len(tokens) else None
    if (
        following is not None
        and following.gap == " "
        and following.key in lists.after
        and (
            tokens[index].key in ("st", "ste")
            and tokens[index + 1].gap == "-"
            and tokens[index].opens
        )
    ):
        return []
    taken = [index, index + 1]
    for place in range(index + 2, min(index + 8, len(tokens))):
        if tokens[place].gap != "-":
            break
        taken.append(place)
    return taken
