"""What is fuzzed: each target reads any bytes, and may only read them or refuse them in one line.

Targets need no fuzzer: the suite reads with them whatever a fuzzer once found.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import trafilatura
from lxml.html import HtmlElement

from dsn_nlp.config import CommentSource, NewsSource
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.gather.feeds import parse_feed
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.pagemeta import read_meta
from dsn_nlp.gather.pages import MAX_TAGS, extract_page
from dsn_nlp.gather.press import read_press
from dsn_nlp.gather.sitemaps import parse_sitemap
from tests.measure import fuzz as news
from tests.measure import fuzz_comments as comments
from tests.measure.world import feed_text

Read = Callable[[bytes], object]
# Of processor time, for one input.
SECONDS = 10.0
FEEDS = ("rss2", "rss091", "rdf", "atom")
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")
_PRESS = NewsSource.model_validate({"name": "s", "press": _FOLDER.name})


def read_feed(body: bytes) -> object:
    """RSS, RDF, Atom and JSON Feed."""
    return parse_feed(_response(body, "application/xml"), "https://j.ca/feed")


def read_sitemap(body: bytes) -> object:
    """Sitemaps, packed or not."""
    return parse_sitemap(_response(body, "application/xml"), 1_000_000)


def read_metadata(body: bytes) -> object:
    """What a page says of itself: JSON-LD, meta elements, links, dates."""
    if body.count(b"<") > MAX_TAGS:
        return None
    tree = trafilatura.load_html(decode(body))
    return read_meta(tree, "https://j.ca/x") if isinstance(tree, HtmlElement) else None


def read_page(body: bytes) -> object:
    """A page, its article and all."""
    return extract_page(_response(body, "text/html"))


def read_press_review(body: bytes) -> object:
    """JSON Lines of a press-review service."""
    path = Path(_FOLDER.name) / "p.jsonl"
    path.write_bytes(body)
    return list(read_press(path, _PRESS))


def read_csv(body: bytes) -> object:
    """Staff comments as CSV."""
    return _comments(body, "csv")


def read_jsonl(body: bytes) -> object:
    """Staff comments as JSON Lines."""
    return _comments(body, "jsonl")


TARGETS: dict[str, Read] = {
    "feed": read_feed,
    "sitemap": read_sitemap,
    "metadata": read_metadata,
    "page": read_page,
    "press": read_press_review,
    "csv": read_csv,
    "jsonl": read_jsonl,
}


def seeds(target: str) -> list[bytes]:
    """Good inputs to start from."""
    if target in ("csv", "jsonl"):
        return comments.seeds(target)
    if target == "feed":  # of one entry: feedparser takes its time, the longer the feed the more
        one = [feed_text(kind, news.LINKS[:1]).encode() for kind in FEEDS]
        return [*one, news.JSON_FEED]
    with tempfile.TemporaryDirectory() as folder:
        return news.kinds(Path(folder))["page" if target == "metadata" else target][0]


def tokens() -> list[bytes]:
    """Bits that such readers stumble over, for the fuzzer's dictionary."""
    return [t for t in {*news.TOKENS, *comments.NASTY} if len(t) <= 60]


def check(target: str, body: bytes) -> None:
    """Read an input; anything but a result or a refusal in one line is raised.

    :raises AssertionError: when a refusal takes more than one line, or reading 10 s.
    """
    started = time.process_time()
    try:
        TARGETS[target](body)
    except DsnNlpError as error:
        if "\n" in str(error):
            raise AssertionError("a refusal of more than one line") from error
    assert time.process_time() - started < SECONDS, "too slow"


def _comments(body: bytes, kind: str) -> object:
    path = Path(_FOLDER.name) / f"x.{kind}"
    path.write_bytes(body)
    fields = {"name": "s", "path": path, "columns": comments.COLUMNS, "settle_seconds": 0}
    return list(read_comments(CommentSource.model_validate(fields), comments.KEY))


def _response(body: bytes, kind: str) -> Response:
    return Response("https://j.ca/x", 200, kind, None, body)
