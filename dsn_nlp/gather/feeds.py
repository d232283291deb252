"""Reading feeds: RSS 0.9x to 2.0, RDF and Atom by feedparser, and JSON Feed."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import feedparser

from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.addresses import show
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.dates import Moment, read_moment
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.links import join
from dsn_nlp.gather.markup import plain

# 50,000 nested tags take feedparser 0.7 s; 200,000 take 4.8 s.
MAX_TAGS = 50_000
MAX_ENTRIES = 5_000
_SUBSET = re.compile(r"<!DOCTYPE[^>\[]{0,500}\[|<!ENTITY", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"\s{0,9}<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w-]{2,20})")
_ALTERNATE = re.compile(
    r"<link[^>]{0,300}type\s*=\s*[\"']?application/(?:rss|atom)\+xml[^>]{0,300}", re.IGNORECASE
)
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s>]{1,500})", re.IGNORECASE)
_OLDER = ("prev-archive", "next")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One article as its source announces it; ``link`` is canonical.

    ``changed_at`` is not when it was published, but serves to choose what to ask for.
    """

    link: str
    title: str
    published_at: datetime | None
    summary: str
    moment: Moment | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """The entries of a feed document, and the address of the one with older entries (RFC 5005)."""

    entries: list[FeedEntry] = field(default_factory=list)
    older: str | None = None


def parse_feed(response: Response, address: str) -> Feed:
    """Read a feed as it arrived.

    :param address: the feed's, for messages.
    :raises ExtractionError: when it is no feed, or one that is built to do harm.
    """
    text = decode(response.body, response.charset or _declared_in(response.body))
    if text.lstrip("\ufeff \t\r\n")[:1] == "{":
        return _parse_json(text, response.url, address)
    _check_harmless(address, text)
    # Bytes in a stream: feedparser opens URLs and local files when it is given their names.
    # Decoded here, so that what was checked and what is parsed cannot be two different texts.
    headers = {
        "content-location": response.url,
        "content-type": "application/xml; charset=utf-8",
    }
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        parsed = feedparser.parse(stream, response_headers=headers)
    except Exception as error:
        raise ExtractionError(
            f"{show(address)}: the feed cannot be read ({type(error).__name__})"
        ) from None
    entries = _entries(map(_from_feedparser, parsed.entries[:MAX_ENTRIES]), response.url)
    if not entries and (parsed.bozo or not parsed.get("version")):
        raise ExtractionError(_no_feed(address, text, response.url))
    return Feed(entries, _older(parsed.feed.get("links") or (), response.url))


def _declared_in(body: bytes) -> str | None:
    found = _XML_ENCODING.match(body)
    return found[1].decode("ascii") if found else None


def _check_harmless(url: str, text: str) -> None:
    if text.count("<") > MAX_TAGS:
        raise ExtractionError(f"{show(url)}: the feed has over {MAX_TAGS} tags and is refused")
    if _SUBSET.search(text):
        raise ExtractionError(f"{show(url)}: the feed declares entities and is refused")


def _no_feed(address: str, text: str, base: str) -> str:
    """Say that this is no feed; a web page often names the feed that was meant."""
    trouble = f"{show(address)}: not a readable RSS, Atom or JSON feed; "
    tag = _ALTERNATE.search(text[:200_000])
    href = _HREF.search(tag[0]) if tag else None
    try:
        return trouble + f"the page there names {show(join(base, href[1] if href else ''))}"
    except ExtractionError:
        return trouble + "correct it"


@dataclass(frozen=True, slots=True)
class _Raw:
    """An entry as written; nothing of it has been believed yet."""

    link: object
    title: object
    summary: object
    dates: tuple[object, ...]


def _from_feedparser(entry: Any) -> _Raw:
    link = entry.get("link")
    if not link and str(entry.get("id") or "").startswith(("http://", "https://")):
        link = entry.get("id")  # RSS: a guid that is an address
    # Not ``entry.get``: it would give out a date of change as one of publication.
    dates = (dict.get(entry, "published"), dict.get(entry, "updated"))
    return _Raw(link, entry.get("title"), entry.get("summary"), dates)


def _entries(found: Iterator[_Raw], base: str) -> list[FeedEntry]:
    entries: dict[str, FeedEntry] = {}
    for raw in found:
        try:
            link = join(base, raw.link if isinstance(raw.link, str) else "")
        except ExtractionError:
            continue
        if link in entries:
            continue
        moment = next(filter(None, map(read_moment, raw.dates)), None)
        title, summary = (plain(str(each or "")) for each in (raw.title, raw.summary))
        at = moment.at if moment else None
        entries[link] = FeedEntry(link, title, at, summary, moment)
    return list(entries.values())


def _older(links: Any, base: str) -> str | None:
    for relation in _OLDER:
        for link in links:
            if link.get("rel") == relation:
                try:
                    return join(base, str(link.get("href") or ""))
                except ExtractionError:
                    continue
    return None


def _parse_json(text: str, base: str, address: str) -> Feed:
    """Read a JSON Feed, version 1 or 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError):
        feed = None
    posts = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(posts, list):
        raise ExtractionError(f"{show(address)}: not a readable JSON feed; correct it")
    found = (_from_json(post) for post in posts[:MAX_ENTRIES] if isinstance(post, dict))
    older = feed.get("next_url")
    return Feed(_entries(found, base), _older([{"rel": "next", "href": older}], base))


def _from_json(post: dict[str, Any]) -> _Raw:
    link = post.get("url") or post.get("external_url")
    if not link and str(post.get("id")).startswith(("http://", "https://")):
        link = post.get("id")
    summary = post.get("summary") or post.get("content_text")
    dates = (post.get("date_published"), post.get("date_modified"))
    return _Raw(link, post.get("title"), summary, dates)
