"""Links to establishments: written in every way, and left alone where the name is another's."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_nlp.errors import CorpusError
from dsn_nlp.prepare import sites_score
from dsn_nlp.prepare.screen_score import read_rows
from dsn_nlp.prepare.site_names import gazetteer, words_of
from dsn_nlp.prepare.sites import link_sites, resolve_site

SACRED = "Hôpital du Sacré-Cœur-de-Montréal"


def named(text, kind="article", near=()):
    return [mention.site for mention in link_sites(text, kind, near)]


@pytest.mark.parametrize(
    "written",
    [
        "Hôpital du Sacré-Cœur-de-Montréal", "HOPITAL SACRE COEUR", "hop. sacré-coeur",
        "Hôpital du Sacré‑Cœur", "Sacred Heart Hospital", "HSCM", "hopital sacrecoeur",
        "hôpital Sacré-Ceour", "Hôpital du Sacre\u0301-Cœur", "l’hôpital du Sacré-Cœur",
    ],
)  # fmt: skip
def test_one_hospital_written_in_many_ways(written):
    assert named(f"La panne a touché {written} hier.") == [SACRED]


def test_offsets_are_of_the_text():
    text = "À l’Hôpital Jean‑Talon, puis au CLSC d'Ahuntsic."
    found = link_sites(text)
    assert [text[m.start : m.end] for m in found] == ["Hôpital Jean‑Talon", "CLSC d'Ahuntsic"]
    assert {m.authority for m in found} == {"CIUSSS du Nord-de-l'Île-de-Montréal"}


@pytest.mark.parametrize(
    "text",
    [
        "Le marché Jean-Talon est plein.", "La rue Fleury est fermée.", "Mon chum est fatigué.",
        "Marc-André Fleury garde le but.", "Le fleuve Saint-Laurent monte.", "",
        "Le CIUSSS a écrit aux employés de l'hôpital.", "L'Hôtel-Dieu rouvre.",
        "Notre-Dame de Paris rouvre.", "Le collège Sainte-Croix recrute.",
    ],
)  # fmt: skip
def test_names_of_other_things_are_left_alone(text):
    assert named(text) == []


def test_enumerations_lend_their_class():
    assert named("Les CLSC de Villeray, d'Ahuntsic et de Saint-Laurent") == [
        "CLSC de Villeray",
        "CLSC d'Ahuntsic",
        "CLSC de Saint-Laurent",
    ]


def test_a_known_site_settles_an_ambiguous_name():
    text = "L'Hôtel-Dieu manque de lits."
    assert named(text) == []
    assert named(text, near=("Hôtel-Dieu de Lévis",)) == ["Hôtel-Dieu de Lévis"]


@pytest.mark.parametrize(
    ("field", "site"),
    [
        ("Jean-Talon", "Hôpital Jean-Talon"), ("CLSC Ahuntsic", "CLSC d'Ahuntsic"),
        ("hopital ste-croix (Drummondville)", "Hôpital Sainte-Croix"), ("Siège social", None),
        ("", None), (None, None), ("Jean-Talon et Fleury", None),
    ],
)  # fmt: skip
def test_a_form_field_is_resolved_or_left(field, site):
    assert resolve_site(field) == site


def test_every_official_name_links_to_itself():
    wrong = [s.name for s in gazetteer().sites if named(f"à {s.name}") != [s.name]]
    assert wrong == []


@given(st.text(alphabet="aéœ'’-‑. \n\u0301SaintHôpitalFleury,()", max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(text):
    for mention in link_sites(text):
        assert 0 <= mention.start < mention.end <= len(text)
    for word in words_of(text):
        assert text[word.start : word.end] == word.written


def test_hostile_text_does_not_hang():
    started = time.process_time()
    for text in ("hôpital " * 20_000, "saint-" * 30_000, "Fleury, " * 10_000, "de la " * 30_000):
        link_sites(text)
    assert time.process_time() - started < 60  # a hang; measured are 3 s


def test_measured_on_labelled_passages():
    rows = read_rows(sites_score.CORPUS, "test")
    told = sites_score.measure(rows)
    assert told.precision >= 0.95
    assert told.recall >= 0.95


def test_a_broken_list_of_sites_is_named(tmp_path):
    path = tmp_path / "sites.toml"
    path.write_text("authority = 3")
    with pytest.raises(CorpusError, match=r"sites\.toml"):
        gazetteer(path)


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("The CISSS at Laval is ready.", ["CISSS de Laval"]),
        ("Nurses meet at the cafeteria.", []),
        ("Le CISSS AT recrute.", ["CISSS de l'Abitibi-Témiscamingue"]),
        ("Au CISSS de Laval ça va.", ["CISSS de Laval"]),
        ("Mon carnet santé Québec ne s'ouvre pas.", []),
        ("Santé Québec ouvre le carnet.", ["Santé Québec"]),
        (
            "À l'hôpital Jean-Talon comme à celui de Fleury, rien ne va.",
            ["Hôpital Jean-Talon", "Hôpital Fleury"],
        ),
        (
            "À l'hôpital de Shawinigan, le maire de La Tuque attend.",
            ["Hôpital du Centre-de-la-Mauricie"],
        ),
    ],
)
def test_small_words_and_products_are_no_establishments(text, sites):
    assert named(text) == sites
