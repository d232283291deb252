"""Fine-tuning with transformers' Trainer: resumable, seeded, stopped early on development."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from datasets import Dataset
from pydantic import BeforeValidator, TypeAdapter, ValidationError
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.corpus import Example, Split, complaint_matrix, digest, sentiment_vector
from dsn_nlp.modelling.losses import Objective
from dsn_nlp.modelling.metrics import macro_f1
from dsn_nlp.modelling.network import (
    LabelNetwork,
    describe_queries,
    keep_layers,
    load_base,
    load_network,
    positions_of,
    save_network,
)
from dsn_nlp.modelling.reading import Pooling
from dsn_nlp.modelling.trainer import LabelTrainer
from dsn_nlp.records import COMPLAINTS

# What each label means, in both languages, shortened from the annotation guideline.
DEFINITIONS = (
    "pas formés, formation insuffisante; not trained, not taught how",
    "confidentialité, accès non autorisé; privacy, anyone can see the record",
    "trop de clics, de formulaires, de temps; more clicks, paperwork, double entry",
    "panne, lenteur, bogue; outage, slow, crash, bug, cannot log in",
    "soins retardés, erreur de médicament; care delayed, unsafe, patient harmed",
    "mécontent, problème, critique; problem, dissatisfied, criticism",
    "un fait, une question, un plan; a fact, a question, a plan",
    "satisfait, amélioration, soulagement; satisfied, better, relief",
)


def _numbers(value: object) -> object:
    """Numbers of a setting on the command line, ``4,8``."""
    return [n for n in value.split(",") if n] if isinstance(value, str) else value


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune; the defaults are what served best on the development split.

    ``start`` names a ``network.safetensors`` fine-tuned before from the same base, or a model
    folder, whose int8 weights are read: when a corpus has grown, a few more epochs from there
    reach what all epochs from the base would. Several, separated by commas, start from their
    mean (a model soup: Wortsman et al. 2022, arXiv 2203.05482). With no epochs the start itself
    is packaged.

    :ivar rate: learning rate of the heads; a layer's is ``layer_decay`` times that above it.
    :ivar described: start the label queries from the guideline's definitions.
    :ivar layers: keep so many layers of the base; ``None`` keeps all.
    :ivar exits: layers after which an easy passage may be told already: ``--set exits=4,8``.
    :ivar fresh: ids that begin so are all trained on …
    :ivar replay: … and of the other passages, which the start has seen, this share: another draw
        for each seed, against forgetting (Robins 1995, doi 10.1080/09540099550039318).
    :ivar teacher: file of a teacher's scores (:func:`write_scores`), for ``objective.teaching``.
    """

    base: str
    epochs: float = 8.0
    batch: int = 16
    rate: float = 1.5e-4
    layer_decay: float = 0.95
    warmup: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    max_tokens: int = 160
    patience: int = 3
    seed: int = 17
    start: str | None = None
    bfloat16: bool = True
    pooling: Pooling = "both"
    described: bool = False
    layers: int | None = None
    exits: Annotated[tuple[int, ...], BeforeValidator(_numbers)] = ()
    fresh: str = ""
    replay: float = 1.0
    teacher: str | None = None
    objective: Objective = field(default_factory=Objective)


