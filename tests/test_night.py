"""Whole nights on the bundled sample, through the real command line."""

import csv
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dsn_nlp.store import Store, run_query
from tests.conftest import ROOT, Installation


def digest(installation: Installation) -> str:
    with Store.open(installation.url) as store:
        return store.digest()


def count(database: Path, sql: str) -> int:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return int(connection.execute(sql).fetchone()[0])
    finally:
        connection.close()


def test_night_fills_the_view(undisturbed: Installation) -> None:
    columns, rows = run_query(undisturbed.url, "select * from labelled_passages")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    assert columns[:7] == [
        "passage_id",
        "document_id",
        "kind",
        "lang",
        "source",
        "site",
        "published_at",
    ]
    assert len({row["passage_id"] for row in found}) == len(found) > 1000
    assert {(row["kind"], row["lang"]) for row in found} == {
        ("article", "fr"), ("article", "en"), ("comment", "fr"), ("comment", "en")
    }  # fmt: skip
    for label in (
        "training",
        "security",
        "administrative_burden",
        "technical_failure",
        "patient_care",
    ):
        assert 0 < sum(row[label] for row in found) < len(found)
    assert all(0 <= row["sentiment_score"] <= 1 for row in found)
    assert len({row["model"] for row in found}) == 1


def test_passages_are_exact_pieces_of_their_documents(undisturbed: Installation) -> None:
    _, rows = run_query(
        undisturbed.url,
        "select d.text, p.start_offset, p.end_offset, p.text from passages p "
        "join documents d using (document_id)",
    )
    assert all(text[start:end] == passage for text, start, end, passage in rows)


def test_broken_rows_and_pages_are_put_aside_with_a_reason(undisturbed: Installation) -> None:
    with Store.open(undisturbed.url) as store:
        reasons = [row["reason"] for row in store.rejected(100)]
    assert len(reasons) >= 18
    assert all(reasons)
    assert any("off topic" in reason for reason in reasons)


def test_identifiers_of_the_sample_are_not_stored(undisturbed: Installation) -> None:
    """The structured identifiers planted in the sample are gone from the database file."""
    stored = b"".join(path.read_bytes() for path in undisturbed.folder.glob("var/dsn.db*"))
    planted = planted_identifiers()
    assert len(planted) >= 10
    assert [mark for mark in planted if mark.encode() in stored] == []


def planted_identifiers() -> list[str]:
    """E-mails, phone numbers and health insurance numbers in the raw sample comments."""
    import re

    pattern = re.compile(r"[\w.]+@[\w.]+\w|\b\d{3}[ -]\d{3}-\d{4}\b|\b[A-Z]{4} ?\d{4} ?\d{4}\b")
    found = []
    for name in ("comments-fr.csv", "comments-en.csv"):
        text = (ROOT / "corpora/sample" / name).read_text(encoding="utf-8-sig")
        found += pattern.findall(text)
    return found


def test_second_night_changes_nothing(undisturbed: Installation) -> None:
    before = digest(undisturbed)
    done = undisturbed.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    assert "Nothing new" in done.stdout
    assert digest(undisturbed) == before
    assert "0 labelled" in done.stdout


SQL = "select count(*) from "


@pytest.mark.parametrize(
    ("moment", "reached"),
    [
        ("gathering", lambda db: count(db, SQL + "documents where kind = 'article'") > 3),
        ("comments", lambda db: count(db, SQL + "documents where kind = 'comment'") > 60),
        ("labelling", lambda db: count(db, SQL + "labels") > 200),
    ],
)
def test_a_killed_night_is_resumed(
    installation: Installation,
    undisturbed: Installation,
    moment: str,
    reached: Callable[[Path], bool],
) -> None:
    small = {"DSN_NLP_LABELLING__BATCH_PASSAGES": "32"}
    night = installation.start("run", "--no-prefect", **small)
    while night.poll() is None and not _is(reached, installation.database):
        time.sleep(0.01)
    assert night.poll() is None, f"the night ended before {moment}"
    night.send_signal(signal.SIGKILL)
    night.communicate()
    assert run_query(installation.url, "select count(*) from labelled_passages")[1][0][0] == 0
    done = installation.run("run", "--no-prefect", **small)
    assert done.returncode == 0, done.stderr
    assert digest(installation) == digest(undisturbed)
    with Store.open(installation.url) as store:
        assert sorted(run["status"] for run in store.runs(10)) == ["interrupted", "published"]


