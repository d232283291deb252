"""Our messages in French, for screens only.

Errors are raised, logged and stored in English, once and for all: whoever catches one, reads a
log or queries the table of rejections meets one wording, whatever the machine's language. A
screen in French translates at its edge, with the catalogue ``messages_fr.toml``: the English
template of each message, ``{0}``, ``{1}``, … for what was put into it, and the French one.

``python -m dsn_nlp.wordings`` lists what the catalogue lacks, and what it no longer needs.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from dsn_nlp.records import Language
from dsn_nlp.speech import screen_language

CATALOGUE = "messages_fr.toml"
# A message holds the reason of another, which may hold a third; more was never seen.
DEPTH = 3
# Heads such as "file:line: key:" before a message that is not known with them.
_HEADS = 4
_PLACE = re.compile(r"\{(\d+)\}")
_COLON = "\N{NO-BREAK SPACE}: "


@dataclass(frozen=True)
class Template:
    """An English message with places, and its French.

    :ivar texts: the English text around the places, one more than there are places.
    :ivar numbers: the places in English order.
    """

    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    french: str

    def match(self, message: str) -> dict[int, str] | None:
        """Give what stands in each place, or nothing where the message is not of this template.

        Each text is looked for once, from where the one before ends: time is linear in the
        message, where a regular expression with several places would try every division.
        """
        first, last = self.texts[0], self.texts[-1]
        if not self.numbers:
            return {} if message == first else None
        end = len(message) - len(last)
        if end < len(first) or not message.startswith(first) or not message.endswith(last):
            return None
        at, values = len(first), []
        for text in self.texts[1:-1]:
            found = message.find(text, at, end)
            if found < 0:
                return None
            values.append(message[at:found])
            at = found + len(text)
        values.append(message[at:end])
        return dict(zip(self.numbers, values, strict=True)) if all(values) else None

    def filled(self, values: Mapping[int, str]) -> str:
        """Write the French message."""
        text = _PLACE.sub(lambda place: values[int(place[1])], self.french)
        return text if "{{" not in self.french else _unescaped(self.french, values)


def parse(english: str, french: str) -> Template:
    """Read an entry of the catalogue; ``{{`` and ``}}`` stand for braces."""
    pieces = _PLACE.split(english.replace("{{", "\0").replace("}}", "\1"))
    texts = tuple(piece.replace("\0", "{").replace("\1", "}") for piece in pieces[::2])
    return Template(texts, tuple(int(number) for number in pieces[1::2]), french)


def _unescaped(french: str, values: Mapping[int, str]) -> str:
    pieces = _PLACE.split(french.replace("{{", "\0").replace("}}", "\1"))
    texts = [piece.replace("\0", "{").replace("\1", "}") for piece in pieces]
    return "".join(values[int(t)] if i % 2 else t for i, t in enumerate(texts))


def read_catalogue() -> dict[str, dict[str, str]]:
    """Read the catalogue: ``messages`` are made in this code, ``elsewhere`` by what it uses."""
    text = files(__package__).joinpath(CATALOGUE).read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return tables


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Give every template: those that begin with text of their own first, then by its length."""
    entries = [entry for table in read_catalogue().values() for entry in table.items()]
    parsed = [parse(english, french) for english, french in entries]
    return tuple(sorted(parsed, key=lambda t: (not t.texts[0], -sum(map(len, t.texts)))))


def translated(message: str, language: Language) -> str:
    """Say a finished English message in the language of a screen.

    :param message: what one of our errors says, or the reason of a rejection.
    :return: the French message, what was put into it left as it was; the message itself where
        the language is English, or where no template of ours made it.
    """
    return message if language == "en" else _french(message, DEPTH) or message


def shown(message: object) -> str:
    """Say a finished English message in the language of this machine's screen."""
    return translated(str(message), screen_language())


def _french(message: str, depth: int) -> str | None:
    found = _whole(message, depth)
    return found if found is not None else _after_heads(message, depth)


def _whole(message: str, depth: int) -> str | None:
    for template in templates():
        values = template.match(message)
        if values is not None:
            if depth:
                values = {n: _french(v, depth - 1) or v for n, v in values.items()}
            return template.filled(values)
    return None


def _after_heads(message: str, depth: int) -> str | None:
    """Translate what follows a head that names a place: a file and a key, an address."""
    at = -2
    for _ in range(_HEADS):
        at = message.find(": ", at + 2)
        if at <= 0:
            return None
        found = _whole(message[at + 2 :], min(depth, 1))
        if found is not None:
            return _colons(message[:at]) + _COLON + found
    return None


def _colons(head: str) -> str:
    """Space the colons of a head of several short places, and of no other."""
    parts = head.split(": ")
    return head if any(" " in part for part in parts) else _COLON.join(parts)
