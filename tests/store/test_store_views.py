"""The documented views: plainer on SQLite since schema 0010, and the same to the last row."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command

from dsn_nlp.analyse.invent import invent
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.migrate import alembic_config
from dsn_nlp.store.schema import metadata
from dsn_nlp.store.schema_views import DOORS

FIRST = datetime(2026, 5, 9, 2, 41, tzinfo=UTC)
DOCUMENTS = 90


def rows_of_a_store():
    """Copies, dates and sites that are missing, a night at work, two models, articles."""
    for number, status in enumerate(("published", "published", "running")):
        yield "runs", {
            "run_id": f"2026050{number}T080000Z-0", "started_at": FIRST, "status": status,
            "owner": "host/1:2:3", "lease_seconds": 60.0, "version": "1",
        }  # fmt: skip
    for number in (1, 2):
        yield "models", {
            "model": f"toy@{number}", "name": "toy", "version": f"{number}", "manifest": {},
            "corpus_digest": "", "registered_at": FIRST, "serving": number == 2,
        }  # fmt: skip
    for number in range(DOCUMENTS):
        yield from rows_of_a_document(number)
    yield "rejected", {
        "rejected_id": "r", "source": "s9", "place": "x", "stage": "screen", "reason": "off topic",
        "code": "other", "first_seen_at": FIRST, "run_id": "20260500T080000Z-0",
    }  # fmt: skip


def rows_of_a_document(number):
    key, run_id = f"d{number * 37 % 97:02d}", f"2026050{number % 13 // 6}T080000Z-0"
    # Now and then two of a group are of one moment, and one has none.
    moment = None if number % 11 == 0 else FIRST + timedelta(hours=number // 2 * 5)
    yield "documents", {
        "document_id": key, "kind": ("comment", "comment", "article")[number % 3],
        "source": f"s{number % 4}", "text": "…", "lang": "fr", "published_at": moment,
        "site": "D" if number % 5 == 0 else None, "run_id": run_id,
        "respondent": f"p{number % 17}" if number % 3 == 0 else None,
    }  # fmt: skip
    if number % 7:
        yield "contexts", {
            "document_id": key, "preparation": "1", "relevance_score": 0.5, "text_key": key,
            "relevance_reason": "", "site": "C" if number % 4 == 0 else None,
            "group_id": None if number % 19 == 0 else f"g{number % 37}",
        }  # fmt: skip
    for position in range(number % 4):
        yield from rows_of_a_passage(number, key, position)


def rows_of_a_passage(number, document, position):
    key, turn = f"{document}-{position}", number + position
    yield "passages", {
        "passage_id": key, "document_id": document, "position": position, "start_offset": 0,
        "end_offset": 1, "text": "…", "lang": ("fr", "en")[turn % 2],
    }  # fmt: skip
    if turn % 3:
        yield "passage_contexts", {
            "passage_id": key, "site": ("B", "A", None)[turn % 3], "voice_role": "union",
        }  # fmt: skip
    for model in (1, 2)[: turn % 9]:
        mood = SENTIMENTS[(turn + model) % 3]
        row = {
            "passage_id": key, "model": f"toy@{model}", "sentiment": mood, "sentiment_score": 0.5,
            "needs_review": turn % 8 == 0, "run_id": f"2026050{2 * (turn % 10 == 0)}T080000Z-0",
        }  # fmt: skip
        for place, name in enumerate(COMPLAINTS):
            row |= {name: (turn + model) % (place + 2) == 0, f"{name}_score": 0.5}
        yield "labels", row | {f"{name}_score": 0.5 for name in SENTIMENTS}


@pytest.fixture
def before(url):
    """Address of a store as 1.2 left it, full of odd cases."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database).parent.mkdir(parents=True)
    engine = writing_engine(parsed, foreign_keys=False)
    with engine.execution_options(writing=True).begin() as connection:
        command.upgrade(alembic_config(connection), "0009")
        for name, row in rows_of_a_store():
            connection.execute(metadata.tables[name].insert(), row)
    engine.dispose()
    return url


def shown(url):
    answers = {view.name: run_query(url, f"SELECT * FROM {view.name}") for view in DOORS}
    return {name: (names, sorted(map(repr, rows))) for name, (names, rows) in answers.items()}


def test_every_view_shows_what_it_showed(before):
    old = shown(before)
    Store.open(before).close()
    assert shown(before) == old
    sizes = {name: len(rows) for name, (_, rows) in old.items()}
    assert sizes["labelled_passages"] > 80
    assert sizes["labelled_documents"] > 40
    representative = "SELECT representative, count(*) FROM labelled_documents GROUP BY 1"
    assert all(count > 5 for _, count in run_query(before, representative)[1])


def test_the_way_back_gives_the_same(before):
    Store.open(before).close()
    old = shown(before)
    engine = writing_engine(parse_url(before), foreign_keys=False)
    with engine.execution_options(writing=True).begin() as connection:
        command.downgrade(alembic_config(connection), "0009")
    engine.dispose()
    assert shown(before) == old


def test_the_newest_documents_are_read_and_no_others(before):
    Store.open(before).close()
    if not before.startswith("sqlite"):
        pytest.skip("a plan of SQLite")
    query = "SELECT * FROM labelled_documents ORDER BY published_at DESC LIMIT 10"
    plan = [str(row[3]) for row in run_query(before, f"EXPLAIN QUERY PLAN {query}")[1]]
    assert plan[0] == "SCAN d USING INDEX ix_documents_published_at"
    assert not any("TEMP B-TREE" in step for step in plan)


def test_a_passage_is_found_by_its_key_alone(before):
    Store.open(before).close()
    if not before.startswith("sqlite"):
        pytest.skip("a plan of SQLite")
    query = "SELECT * FROM labelled_passages WHERE {} = 'd37-0'"
    for column in ("passage_id", "document_id"):
        plan = run_query(before, f"EXPLAIN QUERY PLAN {query.format(column)}")[1]
        tables = [str(row[3]) for row in plan if str(row[3]).startswith("SCAN")]
        assert set(tables) <= {"SCAN models USING INDEX ux_models_serving", "SCAN runs"}, column


def test_an_invented_store_has_its_days(url):
    """What measures the views fills them: COPY on PostgreSQL knows no defaults."""
    invent(url, 400, weeks=4)
    assert run_query(url, "SELECT count(*) FROM daily_counts")[1][0][0] > 0
    assert run_query(url, "SELECT count(*) FROM labelled_documents WHERE day IS NULL")[1][0][0] == 0
