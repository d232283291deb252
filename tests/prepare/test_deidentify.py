"""Tables for each recognizer, exact offsets, placeholders, hostile text, and silence."""

import itertools
import logging
import socket
import unicodedata
from datetime import UTC, datetime

import pytest

from dsn_nlp.prepare.deid_checks import luhn
from dsn_nlp.prepare.deid_engine import _bounded
from dsn_nlp.prepare.deid_folder import tagger_folder
from dsn_nlp.prepare.deid_lexicon import SPACY_MODELS, _dictionary, model_folder
from dsn_nlp.prepare.deid_tagger import Tagger
from dsn_nlp.prepare.deid_text import _folded, bare, fold, key, windows
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.prepare.deidentify import Deidentifier, Span, deidentifier
from dsn_nlp.records import Comment, Language

FOUND: list[tuple[Language, str, str, str]] = [
    ("fr", "PERSON", "Ma collègue Nadia a perdu sa note.", "Nadia"),
    ("fr", "PERSON", "avec julie au triage", "julie"),
    ("fr", "PERSON", "DEMANDEZ À SYLVAIN POURQUOI ÇA GÈLE", "SYLVAIN"),
    ("fr", "PERSON", "Mme Lavoie-Côté a reçu deux doses.", "Lavoie-Côté"),
    ("fr", "PERSON", "mme gagnon attend son congé", "gagnon"),
    ("fr", "PERSON", "Dr. T. a copié la note.", "T."),
    ("fr", "PERSON", "Hier Pierre a ouvert le mauvais dossier.", "Pierre"),
    ("fr", "PERSON", "Rose a pleuré après le quart.", "Rose"),
    ("fr", "PERSON", "Fatima Zahra El Amrani a signalé l'erreur.", "Fatima Zahra El Amrani"),
    ("fr", "PERSON", "l'infirmière karine st-pierre a rescanné", "karine st-pierre"),
    ("fr", "PERSON", "Le Dr Parkinson est en congé.", "Parkinson"),
    ("en", "PERSON", "Grant told me payroll is closed.", "Grant"),
    ("en", "PERSON", "I asked Will to reopen the chart.", "Will"),
    ("en", "PERSON", "Mrs. O'Connor fell.", "O'Connor"),
    ("en", "PERSON", "TELL SHARON THE CART IS UNPLUGGED", "SHARON"),
    ("en", "PERSON", "R.J. Simmons signed in my place.", "R.J. Simmons"),
    ("fr", "PHONE", "Rappelez au poste 4521.", "poste 4521"),
    ("en", "PHONE", "Reach me on pager 8812.", "pager 8812"),
    ("fr", "PHONE", "Mon cell est le (438) 555-0162 svp", "(438) 555-0162"),
    ("en", "PHONE", "dial 514-555-0187 ext 332 now", "514-555-0187 ext 332"),
    ("fr", "EMAIL", "Écrivez à nadia.benali@ssss.gouv.qc.ca.", "nadia.benali@ssss.gouv.qc.ca"),
    ("fr", "HEALTH_INSURANCE_NUMBER", "Patiente TREB 5561 1423 inscrite.", "TREB 5561 1423"),
    ("fr", "HEALTH_INSURANCE_NUMBER", "on a lavj82031917 en double", "lavj82031917"),
    ("fr", "HEALTH_INSURANCE_NUMBER", "Le NAM ABCD 9999 1234 est refusé.", "ABCD 9999 1234"),
    ("en", "SIN", "payroll shows 046 454 286 to all", "046 454 286"),
    ("fr", "SIN", "NAS 123 456 789 affiché", "123 456 789"),
    ("fr", "RECORD_NUMBER", "Le dossier no 1204587 est barré.", "1204587"),
    ("en", "RECORD_NUMBER", "MRN 450122 will not open.", "MRN 450122"),
    ("fr", "LICENCE_NUMBER", "Mon permis OIIQ 2145873 expire.", "OIIQ 2145873"),
    ("en", "LICENCE_NUMBER", "CMQ licence number 04512 rejected", "04512"),
    ("fr", "DATE_OF_BIRTH", "Patient né le 14 mars 1958, confus.", "14 mars 1958"),
    ("en", "DATE_OF_BIRTH", "DOB 1947-02-03 accepted", "1947-02-03"),
    ("fr", "AGE", "Une dame de 94 ans attend.", "94 ans"),
    ("en", "AGE", "A 94-year-old waited.", "94-year-old"),
    ("fr", "ADDRESS", "Colis au 1250, rue Saint-Denis hier.", "1250, rue Saint-Denis"),
    ("en", "ADDRESS", "sent to 45 Maple Ave, apt 12 again", "45 Maple Ave, apt 12"),
    ("fr", "POSTAL_CODE", "Code h2m1k9 refusé.", "h2m1k9"),
    ("fr", "USERNAME", "Mon code d'usager benn2204 est barré.", "benn2204"),
    ("en", "URL", "see linkedin.com/in/jessica-palmer-rn", "linkedin.com/in/jessica-palmer-rn"),
    ("fr", "WORKSTATION", "Le poste PC-JT-4521 est gelé.", "PC-JT-4521"),
    ("en", "WORKSTATION", "Address 10.42.118.7 is blocked.", "10.42.118.7"),
]

