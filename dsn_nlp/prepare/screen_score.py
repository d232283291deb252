"""Scores of relevance on labelled titles with leads, and on whole articles, by split and language.

``python -m dsn_nlp.prepare.screen_score [--split test] [--errors]``
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsn_nlp.errors import CorpusError
from dsn_nlp.prepare.screen import THRESHOLD, screen

CORPUS = Path(__file__).parents[2] / "corpora" / "relevance" / "titles.jsonl"
ARTICLES = CORPUS.with_name("articles.jsonl")


@dataclass(frozen=True, slots=True)
class Measure:
    """Counts of right and wrong answers; shares are in [0, 1]."""

    found: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of what was told that is right; 1 when nothing was."""
        told = self.found + self.wrong
        return self.found / told if told else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 1 when nothing is."""
        there = self.found + self.missed
        return self.found / there if there else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def line(self, name: str) -> str:
        """One row of a table."""
        return (
            f"| {name} | {self.found + self.missed} | {self.precision:.3f} "
            f"| {self.recall:.3f} | {self.f1:.3f} |"
        )


HEAD = "| part | there | precision | recall | F1 |\n| --- | ---: | ---: | ---: | ---: |"


def read_rows(path: Path, split: str) -> list[dict[str, Any]]:
    """Read the labelled rows of a split.

    :raises CorpusError: when the file is missing, or a row is not JSON with a split.
    """
    rows = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            row = json.loads(line)
            if row["split"] == split:
                rows.append(row | {"place": f"{path.name}:{number}"})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{path}: not labelled rows ({type(error).__name__})") from None
    if not rows:
        raise CorpusError(f"{path}: no row of split '{split}'")
    return rows


def measure(rows: list[dict[str, Any]], threshold: float = THRESHOLD) -> Measure:
    """Count how many relevant rows are kept."""
    told = [(r["relevant"], screen(r["title"], _body(r), threshold).relevant) for r in rows]
    return Measure(
        found=sum(gold and kept for gold, kept in told),
        wrong=sum(kept and not gold for gold, kept in told),
        missed=sum(gold and not kept for gold, kept in told),
    )


def _body(row: dict[str, Any]) -> str:
    """A whole article, or the lead of one."""
    return str(row["text"] if "text" in row else row["lead"])


def main(arguments: list[str] | None = None) -> None:
    """Print a table of precision and recall for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="test", choices=("train", "development", "test"))
    parser.add_argument("--errors", action="store_true", help="show rows told wrongly")
    options = parser.parse_args(arguments)
    _print("titles with leads", read_rows(CORPUS, options.split), options)
    if options.split != "train":
        print()
        _print("whole articles", read_rows(ARTICLES, options.split), options)


def _print(what: str, rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    print(f"relevance, {options.split}: {len(rows)} {what}\n\n{HEAD}")
    print(measure(rows).line("all"))
    for lang in ("fr", "en"):
        print(measure([r for r in rows if r["lang"] == lang]).line(lang))
    print("\nkept of what should be dropped, by topic:")
    for topic in sorted({r["topic"] for r in rows if not r["relevant"]}):
        some = [r for r in rows if r["topic"] == topic]
        print(f"  {topic}: {measure(some).wrong} of {len(some)}")
    for row in rows if options.errors else ():
        said = screen(row["title"], _body(row))
        if said.relevant != row["relevant"]:
            print(f"{row['id']} {row['relevant']} {said.score:.2f} {said.reason}: {row['title']}"
                  f" | {_body(row)[:200]}")  # fmt: skip


if __name__ == "__main__":
    main()
