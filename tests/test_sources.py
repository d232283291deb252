"""`sources check` on screen in both languages, and the backfill as a Prefect flow."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from dsn_nlp.cli.sources import check
from dsn_nlp.store import Store, run_query
from tests.conftest import Installation, sample_settings

MISSING = """
[[comments]]
name = "absent"
path = "no-such.csv"
[comments.columns]
response_id = "id"
text = ["texte"]
"""
SINCE, UNTIL = "2026-05-01", "2026-05-31"


@pytest.fixture
def partly_broken(tmp_path: Path) -> Installation:
    return Installation(tmp_path, sample_settings() + MISSING)


def lines_of(
    made: Installation, capsys: pytest.CaptureFixture[str], source: list[str] | None = None
) -> tuple[int, list[str]]:
    code = 0
    try:
        check(source, as_json=False, config=made.config)
    except typer.Exit as leaving:
        code = leaving.exit_code
    return code, capsys.readouterr().out.splitlines()


def test_the_french_screen_says_what_each_source_would_give(
    partly_broken: Installation,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    speak: Callable[[str], None],
) -> None:
    monkeypatch.setenv("DSN_NLP_KEY", partly_broken.environment["DSN_NLP_KEY"])
    speak("fr")
    code, french = lines_of(partly_broken, capsys)
    assert code == 1  # one cannot be read
    news, _, comments, _, absent = french
    assert news.startswith("✓ courrier-nord (fil) : ")
    assert "annoncés, " in news
    assert "nouveaux, le plus récent du 2026-" in news
    assert news.endswith("un article essayé et lu")
    assert comments.startswith("! sondage-fr (commentaires) : ")
    assert comments.endswith(" illisibles")
    assert absent.startswith("✗ absent (commentaires) : ")
    assert "no-such.csv" in absent
    speak("en")
    code, english = lines_of(partly_broken, capsys, ["courrier-nord"])
    assert code == 0
    assert english[0].startswith("✓ courrier-nord (feed): ")
    assert english[0].endswith("one article tried and read")
    with Store.open(partly_broken.url) as store:
        assert store.counts() == {"documents": 0, "passages": 0, "labels": 0, "rejected": 0}


def test_a_backfill_through_prefect_is_the_backfill(tmp_path: Path) -> None:
    words = ["backfill", "--since", SINCE, "--until", UNTIL, "--source", "courrier-nord"]
    (tmp_path / "flow").mkdir()
    (tmp_path / "plain").mkdir()
    flow = Installation(tmp_path / "flow", sample_settings())
    plain = Installation(tmp_path / "plain", sample_settings())
    done, expected = flow.run(*words), plain.run(*words, "--no-prefect")
    assert (done.returncode, expected.returncode) == (0, 0), done.stderr + expected.stderr
    assert done.stdout.splitlines()[-1] == expected.stdout.splitlines()[-1]
    assert f"{SINCE} – {UNTIL}: " in done.stdout
    sql = "select min(published_at), max(published_at), count(*), count(distinct source) "
    first, last, count, sources = run_query(flow.url, f"{sql} from documents")[1][0]
    assert (count > 0, sources) == (True, 1)
    assert SINCE <= str(first)[:10] <= str(last)[:10] <= "2026-06-01"
    with Store.open(flow.url) as store, Store.open(plain.url) as other:
        assert store.digest() == other.digest()
        assert [run["status"] for run in store.runs(9)] == ["published"]
        assert store.counts()["labels"] == store.counts()["passages"] > 0
    again = flow.run(*words, "--no-prefect")
    assert again.returncode == 0, again.stderr
    assert "0 new documents, 0 passages, 0 labelled" in again.stdout


def test_a_backfill_that_cannot_be_is_refused_in_one_line(
    installation: Installation,
) -> None:
    done = installation.run("backfill", "--since", UNTIL, "--until", SINCE)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"--since {UNTIL} lies after --until {SINCE}" in done.stderr
