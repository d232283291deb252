"""Check 17: a marker in every field of comments, each stage made to fail in turn, both databases.

The whole night runs here at debug level; then every file (store, logs, temporary files, exports,
the PostgreSQL server's own files and log), every column and every exception text is searched.
"""

import base64
import gzip
import logging
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import psycopg
import pytest

from dsn_nlp import stages
from dsn_nlp.analyse.export import export_passages
from dsn_nlp.config import load_settings
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.store import Store
from tests.conftest import KEY, ROOT
from tests.privacy.leaks import WORD, holds, leaks, markers, write_comments
from tests.privacy.stumble import stumbling

# A function of each stage that has text, or rows with text, in its hands when it fails.
STAGES = {
    "nothing": None,
    "read": "dsn_nlp.gather.comments:_checked",
    "seal": "dsn_nlp.gather.sealing:Sealer.seal",
    "de-identify": "dsn_nlp.prepare.deidentify:Deidentifier._find_many",
    "split": "dsn_nlp.prepare.passages:split_document",
    "store": "dsn_nlp.store.content:add_documents",
    "store, in the database": "dsn_nlp.store.content:_document_row",
    "label": "dsn_nlp.label.classifier:Classifier.label",
    "publish": "dsn_nlp.store.runs:publish",
    "export": "dsn_nlp.analyse.export:harmless",
}
SETTINGS = f"""
[labelling]
models = "{ROOT}/models"
[run]
export = "out"
[[comments]]
name = "c"
path = "inbox/c.csv"
[comments.columns]
response_id = "id"
date = "date"
site = "site"
unit = "unit"
role = "role"
text = ["texte"]
respondent = "qui"
"""


@pytest.fixture
def place(tmp_path, url, monkeypatch):
    """An installation with 200 markers in its inbox, logs at debug level and temporary files."""
    (tmp_path / "inbox").mkdir()
    write_comments(tmp_path / "inbox" / "c.csv", markers())
    (tmp_path / "dsn.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("DSN_NLP_KEY", KEY)
    monkeypatch.setenv("DSN_NLP_STORE__URL", url)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    handler = logging.FileHandler(tmp_path / "debug.log")
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield tmp_path
    root.removeHandler(handler)
    root.setLevel(before)


def whole_night(place):
    settings = load_settings(place / "dsn.toml")
    stages.run_night(settings)
    export_passages(settings.store.url.get_secret_value(), settings.run.export)


def in_postgres(url):
    """Every cell of every table that holds a marker."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return [
            table for (table,) in tables
            for row in connection.execute(f'SELECT * FROM "{table}"')
            if any(holds(c if isinstance(c, bytes) else str(c).encode()) for c in row)
        ]  # fmt: skip


@pytest.mark.parametrize("stage", list(STAGES))
def test_no_marker_leaves_the_inbox(place, url, stage, request):
    stumble = STAGES[stage]
    if stumble is None:
        whole_night(place)
        with Store.open(url) as store:
            assert store.counts()["documents"] == 30, "there is something to leak"
            assert store.counts()["rejected"] >= 6
    else:
        with stumbling(stumble) as stumbled:
            # The export comes after the night: the command line shows only the type of its failure.
            expected = RuntimeError if stage == "export" else DsnNlpError
            with pytest.raises(expected) as caught:
                whole_night(place)
            if expected is DsnNlpError:
                told = "".join(traceback.format_exception(caught.value))
                assert WORD.lower() not in told.lower()
        assert stumbled, f"{stumble} was never called"
        if stage in ("read", "seal", "de-identify"):
            assert WORD in stumbled[0], "the failure had raw text in its hands"
    assert leaks(place, {place / "inbox" / "c.csv"}) == []
    if url.startswith("postgresql"):
        assert in_postgres(url) == []
        assert leaks(request.getfixturevalue("postgres"), set()) == []


def test_the_search_finds_a_seeded_leak(tmp_path):
    token = markers(1)[0].encode()
    (tmp_path / "a.log").write_bytes(b"x" * 99 + token.lower())
    (tmp_path / "b.bin").write_bytes(base64.b64encode(b"some words before " + token))
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"before " + token))
    (tmp_path / f"{token.decode()}.txt").write_bytes(b"")
    (tmp_path / "d.txt").write_bytes(token.decode().encode("utf-16"))
    (tmp_path / "e.txt").write_bytes(b"nothing")
    assert len(leaks(tmp_path, set())) == 5


def test_nor_through_prefect(tmp_path):
    """De-identification fails with a comment in its message, under Prefect, at debug level."""
    (tmp_path / "inbox").mkdir()
    write_comments(tmp_path / "inbox" / "c.csv", markers())
    (tmp_path / "dsn.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {
        "DSN_NLP_KEY": KEY, "DSN_NLP_LANG": "en", "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_LOGGING_LEVEL": "DEBUG", "TMPDIR": str(tmp_path / "tmp"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.privacy.stumble", STAGES["de-identify"], "run"]
    done = subprocess.run(
        [*command, "--config", str(tmp_path / "dsn.toml")], text=True, capture_output=True,
        check=False, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "RuntimeError" in done.stderr
    assert WORD.lower() not in (done.stdout + done.stderr).lower()
    assert list((tmp_path / "prefect").glob("*.db"))
    assert leaks(tmp_path, {Path(tmp_path / "inbox" / "c.csv")}) == []
