"""Nights killed at random moments, and two nights at once."""

import signal
import time

from dsn_nlp.cli import ALREADY_RUNNING
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.store import run_query
from tests.measure.faults.bench import Bench, Place, Row
from tests.measure.faults.broken import wait_for
from tests.measure.faults.children import Child

SECOND_KILL = 0.3  # share of the nights whose resumption is killed, too


def killed(bench: Bench, store: str, runs: int) -> Row:
    """SIGKILL at seeded random moments of the night."""
    row = Row("SIGKILL at a random moment", store)
    while row.runs < runs:
        place = bench.place(store)
        if not place.start().kill_after(bench.moment()):
            bench.leave(place)  # it was over before its moment came: draw another
            continue
        bench.check_hidden(row, place)
        if bench.random.random() < SECOND_KILL:
            place.start().kill_after(bench.moment())
            bench.check_hidden(row, place)
        bench.finish(row, place)
    return row


def two_at_once(bench: Bench, store: str, runs: int) -> Row:
    """Two nights started within a moment: one works, the other says so and leaves."""
    row = Row("two nights started at once", store)
    for _ in range(runs):
        place = bench.place(store)
        pair = [place.start(), place.start()]
        codes = [child.wait() for child in pair]
        if sorted(codes) != [0, ALREADY_RUNNING]:
            row.wrong.append(f"exit codes {codes}")
        for child in pair:
            if child.returncode and "is at work and holds the store" not in child.said():
                row.wrong.append(f"refused without saying why: {child.said()[-200:]}")
        if place.statuses() != ["published"]:
            row.wrong.append(f"runs ended as {place.statuses()}")
        bench.finish(row, place)
    return row


def taken_over(bench: Bench, store: str, runs: int) -> Row:
    """A night that hangs past its lease is taken over, and stops once it wakes."""
    row = Row("lease expired, night taken over", store)
    for _ in range(runs):
        place, sleeper = _asleep_at_work(bench, store)
        time.sleep(1.3)
        heir = place.night()
        sleeper.send(signal.SIGCONT)
        # One that fell asleep in the middle of a write keeps SQLite's lock: nobody takes over.
        locked = "locked" in heir.said()
        expected = 0 if locked else 1
        if heir.returncode != 1 - expected:
            row.wrong.append(f"the heir failed: {heir.said()[-200:]}")
        if sleeper.wait() != expected or ("another run took over" in sleeper.said()) == locked:
            row.wrong.append(f"the sleeper ended with {sleeper.returncode}")
        bench.finish(row, place)
    return row


def _asleep_at_work(bench: Bench, store: str) -> tuple[Place, Child]:
    """A night that is stopped while it holds its lease, whatever the machine's load."""
    for _ in range(5):
        place = bench.place(store, lease_minutes=0.02)
        sleeper = place.start()
        wait_for(sleeper, bench.random.uniform(0.3, 0.6) * bench.cpu_seconds)
        while sleeper.poll() is None and not _at_work(place):
            time.sleep(0.01)
        if sleeper.poll() is None:
            sleeper.send(signal.SIGSTOP)
            if _at_work(place):
                return place, sleeper
            sleeper.send(signal.SIGCONT)
        sleeper.wait()
        bench.leave(place)
    raise AssertionError("five nights were over before they could be stopped")


def _at_work(place: Place) -> bool:
    try:
        return ("running",) in run_query(place.url, "SELECT status FROM runs")[1]
    except DsnNlpError:  # no store yet
        return False
