"""Nights in which every call of source, model and store may fail for a moment, with p = 0.3."""

import random
from collections.abc import Callable
from typing import Any

from tests.measure.faults.bench import Bench, Row

CHANCE = 0.3


def _may_fail(call: Callable[..., Any], chance: random.Random, error: type[Exception]) -> Any:
    def sometimes(*args: Any, **kwargs: Any) -> Any:
        if chance.random() < CHANCE:
            raise error("a fault of the bench; try again")
        return call(*args, **kwargs)

    return sometimes


def _arm(seed: int) -> None:
    """Let each write of the store, each fetch and each batch of labels fail by chance."""
    from dsn_nlp import bounds
    from dsn_nlp.errors import TransientFetchError, TransientStoreError
    from dsn_nlp.gather.fetch import Client
    from dsn_nlp.label.classifier import Classifier
    from dsn_nlp.store import Store

    bounds.WAITING.update(wait_initial=0.05, wait_max=0.2, wait_jitter=0.05)  # a bench is impatient
    chance = random.Random(seed)
    for name in ("begin_run", "add_documents", "add_labels", "add_rejections", "publish"):
        call = getattr(Store, name)
        setattr(Store, name, _may_fail(call, chance, TransientStoreError))
    Client._once = _may_fail(Client._once, chance, TransientFetchError)  # type: ignore[method-assign]
    Classifier.label = _may_fail(Classifier.label, chance, TransientStoreError)  # type: ignore[method-assign]


def by_chance(bench: Bench, store: str, runs: int) -> Row:
    """Every night may fail; it then fails whole, and the first without faults finishes."""
    row = Row("transient faults, p = 0.3", store)
    completed = 0
    for _ in range(runs):
        place, seed = bench.place(store), bench.random.randrange(2**32)
        child = place.night(lambda seed=seed: _arm(seed))  # type: ignore[misc]
        completed += child.returncode == 0
        if child.returncode not in (0, 1) or "Traceback" in child.said():
            row.wrong.append(f"exit {child.returncode}: {child.said().strip()[-200:]}")
        if child.returncode:
            bench.check_hidden(row, place)
        bench.finish(row, place)
    row.note += f"{completed} of {runs} completed in spite of the faults, the others failed whole"
    return row
