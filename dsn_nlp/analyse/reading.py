"""The passages behind a figure: read in the store, by people who may."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import NO_DAY, Frame
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.tables import PassageRow, Table
from dsn_nlp.analyse.together import people
from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import read_only_engine
from dsn_nlp.store.engine import describe, parse_url
from dsn_nlp.store.failures import translated
from dsn_nlp.store.schema import passages as passages_table

Rows = npt.NDArray[np.intp]
_IDS_A_QUERY = 900
# Candidates for the most telling passages: enough to be varied, few enough to compare pairwise.
_CANDIDATES = 400
_SHORTEST, _LONGEST = 40, 320
# Weight of being typical against being unlike those already chosen (Carbonell and Goldstein 1998).
_TYPICAL = 0.7


def passages(
    desk: Desk,
    scope: Scope | None = None,
    label: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Table[PassageRow]:
    """Read passages of a scope, those the model is surest of first.

    :param label: only passages told to have it; a complaint or a sentiment.
    :return: none, with ``hidden`` 1, where fewer people than may be shown stand behind them.
    :raises InputError: when there is no such label.
    :raises StoreError: when the store cannot be read.
    """
    frame, rows, closed = _telling(desk, scope, label)
    about = desk.about(frame, rows)
    if closed:
        return Table((), about, (), 1)
    order = np.argsort(-scores_of(frame, rows, label), kind="stable")
    some = rows[order][offset : offset + limit]
    return Table(tuple(_read(desk, frame, some, label)), about)


def representative(
    desk: Desk, scope: Scope | None = None, label: str | None = None, top: int = 5
) -> Table[PassageRow]:
    """Choose passages that stand for many: near the centre of what is said, unlike each other.

    Maximal marginal relevance over TF-IDF (Carbonell and Goldstein, SIGIR 1998), among those the
    model is surest of.

    :raises InputError: when there is no such label.
    :raises StoreError: when the store cannot be read.
    """
    frame, rows, closed = _telling(desk, scope, label)
    about = desk.about(frame, rows)
    if closed:
        return Table((), about, (), 1)
    order = np.argsort(-scores_of(frame, rows, label), kind="stable")
    candidates = list(_read(desk, frame, rows[order][:_CANDIDATES], label))
    fitting = [row for row in candidates if _SHORTEST <= len(row.text) <= _LONGEST] or candidates
    return Table(tuple(_varied(fitting, top)), about)


def read_texts(desk: Desk, frame: Frame, rows: Rows) -> list[str]:
    """Texts of some passages of the frame, in their order; empty where one is gone.

    :raises StoreError: when the store cannot be read.
    """
    ids = [bytes(one).decode() for one in frame.passage[rows]]
    known: dict[str, str] = {}
    engine = read_only_engine(desk.url)
    place = describe(parse_url(desk.url))
    with translated(place), engine.connect() as connection, connection.begin():
        for first in range(0, len(ids), _IDS_A_QUERY):
            wanted = ids[first : first + _IDS_A_QUERY]
            query = sa.select(passages_table.c.passage_id, passages_table.c.text).where(
                passages_table.c.passage_id.in_(wanted)
            )
            known.update((str(key), str(text)) for key, text in connection.execute(query))
    return [known.get(one, "") for one in ids]


def told(frame: Frame, rows: Rows, label: str | None) -> npt.NDArray[np.bool_]:
    """Which of some passages the model tells to have a label; all for no label.

    :raises InputError: when there is no such label.
    """
    if label is None:
        return np.ones(len(rows), bool)
    if label in COMPLAINTS:
        return np.asarray(frame.told[rows, COMPLAINTS.index(label)])
    if label in SENTIMENTS:
        return np.asarray(frame.mood[rows] == list(SENTIMENTS).index(label))
    known = ", ".join((*COMPLAINTS, *SENTIMENTS))
    raise InputError(f"no label is named '{label[:40]}'; there are {known}")


def scores_of(frame: Frame, rows: Rows, label: str | None) -> npt.NDArray[np.float32]:
    """How sure the model is of a label; of the sentiment for none."""
    if label in COMPLAINTS:
        return np.asarray(frame.scores[rows, COMPLAINTS.index(label)])
    return np.asarray(frame.mood_score[rows])


def _telling(desk: Desk, scope: Scope | None, label: str | None) -> tuple[Frame, Rows, bool]:
    frame = desk.frame()
    rows = frame.chosen(scope or Scope())
    rows = rows[told(frame, rows, label)]
    return frame, rows, 0 < people(frame, rows) < desk.respondents


def _read(desk: Desk, frame: Frame, rows: Rows, label: str | None) -> Iterator[PassageRow]:
    documents = _documents(desk, frame, rows)
    for row, text in zip(rows, read_texts(desk, frame, rows), strict=True):
        if not text:
            continue
        names = {name: c.names[c.codes[row]] for name, c in frame.columns.items()}
        day = int(frame.day[row])
        score = scores_of(frame, np.array([row], np.intp), label)[0]
        passage_id = bytes(frame.passage[row]).decode()
        yield PassageRow(
            passage_id=passage_id,
            document_id=documents[passage_id],
            kind=names["kind"],
            lang=names["lang"],
            source=names["source"],
            site=names["site"] or None,
            day=date.fromordinal(day) if day != NO_DAY else None,
            complaints=tuple(n for n, yes in zip(COMPLAINTS, frame.told[row], strict=True) if yes),
            sentiment=SENTIMENTS[int(frame.mood[row])],
            score=float(score),
            text=text,
        )


def _documents(desk: Desk, frame: Frame, rows: Rows) -> dict[str, str]:
    ids = [bytes(one).decode() for one in frame.passage[rows]]
    found: dict[str, str] = {}
    engine = read_only_engine(desk.url)
    place = describe(parse_url(desk.url))
    with translated(place), engine.connect() as connection, connection.begin():
        for first in range(0, len(ids), _IDS_A_QUERY):
            query = sa.select(passages_table.c.passage_id, passages_table.c.document_id).where(
                passages_table.c.passage_id.in_(ids[first : first + _IDS_A_QUERY])
            )
            found.update((str(key), str(one)) for key, one in connection.execute(query))
    return found


def _varied(rows: Sequence[PassageRow], top: int) -> list[PassageRow]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [row.text for row in rows]
    if len(texts) <= top or not any(any(map(str.isalpha, text)) for text in texts):
        return list(rows[:top])
    vectors = TfidfVectorizer(token_pattern=r"(?u)\b\w{3,}\b", sublinear_tf=True).fit_transform(
        texts
    )
    alike = np.asarray((vectors @ vectors.T).todense())
    typical = alike.mean(axis=1) / max(float(alike.mean(axis=1).max()), 1e-9)
    chosen: list[int] = []
    while len(chosen) < top:
        nearest = alike[:, chosen].max(axis=1) if chosen else np.zeros(len(texts))
        worth = _TYPICAL * typical - (1 - _TYPICAL) * nearest
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return [rows[index] for index in chosen]
