"""One visit to a news source: each new article becomes a document, or says why it could not."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, takewhile

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError, FetchError, TransientFetchError
from dsn_nlp.gather.articles import Found, Moments, judge, renamed
from dsn_nlp.gather.feeds import FeedEntry
from dsn_nlp.gather.fetch import Client, Response
from dsn_nlp.gather.indexes import Window, announced
from dsn_nlp.gather.links import refused
from dsn_nlp.gather.offline import read_offline
from dsn_nlp.gather.pages import Page, PaywallError, extract_page
from dsn_nlp.records import Document, Postponed, Rejection

logger = logging.getLogger(__name__)
_ENTRIES_A_LOOK = 200


class Visit:
    """One visit to a news source; iterate over it, then read what it has taught.

    :param known: tells which of some canonical addresses need no fetching.
    :param read: reads the article out of a page.
    :param postponed: pages that did not come on earlier nights.
    :param window: of a backfill; without it, what is new since the last visit is gathered.
    :param stopped: asked between two pages; the visit then breaks off.
    :raises TransientFetchError: when the source itself may answer another time; a page never
        raises, and its rejection begins with ``transient:`` when it is asked for again.
    :raises InputError: when a file or folder of the source is missing.
    """

    def __init__(
        self,
        client: Client,
        source: NewsSource,
        known: Callable[[Sequence[str]], set[str]],
        *,
        read: Callable[[Response], Page] = extract_page,
        postponed: Iterable[Postponed] = (),
        window: Window | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._client, self._source, self._known, self._read = client, source, known, read
        self._window, self._stopped = window, stopped
        self._before = {page.link: page for page in postponed}
        self._stored: set[str] = set()
        self._asked = 0
        self._broken_off = False
        self._later = dict(self._before)
        #: The newest publication seen.
        self.newest: datetime | None = None
        #: Whether all that is announced was taken up.
        self.whole = True

    def __iter__(self) -> Iterator[Document | Rejection]:
        if self._source.pages is not None or self._source.press is not None:
            memory = self._client.memory
            found = read_offline(self._source, memory, self._read, self._known)
            yield from self._judged(takewhile(lambda _: not self._ends(), found))
            return
        yield from self._announced()
        if self._window is None:
            yield from self._again()

    @property
    def postponed(self) -> list[Postponed]:
        """All pages to ask another night, those that this visit did not come to among them."""
        return list(self._later.values())

    def try_one(self, entry: FeedEntry) -> Document | Rejection:
        """Ask for one article and judge it, outside of any order."""
        found = self._ask(entry)
        return found if isinstance(found, Rejection) else judge(self._source, found)

    def _announced(self) -> Iterator[Document | Rejection]:
        source = self._source
        most = self._client.settings.max_sitemap_bytes
        try:
            found = announced(self._client, source, self._window, most)
            while not self._broken_off and (some := list(islice(found, _ENTRIES_A_LOOK))):
                yield from self._look(some)
        except TransientFetchError:
            raise
        except (FetchError, ExtractionError) as error:
            self.whole = False
            yield Rejection(source.name, source.place, "gather", str(error), "bad_source")

    def _look(self, found: list[FeedEntry | Rejection]) -> Iterator[Document | Rejection]:
        entries = {one.link: one for one in found if isinstance(one, FeedEntry)}
        known = self._known(list(entries)) | self._stored
        for one in found:
            if isinstance(one, Rejection):
                self.whole = self.whole and not one.reason.startswith("transient:")
                yield one
            elif reason := refused(one.link, self._source):
                if self._source.domains and "domain" in reason:
                    yield Rejection(self._source.name, one.link, "index", reason, "other_domain")
            else:
                self._note(one.published_at)
                if one.link not in known and entries.get(one.link) is one:
                    yield from self._take(one)

    def _again(self) -> Iterator[Document | Rejection]:
        """Ask again for pages that did not come, where the source no longer announces them."""
        left = [page for link, page in self._before.items() if link not in self._stored]
        known = self._known([page.link for page in left])
        for page in left:
            if page.link in known and page.attempts:
                self._later.pop(page.link)
            else:
                yield from self._take(FeedEntry(page.link, page.title, page.published_at, ""))

    def _take(self, entry: FeedEntry) -> Iterator[Document | Rejection]:
        if self._ends():
            return
        self._asked += 1
        self._later.pop(entry.link, None)
        self._stored.add(entry.link)
        yield from self._judged([self._ask(entry)])

    def _ends(self) -> bool:
        """Tell whether the visit breaks off here."""
        if not self._broken_off and (self._stopped() or self._asked >= self._source.max_articles):
            logger.info("%s: breaks off after %d pages", self._source.name, self._asked)
            self._broken_off, self.whole = True, False
        return self._broken_off

    def _judged(self, found: Iterable[Found | Rejection]) -> Iterator[Document | Rejection]:
        for one in found:
            judged = one if isinstance(one, Rejection) else judge(self._source, one)
            if isinstance(judged, Rejection):
                yield judged
                continue
            self._note(judged.published_at)
            if self._window and not self._window.holds(judged.published_at):
                continue
            url = judged.url
            if url and judged.link and (url in self._stored or self._known([url])):
                yield renamed(judged, self._source)
                continue
            self._stored.add(url or "")
            yield judged

    def _ask(self, entry: FeedEntry) -> Found | Rejection:
        name = self._source.name
        try:
            page = self._read(self._client.get(entry.link))
        except TransientFetchError as error:
            return self._postpone(entry, str(error))
        except FetchError as error:
            return Rejection(name, entry.link, "gather", str(error), "not_there")
        except PaywallError as error:
            return Rejection(name, entry.link, "extract", str(error), "paywall")
        except ExtractionError as error:
            return Rejection(name, entry.link, "extract", str(error), "no_article")
        except Exception as error:
            # Strangers' HTML finds ways through three parsers that none of them foresaw; one page
            # must not end the night.
            reason = f"the page cannot be read ({type(error).__name__})"
            return Rejection(name, entry.link, "extract", reason, "no_article")
        moments: Moments = (("page", page.moment), ("source", entry.moment))
        return Found(entry.link, entry.link, page, entry.title, moments, entry.changed_at)

    def _postpone(self, entry: FeedEntry, reason: str) -> Rejection:
        before = self._before.get(entry.link)
        attempts = (before.attempts if before else 0) + 1
        if attempts >= self._client.settings.page_nights:
            reason = f"given up after {attempts} nights: {reason}"
            return Rejection(self._source.name, entry.link, "gather", reason, "given_up")
        page = Postponed(entry.link, entry.title, entry.published_at, attempts)
        self._later[entry.link] = page
        reason = f"transient: {reason}"
        return Rejection(self._source.name, entry.link, "gather", reason, "transient")

    def _note(self, at: datetime | None) -> None:
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at