def changed(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Change a recipe by ``key=value`` settings, those of its objective included.

    :raises TrainingError: when a key is unknown or a value is not of its type.
    """
    shape, goal = TypeAdapter(Recipe), TypeAdapter(Objective)
    own, aims = asdict(recipe), asdict(recipe.objective)
    for setting in settings:
        key, _, value = setting.partition("=")
        known = aims if key in aims else own
        if key not in known or key == "objective":
            names = ", ".join(k for k in (*own, *aims) if k != "objective")
            raise TrainingError(f"--set {setting}: no such choice; there are {names}")
        known[key] = value
    try:
        return shape.validate_python(own | {"objective": goal.validate_python(aims)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise TrainingError(f"--set {first['loc'][0]}: {first['msg']}") from None


@dataclass(frozen=True)
class Trained:
    """A fine-tuned network with its tokenizer and the record of the run."""

    network: LabelNetwork
    tokenizer: Any
    record: dict[str, Any]


def finetune(
    splits: dict[Split, list[Example]], recipe: Recipe, folder: Path, *, resume: bool = False
) -> Trained:
    """Fine-tune on ``train``, keep the epoch that is best on ``development``.

    :param folder: checkpoints and the run record go here.
    :param resume: go on from the last checkpoint in ``folder``, if there is one.
    :raises TrainingError: when the base cannot be loaded.
    """
    set_seed(recipe.seed, deterministic=True)
    splits = {**splits, "train": replayed(splits["train"], recipe)}
    encoder, tokenizer = load_base(recipe.base)
    recipe = replace(recipe, max_tokens=min(recipe.max_tokens, positions_of(encoder)))
    network = _network(encoder, tokenizer, recipe)
    started = time.monotonic()
    trainer = _trainer(network, tokenizer, splits, recipe, folder)
    checkpoint = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
    if recipe.epochs > 0:
        trainer.train(resume_from_checkpoint=checkpoint)
    network.eval()
    record = _record(trainer, splits, recipe, time.monotonic() - started)
    save_network(network, folder)
    (folder / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for path in folder.glob("checkpoint-*"):
        shutil.rmtree(path)
    return Trained(network, tokenizer, record)


def _network(encoder: torch.nn.Module, tokenizer: Any, recipe: Recipe) -> LabelNetwork:
    if recipe.layers is not None:
        keep_layers(encoder, recipe.layers)
    smoothing = recipe.objective.smoothing
    network = LabelNetwork(encoder, recipe.dropout, smoothing, recipe.pooling, recipe.exits)
    if recipe.start:
        load_network(network, *map(Path, recipe.start.split(",")))
    if recipe.described:
        describe_queries(network, tokenizer, DEFINITIONS)
    return network


def replayed(train: Sequence[Example], recipe: Recipe) -> list[Example]:
    """Keep what is fresh and a share of the rest, drawn by the recipe's seed."""
    draws = np.random.default_rng(recipe.seed).random(len(train))
    return [
        example
        for example, draw in zip(train, draws, strict=True)
        if draw < recipe.replay or (recipe.fresh and example.example_id.startswith(recipe.fresh))
    ]


def encode(examples: Sequence[Example], tokenizer: Any, max_tokens: int) -> Dataset:
    """Turn examples into a dataset of token ids and gold arrays."""
    rows = Dataset.from_dict(
        {
            "text": [e.text for e in examples],
            "complaints": complaint_matrix(examples),
            "sentiment": sentiment_vector(examples),
        }
    )

    def tokenize(batch: dict[str, list[str]]) -> dict[str, Any]:
        tokens = tokenizer(batch["text"], truncation=True, max_length=max_tokens)
        return {"input_ids": tokens["input_ids"], "length": [len(i) for i in tokens["input_ids"]]}

    return rows.map(tokenize, batched=True, remove_columns=["text"])


def _trainer(
    network: LabelNetwork,
    tokenizer: Any,
    splits: dict[Split, list[Example]],
    recipe: Recipe,
    folder: Path,
) -> Trainer:
    train = encode(splits["train"], tokenizer, recipe.max_tokens)
    if recipe.teacher:
        train = train.add_column("teacher", read_scores(recipe.teacher, splits["train"]))
    development = encode(splits["development"], tokenizer, recipe.max_tokens)
    steps = int(np.ceil(len(train) / recipe.batch) * recipe.epochs)
    arguments = TrainingArguments(
        output_dir=str(folder), use_cpu=not torch.cuda.is_available(), bf16=recipe.bfloat16,
        per_device_train_batch_size=recipe.batch, per_device_eval_batch_size=64,
        num_train_epochs=recipe.epochs, learning_rate=recipe.rate, weight_decay=0.0,
        warmup_steps=int(recipe.warmup * steps), lr_scheduler_type="linear",
        train_sampling_strategy="group_by_length", length_column_name="length",
        eval_strategy="epoch", save_strategy="epoch", save_total_limit=2,
        load_best_model_at_end=True, metric_for_best_model="macro_f1", greater_is_better=True,
        label_names=["complaints", "sentiment"], remove_unused_columns=False,
        logging_steps=100, report_to=_trackers(), seed=recipe.seed, data_seed=recipe.seed,
        dataloader_pin_memory=False,
    )  # fmt: skip
    return LabelTrainer(
        recipe.objective, model=network, args=arguments, train_dataset=train,
        eval_dataset=development, data_collator=Collator(tokenizer), compute_metrics=_metrics,
        optimizers=(torch.optim.AdamW(_groups(network, recipe), fused=True), None),
        callbacks=[EarlyStoppingCallback(recipe.patience)],
    )  # fmt: skip


def _trackers() -> list[str]:
    """MLflow keeps the run too, where it is installed."""
    from importlib.util import find_spec

    return ["mlflow"] if find_spec("mlflow") else []


class Collator:
    """Pads a batch to its longest passage."""

    def __init__(self, tokenizer: Any) -> None:
        self.pad = int(tokenizer.pad_token_id)

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Stack rows into ``(n, tokens)`` ids and mask, and gold arrays."""
        ids, mask = self.pad_ids([row["input_ids"] for row in rows])
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "complaints": torch.tensor([row["complaints"] for row in rows]),
            "sentiment": torch.tensor([row["sentiment"] for row in rows]),
        }
        if "teacher" in rows[0]:
            batch["teacher"] = torch.tensor([row["teacher"] for row in rows])
        return batch

    def pad_ids(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Pad token ids on the right; returns ids and mask, each ``(n, tokens)``."""
        ids = torch.full((len(rows), max(map(len, rows))), self.pad)
        mask = torch.zeros_like(ids)
        for index, tokens in enumerate(rows):
            ids[index, : len(tokens)] = torch.tensor(tokens)
            mask[index, : len(tokens)] = 1
        return ids, mask


def write_scores(path: Path, examples: Sequence[Example], scores: np.ndarray) -> None:
    """Write a teacher's scores ``(n, 8)`` of examples, for :func:`read_scores`."""
    told = {e.example_id: row for e, row in zip(examples, scores.round(4).tolist(), strict=True)}
    path.write_text(json.dumps(told), encoding="utf-8")


def read_scores(path: str, examples: Sequence[Example]) -> list[list[float]]:
    """Read a teacher's scores of these examples, in their order.

    :raises TrainingError: when the file is missing or lacks an example.
    """
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        return [told[e.example_id] for e in examples]
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{path}: not a teacher's scores of this corpus ({type(error).__name__})"
        ) from None


