"""Probable label errors: planted ones are found."""

from dataclasses import replace

import pytest

from dsn_nlp.errors import CorpusError
from dsn_nlp.modelling.corpus import read_examples
from dsn_nlp.modelling.suspects import find_suspects
from tests.conftest import ROOT


def test_planted_errors_come_to_the_top() -> None:
    rows = list(read_examples(ROOT / "corpora/labelled/staff_en.jsonl"))[:400]
    sure = [
        i for i, e in enumerate(rows) if e.complaints == ("training",) and "train" in e.text.lower()
    ]
    planted = {rows[i].example_id for i in sure[:6]}
    assert len(planted) == 6
    wrong = [replace(e, complaints=()) if e.example_id in planted else e for e in rows]
    found = [s for s in find_suspects(wrong) if s.label == "training" and not s.given]
    assert planted & {s.example.example_id for s in found[:15]}
    assert all(0 <= s.score <= 1 for s in found)


def test_too_few_are_refused() -> None:
    rows = list(read_examples(ROOT / "corpora/labelled/staff_en.jsonl"))[:20]
    with pytest.raises(CorpusError, match="too few"):
        find_suspects(rows)
