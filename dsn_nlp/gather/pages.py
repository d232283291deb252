"""Reading the article out of a fetched page."""

import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import trafilatura
from lxml.html import HtmlElement

from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.dates import Moment, plausible, read_moment
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.markup import plain
from dsn_nlp.gather.pagemeta import NO_URL, PageMeta, read_meta
from dsn_nlp.text import normalise

# It warns of each page without an article; the rejection's reason says the same.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)
# 40,000 tags take trafilatura 1.7 s, 200,000 take 104 s; newspapers' pages have under 10,000.
MAX_TAGS = 40_000
MAX_BYTES = 2_000_000
MIN_CHARACTERS = 200
# What stands before a paywall is shorter; what claims to be walled and is longer was given whole.
MAX_LEAD = 1_500
_HTML = frozenset({"text/html", "application/xhtml+xml", ""})
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_WALL = re.compile(
    r"(article|contenu|texte|dossier)s? (est |sont )?(exclusivement |uniquement )?"
    r"réservée?s? (à nos |aux |à l['’]usage des )(abonn|membre)|(déjà|devenez|êtes-vous) abonné"
    r"|abonnez[- ]vous pour (lire|continuer|accéder|poursuivre)|pour lire la suite|il vous reste "
    r"\d{1,3}\s?% de cet article|(subscribe|sign in|log in|register)( now)? to (continue|keep) "
    r"reading|to (read|continue reading) (the full|this) (article|story)|already a subscriber"
    r"|(article|story|content) is (exclusive to|reserved for|for|available (only )?to) "
    r"(our )?(subscriber|member)|subscribers? only|you have reached your (article )?limit",
    re.IGNORECASE,
)


class PaywallError(ExtractionError):
    """Only the lead of the article stands there; the rest is for subscribers."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        super().__init__(f"behind a paywall: {characters} characters of lead only")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, and what it says about itself.

    ``moment`` is the most exact publication time found; ``canonical`` lies on the page's own
    site; ``lead_only`` when the rest is behind a paywall.
    """

    title: str | None
    text: str = field(repr=False)
    moment: Moment | None = None
    authors: tuple[str, ...] = ()
    section: str | None = None
    outlet: str | None = None
    canonical: str | None = None
    lead_only: bool = False

    @property
    def published_at(self) -> datetime | None:
        """The publication time, UTC."""
        return self.moment.at if self.moment else None


def extract_page(response: Response) -> Page:
    """Read the article out of a page: no menus, no readers' comments, no tables.

    :raises ExtractionError: with the reason alone, when there is no article to be read.
    """
    _check_readable(response)
    html = decode(response.body, response.charset or _declared_in(response.body))
    tree = trafilatura.load_html(html)
    if not isinstance(tree, HtmlElement):
        raise ExtractionError(_why_short(0))
    meta = read_meta(tree, response.url)
    walled = meta.walled or _says_walled(html)
    # Given the text and not the tree: it prunes what it is given.
    found = trafilatura.bare_extraction(
        html,
        url=None if response.url == NO_URL else response.url,
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        with_metadata=True,
    )
    return _page(found, meta, walled)


def _page(found: object, meta: PageMeta, walled: bool) -> Page:
    text = normalise(getattr(found, "text", None) or "")
    lead_only = walled and len(text) < MAX_LEAD
    if lead_only and len(text) < MIN_CHARACTERS:
        raise PaywallError(len(text))
    if len(text) < MIN_CHARACTERS:
        raise ExtractionError(_why_short(len(text)))
    return Page(
        title=plain(getattr(found, "title", None) or "") or None,
        text=text,
        moment=meta.published or _day(getattr(found, "date", None)),
        authors=meta.authors or _authors(getattr(found, "author", None)),
        section=meta.section,
        outlet=meta.outlet or plain(getattr(found, "sitename", None) or "") or None,
        canonical=meta.canonical,
        lead_only=lead_only,
    )


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


def _says_walled(html: str) -> bool:
    """The invitation to subscribe stands in the page, outside of scripts."""
    shown = re.sub(r"<(script|style)\b.*?</\1\s*>", " ", html, flags=re.DOTALL | re.IGNORECASE)
    return _WALL.search(re.sub(r"<[^>]{0,2000}>", " ", shown)) is not None


def _why_short(characters: int) -> str:
    if characters == 0:
        return "empty page: no article text (built by a script, or behind a wall)"
    return f"too short: {characters} characters of article text, under {MIN_CHARACTERS}"


def _authors(written: str | None) -> tuple[str, ...]:
    names = (plain(name)[:200] for name in (written or "").split(";"))
    return tuple(dict.fromkeys(filter(None, names)))[:20]


def _day(day: str | None) -> Moment | None:
    """Where only a day is told, its first moment in Québec stays the same day."""
    moment = read_moment(day)
    return moment if moment and plausible(moment.at, datetime.now(UTC)) else None
