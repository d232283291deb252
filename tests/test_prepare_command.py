"""``dsn-nlp prepare``: what goes in, what comes out, and what is told of bad rows."""

import json
import os
import subprocess
import sys

from dsn_nlp.prepare.voice_roles import ROLES
from tests.conftest import ROOT


def prepare(tmp_path, *lines, out=False):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "dsn_nlp", "prepare", str(source)]
    done = subprocess.run(
        [*command, *(["--output", str(target)] if out else [])], cwd=tmp_path, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    told = target.read_text(encoding="utf-8") if out else done.stdout
    return done, [json.loads(line) for line in told.splitlines()]


def test_rows_keep_their_keys_and_gain_six(tmp_path):
    text = "« Rien ne marche », dit une infirmière de Jean-Talon depuis l'arrivée du DSN."
    done, rows = prepare(
        tmp_path,
        json.dumps({"id": 7, "text": text, "note": {"a": 1}}),
        json.dumps({"title": "La DSN", "lead": "La déclaration sociale nominative est due."}),
        json.dumps({"text": "The DSN is slow.", "kind": "comment", "lang": "en"}),
        out=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    added = {"lang", "relevant", "relevance_score", "relevance_reason", "sites", "voices"}
    assert set(rows[0]) == {"id", "text", "note"} | added
    assert rows[0]["sites"] == ["Hôpital Jean-Talon"]
    assert rows[0]["voices"] == [{"role": "care_staff", "quote": "Rien ne marche", "direct": True}]
    assert [row["relevant"] for row in rows] == [True, False, True]
    assert [row["lang"] for row in rows] == ["fr", "fr", "en"]
    for row in rows:
        assert 0 <= row["relevance_score"] <= 1
        assert {voice["role"] for voice in row["voices"]} <= set(ROLES)


def test_bad_rows_are_told_with_their_line_and_the_others_pass(tmp_path):
    done, rows = prepare(
        tmp_path, '{"text": "Bon."}', "pas du JSON", '{"title": 3}', '{"lead": " "}', '"x"',
        '{"text": "a", "lang": "de"}', '{"text": "a", "kind": 1}', "", '{"title": "Seul"}',
    )  # fmt: skip
    assert done.returncode == 2
    assert [row.get("text") or row["title"] for row in rows] == ["Bon.", "Seul"]
    places = [line.split(": ")[1] for line in done.stderr.splitlines()[:-1]]
    assert [place.rpartition(":")[2].strip() for place in places] == ["2", "3", "4", "5", "6", "7"]
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "prepare", "nulle-part.jsonl"], cwd=tmp_path, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
