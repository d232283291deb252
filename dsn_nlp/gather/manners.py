"""Politeness: what a site's robots.txt allows, and how long to wait between two requests."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from protego import Protego

ROBOT_NAME = "dsn-nlp"
MAX_CRAWL_DELAY = 30.0


class Robots:
    """What one host's robots.txt says to us."""

    def __init__(self, body: bytes) -> None:
        self._rules = Protego.parse(body.decode("utf-8-sig", "replace"))
        delay = self._rules.crawl_delay(ROBOT_NAME) or 0.0
        self.crawl_delay: float = min(max(delay, 0.0), MAX_CRAWL_DELAY)

    def allow(self, url: str) -> bool:
        """Tell whether a page may be read."""
        return bool(self._rules.can_fetch(url, ROBOT_NAME))


class Pace:
    """Keeps a distance between requests to one host, and remembers who asked to be left alone."""

    def __init__(self, pause: float, sleep: Callable[[float], None]) -> None:
        self._pause = pause
        self._sleep = sleep
        self._slower: dict[str, float] = {}
        self._free_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    def slow_down(self, host: str, delay: float) -> None:
        """Take the host's own crawl delay where it is longer than ours."""
        self._slower[host] = max(delay, self._slower.get(host, 0.0))
        if host in self._free_at and delay > self._pause:
            self._free_at[host] += delay - self._pause

    def hold(self, host: str, seconds: float) -> None:
        """Leave a host alone for as long as it asked."""
        self._held_until[host] = time.monotonic() + seconds

    def held_for(self, host: str) -> float:
        """Return how many seconds a host still wants to be left alone."""
        return self._held_until.get(host, 0.0) - time.monotonic()

    def wait(self, host: str) -> float:
        """Wait for the turn of a host.

        :return: the seconds of our own politeness, which do not count against a deadline.
        """
        polite = max(self._free_at.get(host, 0.0) - time.monotonic(), 0.0)
        seconds = max(polite, self.held_for(host))
        if seconds > 0:
            self._sleep(seconds)
        self._held_until.pop(host, None)
        pause = max(self._pause, self._slower.get(host, 0.0))
        self._free_at[host] = time.monotonic() + pause
        return polite


def retry_after(header: str | None) -> float:
    """Read a ``Retry-After`` header, seconds or a date; 0.0 when there is none to be read."""
    if not header:
        return 0.0
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)
