"""Exports of Microsoft Forms, LimeSurvey and REDCap, in both languages; queries; JSON Lines."""

import csv
import json
import sqlite3
from datetime import UTC, datetime

import psycopg
import pytest
from openpyxl import Workbook

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import DsnNlpError, InputError, TransientFetchError
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.gather.respondents import respondent_key
from dsn_nlp.records import Comment, Rejection
from tests.postgres import Postgres, UnavailableError

KEY = b"a key of the tests only"
LONG = "Le système gèle chaque matin et personne ne vient nous aider sur l'étage"
LONG_EN = "The system freezes every morning and nobody comes to help us on the floor"


def source_of(path, **changes):
    fields = {"name": "s", "path": path, "export": "auto", "settle_seconds": 0}
    return CommentSource.model_validate(fields | changes)


def read(path, **changes):
    found = list(read_comments(source_of(path, **changes), KEY))
    assert [f for f in found if isinstance(f, Rejection)] == []
    return [f for f in found if isinstance(f, Comment)]


FORMS = {
    "fr": ["ID", "Heure de début", "Heure de fin", "Adresse de messagerie", "Nom",
           "Heure de la dernière modification", "Dans quel établissement travaillez-vous ?",
           "Quel est votre titre d'emploi ?", "Qu'est-ce qui va mal avec le DSN ?",
           "Recommanderiez-vous le DSN ?"],
    "en": ["Id", "Start time", "Completion time", "Email", "Name", "Last modified time",
           "Which hospital do you work in?", "What is your role?", "What goes wrong with the DSN?",
           "Would you recommend it?"],
}  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("email", ["anonymous", "Anne@exemple.ca"])
def test_microsoft_forms(tmp_path, lang, email):
    book = Workbook()
    book.active.append(FORMS[lang])
    at = datetime(2026, 5, 9, 4, 41)
    text = LONG if lang == "fr" else LONG_EN
    for number in (1, 2):
        book.active.append(
            [number, at, at, email, "", at, "CHUM", "Infirmière", text, "Tout à fait"]
        )
    book.save(tmp_path / "f.xlsx")
    first, second = read(tmp_path)
    assert (first.text, first.site, first.role, first.lang) == (text, "CHUM", "Infirmière", lang)
    assert first.posted_at == datetime(2026, 5, 9, 8, 41, tzinfo=UTC)
    assert first.comment_id != second.comment_id
    assert (first.respondent == second.respondent) == (email != "anonymous")
    if email != "anonymous":
        source = source_of(tmp_path)
        assert first.respondent == respondent_key(source, KEY, " anne@EXEMPLE.ca")


def write_csv(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    return path


LIME = {
    "codes": ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "token"],
    "en": ["Response ID", "Date submitted", "Last page", "Start language", "Seed",
           "Date started", "Access code"],
    "fr": ["ID de la réponse", "Date de soumission", "Dernière page", "Langue de départ",
           "Tête de série", "Date de lancement", "Code d'accès"],
}  # fmt: skip