def _is(reached: Callable[[Path], bool], database: Path) -> bool:
    try:
        return reached(database)
    except sqlite3.Error:
        return False


def test_night_through_prefect(installation: Installation, undisturbed: Installation) -> None:
    done = installation.run("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digest(installation) == digest(undisturbed)
    prefect = b"".join(
        p.read_bytes() for p in (installation.folder / "var" / "prefect").rglob("*.db*")
    )
    with (ROOT / "corpora/sample/comments-fr.csv").open(encoding="utf-8-sig", newline="") as handle:
        texts = [row[-1] for row in csv.reader(handle, delimiter=";") if len(row) == 6]
    long_texts = [text for text in texts if len(text) > 60]
    assert len(long_texts) > 50
    assert not [1 for text in long_texts if text[:40].encode() in prefect + done.stdout.encode()]


def test_two_nights_at_once_are_refused(installation: Installation) -> None:
    with Store.open(installation.url) as store:
        from datetime import timedelta

        run_id = store.begin_run("test", timedelta(minutes=5))
        done = installation.run("run", "--no-prefect")
        assert done.returncode == 75
        assert run_id in done.stderr
        assert "Traceback" not in done.stderr


def test_missing_comments_file_does_not_stop_the_night(installation: Installation) -> None:
    text = installation.config.read_text(encoding="utf-8")
    installation.config.write_text(text.replace("comments-en.csv", "gone.csv"), encoding="utf-8")
    done = installation.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    with Store.open(installation.url) as store:
        aside = [r for r in store.rejected(100) if r["stage"] == "source"]
    assert [r["source"] for r in aside] == ["survey-en"]
    assert "gone.csv" in aside[0]["reason"]


SEED_PAGE = """<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="og:title" content="{title}"><meta property="article:published_time"
content="2026-05-14T10:00:00-04:00"></head><body><nav>Home | Health | Contact</nav><article>
<h1>{title}</h1>{paragraphs}</article><footer>© Example</footer></body></html>"""


def seed_world(folder: Path) -> str:
    """A mirror with one feed of one article: the text that started the project."""
    title = "Quebec healthcare workers report problems after digital record launch"
    text = (ROOT / "tests/fixtures/seed-article.txt").read_text(encoding="utf-8").strip()
    host = folder / "world" / "news.example"
    host.mkdir(parents=True)
    paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines() if line.strip())
    (host / "seed.html").write_text(
        SEED_PAGE.format(title=title, paragraphs=paragraphs), encoding="utf-8"
    )
    (host / "feed.xml").write_text(
        '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item>'
        f"<title>{title}</title><link>https://news.example/seed.html</link>"
        "<pubDate>Thu, 14 May 2026 10:00:00 -0400</pubDate></item></channel></rss>",
        encoding="utf-8",
    )
    return (
        f'[gather]\nmirror = "world"\n[labelling]\nmodels = "{ROOT}/models"\n'
        '[[news]]\nname = "seed"\nfeed = "https://news.example/feed.xml"\n'
    )


def test_seed_article_is_read_as_its_readers_do(tmp_path: Path) -> None:
    made = Installation(tmp_path, seed_world(tmp_path))
    done = made.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    answer = made.run("query", "select * from labelled_passages", "--format", "json")
    rows = json.loads(answer.stdout)
    assert rows

    def about(piece: str) -> dict[str, object]:
        return next(row for row in rows if piece in row["text"])

    untrained = about("we are not trained")
    assert untrained["training"]
    assert untrained["sentiment"] == "negative"
    cited = about("These providers cited security flaws")
    assert cited["training"]
    assert cited["security"]
    assert cited["administrative_burden"]
    assert cited["sentiment"] == "negative"
    adapting = about("adapting well")
    assert not any(
        adapting[c] for c in ("training", "security", "technical_failure", "patient_care")
    )
    assert adapting["sentiment"] == "positive"
    for fact in ("deployed on May 9, 2026", "The rollout included the CIUSSS"):
        assert about(fact)["sentiment"] == "neutral", fact
