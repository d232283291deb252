"""Probable label errors: planted ones are found."""

from dataclasses import replace

import pytest

from dsn_nlp.errors import CorpusError
from dsn_nlp.modelling.corpus import read_examples, split_corpus
from dsn_nlp.modelling.suspects import find_suspects
from tests.conftest import ROOT


def test_planted_errors_come_to_the_top() -> None:
    """Ten plain praises, labelled as complaints of security, among 1,500 passages."""
    rows = split_corpus(ROOT / "corpora/labelled")["train"][:1500]
    praise = [i for i, e in enumerate(rows) if not e.complaints and e.sentiment == "positive"]
    planted = {rows[i].example_id for i in praise[:10]}
    wrong = [replace(e, complaints=("security",)) if e.example_id in planted else e for e in rows]
    found = [s for s in find_suspects(wrong) if s.label == "security" and s.given]
    assert sum(s.example.example_id in planted for s in found[:15]) >= 3
    assert [s.score for s in found] == sorted(s.score for s in found)
    assert all(0 <= s.score <= 1 for s in found)


def test_too_few_are_refused() -> None:
    rows = list(read_examples(ROOT / "corpora/labelled/staff_en.jsonl"))[:20]
    with pytest.raises(CorpusError, match="too few"):
        find_suspects(rows)
