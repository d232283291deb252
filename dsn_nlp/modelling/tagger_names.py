"""Names to put in place of those of tagged comments: many origins, spellings and forms."""

import random
from collections.abc import Iterable
from functools import lru_cache

from dsn_nlp.prepare.deid_lexicon import lexicon, read_list

_ACCENTS = {"e": "éèêë", "a": "àâáã", "i": "îïí", "o": "ôöó", "u": "ûüú", "c": "ç", "n": "ñ"}
_VOWELS = "aeiouyéèêàâîôûh"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PARTICLES = (
    "de",
    "da",
    "de la",
    "van",
    "van der",
    "el",
    "ben",
    "bin",
    "al",
    "di",
    "le",
    "O'",
    "Mc",
)


class NamePool:
    """Draws names.

    :param seen: names of the training comments, as written.
    """

    def __init__(self, seen: Iterable[str], seed: int) -> None:
        self._random = random.Random(seed)
        self._lists = _lists()
        words = [word for name in seen for word in name.split() if len(word) > 2]
        self._seen = sorted({w for w in words if w.isalpha() and w[0].isupper()})

    def like(self, name: str, before: str) -> str:
        """Give another name in the form of ``name``: as many words, written the same way.

        :param before: the text before it; after an elision ("d'") a vowel follows.
        """
        chance = self._random.random
        if any(mark.isdigit() for mark in name) or _initials(name):
            return self._initials(name)
        size = len(name.replace(",", " ").split())
        if size > 1 and chance() < 0.12:
            size = 1
        elif size == 1 and chance() < 0.2 and not before.endswith("'"):
            size = 2
        parts = [self.first() if chance() < 0.65 else self.last()] if size == 1 else self._whole()
        if before.endswith(("'", "’")):
            parts[0] = next(
                (f for f in (self.first() for _ in range(20)) if f[0].lower() in _VOWELS), parts[0]
            )
        drawn = " ".join(parts)
        if size > 1 and ("," in name or chance() < 0.03):
            drawn = f"{parts[-1]}, {parts[0]}"
        return self._written(drawn, name)

    def first(self) -> str:
        """Draw a first name, sometimes a compound one."""
        pick, roll = self._random.choice, self._random.random()
        if roll < 0.08:
            drawn = f"{pick(self._lists['first'])}-{pick(self._lists['first'])}"
        elif roll < 0.2:
            drawn = pick(self._lists["wordy"])
        elif roll < 0.5:
            drawn = pick(self._lists["first"])
        elif roll < 0.6 and self._seen:
            drawn = pick(self._seen)
        else:
            drawn = pick(self._lists["wide_first"])
        return self._accented(_capital(drawn))

    def last(self) -> str:
        """Draw a surname, sometimes a double one or one with a particle."""
        pick, roll = self._random.choice, self._random.random()
        base = self._lists["last"] if self._random.random() < 0.4 else self._lists["wide_last"]
        drawn = _capital(pick(base))
        if roll < 0.08:
            drawn = f"{drawn}-{_capital(pick(self._lists['last']))}"
        elif roll < 0.14:
            particle = pick(_PARTICLES)
            drawn = particle + drawn if particle in ("O'", "Mc") else f"{particle} {drawn}"
        elif roll < 0.2:
            drawn = _capital(pick(self._lists["wordy"]))
        return self._accented(drawn)

    def _whole(self) -> list[str]:
        roll = self._random.random()
        if roll < 0.06:
            return [f"{self.first()[0]}.", self.last()]
        if roll < 0.1:
            return [self.first(), f"{self.last()[0]}."]
        if roll < 0.14:
            return [self.first(), self.first(), self.last()]
        return [self.first(), self.last()]

    def _initials(self, name: str) -> str:
        letters = self._random.choices(_LETTERS, k=len(name))
        return "".join(
            (new.upper() if old.isupper() else new) if old.isalpha() else old
            for old, new in zip(name, letters, strict=True)
        )

    def _accented(self, name: str) -> str:
        if self._random.random() > 0.12:
            return name
        places = [i for i, letter in enumerate(name) if letter in _ACCENTS]
        if not places:
            return name
        at = self._random.choice(places)
        return name[:at] + self._random.choice(_ACCENTS[name[at]]) + name[at + 1 :]

    def _written(self, drawn: str, like: str) -> str:
        """Write a name as another is written, sometimes with a slip."""
        roll = self._random.random()
        if roll < 0.06:
            drawn = self._slip(drawn)
        letters = [letter for letter in like if letter.isalpha()]
        if all(map(str.isupper, letters)) and len(letters) > 2:
            return drawn.upper()
        if like[:1].islower() and like.islower():
            return drawn.lower()
        if roll > 0.8:
            return drawn.lower() if roll > 0.84 else drawn.upper()
        return drawn

    def _slip(self, name: str) -> str:
        """One slip of the keyboard: a letter lost, doubled, swapped or wrong."""
        if len(name) < 4:
            return name
        at, kind = self._random.randrange(1, len(name) - 1), self._random.randrange(4)
        if kind == 0:
            return name[:at] + name[at + 1 :]
        if kind == 1:
            return name[:at] + name[at] + name[at:]
        if kind == 2:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        return name[:at] + self._random.choice(_LETTERS) + name[at + 1 :]


def _capital(name: str) -> str:
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))


def _initials(name: str) -> bool:
    parts = name.replace("-", " ").replace(".", " ").split()
    return all(len(part) == 1 for part in parts) or (len(name) < 4 and name.isupper())


@lru_cache(maxsize=1)
def _lists() -> dict[str, list[str]]:
    lists, wide = lexicon(), read_list("deid_wide")
    short = {name for name in lists.first | lists.last if len(name) < 3}
    wordy = {n for n in lists.first | lists.last if lists.is_word(n) or n in lists.words} - short
    return {
        "first": sorted(lists.first - short),
        "last": sorted(lists.last - short),
        "wide_first": [name for name in wide["first"].split() if len(name) > 2],
        "wide_last": [name for name in wide["last"].split() if len(name) > 2],
        "wordy": sorted(n for n in wordy if n not in lists.never),
    }
