"""A store of invented counts, of any size, whose true shares are known: for measures and tests.

Scores are drawn from one distribution for passages with a label and another for those without, so
that a matching error profile corrects them; texts are made of a few words and say nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from dsn_nlp.label.profile import ErrorProfile
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import Store
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.schema import metadata, quebec_day

MODEL = "invented@1"
SITES = ("Hôpital Jean-Talon", "Hôpital Fleury", "Hôpital du Sacré-Cœur-de-Montréal",
         "CLSC d'Ahuntsic", "Hôpital Sainte-Croix", "Hôtel-Dieu d'Arthabaska")  # fmt: skip
ROLES = ("Infirmière", "Médecin", "Gestionnaire", "Commis", "Nurse", "Physician", "Manager")
SOURCES = ("sondage-invente", "invented-survey", "journal-invente")
GOLIVE = date(2026, 5, 9)
# Share of each complaint, and of training before and after week 6 at the first site.
SHARES = (0.2, 0.08, 0.15, 0.18, 0.1)
BEFORE, AFTER, TURN = 0.31, 0.18, 6
MOODS = (0.5, 0.3, 0.2)
# With trouble: share of security at the second site in the last week.
SURGE_SHARE = 0.35
_DOCUMENTS_A_BATCH = 5000
_WORDS = {
    "fr": ("écran", "papier", "équipe", "quart", "étage", "porte", "café", "lundi", "réunion"),
    "en": ("screen", "paper", "team", "shift", "floor", "door", "coffee", "monday", "meeting"),
}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Invented:
    """What is true of an invented store."""

    documents: int
    passages: int
    weeks: int


def invent(
    url: str, passages: int, weeks: int = 26, seed: int = 7, trouble: bool = False
) -> Invented:
    """Fill an empty store with one published run of invented passages.

    One document in ten is an article without a site; the others are comments on six sites, spread
    over the weeks since go-live, of one to six passages.

    :param url: of a store without documents.
    :param passages: how many at least.
    :param trouble: whether, in the last week, security complaints surge at the second site and
        the second source falls silent.
    :raises StoreError: when the store cannot be written.
    """
    Store.open(url).close()
    rng = np.random.default_rng(seed)
    engine = writing_engine(parse_url(url))
    written, documents = 0, 0
    with engine.execution_options(writing=True).begin() as connection:
        _write(connection, "runs", [_run()])
        _write(connection, "models", [_model()])
        while written < passages:
            size = min(_DOCUMENTS_A_BATCH, 1 + (passages - written) // 3)
            tables = _batch(rng, documents, size, weeks, trouble)
            for name, rows in tables.items():
                _write(connection, name, rows)
            documents += size
            written += len(tables["passages"])
    engine.dispose()
    return Invented(documents, written, weeks)


def invented_profile(size: int = 2000, seed: int = 11) -> ErrorProfile:
    """An error profile of the model that the invented scores are of."""
    rng = np.random.default_rng(seed)
    gold = rng.random((size, len(COMPLAINTS))) < 0.25
    mood = rng.choice(len(SENTIMENTS), size, p=[1 / 3] * 3)
    return ErrorProfile(
        complaint_scores=_scores(rng, gold),
        sentiment_scores=_mood_scores(rng, mood),
        complaints=gold.astype(np.uint8),
        sentiment=mood.astype(np.uint8),
        groups=np.arange(size, dtype=np.int32),
        french=np.ones(size, np.uint8),
        news=np.zeros(size, np.uint8),
    )


def _scores(rng: np.random.Generator, gold: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Well apart, with a fifth of each side where the other is."""
    with_, without = rng.beta(4, 1.6, gold.shape), rng.beta(1, 6, gold.shape)
    return np.where(gold, with_, without).astype(np.float32)


