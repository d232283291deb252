"""The stages of a night, as plain functions that the CLI and the Prefect flow both compose.

Each stage opens what it needs from the settings, writes its results to the store, and returns a
``Tally`` of counts. Nothing else comes out: no text, no row, no client. An exception that is not
one of ours is replaced by a ``StageError`` that names its type only, since a foreign message may
quote what it stumbled over.
"""

import functools
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from dsn_nlp import __version__
from dsn_nlp.aside import labelled_aside
from dsn_nlp.bounds import contained, patiently
from dsn_nlp.config import CommentSource, NewsSource, Settings, comment_key
from dsn_nlp.contexts import tell_contexts
from dsn_nlp.errors import (
    ConfigError,
    InputError,
    StoreError,
    TransientFetchError,
)
from dsn_nlp.label.routing import read_serving
from dsn_nlp.labelling import Progress, label_all, register
from dsn_nlp.records import Comment, Document, Passage, Rejection, Tally
from dsn_nlp.reporting import report_night
from dsn_nlp.store import Store

if TYPE_CHECKING:
    from dsn_nlp.gather.indexes import Window

T = TypeVar("T")

logger = logging.getLogger(__name__)
# Comments that are de-identified together and stored in one transaction: among so many, most
# have others of their length beside them, and the tagger reads them a fifth faster than among 64.
BATCH_COMMENTS = 512
# Articles come one by one, each after a polite pause: a night that is killed loses few of them,
# and the lease is renewed in time even where each page takes until its deadline.
BATCH_ARTICLES = 8


@contained
def begin_night(settings: Settings) -> str:
    """Open the store (migrating it where needed) and take its lease.

    :return: the run's id.
    :raises RunInProgressError: when another night is under way.
    :raises StoreError: when the store cannot be opened.
    """
    read_serving(settings.labelling)
    with open_store(settings) as store:
        return store.begin_run(__version__, timedelta(minutes=settings.run.lease_minutes))


@contained
def take_articles(
    settings: Settings,
    run_id: str,
    source_name: str,
    window: "Window | None" = None,
    stop: threading.Event | None = None,
) -> Tally:
    """Gather one news source: new articles are stored with their passages.

    What the visit has taught of the source is kept at its end, once all its articles are stored.

    :param window: days that a backfill asks for; without it, what is new is gathered.
    :param stop: when set, the visit breaks off after the page it is at.
    :raises TransientFetchError: when the source itself may answer another time.
    """
    from dsn_nlp.gather.memory import Memory
    from dsn_nlp.gather.mirror import open_client
    from dsn_nlp.gather.news import Visit
    from dsn_nlp.gather.reader import shared_readers

    source = _named(settings, source_name)
    if not isinstance(source, NewsSource):
        raise ConfigError(f"'{source_name}' is not a news source")
    with open_store(settings) as store:
        memory = Memory(source.name, store.recall)
        with open_client(settings.gather, memory) as client:
            visit = Visit(
                client,
                source,
                functools.partial(store.known_among, source.name),
                read=shared_readers(settings.gather).read,
                postponed=store.postponed(source.name),
                window=window,
                stopped=stop.is_set if stop else lambda: False,
            )
            tally = store_all(
                store, settings, run_id, source.name, visit, lambda found: found, BATCH_ARTICLES
            )
        learnt = memory.learnt(visit.whole)
        store.end_visit(run_id, source.name, visit.newest, visit.postponed, learnt)
        store.settle_source(run_id, source.name)
        if window is not None and visit.whole:
            store.note_covered(run_id, source.name, window.start, window.end)
    return tally


@contained
def take_comments(settings: Settings, run_id: str, source_name: str) -> Tally:
    """Read one comment source; what is new is de-identified, then stored with its passages.

    Raw comments live in this call alone.

    :raises InputError: when the file is missing or lacks a mapped column.
    """
    from dsn_nlp.gather.deliveries import Intake
    from dsn_nlp.receiving import only_new, remembered, sealer_of

    source, key = comment_source(settings, source_name), comment_key(settings)
    with open_store(settings) as store, labelled_aside(store, settings, run_id) as aside:
        known = store.known_deliveries(source.name)
        intake = Intake(source, key, known, sealer_of(settings, key))
        make_safe = functools.partial(deidentified, settings)
        tallies, left_out = [], Counter[str]()
        for delivery in intake:
            found = only_new(store, delivery.found, left_out)
            tallies.append(
                store_all(
                    store, settings, run_id, source.name, found, make_safe, stored=aside.offer
                )
            )
            if delivery.is_settled():
                store.add_delivery(run_id, remembered(intake, delivery))
    counts = add_up(tallies, ("documents", "passages", "rejected"))
    if aside.labelled:
        counts["labelled"] = aside.labelled
    if left_out["known"]:
        logger.info(
            "%s: %d comments left out, known already (%d by their words alone)",
            source.name, left_out["known"], left_out["alike"],
        )  # fmt: skip
        counts |= {name: count for name, count in left_out.items() if count}
    if intake.waiting:
        logger.info("%s: still being written: %s", source.name, ", ".join(intake.waiting))
        counts["waiting"] = len(intake.waiting)
    return Tally(source.name, counts)


