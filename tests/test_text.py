"""Normalising and telling languages."""

import pytest

from dsn_nlp.records import Comment, Document, Passage
from dsn_nlp.text import content_id, normalise, tell_language


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cafe\u0301 \r\nici", "café\nici"),
        ("  « formation »\u00a0! \x00", "« formation »\u00a0!"),
        ("FormÃ© trop tard", "Formé trop tard"),
        ("l’écran", "l’écran"),
        ("He\u200b\u0301le\u200bne", "Hélene"),
    ],
)
def test_normalise(given, expected):
    assert normalise(given) == expected
    assert normalise(normalise(given)) == normalise(given)


@pytest.mark.parametrize(
    ("text", "prior", "expected"),
    [
        ("Le système est lent ce matin.", None, "fr"),
        ("The system is slow in the morning.", None, "en"),
        ("login bug", "fr", "fr"),
        ("27", "en", "en"),
        ("", None, "fr"),
        ("Nobody showed us how to close an encounter.", "fr", "en"),
    ],
)
def test_tell_language(text, prior, expected):
    assert tell_language(text, prior) == expected


def test_ids_do_not_confuse_their_parts():
    assert content_id("ab", "c") != content_id("a", "bc")
    assert len(content_id("a")) == 32


def test_nothing_that_holds_text_shows_it():
    held = [
        Comment("i", "s", "f:1", "SECRET"),
        Document("i", "comment", "s", "SECRET", "fr"),
        Passage("i", "d", 0, 0, 6, "SECRET", "fr"),
    ]
    assert not any("SECRET" in repr(each) for each in held)
