"""The command line's contracts, through real processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Installation, dsn_nlp


def rows(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def jsonl(*objects: object) -> str:
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)


def test_label_keeps_order_and_keys(tmp_path: Path) -> None:
    given = jsonl(
        {"text": "Personne ne nous a montré comment faire, aucune formation.", "n": 1},
        {"text": "The system crashed twice this morning.", "n": 2, "lang": "en"},
        {"text": "La formation était excellente, merci!", "n": 3},
    )
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(given, encoding="utf-8")
    done = dsn_nlp("label", str(source), "--output", str(output))
    assert done.returncode == 0, done.stderr
    told = rows(output.read_text(encoding="utf-8"))
    assert [row["n"] for row in told] == [1, 2, 3]
    assert [row["lang"] for row in told] == ["fr", "en", "fr"]
    assert told[0]["complaints"] == ["training"]
    assert told[1]["complaints"] == ["technical_failure"]
    assert told[2]["complaints"] == []
    assert [row["sentiment"] for row in told] == ["negative", "negative", "positive"]
    for row in told:
        assert set(row["complaint_scores"]) == {
            "training", "security", "administrative_burden", "technical_failure", "patient_care"
        }  # fmt: skip
        assert sum(row["sentiment_scores"].values()) == pytest.approx(1, abs=1e-3)
        assert isinstance(row["needs_review"], bool)
        assert "@" in row["model"]


def test_label_reads_standard_input_and_splits() -> None:
    text = "On n'a pas été formés du tout. L'écran gèle chaque matin."
    done = dsn_nlp("label", "-", "--split", stdin=jsonl({"text": text}))
    told = rows(done.stdout)
    assert [text[row["start"] : row["end"]] for row in told] == [row["text"] for row in told]
    assert len(told) == 2


def test_bad_rows_are_named_and_good_ones_kept() -> None:
    given = (
        '{"text": "Trop de clics pour une aspirine."}\nnot json\n{"texte": "x"}\n\n[1]\n'
        + jsonl({"text": "  "}, {"text": 5}, {"text": "Écran figé."})
    )
    done = dsn_nlp("label", "-", stdin=given)
    assert done.returncode == 2
    assert len(rows(done.stdout)) == 2
    lines = done.stderr.splitlines()
    assert [line.split(":")[2] for line in lines[:-1]] == ["2", "3", "5", "6", "7"]
    assert lines[-1].endswith("5 of 7 rows put aside")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["label", "deidentify", "evaluate"])
def test_missing_file_is_one_line(command: str) -> None:
    done = dsn_nlp(command, "no-such-file.jsonl")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no-such-file.jsonl" in done.stderr


def test_deidentify_gives_spans_in_the_given_text() -> None:
    text = "Demandez à Nadia Tremblay, nadia.t@exemple.ca, poste 4521."
    done = dsn_nlp("deidentify", "-", stdin=jsonl({"text": text, "id": "a"}))
    assert done.returncode == 0, done.stderr
    (row,) = rows(done.stdout)
    assert row["id"] == "a"
    found = {span["type"]: text[span["start"] : span["end"]] for span in row["spans"]}
    assert found["EMAIL"] == "nadia.t@exemple.ca"
    assert "Nadia" in found["PERSON"]
    assert "Nadia" not in row["text"]
    assert "[PERSON" in row["text"]
    assert "nadia.t" not in row["text"]


def test_query_formats(undisturbed: Installation) -> None:
    sql = "select kind, count(*) as n from labelled_passages group by kind order by kind"
    table = undisturbed.run("query", sql)
    assert "article" in table.stdout
    as_csv = undisturbed.run("query", sql, "--format", "csv").stdout.splitlines()
    assert as_csv[0] == "kind,n"
    as_json = json.loads(undisturbed.run("query", sql, "--format", "json").stdout)
    assert [row["kind"] for row in as_json] == ["article", "comment"]


@pytest.mark.parametrize(
    "sql", ["delete from labels", "drop view labelled_passages", "select 1; delete from labels",
            "pragma journal_mode=delete", "attach '/tmp/x' as y", "selec 1"],
)  # fmt: skip
def test_query_never_writes(undisturbed: Installation, sql: str) -> None:
    done = undisturbed.run("query", sql)
    assert done.returncode == 2
    assert done.stderr.startswith("dsn-nlp: ")
    assert "Traceback" not in done.stderr


def test_evaluate_reports_by_language_and_kind(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(
        jsonl(
            {"text": "Aucune formation avant le 9 mai.", "complaints": ["training"],
             "sentiment": "negative", "lang": "fr", "kind": "comment"},
            {"text": "The record goes live on May 9.", "complaints": [], "sentiment": "neutral",
             "lang": "en", "kind": "news"},
            {"text": "x", "complaints": ["cost"], "sentiment": "negative"},
        ),
        encoding="utf-8",
    )  # fmt: skip
    done = dsn_nlp("evaluate", str(path), "--json")
    assert done.returncode == 2
    assert f"{path}:3" in done.stderr
    report = json.loads(done.stdout)
    assert report["passages"] == 2
    assert set(report["by"]) == {"lang:en", "lang:fr", "kind:comment", "kind:news"}
    assert 0 <= report["macro_f1"] <= 1


def test_shipped_model_holds_its_floors() -> None:
    done = dsn_nlp("evaluate", "--gate")
    assert done.returncode == 0, done.stdout + done.stderr


def test_models_lists_the_serving_one() -> None:
    done = dsn_nlp("models", "list")
    assert done.returncode == 0
    assert sum(line.startswith("*") for line in done.stdout.splitlines()) == 1


def test_doctor_says_what_to_do(installation: Installation) -> None:
    done = installation.run("doctor")
    assert done.returncode == 0, done.stdout
    text = installation.config.read_text(encoding="utf-8").replace("comments-fr.csv", "gone.csv")
    installation.config.write_text(text, encoding="utf-8")
    broken = installation.run("doctor")
    assert broken.returncode == 1
    assert "gone.csv" in broken.stdout


@pytest.mark.parametrize(("lang", "word"), [("fr", "Lancer la nuit"), ("en", "Run the night")])
def test_help_speaks_both_languages(lang: str, word: str) -> None:
    import os

    done = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "--help"], text=True, capture_output=True, check=True,
        env=os.environ | {"DSN_NLP_LANG": lang}, cwd=ROOT,
    )  # fmt: skip
    assert word in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, dsn_nlp.cli; heavy = {'torch', 'prefect', 'spacy', 'sqlalchemy', 'pydantic', "
        "'onnxruntime', 'sklearn', 'numpy'} & set(sys.modules); sys.exit(len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [("run",), ("query", "select 1"), ("doctor",)],
)
def test_missing_settings_are_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    done = dsn_nlp(*words, "--config", str(tmp_path / "none.toml"), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "none.toml" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