@contained
def set_source_aside(settings: Settings, run_id: str, source_name: str, reason: str) -> Tally:
    """Record that a whole source could not be read, so that the night goes on without it.

    :param reason: the message of one of our errors; never foreign text.
    """
    with open_store(settings) as store:
        store.add_rejections(run_id, [Rejection(source_name, source_name, "source", reason)])
        store.reopen_source(run_id, source_name, reason)
        if source_name in {news.name for news in settings.news}:
            store.note_failure(run_id, source_name)
    return Tally(source_name, {"documents": 0, "passages": 0, "rejected": 1})


@contained
def label_passages(
    settings: Settings, run_id: str, progress: Progress = lambda done, total: None
) -> Tally:
    """Tell what is not told yet: contexts of documents, then labels of the serving model.

    The model is loaded only when there is something to label.

    :raises ModelError: when the serving model is missing or altered.
    """
    serving = read_serving(settings.labelling)
    with open_store(settings) as store:
        tell_contexts(store, settings, run_id)
        register(store, serving)
        total = store.count_unlabelled(serving.model)
        if total:
            label_all(store, settings, run_id, serving, total, progress)
    return Tally("label", {"labelled": total})


@contained
def enforce_retention(settings: Settings) -> Tally:
    """Erase what has been kept for as long as the settings allow.

    :raises StoreError: when the store cannot erase; the night must not pass that over.
    """
    from dsn_nlp.privacy.retention import enforce

    with open_store(settings) as store:
        erased = enforce(store, settings)
    for source, count in erased.items():
        logger.info("%s: %d documents erased, their time was up", source, count)
    return Tally("retention", {"expired": sum(erased.values())})


@contained
def publish_night(
    settings: Settings,
    run_id: str,
    tallies: list[Tally],
    release: bool = False,
    watched: bool = True,
) -> dict[str, int]:
    """Show the night to readers, whole, in one transaction, once its watch has judged it.

    :param release: whatever the watch says.
    :param watched: false for runs unlike any night, such as a backfill: they are not judged, and
        no later night is compared with them.
    :return: the night's counts.
    :raises HeldError: when an alarm was raised and ``watch.gate`` is ``hold``.
    """
    from dsn_nlp.watch.night import export_metrics, watch_night

    counts = add_up(tallies)
    serving = read_serving(settings.labelling)
    with open_store(settings) as store:
        if watched:
            watch_night(settings, store, run_id, tallies, serving, release)
        store.publish(run_id, counts, serving.model)
        export_metrics(settings, store, run_id, counts, tallies)
    return counts


@contained
def abandon_night(settings: Settings, run_id: str) -> None:
    """Give the lease back after a failure; the next night takes over what is stored.

    A store that refuses even that must not hide the failure that led here: the lease then expires.
    """
    try:
        with open_store(settings) as store:
            store.fail_run(run_id)
    except StoreError as error:
        logger.warning("run %s: its lease could not be given back (%s)", run_id, error)


@contained
def abandon_own(settings: Settings) -> None:
    """Give back the lease of a night that this very process began and lost track of."""
    with open_store(settings) as store:
        store.fail_own_run()


def take_source(
    settings: Settings, run_id: str, source_name: str, stop: threading.Event | None = None
) -> Tally:
    """Gather one source of either kind; an unreadable one is set aside with its reason.

    :param stop: when set, a visit to a news source breaks off after the page it is at.
    :raises TransientFetchError: when the source may answer another time.
    """
    try:
        if source_name in {source.name for source in settings.news}:
            return take_articles(settings, run_id, source_name, stop=stop)
        return take_comments(settings, run_id, source_name)
    except InputError as error:
        return set_source_aside(settings, run_id, source_name, str(error))


def take_sources(
    settings: Settings,
    run_id: str,
    names: list[str],
    take: Callable[..., Tally] = take_source,
) -> Iterator[Tally]:
    """Gather sources: news side by side, since they wait for others; comments one by one.

    A source that is down delays none of the others. When one fails for good, or the caller
    stops, the others break off after the page they are at.

    :param take: gathers one source.
    :return: counts in the order of ``names``.
    """
    news = {source.name for source in settings.news}
    stop = threading.Event()
    with ThreadPoolExecutor(settings.gather.sources_at_once, "gather") as threads:
        begun: dict[str, Future[Tally]] = {
            name: threads.submit(_take_or_set_aside, settings, run_id, name, take, stop)
            for name in names
            if name in news
        }
        try:
            for name in names:
                if name in begun:
                    yield begun[name].result()
                else:
                    yield _take_or_set_aside(settings, run_id, name, take, stop)
        finally:
            stop.set()
            for future in begun.values():
                future.cancel()


