"""Check 22: text that a spreadsheet would run. CSV, review workbook, JSON, query output."""

import csv
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dsn_nlp.analyse.export import export_passages, harmless, harmless_in_csv
from dsn_nlp.cli.texts import Format, render
from dsn_nlp.records import Candidate
from dsn_nlp.review.write import write_sheet
from dsn_nlp.store import Store

STARTS = ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", '="', "=cmd|' /C calc'!A0"]
OTHERS = ['dit "non"', "deux\nlignes", "a;b,c", "émoji 😀", "x" * 32_000, "1 234,5", "-12", "'déjà"]
TEXTS = [f"{start}1+1 svp" for start in STARTS] + OTHERS


def test_csv_of_a_query_is_harmless_and_numbers_stay_numbers() -> None:
    text = render(["t", "n"], [(one, -1.5) for one in TEXTS], Format.csv)
    rows = list(csv.reader(text.splitlines(keepends=True)))[1:]
    assert [row[1] for row in rows] == ["-1.5"] * len(TEXTS)
    for row, given in zip(rows, TEXTS, strict=True):
        assert row[0].removeprefix("'") == given.removeprefix("'")
        assert row[0][0] not in "=+-@\t\r\0＝＋－＠"


WITHIN = [
    "Tout va bien;=1+cmd|calc", "Bien; =1+1", "Bien;\t@SUM(1)", "Bien\t+1+1", "Bien\n=1+1",
    'Bien;"=HYPERLINK(""http://x"")"', "Bien;＝1+1", "a;;=1", "Bien|=1", "Bien;\u00a0=1",
]  # fmt: skip
PLAIN = [
    "a; -5", "Trois clics de plus ; deux = trois", "1+1; 2+2", "C'est lent, +20 % de clics",
    "courriel a@b.ca; réponse: 3-4 jours", "Lent ;\n- écran gèle\n- rien ne répond", "a; b",
]  # fmt: skip


@pytest.mark.parametrize(("written", "read_as"), [(",", ";"), (",", "\t"), (";", ","), (";", "\t")])
@pytest.mark.parametrize("text", WITHIN)
def test_no_cell_begins_as_a_formula_for_who_splits_elsewhere(
    text: str, written: str, read_as: str
) -> None:
    text = text.replace(";", ",") if written == ";" else text
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=written).writerow(["1", harmless_in_csv(text, written), "fr"])
    rows = list(csv.reader(io.StringIO(buffer.getvalue(), newline=""), delimiter=read_as))
    lines = [line.split(read_as) for line in buffer.getvalue().splitlines()]  # quotes or not
    for cell in (cell for row in [*rows, *lines] for cell in row):
        assert not re.match(r'[\s"]*[=+@＝＋＠]', cell), cell


@pytest.mark.parametrize("text", PLAIN)
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assert harmless_in_csv(text) == text
    assert render(["t"], [(text,)], Format.csv).count("'") == text.count("'")


def test_the_night_s_export_has_no_formula_within(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
    import store_nights as nights

    url = f"sqlite:///{tmp_path}/dsn.db"
    with Store.open(url) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        nights.register(store)
        document, passages = nights.pair(2)
        cut = [replace(one, text=text) for one, text in zip(passages, WITHIN, strict=False)]
        store.add_documents(run_id, [(document, cut)])
        store.add_labels(run_id, [nights.label(one) for one in cut])
        store.publish(run_id, {}, nights.MODEL)
    body = export_passages(url, tmp_path / "out").read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(body), delimiter=";") for cell in row]
    assert any("'=1+cmd|calc" in cell for cell in cells)
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "@"))] == []


@pytest.mark.parametrize("cell", [-1, -1.5, None, True])
def test_only_text_is_touched(cell: object) -> None:
    assert harmless(cell) is cell
    assert harmless_in_csv(cell) is cell


def test_the_workbook_for_reviewers_has_no_formula(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    given = [
        Candidate(f"=id{n}", "fr", "comment", text, (), "neutral", (0.1,) * 8)
        for n, text in enumerate(TEXTS)
    ]
    write_sheet(given, "xlsx", tmp_path / "r.xlsx", guess=True)
    book = load_workbook(tmp_path / "r.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    told = [row[1] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]
    assert [str(t).replace("\r", "") for t in told] == [t.replace("\r", "") for t in TEXTS]


def test_the_night_s_export_has_a_mark_and_round_trips(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
    import pyarrow.csv
    import store_nights as nights

    url = f"sqlite:///{tmp_path}/dsn.db"
    with Store.open(url) as store:
        nights.night(store, range(3))
    target = export_passages(url, tmp_path / "out")
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with target.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    read = pyarrow.csv.read_csv(
        target, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
    )
    assert read.num_rows == len(rows) == 9
    assert read.column("text").to_pylist() == [row["text"] for row in rows]
    assert str(read.schema.field("training_score").type) == "double"


def test_json_is_plain(tmp_path: Path) -> None:
    told = json.loads(render(["t"], [(one,) for one in TEXTS], Format.json))
    assert [row["t"] for row in told] == TEXTS
