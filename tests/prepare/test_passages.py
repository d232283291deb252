"""Splitting keeps offsets exact, loses nothing, and breaks where people do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_nlp.prepare.passages import split_document
from dsn_nlp.records import Document


def texts(text, lang="fr", budget=90):
    document = Document("d", "comment", "s", text, lang)
    passages = split_document(document, budget)
    assert all(text[p.start : p.end] == p.text for p in passages)
    assert [p.position for p in passages] == list(range(len(passages)))
    return [p.text for p in passages]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("fr", "Le Dr. Roy attend. On clique trop.", ["Le Dr. Roy attend.", "On clique trop."]),
        ("fr", "Formation reçue hier. Quel luxe!", ["Formation reçue hier. Quel luxe!"]),
        ("fr", "« C'est absurde. » Elle est partie sans rien dire.",
         ["« C'est absurde. »", "Elle est partie sans rien dire."]),
        ("fr", "Trois affaires :\n- trop de clics\n- écran figé\n- pas de formation",
         ["Trois affaires :", "- trop de clics", "- écran figé", "- pas de formation"]),
        ("fr", "ça gèle… encore… toujours pareil", ["ça gèle… encore… toujours pareil"]),
        ("en", 'He left. "We are not trained," she said. It took 3.5 hours.',
         ["He left.", '"We are not trained," she said.', "It took 3.5 hours."]),
        ("en", "Slow at 7 a.m. every single day. Nothing prints anymore.",
         ["Slow at 7 a.m. every single day.", "Nothing prints anymore."]),
        ("en", "27 clicks.", ["27 clicks."]),
        ("fr", "", []),
        ("fr", " \n\t ", []),
    ],
)  # fmt: skip
def test_sentences(lang, text, expected):
    assert texts(text, lang) == expected


def test_long_sentences_are_cut_within_the_budget():
    text = "on recopie la liste, " * 60
    pieces = texts(text, budget=30)
    assert len(pieces) > 5
    assert all(len(piece.split()) <= 30 for piece in pieces)


def test_each_passage_has_its_own_language():
    document = Document(
        "d", "comment", "s",
        "Le système est tombé en panne deux fois cette semaine. "
        "Nobody ever showed us how to reconcile the medication list.", "fr",
    )  # fmt: skip
    assert [p.lang for p in split_document(document)] == ["fr", "en"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["fr", "en"]), st.integers(10, 50))
def test_nothing_is_lost_and_offsets_hold(text, lang, budget):
    pieces = texts(text, lang, budget)
    kept = "".join("".join(piece.split()) for piece in pieces)
    assert kept == "".join(text.split())