def _groups(network: LabelNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    """Layer-wise learning rates: the nearer to the input, the slower; heads at full speed."""
    layers = int(network.encoder.config.num_hidden_layers)
    groups = []
    for name, parameter in network.named_parameters():
        depth = layers + 1
        if name.startswith("encoder.embeddings"):
            depth = 0
        elif ".layer." in name:
            depth = int(name.split(".layer.")[1].split(".")[0]) + 1
        decay = 0.0 if parameter.ndim < 2 else recipe.weight_decay
        rate = recipe.rate * recipe.layer_decay ** (layers + 1 - depth)
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return groups


def _metrics(prediction: Any) -> dict[str, float]:
    complaints, sentiment = prediction.label_ids
    logits = prediction.predictions
    cut = len(COMPLAINTS)
    first = macro_f1(complaints, logits[:, :cut] > 0)
    second = macro_f1(np.eye(3)[sentiment], np.eye(3)[logits[:, cut:].argmax(1)])
    return {"macro_f1": (first + second) / 2, "complaints_f1": first, "sentiment_f1": second}


def _record(
    trainer: Trainer, splits: dict[Split, list[Example]], recipe: Recipe, seconds: float
) -> dict[str, Any]:
    history = [row for row in trainer.state.log_history if "eval_macro_f1" in row]
    return {
        "recipe": asdict(recipe),
        "seconds": round(seconds),
        "examples": {name: len(rows) for name, rows in splits.items()},
        "digests": {name: digest(rows) for name, rows in splits.items()},
        "epochs": [{k: round(float(v), 4) for k, v in row.items()} for row in history],
        "best": trainer.state.best_metric,
    }
