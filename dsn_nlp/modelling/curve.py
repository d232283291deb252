"""The learning curve: what more corpus brings, read on development.

``python -m dsn_nlp.modelling.curve`` fits the n-gram companion, which takes minutes where the
encoder takes hours, on growing parts of ``train`` (whole similarity groups).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsn_nlp.modelling.corpus import Example, similarity_groups, split_corpus
from dsn_nlp.modelling.evaluate import Predictions, measure
from dsn_nlp.modelling.ngrams import fit_ngrams
from dsn_nlp.records import COMPLAINTS

SHARES = (0.125, 0.25, 0.5, 1.0)
CUT = len(COMPLAINTS)


def learning_curve(
    train: Sequence[Example], development: Sequence[Example], seed: int = 5
) -> list[tuple[int, float, float]]:
    """Measure n-gram models on growing parts: passages, complaints F1, sentiment F1."""
    groups = similarity_groups(train)
    place = np.random.default_rng(seed).permutation(len(train))
    order = np.argsort(place[groups], kind="stable")
    texts, points = [e.text for e in development], []
    for share in SHARES:
        known = [train[i] for i in order[: round(len(train) * share)]]
        logits = fit_ngrams(known).logits(texts)
        told = Predictions(logits[:, :CUT] > 0, logits[:, CUT:].argmax(axis=1))
        report = measure(development, told)
        points.append((len(known), report["macro_f1"], report["sentiment_macro_f1"]))
    return points


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the curve of the committed corpus."""
    parser = argparse.ArgumentParser(prog="python -m dsn_nlp.modelling.curve")
    parser.add_argument("--corpus", type=Path, default=Path("corpora/labelled"))
    asked = parser.parse_args(arguments)
    splits = split_corpus(asked.corpus)
    print("| passages | complaints | sentiment |\n| --- | --- | --- |")
    for size, complaints, sentiment in learning_curve(splits["train"], splits["development"]):
        print(f"| {size} | {complaints:.3f} | {sentiment:.3f} |")


if __name__ == "__main__":
    main()
