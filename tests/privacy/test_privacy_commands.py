"""The privacy commands, through real processes on a store of a real night."""

import json
import shutil
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dsn_nlp.cli import USAGE_ERRORS, app
from dsn_nlp.config import load_settings
from dsn_nlp.privacy.retention import enforce, months_before
from dsn_nlp.store import Store
from tests.conftest import KEY, ROOT, Installation

ANNE, BOB = "R-1001", "R-1002"
SECRET = "Le panier de crocus est tombé deux fois"


def settings(folder: Path) -> str:
    rows = [
        f"{ANNE};2026-05-12;Hôpital Fleury;2e;inf.;{SECRET}. Aucune formation reçue.;Anne A",
        f"{ANNE}b;2026-05-13;Hôpital Fleury;2e;inf.;{SECRET}, encore. L'écran gèle.;Anne A",
        f"{BOB};2026-05-12;Hôpital Fleury;3e;méd.;La formation était excellente.;Bob B",
    ]
    header = "id;date;site;unit;role;texte;qui\n"
    (folder / "c.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return (
        f'[labelling]\nmodels = "{ROOT}/models"\n[run]\nexport = "out"\n'
        '[[comments]]\nname = "c"\npath = "c.csv"\n[comments.columns]\nresponse_id = "id"\n'
        'date = "date"\nsite = "site"\nunit = "unit"\nrole = "role"\ntext = ["texte"]\n'
        'respondent = "qui"\n'
    )


class Night(Installation):
    """An installation after a night; commands run in this process."""

    def ask(self, *words: str, stdin: str | None = None) -> Result:
        done = CliRunner().invoke(app, [*words, "--config", str(self.config)], input=stdin)
        assert done.exit_code == 0, (done.exception, done.output)
        return done

    def mistake(self, *words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--config", str(self.config)])
        assert isinstance(done.exception, USAGE_ERRORS), done.exception
        assert done.output == ""
        return str(done.exception)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("first")
    made = Installation(folder, settings(folder))
    done = made.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def night(first: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A copy of that installation, which moved with its exports."""
    shutil.copytree(first.folder, tmp_path / "copy")
    made = Night(tmp_path / "copy", settings(tmp_path / "copy"))
    with sqlite3.connect(made.database) as connection:
        old, new = str(first.folder), str(made.folder)
        connection.execute("UPDATE exports SET path = replace(path, ?, ?)", (old, new))
    monkeypatch.setenv("DSN_NLP_KEY", KEY)
    monkeypatch.setattr("dsn_nlp.cli.privacy.either", lambda french, english: english)
    return made


def holds(folder: Path) -> list[str]:
    """Files that hold the secret words, but for the file that was received."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "c.csv"]
    return [p.name for p in files if b"crocus" in p.read_bytes()]


def test_a_person_asks_to_be_forgotten(night: Night) -> None:
    sheet = night.folder / "review.jsonl"
    night.ask("annotate", "export", str(sheet), "--format", "doccano")
    assert {"dsn.db", "labelled_passages.csv", "review.jsonl"} <= {
        name.removesuffix("-wal") for name in holds(night.folder)
    }
    done = night.ask("privacy", "erase", "--respondent", "anne  a", "--source", "c")
    assert "2 documents" in done.stdout
    assert str(sheet) in done.stdout
    assert "c.csv" in done.stdout
    assert holds(night.folder) == [], "no byte is left in database, exports or sheets"
    again = night.ask("privacy", "erase", "--respondent", "anne a")
    assert "Nothing to erase" in again.stdout
    assert "nne" not in again.output.replace(str(night.folder), "").lower()
    done = night.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    assert holds(night.folder) == [], "the file is still there, and her answer stays out"
    with Store.open(night.url) as store:
        assert store.counts()["documents"] == 1
        (entry,) = store.records("deletions")
    assert "nne" not in json.dumps(entry, default=str).lower()


def test_respondent_from_standard_input_stays_out_of_the_process_list(night: Night) -> None:
    done = night.ask("privacy", "erase", "--respondent", "-", stdin="Bob B\n")
    assert "1 documents" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("erase",),
        ("erase", "--document", "x", "--source", "c"),
        ("erase", "--respondent", "x", "--source", "nowhere"),
        ("record", "incident", "--field", "what=x"),
        ("record", "gossip"),
        ("record", "communication", "--field", "who=x"),
        ("roles", "--apply"),
    ],
)
def test_mistakes_are_one_line(night: Night, words: tuple[str, ...]) -> None:
    assert "\n" not in night.mistake("privacy", *words)


def test_months_go_back_by_the_calendar() -> None:
    day = datetime(2026, 3, 31, tzinfo=UTC)
    assert months_before(day, 1) == datetime(2026, 2, 28, tzinfo=UTC)
    assert months_before(day, 3) == datetime(2025, 12, 31, tzinfo=UTC)
    assert months_before(datetime(2028, 2, 29, tzinfo=UTC), 12) == datetime(2027, 2, 28, tzinfo=UTC)


