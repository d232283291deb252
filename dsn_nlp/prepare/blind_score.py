"""Scores of relevance, sites and voices on a test written by an author who saw no rule.

``python -m dsn_nlp.prepare.blind_score [--errors]``

A voice is found when its quote shares at least 0.6 of the two quotes' different words, whatever
its make; the share of right roles is of those found.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dsn_nlp.errors import CorpusError
from dsn_nlp.prepare.context import tell_context
from dsn_nlp.prepare.screen_score import HEAD, Measure

CORPUS = Path(__file__).parents[2] / "corpora" / "prepare" / "blind.jsonl"
LEAST_SHARED = 0.6
Told = tuple[str, str]


def read_blind(path: Path = CORPUS) -> list[dict[str, Any]]:
    """Read the labelled rows.

    :raises CorpusError: when the file is missing, or a line is not a JSON object.
    """
    try:
        rows = [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise CorpusError(f"{path}: not labelled rows ({type(error).__name__})") from None
    if not rows:
        raise CorpusError(f"{path}: no rows")
    return rows


def _answer(row: dict[str, Any]) -> tuple[bool, set[str], list[Told]]:
    """Relevance, sites, and voices as (role, quote); title and lead are one text for the last."""
    title, body = row.get("title", ""), row.get("text") or row.get("lead", "")
    whole = row.get("text") or f"{title}\n{body}"
    relevant = tell_context(title, body, row["kind"]).screening.relevant
    named = tell_context(None, whole, row["kind"])
    voices: list[Told] = [(v.role, whole[v.start : v.end]) for v in named.voices]
    return relevant, {m.site for m in named.mentions}, voices


def shared(one: str, other: str) -> float:
    """Share of the different words of two quotes that both have, in [0, 1]."""
    a, b = set(one.lower().split()), set(other.lower().split())
    return len(a & b) / max(1, len(a | b))


def _pair(gold: Iterable[Told], told: list[Told]) -> list[tuple[Told, Told | None]]:
    left, pairs = list(told), []
    for voice in gold:
        best = next((t for t in left if shared(voice[1], t[1]) >= LEAST_SHARED), None)
        if best is not None:
            left.remove(best)
        pairs.append((voice, best))
    return pairs


def measure(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, Measure], int, list[str]]:
    """Count what is right, wrong and missed in each part; how many roles are right; and errors."""
    counts = {part: [0, 0, 0] for part in ("relevance", "sites", "voices")}
    roles, errors = 0, []
    for row in rows:
        kept, sites, told = _answer(row)
        gold = [(v["role"], v["quote"]) for v in row["voices"]]
        pairs = _pair(gold, told)
        found = sum(best is not None for _, best in pairs)
        _add(
            counts["relevance"], {"kept"} if row["relevant"] else set(), {"kept"} if kept else set()
        )
        _add(counts["sites"], set(row["sites"]), sites)
        for at, more in enumerate((found, len(told) - found, len(gold) - found)):
            counts["voices"][at] += more
        right = sum(best is not None and best[0] == voice[0] for voice, best in pairs)
        roles += right
        if (
            kept != row["relevant"]
            or sites != set(row["sites"])
            or right < max(len(gold), len(told))
        ):
            errors.append(f"{row['id']} {kept} {sorted(sites)} {told}")
    return {part: Measure(*numbers) for part, numbers in counts.items()}, roles, errors


def _add(count: list[int], gold: set[str], told: set[str]) -> None:
    for at, some in enumerate((gold & told, told - gold, gold - told)):
        count[at] += len(some)


def main(arguments: list[str] | None = None) -> None:
    """Print precision and recall of each part, and the share of right answers and roles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="show rows told wrongly")
    options = parser.parse_args(arguments)
    rows = read_blind()
    parts, roles, errors = measure(rows)
    print(f"blind test: {len(rows)} rows\n\n{HEAD}")
    for name, part in parts.items():
        print(part.line(name))
    kept = parts["relevance"]
    print(f"\nrelevance right: {len(rows) - kept.wrong - kept.missed} of {len(rows)}")
    print(f"roles right: {roles} of {parts['voices'].found} voices found")
    for line in errors if options.errors else ():
        print(line)


if __name__ == "__main__":
    main()
