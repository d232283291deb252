"""Comments that nothing but their words tells apart: counted, told, and warned of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dsn_nlp.analyse.report import quality_rows
from dsn_nlp.backfill import try_source
from dsn_nlp.cli.operate import run, tally_line
from dsn_nlp.cli.runs import show_run
from dsn_nlp.cli.sources import trial_line
from dsn_nlp.config import Settings, load_settings
from dsn_nlp.doctor import examine
from dsn_nlp.records import Tally
from dsn_nlp.stages import open_store, run_night
from pipelines.artifacts import quality
from tests.conftest import KEY, ROOT

FIRST = "qui;texte\nmed;Tout est lent.\nmed;Merci aux formateurs.\n"
SECOND = "qui;texte\nmed;Tout est lent.\ninf;L'écran gèle.\n"
SETTINGS = f"""
key_file = "var/key"
[store]
url = "sqlite:///var/dsn.db"
[labelling]
models = "{ROOT}/models"
[[comments]]
name = "s"
path = "inbox"
lang = "fr"
settle_seconds = 0
[comments.columns]
role = "qui"
text = ["texte"]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DSN_NLP_KEY", KEY)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "1.csv").write_text(FIRST, encoding="utf-8")
    (tmp_path / "dsn.toml").write_text(SETTINGS, encoding="utf-8")
    return load_settings(tmp_path / "dsn.toml")


def test_words_that_came_before_are_counted_and_told(
    settings: Settings,
    tmp_path: Path,
    speak: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert "alike" not in run_night(settings)
    (tmp_path / "inbox" / "2.csv").write_text(SECOND, encoding="utf-8")
    tallies: list[Tally] = []
    with caplog.at_level("INFO"):
        counts = run_night(settings, on_tally=tallies.append)
    assert (counts["documents"], counts["known"], counts["alike"]) == (1, 1, 1)
    assert "s: 1 comments left out, known already (1 by their words alone)" in caplog.text
    with open_store(settings) as store:
        measures = store.past_measures(1)[0]
    for lang, words, known in (
        ("fr", "mots déjà reçus, sans identifiant ni date", "1 déjà connus"),
        ("en", "words received before, no id or date", "1 known already"),
    ):
        speak(lang)
        show_run(config=tmp_path / "dsn.toml")
        assert words in capsys.readouterr().out
        assert quality_rows(measures, lang) == [("s", 1, {words: 1})]
        assert words in quality(measures)
        assert tally_line(tallies[0]).endswith(known)


def test_a_date_or_a_response_id_tells_rows_apart(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "inbox" / "1.csv").unlink()
    text = SETTINGS.replace('role = "qui"', 'date = "jour"\nresponse_id = "no"')
    (tmp_path / "dsn.toml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path / "dsn.toml")
    rows = ["1;2026-05-09;Tout est lent.", "2;;Tout est lent.", ";2026-05-10;Tout est lent."]
    for name in ("1.csv", "2.csv"):  # the same rows delivered again, in another file
        body = "\n".join(["no;jour;texte", *rows, f"9{name[0]};;Merci."])
        (tmp_path / "inbox" / name).write_text(body, encoding="utf-8")
    counts = run_night(settings)
    assert (counts["documents"], counts["known"]) == (5, 3)
    assert "alike" not in counts


def test_a_source_that_tells_no_rows_apart_is_warned_of(
    settings: Settings, tmp_path: Path, speak: Callable[[str], None]
) -> None:
    for lang, advice, rows in (
        ("fr", "ni identifiant de réponse ni date", "2 sans identifiant ni date"),
        ("en", "neither response id nor date", "2 without id or date"),
    ):
        speak(lang)
        found = examine(tmp_path / "dsn.toml")
        assert [f.level for f in found if advice in f.message] == ["warning"]
        line = trial_line(try_source(settings, settings.comments[0]))
        assert line.startswith("! s ")
        assert rows in line
    text = SETTINGS.replace('role = "qui"', 'response_id = "qui"')
    (tmp_path / "dsn.toml").write_text(text, encoding="utf-8")
    assert not [f for f in examine(tmp_path / "dsn.toml") if "columns.response_id" in f.message]


def test_the_summary_of_a_run_says_so(
    settings: Settings,
    tmp_path: Path,
    speak: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "inbox" / "2.csv").write_text(SECOND, encoding="utf-8")
    for lang, words in (
        ("fr", "! 1 commentaires laissés de côté : leurs mots avaient déjà été reçus"),
        ("en", "! 2 comments left out: their words came before"),
    ):
        speak(lang)
        run(tmp_path / "dsn.toml", prefect=False, release=False)
        assert words in capsys.readouterr().out
        (tmp_path / "inbox" / "3.csv").write_text(FIRST + "\n", encoding="utf-8")
