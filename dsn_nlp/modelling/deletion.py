"""The deletion test: do the words that ``explain`` names bear the label?

``python -m dsn_nlp.modelling.deletion`` takes the weightiest words out of development passages,
and as many random ones, and compares what the score loses (comprehensiveness, DeYoung et al.
2020, arXiv 1911.03429).
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.explain import NAMES, Evidence, explain, without
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.modelling.corpus import Example, split_corpus
from dsn_nlp.records import COMPLAINTS

DRAWS = 5


@dataclass(frozen=True)
class Deletion:
    """Mean loss of a told label's probability.

    :ivar cases: told labels tested.
    :ivar top: loss without the weightiest words.
    :ivar random: loss without as many words drawn at random.
    :ivar wins: share of cases in which the weightiest lose more than the random ones do.
    """

    cases: int
    top: float
    random: float
    wins: float


def deletion_test(
    classifier: Classifier,
    examples: Sequence[Example],
    words: int = 3,
    seed: int = 17,
    labels: Sequence[str] = COMPLAINTS,
) -> Deletion:
    """Test every told label among ``labels`` of passages with more than twice ``words`` words."""
    generator = np.random.default_rng(seed)
    top, random = [], []
    for example in examples:
        for evidence in explain(classifier, example.text):
            if evidence.label in labels and len(evidence.words) > 2 * words:
                lost = _losses(classifier, example.text, evidence, words, generator)
                top.append(lost[0])
                random.append(float(np.mean(lost[1:])))
    if not top:
        return Deletion(0, 0.0, 0.0, 0.0)
    wins = float(np.mean(np.array(top) > np.array(random)))
    return Deletion(len(top), float(np.mean(top)), float(np.mean(random)), wins)


def _losses(
    classifier: Classifier,
    text: str,
    evidence: Evidence,
    words: int,
    generator: np.random.Generator,
) -> list[float]:
    """Loss without the top words, then without each random draw."""
    spans = [(word.start, word.end) for word in evidence.words]
    draws = [generator.choice(len(spans), words, replace=False) for _ in range(DRAWS)]
    texts = [without(text, spans[:words])]
    texts += [without(text, [spans[i] for i in draw]) for draw in draws]
    scores = classifier.score(texts, deep=True)
    both = np.hstack([scores.complaints, scores.sentiment])[:, NAMES.index(evidence.label)]
    return [evidence.score - float(score) for score in both]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the deletion test of the serving model on development passages."""
    parser = argparse.ArgumentParser(prog="python -m dsn_nlp.modelling.deletion")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--corpus", type=Path, default=Path("corpora/labelled"))
    parser.add_argument("--passages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=17)
    asked = parser.parse_args(arguments)
    classifier = Classifier.load(serving_folder(asked.models))
    development = split_corpus(asked.corpus)["development"]
    order = np.random.default_rng(asked.seed).permutation(len(development))
    chosen = [development[i] for i in order[: asked.passages]]
    print(f"{classifier.model}, {len(chosen)} development passages, 3 words taken out")
    print("| told labels | cases | top words | random words | top wins |\n| - | - | - | - | - |")
    for name, labels in (("complaints", COMPLAINTS), ("sentiment", NAMES[len(COMPLAINTS) :])):
        found = deletion_test(classifier, chosen, seed=asked.seed, labels=labels)
        print(
            f"| {name} | {found.cases} | −{found.top:.3f} | −{found.random:.3f} "
            f"| {found.wins:.0%} |"
        )


if __name__ == "__main__":
    main()