@pytest.mark.parametrize("lang", ["codes", "en", "fr"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_limesurvey(tmp_path, lang, delimiter):
    rows = [
        [*LIME[lang], "Unité", "G01Q01. Commentaires", "G01Q02. Le DSN est utile"],
        ["7", "2026-05-09 04:41:00", "3", "fr", "123", "2026-05-09 04:30:00", "tok1", "4e Est",
         LONG, "Oui"],
        ["8", "1980-01-01 00:00:00", "3", "en", "124", "1980-01-01 00:00:00", "tok2", "Urgence",
         LONG_EN, "Non"],
        ["9", "", "1", "fr", "125", "2026-05-10 04:30:00", "tok1", "", "Lent.", ""],
    ]  # fmt: skip
    first, second, third = read(write_csv(tmp_path / "l.csv", rows, delimiter))
    assert (first.unit, first.lang, second.lang) == ("4e Est", "fr", "en")
    assert second.posted_at is None
    assert third.posted_at == datetime(2026, 5, 10, 8, 30, tzinfo=UTC)
    assert first.respondent == third.respondent != second.respondent


REDCAP = {
    "codes": ["record_id", "redcap_event_name", "redcap_repeat_instance",
              "redcap_survey_identifier", "sondage_timestamp", "commentaire", "sondage_complete"],
    "en": ["Record ID", "Event Name", "Repeat Instance", "Survey Identifier", "Survey Timestamp",
           "Please explain", "Complete?"],
    "fr": ["Numéro de dossier", "Nom de l'événement", "Instance répétée",
           "Identifiant du sondage", "Horodatage du sondage", "Expliquez", "Complet ?"],
}  # fmt: skip


@pytest.mark.parametrize("lang", ["codes", "en", "fr"])
def test_redcap(tmp_path, lang):
    rows = [
        REDCAP[lang],
        ["1", "suivi_1", "", "a@b.ca", "2026-05-09 4:41", LONG, "2"],
        ["1", "suivi_2", "", "a@b.ca", "[not completed]", "Toujours lent.", "0"],
        ["2", "suivi_1", "1", "", "2026-05-09 04:41:22", LONG, "2"],
    ]
    comments = read(write_csv(tmp_path / "r.csv", rows))
    assert len({c.comment_id for c in comments}) == 3
    assert comments[0].posted_at == datetime(2026, 5, 9, 8, 41, tzinfo=UTC)
    assert comments[1].posted_at is None
    assert comments[0].respondent == comments[1].respondent != comments[2].respondent


def test_what_is_no_export_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("id;texte\n1;bonjour\n")
    with pytest.raises(InputError):
        read(tmp_path / "a.csv")


def test_an_export_without_open_question_says_so(tmp_path):
    path = write_csv(tmp_path / "l.csv", [[*LIME["codes"], "q1"], ["1"] * 8])
    with pytest.raises(InputError, match=r"columns\.text") as caught:
        read(path)
    assert caught.value.code == "no-text-column"


def test_settings_win_over_the_export(tmp_path):
    rows = [[*LIME["codes"], "q1", "où"], ["1", "", "", "fr", "", "", "", "Oui.", "CHUM"]]
    path = write_csv(tmp_path / "l.csv", rows)
    (comment,) = read(path, export="limesurvey", columns={"text": ["q1"], "site": "où"})
    assert (comment.text, comment.site) == ("Oui.", "CHUM")


def test_respondents_may_be_shared_between_sources(tmp_path):
    keys = {
        respondent_key(source_of(tmp_path, name=name, respondents=space), KEY, "4521")
        for name, space in [("a", "matricule"), ("b", "matricule"), ("a", None), ("b", None)]
    }
    assert len(keys) == 3


def test_json_lines(tmp_path):
    lines = [
        {"id": 1, "texte": "é œ ’ « »", "quand": "2026-05-09T04:41:00-04:00", "lang": "French"},
        {"id": 2, "texte": "\ud83d\ude00 \ud800 seul", "quand": None, "lang": "en-CA"},
        {"id": 3, "texte": ["liste"]},
        {"id": 4, "texte": True},
    ]
    body = "\ufeff" + "\n".join(map(json.dumps, lines)) + "\n\n" + "[" * 5000 + "\n"
    (tmp_path / "a.jsonl").write_text(body, encoding="utf-8")
    columns = {"text": ["texte"], "response_id": "id", "date": "quand", "lang": "lang"}
    source = source_of(tmp_path / "a.jsonl", export=None, columns=columns)
    found = list(read_comments(source, KEY))
    assert next(f.text for f in found if isinstance(f, Comment)) == "é œ ’ « »"
    codes = [(f.place, f.code) for f in found if isinstance(f, Rejection)]
    assert codes == [("a.jsonl:2", "damaged-text"), ("a.jsonl:3", "json"), ("a.jsonl:6", "json")]


@pytest.fixture
def survey(tmp_path):
    path = tmp_path / "survey.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE answers (id INTEGER, said TEXT, at TEXT, who BLOB)")
        rows = [(i, f"commentaire {i} % ok", "2026-05-09", None) for i in range(1200)]
        made.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", rows)
    made.close()
    return path


@pytest.fixture(scope="module")
def answers():
    """Address of a table of 30 answers on a real PostgreSQL server."""
    try:
        server = Postgres()
    except UnavailableError as error:
        pytest.skip(str(error))
    url = server.make_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE answers (id integer, said text, at date)")
        for number in range(30):
            row = (number, f"commentaire {number} % ok", "2026-05-09")
            connection.execute("INSERT INTO answers VALUES (%s, %s, %s)", row)
    yield url
    server.close()


def query_source(sql, **query):
    columns = {"text": ["said"], "response_id": "id", "date": "at"}
    fields = {"name": "s", "query": {"sql": sql, **query}, "columns": columns}
    return CommentSource.model_validate(fields)


def test_a_query(survey):
    sql = "SELECT id, said, at FROM answers WHERE said LIKE 'comm%' ORDER BY id;"
    found = list(read_comments(query_source(sql, url=f"sqlite:///{survey}"), KEY))
    assert len(found) == 1200
    assert (found[5].text, found[5].place) == ("commentaire 5 % ok", "query:6")


@pytest.mark.parametrize(
    ("where", "count"),
    [("said LIKE 'comm%'", 30), ("said LIKE '%2%'", 12), ("id % 2 = 0", 15),
     ("said LIKE 'x%'", 0), ("said LIKE '%% ok'", 30), ("said LIKE 'c%(x)s' OR id % 10 = 3", 3)],
)  # fmt: skip
def test_a_percent_sign_of_a_query_on_postgresql(answers, where, count):
    sql = f"SELECT id, said, at FROM answers WHERE {where} ORDER BY id"
    found = list(read_comments(query_source(sql, url=answers), KEY))
    assert [type(one) for one in found] == [Comment] * count
    assert all(one.text.endswith("% ok") for one in found)


def test_the_address_may_come_from_the_environment(survey, monkeypatch):
    monkeypatch.setenv("SURVEY_URL", f"sqlite:///{survey}")
    source = query_source("SELECT id, said, at FROM answers LIMIT 2", url_env="SURVEY_URL")
    assert len(list(read_comments(source, KEY))) == 2
    monkeypatch.delenv("SURVEY_URL")
    with pytest.raises(InputError, match="SURVEY_URL is not set"):
        list(read_comments(source, KEY))


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM answers", "SELECT 1; DELETE FROM answers", "PRAGMA query_only = OFF",
     "WITH x AS (SELECT 1) DELETE FROM answers", "SELECT nothing FROM answers", "SELECT id FROM"],
)  # fmt: skip
def test_queries_that_are_refused(survey, sql):
    with pytest.raises(InputError):
        list(read_comments(query_source(sql, url=f"sqlite:///{survey}"), KEY))
    with sqlite3.connect(survey) as left:
        assert left.execute("SELECT count(*) FROM answers").fetchone() == (1200,)
    left.close()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://anna:s3cret@127.0.0.1:1/db", TransientFetchError),
        ("nosuch://anna:s3cret@host/db", InputError),
        ("mssql+pyodbc://anna:s3cret@host/db", InputError),
        ("anna:s3cret@host", InputError),
        ("sqlite:////nowhere/s3cret/x.db", DsnNlpError),
    ],
)
def test_a_password_is_in_no_message(url, kind):
    source = query_source("SELECT id, said, at FROM answers", url=url)
    assert "s3cret" not in repr(source)
    with pytest.raises(kind) as caught:
        list(read_comments(source, KEY))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__
