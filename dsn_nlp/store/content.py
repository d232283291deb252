"""Documents, passages, labels and rejections: rows in, records out. Writing twice changes nothing.

Every function works inside the caller's transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dsn_nlp.errors import StoreError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Document, Label, Passage, Rejection
from dsn_nlp.store.intake import reopen
from dsn_nlp.store.privacy import buried
from dsn_nlp.store.schema import (
    PUBLISHED,
    documents,
    labelled_passages,
    labels,
    models,
    passages,
    rejected,
    runs,
    sealed_rows,
)
from dsn_nlp.text import content_id

Row = dict[str, Any]
Columns = TypeVarTuple("Columns")
# Below the limit on bound values of the oldest SQLite in use (999).
_IDS_A_QUERY = 900
_DOCUMENT_FIELDS = (
    "document_id",
    "kind",
    "source",
    "text",
    "lang",
    "url",
    "title",
    "published_at",
    "site",
    "unit",
    "role",
    "respondent",
    "content_key",
    "link",
    "outlet",
    "authors",
    "section",
    "access",
    "dated_by",
)


def known_documents(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Tell which of these document ids are stored, published or not, or were erased for good."""
    every = list(ids)
    found = buried(connection, every)
    wanted = iter(every)
    while some := list(islice(wanted, _IDS_A_QUERY)):
        query = sa.select(documents.c.document_id).where(documents.c.document_id.in_(some))
        found.update(str(known) for known in connection.scalars(query))
    return found


def known_contents(connection: sa.Connection, ids: Iterable[str]) -> dict[str, str | None]:
    """Give the stored documents among these ids, with the keyed hash of what was received.

    Erased ones are among them, without a hash: like stored ones they are not taken in again.
    """
    every = list(ids)
    found: dict[str, str | None] = dict.fromkeys(buried(connection, every))
    wanted = iter(every)
    while some := list(islice(wanted, _IDS_A_QUERY)):
        query = sa.select(documents.c.document_id, documents.c.content_key)
        for key, content in connection.execute(query.where(documents.c.document_id.in_(some))):
            found[str(key)] = content
    return found


def add_documents(
    connection: sa.Connection,
    run_id: str,
    pairs: Sequence[tuple[Document, Sequence[Passage]]],
) -> list[str]:
    """Store new documents with their passages; a document already stored keeps those it has.

    What was erased, or is of a respondent who was, does not come back.

    :return: ids of the documents that were new.
    """
    gone = buried(connection, {key for document, _ in pairs for key in _keys(document)})
    by_id = {
        document.document_id: (document, cut)
        for document, cut in reversed(pairs)
        if gone.isdisjoint(_keys(document))
    }
    rows = [_document_row(document, run_id) for document, _ in by_id.values()]
    new = insert_new(connection, documents, rows)
    cut = [_passage_row(passage) for key in new for passage in by_id[key][1]]
    if cut:
        # Passages of a new document are new: one that is not must fail, not be left out.
        connection.execute(passages.insert(), cut)
    return new


def add_rejections(connection: sa.Connection, run_id: str, rejections: Iterable[Rejection]) -> int:
    """Store what could not be taken in, once for each source, place, stage and reason."""
    now, given = datetime.now(UTC), list(rejections)
    rows: list[Row] = [
        {
            "rejected_id": rejected_id(one),
            "source": one.source,
            "place": one.place,
            "stage": one.stage,
            "reason": one.reason,
            "code": one.code,
            "first_seen_at": now,
            "run_id": run_id,
        }
        for one in given
    ]
    new = set(insert_new(connection, rejected, rows))
    new |= reopen(connection, [row["rejected_id"] for row in rows if row["rejected_id"] not in new])
    gone = buried(connection, {one.respondent for one in given if one.respondent})
    kept: list[Row] = [
        {"rejected_id": key, "sealed": one.sealed, "respondent": one.respondent, "kept_at": now}
        for one in given
        if one.sealed is not None
        and one.respondent not in gone
        and (key := rejected_id(one)) in new
    ]
    insert_new(connection, sealed_rows, kept)
    return len(new)


def rejected_id(one: Rejection) -> str:
    """Name a rejection: the same trouble at the same place of the same content is one."""
    told = (one.source, one.place, one.stage, one.reason)
    return content_id(*told, one.content_key) if one.content_key else content_id(*told)


def add_labels(connection: sa.Connection, run_id: str, given: Iterable[Label]) -> int:
    """Store labels; the row of a passage and model that is there already stays as it is.

    :raises StoreError: when scores break the shapes or the range of ``Label``.
    """
    rows = [_label_row(label, run_id) for label in given]
    try:
        return len(insert_new(connection, labels, rows))
    except sa.exc.IntegrityError:
        pass
    raise StoreError(
        "labels name a passage or a model that is not in the store; "
        "add the documents and register the model first"
    )


