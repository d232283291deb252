"""From a labelled corpus to a model folder, in one call."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dsn_nlp.errors import TrainingError
from dsn_nlp.label import folder as files
from dsn_nlp.label.classifier import Classifier, calibrate
from dsn_nlp.label.folder import Calibration, Manifest
from dsn_nlp.label.profile import ErrorProfile
from dsn_nlp.modelling import calibrate as fitting
from dsn_nlp.modelling.base import ORIGIN_FILE
from dsn_nlp.modelling.card import write_card
from dsn_nlp.modelling.corpus import (
    Example,
    Split,
    complaint_matrix,
    digest,
    sentiment_vector,
    similarity_groups,
    split_corpus,
)
from dsn_nlp.modelling.evaluate import Predictions, Report, measure, predict
from dsn_nlp.modelling.exits import align_exits, fit_exit_risk
from dsn_nlp.modelling.export import export_parts, save_tokenizer
from dsn_nlp.modelling.finetune import Collator, Recipe, Trained, finetune
from dsn_nlp.modelling.network import Read
from dsn_nlp.modelling.ngrams import fit_ngrams
from dsn_nlp.modelling.quantize import quantize
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.weights import sha256_of

_UNFITTED = Calibration(
    complaint_weights=[(1.0, 0.0)] * 5,
    complaint_biases=[0.0] * 5,
    sentiment_weights=[[float(i == j) for j in range(6)] for i in range(3)],
    sentiment_biases=[0.0] * 3,
)


@dataclass(frozen=True)
class Target:
    """Where a model goes and what it is called."""

    models: Path
    name: str
    version: str

    @property
    def folder(self) -> Path:
        """The model folder, ``<models>/<name>/<version>``."""
        return self.models / self.name / self.version


def build_model(
    corpus: Path,
    recipe: Recipe,
    work: Path,
    target: Target,
    *,
    resume: bool = False,
    lang: str | None = None,
) -> Manifest:
    """Train, export, calibrate and measure; write the model folder with manifest and card.

    :param corpus: folder of labelled JSONL.
    :param work: folder for checkpoints and the float network.
    :param lang: train and measure on the passages of this language only, for a French CamemBERT.
    :raises CorpusError: when the corpus is malformed.
    :raises TrainingError: when the base is missing or the target exists already.
    """
    if target.folder.exists():
        raise TrainingError(f"{target.folder}: exists already; choose another --model-version")
    splits = split_corpus(corpus)
    if lang is not None:
        splits = {name: [e for e in rows if e.lang == lang] for name, rows in splits.items()}
    for name in ("train", "development", "test"):
        if not splits[name]:
            raise TrainingError(f"{corpus}: the {name} split is empty; the corpus is too small")
    work.mkdir(parents=True, exist_ok=True)
    trained = finetune(splits, recipe, work, resume=resume)
    return assemble(trained, splits, recipe, work, target)


def assemble(
    trained: Trained,
    splits: dict[Split, list[Example]],
    recipe: Recipe,
    work: Path,
    target: Target,
) -> Manifest:
    """Turn a fine-tuned network into a measured model folder."""
    folder = target.folder
    folder.mkdir(parents=True)
    if trained.network.exits:
        align(trained, splits["development"])
    for path in export_parts(trained.network, work):
        quantize(path, folder / path.name.replace(".float", ""))
    save_tokenizer(trained.tokenizer, folder / files.TOKENIZER)
    fit_ngrams(splits["train"]).save(folder / files.NGRAMS)
    manifest = _first_manifest(trained, splits, recipe, target)
    files.write_manifest(folder, manifest)
    manifest = _calibrated(manifest, Classifier.load(folder), splits["development"])
    files.write_manifest(folder, manifest)
    classifier = Classifier.load(folder)
    told = predict(classifier, splits["test"])
    measured = _measure(classifier, trained, splits, told)
    profile_of(splits["test"], told).save(folder / files.PROFILE)
    listed = manifest.files | {files.PROFILE: sha256_of(folder / files.PROFILE)}
    manifest = manifest.model_copy(update={"measured": measured, "files": listed})
    files.write_manifest(folder, manifest)
    (folder / files.CARD).write_text(write_card(manifest), encoding="utf-8")
    return manifest


def _first_manifest(
    trained: Trained, splits: dict[Split, list[Example]], recipe: Recipe, target: Target
) -> Manifest:
    record = trained.record
    return Manifest(
        format=files.FORMAT,
        name=target.name,
        version=target.version,
        base=_name_of(recipe.base),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complaints=COMPLAINTS,
        sentiments=SENTIMENTS,
        thresholds=dict.fromkeys(COMPLAINTS, 0.5),
        review_risk=1.0,
        calibration=_UNFITTED,
        exits=trained.network.exits,
        max_tokens=int(record["recipe"]["max_tokens"]),
        activations="token",
        corpus={
            name: {"passages": len(rows), "digest": digest(rows)} for name, rows in splits.items()
        },
        training={**record, "family": trained.network.encoder.config.model_type},
        measured={},
        files={
            name: sha256_of(target.folder / name)
            for name in (*files.FILES, *map(files.part_name, trained.network.exits))
        },
    )


def _name_of(base: str) -> str:
    """What a base calls itself: its origin file, a hub id, or its folder's name."""
    origin = Path(base) / ORIGIN_FILE
    if origin.is_file():
        return origin.read_text(encoding="utf-8").strip()
    return Path(base).name if Path(base).exists() else base


