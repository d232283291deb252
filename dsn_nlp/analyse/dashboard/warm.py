"""Pages that are asked for first are answered before anyone asks, after each published night."""

import contextlib
import importlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from dsn_nlp.analyse.dashboard import pages
from dsn_nlp.analyse.dashboard.panels import make_panel, tiles
from dsn_nlp.analyse.dashboard.view import View
from dsn_nlp.analyse.desk import Desk, Edition
from dsn_nlp.analyse.shares import shares
from dsn_nlp.config import Settings
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.records import COMPLAINTS, Language

_LANGUAGES: tuple[Language, ...] = ("fr", "en")
_SECONDS = 30.0
_OVERVIEW = ("trend", "sites", "roles", "changes", "labels", "pairs")
_OTHERS = ("press", "voices", "leads")
_CUTS = ("week", "site", "role", "since_golive")
# Each takes a second or two to import: at the start, not under the first reader's eyes.
_LIBRARIES = ("scipy.stats", "ruptures", "sklearn.decomposition", "sklearn.feature_extraction.text")
_PATIENCE = 10.0


class Readers:
    """Who is being answered now, so that what is made ahead gives way."""

    def __init__(self) -> None:
        self._count = 0
        self._gone = threading.Condition()

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Count a reader in, and out."""
        with self._gone:
            self._count += 1
        try:
            yield
        finally:
            with self._gone:
                self._count -= 1
                self._gone.notify_all()

    def wait(self, seconds: float = _PATIENCE) -> None:
        """Wait until nobody is being answered, but no longer than some seconds."""
        with self._gone:
            self._gone.wait_for(lambda: self._count == 0, seconds)


@dataclass
class Warmer:
    """Answers the pages without filters: the first at once, the others in a thread.

    :ivar readers: who is answered before the thread goes on.
    :ivar ready: set once all are answered.
    """

    settings: Settings
    desk: Desk
    readers: Readers = field(default_factory=Readers, repr=False)
    ready: threading.Event = field(default_factory=threading.Event, repr=False)
    _warm: Edition | None = None
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def begin(self) -> None:
        """Answer the first page, then go on in a thread."""
        for name in _LIBRARIES:
            importlib.import_module(name)
        with contextlib.suppress(DsnNlpError):  # each page says it
            self._overview(View())
            pages.choices(self.desk)
        threading.Thread(target=self._go_on, name="warmer", daemon=True).start()

    def stop(self) -> None:
        """End after the answer that is being made."""
        self._stopped.set()

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            try:
                now = self.desk.edition()
                if now != self._warm:
                    self._all()
                    self._warm = now
                    self.ready.set()
            except DsnNlpError:
                pass  # asked again in a moment
            self._stopped.wait(_SECONDS)

    def _all(self) -> None:
        views = [View(lang=lang) for lang in _LANGUAGES]
        for cut in _CUTS:  # all labels at once, before they are asked for one by one
            if self._goes_on():
                shares(self.desk, by=(cut,))
        for view in views:
            self._overview(view)
            for key in _OTHERS:
                self._unless_stopped(key, view)
        for view in views:
            for label in dict.fromkeys((view.label, *COMPLAINTS)):
                chosen = view.but(label=label)
                self._overview(chosen)
                if self._goes_on():
                    pages.adaptation_answers(self.desk, chosen)
                for key in ("words", "themes"):
                    self._unless_stopped(key, chosen)

    def _overview(self, view: View) -> None:
        if self._goes_on():
            tiles(self.desk, view)
        if self._goes_on():
            pages.alert_lines(self.settings, self.desk, view.lang)
        for key in _OVERVIEW:
            self._unless_stopped(key, view)

    def _unless_stopped(self, key: str, view: View) -> None:
        if self._goes_on():
            make_panel(self.desk, key, view)

    def _goes_on(self) -> bool:
        """Let readers pass first; whether there is a next answer to make."""
        self.readers.wait()
        return not self._stopped.is_set()
