"""A polite and careful client: one page at a time, with the site's leave, within bounds."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType
from typing import Self

import httpcore
import httpx
import stamina

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import FetchError, TransientFetchError
from dsn_nlp.gather.addresses import check_url, show
from dsn_nlp.gather.body import read_body
from dsn_nlp.gather.manners import Pace, Robots, retry_after
from dsn_nlp.gather.transport import Deadline, PinnedTransport

MAX_REDIRECTS = 5
MAX_ROBOTS_BYTES = 500_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_COME_BACK_LATER = frozenset({408, 425, 429})
_ACCEPT = {
    "Accept": "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, "
    "application/xml;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip",
}
_TIMEOUTS = (httpx.TimeoutException, httpcore.TimeoutException)
_BROKEN = (
    httpx.NetworkError,
    httpx.ProtocolError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
)


@dataclass(frozen=True, slots=True)
class Response:
    """A page as it arrived, unpacked; ``url`` is where the redirects ended."""

    url: str
    status: int
    content_type: str
    charset: str | None
    body: bytes = field(repr=False)


class _NotThereError(FetchError):
    """The server says that there is no such page, or that it is not for us (4xx)."""


class Client:
    """Fetches web pages for one thread; use it as a context manager.

    :param settings: timeouts, sizes, pauses, contact.
    :param transport: another way to answer requests, such as a folder of saved pages.
    :param sleep: how to wait between two requests to one host.
    """

    def __init__(
        self,
        settings: GatherSettings,
        transport: httpx.BaseTransport | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._deadline = Deadline(settings.deadline_seconds)
        self._pace = Pace(settings.pause_seconds, sleep)
        self._robots: dict[tuple[str, str, int | None], Robots] = {}
        self._headers = {**_ACCEPT, "User-Agent": user_agent(settings.contact)}
        # The bare transport, and not ``httpx.Client``: no cookies, no environment, no redirects
        # of its own that would have to be switched off and kept off.
        self._transport = transport or PinnedTransport(self._deadline, settings.allow_loopback)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def get(self, url: str) -> Response:
        """Bring one page here.

        :raises FetchError: when it is refused, missing, too large, or closed to robots.
        :raises TransientFetchError: when it may be there another time.
        """
        self._deadline.restart()
        for attempt in stamina.retry_context(
            on=self._worth_another_try,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=0.3,
            wait_max=5.0,
            wait_jitter=0.2,
        ):
            with attempt:
                return self._follow(url, self._settings.max_bytes)
        raise AssertionError("unreachable")

    def _worth_another_try(self, error: Exception) -> bool:
        return isinstance(error, TransientFetchError) and self._deadline.remaining() > 0

    def _follow(self, url: str, max_bytes: int, for_robots: bool = False) -> Response:
        target = check_url(url, self._settings.allow_loopback)
        for _ in range(MAX_REDIRECTS + 1):
            if not for_robots:
                self._ask_leave(target)
            answer = self._once(target, max_bytes)
            if isinstance(answer, Response):
                return answer
            target = answer
        raise FetchError(f"{show(url)}: more than {MAX_REDIRECTS} redirects; correct the address")

    def _ask_leave(self, target: httpx.URL) -> None:
        origin = (target.scheme, target.host, target.port)
        if origin not in self._robots:
            self._robots[origin] = self._read_robots(target)
        if not self._robots[origin].allow(str(target)):
            raise FetchError(f"{show(target)}: robots.txt does not allow this page; leave it out")

    def _read_robots(self, target: httpx.URL) -> Robots:
        url = str(target.copy_with(raw_path=b"/robots.txt", fragment=None))
        try:
            robots = Robots(self._follow(url, MAX_ROBOTS_BYTES, for_robots=True).body)
        except _NotThereError:
            robots = Robots(b"")  # RFC 9309: no robots.txt means all is allowed
        self._pace.slow_down(target.host, robots.crawl_delay)
        return robots

    def _once(self, target: httpx.URL, max_bytes: int) -> Response | httpx.URL:
        """Ask for one URL once, and return the page or where it sends us."""
        try:
            self._wait_turn(target.host)
            with closing(self._transport.handle_request(self._request(target))) as raw:
                if raw.status_code in _REDIRECTS:
                    return self._next_hop(target, raw)
                self._check_status(target.host, raw)
                body = read_body(raw, max_bytes, self._deadline)
                return _response(target, raw, body)
        except _TIMEOUTS:
            reason = "no complete answer in time; try again later or raise gather.timeout_seconds"
            raise TransientFetchError(f"{show(target)}: {reason}") from None
        except _BROKEN as error:
            reason = str(error) or "the connection broke off"
            raise TransientFetchError(f"{show(target)}: {reason}; try again later") from None
        except httpx.HTTPError as error:
            raise FetchError(f"{show(target)}: {type(error).__name__}") from None
        except FetchError as error:
            raise type(error)(f"{show(target)}: {error}") from None

    def _request(self, target: httpx.URL) -> httpx.Request:
        seconds = min(self._settings.timeout_seconds, self._deadline.remaining())
        extensions = {"timeout": httpx.Timeout(seconds).as_dict()}
        return httpx.Request("GET", target, headers=self._headers, extensions=extensions)

    def _wait_turn(self, host: str) -> None:
        if self._pace.held_for(host) > self._deadline.remaining():
            seconds = self._pace.held_for(host)
            raise TransientFetchError(f"the site asks to come back in {seconds:.0f} s; do so")
        self._deadline.extend(self._pace.wait(host))
        if self._deadline.remaining() <= 0:
            raise TransientFetchError(f"took longer than {self._deadline.seconds:g} s")

    def _next_hop(self, target: httpx.URL, raw: httpx.Response) -> httpx.URL:
        try:
            following = target.join(raw.headers["location"])
        except (KeyError, httpx.InvalidURL, UnicodeError, ValueError):
            raise FetchError("redirects without a valid target; correct the address") from None
        if target.scheme == "https" and following.scheme == "http":
            raise FetchError("redirects from https to http, which is refused")
        return check_url(following.copy_with(fragment=None), self._settings.allow_loopback)

    def _check_status(self, host: str, raw: httpx.Response) -> None:
        status = raw.status_code
        if status in _COME_BACK_LATER or status >= 500:
            self._pace.hold(host, retry_after(raw.headers.get("retry-after")))
            raise TransientFetchError(f"HTTP {status}; try again later")
        if 400 <= status < 500:
            raise _NotThereError(f"HTTP {status}; the page is not there for us")
        if not 200 <= status < 300:
            raise FetchError(f"HTTP {status}, which is not a page")


def user_agent(contact: str) -> str:
    """Say honestly who is asking, and whom to write to."""
    name = f"dsn-nlp/{version('dsn-nlp')}"
    safe = "".join(c for c in contact if c.isascii() and c.isprintable()).strip()
    return f"{name} (+{safe})" if safe else name


def _response(url: httpx.URL, raw: httpx.Response, body: bytes) -> Response:
    kind = raw.headers.get("content-type", "").split(";")[0].strip().lower()
    return Response(str(url), raw.status_code, kind, raw.charset_encoding, body)
