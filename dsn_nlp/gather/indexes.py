"""What a source announces: its feed, its sitemaps or its list of URLs, one entry after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import DsnNlpError, ExtractionError, FetchError, InputError
from dsn_nlp.gather.addresses import show
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.dates import day_of, day_start
from dsn_nlp.gather.feeds import FeedEntry, parse_feed
from dsn_nlp.gather.fetch import Client, Response
from dsn_nlp.gather.links import canonical_url
from dsn_nlp.gather.sitemaps import Sitemap, parse_sitemap
from dsn_nlp.records import Rejection

# Pages of a feed that a backfill turns, and files of a sitemap index that are read.
MAX_FEED_PAGES = 500
MAX_MAPS = 500
MAX_LIST_BYTES = 20_000_000
# A sitemap file that last changed before the window may still hold an article changed at its edge.
_SLACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Window:
    """Days in Québec that are gathered: from ``since`` to ``until``, both included."""

    since: date
    until: date

    @property
    def start(self) -> datetime:
        """The first moment."""
        return day_start(self.since)

    @property
    def end(self) -> datetime:
        """The moment after the last."""
        return day_start(self.until + timedelta(days=1))

    def holds(self, at: datetime | None) -> bool:
        """Tell whether a moment lies within; one that is not known may."""
        return at is None or self.since <= day_of(at) <= self.until


def announced(
    client: Client, source: NewsSource, window: Window | None, max_map_bytes: int
) -> Iterator[FeedEntry | Rejection]:
    """Read what a source announces.

    :param window: of a backfill: everything is asked for anew, older pages of feeds are turned,
        and what is known to lie outside is left out. Without, only what has changed is asked for.
    :raises FetchError: when the feed, first sitemap or list cannot be fetched.
    :raises TransientFetchError: when it may be there another time.
    :raises ExtractionError: when it is not what it should be.
    :raises InputError: when a list of URLs on this machine is missing.
    """
    found: Iterator[FeedEntry | Rejection]
    if source.feed is not None:
        found = _of_feed(client, source.feed, window)
    elif source.sitemap is not None:
        found = _of_sitemaps(client, source, window, max_map_bytes)
    else:
        found = _of_list(client, source, window)
    for one in found:
        if isinstance(one, Rejection) or window is None or window.holds(one.published_at):
            yield one


def _ask(client: Client, url: str, window: Window | None, most: int | None) -> Response | None:
    return client.get_if_changed(url, most) if window is None else client.get(url, most)


def _of_feed(client: Client, address: str, window: Window | None) -> Iterator[FeedEntry]:
    turned: set[str] = set()
    following: str | None = address
    while following and following not in turned and len(turned) < MAX_FEED_PAGES:
        turned.add(following)
        response = _ask(client, following, window, None)
        if response is None:
            return
        feed = parse_feed(response, following)
        yield from feed.entries
        oldest = min((e.published_at for e in feed.entries if e.published_at), default=None)
        done = window is None or not feed.entries or (oldest and oldest < window.start)
        following = None if done else feed.older


def _of_sitemaps(
    client: Client, source: NewsSource, window: Window | None, max_bytes: int
) -> Iterator[FeedEntry | Rejection]:
    """Walk an index and its files; one bad file does not stop the others."""
    assert source.sitemap is not None
    span = window or _recent(source.window_days)
    queue, seen = [source.sitemap], {source.sitemap}
    while queue:
        address = queue.pop(0)
        try:
            response = _ask(client, address, window, max_bytes)
            found = parse_sitemap(response, max_bytes) if response else Sitemap()
        except (FetchError, ExtractionError) as error:
            if address == source.sitemap:
                raise
            yield Rejection(source.name, address, "index", _transient(error), "bad_sitemap")
            continue
        if found.trouble:
            reason = f"breaks off after {len(found.entries)} addresses: {found.trouble}"
            yield Rejection(source.name, address, "index", reason, "bad_sitemap")
        if response and found.maps:
            client.memory.keep_body(response.url, response.body)
        for link, changed in found.maps:
            fresh = changed is None or changed.at >= span.start - _SLACK
            if fresh and link not in seen and len(seen) < MAX_MAPS:
                seen.add(link)
                queue.append(link)
        yield from _newest_first(found.entries, span)


def _newest_first(entries: list[FeedEntry], span: Window) -> list[FeedEntry]:
    # An article changes after it is published, never before: an old change is an old article.
    kept = [
        e
        for e in entries
        if span.holds(e.published_at) and (e.changed_at is None or e.changed_at >= span.start)
    ]
    return sorted(kept, key=lambda e: _stamp(e.published_at or e.changed_at), reverse=True)


def _stamp(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _recent(days: int) -> Window:
    today = day_of(datetime.now().astimezone())
    # Clocks of newsrooms run ahead; what is dated tomorrow is of today.
    return Window(today - timedelta(days=days), today + timedelta(days=1))


def _transient(error: DsnNlpError) -> str:
    from dsn_nlp.errors import TransientFetchError

    return f"transient: {error}" if isinstance(error, TransientFetchError) else str(error)


def _of_list(
    client: Client, source: NewsSource, window: Window | None
) -> Iterator[FeedEntry | Rejection]:
    """One address a line; what follows white space or ``#`` at a line's start is a remark."""
    place = source.urls or ""
    if place.startswith(("http://", "https://")):
        response = _ask(client, place, window, None)
        body = response.body if response else b""
    else:
        body = _read_list(Path(place), source.name)
    for number, line in enumerate(decode(body).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            yield FeedEntry(canonical_url(words[0]), "", None, "")
        except ExtractionError as error:
            place_of_line = f"{show(source.place)}:{number}"
            yield Rejection(source.name, place_of_line, "index", str(error), "bad_address")


def _read_list(path: Path, source: str) -> bytes:
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise InputError(f"{path.name}: larger than {MAX_LIST_BYTES} bytes; split the list")
        return path.read_bytes()
    except OSError:
        raise InputError(
            f"{path}: no readable list of URLs; correct 'urls' of source '{source}'"
        ) from None