def _mood_scores(
    rng: np.random.Generator, mood: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    pull = rng.normal(0, 1, (len(mood), len(SENTIMENTS)))
    pull[np.arange(len(mood)), mood] += 2.0
    odds = np.exp(pull)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def _batch(
    rng: np.random.Generator, first: int, size: int, weeks: int, trouble: bool
) -> dict[str, Rows]:
    documents, passages, labels = [], [], []
    cuts = rng.integers(1, 6, size, endpoint=True)
    places = rng.integers(0, len(SITES), size)
    days = rng.integers(0, 7 * weeks, size)
    press = rng.random(size) < 0.1
    english = rng.random(size) < 0.4
    shares = np.tile(SHARES, (size, 1))
    turned = (places == 0) & ~press
    shares[turned, 0] = np.where(days[turned] // 7 < TURN, BEFORE, AFTER)
    if trouble:
        last = days >= 7 * (weeks - 1)
        shares[last & ~press & (places == 1), 1] = SURGE_SHARE
        english &= ~last | press
    owner = np.repeat(np.arange(size), cuts)
    gold = rng.random((len(owner), len(COMPLAINTS))) < shares[owner]
    scores = _scores(rng, gold)
    moods = _mood_scores(rng, rng.choice(len(SENTIMENTS), len(owner), p=MOODS))
    for index in range(size):
        documents.append(
            _document(rng, first + index, places[index], days[index], press[index], english[index])
        )
    position = np.arange(len(owner)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    for index, one in enumerate(owner):
        document = documents[one]
        passages.append(_passage(rng, document, int(position[index])))
        labels.append(_label(passages[-1]["passage_id"], scores[index], moods[index]))
    return {
        "documents": documents,
        "contexts": [_context(document) for document in documents],
        "passages": passages,
        "passage_contexts": [
            {"passage_id": p["passage_id"], "site": None, "voice_role": None} for p in passages
        ],
        "labels": labels,
    }


def _document(
    rng: np.random.Generator, number: int, place: int, day: int, press: bool, english: bool
) -> dict[str, Any]:
    lang = "en" if english else "fr"
    noon = datetime(GOLIVE.year, GOLIVE.month, GOLIVE.day, 16, tzinfo=UTC)
    moment = noon + timedelta(days=int(day))
    return {
        "document_id": _id("document", number),
        "kind": "article" if press else "comment",
        "source": SOURCES[2] if press else SOURCES[int(english)],
        "text": "…",
        "lang": lang,
        "published_at": moment,
        "day": quebec_day(moment),  # COPY knows no defaults
        "site": None if press else SITES[place],
        "role": None if press else ROLES[int(rng.integers(len(ROLES)))],
        "respondent": None if press else _id("respondent", number // 2),
        "run_id": _RUN,
    }


def _context(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "document_id": document["document_id"],
        "preparation": "invented",
        "site": document["site"],
        "relevance_score": 1.0,
        "relevance_reason": "invented",
        "text_key": document["document_id"],
        "group_id": document["document_id"],
    }


def _passage(rng: np.random.Generator, document: dict[str, Any], position: int) -> dict[str, Any]:
    words = _WORDS[document["lang"]]
    text = " ".join(words[int(i)] for i in rng.integers(0, len(words), 12))
    return {
        "passage_id": _id(document["document_id"], position),
        "document_id": document["document_id"],
        "position": position,
        "start_offset": position * 100,
        "end_offset": position * 100 + len(text),
        "text": text,
        "lang": document["lang"],
    }


def _label(
    passage_id: str, scores: npt.NDArray[np.float32], moods: npt.NDArray[np.float32]
) -> dict[str, Any]:
    row: dict[str, Any] = {"passage_id": passage_id, "model": MODEL, "run_id": _RUN}
    for name, score in zip(COMPLAINTS, scores, strict=True):
        row |= {name: bool(score >= 0.5), f"{name}_score": float(score)}
    row |= {f"{m}_score": float(s) for m, s in zip(SENTIMENTS, moods, strict=True)}
    best = int(moods.argmax())
    row |= {"sentiment": SENTIMENTS[best], "sentiment_score": float(moods[best])}
    return row | {"needs_review": bool(np.abs(scores - 0.5).min() < 0.05)}


_RUN = "20261101T090000Z-invented"


def _run() -> dict[str, Any]:
    start = datetime(2026, 11, 1, 9, tzinfo=UTC)
    return {
        "run_id": _RUN,
        "started_at": start,
        "finished_at": start + timedelta(minutes=30),
        "status": "published",
        "owner": "invented",
        "lease_expires_at": None,
        "lease_seconds": 0.0,
        "counts": {},
        "version": "0",
        "model": MODEL,
    }


def _model() -> dict[str, Any]:
    return {
        "model": MODEL,
        "name": "invented",
        "version": "1",
        "manifest": {"thresholds": dict.fromkeys(COMPLAINTS, 0.5)},
        "corpus_digest": "",
        "registered_at": datetime(2026, 11, 1, 9, tzinfo=UTC),
        "serving": True,
    }


def _id(*parts: object) -> str:
    """As scattered as real ids are, which is what an index has to bear."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def _write(connection: sa.Connection, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; by COPY on PostgreSQL, where that is ten times as fast."""
    table = metadata.tables[name]
    if connection.dialect.name != "postgresql" or name in ("runs", "models"):
        connection.execute(table.insert(), list(rows))
        return
    columns = list(rows[0])
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for cells in _cells(rows, columns):
            copy.write_row(cells)


def _cells(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[list[Any]]:
    for row in rows:
        yield [row[name] for name in columns]
