"""Reading the article out of a fetched page."""

import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import trafilatura

from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.feeds import plain
from dsn_nlp.gather.fetch import Response
from dsn_nlp.text import normalise

# It warns of each page without an article; the rejection's reason says the same.
logging.getLogger("trafilatura").setLevel(logging.ERROR)
# 40,000 tags take trafilatura 1.7 s, 200,000 take 104 s; newspapers' pages have under 10,000.
MAX_TAGS = 40_000
MAX_BYTES = 2_000_000
MIN_CHARACTERS = 200
_HTML = frozenset({"text/html", "application/xhtml+xml", ""})
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_TORONTO = ZoneInfo("America/Toronto")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, and what it says about itself."""

    title: str | None
    text: str = field(repr=False)
    published_at: datetime | None


def extract_page(response: Response) -> Page:
    """Read the article out of a page: no menus, no readers' comments, no tables.

    :raises ExtractionError: with the reason alone, when there is no article to be read.
    """
    _check_readable(response)
    html = decode(response.body, response.charset or _declared_in(response.body))
    found = trafilatura.bare_extraction(
        html,
        url=response.url,
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        with_metadata=True,
    )
    text = normalise(getattr(found, "text", None) or "")
    if len(text) < MIN_CHARACTERS:
        raise ExtractionError(_why_short(len(text)))
    title = plain(getattr(found, "title", None) or "") or None
    return Page(title, text, _midnight(getattr(found, "date", None)))


def _check_readable(response: Response) -> None:
    if response.content_type not in _HTML:
        raise ExtractionError(f"not a web page but {response.content_type[:60]!r}")
    if len(response.body) > MAX_BYTES:
        raise ExtractionError(f"the page is larger than {MAX_BYTES} bytes")
    if response.body.count(b"<") > MAX_TAGS:
        raise ExtractionError(f"the page has more than {MAX_TAGS} tags")


def _declared_in(body: bytes) -> str | None:
    found = _META_CHARSET.search(body[:2048])
    return found[1].decode("ascii") if found else None


def _why_short(characters: int) -> str:
    if characters == 0:
        return "empty page: no article text (built by a script, or behind a wall)"
    return f"too short: {characters} characters of article text, under {MIN_CHARACTERS}"


def _midnight(day: str | None) -> datetime | None:
    """Pages tell a day, not an hour: its first moment in Québec stays the same day."""
    try:
        start = datetime.combine(date.fromisoformat(day or ""), time(), tzinfo=_TORONTO)
    except ValueError:
        return None
    return start.astimezone(UTC)
