"""Measure predictions against gold labels: overall, by label, by language and kind."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import CorpusError
from dsn_nlp.label.classifier import Classifier, Scores
from dsn_nlp.modelling.corpus import Example, complaint_matrix, digest, sentiment_vector
from dsn_nlp.modelling.metrics import expected_calibration_error, f1_by_column, macro_f1
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Report = dict[str, Any]
FLOORS = "floors.json"


@dataclass(frozen=True)
class Predictions:
    """What a system tells of examples.

    :ivar complaints: 0/1, shape ``(n, 5)``.
    :ivar sentiment: index into ``SENTIMENTS``, shape ``(n,)``.
    :ivar scores: calibrated scores, for systems that have them.
    """

    complaints: npt.NDArray[np.bool_]
    sentiment: npt.NDArray[np.int64]
    scores: Scores | None = None


def predict(classifier: Classifier, examples: Sequence[Example]) -> Predictions:
    """Label examples with a model."""
    scores = classifier.score([e.text for e in examples])
    return Predictions(classifier.decide(scores), scores.sentiment.argmax(axis=1), scores)


def measure(examples: Sequence[Example], told: Predictions) -> Report:
    """Report F1 overall, by label, by language and by kind, and calibration where there are scores.

    :raises CorpusError: when there is nothing to measure on.
    """
    if not examples:
        raise CorpusError("no labelled passage to evaluate on; check the file")
    report: Report = {"passages": len(examples), "digest": digest(examples)}
    report |= _figures(examples, told)
    report["by"] = {
        f"{key}:{value}": _figures(*_subset(examples, told, key, value))
        for key in ("lang", "kind")
        for value in sorted({getattr(e, key) for e in examples} - {""})
    }
    if told.scores is not None:
        report["calibration_error"] = _calibration(examples, told.scores)
        report["coverage"] = _coverage(examples, told)
    return report


def rows_of_text(report: Report) -> list[tuple[str, ...]]:
    """Flatten a report into table rows: part, passages, complaints, each label, sentiment."""
    parts = {"all": report} | report["by"]
    return [
        (
            name,
            str(part["passages"]),
            f"{part['macro_f1']:.3f}",
            *(f"{part['complaints'][label]['f1']:.3f}" for label in COMPLAINTS),
            f"{part['sentiment_macro_f1']:.3f}",
        )
        for name, part in parts.items()
    ]


def check_floors(report: Report, models: Path) -> list[str]:
    """Compare a report with the committed floors; returns one line for each floor broken.

    :raises CorpusError: when the floors are missing or were set on another test split.
    """
    path = models / FLOORS
    try:
        floors = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CorpusError(f"{path}: no floors here; write them with --set-floors") from None
    if floors["digest"] != report["digest"]:
        raise CorpusError(
            f"{path}: set on test data {floors['digest']}, this is {report['digest']}; "
            "when the corpus grew on purpose, set the floors anew with --set-floors"
        )
    measured = flatten(report)
    broken = [
        f"{name}: {measured.get(name, 0.0):.3f} is below the floor {floor:.3f}"
        for name, floor in floors["floors"].items()
        if measured.get(name, 0.0) < floor
    ]
    ceilings = floors.get("ceilings", {})
    return broken + [
        f"{name}: {report['calibration_error'][name]:.3f} is above the ceiling {ceiling:.3f}"
        for name, ceiling in ceilings.items()
        if report["calibration_error"][name] > ceiling
    ]


def set_floors(report: Report, models: Path, reason: str, margin: float = 0.03) -> Path:
    """Write floors a little under what is measured, with the reason why they are set anew.

    :param margin: how much F1 may be lost before the gate closes; parts of the whole, which are
        smaller, get twice as much.
    """
    path, before = models / FLOORS, _floors_before(models / FLOORS)
    floors = {
        name: round(value - (margin if name.startswith("all/") else 2 * margin), 3)
        for name, value in flatten(report).items()
    }
    # A floor that still holds does not sink.
    for name, value in flatten(report).items():
        if floors[name] < before.get(name, 0.0) <= value:
            floors[name] = before[name]
    ceilings = {name: round(e + 0.015, 3) for name, e in report["calibration_error"].items()}
    written = {"digest": report["digest"], "reason": reason, "floors": floors, "ceilings": ceilings}
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _floors_before(path: Path) -> dict[str, float]:
    if not path.exists():
        return {}
    floors: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["floors"]
    return floors


def flatten(report: Report) -> dict[str, float]:
    """Name every F1 of a report: ``all/macro_f1``, ``lang:fr/training``, ``all/neutral`` …"""
    named: dict[str, float] = {}
    for part, figures in ({"all": report} | report["by"]).items():
        named[f"{part}/macro_f1"] = figures["macro_f1"]
        named[f"{part}/sentiment_macro_f1"] = figures["sentiment_macro_f1"]
        for group in ("complaints", "sentiment"):
            named |= {f"{part}/{name}": row["f1"] for name, row in figures[group].items()}
    return named


def _figures(examples: Sequence[Example], told: Predictions) -> Report:
    gold, moods = complaint_matrix(examples), sentiment_vector(examples)
    gold_moods, told_moods = np.eye(3)[moods], np.eye(3)[told.sentiment]
    return {
        "passages": len(examples),
        "macro_f1": round(macro_f1(gold, told.complaints), 4),
        "sentiment_macro_f1": round(macro_f1(gold_moods, told_moods), 4),
        "complaints": _by_label(COMPLAINTS, gold, told.complaints),
        "sentiment": _by_label(SENTIMENTS, gold_moods, told_moods),
    }


def _by_label(names: Iterable[str], gold: npt.NDArray[Any], told: npt.NDArray[Any]) -> Report:
    right, said = gold.astype(bool), told.astype(bool)
    hits = (right & said).sum(axis=0)
    scores = f1_by_column(right, said)
    return {
        name: {
            "f1": round(float(scores[k]), 4),
            "precision": round(float(hits[k] / max(said[:, k].sum(), 1)), 4),
            "recall": round(float(hits[k] / max(right[:, k].sum(), 1)), 4),
            "support": int(right[:, k].sum()),
        }
        for k, name in enumerate(names)
    }


def _subset(
    examples: Sequence[Example], told: Predictions, key: str, value: str
) -> tuple[list[Example], Predictions]:
    rows = [i for i, e in enumerate(examples) if getattr(e, key) == value]
    chosen = Predictions(told.complaints[rows], told.sentiment[rows])
    return [examples[i] for i in rows], chosen


def _calibration(examples: Sequence[Example], scores: Scores) -> dict[str, float]:
    """Calibration error of all complaint scores and of the told sentiment, by language."""
    gold, moods = complaint_matrix(examples), sentiment_vector(examples)
    best, right = scores.sentiment.max(axis=1), scores.sentiment.argmax(axis=1) == moods
    found = {}
    for name in ("all", "fr", "en"):
        rows = [i for i, e in enumerate(examples) if name in ("all", e.lang)]
        if rows:
            found[f"{name}/complaints"] = round(
                expected_calibration_error(scores.complaints[rows].ravel(), gold[rows].ravel()), 4
            )
            found[f"{name}/sentiment"] = round(
                expected_calibration_error(best[rows], right[rows]), 4
            )
    return found


def _coverage(examples: Sequence[Example], told: Predictions) -> dict[str, list[float]]:
    """F1 (complaints, sentiment) of what remains when the least certain share goes to people."""
    assert told.scores is not None
    order = np.argsort(told.scores.risk)
    curve = {}
    for share in (0.0, 0.05, 0.10, 0.20):
        rows = order[: max(1, round(len(order) * (1 - share)))]
        part = _figures(
            [examples[i] for i in rows], Predictions(told.complaints[rows], told.sentiment[rows])
        )
        curve[f"{share:.0%}"] = [part["macro_f1"], part["sentiment_macro_f1"]]
    return curve
