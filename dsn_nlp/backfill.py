"""Gathering the articles of past days, and trying sources without storing anything.

A backfill is a night of its own: it takes the lease, labels what it finds and publishes it whole.
Run again, it asks only for pages that are neither stored nor refused for good, so that one that
was killed goes on where it stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

from dsn_nlp import stages
from dsn_nlp.config import CommentSource, NewsSource, Settings, comment_key
from dsn_nlp.errors import ConfigError, DsnNlpError
from dsn_nlp.gather.dates import day_of
from dsn_nlp.gather.feeds import FeedEntry
from dsn_nlp.gather.fetch import Client
from dsn_nlp.gather.indexes import Window, announced
from dsn_nlp.gather.links import refused
from dsn_nlp.gather.offline import offline_entries
from dsn_nlp.records import Cursor, Rejection, Tally

# A source that announces more is told by this many and a plus.
MAX_SHOWN = 10_000


def make_window(since: date, until: date) -> Window:
    """Make the days of a backfill, both included.

    :raises ConfigError: when they are in the wrong order, or ahead.
    """
    if since > until:
        raise ConfigError(f"--since {since} lies after --until {until}; exchange them")
    if since > day_of(datetime.now().astimezone()):
        raise ConfigError(f"--since {since} lies ahead; nothing was published then")
    return Window(since, until)


def backfill_sources(settings: Settings, names: list[str]) -> list[str]:
    """Choose the news sources that a backfill goes through; all without names.

    :raises ConfigError: when a name is not that of a news source.
    """
    news = [source.name for source in settings.news]
    for name in names:
        if name not in news:
            raise ConfigError(
                f"'{name}' is not a news source and cannot be backfilled (comments are read whole "
                f"every night); the settings name {', '.join(news) or 'none'}"
            )
    return [name for name in news if not names or name in names]


def take_past(settings: Settings, run_id: str, source_name: str, window: Window) -> Tally:
    """Gather the past of one source; one that cannot be read is set aside with its reason.

    :raises TransientFetchError: when the source may answer another time.
    """
    return _take(settings, run_id, source_name, window=window)


def _take(
    settings: Settings, run_id: str, source_name: str, stop: object = None, *, window: Window
) -> Tally:
    from threading import Event

    asked = stop if isinstance(stop, Event) else None
    return stages.take_articles(settings, run_id, source_name, window, asked)


def run_backfill(
    settings: Settings,
    window: Window,
    names: list[str],
    on_tally: Callable[[Tally], None] = lambda tally: None,
) -> dict[str, int]:
    """Run a whole backfill without Prefect.

    :param names: of news sources; all without any.
    :param on_tally: told of each stage's counts as it ends.
    :raises DsnNlpError: as a night; what was stored stays for the next one.
    """
    chosen = backfill_sources(settings, names)
    with stages.open_night(settings) as run_id:
        tallies = []
        for tally in stages.take_sources(settings, run_id, chosen, partial(_take, window=window)):
            tallies.append(tally)
            on_tally(tally)
        tallies.append(stages.label_passages(settings, run_id))
        on_tally(tallies[-1])
        return stages.publish_night(settings, run_id, tallies, watched=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one source would give tonight; ``trouble`` says what is wrong, if anything.

    ``untold`` counts rows that neither a response id nor a date tells from others of the same
    words. ``past`` are the first and last day (in Québec) of the stretch that backfills went
    through.

    ``announced`` counts entries or rows, ``new`` those that are not stored yet, and ``sample`` is
    the address of a new article that was tried, with ``sample_trouble`` where it failed.
    """

    source: str
    kind: str
    place: str
    announced: int = 0
    new: int = 0
    rejected: int = 0
    newest: datetime | None = None
    failures: int = 0
    untold: int = 0
    past: tuple[date, date] | None = None
    sample: str | None = None
    sample_trouble: str | None = None
    trouble: str | None = None


def try_source(settings: Settings, source: NewsSource | CommentSource) -> Trial:
    """Ask a source what it holds, and try one new article; nothing is stored.

    :raises StoreError: when the store cannot be opened.
    """
    with_kind = partial(Trial, source.name, kind_of(source), _place(source))
    try:
        if isinstance(source, CommentSource):
            return _try_comments(settings, source, with_kind)
        return _try_news(settings, source, with_kind)
    except DsnNlpError as error:
        return with_kind(trouble=str(error))


def kind_of(source: NewsSource | CommentSource) -> str:
    """Name what a source is."""
    if isinstance(source, CommentSource):
        return "comments"
    keys = ("feed", "sitemap", "urls", "pages", "press")
    return next(key for key in keys if getattr(source, key) is not None)


def _place(source: NewsSource | CommentSource) -> str:
    return source.place if isinstance(source, NewsSource) else str(source.path or "query")


def _try_comments(settings: Settings, source: CommentSource, made: Callable[..., Trial]) -> Trial:
    """Count rows; what they say stays in this call."""
    from dsn_nlp.gather.deliveries import read_comments

    announced = rejected = new = untold = 0
    newest: datetime | None = None
    with stages.open_store(settings) as store:
        for batch in stages.batched(read_comments(source, comment_key(settings)), 500):
            comments = [each for each in batch if not isinstance(each, Rejection)]
            rejected += len(batch) - len(comments)
            announced += len(comments)
            untold += sum(not comment.told_apart for comment in comments)
            ids = {comment.comment_id for comment in comments}
            new += len(ids - store.known_documents(ids))
            dates = [c.posted_at for c in comments if c.posted_at] + ([newest] if newest else [])
            newest = max(dates, default=None)
    return made(announced=announced, new=new, rejected=rejected, newest=newest, untold=untold)


def _try_news(settings: Settings, source: NewsSource, made: Callable[..., Trial]) -> Trial:
    from dsn_nlp.gather.mirror import open_client
    from dsn_nlp.gather.news import Visit
    from dsn_nlp.gather.reader import shared_readers

    with stages.open_store(settings) as store, open_client(settings.gather) as client:
        cursor = store.cursor(source.name)
        found = list(islice(_announced(client, source), MAX_SHOWN))
        entries = [one for one in found if isinstance(one, FeedEntry)]
        known = store.known_among(source.name, [one.link for one in entries if one.link])
        new = [one for one in entries if one.link not in known]
        visit = Visit(client, source, lambda urls: set(), read=shared_readers(settings.gather).read)
        online = not (source.pages or source.press)
        tried = visit.try_one(new[0]) if new and online else None
    return made(
        announced=len(entries),
        new=len(new),
        rejected=len(found) - len(entries),
        newest=max((one.published_at for one in entries if one.published_at), default=None),
        failures=cursor.failures if cursor else 0,
        past=_past(cursor),
        sample=new[0].link if tried else None,
        sample_trouble=tried.reason if isinstance(tried, Rejection) else None,
    )


def _past(cursor: Cursor | None) -> tuple[date, date] | None:
    if cursor is None or cursor.covered_since is None or cursor.covered_until is None:
        return None
    last = cursor.covered_until - timedelta(microseconds=1)
    return day_of(cursor.covered_since), day_of(last)


def _announced(client: Client, source: NewsSource) -> Iterator[FeedEntry | Rejection]:
    if source.pages or source.press:
        return offline_entries(source)
    found = announced(client, source, None, client.settings.max_sitemap_bytes)
    return (one for one in found if isinstance(one, Rejection) or not refused(one.link, source))
