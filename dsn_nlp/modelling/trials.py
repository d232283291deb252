"""What helps and what does not: one change of the recipe at a time, measured on development.

``python -m dsn_nlp.modelling.trials`` runs what is missing from ``models/trials.json`` and prints
the table. Each trial fine-tunes the base on the same passages of ``train`` for the same epochs;
the test split is never read. The stack with n-grams is fitted on one half of development and
measured on the other, both ways round.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.label.classifier import calibrate
from dsn_nlp.modelling import calibrate as fitting
from dsn_nlp.modelling.build import torch_logits
from dsn_nlp.modelling.corpus import (
    Example,
    Split,
    complaint_matrix,
    digest,
    sentiment_vector,
    similarity_groups,
    split_corpus,
)
from dsn_nlp.modelling.finetune import Recipe, Trained, finetune, write_scores
from dsn_nlp.modelling.metrics import macro_f1
from dsn_nlp.modelling.ngrams import fit_ngrams
from dsn_nlp.records import COMPLAINTS

FloatArray = npt.NDArray[np.float32]
RESULTS = Path("models/trials.json")
CUT = len(COMPLAINTS)


def _of(**changes: Any) -> Callable[[Recipe], Recipe]:
    shape = {k: v for k, v in changes.items() if k in Recipe.__dataclass_fields__}
    goal = {k: v for k, v in changes.items() if k not in shape}
    return lambda recipe: replace(recipe, **shape, objective=replace(recipe.objective, **goal))


TRIALS: dict[str, Callable[[Recipe], Recipe]] = {
    "recipe": _of(),
    "recipe, seed 18": _of(seed=18),
    "recipe, seed 19": _of(seed=19),
    "R-Drop": _of(agreement=0.5),
    "adversarial embeddings": _of(attack=0.5),
    "contrastive loss beside": _of(contrast=0.1),
    "class weights": _of(loss="weighted"),
    "asymmetric loss": _of(loss="asymmetric"),
    "mean pooling alone": _of(pooling="mean"),
    "label-wise attention alone": _of(pooling="attention"),
    "queries from label descriptions": _of(described=True),
    "one rate for all layers": _of(layer_decay=1.0),
    "six layers of twelve": _of(layers=6),
}
SEEDS = tuple(TRIALS)[:3]
SPECIAL = (
    "mean of three seeds",
    "three seeds distilled into one",
    "masked-language pre-training first",
    "contrastive stage first",
)
# Enough to see a collapse; the figures come from the whole of development, once, at the end.
WATCHED = 200


def sample(examples: Sequence[Example], size: int, seed: int = 5) -> list[Example]:
    """Draw whole similarity groups until there are ``size`` passages."""
    groups = similarity_groups(examples)
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    chosen: list[int] = []
    for group in order:
        if len(chosen) >= size:
            break
        chosen.extend(np.flatnonzero(groups == group).tolist())
    return [examples[i] for i in sorted(chosen)]


def measure_logits(
    network: FloatArray, ngrams: FloatArray, development: Sequence[Example]
) -> dict[str, list[float]]:
    """Macro-F1 (complaints, sentiment) of the network alone and of the stack.

    :param network: logits ``(n, 8)``.
    :param ngrams: logits ``(n, 8)``.
    """
    gold, moods = complaint_matrix(development), np.eye(3)[sentiment_vector(development)]
    told, mood = network[:, :CUT] > 0, np.eye(3)[network[:, CUT:].argmax(1)]
    alone = [round(macro_f1(gold, told), 4), round(macro_f1(moods, mood), 4)]
    told, mood = _stacked(network, ngrams, development)
    both = [round(macro_f1(gold, told), 4), round(macro_f1(moods, mood), 4)]
    return {"network": alone, "stack": both}


def _stacked(
    network: FloatArray, ngrams: FloatArray, development: Sequence[Example]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    told, mood = np.zeros((len(development), CUT), bool), np.zeros((len(development), 3))
    halves = similarity_groups(development) % 2 == 0
    for fit, read in ((halves, ~halves), (~halves, halves)):
        known = [e for e, yes in zip(development, fit, strict=True) if yes]
        fitted = fitting.fit_calibration(network[fit], ngrams[fit], known)
        scores = calibrate(fitted, network[fit], ngrams[fit])
        limits = fitting.fit_thresholds(scores.complaints, known)
        scores = calibrate(fitted, network[read], ngrams[read])
        told[read] = scores.complaints >= np.array([limits[c] for c in COMPLAINTS])
        mood[read] = np.eye(3)[scores.sentiment.argmax(1)]
    return told, mood


class Bench:
    """Runs trials on one sample and keeps their logits for the ensembles.

    :param work: where logits and scratch folders go.
    """

    def __init__(self, splits: dict[Split, list[Example]], recipe: Recipe, work: Path) -> None:
        self.splits, self.recipe, self.work = splits, recipe, work
        self.texts = [e.text for e in splits["development"]]
        self.ngrams = fit_ngrams(splits["train"]).logits(self.texts)
        work.mkdir(parents=True, exist_ok=True)

    def run(self, name: str) -> dict[str, Any]:
        """Run one trial by name."""
        started = time.monotonic()
        if name == "mean of three seeds":
            logits = np.mean([self.logits(seed) for seed in SEEDS], axis=0)
        else:
            logits = self.logits(name)
        found = measure_logits(logits, self.ngrams, self.splits["development"])
        return found | {"seconds": round(time.monotonic() - started)}

    def logits(self, name: str) -> FloatArray:
        """Development logits ``(n, 8)`` of a trial, from the last run when there is one."""
        kept = self._kept(name)
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=self.work) as folder:
                trained = self._train(name, Path(folder))
                tokens = int(trained.record["recipe"]["max_tokens"])
                np.save(kept, torch_logits(trained, self.texts, tokens))
                if name in SEEDS:
                    train = [e.text for e in self.splits["train"]]
                    np.save(self._kept(name, "train"), torch_logits(trained, train, tokens))
        return np.asarray(np.load(kept), np.float32)

    def _kept(self, name: str, part: str = "development") -> Path:
        return self.work / f"{name.replace(' ', '-').replace(',', '')}.{part}.npy"

    def _train(self, name: str, folder: Path) -> Trained:
        recipe = TRIALS[name](self.recipe) if name in TRIALS else self._special(name, folder)
        watched = {**self.splits, "development": self.splits["development"][:WATCHED]}
        return finetune(watched, recipe, folder / "run")

    def _special(self, name: str, folder: Path) -> Recipe:
        from dsn_nlp.modelling.pretrain import contrast_base, pretrain_base

        texts = [e.text for e in self.splits["train"]]
        base = folder / "base"
        if name.startswith("masked"):
            pretrain_base(self.recipe.base, texts, base)
        elif name.startswith("contrastive"):
            contrast_base(self.splits, self.recipe, folder / "contrast", base)
        else:
            return self._distilled(folder)
        return replace(self.recipe, base=str(base))

    def _distilled(self, folder: Path) -> Recipe:
        for seed in SEEDS:
            self.logits(seed)
        told = np.mean([np.load(self._kept(s, "train")) for s in SEEDS], axis=0)
        sentiment = np.exp(told[:, CUT:] - told[:, CUT:].max(1, keepdims=True))
        scores = np.hstack(
            [1 / (1 + np.exp(-told[:, :CUT])), sentiment / sentiment.sum(1, keepdims=True)]
        )
        write_scores(folder / "teacher.json", self.splits["train"], scores)
        recipe = replace(self.recipe, teacher=str(folder / "teacher.json"))
        return replace(recipe, objective=replace(recipe.objective, teaching=0.5))


def table(results: dict[str, Any]) -> str:
    """Format results as a Markdown table, each beside its difference from the recipe."""
    rows, plain = results["trials"], results["trials"].get("recipe")
    lines = ["| change | network alone | with n-grams | against the recipe |", "| - | - | - | - |"]
    for name, row in rows.items():
        (a, b), (c, d) = row["network"], row["stack"]
        gap = sum(row["stack"]) / 2 - sum(plain["stack"]) / 2 if plain else 0.0
        lines.append(f"| {name} | {a:.3f} / {b:.3f} | {c:.3f} / {d:.3f} | {gap:+.3f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the trials that have no result yet, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m dsn_nlp.modelling.trials")
    parser.add_argument("--corpus", type=Path, default=Path("corpora/labelled"))
    parser.add_argument("--base", default="work/base")
    parser.add_argument("--work", type=Path, default=Path("work/trials"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--passages", type=int, default=4000)
    parser.add_argument("--epochs", type=float, default=6.0)
    parser.add_argument("--only", nargs="*", help="names of trials")
    parser.add_argument("--table", action="store_true", help="print the results there are")
    asked = parser.parse_args(arguments)
    if asked.table:
        print(table(json.loads(asked.results.read_text(encoding="utf-8"))))
        return
    splits = split_corpus(asked.corpus)
    splits = {**splits, "train": sample(splits["train"], asked.passages), "test": []}
    bench = Bench(splits, Recipe(base=asked.base, epochs=asked.epochs), asked.work)
    for name in asked.only or [*TRIALS, *SPECIAL]:
        results = _read(asked.results, splits, asked.epochs)
        if name not in results["trials"]:
            found = bench.run(name)
            results = _read(asked.results, splits, asked.epochs)
            results["trials"][name] = found
            text = json.dumps(results, indent=1, ensure_ascii=False)
            asked.results.write_text(text + "\n", encoding="utf-8")
    print(table(_read(asked.results, splits, asked.epochs)))


def _read(path: Path, splits: dict[Split, list[Example]], epochs: float) -> dict[str, Any]:
    """Results so far; of other data or epochs, none."""
    setting = {
        "train": [len(splits["train"]), digest(splits["train"])],
        "development": [len(splits["development"]), digest(splits["development"])],
        "epochs": epochs,
    }
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept["setting"] == setting:
            return kept
    return {"setting": setting, "trials": {}}


if __name__ == "__main__":
    main()
