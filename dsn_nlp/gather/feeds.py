"""Reading RSS and Atom, and telling when two links mean the same article."""

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import feedparser
import httpx

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.addresses import show
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.fetch import Client
from dsn_nlp.text import normalise

# 50,000 nested tags take feedparser 0.7 s; 200,000 take 4.8 s.
MAX_TAGS = 50_000
MAX_ENTRIES = 1_000
_SUBSET = re.compile(r"<!DOCTYPE[^>\[]{0,500}\[|<!ENTITY", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"\s{0,9}<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w-]{2,20})")
_UNSEEN = frozenset({"script", "style", "noscript", "template"})
_TRACKERS = re.compile(
    r"utm_\w+|at_(medium|campaign|custom\w*|format|creation|variant)|(fb|g|dc|gb|wb|y|tt|tw)clid"
    r"|gbraid|wbraid|msclkid|igshid?|mc_[ce]id|mkt_tok|_h(senc|smi)|_g[al]|xtor|cmp(id)?|ncid|ocid"
    r"|smid|spm|vero_id|oly_(anon|enc)_id|__twitter_impression",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One article as its feed announces it; ``link`` is canonical."""

    link: str
    title: str
    published_at: datetime | None
    summary: str


def canonical_url(url: str) -> str:
    """Reduce a link to what tells one article from another.

    Only parameters that are surely trackers go: on some sites ``?id=`` is the article.

    :raises ExtractionError: when it is not an http or https address.
    """
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise ExtractionError(f"{show(url)}: not a valid web address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ExtractionError(f"{show(url)}: not an http:// or https:// address")
    pairs = parsed.query.decode("ascii", "replace").split("&")
    kept = "&".join(p for p in pairs if p and not _TRACKERS.fullmatch(_name_of(p)))
    path = parsed.raw_path.split(b"?")[0]
    return str(
        parsed.copy_with(fragment=None, raw_path=path + (b"?" + kept.encode() if kept else b""))
    )


def _name_of(pair: str) -> str:
    found = parse_qsl(pair, keep_blank_values=True)
    return found[0][0] if found else unquote_plus(pair)


def read_feed(client: Client, source: NewsSource) -> list[FeedEntry]:
    """Fetch and read the feed of a source; entries without a usable link are left out.

    :raises FetchError: when the feed cannot be fetched.
    :raises TransientFetchError: when it may be there another time.
    :raises ExtractionError: when it is no feed, or one that is built to do harm.
    """
    response = client.get(source.feed)
    text = decode(response.body, response.charset or _declared_in(response.body))
    _check_harmless(source.feed, text)
    # Bytes in a stream: feedparser opens URLs and local files when it is given their names.
    # Decoded here, so that what was checked and what is parsed cannot be two different texts.
    headers = {
        "content-location": response.url,
        "content-type": "application/xml; charset=utf-8",
    }
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    parsed = feedparser.parse(stream, response_headers=headers)
    entries = _entries(parsed.entries[:MAX_ENTRIES], response.url)
    if not entries and (parsed.bozo or not parsed.get("version")):
        raise ExtractionError(f"{show(source.feed)}: not a readable RSS or Atom feed; correct it")
    return entries


def _declared_in(body: bytes) -> str | None:
    found = _XML_ENCODING.match(body)
    return found[1].decode("ascii") if found else None


def _check_harmless(url: str, text: str) -> None:
    if text.count("<") > MAX_TAGS:
        raise ExtractionError(f"{show(url)}: the feed has over {MAX_TAGS} tags and is refused")
    if _SUBSET.search(text):
        raise ExtractionError(f"{show(url)}: the feed declares entities and is refused")


def _entries(found: list[Any], base: str) -> list[FeedEntry]:
    entries: dict[str, FeedEntry] = {}
    for entry in found:
        try:
            link = canonical_url(str(httpx.URL(base).join(str(entry.get("link") or ""))))
        except (ExtractionError, httpx.InvalidURL, UnicodeError, ValueError):
            continue
        if not entry.get("link") or link in entries:
            continue
        title, summary = (plain(str(entry.get(key) or "")) for key in ("title", "summary"))
        entries[link] = FeedEntry(link, title, _published(entry), summary)
    return list(entries.values())


def _published(entry: Any) -> datetime | None:
    parts = entry.get("published_parsed") or entry.get("updated_parsed")
    if not parts:
        return None
    try:
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


class _Stripper(HTMLParser):
    """Keeps what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        self.seen.append(" " if tag in ("br", "p", "div", "li") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSEEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


def plain(markup: str) -> str:
    """Turn a bit of HTML into one line of plain text."""
    stripper = _Stripper()
    stripper.feed(markup[:20_000])
    stripper.close()
    return re.sub(r"\s*\n\s*|[ \t]+", " ", normalise("".join(stripper.seen)))
