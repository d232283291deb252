"""Processor time of reading, de-identifying and splitting comments written to be slow.

``python -m tests.measure.pathological_comments`` prints, for each, the longest text a source may
bring (20,000 characters; 100 kB are refused while reading, which is timed as well).
"""

import json
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dsn_nlp.config import CommentSource
from dsn_nlp.gather.comments import MAX_CHARACTERS
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.records import Comment, Document
from dsn_nlp.text import normalise, tell_language

LABELLED = Path(__file__).parents[2] / "corpora" / "labelled"
KEY = b"a key of the measures only"
UNITS = {
    "a@a@…": "a@",
    "111 111 …": "111 ",
    "spaces": "x" + " " * 999,
    "one token": "x",
    "Ã©Ã©…": "Ã©",
    "quotes": "« \"' »",
    "initials": "J. M. ",
    "names": "Marie-Pierre Tremblay, ",
    "dates": "2026-05-09 ",
    "placeholders": "[PERSON_1] ",
    "emoji": "😀\u200d",
    "http://…": "http://a.b/",
    "telephones": "514-555-0199 ",
    "announced": "poste 4521, ",
    "streets": "12 rue des Pins, ",
}
# Texts that do not repeat themselves, so that nothing is read once for many.
_FIRST = ("Marie", "Luc", "Anne", "Omar", "Julie", "Paul", "Nadia", "Hugo", "Léa", "Karim")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _different(seed: str, one: Callable[[random.Random], str]) -> str:
    chance = random.Random(seed)
    return "".join(one(chance) for _ in range(MAX_CHARACTERS))[:MAX_CHARACTERS]


def _surname(chance: random.Random) -> str:
    return "".join(chance.choices(_LETTERS, k=6)).capitalize()


CHANGING: dict[str, Callable[[random.Random], str]] = {
    "other names": lambda c: f"{c.choice(_FIRST)} {_surname(c)}, ",
    "one first name": lambda c: f"Marie {_surname(c)}, ",
    "other words": lambda c: "".join(c.choices(_LETTERS, k=3)) + " ",
    "other marks": lambda c: chr(c.randrange(0x21, 0x17F)),
    "other numbers": lambda c: f"{c.randrange(10**10)} ",
}


def hostile(name: str) -> str:
    """The longest text of a name that a source may bring."""
    if name in CHANGING:
        return _different(name, CHANGING[name])
    return (UNITS[name] * MAX_CHARACTERS)[:MAX_CHARACTERS]


def read_time(folder: Path, text: str) -> tuple[float, int]:
    """Time the reading of a file of this one text; tell how many comments came of it."""
    path = folder / "a.csv"
    quoted = text.replace('"', '""')
    path.write_text(f'texte\n"{quoted}"\n', encoding="utf-8")
    fields = {"name": "s", "path": path, "columns": {"text": ["texte"]}}
    source = CommentSource.model_validate(fields)
    started = time.process_time()
    found = list(read_comments(source, KEY))
    seconds = time.process_time() - started
    return seconds, sum(isinstance(one, Comment) for one in found)


def ordinary() -> str:
    """As many characters of labelled comments, to compare with."""
    lines = (LABELLED / "staff_fr_care.jsonl").read_text(encoding="utf-8").splitlines()
    return " ".join(json.loads(line)["text"] for line in lines)[:MAX_CHARACTERS]


def _spent(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print a table."""
    from dsn_nlp.prepare.deidentify import Deidentifier, deidentifier
    from dsn_nlp.prepare.passages import split_document

    ours, rules = deidentifier(), Deidentifier(None)
    for one in (ours, rules):
        one.redact("Une lecture à blanc.", "fr")
    tell_language(normalise("Une première lecture, « à blanc », pour charger le modèle."))
    split_document(Document("d", "comment", "s", "Une lecture à blanc.", "fr"))
    print("| text | read 100 kB (refused) | read 20,000 | rules | rules and tagger | split |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        read_time(Path(folder), "Une lecture à blanc.")
        texts = {name: hostile(name) for name in (*UNITS, *CHANGING)}
        for name, text in (texts | {"ordinary comments": ordinary()}).items():
            document = Document("d", "comment", "s", ours.redact(text, "fr")[0], "fr")
            times = [
                read_time(Path(folder), (text * 9)[:100_000])[0],
                read_time(Path(folder), text)[0],
                _spent(partial(rules.redact, text, "fr")),
                _spent(partial(ours.redact, text, "fr")),
                _spent(partial(split_document, document)),
            ]
            print(f"| {name} | " + " | ".join(f"{t * 1000:.0f} ms" for t in times) + " |")


if __name__ == "__main__":
    main()
