"""A polite and careful client: one page at a time, with the site's leave, within bounds."""

import logging
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
from dsn_nlp.gather.manners import Manners, Robots, make_manners, retry_after
from dsn_nlp.gather.memory import Memory
from dsn_nlp.gather.transport import Deadline, PinnedTransport
from dsn_nlp.records import Remembered

# A retry is no news; what stays in trouble is told with its reason.
logging.getLogger("stamina").setLevel(logging.ERROR)
MAX_REDIRECTS = 5
MAX_ROBOTS_BYTES = 500_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_COME_BACK_LATER = frozenset({408, 425, 429})
_ACCEPT = {
    "Accept": "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, "
    "application/feed+json, application/xml;q=0.9, */*;q=0.1",
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


@dataclass(frozen=True, slots=True)
class _Wish:
    """How one address is asked for."""

    max_bytes: int
    conditional: bool = False
    robots: bool = False


class _NotThereError(FetchError):
    """The server says that there is no such page, or that it is not for us (4xx)."""


class Client:
    """Fetches web pages for one thread; use it as a context manager.

    :param settings: timeouts, sizes, pauses, contact.
    :param transport: another way to answer requests, such as a folder of saved pages.
    :param sleep: how to wait between two requests to one host.
    :param manners: shared with the clients of other threads; its own without.
    :param memory: what servers said on earlier nights.
    """

    def __init__(
        self,
        settings: GatherSettings,
        transport: httpx.BaseTransport | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        manners: Manners | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._settings = self.settings = settings
        self._deadline = Deadline(settings.deadline_seconds)
        self._manners = manners or make_manners(settings, sleep)
        self._pace = self._manners.pace
        self.memory = memory or Memory()
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

    def get(self, url: str, max_bytes: int | None = None) -> Response:
        """Bring one page here.

        :param max_bytes: of the body, before and after unpacking; the settings' without.
        :raises FetchError: when it is refused, missing, too large, or closed to robots.
        :raises TransientFetchError: when it may be there another time.
        """
        return self._get(url, _Wish(max_bytes or self._settings.max_bytes))

    def get_if_changed(self, url: str, max_bytes: int | None = None) -> Response | None:
        """Bring one page here unless it is as its server said it was when last asked.

        :return: ``None`` when it has not changed (304), or what was kept of it, with status 304.
        :raises FetchError: as :meth:`get`.
        """
        wish = _Wish(max_bytes or self._settings.max_bytes, conditional=True)
        response = self._get(url, wish)
        return None if response.status == _NOT_MODIFIED and not response.body else response

    def _get(self, url: str, wish: _Wish) -> Response:
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
                return self._follow(url, wish)
        raise AssertionError("unreachable")

    def _worth_another_try(self, error: Exception) -> bool:
        return isinstance(error, TransientFetchError) and self._deadline.remaining() > 0

    def _follow(self, url: str, wish: _Wish) -> Response:
        target = check_url(url, self._settings.allow_loopback)
        for _ in range(MAX_REDIRECTS + 1):
            if not wish.robots:
                self._ask_leave(target)
            answer = self._once(target, wish)
            if isinstance(answer, Response):
                return answer
            target = answer
        raise FetchError(f"{show(url)}: more than {MAX_REDIRECTS} redirects; correct the address")

    def _ask_leave(self, target: httpx.URL) -> None:
        origin = (target.scheme, target.host, target.port)
        robots, queued = self._manners.robots(origin, lambda: self._read_robots(target))
        self._deadline.extend(queued)
        if not robots.allow(str(target)):
            raise FetchError(f"{show(target)}: robots.txt does not allow this page; leave it out")

    def _read_robots(self, target: httpx.URL) -> Robots:
        url = str(target.copy_with(raw_path=b"/robots.txt", fragment=None))
        wish = _Wish(MAX_ROBOTS_BYTES, conditional=True, robots=True)
        try:
            robots = Robots(self._follow(url, wish).body)
        except _NotThereError:
            robots = Robots(b"")  # RFC 9309: no robots.txt means all is allowed
        self._pace.slow_down(_place_of(target), robots.crawl_delay)
        return robots

    def _once(self, target: httpx.URL, wish: _Wish) -> Response | httpx.URL:
        """Ask for one URL once, and return the page or where it sends us."""
        host = _place_of(target)
        try:
            with self._pace.place(host) as queued:
                self._deadline.extend(queued)
                self._wait_turn(host)
                return self._ask(target, wish)
        except _TIMEOUTS:
            self._pace.note(host, answered=False)
            reason = "no complete answer in time; try again later or raise gather.timeout_seconds"
            raise TransientFetchError(f"{show(target)}: {reason}") from None
        except _BROKEN as error:
            self._pace.note(host, answered=False)
            reason = str(error) or "the connection broke off"
            raise TransientFetchError(f"{show(target)}: {reason}; try again later") from None
        except httpx.HTTPError as error:
            raise FetchError(f"{show(target)}: {type(error).__name__}") from None
        except FetchError as error:
            raise type(error)(f"{show(target)}: {error}") from None

    def _ask(self, target: httpx.URL, wish: _Wish) -> Response | httpx.URL:
        known = self.memory.recall(str(target), wish.robots) if wish.conditional else None
        with closing(self._transport.handle_request(self._request(target, known))) as raw:
            self._pace.note(_place_of(target), answered=True)
            if raw.status_code in _REDIRECTS:
                return self._next_hop(target, raw)
            if known is not None and raw.status_code == _NOT_MODIFIED:
                return Response(str(target), _NOT_MODIFIED, "", None, known.body)
            self._check_status(_place_of(target), raw)
            body = read_body(raw, wish.max_bytes, self._deadline)
        if wish.conditional:
            validators = raw.headers.get("etag"), raw.headers.get("last-modified")
            self.memory.learn(str(target), *validators, body, wish.robots)
        return _response(target, raw, body)

    def _request(self, target: httpx.URL, known: Remembered | None) -> httpx.Request:
        seconds = min(self._settings.timeout_seconds, self._deadline.remaining())
        extensions = {"timeout": httpx.Timeout(seconds).as_dict()}
        headers = dict(self._headers)
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        return httpx.Request("GET", target, headers=headers, extensions=extensions)

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


def _place_of(target: httpx.URL) -> str:
    """One host, one pace; ports other than the web's own are hosts of their own (loopback)."""
    return target.host if target.port is None else f"{target.host}:{target.port}"