def _calibrated(manifest: Manifest, classifier: Classifier, development: list[Example]) -> Manifest:
    texts = [e.text for e in development]
    ngrams, readings = classifier.ngram_logits(texts), classifier.readings(texts)
    fit = fitting.fit_calibration(readings[-1], ngrams, development)
    fitted = manifest.model_copy(update={"calibration": fit})
    parts = [calibrate(fit, network, ngrams) for network in readings]
    thresholds = fitting.fit_thresholds(parts[-1].complaints, development)
    limits = np.array([thresholds[c] for c in COMPLAINTS], np.float32)
    return fitted.model_copy(
        update={
            "thresholds": thresholds,
            "review_risk": fitting.fit_review_risk(parts[-1].risk),
            "exit_risk": fit_exit_risk(parts, limits, development),
        }
    )


def _measure(
    classifier: Classifier,
    trained: Trained,
    splits: dict[Split, list[Example]],
    told: Predictions,
) -> dict[str, Any]:
    report: Report = measure(splits["test"], told)
    exact = measure(splits["test"], _float_predictions(classifier, trained, splits["test"]))
    return {
        "test": report,
        "development": measure(splits["development"], predict(classifier, splits["development"])),
        "float_network": {
            "int8": [report["macro_f1"], report["sentiment_macro_f1"]],
            "float": [exact["macro_f1"], exact["sentiment_macro_f1"]],
        },
        "told_by_part": _told_by_part(classifier, splits["test"]),
    }


def profile_of(test: list[Example], told: Predictions) -> ErrorProfile:
    """Keep what a model scored on the test split as its error profile."""
    scores = told.scores
    assert scores is not None  # a classifier's predictions carry them
    return ErrorProfile(
        complaint_scores=scores.complaints,
        sentiment_scores=scores.sentiment,
        complaints=complaint_matrix(test).astype(np.uint8),
        sentiment=sentiment_vector(test).astype(np.uint8),
        groups=similarity_groups(test).astype(np.int32),
        french=np.array([e.lang == "fr" for e in test], np.uint8),
        news=np.array([e.kind == "news" for e in test], np.uint8),
    )


def _float_predictions(
    classifier: Classifier, trained: Trained, examples: list[Example]
) -> Predictions:
    """Predict with the float network in place of the int8 one, all else equal."""
    texts = [e.text for e in examples]
    logits = torch_logits(trained, texts, classifier.manifest.max_tokens)
    scores = calibrate(classifier.manifest.calibration, logits, classifier.ngram_logits(texts))
    return Predictions(classifier.decide(scores), scores.sentiment.argmax(axis=1), scores)


def torch_logits(trained: Trained, texts: list[str], max_tokens: int) -> npt.NDArray[np.float32]:
    """Logits of the float network, shape ``(n, 8)``."""
    return np.asarray(torch_readings(trained, texts, max_tokens)[-1])


def torch_readings(trained: Trained, texts: list[str], max_tokens: int) -> npt.NDArray[np.float32]:
    """Logits of the float network after each early reading and at its end, ``(parts, n, 8)``."""
    collate, network = Collator(trained.tokenizer), trained.network.float().eval()
    found = []
    with torch.no_grad():
        for begin in range(0, len(texts), 32):
            batch = trained.tokenizer(
                texts[begin : begin + 32], truncation=True, max_length=max_tokens
            )
            read: Read = network.read(*collate.pad_ids(batch["input_ids"]))
            found.append(torch.stack([*read.early, read.logits]).numpy())
    return np.asarray(np.concatenate(found, axis=1))


def align(trained: Trained, development: list[Example]) -> None:
    """Bring the early readings to the scale of the last one, on development."""
    tokens = int(trained.record["recipe"]["max_tokens"])
    *early, last = torch_readings(trained, [e.text for e in development], tokens)
    align_exits(trained.network, early, last)


def _told_by_part(classifier: Classifier, examples: list[Example]) -> list[float]:
    """Share of passages that each part of the network tells."""
    depths = classifier.depths([e.text for e in examples])
    counts = np.bincount(depths, minlength=len(classifier.manifest.parts) + 1)[1:]
    return [round(float(share), 4) for share in counts / max(1, len(depths))]


def describe(manifest: Manifest) -> str:
    """One line: identity and test figures."""
    test = manifest.measured["test"]
    return (
        f"{manifest.model}: complaints macro-F1 {test['macro_f1']:.3f}, "
        f"sentiment macro-F1 {test['sentiment_macro_f1']:.3f} on {test['passages']} test passages"
    )
