"""From a feed to articles: each new entry becomes a document, or says why it could not."""

from collections.abc import Iterator

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError, FetchError, TransientFetchError
from dsn_nlp.gather.feeds import FeedEntry, canonical_url, read_feed
from dsn_nlp.gather.fetch import Client
from dsn_nlp.gather.pages import Page, extract_page
from dsn_nlp.prepare.screen import screen
from dsn_nlp.records import Document, Rejection
from dsn_nlp.text import content_id, tell_language

__all__ = ["FeedEntry", "canonical_url", "gather_news", "read_feed"]


def gather_news(
    client: Client, source: NewsSource, known_urls: set[str]
) -> Iterator[Document | Rejection]:
    """Gather the articles of a feed that are not known yet.

    :param known_urls: canonical URLs not to be asked for again.
    :raises TransientFetchError: when the feed itself may be there another time; a page never
        raises, and its rejection begins with ``transient:`` when it is worth asking again.
    """
    try:
        entries = read_feed(client, source)
    except TransientFetchError:
        raise
    except (FetchError, ExtractionError) as error:
        yield Rejection(source.name, source.feed, "gather", str(error))
        return
    for entry in entries:
        if entry.link not in known_urls:
            yield _gather_entry(client, source, entry)


def _gather_entry(client: Client, source: NewsSource, entry: FeedEntry) -> Document | Rejection:
    try:
        page = extract_page(client.get(entry.link))
        return _judge(source, entry, page)
    except TransientFetchError as error:
        return Rejection(source.name, entry.link, "gather", f"transient: {error}")
    except FetchError as error:
        return Rejection(source.name, entry.link, "gather", str(error))
    except ExtractionError as error:
        return Rejection(source.name, entry.link, "extract", str(error))
    except Exception as error:
        # Strangers' HTML finds ways through three parsers that none of them foresaw; one page
        # must not end the night.
        reason = f"the page cannot be read ({type(error).__name__})"
        return Rejection(source.name, entry.link, "extract", reason)


def _judge(source: NewsSource, entry: FeedEntry, page: Page) -> Document | Rejection:
    title = entry.title or page.title
    if source.keep == "dsn":
        screening = screen(title or "", page.text)
        if not screening.relevant:
            reason = f"off topic: {screening.reason}"
            return Rejection(source.name, entry.link, "screen", reason)
    return Document(
        document_id=content_id("article", entry.link),
        kind="article",
        source=source.name,
        text=page.text,
        lang=tell_language(page.text, source.lang),
        url=entry.link,
        title=title,
        published_at=entry.published_at or page.published_at,
    )
