"""Nights whose clock jumps, or that run across a change to or from daylight-saving time."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

from tests.measure.faults.bench import Bench, Row

HOUR = 3600.0
SPRING = datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC)  # 01:59:59 in Montréal, then 03:00
AUTUMN = datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC)  # 01:59:59 in Montréal, then 01:00


def set_clock(shift: Callable[[], float]) -> None:
    """Shift every clock that this process's own modules read, by ``shift()`` seconds."""

    class Kind(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, cls.__mro__[1])

    class Clock(datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=shift())

    class Calendar(date, metaclass=Kind):
        @classmethod
        def today(cls) -> date:  # type: ignore[override]
            return Clock.now().date()

    for name, module in list(sys.modules.items()):
        if name.startswith(("dsn_nlp", "pipelines")):
            for word, stand_in in (("datetime", Clock), ("date", Calendar)):
                if getattr(module, word, None) in (datetime, date):
                    setattr(module, word, stand_in)


def jumping(bench: Bench, store: str, runs: int) -> Row:
    """The clock jumps back an hour, or forward two, at a random moment; then a kill as well."""
    row = Row("clock set back or forward", store)
    for number in range(runs):
        place, after = bench.place(store), bench.moment()
        jump = -HOUR if number % 2 else 2 * HOUR

        def jump_later(jump: float = jump, after: float = after) -> None:
            began = time.process_time()
            set_clock(lambda: jump if time.process_time() - began > after else 0.0)

        child = place.start(jump_later)
        if number % 3:
            child.kill_after(bench.moment())
        elif child.wait():
            row.wrong.append(f"the night failed: {child.said().strip()[-200:]}")
        bench.check_hidden(row, place)
        bench.finish(row, place)
    return row


def daylight_saving(bench: Bench, store: str, runs: int) -> Row:
    """The night runs across 02:00 of 2026-03-08 and of 2026-11-01 in Montréal, and is killed."""
    row = Row("daylight-saving night", store)
    for number in range(runs):
        place = bench.place(store)
        moment = AUTUMN if number % 2 else SPRING

        def be_there(moment: datetime = moment) -> None:
            os.environ["TZ"] = "America/Toronto"
            time.tzset()
            away = (moment - datetime.now(UTC)).total_seconds()
            set_clock(lambda: away)

        child = place.start(be_there)
        if number % 3:
            child.kill_after(bench.moment())
            child = place.night(be_there)
        else:
            child.wait()
        if child.returncode:
            row.wrong.append(f"the night failed: {child.said().strip()[-200:]}")
        bench.finish(row, place)
    return row
