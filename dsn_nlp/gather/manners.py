"""Politeness: what robots.txt allows, the distance between requests, hosts to leave alone.

One ``Manners`` is shared by all clients of a process, so that ten sources on one host are, to
that host, still one polite visitor.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from protego import Protego

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import TransientFetchError

ROBOT_NAME = "dsn-nlp"
MAX_CRAWL_DELAY = 30.0
# RFC 9309: robots.txt is not used for longer than a day.
ROBOTS_SECONDS = 12 * 3600.0
# A site whose robots.txt does not come is not asked for it again at each of its pages.
TROUBLE_SECONDS = 60.0
SILENCE_SECONDS = 600.0


class Robots:
    """What one host's robots.txt says to us."""

    def __init__(self, body: bytes) -> None:
        self._rules = Protego.parse(body.decode("utf-8-sig", "replace"))
        delay = self._rules.crawl_delay(ROBOT_NAME) or 0.0
        self.crawl_delay: float = min(max(delay, 0.0), MAX_CRAWL_DELAY)
        self.sitemaps: tuple[str, ...] = tuple(self._rules.sitemaps)

    def allow(self, url: str) -> bool:
        """Tell whether a page may be read."""
        return bool(self._rules.can_fetch(url, ROBOT_NAME))


@dataclass(slots=True)
class _Host:
    """What is known of one host; ``queue`` hands out turns one by one."""

    places: threading.Semaphore
    queue: threading.Lock = field(default_factory=threading.Lock)
    slower: float = 0.0
    free_at: float = 0.0
    held_until: float = 0.0
    failures: int = 0


class Pace:
    """Keeps a distance between requests to one host, and remembers who asked to be left alone.

    :param pause: seconds between two requests to one host.
    :param sleep: how to wait.
    :param at_once: requests to one host at a time.
    :param give_up_after: failures in a row after which a host is left alone for ten minutes.
    """

    def __init__(
        self,
        pause: float,
        sleep: Callable[[float], None],
        at_once: int = 1,
        give_up_after: int = 1_000_000,
    ) -> None:
        self._pause = pause
        self._sleep = sleep
        self._give_up_after = give_up_after
        self._hosts: defaultdict[str, _Host] = defaultdict(
            lambda: _Host(threading.Semaphore(at_once))
        )
        self._lock = threading.Lock()

    def _of(self, host: str) -> _Host:
        with self._lock:
            return self._hosts[host]

    def slow_down(self, host: str, delay: float) -> None:
        """Take the host's own crawl delay where it is longer than ours."""
        known = self._of(host)
        known.slower = max(delay, known.slower)
        if known.free_at and delay > self._pause:
            known.free_at += delay - self._pause

    def hold(self, host: str, seconds: float) -> None:
        """Leave a host alone for as long as it asked."""
        self._of(host).held_until = time.monotonic() + seconds

    def held_for(self, host: str) -> float:
        """Return how many seconds a host still wants to be left alone."""
        return self._of(host).held_until - time.monotonic()

    def note(self, host: str, answered: bool) -> None:
        """Note whether a host answered at all; one that stays silent is left alone."""
        known = self._of(host)
        known.failures = 0 if answered else known.failures + 1
        if known.failures >= self._give_up_after:
            known.failures = 0
            known.held_until = max(known.held_until, time.monotonic() + SILENCE_SECONDS)

    @contextmanager
    def place(self, host: str) -> Iterator[float]:
        """Take one of the places that a host has; gives the seconds spent in the queue."""
        known, asked = self._of(host), time.monotonic()
        with known.places:
            yield time.monotonic() - asked

    def wait(self, host: str) -> float:
        """Wait for the turn of a host.

        :return: the seconds of our own politeness, which do not count against a deadline.
        """
        known, asked = self._of(host), time.monotonic()
        with known.queue:
            queued = time.monotonic() - asked
            polite = max(known.free_at - time.monotonic(), 0.0)
            seconds = max(polite, known.held_until - time.monotonic())
            if seconds > 0:
                self._sleep(seconds)
            known.held_until = 0.0
            known.free_at = time.monotonic() + max(self._pause, known.slower)
            return polite + queued


@dataclass(slots=True)
class _Rules:
    """The robots.txt of one origin, or why there is none, until a moment."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    robots: Robots | None = None
    trouble: str = ""
    until: float = 0.0


class Manners:
    """Pace and robots rules for all clients of a process."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._rules: defaultdict[tuple[str, str, int | None], _Rules] = defaultdict(_Rules)
        self._lock = threading.Lock()

    def robots(
        self, origin: tuple[str, str, int | None], read: Callable[[], Robots]
    ) -> tuple[Robots, float]:
        """Return an origin's rules, read once for all clients, and the seconds spent queueing.

        :param read: brings robots.txt here.
        :raises TransientFetchError: when it cannot be read for now, or could not a while ago.
        :raises FetchError: when it is refused.
        """
        asked = time.monotonic()
        with self._lock:
            rules = self._rules[origin]
        with rules.lock:
            queued = time.monotonic() - asked
            if rules.until < time.monotonic():
                self._renew(rules, read)
            if rules.robots is None:
                raise TransientFetchError(rules.trouble)
            return rules.robots, queued

    def _renew(self, rules: _Rules, read: Callable[[], Robots]) -> None:
        try:
            rules.robots, seconds = read(), ROBOTS_SECONDS
        except TransientFetchError as error:
            rules.robots, rules.trouble, seconds = None, str(error), TROUBLE_SECONDS
        rules.until = time.monotonic() + seconds


def make_manners(settings: GatherSettings, sleep: Callable[[float], None]) -> Manners:
    """Make manners of one's own, as the settings say."""
    pause, at_once = settings.pause_seconds, settings.host_requests
    return Manners(Pace(pause, sleep, at_once, settings.host_failures))


@lru_cache(maxsize=4)
def shared_manners(settings: GatherSettings) -> Manners:
    """Return the manners that all clients of this process with these settings share."""
    return make_manners(settings, time.sleep)


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
