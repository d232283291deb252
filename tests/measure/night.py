"""A night over 40 feeds and 2,000 pages with every fault, then a second one.

``python -m tests.measure.night`` prints the table of ``docs/measures-gather.md``.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from dsn_nlp.config import Settings
from dsn_nlp.gather.manners import shared_manners
from dsn_nlp.records import Document, Rejection
from dsn_nlp.stages import add_up, open_store, take_sources
from dsn_nlp.store.query import run_query
from tests.measure.world import World


@dataclass
class Night:
    """What one night did."""

    seconds: float
    counts: dict[str, int]
    peak_mb: float
    child_mb: float
    asked: Counter[str]
    plain: list[str]
    conditional: list[str]


def warm() -> None:
    """Load what any night loads, so that it does not count as growth."""
    from dsn_nlp.prepare.passages import split_document

    for lang in ("fr", "en"):
        split_document(Document("d", "article", "s", "Une phrase. Another one.", lang))


class Peak:
    """Watches the memory of this process and its children while it lasts, in megabytes."""

    def __enter__(self) -> "Peak":
        self._over = threading.Event()
        self.own = self.largest_child = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._over.wait(0.1):
            self.own = max(self.own, me.memory_info().rss / 1e6)
            for child in me.children(recursive=True):
                try:
                    # Until it runs its own program, a child is the image of its parent.
                    if "dsn_nlp.gather.reader" not in child.cmdline():
                        continue
                    self.largest_child = max(self.largest_child, child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue


def settings_for(world: World, folder: Path, **gather: object) -> Settings:
    options = {
        "allow_loopback": True, "pause_seconds": 0, "host_requests": 8, "timeout_seconds": 8,
        "deadline_seconds": 10, "attempts": 2, "host_failures": 1000, "sources_at_once": 10,
        "contact": "mailto:mesure@exemple.ca", **gather,
    }  # fmt: skip
    made = {"store": {"url": f"sqlite:///{folder}/dsn.db"}, "gather": options}
    return Settings.model_validate({**made, "news": world.sources()})


def play(settings: Settings, world: World) -> Night:
    """Gather all sources once, and publish nothing: labelling is measured elsewhere."""
    world.forget()
    shared_manners.cache_clear()  # each night is a process of its own
    warm()
    with Peak() as before:
        time.sleep(0.3)
    started = time.monotonic()
    with Peak() as peak:
        with open_store(settings) as store:
            run_id = store.begin_run("measure", timedelta(minutes=30))
        counts = add_up(take_sources(settings, run_id, settings.source_names()))
        with open_store(settings) as store:
            store.fail_run(run_id)
    return Night(
        time.monotonic() - started, counts, peak.own - before.own, peak.largest_child,
        Counter(world.asked), list(world.plain), list(world.conditional),
    )  # fmt: skip


def stored_pages(settings: Settings) -> list[int]:
    _, rows = run_query(settings.store.url.get_secret_value(), "SELECT url FROM documents")
    return sorted(int(url.rsplit("/", 1)[1]) for (url,) in rows)


def rejected(settings: Settings) -> list[Rejection]:
    sql = "SELECT source, place, stage, reason, code FROM rejected"
    return [Rejection(*row) for row in run_query(settings.store.url.get_secret_value(), sql)[1]]


def without_reason(world: World, settings: Settings) -> set[str]:
    """Bad pages and bad feeds that are not in quarantine."""
    told = rejected(settings)
    pages = {world.link(page) for page in world.bad_pages()} - {one.place for one in told}
    feeds = {f"s{feed}" for feed in range(world.feeds) if not world.is_good_feed(feed)}
    return pages | (feeds - {one.source for one in told})


def main() -> None:
    """Play two nights and print what they did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=40)
    parser.add_argument("--pages", type=int, default=2000)
    asked = parser.parse_args()
    world = World(asked.feeds, asked.pages)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(world, Path(folder))
        first = play(settings, world)
        pages = stored_pages(settings)
        second = play(settings, world)
        show(world, settings, pages)
        show_night("first", first)
        show_night("second", second)
        again = unexpected(world, second)
        print(f"second night, plain requests to what had come: {len(again)} {again[:5]}")
        print(f"connections to the forbidden address: {world.canary.visits}")
    world.close()


def show(world: World, settings: Settings, pages: list[int]) -> None:
    good, told = world.good_pages(), rejected(settings)
    bad_feeds = sum(not world.is_good_feed(feed) for feed in range(world.feeds))
    print(f"good articles {len(good)}, stored {len(set(pages) & good)}, ", end="")
    print(f"twice {len(pages) - len(set(pages))}, not good {len(set(pages) - good)}")
    print(f"bad pages {len(world.bad_pages())}, bad feeds {bad_feeds}, ", end="")
    print(f"without a reason in quarantine {len(without_reason(world, settings))}")
    print("  " + ", ".join(f"{c} {n}" for c, n in Counter(o.code for o in told).most_common()))


def show_night(name: str, night: Night) -> None:
    private = sum(n for path, n in night.asked.items() if path.startswith("/private"))
    requests = sum(night.asked.values())
    print(f"{name} night: {night.seconds:.1f} s, {night.counts}")
    print(f"  memory grew by {night.peak_mb:.0f} MB, a reader {night.child_mb:.0f} MB")
    print(f"  {requests} requests, {len(night.conditional)} conditional, ", end="")
    print(f"{private} against robots.txt")


def unexpected(world: World, night: Night) -> list[str]:
    """Plain requests of a second night to what came on the first, feeds and pages."""
    good = {f"/page/{page}" for page in world.good_pages()} | {"/robots.txt"}
    good |= {f"/feed/{feed}" for feed in range(world.feeds) if world.is_good_feed(feed)}
    return sorted(set(night.plain) & good)


if __name__ == "__main__":
    main()