def unlabelled(
    connection: sa.Connection,
    model: str,
    limit: int,
    run_id: str | None,
    bounds: tuple[str, str, str | None],
) -> list[Passage]:
    """Read passages without a label of a model, by passage id.

    :param bounds: ids past the first, from the second on, and before the third.
    """
    after, first, until = bounds
    query = (
        _without_label(sa.select(passages), model)
        .where(passages.c.passage_id > after, passages.c.passage_id >= first)
        .order_by(passages.c.passage_id)
        .limit(limit)
    )
    if until is not None:
        query = query.where(passages.c.passage_id < until)
    if run_id is not None:
        query = query.join(documents).where(documents.c.run_id == run_id)
    return [_passage(row) for row in connection.execute(query).mappings()]


def cut_unlabelled(connection: sa.Connection, model: str, size: int) -> list[str]:
    """Read every ``size``-th id of the passages without a label of a model, from the first."""
    place = sa.func.row_number().over(order_by=passages.c.passage_id).label("place")
    every = _without_label(sa.select(passages.c.passage_id, place), model).subquery()
    query = sa.select(every.c.passage_id).where((every.c.place - 1) % size == 0)
    return [str(key) for key in connection.scalars(query.order_by(every.c.passage_id))]


def count_unlabelled(connection: sa.Connection, model: str) -> int:
    """Count passages without a label of a model."""
    query = _without_label(sa.select(sa.func.count()).select_from(passages), model)
    return int(connection.scalar(query) or 0)


def register_model(connection: sa.Connection, row: Row) -> None:
    """Store a model version once.

    :raises StoreError: when the version is there with another manifest or corpus.
    """
    first = {**row, "registered_at": datetime.now(UTC), "serving": False}
    if insert_new(connection, models, [first]):
        return
    query = sa.select(models).where(models.c.model == row["model"])
    stored = connection.execute(query).mappings().one()
    if any(stored[key] != row[key] for key in ("manifest", "corpus_digest")):
        raise StoreError(
            f"model {row['model']} is in the store with another manifest; "
            "give the changed model a new version"
        )


def counts(connection: sa.Connection) -> dict[str, int]:
    """Count what readers see, and all that was rejected."""
    published = sa.select(runs.c.run_id).where(runs.c.status == PUBLISHED)
    shown = documents.c.run_id.in_(published)
    count = sa.func.count()
    queries = {
        "documents": sa.select(count).select_from(documents).where(shown),
        "passages": sa.select(count).select_from(passages.join(documents)).where(shown),
        "labels": sa.select(count).select_from(labelled_passages),
        "rejected": sa.select(count).select_from(rejected),
    }
    return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> list[str]:
    """Insert the rows whose key is new.

    :return: the first key column of each row that was inserted, in no order.
    """
    if not rows:
        return []
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    keys = list(table.primary_key.columns)
    # Without a target other broken rules would pass in silence, too.
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=keys)
    return [str(value) for value in connection.scalars(statement.returning(keys[0]), rows)]


def _without_label(query: sa.Select[*Columns], model: str) -> sa.Select[*Columns]:
    labelled = sa.exists().where(
        labels.c.passage_id == passages.c.passage_id, labels.c.model == model
    )
    return query.where(~labelled)


def _keys(document: Document) -> list[str]:
    return [key for key in (document.document_id, document.respondent) if key]


def _document_row(document: Document, run_id: str) -> Row:
    return {**{name: getattr(document, name) for name in _DOCUMENT_FIELDS}, "run_id": run_id}


def _passage_row(passage: Passage) -> Row:
    return {
        "passage_id": passage.passage_id,
        "document_id": passage.document_id,
        "position": passage.position,
        "start_offset": passage.start,
        "end_offset": passage.end,
        "text": passage.text,
        "lang": passage.lang,
    }


def _passage(row: sa.RowMapping) -> Passage:
    fields = {name: row[name] for name in ("passage_id", "document_id", "position", "text", "lang")}
    return Passage(**fields, start=row["start_offset"], end=row["end_offset"])


def _label_row(label: Label, run_id: str) -> Row:
    complaint_scores = dict(_scores(label, COMPLAINTS, label.complaint_scores))
    sentiment_scores = dict(_scores(label, SENTIMENTS, label.sentiment_scores))
    row: Row = {"passage_id": label.passage_id, "model": label.model, "run_id": run_id}
    for name, score in complaint_scores.items():
        row[name] = name in label.complaints
        row[f"{name}_score"] = score
    for name, score in sentiment_scores.items():
        row[f"{name}_score"] = score
    row["sentiment"] = label.sentiment
    row["sentiment_score"] = sentiment_scores[label.sentiment]
    row["needs_review"] = bool(label.needs_review)
    return row


def _scores(
    label: Label, names: Sequence[str], scores: Sequence[float]
) -> Iterator[tuple[str, float]]:
    if len(scores) != len(names) or not all(0.0 <= score <= 1.0 for score in scores):
        raise StoreError(
            f"passage {label.passage_id}: {len(names)} scores in [0, 1] are needed; "
            f"the model {label.model} gave others"
        )
    # NumPy's float32 is not a type the drivers know.
    return zip(names, map(float, scores), strict=True)
