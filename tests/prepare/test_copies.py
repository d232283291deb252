"""Near-copies: found whatever the edit, the same groups in any order, over several nights."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dsn_nlp.config import Settings
from dsn_nlp.contexts import tell_contexts
from dsn_nlp.groups import Groups
from dsn_nlp.prepare import copies, copies_score, screen_score
from dsn_nlp.prepare.context import PREPARATION
from dsn_nlp.prepare.passages import split_document
from dsn_nlp.prepare.screen_score import read_rows
from dsn_nlp.records import Document, Label
from dsn_nlp.store import Store, run_query

WIRE = (
    "Le Dossier santé numérique est tombé en panne lundi à l'Hôpital Jean-Talon. Les infirmières "
    "ont dû revenir au papier pendant quatre heures, et deux chirurgies ont été reportées. "
    "« On n'avait plus rien », dit une infirmière. La direction parle d'un incident isolé."
)


def test_measured_on_made_edits():
    for kind, least in (("article", 0.99), ("comment", 0.95)):
        texts = copies_score.make(kind, 150, random.Random(1))
        told = copies_score.measure(texts, copies_score.group(texts))
        assert told.precision >= 0.95
        assert told.recall >= least - 0.04


def test_groups_do_not_depend_on_the_order():
    pairs = [("b", "c"), ("d", "e"), ("a", "c"), ("e", "b")]
    ends = set()
    for seed in range(10):
        groups = Groups()
        groups.join(random.Random(seed).sample(pairs, len(pairs)))
        ends.add(tuple(groups.find(one) for one in "abcdefg"))
    assert ends == {("a", "a", "a", "a", "a", "f", "g")}


def test_short_texts_are_never_copies():
    assert not copies.long_enough("Rien à signaler, tout va bien.")
    assert copies.long_enough(WIRE)


def article(key, text, day):
    moment = datetime(2026, 5, day, tzinfo=UTC)
    return Document(key, "article", f"outlet-{key}", text, "fr", published_at=moment)


def night(store, documents):
    run_id = store.begin_run("0", timedelta(minutes=5))
    store.add_documents(run_id, [(one, split_document(one)) for one in documents])
    tell_contexts(store, Settings(), run_id)
    store.register_model("toy@1", "toy", "1", {}, "0")
    labels = [
        Label(p.passage_id, "toy@1", (), (0.1,) * 5, "neutral", (0.1, 0.8, 0.1), False)
        for one in documents
        for p in split_document(one)
    ]
    store.add_labels(run_id, labels)
    store.publish(run_id, {}, "toy@1")


def shown(url):
    sql = (
        "select distinct document_id, group_id, case when representative then 1 else 0 end as r "
        "from labelled_passages order by document_id"
    )
    return run_query(url, sql)[1]


NIGHTS = [
    [article("d", WIRE.replace("lundi", "hier"), 4), article("x", "Un tout autre sujet. " * 9, 1)],
    [article("b", WIRE.replace("quatre", "cinq") + " Avec La Presse Canadienne.", 3)],
    [article("c", WIRE, 2), article("e", WIRE.upper(), 5)],
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_groups_grow_over_nights_and_one_of_each_counts(tmp_path, order):
    url = f"sqlite:///{tmp_path}/dsn.db"
    with Store.open(url) as store:
        for number in order:
            night(store, NIGHTS[number])
        before = store.digest()
        night(store, [])
        assert store.digest() == before
    assert shown(url) == [("b", "b", 0), ("c", "b", 1), ("d", "b", 0), ("e", "b", 0), ("x", "x", 1)]


def test_copies_are_those_of_each_pair_whatever_the_batch(tmp_path, monkeypatch):
    chance = random.Random(3)
    parts = [
        f"Le poste {n} du bloc {n * 7} gèle encore à l'ouverture du dossier." for n in range(9)
    ]
    given = [
        article(f"{n:03}", " ".join(chance.sample(parts, 3)) + (" " + WIRE) * (n % 7 == 0), 9)
        for n in range(60)
    ]
    given += [replace(one, document_id=f"9{one.document_id}") for one in given[::4]]
    found = set()
    for size in (1, 7, 64):
        monkeypatch.setattr("dsn_nlp.contexts.BATCH_DOCUMENTS", size)
        monkeypatch.setattr("dsn_nlp.contexts.MOST_SHINGLES", size)
        with Store.open(f"sqlite:///{tmp_path}/{size}.db") as store:
            night(store, chance.sample(given, len(given)))
            found.add(store.digest())
            assert not store.without_context(PREPARATION, 10)
    assert len(found) == 1
    _, rows = run_query(
        f"sqlite:///{tmp_path}/64.db", "SELECT document_id, other_id FROM near_copies"
    )
    texts = {one.document_id: copies.shingles(one.text) for one in given}
    stored = {tuple(row) for row in rows}
    assert len(stored) > 60
    assert all(copies.similarity(texts[a], texts[b]) >= copies.SIMILARITY for a, b in stored)


@pytest.mark.parametrize("size", [1, 64])
def test_a_text_that_repeats_finds_its_near_copies_after_the_rules_change(
    tmp_path, monkeypatch, size
):
    url = f"sqlite:///{tmp_path}/dsn.db"
    monkeypatch.setattr("dsn_nlp.contexts.BATCH_DOCUMENTS", size)
    with Store.open(url) as store:
        night(store, [article("b", WIRE, 2), article("c", WIRE, 3)])
        monkeypatch.setattr("dsn_nlp.contexts.PREPARATION", "changed")
        night(store, [])
        assert not store.without_context("changed", 10)
        night(store, [article("d", WIRE.replace("quatre", "cinq"), 4)])
    assert shown(url) == [("b", "b", 1), ("c", "b", 0), ("d", "b", 0)]


def test_view_shows_site_voice_and_relevance(tmp_path):
    url = f"sqlite:///{tmp_path}/dsn.db"
    with Store.open(url) as store:
        comment = Document(
            "k", "comment", "sondage", "Le DSN gèle tous les matins à l'étage.", "fr", site="HJT"
        )
        night(store, [article("a", WIRE, 1), comment])
    columns = "kind, site, voice_role, relevance_score"
    rows = set(run_query(url, f"select distinct {columns} from labelled_passages")[1])
    assert ("comment", "Hôpital Jean-Talon", None, 0.9) in rows
    assert {row[2] for row in rows if row[0] == "article"} >= {"care_staff", "management"}
    assert {row[1] for row in rows if row[0] == "article"} == {"Hôpital Jean-Talon", None}
    sites = run_query(url, "select document_id, site from mentions")[1]
    assert sites == [("a", "Hôpital Jean-Talon")]


def test_relevance_measured_on_labelled_titles():
    told = screen_score.measure(read_rows(screen_score.CORPUS, "test"))
    assert told.precision >= 0.95
    assert told.recall >= 0.95


def test_relevance_measured_on_whole_articles():
    seen = screen_score.measure(read_rows(screen_score.ARTICLES, "development"))
    assert seen.precision >= 0.9
    assert seen.recall >= 0.95
    other = screen_score.measure(read_rows(screen_score.ARTICLES, "test"))
    assert other.precision >= 0.9
    assert other.recall >= 0.6  # the honest figure; see corpora/relevance/README.md
