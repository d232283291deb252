"""Stages let out nothing but counts and our own errors."""

import pytest

from dsn_nlp.bounds import StageError, contained
from dsn_nlp.errors import InputError
from dsn_nlp.records import Tally
from dsn_nlp.stages import add_up


@contained
def stumble(text: str) -> None:
    raise ValueError(f"cannot read {text}")


@contained
def refuse() -> None:
    raise InputError("c.csv:3: no text")


def test_foreign_messages_stay_inside() -> None:
    with pytest.raises(StageError) as failure:
        stumble("SECRET")
    assert "SECRET" not in str(failure.value)
    assert "ValueError in test_stages.py" in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_our_own_errors_pass() -> None:
    with pytest.raises(InputError, match=r"c\.csv:3"):
        refuse()


def test_tallies_add_up() -> None:
    total = add_up([Tally("a", {"documents": 2, "rejected": 1}), Tally("label", {"labelled": 5})])
    assert total == {"documents": 2, "passages": 0, "rejected": 1, "labelled": 5}
