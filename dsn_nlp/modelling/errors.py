"""What a model gets wrong, and on what kind of passage: read it before writing more corpus."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dsn_nlp.modelling.corpus import Example, complaint_matrix, sentiment_vector
from dsn_nlp.modelling.evaluate import Predictions
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

_LONG = 35
_KINDS: dict[str, Callable[[Example], bool]] = {
    "no complaint": lambda e: not e.complaints,
    "one complaint": lambda e: len(e.complaints) == 1,
    "two complaints": lambda e: len(e.complaints) == 2,
    "three or more": lambda e: len(e.complaints) > 2,
    f"over {_LONG} words": lambda e: len(e.text.split()) > _LONG,
    "12 words at most": lambda e: len(e.text.split()) <= 12,
    "complaint, yet not negative": lambda e: bool(e.complaints) and e.sentiment != "negative",
    "negative without complaint": lambda e: not e.complaints and e.sentiment == "negative",
}


def error_rows(examples: Sequence[Example], told: Predictions) -> Iterator[dict[str, Any]]:
    """Yield each wrong passage with what was missed, what was told too much, and its text."""
    for i, example in enumerate(examples):
        said = {c for c, yes in zip(COMPLAINTS, told.complaints[i], strict=True) if yes}
        mood, right = SENTIMENTS[int(told.sentiment[i])], set(example.complaints)
        if said != right or mood != example.sentiment:
            yield {
                "id": example.example_id, "missed": sorted(right - said),
                "too_much": sorted(said - right), "sentiment": example.sentiment,
                "told_sentiment": mood, "text": example.text,
            }  # fmt: skip


def error_table(examples: Sequence[Example], told: Predictions) -> list[tuple[str, ...]]:
    """Rates by kind of passage: passages, complaints missed, told too much, sentiment wrong.

    Missed is a share of the complaints there are; too much, of the passages; both in percent.
    """
    gold, said = complaint_matrix(examples).astype(bool), told.complaints.astype(bool)
    wrong = told.sentiment != sentiment_vector(examples)
    found = []
    for name, belongs in _KINDS.items():
        rows = np.array([belongs(e) for e in examples])
        if not rows.any():
            continue
        there = gold[rows].sum()
        missed = (gold & ~said)[rows].sum() / there if there else 0.0
        extra = (said & ~gold)[rows].any(axis=1).mean()
        shares = (missed, extra, wrong[rows].mean())
        found.append((name, str(int(rows.sum())), *(f"{share:.0%}" for share in shares)))
    return found
