"""Scores of near-copies on texts made from the labelled corpora, and the cost of finding them.

``python -m dsn_nlp.prepare.copies_score [--texts 2000] [--cost [500 5000 50000]]``

Each original is an article of 8 to 24 news passages, or a comment of 1 to 4 staff passages; some
are republished with the edits that newsrooms and people make. Others share a quote or an opening
with an original and are not copies of it.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from dsn_nlp.groups import Groups
from dsn_nlp.prepare import copies
from dsn_nlp.prepare.screen import fold
from dsn_nlp.prepare.screen_score import HEAD, Measure
from dsn_nlp.records import Kind

LABELLED = Path(__file__).parents[2] / "corpora" / "labelled"
SEED = 20260509
COST_SIZES = (500, 5_000, 50_000)


@dataclass(frozen=True, slots=True)
class Made:
    """A made text; texts of one ``origin`` are copies of one another."""

    key: str
    kind: Kind
    origin: str
    edit: str
    text: str


def sentences(kind: Kind) -> list[str]:
    """Passages of the labelled corpora that articles, or comments, are made of."""
    wanted = {"article": {"news"}, "comment": {"comment", "staff"}}[kind]
    rows = [
        json.loads(line)
        for path in sorted(LABELLED.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return sorted({row["text"] for row in rows if row.get("kind") in wanted})


def _words_changed(text: str, draw: random.Random, share: float) -> str:
    words = text.split()
    for at in draw.sample(range(len(words)), max(1, int(len(words) * share))):
        words[at] = draw.choice(("nouveau", "hier", "plusieurs", "selon", "about", "never", "then"))
    return " ".join(words)


def _plain(text: str, draw: random.Random) -> str:
    bare = fold(text)
    return bare.upper() if draw.random() < 0.3 else bare


def _cut(text: str, draw: random.Random) -> str:
    words = text.split()
    return " ".join(words[: int(len(words) * draw.uniform(0.65, 0.9))])


def _new_lead(text: str, draw: random.Random) -> str:
    first, _, rest = text.partition(". ")
    return (
        f"TROIS-RIVIÈRES | {_words_changed(first, draw, 0.4)}. {rest} — Avec La Presse Canadienne"
    )


def _shuffled(text: str, draw: random.Random) -> str:
    parts = text.split(". ")
    at = draw.randrange(len(parts))
    return ". ".join(parts[at:] + parts[:at])


def _agreed(text: str, draw: random.Random) -> str:
    return draw.choice(("D'accord avec ma collègue : ", "Same here! ", "Je répète : ")) + text


Edit = Callable[[str, random.Random], str]
EDITS: dict[Kind, dict[str, Edit]] = {
    "article": {
        "no accents or case": _plain,
        "4 % of words changed": lambda text, draw: _words_changed(text, draw, 0.04),
        "8 % of words changed": lambda text, draw: _words_changed(text, draw, 0.08),
        "15 % of words changed": lambda text, draw: _words_changed(text, draw, 0.15),
        "end cut by 10 to 35 %": _cut,
        "new lead and byline": _new_lead,
        "paragraphs moved": _shuffled,
        "cut, then 3 % changed": lambda text, draw: _words_changed(_cut(text, draw), draw, 0.03),
    },
    "comment": {
        "no accents or case": _plain,
        "a word changed": lambda text, draw: _words_changed(text, draw, 0.01),
        "8 % of words changed": lambda text, draw: _words_changed(text, draw, 0.08),
        "an opening added": _agreed,
        "paragraphs moved": _shuffled,
    },
}


def make(kind: Kind, originals: int, draw: random.Random, apart: bool = False) -> list[Made]:
    """Make originals, copies of half of them, and as many texts that only share a sentence.

    :param apart: no two originals hold the same passage; as long as there are passages.
    """
    pool = sentences(kind)
    least, most = (8, 24) if kind == "article" else (1, 4)
    made: list[Made] = []
    for number in range(originals):
        parts = draw.sample(pool, draw.randint(least, most))
        while len(fold(" ".join(parts)).split()) < 14:
            parts += draw.sample(pool, 1)
        if apart:
            pool = [passage for passage in pool if passage not in parts]
        text = " ".join(parts)
        origin = f"{kind}-{number:06}"
        made.append(Made(origin, kind, origin, "original", text))
        if number % 2 == 0:
            for name, edit in draw.sample(sorted(EDITS[kind].items()), 2):
                made.append(Made(f"{origin}-{name}", kind, origin, name, edit(text, draw)))
        elif kind == "article":
            own = draw.sample(pool, draw.randint(least, most))
            shared = " ".join([*own, *parts[:2]])
            made.append(Made(f"{origin}-quote", kind, f"{origin}-quote", "shares a quote", shared))
    draw.shuffle(made)
    return made


def group(texts: Iterable[Made], least: float = copies.SIMILARITY) -> Groups:
    """Group texts as the store does: bands, then similarity."""
    groups = Groups()
    bands: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for made in texts:
        mine, keys = copies.shingles(made.text), copies.bands(made.kind, made.text)
        found = {other: theirs for key in keys for other, theirs in bands[key]}
        alike = [o for o, theirs in found.items() if copies.similarity(mine, theirs) >= least]
        groups.join((made.key, other) for other in alike)
        for key in keys:
            bands[key].append((made.key, mine))
    return groups


def measure(texts: list[Made], groups: Groups, edit: str | None = None) -> Measure:
    """Count pairs in one group: right, wrong, missed.

    :param edit: only pairs of an original with a copy edited so.
    """
    by_origin: dict[str, list[Made]] = defaultdict(list)
    by_group: dict[str, list[Made]] = defaultdict(list)
    for made in texts:
        by_origin[made.origin].append(made)
        by_group[groups.find(made.key)].append(made)

    def counts(one: Made, other: Made) -> bool:
        return edit is None or {one.edit, other.edit} == {"original", edit}

    there = [p for some in by_origin.values() for p in combinations(some, 2) if counts(*p)]
    told = [p for some in by_group.values() for p in combinations(some, 2) if counts(*p)]
    found = sum(groups.find(a.key) == groups.find(b.key) for a, b in there)
    return Measure(found, sum(a.origin != b.origin for a, b in told), len(there) - found)


def _anew(text: str, words: list[str], draw: random.Random) -> str:
    """A text of the same make that shares no three words in a row with another."""
    kept = text.split()
    return " ".join(draw.choice(words) if at % 2 else word for at, word in enumerate(kept))


def cost(size: int) -> float:
    """Processor seconds of grouping so many comments, one in two of them with two copies."""
    draw, pool = random.Random(SEED), sentences("comment")
    words = sorted({word for passage in pool for word in passage.split()})
    edits = list(EDITS["comment"].values())
    texts: list[Made] = []
    while len(texts) < size:
        origin = f"comment-{len(texts):06}"
        text = _anew(" ".join(draw.sample(pool, 2)), words, draw)
        texts.append(Made(origin, "comment", origin, "original", text))
        for number in range(2 * draw.randrange(2)):
            copy = draw.choice(edits)(text, draw)
            texts.append(Made(f"{origin}-{number}", "comment", origin, "copy", copy))
    group(texts[:1])  # what is loaded once is not a text's cost
    started = time.process_time()
    group(texts[:size])
    return time.process_time() - started


def main(arguments: list[str] | None = None) -> None:
    """Print precision and recall by edit, and seconds for growing numbers of texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1000, help="originals of each kind")
    parser.add_argument("--cost", type=int, nargs="*", help="time so many comments each")
    options = parser.parse_args(arguments)
    kinds: tuple[Kind, ...] = ("article", "comment")
    for kind in kinds:
        texts = make(kind, options.texts, random.Random(SEED))
        groups = group(texts)
        print(f"\nnear-copies of {kind}s: {len(texts)} texts\n\n{HEAD}")
        print(measure(texts, groups).line("all pairs"))
        for edit in EDITS[kind]:
            print(measure(texts, groups, edit).line(edit))
        for least in (0.3, 0.4, 0.5, 0.6):
            print(measure(texts, group(texts, least)).line(f"all pairs, similarity {least}"))
        if kind == "comment":
            texts = make(kind, options.texts, random.Random(SEED), apart=True)
            apart = measure(texts, group(texts))
            print(apart.line("all pairs, no passage in two originals"))
    if options.cost is not None:
        print("\n| texts | seconds | milliseconds each | ratio to the first |")
        print("| ---: | ---: | ---: | ---: |")
        spent = [(size, cost(size)) for size in options.cost or COST_SIZES]
        for size, seconds in spent:
            each = seconds / size
            ratio = each / (spent[0][1] / spent[0][0])
            print(f"| {size:,} | {seconds:.1f} | {1000 * each:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
