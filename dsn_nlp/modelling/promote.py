"""Which model serves: promotion through the gate, the log of promotions, and the way back."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import ModelError
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import Manifest, read_manifest, serving_folder, set_serving
from dsn_nlp.modelling.corpus import Example, split_corpus
from dsn_nlp.modelling.evaluate import Report, check_floors, measure, predict

LOG = "promotions.jsonl"
# Macro-F1 that quantization may cost, of complaints and of sentiment.
MOST_LOST = 0.005


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate was promoted.

    :ivar reasons: why not, one line each; empty when it was.
    :ivar candidate: macro-F1 of complaints and of sentiment on the frozen test split.
    :ivar serving: the same of the model that served before, ``None`` when there was none.
    """

    promoted: bool
    reasons: tuple[str, ...]
    candidate: tuple[float, float]
    serving: tuple[float, float] | None


def promote(models: Path, reference: str, corpus: Path) -> Verdict:
    """Make a candidate serve when no floor breaks and it beats the model that serves.

    Both are measured here and now on the frozen test split of the corpus.

    :param reference: ``<name>/<version>`` below ``models``.
    :raises ModelError: when the candidate, or the serving model, cannot be loaded.
    :raises CorpusError: when the corpus has no test split, or floors of another one.
    """
    test = split_corpus(corpus)["test"]
    candidate = _measured(models / reference, test)
    before = serving_folder(models) if (models / "current.toml").exists() else None
    serving = _measured(before, test) if before and before != models / reference else None
    reasons = judge(candidate, serving, read_manifest(models / reference), models)
    figures = _figures(candidate)
    if not reasons:
        move_to(models, reference, f"promoted at {figures[0]:.4f} / {figures[1]:.4f}")
    return Verdict(not reasons, tuple(reasons), figures, _figures(serving) if serving else None)


def judge(candidate: Report, serving: Report | None, manifest: Manifest, models: Path) -> list[str]:
    """Tell why a candidate must not serve, one line a reason; nothing when it may.

    :raises CorpusError: when the floors are missing or of another test split.
    """
    reasons = check_floors(candidate, models) + lost_by_quantization(manifest)
    if serving is None:
        return reasons
    new, old = sum(_figures(candidate)) / 2, sum(_figures(serving)) / 2
    if new <= old:
        reasons.append(f"mean macro-F1 {new:.4f} does not beat the serving model's {old:.4f}")
    return reasons


def lost_by_quantization(manifest: Manifest) -> list[str]:
    """Tell where int8 costs more than half a point against the float network.

    The float network is measured when the model is built, and stands in its manifest.
    """
    told = manifest.measured.get("float_network")
    if not told:
        return [f"{manifest.model}: its manifest does not compare int8 with the float network"]
    return [
        f"{name}: int8 loses {exact - told_int8:.4f} against float, more than {MOST_LOST}"
        for name, told_int8, exact in zip(
            ("complaints", "sentiment"), told["int8"], told["float"], strict=True
        )
        if exact - told_int8 > MOST_LOST
    ]


def move_to(models: Path, reference: str, reason: str) -> None:
    """Make a model serve and write it into the log of promotions.

    :raises ModelError: when that folder holds no model, or an altered one.
    """
    before = _serving_reference(models)
    set_serving(models, reference)
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "from": before,
        "to": reference,
        "reason": reason,
    }
    with (models / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")


def roll_back(models: Path, reason: str) -> str:
    """Make the model serve that served before the current one; returns its reference.

    :raises ModelError: when the log names none, or it is gone or altered.
    """
    serving = _serving_reference(models)
    for line in reversed(_log(models)):
        if line["to"] == serving and line["from"] and not line["reason"].startswith(_BACK):
            move_to(models, str(line["from"]), f"{_BACK} {reason}".strip())
            return str(line["from"])
    raise ModelError(
        f"{models / LOG}: names no model before {serving}; "
        "choose one with 'dsn-nlp models serve <name>/<version>'"
    )


_BACK = "rolled back:"


def _log(models: Path) -> list[dict[str, Any]]:
    path = models / LOG
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _serving_reference(models: Path) -> str | None:
    try:
        return serving_folder(models).relative_to(models).as_posix()
    except ModelError:
        return None


def _measured(folder: Path, test: list[Example]) -> Report:
    return measure(test, predict(Classifier.load(folder), test))


def _figures(report: Report) -> tuple[float, float]:
    return report["macro_f1"], report["sentiment_macro_f1"]
