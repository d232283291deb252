"""Scores of links to establishments on labelled passages, by split.

``python -m dsn_nlp.prepare.sites_score [--split test] [--errors]``
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dsn_nlp.prepare.screen_score import HEAD, Measure, read_rows
from dsn_nlp.prepare.sites import link_sites

CORPUS = Path(__file__).parents[2] / "corpora" / "sites" / "passages.jsonl"


def told(row: dict[str, Any]) -> set[str]:
    """The official names linked in a row's text."""
    return {mention.site for mention in link_sites(row["text"], row["kind"])}


def measure(rows: Iterable[dict[str, Any]]) -> Measure:
    """Count right, wrong and missed sites, each once a passage."""
    pairs = [(set(row["sites"]), told(row)) for row in rows]
    return Measure(
        found=sum(len(gold & said) for gold, said in pairs),
        wrong=sum(len(said - gold) for gold, said in pairs),
        missed=sum(len(gold - said) for gold, said in pairs),
    )


def main(arguments: list[str] | None = None) -> None:
    """Print a table of precision and recall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="test", choices=("development", "test"))
    parser.add_argument("--errors", action="store_true", help="show passages told wrongly")
    options = parser.parse_args(arguments)
    rows = read_rows(CORPUS, options.split)
    print(f"sites, {options.split}: {len(rows)} passages\n\n{HEAD}")
    print(measure(rows).line("all"))
    for lang in ("fr", "en"):
        print(measure(r for r in rows if r["lang"] == lang).line(lang))
    print(measure(r for r in rows if r["kind"] == "comment").line("comments"))
    exact = sum(set(row["sites"]) == told(row) for row in rows)
    print(f"\npassages all right: {exact / len(rows):.3f}")
    for row in rows if options.errors else ():
        if set(row["sites"]) != told(row):
            print(f"{row['id']} {sorted(told(row))} for {row['sites']}: {row['text']}")


if __name__ == "__main__":
    main()
