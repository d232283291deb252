"""Whether corrected shares and their intervals can be trusted: simulation on the test split.

``python -m dsn_nlp.analyse.simulate`` splits the error profile's similarity groups in two, over
and over: one part calibrates, from the other targets of known prevalence are drawn without
replacement, so no passage is ever on both sides. ``--changes`` counts false alarms and detections
of change points in invented series.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.changepoints import change_points
from dsn_nlp.analyse.estimates import LABELS, widened
from dsn_nlp.analyse.histograms import draw_histograms
from dsn_nlp.analyse.prevalence import make_corrector
from dsn_nlp.label.folder import read_manifest, serving_folder
from dsn_nlp.label.profile import ErrorProfile, read_profile
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

PREVALENCES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.6)
SIZES = (100, 200, 400, 800)
_CALIBRATION_SHARE = 0.6
_MOODS = {str(mood): index for index, mood in enumerate(SENTIMENTS)}


@dataclass(frozen=True, slots=True)
class Trial:
    """One target: what is true, told and estimated of one label.

    :ivar prevalence: share in the invented source that the target is drawn from.
    :ivar true: share in the target itself.
    """

    label: str
    prevalence: float
    wanted: int
    size: int
    true: float
    counted: float
    value: float
    low: float
    high: float


def simulate(
    profile: ErrorProfile,
    thresholds: Mapping[str, float],
    splits: int = 20,
    sizes: Sequence[int] = SIZES,
    prevalences: Sequence[float] = PREVALENCES,
    draws: int = 200,
    seed: int = 1,
) -> list[Trial]:
    """Estimate known prevalences in targets drawn from held-out passages.

    A target smaller than wanted, because the held-out part has too few passages of a class, is
    kept and says so (``size``).

    :param thresholds: from which score the model tells each complaint.
    :param splits: how often the profile is split anew.
    """
    rng = np.random.default_rng(seed)
    trials: list[Trial] = []
    for split in range(splits):
        names = rng.permutation(np.unique(profile.groups))
        calibrating = np.isin(profile.groups, names[: int(len(names) * _CALIBRATION_SHARE)])
        corrector = make_corrector(_part(profile, calibrating), draws, seed=split)
        held_out = np.flatnonzero(~calibrating)
        targets = list(_targets(profile, held_out, sizes, prevalences, rng))
        rows = np.concatenate([target[3] for target in targets])
        cell = np.repeat(np.arange(len(targets)), [len(target[3]) for target in targets])
        mood = profile.sentiment_scores[rows]
        bins = corrector.bins_of(
            profile.complaint_scores[rows], mood.argmax(axis=1).astype(np.uint8), mood.max(axis=1)
        )
        # Each passage of the profile is its own document: they are of a corpus, not of a survey.
        found = draw_histograms(cell, rows, bins, corrector.widths, len(targets), draws, seed=split)
        shares = corrector.correct(found)
        trials += [
            _trial(profile, target, shares[n], thresholds) for n, target in enumerate(targets)
        ]
    return trials


def summarise(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Errors and coverage by label, by prevalence and by size, and of all.

    Errors are those of the target's own share, as is usual for quantifiers (artificial prevalence
    protocol); ``coverage`` is of the share in the source it is drawn from, which is what an
    interval claims to hold, ``coverage_of_true`` of the target's own.
    """
    kinds: dict[str, Callable[[Trial], object]] = {
        "all": lambda t: "all",
        "label": lambda t: t.label,
        "prevalence": lambda t: t.prevalence,
        "n": lambda t: t.wanted,
    }
    rows = []
    for what in ("complaints", "sentiment"):
        mine = [t for t in trials if (t.label in COMPLAINTS) == (what == "complaints")]
        for kind, key in kinds.items():
            for value in dict.fromkeys(map(key, mine)):
                rows.append(_summary(what, kind, value, [t for t in mine if key(t) == value]))
    return rows


def _summary(what: str, kind: str, value: object, trials: Sequence[Trial]) -> dict[str, Any]:
    raw = float(np.mean([abs(t.counted - t.true) for t in trials]))
    corrected = float(np.mean([abs(t.value - t.true) for t in trials]))
    return {
        "of": what,
        "by": kind,
        "value": value,
        "targets": len(trials),
        "mean_size": round(float(np.mean([t.size for t in trials]))),
        "mae_counted": round(raw, 4),
        "mae_corrected": round(corrected, 4),
        "ratio": round(corrected / raw, 3) if raw else None,
        "coverage": round(float(np.mean([t.low <= t.prevalence <= t.high for t in trials])), 3),
        "coverage_of_true": round(float(np.mean([t.low <= t.true <= t.high for t in trials])), 3),
        "mean_width": round(float(np.mean([t.high - t.low for t in trials])), 3),
    }


