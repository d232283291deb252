"""From tagged comments to the tagger's folder, in one call."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.base import ORIGIN_FILE
from dsn_nlp.modelling.export import save_tokenizer, trace
from dsn_nlp.modelling.quantize import quantize
from dsn_nlp.modelling.tagger import TaggerRecipe, TagNetwork, TrainedTagger, train_tagger
from dsn_nlp.modelling.tagger_card import write_tagger_card
from dsn_nlp.modelling.tagger_corpus import Sample, free_passages, sample_of
from dsn_nlp.modelling.tagger_limits import TARGETS, Limits, choose_limits, scores_of, see
from dsn_nlp.prepare import deid_folder as files
from dsn_nlp.prepare.deid_folder import TaggerManifest
from dsn_nlp.prepare.deid_score import Scores, Tagged, read_tagged
from dsn_nlp.prepare.deid_tagger import Tagger
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.weights import sha256_of

NAME = "dsn-deidentifier"
TRAINING_SPLITS = ("dev", "train")
# Passages without identifiers from which each epoch draws.
FREE = 4000


@dataclass(frozen=True)
class TaggerTarget:
    """Where a tagger goes, and which comments its thresholds are chosen on.

    :ivar hold: comments whose id begins so are left out of a first run, then read by it.
    """

    models: Path
    version: str
    hold: str = "tb-"

    @property
    def folder(self) -> Path:
        """The tagger's folder, ``<models>/dsn-deidentifier/<version>``."""
        return self.models / NAME / self.version


def build_tagger(
    corpus: Path, labelled: Path, recipe: TaggerRecipe, work: Path, target: TaggerTarget
) -> TaggerManifest:
    """Train twice, without and with the comments held out; the first run sets the thresholds.

    :param corpus: folder of tagged comments; the splits ``dev`` and ``train`` are trained on.
    :param labelled: folder of labelled passages, where those without identifiers come from.
    :param work: folder for checkpoints; a run that was broken off goes on from there.
    :raises CorpusError: when the corpus is malformed.
    :raises TrainingError: when the base is missing, the target exists or nothing is held out.
    """
    if target.folder.exists():
        raise TrainingError(f"{target.folder}: exists already; choose another --model-version")
    tagged = [e for split in TRAINING_SPLITS for e in read_tagged(split, corpus)]
    held = [e for e in tagged if e.example_id.startswith(target.hold)]
    if not held:
        raise TrainingError(f"{corpus}: no comment's id begins with '{target.hold}'")
    rest = [e for e in tagged if not e.example_id.startswith(target.hold)]
    free = free_passages(labelled, FREE, recipe.seed)
    first = train_tagger([sample_of(e) for e in rest], free, recipe, work / "held")
    limits, scores = limits_on(held, first, recipe, work)
    whole = train_tagger([sample_of(e) for e in tagged], free, recipe, work / "whole")
    return assemble_tagger(whole, recipe, limits, target, _told(tagged, held, free, scores))


def limits_on(
    held: Sequence[Tagged], trained: TrainedTagger, recipe: TaggerRecipe, work: Path
) -> tuple[Limits, dict[str, Scores]]:
    """Choose thresholds on comments that a network has not seen; also what they reach there."""
    wide = Limits(dict.fromkeys(TYPES, 0.5), 0.0)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        target = TaggerTarget(Path(folder), "0.0.0")
        assemble_tagger(trained, recipe, wide, target, {"corpus": {}, "measured": {}})
        seen = see(held, Tagger.load(target.folder, TYPES))
    limits = choose_limits(seen)
    return limits, scores_of(seen, limits)


def assemble_tagger(
    trained: TrainedTagger,
    recipe: TaggerRecipe,
    limits: Limits,
    target: TaggerTarget,
    told: dict[str, Any],
) -> TaggerManifest:
    """Export, quantize, and write the folder with manifest and card."""
    folder = target.folder
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        export_tagger(trained.network, Path(scratch) / "float.onnx")
        quantize(Path(scratch) / "float.onnx", folder / files.NETWORK)
    save_tokenizer(trained.tokenizer, folder / files.TOKENIZER)
    origin = Path(recipe.base) / ORIGIN_FILE
    manifest = TaggerManifest(
        format=files.FORMAT,
        name=NAME,
        version=target.version,
        base=origin.read_text("utf-8").strip() if origin.is_file() else Path(recipe.base).name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        types=TYPES,
        thresholds=limits.thresholds,
        doubts=limits.doubts,
        max_tokens=trained.record["recipe"]["max_tokens"],
        corpus=told["corpus"],
        training=_without_paths(trained.record),
        measured=told["measured"],
        files={name: sha256_of(folder / name) for name in files.FILES},
    )
    files.write_tagger_manifest(folder, manifest)
    (folder / files.CARD).write_text(write_tagger_card(manifest), encoding="utf-8")
    return manifest


def export_tagger(network: TagNetwork, path: Path) -> None:
    """Write the network as float32 ONNX with free batch and token axes.

    :raises TrainingError: when the network cannot be traced.
    """
    network = network.float().eval()
    trace(network, path, network.padding_id, {0: "texts", 1: "tokens"})


def _told(
    tagged: Sequence[Tagged],
    held: Sequence[Tagged],
    free: Sequence[Sample],
    scores: dict[str, Scores],
) -> dict[str, Any]:
    measures = (*TARGETS, "character_recall")
    return {
        "corpus": {"tagged": len(tagged), "held": len(held), "free": len(free)},
        "measured": {
            lang: {name: round(float(getattr(told, name)), 4) for name in measures}
            for lang, told in scores.items()
        },
    }


def _without_paths(record: dict[str, Any]) -> dict[str, Any]:
    recipe = {k: v for k, v in record["recipe"].items() if k != "base"}
    return {**record, "recipe": recipe}
