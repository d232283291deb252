"""Passages behind a figure, the words that bear their labels, and what people say of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
from markupsafe import Markup

from dsn_nlp.analyse.dashboard.view import View
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.estimates import NET
from dsn_nlp.analyse.reading import passages, read_texts
from dsn_nlp.analyse.tables import PassageRow, Table
from dsn_nlp.analyse.words import common_words
from dsn_nlp.config import Settings
from dsn_nlp.errors import DsnNlpError, InputError
from dsn_nlp.label.explain import explain
from dsn_nlp.label.routing import Router, read_serving
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Language, Review

A_PAGE = 20
_WORDS_SHOWN, _KEPT = 6, 2000
# A word that names something bears a label where the log-odds fall by this much, and by a share
# of what the strongest takes away.
_LEAST_FALL, _LEAST_SHARE = 0.15, 0.25
Spans = tuple[tuple[int, int], ...]


@dataclass
class Reader:
    """Reads passages and explains them with the model that serves. Safe to share between threads.

    :ivar settings: of the installation.
    """

    settings: Settings
    desk: Desk
    _router: Router | None = None
    _known: dict[tuple[str, str], Spans] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def page(self, view: View) -> Table[PassageRow]:
        """Read one page of a view's passages, and one row more where there is a next page.

        :raises StoreError: when the store cannot be read.
        """
        label = None if view.label == NET else view.label
        return passages(self.desk, view.scope, label, A_PAGE + 1, view.page * A_PAGE)

    def one(self, passage_id: str) -> PassageRow | None:
        """Read one published passage."""
        frame = self.desk.frame()
        found = np.flatnonzero(frame.passage == passage_id.encode("ascii", "replace"))
        if not len(found):
            return None
        row = int(found[0])
        names = {name: c.names[c.codes[row]] for name, c in frame.columns.items()}
        day = int(frame.day[row])
        return PassageRow(
            passage_id=passage_id,
            document_id="",
            kind=names["kind"],
            lang=names["lang"],
            source=names["source"],
            site=names["site"] or None,
            day=date.fromordinal(day) if day > 0 else None,
            complaints=tuple(n for n, yes in zip(COMPLAINTS, frame.told[row], strict=True) if yes),
            sentiment=SENTIMENTS[int(frame.mood[row])],
            score=float(frame.mood_score[row]),
            text=read_texts(self.desk, frame, found[:1])[0],
        )

    def bearing(self, row: PassageRow, label: str) -> Spans:
        """Find where the words that bear a label stand in a passage; none without a model.

        :return: ``(start, end)`` offsets in the text, in order.
        """
        with self._lock:  # one at a time: each takes a hundred readings of the model
            key = (row.passage_id, label)
            if key not in self._known:
                if len(self._known) >= _KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = self._weigh(row, label)
            return self._known[key]

    def _weigh(self, row: PassageRow, label: str) -> Spans:
        lang: Language = "en" if row.lang == "en" else "fr"
        try:
            if self._router is None:
                self._router = read_serving(self.settings.labelling).load(1)
            found = explain(self._router.classifiers[lang], row.text, [label])[0]
        except DsnNlpError:
            return ()
        strongest = found.words[0].weight if found.words else 0.0
        least = max(_LEAST_FALL, _LEAST_SHARE * strongest)
        common = common_words()
        words = [
            (word.start, word.end)
            for word in found.words
            if word.weight >= least and row.text[word.start : word.end].lower() not in common
        ]
        return tuple(sorted(words[:_WORDS_SHOWN]))


def marked(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """Write a text with some of it marked; all of it escaped."""
    parts, at = [Markup("")], 0
    for start, end in spans:
        parts += [Markup.escape(text[at:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        at = end
    return Markup("").join([*parts, Markup.escape(text[at:])])


def read_review(given: Sequence[tuple[str, str]], annotator: str) -> Review:
    """Read what somebody says of a passage, as a form gives it.

    :raises InputError: when a label is unknown or the tone is missing.
    """
    complaints = tuple(n for n in COMPLAINTS if ("complaint", n) in given)
    if any(name == "complaint" and value not in COMPLAINTS for name, value in given):
        raise InputError("no complaint has this name")
    tone = next((value for name, value in given if name == "sentiment"), "")
    known = next((sentiment for sentiment in SENTIMENTS if sentiment == tone), None)
    if known is None:
        raise InputError("choose a sentiment")
    passage_id = next((value for name, value in given if name == "passage"), "")
    return Review(passage_id, annotator, datetime.now(UTC), complaints, known)
