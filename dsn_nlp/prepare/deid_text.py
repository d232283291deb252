"""Folding text to one plain form for matching, with the way back to the offsets of the original."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ´`′＇", "'"),
        **dict.fromkeys("‐‑‒–−﹣－", "-"),
        **dict.fromkeys("\u00a0\u202f\u2007\u2009\u200a\u2002\u2003\u3000\t", " "),
        **dict.fromkeys("“”«»„", '"'),
        "＠": "@",
        "．": ".",
        "：": ":",
    }
)
_LETTERS_APART = str.maketrans({"œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "ø": "o", "ß": "ss"})


class _Apart(ValueError):
    """A character that does not fold to one character by itself."""


class _Alone(dict[int, str]):
    """What single characters fold to, told when first met."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        folded = "".join(map(_plain, unicodedata.normalize("NFC", letter)))
        if letter in _INVISIBLE or unicodedata.combining(letter) or len(folded) != 1:
            raise _Apart
        self[code] = folded
        return folded


_ALONE = _Alone()


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; character ``i`` of it came from ``[starts[i], ends[i])`` of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def __repr__(self) -> str:
        return f"Folded({len(self.text)} characters)"

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets in the original text of ``[start, end)`` of the folded text."""
        return self.starts[start], self.ends[end - 1]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for index in range(1, len(text)):
        if not unicodedata.combining(text[index]):
            yield start, index
            start = index
    if text:
        yield start, len(text)


def fold(text: str) -> Folded:
    """Fold text for matching: composed letters, straight quotes, plain spaces, ASCII digits."""
    try:
        return Folded(text.translate(_ALONE), range(len(text)), range(1, len(text) + 1))
    except _Apart:
        return _folded(text)


def _folded(text: str) -> Folded:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        if text[start] in _INVISIBLE:
            continue
        for letter in unicodedata.normalize("NFC", text[start:end]):
            letters.append(_plain(letter))
            starts.append(start)
            ends.append(end)
    return Folded("".join(letters), tuple(starts), tuple(ends))


def _plain(letter: str) -> str:
    plain = letter.translate(_PLAIN)
    if plain.isdecimal() and not plain.isascii():
        return str(unicodedata.decimal(plain))
    return plain


@lru_cache(maxsize=65536)
def key(word: str) -> str:
    """Bring a word to the form of the word lists: small letters without accents."""
    return bare(word)


def bare(word: str) -> str:
    """As :func:`key`, for whole lists, whose words should not push those of texts out of it."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.lower().translate(_LETTERS_APART))
    return "".join([c for c in apart if c < "\u0300" or not unicodedata.combining(c)])


def windows(text: str, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Cut text into overlapping stretches of at most ``size`` characters, at spaces if there are.

    Each stretch after the first starts up to ``overlap`` characters before the last one's end.
    """
    start = 0
    while len(text) - start > size:
        end = _space_before(text, start + size, start + size // 2)
        yield start, end
        start = _space_before(text, end - overlap, start + 1)
    yield start, len(text)


def _space_before(text: str, position: int, floor: int) -> int:
    cut = max(text.rfind(" ", floor, position), text.rfind("\n", floor, position))
    return cut + 1 if cut >= 0 else position


def shouted(text: str) -> bool:
    """Tell whether a text is written in capitals."""
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(map(str.isupper, letters))
    return len(letters) >= 6 and capitals > 0.7 * len(letters)
