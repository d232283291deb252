"""What a complaint is about: themes inside a label, and which of them are new or rising."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.changes import FALLS, RATE, RISES, STEADY, false_discovery
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import NO_DAY, Frame
from dsn_nlp.analyse.reading import read_texts, told
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.tables import Table
from dsn_nlp.analyse.together import people
from dsn_nlp.analyse.words import terms_of

Rows = npt.NDArray[np.intp]
NEW = "new"
_MOST_TEXTS = 6000
_SEED = 20260509
_PASSAGES_A_THEME = 40
_MOST_THEMES = 8
_WORDS_A_THEME = 4


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """One theme, named by its words.

    :ivar recent: share of the label's documents in the last days that speak of it.
    :ivar earlier: share before.
    :ivar q: false discovery rate at which both differ.
    :ivar verdict: ``new`` (not a document before), ``rises``, ``falls`` or ``steady``.
    :ivar passage_id: the passage nearest to its centre.
    """

    words: tuple[str, ...]
    passages: int
    recent: float
    earlier: float
    q: float
    verdict: str
    passage_id: str


def themes(
    desk: Desk, label: str, scope: Scope | None = None, lang: str = "fr", days: int = 28
) -> Table[ThemeRow]:
    """Find the themes of a label's passages, and compare the last days with all before.

    Non-negative factors of TF-IDF (Lee and Seung, Nature 401, 1999), a passage belonging to its
    strongest; documents are compared by Fisher's exact test. Themes of fewer people than may be
    shown are left out.

    :param days: how long "recent" is, back from the scope's last day.
    :return: new and rising themes first, then by size.
    :raises InputError: when there is no such label.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    rows = frame.chosen((scope or Scope()).but(langs=(lang,)))
    rows = rows[told(frame, rows, label) & (frame.day[rows] != NO_DAY)]
    if len(rows) > _MOST_TEXTS:
        rows = np.sort(np.random.default_rng(_SEED).choice(rows, _MOST_TEXTS, replace=False))
    about = desk.about(frame, rows)
    if len(rows) < 2 * _PASSAGES_A_THEME or people(frame, rows) in range(1, desk.respondents):
        return Table((), about)
    last = date.fromordinal(int(frame.day[rows].max()))
    recent = frame.day[rows] > (last - timedelta(days=days)).toordinal()
    member, strength, names = _factors(read_texts(desk, frame, rows))
    found, hidden = [], 0
    for number, words in enumerate(names):
        inside = member == number
        if not inside.any() or people(frame, rows[inside]) in range(1, desk.respondents):
            hidden += int(inside.any())
            continue
        found.append(_theme(frame, rows, inside, recent, strength[:, number], words))
    return Table(tuple(_judged(found)), about, (), hidden)


def _factors(
    texts: list[str],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], list[tuple[str, ...]]]:
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=_content_terms, min_df=3, max_df=0.2, sublinear_tf=True)
    vectors: Any = vectorizer.fit_transform(texts)
    count = int(np.clip(len(texts) // _PASSAGES_A_THEME, 2, _MOST_THEMES))
    model = NMF(count, init="nndsvd", random_state=_SEED, max_iter=300, tol=1e-3)
    strength = np.asarray(model.fit_transform(vectors), np.float64)
    terms = vectorizer.get_feature_names_out()
    names = [_name(terms, weights) for weights in model.components_]
    member = np.where(strength.max(axis=1) > 0, strength.argmax(axis=1), -1)
    return member.astype(np.intp), strength, names


def _content_terms(text: str) -> list[str]:
    """Words of four letters and more, and pairs of them."""
    return [t for t in terms_of(text) if all(len(word) > 3 for word in t.split())]


def _name(terms: npt.NDArray[np.object_], weights: npt.NDArray[np.float64]) -> tuple[str, ...]:
    """The weightiest terms that do not repeat each other."""
    chosen: list[str] = []
    for place in np.argsort(-weights, kind="stable"):
        term = str(terms[place])
        if not any(set(term.split()) & set(known.split()) for known in chosen):
            chosen.append(term)
        if len(chosen) == _WORDS_A_THEME:
            break
    return tuple(chosen)


def _theme(
    frame: Frame,
    rows: Rows,
    inside: npt.NDArray[np.bool_],
    recent: npt.NDArray[np.bool_],
    strength: npt.NDArray[np.float64],
    words: tuple[str, ...],
) -> ThemeRow:
    from scipy.stats import fisher_exact

    table = []
    for period in (recent, ~recent):
        every = len(np.unique(frame.document[rows[period]]))
        mine = len(np.unique(frame.document[rows[period & inside]]))
        table.append([mine, every - mine])
    shares = [row[0] / max(sum(row), 1) for row in table]
    p = float(fisher_exact(table)[1])
    nearest = int(np.where(inside, strength, -1).argmax())
    passage_id = bytes(frame.passage[rows[nearest]]).decode()
    return ThemeRow(words, int(inside.sum()), shares[0], shares[1], p, STEADY, passage_id)


def _judged(rows: list[ThemeRow]) -> list[ThemeRow]:
    rates = false_discovery([row.q for row in rows])
    order = {NEW: 0, RISES: 1, STEADY: 2, FALLS: 2}
    told = [_verdict(row, float(q)) for row, q in zip(rows, rates, strict=True)]
    return sorted(told, key=lambda row: (order[row.verdict], -row.passages))


def _verdict(row: ThemeRow, q: float) -> ThemeRow:
    verdict = STEADY
    if q <= RATE:
        moved = RISES if row.recent > row.earlier else FALLS
        verdict = NEW if row.earlier == 0 else moved
    return ThemeRow(row.words, row.passages, row.recent, row.earlier, q, verdict, row.passage_id)
