"""Early readings: what they are brought to, and when a passage may leave with one."""

import numpy as np
import pytest
import torch

from dsn_nlp.label.classifier import Scores
from dsn_nlp.modelling.corpus import Example
from dsn_nlp.modelling.exits import MOST_LOST, align_exits, fit_exit_risk, told_by
from dsn_nlp.modelling.reading import Reading

N = 400


@pytest.fixture
def examples() -> list[Example]:
    """Every second passage complains of training and is negative."""
    told = (("training",), "negative"), ((), "neutral")
    return [
        Example(f"e{i}", "fr", "comment", f"Passage {i}.", told[i % 2][0], told[i % 2][1])
        for i in range(N)
    ]


def _scores(right: np.ndarray, risk: np.ndarray) -> Scores:
    """Scores that tell the passages above rightly where ``right``, and the contrary elsewhere."""
    trained = (np.arange(N) % 2 == 0) == right
    complaints = np.zeros((N, 5), np.float32)
    complaints[:, 0] = np.where(trained, 0.9, 0.1)
    moods = np.where(trained[:, None], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]).astype(np.float32)
    return Scores(complaints, moods, risk.astype(np.float32))


def test_passages_leave_only_where_the_early_reading_is_right(examples: list[Example]) -> None:
    """The early reading errs above a risk of 0.6, and there alone."""
    risk = np.linspace(0, 1, N)
    parts = [_scores(risk < 0.6, risk), _scores(np.ones(N, bool), risk)]
    thresholds = np.full(5, 0.5, np.float32)
    limit = fit_exit_risk(parts, thresholds, examples)
    assert 0.5 < limit <= 0.6 + MOST_LOST
    assert (told_by(parts, limit)[risk < 0.5] == 0).all()
    assert (told_by(parts, limit)[risk > 0.65] == 1).all()


def test_an_early_reading_that_is_always_wrong_tells_nothing(examples: list[Example]) -> None:
    risk = np.linspace(0.2, 1, N)
    parts = [_scores(np.zeros(N, bool), risk), _scores(np.ones(N, bool), risk)]
    limit = fit_exit_risk(parts, np.full(5, 0.5, np.float32), examples)
    assert (told_by(parts, limit) == 1).all()


def test_a_network_without_exits_tells_all_at_its_end(examples: list[Example]) -> None:
    parts = [_scores(np.ones(N, bool), np.zeros(N))]
    assert fit_exit_risk(parts, np.full(5, 0.5, np.float32), examples) == 0
    assert (told_by(parts, 1.0) == 0).all()


class _Exits(torch.nn.Module):
    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.early = torch.nn.ModuleDict({"1": reading})


def test_early_logits_come_to_the_scale_of_the_last() -> None:
    draw = torch.Generator().manual_seed(3)
    reading = Reading(16).eval()
    states = torch.randn(50, 7, 16, generator=draw)
    mask = torch.ones(50, 7, dtype=torch.int64)
    with torch.no_grad():
        before = reading(states, mask)[0].numpy()
    last = (before * 3 - 1).astype(np.float32)
    align_exits(_Exits(reading), [before], last)
    with torch.no_grad():
        assert np.abs(reading(states, mask)[0].numpy() - last).max() < 1e-3
