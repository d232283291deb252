"""The retraining loop: corpus and reviewed labels in, a better serving model out, or none."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.build import Target, build_model
from dsn_nlp.modelling.corpus import SPLIT_FILE, Example, split_corpus
from dsn_nlp.modelling.finetune import Recipe
from dsn_nlp.modelling.promote import Verdict, promote
from dsn_nlp.review.labels import Reviewed

REVIEWED = "reviewed.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What a retraining came to.

    :ivar reference: ``<name>/<version>`` of the candidate, which stays on disk either way.
    :ivar reviewed: how many reviewed passages were trained on.
    """

    reference: str
    reviewed: int
    verdict: Verdict


def retrain(
    corpus: Path,
    reviewed: Iterable[Example],
    recipe: Recipe,
    work: Path,
    target: Target,
    *,
    resume: bool = False,
) -> Outcome:
    """Train on corpus and reviewed labels, evaluate on the frozen test, promote if better.

    Development and test stay as committed. A reviewed passage that resembles one of theirs is
    left out of training, as the split rule has it.

    :param work: takes the grown corpus, checkpoints and the float network.
    :raises TrainingError: when the target exists already, or the base is missing.
    :raises CorpusError: when the corpus is malformed or unsplit.
    """
    grown = work / "corpus"
    used = grow(corpus, reviewed, grown)
    build_model(grown, recipe, work / "train", target, resume=resume)
    reference = f"{target.name}/{target.version}"
    return Outcome(reference, used, promote(target.models, reference, corpus))


def as_example(passage: Reviewed) -> Example:
    """Turn a reviewed passage of the store into a corpus example."""
    return Example(
        f"review-{passage.passage_id}", passage.lang, passage.kind, passage.text,
        passage.complaints, passage.sentiment, REVIEWED,
    )  # fmt: skip


def grow(corpus: Path, reviewed: Iterable[Example], folder: Path) -> int:
    """Copy a corpus with its splits and add reviewed passages; returns how many train.

    :raises TrainingError: when the corpus has no committed splits to keep.
    """
    if not (corpus / SPLIT_FILE).is_file():
        raise TrainingError(f"{corpus}: has no {SPLIT_FILE}; split it once with 'dsn-nlp train'")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in (*corpus.glob("*.jsonl"), corpus / SPLIT_FILE):
        shutil.copy(path, folder / path.name)
    rows = [_row(example) for example in reviewed]
    if rows:
        (folder / REVIEWED).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return sum(e.file == REVIEWED for e in split_corpus(folder)["train"])


def _row(example: Example) -> str:
    return json.dumps(
        {
            "id": example.example_id, "lang": example.lang, "kind": example.kind,
            "text": example.text, "complaints": list(example.complaints),
            "sentiment": example.sentiment,
        },
        ensure_ascii=False,
    )  # fmt: skip
