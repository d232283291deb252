"""Labelling of what is stored: here and whole, or by ranges of passage ids on many machines.

Passages are labelled in the order of their ids, and a label is written once whoever writes it, so
that the ranges of a night may be cut anew, repeated or taken over without a trace in the store.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dsn_nlp.bounds import contained
from dsn_nlp.config import Settings
from dsn_nlp.contexts import tell_contexts
from dsn_nlp.errors import ConfigError, ModelError, RunInProgressError, StoreError
from dsn_nlp.label.routing import Router, Serving, read_serving
from dsn_nlp.store import Store
from dsn_nlp.store.engine import parse_url

Progress = Callable[[int, int], None]

logger = logging.getLogger(__name__)
# Texts whose scores a process keeps: 20 MB.
REMEMBERED = 2**16
_loading = threading.Lock()
_loaded: dict[tuple[str, int], Router] = {}


@dataclass(frozen=True, slots=True)
class PassageRange:
    """Passage ids from ``first`` on, ``until`` excluded; ``None`` is past the last one."""

    first: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Shares:
    """What there is to label, cut for others.

    :ivar digest: of the model that is to label, from :func:`digest_of`.
    :ivar passages: how many have no label of it.
    """

    digest: str
    passages: int
    ranges: tuple[PassageRange, ...]


def digest_of(serving: Serving) -> str:
    """Name the very files that serve: SHA-256 over the manifests, which hold their checksums."""
    written = json.dumps(serving.record, sort_keys=True)
    return hashlib.sha256(f"{serving.model}\n{written}".encode()).hexdigest()


def load_once(serving: Serving, threads: int) -> Router:
    """Load what serves, once in the life of a process; what served before is let go.

    :raises ModelError: when a model is missing, altered, or cannot be loaded.
    """
    key = (digest_of(serving), threads)
    with _loading:  # the threads of a worker must not each load it
        if key not in _loaded:
            _loaded.clear()
            _loaded[key] = serving.load(threads, REMEMBERED)
        return _loaded[key]


def register(store: Store, serving: Serving) -> None:
    """Make what serves known to the store, so that labels may name it."""
    store.register_model(
        serving.model, serving.name, serving.version, serving.record, serving.corpus_digest
    )


def label_all(
    store: Store, settings: Settings, run_id: str, serving: Serving, total: int, progress: Progress
) -> int:
    """Label every passage that has no label of what serves.

    :return: how many.
    """
    started = time.monotonic()
    classifier = load_once(serving, settings.labelling.threads)
    done, after = 0, ""
    while passages := store.unlabelled(
        classifier.model, settings.labelling.batch_passages, after=after
    ):
        store.add_labels(run_id, classifier.label(passages))
        store.renew_lease(run_id)
        done, after = done + len(passages), passages[-1].passage_id
        progress(done, total)
    logger.info("labelled %d passages in %.1f s", done, time.monotonic() - started)
    return done


def check_scale(settings: Settings) -> None:
    """Make sure that labelling can be shared out as the settings ask.

    :raises ConfigError: when the store is one that several machines cannot write to.
    """
    url = parse_url(settings.store.url.get_secret_value())
    if settings.scale.task_runner == "dask" and url.get_backend_name() != "postgresql":
        raise ConfigError(
            'scale.task_runner = "dask" needs a store in PostgreSQL, where several may write; '
            'set store.url = "postgresql://…", or task_runner = "here"'
        )


def cut_shares(store: Store, serving: Serving, size: int) -> Shares:
    """Cut what is not labelled yet into ranges of ``size`` passages; the last is open."""
    total = store.count_unlabelled(serving.model)
    first = store.cut_unlabelled(serving.model, size) if total else []
    ends = [*first[1:], None]
    ranges = (PassageRange(*both) for both in zip(first, ends, strict=False))
    return Shares(digest_of(serving), total, tuple(ranges))


@contained
def share_out(settings: Settings, run_id: str) -> Shares:
    """Tell contexts here, and cut what is to be labelled into ranges for others to label.

    :raises ModelError: when the serving model is missing or altered.
    """
    serving = read_serving(settings.labelling)
    with Store.open(settings.store.url.get_secret_value()) as store:
        tell_contexts(store, settings, run_id)
        register(store, serving)
        return cut_shares(store, serving, settings.scale.range_passages)


@contained
def label_range(settings: Settings, run_id: str, digest: str, part: PassageRange) -> int:
    """Label what one range still lacks; the lease is renewed by whoever shares out.

    :param digest: of what serves where the ranges were cut, from :func:`digest_of`.
    :return: how many passages were labelled.
    :raises ModelError: when another model serves here.
    :raises RunInProgressError: when another run has taken over.
    """
    serving = read_serving(settings.labelling)
    if digest_of(serving) != digest:
        raise ModelError(
            f"{settings.labelling.models}: {serving.model} serves here, and another model where "
            "the night began; bring every worker the same models folder"
        )
    done, after = 0, ""
    with Store.open(settings.store.url.get_secret_value()) as store:
        while passages := store.unlabelled(
            serving.model,
            settings.labelling.batch_passages,
            after=after,
            first=part.first,
            until=part.until,
        ):
            classifier = load_once(serving, settings.scale.threads)
            done += store.add_labels(run_id, classifier.label(passages))
            after = passages[-1].passage_id
    return done


@contextmanager
def kept_lease(settings: Settings, run_id: str) -> Iterator[None]:
    """Renew a run's lease for as long as others work for it, three times in its length.

    A store that is away for a moment is asked again; once another run has taken over, or the run
    has ended, nobody may write for it any more and there is nothing to renew.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(settings.run.lease_minutes * 20):
            try:
                with Store.open(settings.store.url.get_secret_value()) as store:
                    store.renew_lease(run_id)
            except RunInProgressError:
                return
            except StoreError as error:
                logger.warning("run %s: its lease could not be renewed (%s)", run_id, error)

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
