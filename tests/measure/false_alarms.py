"""How often the watch cries wolf on normal nights, and whether it hears real ones.

``python -m tests.measure.false_alarms [NIGHTS]``: simulated nights whose sources, articles and
labels vary from night to night as real ones do (passages of one article resemble each other).
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store.watching import BINS
from dsn_nlp.watch.gate import NIGHTS, judge

Night = dict[str, Any]
SOURCES = {"presse-a": 9.0, "presse-b": 6.0, "sondage": 25.0}  # documents a night
RATES = dict(zip(COMPLAINTS, (0.09, 0.04, 0.08, 0.12, 0.06), strict=True))
CLUSTERING = 12.0  # a document's own rate is Beta(rate × this, …): smaller, more alike


def simulate(chance: np.random.Generator, rates: dict[str, float] | None = None) -> Night:
    """One normal night: about 150 passages of about 40 documents."""
    wanted = rates or RATES
    # Sources publish in bursts: negative binomial, variance about three times the mean.
    volumes = {
        name: int(chance.poisson(chance.gamma(mean / 2, 2))) for name, mean in SOURCES.items()
    }
    documents = sum(volumes.values())
    sizes = 1 + chance.poisson(2.7, documents)
    scores = {name: _scores(chance, sizes, rate) for name, rate in wanted.items()}
    moods = chance.dirichlet(np.array([0.35, 0.45, 0.2]) * CLUSTERING, documents)
    sentiments = sum(
        (chance.multinomial(n, p) for n, p in zip(sizes, moods, strict=True)), np.zeros(3)
    )
    french = int(sizes[chance.random(documents) < 0.7].sum())
    total = int(sizes.sum())
    for column, name in enumerate(SENTIMENTS):
        scores[name] = _scores(chance, sizes, float((0.35, 0.45, 0.2)[column]))
    return {
        "volumes": volumes,
        "rejected": {name: {"read": int(chance.poisson(0.5))} for name in SOURCES},
        "passages": {"all": total},
        "languages": {"fr": french, "en": total - french},
        "sentiments": {n: int(c) for n, c in zip(SENTIMENTS, sentiments, strict=True)},
        "complaints": {n: int(sum(scores[n][BINS // 2 :])) for n in COMPLAINTS},
        "scores": scores,
    }  # fmt: skip


def _scores(chance: np.random.Generator, sizes: np.ndarray, rate: float) -> list[int]:
    own = chance.beta(rate * CLUSTERING, (1 - rate) * CLUSTERING, len(sizes))
    told = chance.random(int(sizes.sum())) < np.repeat(own, sizes)
    low, high = chance.beta(1, 12, len(told)), chance.beta(8, 2, len(told))
    counts, _ = np.histogram(np.where(told, high, low), BINS, (0, 1))
    return [int(count) for count in counts]


def _times_three(night: Night, chance: np.random.Generator) -> Night:
    return simulate(chance, {**RATES, "security": 3.5 * RATES["security"]})


def _all_neutral(night: Night, _chance: np.random.Generator) -> Night:
    total = night["passages"]["all"]
    return {**night, "sentiments": {"negative": 0, "neutral": total, "positive": 0}}


def _flipped(night: Night, _chance: np.random.Generator) -> Night:
    both = night["languages"]
    return {**night, "languages": {"fr": both["en"] // 4, "en": both["fr"] + both["en"]}}


def _collapsed(night: Night, _chance: np.random.Generator) -> Night:
    return {**night, "volumes": {**night["volumes"], "sondage": 1}}


def _refused(night: Night, _chance: np.random.Generator) -> Night:
    return {
        **night,
        "volumes": {**night["volumes"], "sondage": 0},
        "rejected": {"sondage": {"columns": 25}},
    }


FAULTS: dict[str, Callable[[Night, np.random.Generator], Night]] = {
    "label rate x3.5": _times_three,
    "all-neutral model": _all_neutral,
    "language flip": _flipped,
    "source volume -96 %": _collapsed,
    "source refused": _refused,
}


def measure(nights: int, seed: int = 20261122) -> dict[str, Any]:
    """Judge normal nights, and each fault on as many others."""
    chance = np.random.default_rng(seed)
    history = [simulate(chance) for _ in range(NIGHTS)]
    alarmed, noticed, heard = 0, 0, dict.fromkeys(FAULTS, 0)
    for _ in range(nights):
        night = simulate(chance)
        alerts = judge(night, history)
        alarmed += any(alert.level == "alarm" for alert in alerts)
        noticed += any(alert.code == "drift-nights" for alert in alerts)
        for name, fault in FAULTS.items():
            found = judge(fault(night, chance), history)
            heard[name] += any(alert.level == "alarm" for alert in found)
        history = [night, *history[: NIGHTS - 1]]
    return {
        "nights": nights,
        "false alarms": alarmed,
        "false drift notices": noticed,
        "heard": {name: round(count / nights, 3) for name, count in heard.items()},
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200), indent=1))
