"""The French catalogue has every message of ours, and no other; its places are the same."""

import re
import time
from pathlib import Path

import pytest

from dsn_nlp.wordings import parse, read_catalogue, templates, translated
from dsn_nlp.wordings.sites import read_templates

CATALOGUE = read_catalogue()
ENTRIES = [entry for table in CATALOGUE.values() for entry in table.items()]
NBSP = "\N{NO-BREAK SPACE}"
# What a path, an address or a number may look like.
VALUES = (
    "/données/d'hier/a:b.csv", "C:\\Chemins\\été (2).xlsx", "https://exemple.ca:8443/p?q=1&r={0}",
    "12,345", "l'« hôpital » \"A\"", "-0.5", "{1}", "\\1 %s",
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    return read_templates()


def places(text: str) -> list[str]:
    return sorted(re.findall(r"\{\d+\}", text.replace("{{", "").replace("}}", "")))


def test_every_message_has_its_french(made: dict[str, list[str]]) -> None:
    missing = {template: made[template] for template in set(made) - set(CATALOGUE["messages"])}
    assert missing == {}, "python -m dsn_nlp.wordings says what to write"


def test_nothing_is_kept_that_no_code_says(made: dict[str, list[str]]) -> None:
    assert set(CATALOGUE["messages"]) - set(made) == set()


def test_the_reading_of_the_source_finds_what_is_known_to_be_said(
    made: dict[str, list[str]],
) -> None:
    assert len(made) > 350
    for template in (
        "{0}: cannot be read ({1})",  # an error, raised where it is made
        "a symbolic link is not read; put the file itself there",  # returned by a function
        "the workbook is damaged; export it again",  # one of a table of reasons
        "must be an http:// or https:// address",  # of a check of settings
        "transient: {0}",  # put before the reason of another
        "unreadable date",  # given to a method that makes the rejection
    ):
        assert template in made


def test_french_has_the_places_of_english() -> None:
    assert {en: fr for en, fr in ENTRIES if places(en) != places(fr) or not fr.strip()} == {}


def test_french_is_set_as_quebec_does() -> None:
    """A no-break space within « », before the colon and the per cent sign; none before ; ! ?"""
    wrong = re.compile(r"« | »| :( |$)|(?<!«)\s[;!?]|\d %|\"\w+'|\.\.\.")
    assert [french for _, french in ENTRIES if wrong.search(french)] == []


@pytest.mark.parametrize("turn", range(len(VALUES)))
def test_what_was_put_in_comes_out_as_it_was(turn: int) -> None:
    for english, french in ENTRIES:
        values = [VALUES[(turn + i) % len(VALUES)] for i in range(len(places(english)))]
        message = filled(english, values)
        told = translated(message, "fr")
        for value in values:
            assert value in told, (message, told)
        assert translated(message, "en") == message
        assert told == filled(french, values), message


def filled(template: str, values: list[str]) -> str:
    return re.sub(r"\{(\d+)\}", lambda place: values[int(place[1])], template)


def test_a_message_within_a_message_is_french_too() -> None:
    message = "transient: given up after 5 nights: https://exemple.ca/a: HTTP 503; try again later"
    assert translated(message, "fr") == (
        f"passager{NBSP}: abandonné après 5 nuits{NBSP}: https://exemple.ca/a{NBSP}: HTTP 503; "
        "réessayez plus tard"
    )
    assert translated("dsn.toml:12: news[1].url: must be an http:// or https:// address", "fr") == (
        f"dsn.toml:12{NBSP}: news[1].url{NBSP}: doit être une adresse http:// ou https://"
    )
    assert translated("/x: y/a.csv: cannot be read (Permission denied)", "fr") == (
        f"/x: y/a.csv{NBSP}: ne peut pas être lu (permission refusée)"
    )


@pytest.mark.parametrize("message", ["", "an unknown remark", "a: b", ": ", "{0}", "é" * 100])
def test_what_is_not_ours_is_left_as_it_is(message: str) -> None:
    assert translated(message, "fr") == message


def test_time_is_linear_in_a_hostile_message() -> None:
    seeds = [": ", "; ", "(", "transient: ", "{0}", ", line ", " (query)", "a: cannot be read ("]
    seeds += [max(template.texts, key=len) for template in templates()[::40]]
    began = time.monotonic()
    for seed in seeds:
        translated((seed * 100_000)[:100_000], "fr")
        translated((seed * 100_000)[:100_000] + ")", "fr")
    assert time.monotonic() - began < 60


def test_braces_are_written_twice() -> None:
    template = parse("write {{a}} or {0}", "écrivez {{a}} ou {0}")
    values = template.match("write {a} or b")
    assert values == {0: "b"}
    assert template.filled(values) == "écrivez {a} ou b"


def test_the_text_is_packaged() -> None:
    import dsn_nlp.wordings

    assert (Path(dsn_nlp.wordings.__file__).parent / "messages_fr.toml").is_file()
