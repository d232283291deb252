"""Processor time of reading, de-identifying and splitting comments written to be slow.

``python -m tests.measure.pathological_comments`` prints, for each, the longest text a source may
bring (20,000 characters; 100 kB are refused while reading, which is timed as well).
"""

import tempfile
import time
from pathlib import Path

from dsn_nlp.config import CommentSource
from dsn_nlp.gather.comments import MAX_CHARACTERS
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.records import Comment, Document
from dsn_nlp.text import normalise, tell_language

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
}


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


def main() -> None:
    """Print a table."""
    from dsn_nlp.prepare.deidentify import deidentifier
    from dsn_nlp.prepare.passages import split_document

    deidentifier().redact("Une lecture à blanc.", "fr")
    tell_language(normalise("Une première lecture, « à blanc », pour charger le modèle."))
    print("| text | read 100 kB (refused) | read 20,000 | de-identify | split |")
    with tempfile.TemporaryDirectory() as folder:
        for name, unit in UNITS.items():
            times = [read_time(Path(folder), (unit * 100_000)[:100_000])[0]]
            text = (unit * MAX_CHARACTERS)[:MAX_CHARACTERS]
            times.append(read_time(Path(folder), text)[0])
            started = time.process_time()
            safe, _ = deidentifier().redact(text, "fr")
            times.append(time.process_time() - started)
            started = time.process_time()
            split_document(Document("d", "comment", "s", safe, "fr"))
            times.append(time.process_time() - started)
            print(f"| {name} | " + " | ".join(f"{t * 1000:.0f} ms" for t in times) + " |")


if __name__ == "__main__":
    main()
