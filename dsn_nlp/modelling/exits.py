"""Early readings of a trained network: on the scale of the last one, and when to trust them."""

from collections.abc import Sequence
from math import floor

import numpy as np
import numpy.typing as npt
import torch

from dsn_nlp.label.classifier import Scores
from dsn_nlp.modelling.corpus import Example, complaint_matrix, sentiment_vector
from dsn_nlp.modelling.metrics import macro_f1
from dsn_nlp.modelling.network import LabelNetwork

FloatArray = npt.NDArray[np.float32]
# Macro-F1 that may be lost on development for leaving early.
MOST_LOST = 0.001


def align_exits(network: LabelNetwork, early: Sequence[FloatArray], last: FloatArray) -> None:
    """Bring the logits of early readings to the scale of the last one, so that one calibration
    serves all: for each logit the straight line that tells the last one best.

    :param early: logits ``(n, 8)`` of each early reading on development passages.
    :param last: logits ``(n, 8)`` of the last layer on the same.
    """
    for reading, logits in zip(network.early.values(), early, strict=True):
        lines = np.array([np.polyfit(x, y, 1) for x, y in zip(logits.T, last.T, strict=True)])
        factors, shifts = torch.from_numpy(lines.astype(np.float32)).unbind(1)
        reading.scale(factors, shifts)


def fit_exit_risk(
    parts: Sequence[Scores], thresholds: FloatArray, examples: Sequence[Example]
) -> float:
    """Choose the largest risk of error with which a passage may leave early.

    :param parts: scores of the examples after each part of the network, the whole one last.
    :param thresholds: of the complaints, shape ``(5,)``.
    :returns: a risk that costs development at most :data:`MOST_LOST` of either macro-F1; 0 where
        none does.
    """
    limits = np.quantile(parts[0].risk, np.linspace(0.05, 0.95, 46))
    whole = _figures(parts, 0.0, thresholds, examples)
    good = [0.0]
    for limit in limits:
        if (whole - _figures(parts, float(limit), thresholds, examples) > MOST_LOST).any():
            break
        good.append(float(limit))
    return floor(good[-1] * 10_000) / 10_000


def told_by(parts: Sequence[Scores], limit: float) -> npt.NDArray[np.int64]:
    """Which part tells each passage: the first whose risk is at most ``limit``, or the last."""
    chosen = np.full(len(parts[-1].risk), len(parts) - 1)
    for part in reversed(range(len(parts) - 1)):
        chosen[parts[part].risk <= limit] = part
    return chosen


def _figures(
    parts: Sequence[Scores], limit: float, thresholds: FloatArray, examples: Sequence[Example]
) -> npt.NDArray[np.float64]:
    """Macro-F1 of complaints and of sentiment when passages leave at that risk."""
    chosen, rows = told_by(parts, limit), np.arange(len(examples))
    complaints = np.stack([p.complaints for p in parts])[chosen, rows] >= thresholds
    moods = np.stack([p.sentiment for p in parts])[chosen, rows].argmax(axis=1)
    gold = np.eye(3)[sentiment_vector(examples)]
    first = macro_f1(complaint_matrix(examples), complaints)
    return np.array([first, macro_f1(gold, np.eye(3)[moods])])
