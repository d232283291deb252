"""Scores of voices on labelled passages: quotes found, and the role of who speaks.

``python -m dsn_nlp.prepare.voices_score [--split test] [--errors] [--short]``

A voice is found when it is of the same make (direct or reported) and overlaps the labelled quote
by at least half of their union, in characters.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dsn_nlp.prepare.screen_score import HEAD, Measure, read_rows
from dsn_nlp.prepare.voices import Voice, find_voices

CORPUS = Path(__file__).parents[2] / "corpora" / "voices" / "passages.jsonl"
SHORT = Path(__file__).parents[2] / "corpora" / "prepare" / "short_quotes.jsonl"
LEAST_OVERLAP = 0.5
Pair = tuple[dict[str, Any], Voice | None]


def matched(row: dict[str, Any]) -> tuple[list[Pair], list[Voice]]:
    """Pair each labelled voice with the one found, and give what was found beside them."""
    left = find_voices(row["text"])
    pairs: list[Pair] = []
    for gold in row["voices"]:
        start = row["text"].index(gold["quote"])
        span = (start, start + len(gold["quote"]))
        same = [v for v in left if v.direct == gold["direct"] and _overlap(v, span)]
        best = max(same, key=lambda v: _overlap(v, span), default=None)
        best = best if best and _overlap(best, span) >= LEAST_OVERLAP else None
        if best is not None:
            left.remove(best)
        pairs.append((gold, best))
    return pairs, left


def _overlap(voice: Voice, span: tuple[int, int]) -> float:
    shared = min(voice.end, span[1]) - max(voice.start, span[0])
    whole = max(voice.end, span[1]) - min(voice.start, span[0])
    return max(shared, 0) / whole


def measure(
    rows: Iterable[dict[str, Any]], direct: bool | None = None, role: bool = True
) -> Measure:
    """Count right, wrong and missed voices.

    :param direct: only direct ones, or only reported ones.
    :param role: whether the role must be right as well.
    """
    found = wrong = missed = 0
    for row in rows:
        pairs, left = matched(row)
        for gold, voice in pairs:
            if direct is not None and gold["direct"] != direct:
                continue
            right = voice is not None and (not role or voice.role == gold["role"])
            found, missed = found + right, missed + (not right)
            wrong += voice is not None and not right
        wrong += sum(direct is None or v.direct == direct for v in left)
    return Measure(found, wrong, missed)


def main(arguments: list[str] | None = None) -> None:
    """Print a table of precision and recall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="test", choices=("development", "test"))
    parser.add_argument("--errors", action="store_true", help="show passages told wrongly")
    parser.add_argument("--short", action="store_true", help="short quotes and scare quotes")
    options = parser.parse_args(arguments)
    rows = read_rows(SHORT if options.short else CORPUS, options.split)
    print(f"voices, {options.split}: {len(rows)} passages\n\n{HEAD}")
    print(measure(rows, role=False).line("quotes, whoever speaks"))
    print(measure(rows).line("quotes with their role"))
    for direct, name in ((True, "direct, with role"), (False, "reported, with role")):
        print(measure(rows, direct).line(name))
    for lang in ("fr", "en"):
        print(measure(r for r in rows if r["lang"] == lang).line(f"{lang}, with role"))
    for row in rows if options.errors else ():
        pairs, left = matched(row)
        bad = [(g["role"], v.role if v else None) for g, v in pairs if not v or v.role != g["role"]]
        more = [(v.role, v.direct, row["text"][v.start : v.end]) for v in left]
        if bad or more:
            print(f"{row['id']} {bad} {more}: {row['text']}")


if __name__ == "__main__":
    main()
