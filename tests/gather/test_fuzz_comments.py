"""A few hundred mutated inputs; ``tests/measure/fuzz_comments.py`` takes thousands."""

import pytest

from tests.measure.fuzz_comments import (
    REGRESSIONS,
    attack,
    inputs,
    seeds,
    through_files,
    through_the_childs_function,
)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_mutated_texts(kind):
    ends, _ = attack(kind, 300, 7, through_files, None)
    assert ends.total() == 300
    assert ends["all read"] + ends["some read"] > 100  # mutations leave something to read


def test_mutated_workbooks():
    ends, _ = attack("xlsx", 200, 7, through_the_childs_function, None)
    assert ends.total() == 200
    assert 10 < ends["read"] < 200


def test_mutated_workbooks_through_a_child():
    ends, _ = attack("xlsx", 10, 8, through_files, None)
    assert ends.total() == 10


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_seeds_are_good(kind, tmp_path):
    for body in seeds(kind):
        path = tmp_path / f"x.{kind}"
        path.write_bytes(body)
        assert through_files(path) == "all read"


@pytest.mark.parametrize(
    "path", sorted(REGRESSIONS.glob("*.*")) if REGRESSIONS.exists() else [], ids=lambda p: p.name
)
def test_what_once_broke(path):
    assert through_files(path)


def test_the_same_seed_gives_the_same_inputs():
    assert list(inputs("csv", 20, 3)) == list(inputs("csv", 20, 3))
