"""Error analysis and the learning curve."""

import numpy as np

from dsn_nlp.modelling.corpus import Example, split_corpus
from dsn_nlp.modelling.curve import SHARES, learning_curve
from dsn_nlp.modelling.errors import error_rows, error_table
from dsn_nlp.modelling.evaluate import Predictions
from tests.conftest import ROOT

EXAMPLES = [
    Example("a", "fr", "comment", "Aucun cours.", ("training",), "negative"),
    Example("b", "fr", "comment", "Panne et clics.", ("administrative_burden",), "negative"),
    Example("c", "en", "news", "It opens in May.", (), "neutral"),
]


def test_errors_say_what_was_missed_and_told_too_much() -> None:
    told = np.zeros((3, 5), bool)
    told[0, 0] = told[1, 3] = True
    rows = list(error_rows(EXAMPLES, Predictions(told, np.array([0, 0, 2]))))
    assert [row["id"] for row in rows] == ["b", "c"]
    assert rows[0]["missed"] == ["administrative_burden"]
    assert rows[0]["too_much"] == ["technical_failure"]
    assert (rows[1]["sentiment"], rows[1]["told_sentiment"]) == ("neutral", "positive")


def test_rates_by_kind_of_passage() -> None:
    told = np.zeros((3, 5), bool)
    told[0, 0] = told[1, 3] = True
    table = {row[0]: row[1:] for row in error_table(EXAMPLES, Predictions(told, np.zeros(3, int)))}
    assert table["one complaint"] == ("2", "50%", "50%", "0%")
    assert table["no complaint"] == ("1", "0%", "0%", "100%")
    assert "two complaints" not in table


def test_curve_grows_with_the_corpus() -> None:
    splits = split_corpus(ROOT / "corpora/labelled")
    points = learning_curve(splits["train"][:2000], splits["development"][:400])
    assert [size for size, _, _ in points] == [round(2000 * share) for share in SHARES]
    assert points[-1][1] > points[0][1]
