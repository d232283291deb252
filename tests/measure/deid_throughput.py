"""Comments a processor second: rules alone, with the tagger, Presidio as installed; one run.

``python -m tests.measure.deid_throughput``
"""

import time
from collections.abc import Callable
from typing import get_args

from dsn_nlp.prepare.deid_score import presidio_as_installed, read_tagged
from dsn_nlp.prepare.deidentify import Deidentifier, deidentifier
from dsn_nlp.records import Language

ROWS = {lang: [e.text for e in read_tagged("train") if e.lang == lang] for lang in ("fr", "en")}


def rate(run: Callable[[list[str], Language], object], share: int = 1) -> float:
    """Comments a processor second, after one unmeasured pass over a few."""
    for lang in get_args(Language):
        run(ROWS[lang][:20], lang)
    before, count = time.process_time(), 0
    for lang in get_args(Language):
        rows = ROWS[lang][::share]
        run(rows, lang)
        count += len(rows)
    return count / (time.process_time() - before)


def main() -> None:
    find = presidio_as_installed()
    runs = {
        "rules alone": rate(Deidentifier(None)._find_many),
        "rules and tagger": rate(deidentifier()._find_many),
        "Presidio as installed": rate(lambda texts, lang: [find(t, lang) for t in texts], 4),
    }
    for name, told in runs.items():
        print(f"{name:<24}{told:8.0f} comments a second, {told / runs['rules alone']:.2f}")


if __name__ == "__main__":
    main()
