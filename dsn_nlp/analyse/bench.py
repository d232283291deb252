"""How long questions take: ``python -m dsn_nlp.analyse.bench URL --passages 200000``.

Fills an empty store with invented counts and times what the screens and the command line ask.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from dsn_nlp.analyse.changes import what_changed
from dsn_nlp.analyse.curve import adaptation
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.golive import GoLive
from dsn_nlp.analyse.invent import GOLIVE, SITES, invent, invented_profile
from dsn_nlp.analyse.multiply import multiply
from dsn_nlp.analyse.reading import passages, representative
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import shares
from dsn_nlp.analyse.simulate import markdown
from dsn_nlp.analyse.words import bearing_words
from dsn_nlp.store import run_query

SITE = SITES[0]
QUERIES = {
    "labelled_passages by kind and language":
        "SELECT kind, lang, count(*) FROM labelled_passages GROUP BY kind, lang",
    "labelled_passages, ten of one site":
        f"SELECT * FROM labelled_passages WHERE site = '{SITE}' AND security LIMIT 10",
    "labelled_documents, ten newest":
        "SELECT * FROM labelled_documents ORDER BY published_at DESC LIMIT 10",
    "daily_counts, all": "SELECT * FROM daily_counts",
    "site_weeks, one site": f"SELECT * FROM site_weeks WHERE site = '{SITE}'",
    "model_versions": "SELECT * FROM model_versions",
    "data_quality": "SELECT * FROM data_quality",
}  # fmt: skip
Row = dict[str, Any]
_WRITTEN_ONE_BY_ONE = 200_000


def desk_of(url: str, models: Path = Path("models")) -> Desk:
    """A desk on an invented store, with the profile of its model."""
    golive = GoLive(dict.fromkeys(SITES, GOLIVE))
    return Desk(url, models, golive, profile=invented_profile())


def fill(url: str, passages: int) -> None:
    """Fill an empty store: up to 200,000 passages are invented, the database copies the rest.

    :raises InputError: when more than 6.4 million are asked for.
    """
    copies = (passages - 1) // _WRITTEN_ONE_BY_ONE
    invent(url, passages // (copies + 1))
    multiply(url, copies)


def measure(url: str, repeats: int = 3) -> list[Row]:
    """Time SQL on the views, then questions: the first with the reading of all passages."""
    rows = [
        _timed(f"SQL: {name}", partial(run_query, url, sql, seconds=600), repeats)
        for name, sql in QUERIES.items()
    ]
    rows.append(_timed("read all passages, once a night", lambda: desk_of(url).frame(), 1))
    desk = desk_of(url)
    desk.frame()
    jean_talon = Scope(sites=(SITE,))
    questions: dict[str, Callable[[], object]] = {
        "shares of all": lambda: shares(desk),
        "shares by site": lambda: shares(desk, by=("site",)),
        "shares by week": lambda: shares(desk, by=("week",)),
        "shares by week, one site": lambda: shares(desk, jean_talon, ("week",)),
        "shares by week and site": lambda: shares(desk, by=("week", "site")),
        "what changed, by site": lambda: what_changed(desk),
        "adaptation of one site": lambda: adaptation(desk, (SITE,)),
        "words of a label": lambda: bearing_words(desk, "security"),
        "twenty passages of a label": lambda: passages(desk, jean_talon, "security"),
        "telling passages of a label": lambda: representative(desk, jean_talon, "security"),
    }
    for name, ask in questions.items():
        rows.append(_timed(name, partial(_afresh, desk, ask), repeats))
    kept = questions["shares by week and site"]
    kept()
    rows.append(_timed("shares by week and site, again", kept, 1))
    return rows


def _afresh(desk: Desk, ask: Callable[[], object]) -> None:
    """Ask without an answer kept from before."""
    desk.forget()
    ask()


def _timed(name: str, ask: Callable[[], object], repeats: int) -> Row:
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    print(f"{median(taken):8.3f} s  {name}", flush=True)
    return {"question": name, "seconds": round(median(taken), 3)}


def main() -> None:
    """Fill, measure, print and write."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("url", help="of an empty store, or of one filled before with --keep")
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--keep", action="store_true", help="measure what is there already")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("work/bench"))
    asked = parser.parse_args()
    begun = time.perf_counter()
    if not asked.keep:
        fill(asked.url, asked.passages)
        print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)
    rows = measure(asked.url, asked.repeats)
    asked.output.mkdir(parents=True, exist_ok=True)
    name = f"{asked.url.split(':', maxsplit=1)[0].split('+')[0]}-{asked.passages}"
    (asked.output / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (asked.output / f"{name}.md").write_text(markdown(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
