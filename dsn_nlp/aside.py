"""Labelling beside the preparation: while comments are de-identified, the first are labelled.

Preparation keeps one core busy; the others label meanwhile. Nothing depends on it: what is not
labelled aside, for whatever reason, is left to the night's labelling.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dsn_nlp.config import Settings
from dsn_nlp.label.routing import read_serving
from dsn_nlp.labelling import load_once, register
from dsn_nlp.records import Passage
from dsn_nlp.store import Store

logger = logging.getLogger(__name__)
# Passages that wait at most: where labelling is the slower, the rest is read from the store later.
MOST_WAITING = 4096


class Aside:
    """Labels passages that are stored already, in a thread of its own.

    :ivar labelled: how many were labelled so far.
    """

    def __init__(self, store: Store, settings: Settings, run_id: str) -> None:
        self._store, self._settings, self._run_id = store, settings, run_id
        self._size = settings.labelling.batch_passages
        self._waiting: deque[Passage] = deque()
        self._news = threading.Condition()
        self._over = False
        self.labelled = 0
        self._thread = threading.Thread(target=self._label, name="aside", daemon=True)

    def offer(self, passages: Sequence[Passage]) -> None:
        """Take passages that are stored, as far as there is room."""
        with self._news:
            if not self._over and len(self._waiting) + len(passages) <= MOST_WAITING:
                self._waiting.extend(passages)
                self._news.notify()
        if self._thread.ident is None and len(self._waiting) >= self._size:
            self._thread.start()  # only now is a model worth loading

    def close(self) -> None:
        """End after the batch that is being labelled."""
        with self._news:
            self._over = True
            self._waiting.clear()
            self._news.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _label(self) -> None:
        try:
            serving = read_serving(self._settings.labelling)
            classifier = load_once(serving, self._settings.labelling.threads)
            register(self._store, serving)
            while batch := self._next():
                self.labelled += self._store.add_labels(self._run_id, classifier.label(batch))
        except Exception as error:
            # The labelling of the night meets it again, and says what it is.
            logger.info("labelling aside ended (%s)", type(error).__name__)
        with self._news:
            self._over = True
            self._waiting.clear()

    def _next(self) -> list[Passage]:
        with self._news:
            while len(self._waiting) < self._size and not self._over:
                self._news.wait()
            if self._over:
                return []
            return [self._waiting.popleft() for _ in range(self._size)]


@contextmanager
def labelled_aside(store: Store, settings: Settings, run_id: str) -> Iterator[Aside]:
    """Label aside for as long as this lasts; where others label, nothing is taken."""
    aside = Aside(store, settings, run_id)
    if settings.scale.task_runner != "here":
        aside.close()
    try:
        yield aside
    finally:
        aside.close()
