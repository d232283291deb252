"""What is about Québec's record is kept; other "DSN"s and other news are not."""

import pytest

from dsn_nlp.prepare.screen import MAX_CHARACTERS, screen

ABOUT = [
    ("Le Dossier santé numérique entre à l’hôpital", "Samedi, deux établissements ont basculé."),
    ("Panne informatique majeure", "Le DOSSIER SANTE NUMERIQUE est tombé durant quatre heures."),
    ("Retards au projet", "Le dossier de santé numérique coûtera 200 M$ de plus."),
    ("DSN : des médecins inquiets", "Des médecins du CHUM demandent un report."),
    ("Formation bâclée", "Des infirmières du CIUSSS n’ont pas reçu la formation au DSN."),
    ("Epic choisi", "Santé Québec confirme qu’Epic fournira le DSN des CISSS."),
    ("Un logiciel américain", "Le logiciel Epic sera déployé dans les hôpitaux de Montréal."),
    ("Nurses locked out", "The DSN froze and nurses at the hospital could not sign in."),
    ("Quebec’s digital health record launches", "Hospitals in Montreal went live on Saturday."),
    ("Doctors drown in inbox", "In Trois-Rivières, the new digital health record adds hours."),
    ("Lettre", "Le DSN,\nvoilà six mois qu’on en parle aux urgences de Drummondville."),
]
NOT_ABOUT = [
    ("La DSN, casse-tête de paie", "La déclaration sociale nominative est due à l’Urssaf."),
    ("DSN et mutuelle santé", "La déclaration sociale nominative transmet la complémentaire santé "
     "des infirmières et des médecins salariés en France."),
    ("Connect to a database", "Set the DSN (data source name) in the ODBC connection string."),
    ("NASA upgrades DSN antennas", "The Deep Space Network will help doctors study astronauts."),
    ("Septième match", "Les Draveurs l’emportent devant une salle comble à Trois-Rivières."),
    ("An epic night in Quebec City", "Two fans were taken to hospital after an epic final."),
    ("Urgences débordées", "Les médecins de l’hôpital de Laval demandent des lits."),
    ("My Health Record", "Australia’s digital health record reaches hospitals in Perth."),
    ("Piste cyclable", "Le conseil municipal adopte le tracé. DSN Construction creusera."),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("title", "text"), ABOUT)
def test_kept(title, text):
    result = screen(title, text)
    assert result.relevant
    assert 0.5 <= result.score <= 1
    assert result.reason


@pytest.mark.parametrize(("title", "text"), NOT_ABOUT)
def test_dropped(title, text):
    result = screen(title, text)
    assert not result.relevant
    assert 0 <= result.score < 0.5
    assert result.reason


def test_full_name_wins_over_a_homonym():
    text = "Le Dossier santé numérique, à ne pas confondre avec la déclaration sociale nominative."
    assert screen("DSN", text).relevant


def test_only_the_beginning_of_endless_text_is_read():
    assert not screen("", "x " * MAX_CHARACTERS + "Dossier santé numérique").relevant
    assert not screen("", "dossier " * 100_000).relevant
    assert not screen("", "dsn " * 30_000).relevant


def test_every_sample_article_on_the_record_is_kept_and_no_other():
    import re
    from html import unescape

    from tests.conftest import ROOT

    dropped = set()
    for path in sorted((ROOT / "corpora/sample/world").rglob("*.html")):
        page = path.read_text(encoding="utf-8")
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
        if heading is None:
            continue
        paragraphs = re.findall(r"<p[^>]*>(.*?)</p>", page, re.S)
        plain = unescape(re.sub(r"<[^>]+>", "", "\n".join(paragraphs)))
        if not screen(unescape(heading[1]), plain).relevant:
            dropped.add(path.stem)
    assert dropped == {
        "conseil-piste-cyclable",
        "declaration-sociale-nominative-filiales",
        "draveurs-septieme-match",
        "20260530-heat-wave-weekend-forecast",
    }


@pytest.mark.parametrize(
    ("title", "text", "kept"),
    [
        ("", "“It works,” says pharmacist Ann Roy, who has worked with the DSN since June.", True),
        ("", "Nurses need months to get used to a system like the DSN.", True),
        ("", "Un expert qui a examiné les accès du DSN parle de failles à l'hôpital.", True),
        ("Cost of Quebec's DSN climbs", "The electronic health record is late, we read.", True),
        ("DSN Solutions opens an office", "The Texas firm sells scheduling tools.", False),
        ("DSN Technologies wins contract", "The firm will run parking meters.", False),
        ("", "The goalie, who joked about the DSN, was traded by the Montreal team.", False),
    ],
)
def test_who_uses_the_record_speaks_of_it_and_a_firm_of_its_name_does_not(title, text, kept):
    assert screen(title, text).relevant is kept