LEFT: list[tuple[Language, str]] = [
    ("fr", "L'Hôpital Jean-Talon et l'Hôpital Pierre-Boucher attendent."),
    ("fr", "À Fleury, Sainte-Croix et Christian-Roy, Epic plante dans Teams."),
    ("fr", "Le CLSC d'Ahuntsic ne voit pas la Foley ni l'échelle de Braden."),
    ("fr", "La pierre au rein, la page blanche et l'alerte rose."),
    ("fr", "Lit 412-2, chambre 3316, Lasix 40 mg à 8h15, 27 clics."),
    ("fr", "Depuis le 9 mai 2026, 12000 dossiers et 1 500 visites de retard."),
    ("fr", "Les 90 ans et plus; un patient de 45 ans; version 10.2.1.7."),
    ("fr", "Madame est partie, monsieur attend, le docteur a dit non."),
    ("fr", "TOUT EST PLUS LONG DEPUIS LE DSN."),
    ("fr", "Visite 3 sur 5, poste 3, billet 45871, erreur 500-1234."),
    ("en", "Will someone fix it? Grant us access."),
    ("en", "Mark as read fails."),
    ("en", "Lakeshore General Hospital, the Glasgow and Crohn's disease."),
    ("en", "Error code 4012, room 3316, 450000 records left, Visit 3 of 5."),
    ("en", "see https://www.quebec.ca/en/health for details"),
]


@pytest.fixture(scope="module")
def ours() -> Deidentifier:
    return deidentifier()


@pytest.mark.parametrize(("lang", "kind", "text", "hidden"), FOUND)
def test_finds_an_identifier_at_its_place(ours, lang, kind, text, hidden):
    spans = ours.find(text, lang)
    assert [(s.type, text[s.start : s.end]) for s in spans] == [(kind, hidden)]


@pytest.mark.parametrize(("lang", "text"), LEFT)
def test_leaves_what_identifies_nobody(ours, lang, text):
    assert ours.redact(text, lang) == (text, [])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_offsets_refer_to_the_text_given(ours, form):
    text = unicodedata.normalize(
        form, "😀👩🏽‍⚕️ Hélène Gagné, poste\u00a04521 — née le 3\u00a0février 1950"
    )
    spans = ours.find(text, "fr")
    found = [unicodedata.normalize("NFC", text[s.start : s.end]) for s in spans]
    assert found == ["Hélène Gagné", "poste\u00a04521", "3\u00a0février 1950"]


def test_zero_width_marks_do_not_hide_a_name(ours):
    text = "Ma collègue Na\u200bdia est là."
    assert ours.redact(text, "fr")[0] == "Ma collègue [PERSON] est là."


def test_same_person_same_placeholder(ours):
    text = "Nadia Benali a aidé Kevin. Mme Benali dit que Kevin apprend vite."
    assert ours.redact(text, "fr")[0] == (
        "[PERSON_1] a aidé [PERSON_2]. Mme [PERSON_1] dit que [PERSON_2] apprend vite."
    )


def test_spans_are_sorted_and_apart(ours):
    spans = ours.find("Nadia Benali, n.benali@x.qc.ca, 514-555-0187, NAM BENN 9058 1511", "fr")
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert [s.type for s in spans] == ["PERSON", "EMAIL", "PHONE", "HEALTH_INSURANCE_NUMBER"]


def test_long_comment_is_cut_with_right_offsets(ours):
    text = "rien de neuf ici " * 1200 + "demandez à Kevin " + "rien de neuf ici " * 600
    spans = ours.find(text, "fr")
    assert [text[s.start : s.end] for s in spans] == ["Kevin"]


def test_comment_becomes_a_safe_document(ours):
    posted = datetime(2026, 6, 1, tzinfo=UTC)
    comment = Comment(
        "c1", "survey", "a.csv:2", "Ask Kayla at ext. 4521.\r\n", posted, "Hôpital Fleury",
        "Dre Ouellet", "infirmière", "en",
    )  # fmt: skip
    (document,) = ours.deidentify([comment])
    assert document.text == "Ask [PERSON] at [PHONE]."
    assert (document.document_id, document.kind, document.lang) == ("c1", "comment", "en")
    assert (document.site, document.unit) == ("Hôpital Fleury", "Dre [PERSON]")
    assert (document.role, document.published_at) == ("infirmière", posted)


def test_batches_keep_order_and_languages(ours):
    texts = ["Nadia m'a montré comment fermer la session.", "Kayla showed me how to log off."] * 150
    comments = [Comment(str(i), "s", "p", text) for i, text in enumerate(texts)]
    documents = list(ours.deidentify(comments))
    assert [d.document_id for d in documents] == [c.comment_id for c in comments]
    assert [d.lang for d in documents[:2]] == ["fr", "en"]
    assert all("[PERSON]" in d.text for d in documents)


