"""What is written twice is there once, and equal content hashes equal."""

import random
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import store_nights as nights

from dsn_nlp.errors import StoreError
from dsn_nlp.records import COMPLAINTS
from dsn_nlp.store import Store, run_query


def test_writing_twice_changes_nothing(store):
    nights.night(store)
    before = store.digest(), store.counts()
    run_id = store.begin_run("0.1.0", nights.LEASE)
    pairs = [nights.pair(n) for n in range(nights.DOCUMENTS)]
    cut = [one for _, passages in pairs for one in passages]
    assert store.add_documents(run_id, pairs) == []
    assert store.add_documents(run_id, [pairs[0]]) == []
    assert store.add_rejections(run_id, [nights.rejection(0)]) == 0
    assert store.add_labels(run_id, [nights.label(one) for one in cut]) == 0
    nights.register(store)
    store.publish(run_id, {}, nights.MODEL)
    assert (store.digest(), store.counts()) == before
    assert before[1] == {"documents": 12, "passages": 36, "labels": 36, "rejected": 3}


def test_counts_only_what_is_new_within_one_call(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    one, two, three = (nights.document(number).document_id for number in (1, 2, 3))
    given = iter([nights.pair(1), nights.pair(2), nights.pair(1)])
    assert sorted(store.add_documents(run_id, given)) == sorted([one, two])
    assert store.add_documents(run_id, [nights.pair(2), nights.pair(3)]) == [three]
    assert store.add_documents(run_id, []) == []
    assert store.add_rejections(run_id, [nights.rejection(1)] * 2) == 1


def test_stored_document_keeps_its_passages_when_cut_anew(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    document, passages = nights.pair(1)
    store.add_documents(run_id, [(document, passages)])
    before = store.digest()
    other = [replace(one, passage_id=f"x{one.position}", position=9) for one in passages[:1]]
    assert store.add_documents(run_id, [(document, other)]) == []
    assert store.digest() == before


def test_document_is_never_stored_without_its_passages(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    document, passages = nights.pair(1)
    broken = [passages[0], replace(passages[1], document_id="nowhere")]
    with pytest.raises(StoreError):
        store.add_documents(run_id, [nights.pair(2), (document, broken)])
    assert store.known_documents([document.document_id, nights.document(2).document_id]) == set()


def test_known_things(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    store.add_documents(run_id, [nights.pair(1), nights.pair(2)])
    elsewhere = replace(nights.rejection(2), source="autre")
    unreadable = replace(nights.rejection(3), stage="extract")
    store.add_rejections(run_id, [nights.rejection(1), elsewhere, unreadable])
    ids = [nights.document(number).document_id for number in range(2000)]
    assert store.known_documents(iter(ids)) == {ids[1], ids[2]}
    urls = [f"https://exemple.test/{name}" for name in ("1", "2", "4", "r1", "r2", "r3")]
    # Document 2 is a comment, and has no address.
    known = {urls[n] for n in (0, 3, 5)}
    assert store.known_among("presse", urls) == known
    assert store.known_among("autre", urls) == {urls[0], urls[4]}
    many = [*urls, *(f"https://n.test/{number}" for number in range(2000))]
    assert store.known_among("presse", many) == known


def test_unlabelled_passages_come_in_order_and_from_a_run(store):
    first = nights.night(store, range(3))
    run_id = store.begin_run("0.1.0", nights.LEASE)
    store.add_documents(run_id, [nights.pair(7)])
    everything = sorted(one.passage_id for n in (0, 1, 2, 7) for one in nights.pair(n)[1])
    of_run = store.unlabelled("other@1", 100, run_id)
    assert sorted(of_run, key=lambda one: one.position) == nights.pair(7)[1]
    assert store.unlabelled(nights.MODEL, 100) == of_run
    assert store.unlabelled(nights.MODEL, 100, first) == []
    assert store.count_unlabelled("other@1") == 12
    page = store.unlabelled("other@1", 5)
    rest = store.unlabelled("other@1", 100, after=page[-1].passage_id)
    assert [one.passage_id for one in page + rest] == everything


def test_labels_keep_scores_of_numpy(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    document, passages = nights.pair(1)
    store.add_documents(run_id, [(document, passages)])
    nights.register(store)
    scores = tuple(np.linspace(0, 1, len(COMPLAINTS), dtype=np.float32))
    given = replace(nights.label(passages[0]), complaint_scores=scores, needs_review=np.bool_(1))
    assert store.add_labels(run_id, [given]) == 1


@pytest.mark.parametrize("scores", [(0.1,) * 4, (0.1,) * 4 + (1.5,), (float("nan"),) * 5])
def test_scores_out_of_shape_or_range_are_refused(store, scores):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    nights.register(store)
    store.add_documents(run_id, [nights.pair(1)])
    wrong = replace(nights.label(nights.pair(1)[1][0]), complaint_scores=scores)
    with pytest.raises(StoreError, match=r"5 scores in \[0, 1\]"):
        store.add_labels(run_id, [wrong])


def test_labels_need_a_registered_model(store):
    run_id = store.begin_run("0.1.0", nights.LEASE)
    store.add_documents(run_id, [nights.pair(1)])
    with pytest.raises(StoreError, match="register the model first"):
        store.add_labels(run_id, [nights.label(nights.pair(1)[1][0])])


def test_changed_model_needs_a_new_version(store):
    nights.register(store)
    nights.register(store)
    with pytest.raises(StoreError, match="new version"):
        store.register_model(nights.MODEL, "toy", "1", {"files": {"model.onnx": "01"}}, "digest")


def test_digest_knows_content_only(make_url):
    digests = set()
    for kind, seed in [("sqlite", 1), ("sqlite", 2), ("postgresql", 3), ("postgresql", 4)]:
        numbers = random.Random(seed).sample(range(nights.DOCUMENTS), nights.DOCUMENTS)
        with Store.open(make_url(kind)) as store:
            for share in (numbers[: seed * 2], numbers[seed * 2 :]):
                nights.night(store, share)
            digests.add(store.digest())
            nights.night(store, [99])
            assert store.digest() not in digests
    assert len(digests) == 1


def test_view_tells_what_was_stored(store, url):
    nights.night(store)
    names, rows = run_query(url, "SELECT * FROM labelled_passages ORDER BY passage_id")
    complaints = [column for name in COMPLAINTS for column in (name, f"{name}_score")]
    assert names == [
        *("passage_id", "document_id", "kind", "lang", "source", "site", "published_at"),
        *complaints,
        *("sentiment", "sentiment_score", "needs_review", "model"),
        *("voice_role", "representative", "group_id", "relevance_score", "text", "day"),
    ]
    stored = {one.passage_id: one for n in range(nights.DOCUMENTS) for one in nights.pair(n)[1]}
    documents = {
        nights.document(n).document_id: nights.document(n) for n in range(nights.DOCUMENTS)
    }
    assert [row[0] for row in rows] == sorted(stored)
    for row in (dict(zip(names, values, strict=True)) for values in rows):
        label = nights.label(stored[row["passage_id"]])
        document = documents[row["document_id"]]
        assert row["text"] == stored[row["passage_id"]].text
        assert {name for name in COMPLAINTS if row[name]} == set(label.complaints)
        assert tuple(row[f"{name}_score"] for name in COMPLAINTS) == label.complaint_scores
        assert (row["sentiment"], row["sentiment_score"]) == ("negative", 0.7)
        assert (row["kind"], row["site"], row["model"]) == (document.kind, document.site, "toy@1")
        assert datetime.fromisoformat(str(row["published_at"])) == document.published_at
        day = document.published_at.astimezone(ZoneInfo("America/Toronto")).date()
        assert str(row["day"]) == str(day)
        kind = int if url.startswith("sqlite") else bool
        assert type(row["training"]) is type(row["needs_review"]) is kind


def test_lists_newest_first(store):
    first, second = nights.night(store, range(2)), nights.night(store, range(5))
    listed = store.runs(10)
    assert [run["run_id"] for run in listed] == [second, first]
    assert listed[0]["status"] == "published"
    assert listed[0]["finished_at"].utcoffset().total_seconds() == 0
    assert [run["run_id"] for run in store.runs(1)] == [second]
    assert [row["place"] for row in store.rejected(1)] == [nights.rejection(4).place]
    assert len(store.rejected(10, "presse")) == 2
    assert store.rejected(10, "autre") == []
