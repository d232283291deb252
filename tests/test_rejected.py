"""What is set aside is kept sealed, listed in both languages, and read again after a fix."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dsn_nlp.config import Settings, load_settings
from dsn_nlp.gather.sealing import Sealer
from dsn_nlp.rejections import retry_rejected
from dsn_nlp.stages import begin_night, enforce_retention, open_store, take_source
from tests.conftest import KEY, Installation

CANARY = "Gervaise Poirier-Lachance"
BODY = f"""id;qui;date;commentaire
1;p1;2026-05-09;Le système plante encore ce matin
2;p2;05/31/2026;Avis de {CANARY} sur les mots de passe
2b;p2;05/31/2026;RAS
2c;p2;05/31/2026;RAS
3;p3;2026-05-10;"Elle dit "non" et part"
4;p4;2026-05-11;trop;de;cellules
5;p5;2026-05-12;
"""
SETTINGS = """
key_file = "var/key"
[store]
url = "sqlite:///var/dsn.db"
[labelling]
models = "{models}"
[[comments]]
name = "s"
path = "inbox"
lang = "fr"
settle_seconds = 0
{more}
[comments.columns]
response_id = "id"
respondent = "qui"
date = "date"
text = ["commentaire"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSN_NLP_KEY", KEY)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_text(BODY, encoding="utf-8")
    (tmp_path / "inbox" / "b.csv").write_text("id;qui;quand;commentaire\n", encoding="utf-8")
    return tmp_path


def settings_of(folder: Path, more: str = "", extra: str = "") -> Settings:
    models = Path(__file__).parents[1] / "models"
    text = SETTINGS.format(models=models, more=more) + extra
    (folder / "dsn.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "dsn.toml")


def test_rows_are_sealed_and_read_again_after_a_fix(folder: Path) -> None:
    settings = settings_of(folder)
    run_id = begin_night(settings)
    first = take_source(settings, run_id, "s")
    assert first.counts == {"documents": 1, "passages": 1, "rejected": 7}
    again = take_source(settings, run_id, "s")
    assert again.counts == {"documents": 0, "passages": 0, "rejected": 0}
    with open_store(settings) as store:
        codes = sorted(row["code"] for row in store.rejected(50, settled=False))
        assert codes == ["column-missing", "date", "date", "date", "empty", "fields", "quoting"]
        assert len(store.sealed_rows("s")) == 5
    assert CANARY.encode() not in (folder / "var" / "dsn.db").read_bytes()

    # The dates are said to be month first, and stray quotes to be text; the file is gone.
    (folder / "inbox" / "a.csv").unlink()
    settings = settings_of(folder, 'dates = "month-first"\nquoting = "lenient"')
    tally = retry_rejected(settings, run_id, "s")
    assert tally.counts["documents"] == 4
    assert tally.counts["settled"] == 4
    assert retry_rejected(settings, run_id, "s").counts["documents"] == 0
    with open_store(settings) as store:
        left = sorted(row["code"] for row in store.rejected(50, settled=False))
        assert left == ["empty", "fields"]
        assert len(store.sealed_rows("s")) == 1
        assert store.rejected(50, settled=True, code="date")[0]["settled_at"] is not None
    stored = sqlite3.connect(folder / "var" / "dsn.db").execute(
        "SELECT text, respondent, published_at FROM documents ORDER BY text"
    ).fetchall()  # fmt: skip
    assert len(stored) == 5
    assert "[PERSON]" in stored[0][0]
    assert CANARY not in repr(stored)
    assert len({respondent for _, respondent, _ in stored}) == 3
    (folder / "inbox" / "a.csv").write_text(BODY, encoding="utf-8")
    assert take_source(settings, run_id, "s").counts["documents"] == 0


def test_nothing_is_kept_when_the_settings_say_so_or_time_is_up(folder: Path) -> None:
    settings = settings_of(folder, extra='\n[quarantine]\nrows = "none"\n')
    run_id = begin_night(settings)
    take_source(settings, run_id, "s")
    with open_store(settings) as store:
        assert store.sealed_rows("s") == []
    (folder / "inbox" / "c.csv").write_text(BODY.replace("RAS", "Rien"), encoding="utf-8")
    settings = settings_of(folder)
    take_source(settings, run_id, "s")
    with open_store(settings) as store:
        kept = len(store.sealed_rows("s"))
        assert kept > 0
        now = datetime.now(UTC)
        assert store.forget_sealed_rows(now - timedelta(days=30)) == 0
        assert store.forget_sealed_rows(now + timedelta(seconds=1)) >= kept
        assert store.sealed_rows("s") == []


def test_sealed_rows_of_a_source_that_left_the_settings_go_in_time(folder: Path) -> None:
    settings = settings_of(folder)
    run_id = begin_night(settings)
    take_source(settings, run_id, "s")
    with open_store(settings) as store:
        store.fail_run(run_id)
    none_left = settings.model_copy(update={"comments": [], "news": []})
    for days, kept in ((29, True), (31, False)):
        then = datetime.now(UTC) - timedelta(days=days)
        with sqlite3.connect(folder / "var" / "dsn.db") as connection:
            connection.execute(
                "UPDATE sealed_rows SET kept_at = ?", (then.isoformat(" ", "microseconds"),)
            )
        enforce_retention(none_left)
        with open_store(settings) as store:
            assert bool(store.sealed_rows("s")) == kept


def test_a_sealed_row_needs_the_key(folder: Path) -> None:
    settings = settings_of(folder)
    take_source(settings, begin_night(settings), "s")
    with open_store(settings) as store:
        sealed = [token for *_, token in store.sealed_rows("s")]
    opened = [Sealer(KEY.encode()).open(token) for token in sealed]
    assert any(one and CANARY in "".join(one.row.cells) for one in opened)
    assert CANARY not in repr(opened)
    assert {Sealer(b"another key, of 32 characters").open(token) for token in sealed} == {None}


def test_an_answer_that_changed_is_told_and_not_taken(folder: Path) -> None:
    settings = settings_of(folder)
    run_id = begin_night(settings)
    take_source(settings, run_id, "s")
    changed = BODY.replace("plante encore", "va mieux")
    (folder / "inbox" / "d.csv").write_text(changed, encoding="utf-8")
    assert take_source(settings, run_id, "s").counts["documents"] == 0
    with open_store(settings) as store:
        assert [row["place"] for row in store.rejected(50, code="response-twice")] == ["d.csv:2"]


def test_commands(folder: Path) -> None:
    settings_of(folder)
    installed = Installation(folder, (folder / "dsn.toml").read_text(encoding="utf-8"))
    assert installed.run("rejected", "list").returncode == 0
    assert installed.run("run", "--no-prefect").returncode == 0
    shown = json.loads(installed.run("rejected", "list", "--format", "json").stdout)
    assert {row["place"] for row in shown} >= {"a.csv:3", "a.csv:6", "b.csv"}
    french = installed.run("rejected", "list", DSN_NLP_LANG="fr").stdout
    assert "date illisible" in french
    assert "unreadable date" in installed.run("rejected", "list", DSN_NLP_LANG="en").stdout
    text = (folder / "dsn.toml").read_text(encoding="utf-8")
    installed.config.write_text(
        text.replace("settle_seconds", 'dates = "month-first"\nsettle_seconds')
    )
    retried = installed.run("rejected", "retry", "--source", "s")
    assert "3 rejections settled, 3 documents added" in retried.stdout
    counted = installed.run("query", "SELECT count(*) FROM labelled_passages", "--format", "csv")
    assert counted.stdout.split()[1] == "4"
    assert CANARY not in french + retried.stdout + retried.stderr
    unknown = installed.run("rejected", "retry", "--source", "zz")
    assert unknown.returncode == 2
