"""The same inputs, in any order, in any batches, on any number of nights: the same store."""

import random
import tempfile

import store_nights as nights
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_nlp.store import Store


def take(store, numbers, size):
    """One night over these documents, some at a time."""
    run_id = store.begin_run("0.1.0", nights.LEASE)
    nights.register(store)
    for start in range(0, len(numbers), size):
        store.add_documents(run_id, [nights.pair(n) for n in numbers[start : start + size]])
    store.add_rejections(run_id, [nights.rejection(n) for n in numbers])
    while found := store.unlabelled(nights.MODEL, size):
        store.add_labels(run_id, [nights.label(one) for one in found])
    store.publish(run_id, store.counts(), nights.MODEL)


@given(
    numbers=st.lists(st.integers(0, 40), min_size=1, max_size=25),
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=15, deadline=None)
def test_nights_repeated_in_any_order_add_nothing(numbers, sizes, seed):
    with tempfile.TemporaryDirectory() as folder:
        with Store.open(f"sqlite:///{folder}/once.db") as once:
            take(once, sorted(set(numbers)), 5)
            expected = once.digest(), once.counts()
        with Store.open(f"sqlite:///{folder}/often.db") as often:
            for size in sizes:
                shuffled = random.Random(seed).sample(numbers, len(numbers))
                take(often, shuffled, size)
                seed += 1
            assert (often.digest(), often.counts()) == expected
