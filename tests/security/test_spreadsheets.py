"""Check 22: text that a spreadsheet would run. CSV, review workbook, JSON, query output."""

import csv
import json
import sys
from pathlib import Path

import pytest

from dsn_nlp.analyse.export import export_passages, harmless
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


@pytest.mark.parametrize("cell", [-1, -1.5, None, True])
def test_only_text_is_touched(cell: object) -> None:
    assert harmless(cell) is cell


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
