"""Small cells: what is hidden cannot be worked out, whoever adds and subtracts."""

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dsn_nlp.analyse.cells import (
    TOTAL,
    hidden_cells,
    lines_of,
    merged_small,
    suppress,
    with_totals,
)

K = 5


def interval(target, unknown, equations, lowest=1):
    """The attacker's own linear program, written apart from the library's: dense, on its own."""
    order = sorted(unknown)
    matrix, sums = [], []
    for members, counts in equations:
        row, known = [0.0] * len(order), 0.0
        for name, sign in members:
            if name in unknown:
                row[order.index(name)] = sign
            else:
                known += sign * counts[name]
        matrix.append(row)
        sums.append(-known)
    ends = []
    for sign in (1, -1):
        cost = np.zeros(len(order))
        cost[order.index(target)] = sign
        found = linprog(cost, A_eq=np.array(matrix), b_eq=sums, bounds=(lowest, None))
        ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
    return ends


def equations(counts):
    """All sums over one dimension, found here without the library."""
    found = []
    for key in counts:
        for place, value in enumerate(key):
            if value == TOTAL:
                parts = [
                    k for k in counts
                    if k[place] != TOTAL and (*k[:place], TOTAL, *k[place + 1 :]) == key
                ]  # fmt: skip
                found.append(([(key, -1.0), *((p, 1.0) for p in parts)], counts))
    return found


def tables(dimensions=(2, 3), most=3):
    sizes = st.lists(st.integers(1, most), min_size=dimensions[0], max_size=dimensions[1])
    small = st.one_of(st.integers(0, 8), st.integers(0, 60), st.just(0))

    def fill(shape):
        keys = list(product(*[[f"{d}{i}" for i in range(n)] for d, n in enumerate(shape)]))
        return st.lists(small, min_size=len(keys), max_size=len(keys)).map(
            lambda values: dict(zip(keys, values, strict=True))
        )

    return sizes.flatmap(fill)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(tables(dimensions=(1, 3)))
def test_a_linear_attacker_learns_no_small_cell(cells):
    """All views of a random cube at once: every cell, every total, every difference of both."""
    counts = with_totals(cells)
    hidden = hidden_cells(counts)
    assert not [k for k, n in counts.items() if 0 < n < K and k not in hidden]
    assert not [k for k in hidden if counts[k] == 0]
    sums = equations(counts)
    for members, _ in sums:
        total, *parts = [name for name, _ in members]
        if total not in hidden:
            rest = counts[total] - sum(counts[p] for p in parts if p not in hidden)
            assert rest == 0 or rest >= K, "a total and its shown parts give a small group away"
    for key in hidden:
        if counts[key] < K:
            low, high = interval(key, hidden, sums)
            assert high - low >= 1 - 1e-6, (key, counts, hidden)


def test_the_attacker_of_these_tests_finds_a_careless_table():
    """Primary suppression alone is undone by one subtraction; so would be a pair (1, 1)."""
    counts = with_totals({("a",): 40, ("b",): 3, ("c",): 20})
    assert interval(("b",), {("b",)}, equations(counts)) == [3, 3]
    assert len(hidden_cells(counts)) == 2
    pair = with_totals({("a",): 40, ("b",): 1, ("c",): 1})
    assert interval(("b",), {("b",), ("c",)}, equations(pair)) == [1, 1]
    assert hidden_cells(pair) == {("a",), ("b",), ("c",)}


def test_nothing_is_hidden_without_need():
    assert hidden_cells(with_totals({("a",): 40, ("b",): 0, ("c",): 20})) == frozenset()
    counts = with_totals({(a, b): 10 for a in "abc" for b in "xyz"})
    assert hidden_cells(counts) == frozenset()


def test_a_total_that_is_not_published_needs_no_second_cell():
    assert hidden_cells({("a",): 40, ("b",): 3}) == {("b",)}
    assert lines_of([("a",), ("b",)]) == []


def test_rows_keep_their_order_and_lose_their_measures():
    rows = [
        {"site": "A", "respondents": 3, "passages": 9, "share": 0.5},
        {"site": "B", "respondents": 12, "passages": 30, "share": 0.2},
        {"site": "C", "respondents": 80, "passages": 90, "share": 0.1},
        {"site": TOTAL, "respondents": 95, "passages": 129, "share": 0.2},
    ]
    shown = suppress(rows, ["site"], "respondents", ["passages", "share"])
    assert [row["site"] for row in shown.rows] == ["A", "B", "C", TOTAL]
    assert [row["passages"] for row in shown.rows] == [None, None, 90, 129]
    assert shown.hidden == 2
    assert rows[0]["passages"] == 9, "the rows given stay as they are"


@pytest.mark.parametrize(
    ("counts", "buckets"),
    [
        ({"a": 3, "b": 50}, {"a": "…", "b": "…"}),
        ({"a": 3, "b": 4, "c": 50}, {"a": "…", "b": "…", "c": "c"}),
        ({"a": 1, "b": 6, "c": 50}, {"a": "…", "b": "…", "c": "c"}),
        ({"a": 6, "b": 0}, {"a": "a", "b": "b"}),
        ({}, {}),
    ],
)
def test_filters_choose_buckets_of_enough_people(counts, buckets):
    assert merged_small(counts) == buckets


def test_a_table_of_sites_by_week_is_done_in_time():
    rng = np.random.default_rng(5)
    cells = {(f"s{s:02}", f"w{w:02}"): int(rng.poisson(9)) for s in range(20) for w in range(26)}
    counts = with_totals(cells)
    hidden = hidden_cells(counts)
    assert 0 < len(hidden) < len(counts) / 2