def _targets(
    profile: ErrorProfile,
    held_out: npt.NDArray[np.intp],
    sizes: Sequence[int],
    prevalences: Sequence[float],
    rng: np.random.Generator,
) -> Iterator[tuple[str, float, int, npt.NDArray[np.intp]]]:
    for label in (*COMPLAINTS, *SENTIMENTS):
        gold = _gold(profile, label)[held_out]
        pools = held_out[gold], held_out[~gold]
        for prevalence in prevalences:
            # The prevalence a source has is drawn from; what a sample of it holds varies.
            for wanted in sizes:
                size = int(
                    min(wanted, len(pools[0]) / prevalence, len(pools[1]) / (1 - prevalence))
                )
                with_ = min(int(rng.binomial(size, prevalence)), len(pools[0]))
                without = min(size - with_, len(pools[1]))
                drawn = [rng.choice(pools[0], with_, replace=False),
                         rng.choice(pools[1], without, replace=False)]  # fmt: skip
                yield label, prevalence, wanted, np.concatenate(drawn)


def _trial(
    profile: ErrorProfile,
    target: tuple[str, float, int, npt.NDArray[np.intp]],
    shares: npt.NDArray[np.float64],
    thresholds: Mapping[str, float],
) -> Trial:
    label, prevalence, wanted, rows = target
    told = _told(profile, label, thresholds)
    found = widened(shares[:, LABELS.index(label)], len(rows))
    return Trial(
        label,
        prevalence,
        wanted,
        len(rows),
        float(_gold(profile, label)[rows].mean()),
        float(told[rows].mean()),
        found.value,
        found.low,
        found.high,
    )


def _gold(profile: ErrorProfile, label: str) -> npt.NDArray[np.bool_]:
    if label in COMPLAINTS:
        return np.asarray(profile.complaints[:, COMPLAINTS.index(label)] == 1)
    return np.asarray(profile.sentiment == _MOODS[label])


def _told(
    profile: ErrorProfile, label: str, thresholds: Mapping[str, float]
) -> npt.NDArray[np.bool_]:
    """What the model tells: a complaint from its threshold, the likeliest sentiment."""
    if label in COMPLAINTS:
        scores = profile.complaint_scores[:, COMPLAINTS.index(label)]
        return np.asarray(scores >= thresholds[label])
    return np.asarray(profile.sentiment_scores.argmax(axis=1) == _MOODS[label])


def _part(profile: ErrorProfile, keep: npt.NDArray[np.bool_]) -> ErrorProfile:
    return ErrorProfile(**{f.name: getattr(profile, f.name)[keep] for f in fields(profile)})


def change_alarms(
    series: int = 2000, weeks: int = 26, spread: float = 0.03, seed: int = 1
) -> dict[str, float]:
    """Share of invented series of weekly shares in which a change is found.

    ``flat`` has one level; in ``restless`` weeks scatter twice as much as their errors say;
    ``step`` falls from 0.31 to 0.18 at week 6, and counts as found when a change is put within a
    week of it.
    """
    rng = np.random.default_rng(seed)
    flat = rng.normal(0.25, spread, (series, weeks))
    restless = rng.normal(0.25, 2 * spread, (series, weeks))
    step = rng.normal(0, spread, (series, weeks)) + np.where(np.arange(weeks) < 6, 0.31, 0.18)
    errors = [spread] * weeks
    return {
        "weeks": weeks,
        "flat": float(np.mean([bool(change_points(list(s), errors)) for s in flat])),
        "restless": float(np.mean([bool(change_points(list(s), errors)) for s in restless])),
        "step": float(
            np.mean([any(abs(p - 6) <= 1 for p in change_points(list(s), errors)) for s in step])
        ),
    }


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Write rows as a Markdown table."""
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]) for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def main() -> None:
    """Simulate and write ``simulation.json`` and ``simulation.md``."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("--profile", type=Path, help="profile.safetensors; the serving model's")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--changes", action="store_true", help="change points instead")
    parser.add_argument("--output", type=Path, default=Path("work/simulation"))
    asked = parser.parse_args()
    if asked.changes:
        rows = [change_alarms(weeks=weeks) for weeks in (8, 13, 26, 52)]
    else:
        manifest = read_manifest(serving_folder(asked.models))
        profile = _profile(asked.profile, asked.models)
        rows = summarise(simulate(profile, manifest.thresholds, asked.splits))
    asked.output.mkdir(parents=True, exist_ok=True)
    name = "changes" if asked.changes else "prevalence"
    (asked.output / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (asked.output / f"{name}.md").write_text(markdown(rows), encoding="utf-8")
    print(markdown(rows))


def read_loose_profile(path: Path) -> ErrorProfile:
    """Read a profile that belongs to no model folder yet."""
    from safetensors.numpy import load_file

    arrays: dict[str, Any] = load_file(str(path))
    return ErrorProfile(**arrays)


def _profile(path: Path | None, models: Path) -> ErrorProfile:
    if path is not None:
        return read_loose_profile(path)
    found = read_profile(serving_folder(models))
    if found is None:
        raise SystemExit("the serving model carries no error profile; name one with --profile")
    return found


if __name__ == "__main__":
    main()
