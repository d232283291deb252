"""From what a page or clipping says to the document that is stored, or why it is not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dsn_nlp.config import NewsSource
from dsn_nlp.gather.dates import Moment
from dsn_nlp.gather.links import site_of
from dsn_nlp.gather.pages import Page
from dsn_nlp.prepare.screen import screen
from dsn_nlp.records import DatedBy, Document, Language, Rejection
from dsn_nlp.text import content_id, tell_language

Moments = tuple[tuple[DatedBy, Moment | None], ...]
_PRECISIONS = ("zoned", "local", "day")


@dataclass(frozen=True, slots=True)
class Found:
    """An article as it was found, before it is judged.

    ``link`` is where it was announced, and ``moments`` are the times it may be of, the more
    trusted first; ``fallback_at`` stands in where none is told.
    """

    place: str
    link: str | None
    page: Page = field(repr=False)
    title: str | None
    moments: Moments
    fallback_at: datetime | None = None
    lang: Language | None = None


def judge(source: NewsSource, found: Found) -> Document | Rejection:
    """Make an article a document, or say why it is none of ours."""
    title = found.title or found.page.title
    if found.page.lead_only and source.paywall == "reject":
        reason = f"behind a paywall: {len(found.page.text)} characters of lead only"
        return Rejection(source.name, found.place, "extract", reason, "paywall")
    if source.keep == "dsn":
        screening = screen(title or "", found.page.text, source.relevance)
        if not screening.relevant:
            reason = f"off topic: {screening.reason}"
            return Rejection(source.name, found.place, "screen", reason, "off_topic")
    return _document(source, found, title)


def _document(source: NewsSource, found: Found, title: str | None) -> Document:
    page = found.page
    url = page.canonical or found.link
    at, dated_by = date_of(found.moments, found.fallback_at)
    identity = ("article", url) if url else ("press", source.name, title or "", page.text)
    return Document(
        document_id=content_id(*identity),
        kind="article",
        source=source.name,
        text=page.text,
        lang=tell_language(page.text, found.lang or source.lang),
        url=url,
        title=title,
        published_at=at,
        link=found.link if found.link != url else None,
        outlet=page.outlet or (site_of(url) if url else None),
        authors="; ".join(page.authors) or None,
        section=page.section,
        access="lead" if page.lead_only else "full",
        dated_by=dated_by,
    )


def date_of(
    moments: Iterable[tuple[DatedBy, Moment | None]], fallback_at: datetime | None = None
) -> tuple[datetime, DatedBy]:
    """Choose a publication time: the most exact one told, the more trusted among equals.

    What no one dates is dated by when it was gathered, so that it has its one day, too.
    """
    told = [(by, moment) for by, moment in moments if moment is not None]
    if not told:
        return fallback_at or datetime.now(UTC), "gathered"
    by, best = min(told, key=lambda one: _PRECISIONS.index(one[1].precision))
    return best.at, "day" if best.precision == "day" else by


def renamed(document: Document, source: NewsSource) -> Rejection:
    """Say that an article is stored already under its canonical address."""
    place = document.link or document.url or ""
    return Rejection(
        source.name, place, "screen", f"the same article as {document.url}", "duplicate"
    )
