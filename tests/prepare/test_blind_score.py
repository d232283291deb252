"""The blind test's rows are read, scored, and stay above a floor."""

import pytest

from dsn_nlp.errors import CorpusError
from dsn_nlp.prepare import blind_score


def test_scores_stay_above_what_was_measured_less_a_margin():
    rows = blind_score.read_blind()
    parts, roles, _ = blind_score.measure(rows)
    assert len(rows) == 130
    assert parts["relevance"].f1 > 0.95
    assert parts["sites"].f1 > 0.96
    assert parts["voices"].f1 > 0.9
    assert roles >= 0.9 * parts["voices"].found


def test_a_wrong_answer_counts():
    row = {
        "id": "x", "kind": "article", "lang": "fr", "relevant": False, "sites": ["CLSC d'Ahuntsic"],
        "text": "« Le DSN ralentit tout », dit une infirmière du CIUSSS.",
        "voices": [{"role": "union", "quote": "Le DSN ralentit tout", "direct": True}],
    }  # fmt: skip
    parts, roles, errors = blind_score.measure([row])
    assert (parts["relevance"].wrong, parts["sites"].missed, parts["voices"].found) == (1, 1, 1)
    assert roles == 0
    assert len(errors) == 1


def test_a_file_that_is_no_corpus_is_told(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("[1, 2\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="not labelled rows"):
        blind_score.read_blind(path)