@contextmanager
def open_night(settings: Settings, begin: Callable[[Settings], str] = begin_night) -> Iterator[str]:
    """Hold the store's lease for a night; one that ends in a failure gives it back.

    :param begin: how the lease is taken.
    :return: the run's id.
    :raises DsnNlpError: as :func:`begin_night`, and whatever the night raises.
    """
    run_id = begin(settings)
    try:
        yield run_id
    except BaseException:  # a timeout or a cancellation, too
        abandon_night(settings, run_id)
        raise


def run_night(
    settings: Settings,
    on_tally: Callable[[Tally], None] = lambda tally: None,
    progress: Progress = lambda done, total: None,
    release: bool = False,
) -> dict[str, int]:
    """Run a whole night without Prefect.

    A stage that finds the store away for a moment is asked again, as Prefect would.

    :param on_tally: told of each stage's counts as it ends.
    :param progress: told how many passages of how many are labelled.
    :param release: publish whatever the watch of the night says.
    :raises DsnNlpError: as the stages; what was stored stays for the next night.
    """
    with open_night(settings, lambda settings: patiently(lambda: begin_night(settings))) as run_id:
        tallies = [patiently(lambda: enforce_retention(settings))]
        for tally in take_sources(settings, run_id, settings.source_names(), _take_patiently):
            tallies.append(tally)
            on_tally(tally)
        tallies.append(patiently(lambda: label_passages(settings, run_id, progress)))
        on_tally(tallies[-1])
        counts = patiently(lambda: publish_night(settings, run_id, tallies, release))
    report_night(settings, run_id)
    return counts


def _take_patiently(
    settings: Settings, run_id: str, name: str, stop: threading.Event | None = None
) -> Tally:
    return patiently(lambda: take_source(settings, run_id, name, stop))


def open_store(settings: Settings) -> Store:
    """Open the store that the settings name.

    :raises StoreError: when it cannot be opened.
    """
    return Store.open(settings.store.url.get_secret_value())


def add_up(
    tallies: Iterable[Tally],
    names: Sequence[str] = ("documents", "passages", "rejected", "labelled"),
) -> dict[str, int]:
    """Add the counts of stages.

    :param names: counts that are there even when no stage tells them.
    """
    total = dict.fromkeys(names, 0)
    for tally in tallies:
        for name, count in tally.counts.items():
            total[name] = total.get(name, 0) + count
    return total


def _take_or_set_aside(
    settings: Settings, run_id: str, name: str, take: Callable[..., Tally], stop: threading.Event
) -> Tally:
    try:
        return take(settings, run_id, name, stop=stop)
    except TransientFetchError as error:
        return set_source_aside(settings, run_id, name, f"transient: {error}")


def _named(settings: Settings, name: str) -> NewsSource | CommentSource:
    sources: list[NewsSource | CommentSource] = [*settings.news, *settings.comments]
    for source in sources:
        if source.name == name:
            return source
    raise ConfigError(f"no source is named '{name}'; the settings name {settings.source_names()}")


def comment_source(settings: Settings, name: str) -> CommentSource:
    """Find a comment source by name.

    :raises ConfigError: when there is none of this name.
    """
    source = _named(settings, name)
    if not isinstance(source, CommentSource):
        raise ConfigError(f"'{name}' is not a comment source")
    return source


def deidentified(settings: Settings, comments: list[Comment]) -> Iterable[Document]:
    """Make comments safe to store, with the tagger that the settings name.

    :raises ModelError: when the tagger is missing or altered; nothing weaker stands in for it.
    """
    from dsn_nlp.prepare.deid_folder import tagger_folder
    from dsn_nlp.prepare.deidentify import deidentifier

    named = settings.prepare.deidentifier
    return deidentifier(named or tagger_folder(settings.labelling.models)).deidentify(comments)


def store_all(
    store: Store,
    settings: Settings,
    run_id: str,
    source: str,
    found: Iterable[T | Rejection],
    make_safe: Callable[[list[T]], Iterable[Document]],
    size: int = BATCH_COMMENTS,
    stored: Callable[[list[Passage]], None] = lambda passages: None,
) -> Tally:
    """Store documents with their passages, and rejections, batch by batch.

    :param stored: told the passages of each batch's new documents, once they are stored.
    """
    from dsn_nlp.prepare.passages import split_document

    counts = {"documents": 0, "passages": 0, "rejected": 0}
    for batch in batched(found, size):
        raw = [each for each in batch if not isinstance(each, Rejection)]
        pairs: list[tuple[Document, list[Passage]]] = [
            (document, split_document(document, settings.prepare.max_tokens))
            for document in (make_safe(raw) if raw else ())
        ]
        new = set(store.add_documents(run_id, pairs))
        counts["documents"] += len(new)
        cut = [one for _, passages in pairs for one in passages if one.document_id in new]
        counts["passages"] += len(cut)
        stored(cut)
        rejections = [each for each in batch if isinstance(each, Rejection)]
        counts["rejected"] += store.add_rejections(run_id, rejections) if rejections else 0
        store.renew_lease(run_id)
    logger.info("%s: %s", source, counts)
    return Tally(source, counts)


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a stream into lists of ``size``, the last one shorter."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
