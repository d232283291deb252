"""Articles a second and memory, for 100 and 10,000 documents: linear, and flat.

``python -m tests.measure.throughput`` gathers from a .warc.gz archive, pages read by children,
documents split into passages and stored; labelling is measured elsewhere.
"""

import argparse
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from dsn_nlp.config import Settings
from dsn_nlp.stages import add_up, open_store, take_sources
from tests.measure.archives import make_warc
from tests.measure.night import Peak, warm

PAGES_A_WRITE = 500


def gather(pages: int) -> tuple[float, float, float, dict[str, int]]:
    """Gather so many articles; seconds, growth in MB, largest reader in MB, and counts."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "pages.warc.gz"
        with archive.open("wb") as stream:
            for start in range(0, pages, PAGES_A_WRITE):
                stream.write(make_warc(min(PAGES_A_WRITE, pages - start), start))
        made = {"store": {"url": f"sqlite:///{folder}/dsn.db"},
                "news": [{"name": "a", "pages": archive, "lang": "fr"}]}  # fmt: skip
        settings = Settings.model_validate(made)
        with open_store(settings) as store:
            run_id = store.begin_run("measure", timedelta(minutes=30))
        with Peak() as before:
            time.sleep(0.3)
        started = time.monotonic()
        with Peak() as peak:
            counts = add_up(take_sources(settings, run_id, ["a"]))
        seconds = time.monotonic() - started
    return seconds, peak.own - before.own, peak.largest_child, counts


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 10_000])
    warm()
    gather(20)
    print("| articles | stored | articles a second | growth of memory | a reader |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for size in parser.parse_args().sizes:
        seconds, growth, child, counts = gather(size)
        print(
            f"| {size} | {counts['documents']} | {size / seconds:.1f} | {growth:.0f} MB | ", end=""
        )
        print(f"{child:.0f} MB |")


if __name__ == "__main__":
    main()
