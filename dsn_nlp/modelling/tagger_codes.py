"""Structured identifiers in many spellings with their cues, and numbers that identify nobody."""

import random
import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

from dsn_nlp.modelling.tagger_names import NamePool

_MONTHS = {
    "mf": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "me": "January February March April May June July August September October November December",
}
_MARKS = {
    "9": "0123456789",
    "8": "23456789",
    "Ω": "ABCDEFGHJKLMNPRSTVWXYZ",
    "ω": "abcdefghijklmnopqrstuvwxyz",
    "Ξ": "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789",
}


class Codes:
    """Draws identifiers, and numbers that are none."""

    def __init__(self, names: NamePool, seed: int) -> None:
        self._names, self._random = names, random.Random(seed)

    def draw(self, kind: str) -> str:
        """Draw an identifier of a type in one of its spellings."""
        return self._filled(self._random.choice(_lists()["spellings"][kind]))

    def announced(self) -> tuple[str, int, int, str]:
        """Draw an identifier with a cue: the phrase, where in it the identifier is, its type."""
        kind = self._random.choice(sorted(_lists()["cues"]))
        cue, drawn = self._random.choice(_lists()["cues"][kind]), self.draw(kind)
        start = cue.index("{}")
        return cue.replace("{}", drawn), start, start + len(drawn), kind

    def harmless(self) -> str:
        """Draw a number or code that identifies nobody."""
        return self._filled(self._random.choice(_lists()["plain"]))

    def _filled(self, spelling: str) -> str:
        first, last = _plain(self._names.first()), _plain(self._names.last())
        month = self._random.randint(1, 12)
        filled = {
            "n": last, "f": first, "i": first[:1], "I": first[:1].upper(), "N": last.upper(),
            "n4": last[:4], "n5": last[:6], "N4": last[:4].upper(),
            "S": self._random.choice(_lists()["streets"]),
            "y": f"{self._random.randint(20, 99)}", "Y": str(self._random.randint(1922, 2016)),
            "m": f"{month:02}", "d": f"{self._random.randint(1, 28):02}",
            "mf": _MONTHS["mf"].split()[month - 1], "me": _MONTHS["me"].split()[month - 1],
            "t": str(self._random.randint(90, 108)),
        }  # fmt: skip
        parts = re.split(r"\{(\w+)\}", spelling)
        return "".join(
            filled[part] if index % 2 else "".join(map(self._mark, part))
            for index, part in enumerate(parts)
        )

    def _mark(self, mark: str) -> str:
        return self._random.choice(_MARKS[mark]) if mark in _MARKS else mark


def _plain(name: str) -> str:
    kept = (letter for letter in name.lower() if letter.isascii() and letter.isalpha())
    return "".join(kept) or "x"


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    source = resources.files("dsn_nlp.modelling").joinpath("tagger_codes.toml")
    return tomllib.loads(source.read_text("utf-8"))
