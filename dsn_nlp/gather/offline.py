"""Sources on this machine: saved pages, archives and press reviews, read once a content."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.articles import Found, Moments
from dsn_nlp.gather.feeds import FeedEntry
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.links import canonical_url
from dsn_nlp.gather.memory import Memory
from dsn_nlp.gather.pagemeta import NO_URL
from dsn_nlp.gather.pages import Page, PaywallError
from dsn_nlp.gather.press import Clipping, press_files, read_press
from dsn_nlp.gather.saved import Broken, Saved, page_files, read_saved
from dsn_nlp.records import Rejection

# Pages of two megabytes at most: what waits is bounded.
_AT_ONCE, _AHEAD = 4, 8
Known = Callable[[Sequence[str]], set[str]]


def read_offline(
    source: NewsSource, memory: Memory, read: Callable[[Response], Page], known: Known
) -> Iterator[Found | Rejection]:
    """Read the files of a source that are new or have changed since they were last read.

    :param known: tells which of some canonical addresses are stored already.
    :raises InputError: when the file or folder is missing.
    """
    root = source.pages or source.press
    assert root is not None
    for path in page_files(root) if source.pages else press_files(root):
        inner = path.relative_to(root) if path != root else Path(path.name)
        key, state = f"file:{inner}", _state(path)
        before = memory.recall(key)
        if before is not None and before.etag == state:
            continue
        if source.pages:
            yield from _pages(source, path, root, read, known)
        else:
            yield from _clippings(source, path, known)
        memory.learn(key, state, None, b"")


def offline_entries(source: NewsSource) -> Iterator[FeedEntry | Rejection]:
    """List what the files of a source hold, without reading articles out of pages.

    :raises InputError: when the file or folder is missing.
    """
    root = source.pages or source.press
    assert root is not None
    for path in page_files(root) if source.pages else press_files(root):
        for one in read_saved(path, root) if source.pages else read_press(path, source):
            if isinstance(one, Broken):
                yield Rejection(source.name, one.place, "read", one.reason, "bad_file")
            elif isinstance(one, Saved):
                yield FeedEntry(_link(one) or "", one.place, None, "")
            else:
                at = one.moment.at if one.moment else None
                yield FeedEntry(one.url or "", one.title or "", at, "")


def _state(path: Path) -> str:
    """Tell one content from another; the time of a file says nothing of what is in it."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _pages(
    source: NewsSource, path: Path, root: Path, read: Callable[[Response], Page], known: Known
) -> Iterator[Found | Rejection]:
    """Read pages side by side, and give them in their order."""
    begun: deque[Future[Found | Rejection]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, "offline") as threads:
        for one in read_saved(path, root):
            if isinstance(one, Broken):
                yield Rejection(source.name, one.place, "read", one.reason, "bad_file")
                continue
            link = _link(one)
            if link is None or not known([link]):
                begun.append(threads.submit(_read_page, source, one, link, read))
            if len(begun) > _AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _link(page: Saved) -> str | None:
    try:
        return None if page.response.url == NO_URL else canonical_url(page.response.url)
    except ExtractionError:
        return None


def _read_page(
    source: NewsSource, saved: Saved, link: str | None, read: Callable[[Response], Page]
) -> Found | Rejection:
    try:
        page = read(saved.response)
    except PaywallError as error:
        return Rejection(source.name, saved.place, "extract", str(error), "paywall")
    except ExtractionError as error:
        return Rejection(source.name, saved.place, "extract", str(error), "no_article")
    except Exception as error:
        # As for fetched pages: one page must not end the night.
        reason = f"the page cannot be read ({type(error).__name__})"
        return Rejection(source.name, saved.place, "extract", reason, "no_article")
    moments: Moments = (("page", page.moment),)
    return Found(saved.place, link, page, None, moments, datetime.now(UTC))


def _clippings(source: NewsSource, path: Path, known: Known) -> Iterator[Found | Rejection]:
    for one in read_press(path, source):
        if isinstance(one, Broken):
            yield Rejection(source.name, one.place, "read", one.reason, "bad_row")
        elif one.url is None or not known([one.url]):
            yield _found(one)


def _found(one: Clipping) -> Found:
    page = Page(one.title, one.text, one.moment, one.authors, one.section, one.outlet)
    moments: Moments = (("source", one.moment),)
    return Found(one.place, one.url, page, one.title, moments, None, one.lang)
