"""Sheets out, filled sheets in, reviews in the store: the loop that people are in."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import Workbook, load_workbook
from sklearn.metrics import cohen_kappa_score

from dsn_nlp.errors import InputError
from dsn_nlp.modelling.corpus import read_corpus
from dsn_nlp.records import Candidate, Review
from dsn_nlp.review.agreement import cohen_kappa, kappa_intervals, kappas
from dsn_nlp.review.labels import agreement, reviewed_passages, take_in
from dsn_nlp.review.pick import pick
from dsn_nlp.review.read import Unusable, read_sheet
from dsn_nlp.review.write import labelling_config, write_sheet
from dsn_nlp.store import Store
from tests.conftest import Installation

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
READINGS = "corpora/second_reading.jsonl"


def candidate(number: int, text: str, *complaints: str, sure: float = 0.95) -> Candidate:
    scores = tuple(sure if name in complaints else 1 - sure for name in "abcde")
    return Candidate(
        f"p{number}", "fr", "comment", text, complaints, "negative", (*scores, sure, 1 - sure, 0.0)
    )


CANDIDATES = [
    candidate(1, "=CMD() Trop\u00a0de clics à l’écran", "administrative_burden"),
    candidate(2, "Aucune formation", "training", sure=0.6),
    candidate(3, "Aucune formation", "training", sure=0.6),
    candidate(4, "Rien à dire"),
]


def test_the_uncertain_come_first_and_equal_texts_once() -> None:
    chosen = pick(CANDIDATES, "uncertain", 10)
    assert chosen[0].text == "Aucune formation"
    assert len(chosen) == 3


def test_samples_are_seeded_and_by_label() -> None:
    many = [candidate(i, f"texte {i}", *(["training"] if i % 2 else [])) for i in range(50)]
    assert pick(many, "random", 10) == pick(many, "random", 10)
    assert pick(many, "random", 10) != pick(many, "random", 10, seed=3)
    chosen = pick(many, "label", 10, label="training")
    assert len(chosen) == 10
    assert all("training" in c.complaints for c in chosen)


def test_a_label_that_its_neighbours_contradict_is_picked() -> None:
    alike = [candidate(i, f"L'écran gèle le matin du {i}", "technical_failure") for i in range(12)]
    odd = candidate(99, "L'écran gèle le matin du 13", "training")
    others = [candidate(50 + i, f"Les repas du midi sont bons, plat {i}") for i in range(12)]
    assert pick([*alike, odd, *others], "neighbours", 1) == [odd]


def filled(path: Path, answers: dict[str, tuple[list[int], str]]) -> None:
    """Fill a spreadsheet as a person would: an x in these columns (from 0), and a sentiment."""
    book = load_workbook(path)
    sheet = book["Passages"]
    for row in sheet.iter_rows(min_row=2):
        marks, mood = answers.get(row[0].value, ([], ""))
        for mark in marks:
            row[2 + mark].value = "x"
        row[7].value = mood or None
    book.save(path)


@pytest.mark.parametrize(("lang", "mood"), [("fr", "négatif"), ("en", "negative")])
def test_spreadsheet_out_and_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, mood: str
) -> None:
    monkeypatch.setenv("DSN_NLP_LANG", lang)
    path = tmp_path / "r.xlsx"
    write_sheet(CANDIDATES, "xlsx", path, guess=False)
    cells = list(load_workbook(path)["Passages"].iter_rows(min_row=2))
    assert cells[0][1].value == CANDIDATES[0].text
    assert cells[0][1].data_type == "s"
    assert all(cell.value is None for row in cells for cell in row[2:])
    filled(path, {"p1": ([2], mood), "p2": ([0, 4], mood), "p3": ([0], "")})
    good, bad = sorted_out(read_sheet(path, "marie"))
    assert [(r.passage_id, r.complaints, r.sentiment) for r in good] == [
        ("p1", ("administrative_burden",), "negative"),
        ("p2", ("training", "patient_care"), "negative"),
    ]
    assert [(u.place, u.reason) for u in bad] == [("r.xlsx:4", "exactly one sentiment is needed")]


def sorted_out(found: Any) -> tuple[list[Review], list[Unusable]]:
    rows = list(found)
    return (
        [row for row in rows if isinstance(row, Review)],
        [row for row in rows if isinstance(row, Unusable)],
    )


def answer(names: list[str], **more: Any) -> dict[str, Any]:
    choices = {"from_name": "x", "to_name": "text", "type": "choices", "value": {"choices": names}}
    return {"result": [choices], "completed_by": 7, "updated_at": "2026-11-01T10:00:00Z"} | more


def test_label_studio_out_and_in(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    write_sheet(CANDIDATES, "label-studio", path, guess=False)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    assert tasks[0]["data"]["text"] == CANDIDATES[0].text
    assert "predictions" not in tasks[0]
    config = ElementTree.fromstring(labelling_config())
    assert len(config.findall(".//Choice")) == 8
    tasks[0]["annotations"] = [
        answer(["Fardeau administratif", "negative"]),
        answer(["training", "negative"], completed_by={"id": 3, "email": "b@exemple.ca"}),
        answer(["training"], was_cancelled=True),
    ]
    tasks[1]["annotations"] = [answer(["repas", "negative"])]
    tasks[2]["annotations"] = [{"result": "?"}]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    good, bad = sorted_out(read_sheet(path))
    assert [(r.annotator, r.complaints) for r in good] == [
        ("label-studio-7", ("administrative_burden",)),
        ("label-studio-b@exemple.ca", ("training",)),
    ]
    assert good[0].reviewed_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert [u.place for u in bad] == ["tasks.json:2", "tasks.json:3", "tasks.json:4"]
    assert not any(c.text in u.reason for u in bad for c in CANDIDATES)


def test_doccano_out_and_in(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    write_sheet(CANDIDATES, "doccano", path, guess=False)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["label"] for row in rows] == [[]] * 4
    exported = [
        {"id": 1, "text": "…", "label": ["training", "négatif"], "passage_id": "p1"},
        {"id": 2, "text": "…", "label": ["neutral"], "meta": {"passage_id": "p2"}},
        {"id": 3, "text": "…", "label": ["neutral"]},
        {"id": 4, "text": "…", "label": ["neutral", "positive"], "passage_id": "p4"},
        {"id": 5, "text": "…", "label": [], "passage_id": "p5"},
    ]
    text = "\n".join(json.dumps(row) for row in exported) + "\nnot json\n"
    path.write_text(text, encoding="utf-8")
    good, bad = sorted_out(read_sheet(path, "marie"))
    assert [(r.passage_id, r.complaints) for r in good] == [("p1", ("training",)), ("p2", ())]
    assert [u.place for u in bad] == ["d.jsonl:3", "d.jsonl:4", "d.jsonl:6"]


def test_the_guess_shows_only_when_asked_for(tmp_path: Path) -> None:
    write_sheet(CANDIDATES, "doccano", tmp_path / "d.jsonl", guess=True)
    write_sheet(CANDIDATES, "label-studio", tmp_path / "l.json", guess=True)
    write_sheet(CANDIDATES, "xlsx", tmp_path / "x.xlsx", guess=True)
    first = (tmp_path / "d.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["label"] == ["administrative_burden", "negative"]
    task = json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))[0]
    assert task["predictions"][0]["result"][0]["value"]["choices"] == ["administrative_burden"]
    row = next(load_workbook(tmp_path / "x.xlsx")["Passages"].iter_rows(min_row=2))
    assert [cell.value for cell in row[2:7]] == [None, None, "x", None, None]


def broken(folder: Path, name: str) -> Path:
    path = folder / name
    if name == "bare.xlsx":
        Workbook().save(path)
    elif name != "none.json":
        path.write_text("not a sheet", encoding="utf-8")
    return path


def test_a_reviewer_may_add_a_column_and_leave_ends_empty(tmp_path: Path) -> None:
    write_sheet(CANDIDATES, "xlsx", tmp_path / "r.xlsx", guess=False)
    book = load_workbook(tmp_path / "r.xlsx")
    sheet = book["Passages"]
    sheet["C2"], sheet["H2"], sheet["I1"], sheet["I2"] = "x", "négatif", "Remarque", "à voir"
    book.save(tmp_path / "r.xlsx")
    good = [row for row in read_sheet(tmp_path / "r.xlsx", "marie") if isinstance(row, Review)]
    assert [(r.complaints, r.sentiment) for r in good] == [(("training",), "negative")]
    bare = Workbook(write_only=True)
    rows = bare.create_sheet("Passages")
    for number, cells in enumerate(sheet.iter_rows(values_only=True)):
        rows.append(cells[:8] if number == 0 else cells[:3])
    bare.save(tmp_path / "short.xlsx")
    told = list(read_sheet(tmp_path / "short.xlsx", "marie"))
    assert told[0].reason == "exactly one sentiment is needed"


@pytest.mark.parametrize("name", ["none.json", "text.json", "sheet.csv", "text.xlsx", "bare.xlsx"])
def test_what_is_no_sheet_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=name):
        list(read_sheet(broken(tmp_path, name), "marie"))


@pytest.mark.parametrize(("name", "signed"), [("d.jsonl", None), ("d.jsonl", "../marie tremblay")])
def test_somebody_must_sign(tmp_path: Path, name: str, signed: str | None) -> None:
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="annotator"):
        list(read_sheet(tmp_path / name, signed))


@pytest.fixture
def night(undisturbed: Installation, tmp_path: Path) -> Installation:
    """A copy of the sample night that may be written to."""
    shutil.copytree(undisturbed.folder / "var", tmp_path / "var")
    return Installation(tmp_path, undisturbed.config.read_text(encoding="utf-8"))


def test_reviews_are_kept_once_and_the_latest_counts(night: Installation) -> None:
    with Store.open(night.url) as store:
        one, two = store.candidates()[:2]
        before = len(store.candidates())
        first = Review(one.passage_id, "marie", NOW, ("training",), "negative")
        unknown = Review("nowhere", "marie", NOW, (), "neutral")
        intake = take_in(store, [first, unknown])
        assert (intake.stored, intake.unchanged, len(intake.unusable)) == (1, 0, 1)
        assert take_in(store, [first]).unchanged == 1
        older = Review(one.passage_id, "marie", NOW - timedelta(1), (), "neutral")
        later = Review(one.passage_id, "marie", NOW + timedelta(1), (), "positive")
        assert take_in(store, [older]).stored == 0
        assert take_in(store, [later]).stored == 1
        assert len(store.candidates()) == before - 1
        assert len(store.candidates("marie")) == before - 1
        assert len(store.candidates("luc")) == before
        assert [p.sentiment for p in reviewed_passages(store)] == ["positive"]
        take_in(store, [Review(one.passage_id, "luc", NOW, (), "neutral")])
        take_in(store, [Review(two.passage_id, "luc", NOW, (), "neutral")])
        assert [p.passage_id for p in reviewed_passages(store)] == [two.passage_id]
        assert agreement(store)[0] == 1


def test_kappa_is_scikit_learns() -> None:
    first, second = [1, 1, 0, 0, 1, 0, 1], [1, 0, 0, 0, 1, 1, 1]
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert cohen_kappa([1, 1], [1, 1]) == 1


def test_kappa_lies_in_its_interval_which_narrows() -> None:
    said = [((), "neutral"), (("training",), "negative"), (("security",), "negative")]
    pairs = [(said[i % 3], said[0 if i % 11 == 0 else i % 3]) for i in range(300)]
    exact, few, many = kappas(pairs), kappa_intervals(pairs), kappa_intervals(pairs * 20)
    for name, kappa in few.items():
        assert kappa.low <= kappa.value == exact[name] <= kappa.high
        assert many[name].high - many[name].low <= kappa.high - kappa.low
    assert few["sentiment"].low < few["sentiment"].high < 1
    assert kappa_intervals(pairs) == few  # seeded


def test_readings_of_a_corpus_are_told_by_language() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "dsn_nlp", "annotate", "agreement", "--readings",
         "corpora/second_reading.jsonl"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "DSN_NLP_LANG": "en"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    readings = [json.loads(line) for line in (ROOT / READINGS).read_text("utf-8").splitlines()]
    assert told.startswith(f"{len(readings)} double readings")
    assert told.count("sentiment") == 3
    parts = [int(line.split(": ")[1]) for line in told.splitlines() if line[:4] in ("fr: ", "en: ")]
    assert sum(parts) == len(readings)


def test_every_disagreement_is_settled_and_stands_in_the_corpus() -> None:
    corpus = {e.example_id: e for e in read_corpus(ROOT / "corpora/labelled")}
    for line in (ROOT / READINGS).read_text("utf-8").splitlines():
        row = json.loads(line)
        told, mood = row["second" if row["settled"] == "second" else "first"]
        example = corpus[row["id"]]
        assert row["settled"] in ("agreed", "first", "second")
        assert (set(told), mood) == (set(example.complaints), example.sentiment), row["id"]


def test_commands_from_export_to_agreement(night: Installation) -> None:
    path = night.folder / "r.xlsx"
    done = night.run("annotate", "export", str(path), "--strategy", "random", "--size", "5")
    assert done.returncode == 0, done.stderr
    rows = list(load_workbook(path)["Passages"].iter_rows(min_row=2, values_only=True))
    assert len(rows) == 5
    answers = {str(row[0]): ([0], "negative") for row in rows[:3]}
    filled(path, answers | {str(rows[3][0]): ([0], "furious")})
    done = night.run("annotate", "import", str(path), "--annotator", "marie")
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["dsn-nlp: r.xlsx:5: a label that is not of the guideline"]
    assert "3 reviews stored" in done.stdout
    done = night.run("annotate", "import", str(path), "--annotator", "luc")
    done = night.run("annotate", "agreement")
    assert done.stdout.startswith("3 double readings")
    assert "training" in done.stdout


@pytest.mark.parametrize(
    "words", [("r.xlsx", "--strategy", "label"), ("r.csv",), ("r.json", "--format", "doccano")]
)
def test_export_refuses_in_one_line(undisturbed: Installation, words: tuple[str, ...]) -> None:
    done = undisturbed.run("annotate", "export", *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
