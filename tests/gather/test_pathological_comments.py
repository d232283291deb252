"""Texts written to be slow are read, or refused, in a time that grows no faster than they do."""

import time

import pytest

from dsn_nlp.prepare.deidentify import Deidentifier
from dsn_nlp.prepare.passages import split_document
from dsn_nlp.prepare.sites import link_sites
from dsn_nlp.prepare.voices import find_voices
from dsn_nlp.records import Document
from tests.measure.pathological_comments import CHANGING, UNITS, hostile, read_time


@pytest.mark.parametrize("name", sorted(UNITS))
def test_reading_is_not_slowed(tmp_path, name):
    unit = UNITS[name]
    read_time(tmp_path, "Une lecture à blanc, pour charger ce qui se charge une fois.")
    assert read_time(tmp_path, (unit * 100_000)[:100_000])[1] == 0  # over 20,000 characters
    seconds, comments = read_time(tmp_path, (unit * 20_000)[:19_999])
    assert comments == 1
    assert seconds < 5  # a hang; measured are under 0.1 s


@pytest.fixture(scope="module")
def rules():
    made = Deidentifier(None)
    made.redact("Une lecture à blanc, pour charger ce qui se charge une fois.", "fr")
    split_document(Document("d", "comment", "s", "Une lecture à blanc.", "fr"))
    return made


@pytest.mark.parametrize("name", sorted(UNITS | CHANGING))
def test_preparing_is_not_slowed(name, rules):
    started = time.process_time()
    safe, _ = rules.redact(hostile(name), "fr")
    passages = split_document(Document("d", "comment", "s", safe, "fr"))
    assert time.process_time() - started < 5  # a hang; measured are under 0.4 s
    assert "".join("".join(p.text.split()) for p in passages) == "".join(safe.split())


@pytest.mark.parametrize("name", sorted(UNITS | CHANGING))
def test_articles_are_not_slowed(name):
    find_voices("Une lecture à blanc, dit-elle.")
    link_sites("Une lecture à blanc.")
    text = (hostile(name) * 5)[:100_000]
    started = time.process_time()
    find_voices(text)
    link_sites(text)
    assert time.process_time() - started < 10  # a hang; measured are under 1 s


def test_names_are_numbered_as_whoever_shares_their_words(rules):
    text = "Merci à Julie Tremblay, puis Omar Roy; Julie a aidé, et Tremblay aussi, et Luc Roy."
    safe = rules.redact(text, "fr")[0]
    assert [safe[at + 8] for at in range(len(safe)) if safe.startswith("[PERSON_", at)] == [
        "1", "2", "1", "1", "3",
    ]  # fmt: skip
