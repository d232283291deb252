"""What de-identification does to the labels: how many change when a comment is redacted.

``python -m tests.measure.deid_flips [--json FILE]`` labels each comment as written and as stored.
Tagged comments of the sets that nothing was trained on, then the development comments of the
labelled corpus, where almost nothing is to be taken out.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.modelling.corpus import split_corpus
from dsn_nlp.prepare.deid_score import read_tagged
from dsn_nlp.prepare.deidentify import deidentifier
from dsn_nlp.records import COMPLAINTS, Language
from tests.conftest import ROOT

SETS = ("test", "heldout", "heldout2", "heldout3", "heldout4", "heldout5")
Told = list[tuple[frozenset[str], str]]


def told(classifier: Classifier, texts: Sequence[str]) -> Told:
    """Complaints and sentiment of each text."""
    scores = classifier.score(list(texts))
    yes, mood = classifier.decide(scores), scores.sentiment.argmax(1)
    return [
        (frozenset(c for c, on in zip(COMPLAINTS, row, strict=True) if on), str(m))
        for row, m in zip(yes, mood, strict=True)
    ]


def comments(lang: Language) -> Iterator[tuple[str, list[str]]]:
    """Texts by where they are from."""
    tagged = [e for name in SETS for e in read_tagged(name) if e.lang == lang]
    yield "tagged, with an identifier", [e.text for e in tagged if e.spans]
    yield "tagged, without", [e.text for e in tagged if not e.spans]
    development = split_corpus(ROOT / "corpora" / "labelled")["development"]
    yield (
        "labelled, development",
        [e.text for e in development if e.lang == lang and e.kind == "comment"],
    )


def measure() -> list[dict[str, object]]:
    """Count changed texts, changed complaints, changed sentiments."""
    classifier = Classifier.load(serving_folder(ROOT / "models"))
    sieve, rows = deidentifier(), []
    for lang in get_args(Language):
        for name, texts in comments(lang):
            safe = [sieve.redact(text, lang)[0] for text in texts]
            before, after = told(classifier, texts), told(classifier, safe)
            pairs = list(zip(before, after, strict=True))
            rows.append({
                "comments": name, "lang": lang, "n": len(texts),
                "redacted": sum(a != b for a, b in zip(texts, safe, strict=True)),
                "complaints_changed": sum(a[0] != b[0] for a, b in pairs),
                "sentiment_changed": sum(a[1] != b[1] for a, b in pairs),
            })  # fmt: skip
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.deid_flips")
    parser.add_argument("--json", type=Path)
    rows = measure()
    if path := parser.parse_args().json:
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("| " + " | ".join(rows[0]) + " |\n|" + " - |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row.values()) + " |")


if __name__ == "__main__":
    main()
