"""Stores of every released schema, with rows in them, brought forward on both databases."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import store_nights as nights
from alembic import command
from alembic.script import ScriptDirectory

from dsn_nlp.store import Store, run_query
from dsn_nlp.store.backup import back_up, restore
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.migrate import alembic_config, head

REVISIONS = [
    script.revision
    for script in reversed(
        list(ScriptDirectory(str(Path(__file__).parents[2] / "dsn_nlp/store/migrations"))
             .walk_revisions())
    )
]  # fmt: skip
# In Québec it is still the evening of the eighth, a Friday.
MOMENT = datetime(2026, 5, 9, 2, 41, tzinfo=UTC)
LABEL = nights.label(nights.passages(nights.document(1))[0])


def old_rows():
    """Rows as the first release wrote them, for every table it had, in the order of their keys."""
    scores = dict(zip(("training", "security", "administrative_burden", "technical_failure",
                       "patient_care"), LABEL.complaint_scores, strict=True))  # fmt: skip
    yield "runs", {
        "run_id": "20260509T080000Z-0000", "started_at": MOMENT, "finished_at": MOMENT,
        "status": "published", "owner": "host/1:2:3", "lease_seconds": 60.0,
        "counts": {"documents": 2}, "version": "0.1.0", "model": "toy@1",
    }  # fmt: skip
    yield "models", {
        "model": "toy@1", "name": "toy", "version": "1", "manifest": {"files": {}},
        "corpus_digest": "d", "registered_at": MOMENT, "serving": True,
    }  # fmt: skip
    for number in (1, 2):
        document = nights.document(number)
        yield "documents", {
            "document_id": document.document_id, "kind": document.kind, "source": "presse",
            "url": document.url, "text": document.text, "lang": "fr", "published_at": MOMENT,
            "run_id": "20260509T080000Z-0000",
        }  # fmt: skip
        for passage in nights.passages(document):
            yield "passages", {
                "passage_id": passage.passage_id, "document_id": document.document_id,
                "position": passage.position, "start_offset": passage.start,
                "end_offset": passage.end, "text": passage.text, "lang": "fr",
            }  # fmt: skip
            row = {"passage_id": passage.passage_id, "model": "toy@1", "sentiment": "negative",
                   "sentiment_score": 0.7, "negative_score": 0.7, "neutral_score": 0.2,
                   "positive_score": 0.1, "needs_review": False,
                   "run_id": "20260509T080000Z-0000"}  # fmt: skip
            for name, score in scores.items():
                row |= {name: score >= 0.5, f"{name}_score": score}
            yield "labels", row
    yield "rejected", {
        "rejected_id": "r1", "source": "presse", "place": "https://exemple.test/x",
        "stage": "screen", "reason": "off topic", "first_seen_at": MOMENT,
        "run_id": "20260509T080000Z-0000",
    }  # fmt: skip


def later_rows(revision):
    """Rows for tables that later releases added."""
    passage = nights.passages(nights.document(1))[0].passage_id
    if revision >= "0002":
        yield "reviews", {
            "passage_id": passage, "annotator": "anna", "reviewed_at": MOMENT, "training": True,
            "security": False, "administrative_burden": False, "technical_failure": False,
            "patient_care": False, "sentiment": "negative",
        }  # fmt: skip
    if revision >= "0003":
        yield "sealed_rows", {"rejected_id": "r1", "sealed": b"\x00\xff", "kept_at": MOMENT}
    if revision >= "0005":
        yield "accesses", {
            "access_id": "a1", "accessed_at": MOMENT, "who": "anna", "door": "query", "passages": 3,
        }  # fmt: skip
    if revision >= "0006":
        yield "measures", {
            "run_id": "20260509T080000Z-0000", "name": "volumes", "counts": {"presse": 2},
        }  # fmt: skip


@pytest.fixture(params=REVISIONS)
def old(request, url):
    """Address of a store as an older release left it, and its revision."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database).parent.mkdir(parents=True)
    engine = writing_engine(parsed, foreign_keys=False)
    with engine.execution_options(writing=True).begin() as connection:
        command.upgrade(alembic_config(connection), request.param)
        fill(connection, request.param)
    engine.dispose()
    return url, request.param


def fill(connection, revision):
    found = sa.MetaData()
    found.reflect(connection)
    for name, row in (*old_rows(), *later_rows(revision)):
        table = found.tables[name]
        typed = {key: _typed(value, table.c[key].type) for key, value in row.items()}
        connection.execute(table.insert().values(**typed))


def _typed(value, kind):
    as_text = isinstance(value, datetime) and isinstance(kind, sa.Text | sa.String)
    return value.isoformat(" ", "microseconds") if as_text else value


def test_every_row_is_there_after_the_upgrade(old):
    url, revision = old
    with Store.open(url) as store:
        assert store.counts() == {"documents": 2, "passages": 6, "labels": 6, "rejected": 1}
        assert store.serving_model() == "toy@1"
        run = store.runs(1)[0]
        assert (run["version"], run["counts"]) == ("0.1.0", {"documents": 2})
        assert run["started_at"] == MOMENT
        if revision >= "0002":
            assert [review.annotator for review, *_ in store.reviews()] == ["anna"]
        if revision >= "0006":
            assert store.past_measures(1) == [{"volumes": {"presse": 2}}]
    shown = run_query(url, "select text, training from labelled_passages order by passage_id")[1]
    assert len(shown) == 6
    if revision < "0009":  # later ones write the day themselves
        for view in ("daily_counts", "labelled_documents", "labelled_passages"):
            days = run_query(url, f"select day from {view}")[1]
            assert {str(day) for (day,) in days} == {"2026-05-08"}


def test_upgraded_from_anywhere_is_the_same_content(make_url, old, tmp_path):
    """The digest does not tell from which release a store came."""
    url, _ = old
    newest = make_url("sqlite")
    with Store.open(newest) as store:
        engine = store._engine.execution_options(writing=True)
        with engine.begin() as connection:
            fill(connection, head())
    with Store.open(url) as store, Store.open(newest) as other:
        assert store.digest() == other.digest()


def test_nights_go_on_after_the_upgrade(old):
    url, _ = old
    with Store.open(url) as store:
        nights.night(store, range(5), model="toy@2")
        assert store.counts()["documents"] == 5
        assert store.serving_model() == "toy@2"


def test_a_backup_of_an_upgraded_store_comes_back(old, tmp_path):
    url, _ = old
    back_up(url, tmp_path / "kept", "0.2.0")
    with Store.open(url) as store:
        before = store.digest()
    restore(url, tmp_path / "kept", replace=True)
    with Store.open(url) as store:
        assert store.digest() == before
