"""Pages that are asked for first are answered before anyone asks, after each published night."""

import contextlib
import threading
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


@dataclass
class Warmer:
    """Answers the pages without filters: the first at once, the others in a thread.

    :ivar ready: set once all are answered.
    """

    settings: Settings
    desk: Desk
    ready: threading.Event = field(default_factory=threading.Event, repr=False)
    _warm: Edition | None = None
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def begin(self) -> None:
        """Answer the first page, then go on in a thread."""
        with contextlib.suppress(DsnNlpError):  # each page says it
            self._overview(View())
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
            if not self._stopped.is_set():
                shares(self.desk, by=(cut,))
        for view in views:
            self._overview(view)
            for key in _OTHERS:
                self._unless_stopped(key, view)
        for view in views:
            for label in dict.fromkeys((view.label, *COMPLAINTS)):
                chosen = view.but(label=label)
                self._overview(chosen)
                if not self._stopped.is_set():
                    pages.adaptation_answers(self.desk, chosen)
                for key in ("words", "themes"):
                    self._unless_stopped(key, chosen)

    def _overview(self, view: View) -> None:
        if self._stopped.is_set():
            return
        tiles(self.desk, view)
        pages.alert_lines(self.settings, self.desk, view.lang)
        for key in _OVERVIEW:
            self._unless_stopped(key, view)

    def _unless_stopped(self, key: str, view: View) -> None:
        if not self._stopped.is_set():
            make_panel(self.desk, key, view)