def test_retention_in_the_future_erases_bytes_and_all(night: Night) -> None:
    """The clock is put 25 months ahead; the default keeps comments for 24."""
    own = load_settings(night.config)
    now = datetime.now(UTC)
    sheet = night.folder / "sent.csv"
    sheet.write_text("words of a comment", encoding="utf-8")
    with Store.open(night.url) as store:
        store.record_export(sheet, "annotate", 1, True)
        assert enforce(store, own, now + timedelta(days=700)) == {}
        assert sheet.exists()
        assert enforce(store, own, now + timedelta(days=25 * 31)) == {"c": 3}
        assert not sheet.exists(), "files with the text go with it"
        assert enforce(store, own, now + timedelta(days=25 * 31)) == {}
        (entry,) = store.records("deletions")
        assert (entry["cause"], entry["subject"]) == ("retention", "c")
    assert [name for name in holds(night.folder) if name.startswith("dsn.db")] == []
    done = night.run("run", "--no-prefect")
    assert "0 documents" in done.stdout, "what expired does not come back from its file"


def test_each_night_enforces_retention_by_source(night: Night) -> None:
    text = night.config.read_text(encoding="utf-8") + "[privacy.months]\nc = 1\n"
    night.config.write_text(text, encoding="utf-8")
    then = (datetime.now(UTC) - timedelta(days=32)).isoformat(" ", "microseconds")
    with sqlite3.connect(night.database) as connection:
        connection.execute("UPDATE runs SET started_at = ?", (then,))
    done = night.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    with Store.open(night.url) as store:
        assert store.counts()["documents"] == 0
        assert store.runs(1)[0]["counts"]["expired"] == 3


def test_opening_text_is_recorded_and_counting_is_not(night: Night) -> None:
    night.ask("query", "SELECT kind, count(*) FROM labelled_passages GROUP BY kind")
    night.ask("query", "SELECT site, training FROM labelled_passages")
    with Store.open(night.url) as store:
        assert store.records("accesses") == []
    for sql in (
        "SELECT text FROM labelled_passages",
        "SELECT * FROM documents",
        "WITH x AS (SELECT substr(text, 1, 3) AS y FROM passages) SELECT max(y) FROM x",
    ):
        night.ask("query", sql, "--purpose", "étude des pannes")
    rows = json.loads(night.ask("privacy", "register", "accesses", "--format", "json").stdout)
    assert len(rows) == 3
    assert {row["purpose"] for row in rows} == {"étude des pannes"}
    assert all(row["who"] and row["passages"] for row in rows)


def test_a_purpose_can_be_required(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSN_NLP_PRIVACY__PURPOSE_REQUIRED", "true")
    sql = "SELECT text FROM labelled_passages"
    assert "--purpose" in night.mistake("query", sql)
    night.ask("query", sql, "--purpose", "étude")
    night.ask("query", "SELECT count(*) FROM labelled_passages")


def test_registers(night: Night) -> None:
    fields = ("date=2026-06-01", "nature=tableau par semaine", "recipient=CISSS", "purpose=suivi")
    night.ask("privacy", "record", "communication", *(w for f in fields for w in ("--field", f)))
    shown = json.loads(night.ask("privacy", "register", "communication", "--format", "json").stdout)
    assert shown[0]["recipient"] == "CISSS"
    processing = json.loads(night.ask("privacy", "register", "--format", "json").stdout)
    assert processing[0]["source"] == "c"
    assert processing[0]["months_kept"] == 24
    assert "No entry" in night.ask("privacy", "register", "incident").stdout
    assert (
        "labelled_passages.csv"
        in night.ask("privacy", "register", "exports", "--format", "csv").stdout
    )


def test_risk_is_measured_on_respondents(night: Night) -> None:
    rows = json.loads(night.ask("privacy", "risk", "--format", "json").stdout)
    by = {row["columns"]: row for row in rows}
    assert by["site"]["k"] == by["site"]["respondents"] == 2
    assert by["unit"]["k"] == 1
    assert by["unit"]["alone"] == 2
    assert by["site + unit + role + week"]["respondents_at_risk"] == 2
    assert len(rows) == 15


def test_a_whole_source_and_a_document(night: Night) -> None:
    with Store.open(night.url) as store:
        (document,) = store.records("exports")
    assert document["rows"] >= 3
    one = json.loads(
        night.ask("query", "SELECT document_id FROM documents", "--format", "json").stdout
    )[0]["document_id"]
    assert "1 documents" in night.ask("privacy", "erase", "--document", one).stdout
    assert "2 documents" in night.ask("privacy", "erase", "--source", "c").stdout
    with Store.open(night.url) as store:
        assert [e["scope"] for e in store.records("deletions")] == ["source", "document"]


def test_files_of_a_night_are_its_owners_only(first: Installation) -> None:
    open_ = [
        str(p) for p in (first.folder / "var").rglob("*")
        if stat.S_IMODE(p.stat().st_mode) & 0o077
    ]  # fmt: skip
    assert open_ == []
    assert stat.S_IMODE((first.folder / "out" / "labelled_passages.csv").stat().st_mode) == 0o600
