"""Quotes, reported speech, and the role of who speaks."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_nlp.prepare import voices_score
from dsn_nlp.prepare.screen_score import read_rows
from dsn_nlp.prepare.voice_quotes import find_quotes
from dsn_nlp.prepare.voices import find_voices


def told(text):
    return [(v.role, text[v.start : v.end], v.direct) for v in find_voices(text)]


def test_both_languages_and_both_makes():
    text = (
        "« Rien ne marche », dit une infirmière. Selon la FIQ, la formation a duré deux heures.\n"
        "“We are sorry,” said a hospital spokesperson. The minister said the rollout would go on."
    )
    assert told(text) == [
        ("care_staff", "Rien ne marche", True),
        ("union", "la formation a duré deux heures", False),
        ("management", "We are sorry,", True),
        ("ministry", "the rollout would go on", False),
    ]


def test_pronouns_and_surnames_mean_who_was_introduced():
    text = (
        "Le Dr Paul Roy est chirurgien. « C'est trop long », dit-il. "
        "Line Côté, présidente du syndicat, l'appuie. « Assez », tranche Mme Côté."
    )
    assert [(role, quote) for role, quote, _ in told(text)] == [
        ("physician", "C'est trop long"),
        ("union", "Assez"),
    ]


def test_a_rank_outweighs_a_trade():
    for text, role in {
        "« Non », dit le Dr Luc Roy, président de la FMSQ.": "union",
        "« Non », dit l'infirmière Eve Roy, directrice de l'hôpital.": "management",
        "« Non », dit la présidente de l'Ordre des infirmières.": "professional_order",
        "« Non », dit la directrice des soins infirmiers.": "management",
        "« Non », dit la mère d'un patient.": "patient_or_family",
    }.items():
        assert told(text) == [(role, "Non", True)], text


def test_an_incise_is_nobodys_words():
    text = "« C'est lent, dit une préposée, mais on apprend. »"
    assert [quote for _, quote, _ in told(text)] == ["C'est lent", "mais on apprend."]


def test_quotes_left_open_go_on_in_the_next_paragraph():
    text = "« Le matin, tout gèle.\n« Le soir aussi », souffle une infirmière."
    assert [text[q.start : q.end] for q in find_quotes(text)] == [
        "Le matin, tout gèle.",
        "Le soir aussi",
    ]


def test_nested_quotes_are_one():
    text = "« Il m'a dit : “Attends”, puis “va-t’en” », raconte un patient."
    assert told(text) == [("patient_or_family", "Il m'a dit : “Attends”, puis “va-t’en”", True)]


@pytest.mark.parametrize(
    "text",
    [
        "Le projet « Virage numérique » a débuté.", "Le système dit « vitrine » sera étendu.",
        "L'hôpital compte 300 lits.", "Un écran de 24\" par poste.", "", "« »", "—", "\"",
        "Selon le calendrier, la phase 2 débutera à l'hiver.",
        "Le livre « Soigner à l'ère du numérique » est paru mardi.",
        "The sign “No paper beyond this point” hangs above the desk.",
    ],
)  # fmt: skip
def test_no_voice_where_nobody_speaks(text):
    assert told(text) == []


@given(st.text(alphabet="aÉœ«»“”\"'’—-. \n,:dit SelonFIQ", max_size=300))
@settings(max_examples=300, deadline=None)
def test_quotes_are_exact_whatever_the_text(text):
    last = 0
    for quote in find_quotes(text):
        assert last <= quote.outer <= quote.start <= quote.end <= quote.outer_end <= len(text)
        last = quote.outer_end
    for voice in find_voices(text):
        assert 0 <= voice.start < voice.end <= len(text)


def test_hostile_text_does_not_hang():
    started = time.process_time()
    for text in ("« " * 50_000, "selon " * 10_000, "dit-il, " * 15_000, '"a" ' * 25_000,
                 "a" * 100_000, "La FIQ dit que " * 7_000, "Le Dr " * 17_000):  # fmt: skip
        find_voices(text)
    assert time.process_time() - started < 60  # a hang; measured are 6 s


def test_measured_on_labelled_passages():
    rows = read_rows(voices_score.CORPUS, "test")
    quotes, roles = voices_score.measure(rows, role=False), voices_score.measure(rows)
    assert quotes.precision >= 0.93
    assert quotes.recall >= 0.9
    assert roles.f1 >= 0.88


@pytest.mark.parametrize("split", ["development", "test"])
def test_scare_quotes_titles_and_nicknames_are_nobodys_words(split):
    rows = read_rows(voices_score.SHORT, split)
    assert len(rows) == 20
    told_of = voices_score.measure(rows)
    assert told_of.precision >= 0.9
    assert told_of.recall >= 0.9


def test_a_term_between_quotation_marks_stays_part_of_what_is_reported():
    text = "La FIQ dit que le « virage numérique » épuise tout le monde."
    assert told(text) == [("union", "le « virage numérique » épuise tout le monde", False)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "The barcode scanners went dead all night, orderlies say.",
            [("care_staff", "The barcode scanners went dead all night", False)],
        ),
        (
            "Discharge letters went unsent for a week and should not have, two surgeons report.",
            [("physician", "Discharge letters went unsent for a week and should not have", False)],
        ),
        (
            "The new screens beat paper, a pharmacist wrote.",
            [("care_staff", "The new screens beat paper", False)],
        ),
        (
            "Le nouvel écran ralentit tout, selon une préposée de Nicolet.",
            [("care_staff", "Le nouvel écran ralentit tout", False)],
        ),
        (
            "Personne ne lit les alertes, disent les pharmaciens.",
            [("care_staff", "Personne ne lit les alertes", False)],
        ),
        (
            "La présidente de la FIQ, Lise Roy, a déclaré que les quarts s'allongent.",
            [("union", "les quarts s'allongent", False)],
        ),
        (
            "The hospital says the outage is over and that no file was lost.",
            [
                ("management", "the outage is over", False),
                ("management", "no file was lost", False),
            ],
        ),
        (
            "« J'ai attendu », raconte Rose Petit, dont la chirurgie a été remise à l'hôpital.",
            [("patient_or_family", "J'ai attendu", True)],
        ),
        ('"We gave up," another user wrote on a forum.', [("unknown", "We gave up,", True)]),
        ("Ask the administrator, and print your reports in minutes.", []),
        ("Santé Québec defends choice of vendor", []),
    ],
)
def test_what_is_reported_without_quotation_marks(text, said):
    assert told(text) == said