@pytest.mark.parametrize("text", ["", " ", "\n", "🙂", "12", "\u0301", "’"])
def test_nearly_nothing(ours, text):
    assert ours.redact(text, "fr") == (text, [])


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "unit", ["a@", "111 ", " ", "a", "A.", "1-", "St-", "dossier ", "Dr. ", "514-", "né le ",
      "www.", "h2", "É", "M. Roy "]
)  # fmt: skip
def test_hostile_text_ends(ours, unit):
    text = (unit * 100_000)[:100_000]
    spans = ours.find(text, "fr")
    assert all(0 <= s.start < s.end <= len(text) for s in spans)


def test_no_network(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("network used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = Deidentifier(Tagger.load(tagger_folder(None), TYPES))
    text = "Write to k.ouellet@gmail.com or see https://www.facebook.com/k.ouellet"
    assert [s.type for s in fresh.find(text, "en")] == ["EMAIL", "URL"]


def test_marker_never_shown(ours, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("presidio-analyzer").debug("stays silent")
    comment = Comment("c1", "s", "p", "Demandez à Zyxmarker Tremblay, NAM ZYXM 5561 1423.")
    (document,) = ours.deidentify([comment])
    shown = caplog.text + repr(ours) + repr(document) + repr(fold(comment.text)) + repr(comment)
    assert "zyxm" not in shown.lower()
    assert "zyxm" not in document.text.lower()


def test_span_is_frozen():
    with pytest.raises(AttributeError):
        Span(0, 1, "PERSON").start = 2


def test_built_once():
    assert deidentifier() is deidentifier()


def test_luhn():
    assert luhn("046454286")
    assert not luhn("046454287")


def test_fold_and_key():
    folded = fold("E\u0301a\u200b’b")
    assert folded.text == "Éa'b"
    assert folded.origin(0, 1) == (0, 2)
    assert key("Lœuvre-ÉLÉ") == "loeuvre-ele"


def test_short_ways_of_folding_tell_what_the_long_one_tells():
    letters = [chr(code) for code in range(0x20, 0xD800)]
    for text in [
        *letters,
        *(f"e{letter}1" for letter in letters),
        "Né\u2019 \u00ad 12\u00a0h\t«ﬁ»",
    ]:
        short, long = fold(text), _folded(text)
        assert short.text == long.text
        assert (*short.starts,) == (*long.starts,)
        assert (*short.ends,) == (*long.ends,)
    for word in ("Élève", "COEUR", "cœur", "Łódź", "e\u0301te\u0301", "naïve", "Straße"):
        apart = unicodedata.normalize("NFD", word.lower().replace("œ", "oe").replace("ł", "l"))
        plain = "".join(c for c in apart.replace("ß", "ss") if not unicodedata.combining(c))
        assert bare(word) == key(word) == plain


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_dictionary_holds_what_spacy_reads(lang):
    from spacy.lookups import Lookups

    tables = Lookups().from_disk(model_folder(SPACY_MODELS[lang]) / "lemmatizer" / "lookups")
    entries = [tables.get_table(name).values() for name in ("lemma_index", "lemma_exc")]
    words = {bare(word) for values in entries for some in values for word in some}
    assert len(words) > 10_000
    assert _dictionary(lang) == words


def test_texts_read_together_are_few_and_small():
    texts = ["a" * 5, "b" * 20, "c", "d", "e" * 9]
    assert list(_bounded(texts, 2, 10)) == [["a" * 5], ["b" * 20], ["c", "d"], ["e" * 9]]
    assert list(_bounded([], 2, 10)) == []


def test_a_field_that_comes_again_is_told_the_same(ours):
    moment = datetime(2026, 5, 9, tzinfo=UTC)
    units = ["Urgence", "Bureau de Mme Lavoie-Côté", "Urgence", None, "Bureau de Mme Lavoie-Côté"]
    given = [
        Comment(str(i), "s", f"a:{i}", "La page gèle au triage.", moment, unit=unit)
        for i, unit in enumerate(units)
    ]
    told = [one.unit for one in ours.deidentify(given)]
    assert told == ["Urgence", "Bureau de Mme [PERSON]", "Urgence", None, "Bureau de Mme [PERSON]"]


def test_windows_cover_everything():
    text = "mot " * 10_000
    pieces = list(windows(text, 1000, 50))
    assert pieces[0][0] == 0
    assert pieces[-1][1] == len(text)
    assert all(b[0] <= a[1] and a[0] < b[0] for a, b in itertools.pairwise(pieces))


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_quality_gate_on_the_test_split(ours, lang):
    from dsn_nlp.prepare.deid_score import below_floors, read_floors, read_tagged, score

    measured = score(ours.find, [e for e in read_tagged("test") if e.lang == lang])
    assert below_floors({lang: measured}, read_floors()) == []
    assert measured.recall["HEALTH_INSURANCE_NUMBER"] == measured.recall["SIN"] == 1.0


def test_floors_are_told_when_missed(ours):
    from dsn_nlp.prepare.deid_score import below_floors, read_floors, read_tagged, score

    nothing = score(lambda text, lang: [], [e for e in read_tagged("test") if e.lang == "fr"])
    assert any("person_recall" in line for line in below_floors({"fr": nothing}, read_floors()))
