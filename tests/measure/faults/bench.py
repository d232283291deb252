"""What every case of the fault bench needs: places to run nights in, and the comparison."""

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsn_nlp.store import Store, run_query
from dsn_nlp.store.digest import content_lines
from tests.conftest import ROOT
from tests.measure.faults.children import Before, Child
from tests.measure.faults.world import World
from tests.postgres import Postgres

NIGHT = ["run", "--no-prefect", "--config", "dsn.toml"]
VISIBLE = "select count(*) from labelled_passages"


@dataclass
class Row:
    """One line of the table: what a case cost.

    :ivar runs: disturbed nights.
    :ivar lost: rows of the undisturbed store that were missing in the end.
    :ivar duplicated: rows in the end that the undisturbed store has not.
    :ivar wrong: broken promises, in words: half a night shown, a run left open, an odd exit.
    """

    case: str
    store: str
    runs: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: list[str] = field(default_factory=list)
    note: str = ""
    name: str = ""


@dataclass
class Place:
    """A folder with settings and a store of its own."""

    folder: Path
    url: str

    def start(self, before: Before | None = None, words: list[str] | None = None) -> Child:
        return Child(self.folder, words or NIGHT, before)

    def night(self, before: Before | None = None) -> Child:
        child = self.start(before)
        child.wait()
        return child

    def visible(self) -> int:
        """Count what readers see; nothing before there is a store."""
        from dsn_nlp.errors import QueryError, StoreError

        try:
            return int(run_query(self.url, VISIBLE)[1][0][0])
        except (StoreError, QueryError):
            return 0

    def contents(self) -> Counter[tuple[str, bytes]]:
        with Store.open(self.url) as store, store._reading() as connection:
            return Counter(content_lines(connection))

    def statuses(self) -> list[str]:
        with Store.open(self.url) as store:
            return [str(run["status"]) for run in store.runs(100)]


class Bench:
    """An undisturbed night, and places to disturb others in."""

    def __init__(
        self, folder: Path, seed: int, postgres: Postgres | None, size: tuple[int, int]
    ) -> None:
        self.folder, self.postgres, self.random = folder, postgres, random.Random(seed)
        self.models = ROOT / "models"
        self.world = World(folder / "world", *size)
        self.world.open()
        self._places = 0
        place = self.place("sqlite")
        child = place.start()
        while child.poll() is None:
            self.cpu_seconds = child.cpu_seconds() or self.cpu_seconds_so_far
            self.cpu_seconds_so_far = self.cpu_seconds
        if child.returncode:
            raise RuntimeError(f"the undisturbed night failed: {child.said()}")
        self.expected = place.contents()
        self.shown = place.visible()

    cpu_seconds_so_far = 0.0

    def place(self, store: str, url: str | None = None, **changes: Any) -> Place:
        """Make a place with an empty store of a kind."""
        self._places += 1
        folder = self.folder / f"place{self._places}"
        folder.mkdir()
        if url is None:
            url = f"sqlite:///{folder}/dsn.db"
            if store == "postgresql":
                assert self.postgres is not None
                url = self.postgres.make_database()
        options = {"models": self.models, "lease_minutes": 30, **changes}
        settings = self.world.settings(folder, url, **options)
        (folder / "dsn.toml").write_text(settings, encoding="utf-8")
        return Place(folder, url)

    def leave(self, place: Place) -> None:
        """Remove a place and its store."""
        if self.postgres is not None and place.url.startswith("postgresql"):
            self.postgres.drop_database(place.url)
        shutil.rmtree(place.folder, ignore_errors=True)

    def moment(self) -> float:
        """Draw a moment of the night, in seconds of processor time."""
        return self.random.uniform(0.0, self.cpu_seconds)

    def check_hidden(self, row: Row, place: Place) -> None:
        """Make sure that readers see no part of an unfinished night."""
        seen = place.visible()
        if seen not in (0, self.shown):
            row.wrong.append(f"{seen} of {self.shown} passages were shown")

    def finish(self, row: Row, place: Place, attempts: int = 1) -> None:
        """Run the next night undisturbed, and compare what is there in the end."""
        for _ in range(attempts):
            child = place.night()
            if child.returncode == 0:
                break
        else:
            row.wrong.append(f"the next night failed: {child.said().strip()[-200:]}")
        self.compare(row, place)
        self.leave(place)

    def compare(self, row: Row, place: Place) -> None:
        """Count what is lost and what is there twice; look for runs left open."""
        found = place.contents()
        row.runs += 1
        row.lost += sum((self.expected - found).values())
        row.duplicated += sum((found - self.expected).values())
        if found != self.expected:
            table, line = next(iter((found - self.expected) or (self.expected - found)))
            row.note = f"{table}: {line[:300]!r}"  # the sample is invented: it may be shown
        if place.visible() != self.shown:
            row.wrong.append(f"{place.visible()} of {self.shown} passages shown in the end")
        statuses = place.statuses()
        if "running" in statuses or "published" not in statuses:
            row.wrong.append(f"runs ended as {statuses}")

    def close(self) -> None:
        self.world.vanish()
        if self.postgres is not None:
            self.postgres.close()
