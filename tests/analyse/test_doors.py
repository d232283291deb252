"""Doors: documented views, their dictionary, and files that spreadsheets and notebooks open."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import openpyxl
import pytest

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.dictionary import write_dictionary
from dsn_nlp.analyse.display import shown
from dsn_nlp.analyse.invent import SITES
from dsn_nlp.analyse.lake import export_parquet
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import shares
from dsn_nlp.analyse.sheets import to_bytes
from dsn_nlp.analyse.tables import About, Estimate, PassageRow, ShareRow, Table
from dsn_nlp.errors import InputError
from dsn_nlp.store import run_query
from dsn_nlp.store.schema_views import DOORS
from tests.conftest import ROOT

ABOUT = About(
    "20260601T080000Z-r", datetime(2026, 6, 1, 8), "toy@1", True, 5, 10, date(2026, 5, 9),
    date(2026, 5, 30), (("training", 0.42),),
)  # fmt: skip


@pytest.mark.parametrize(("lang", "name"), [("fr", "dictionnaire.md"), ("en", "dictionary.md")])
def test_dictionary_is_the_schema(lang, name):
    written = write_dictionary(lang)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == written
    for view in DOORS:
        assert f"## `{view.name}`" in written
        assert all(f"| `{column.name}` |" in written for column in view.columns)


def test_views_count_what_questions_count(desk, invented_url):
    rows = run_query(
        invented_url,
        "SELECT site, sum(passages), sum(training), sum(negative) FROM site_weeks "
        "WHERE NOT withheld GROUP BY site",
    )[1]
    found = {row[0]: row[1:] for row in rows}
    for row in shares(desk, Scope(sites=SITES), ("site",), ("training", "negative")).rows:
        if row.group[0] == TOTAL:
            continue
        place = 1 if row.label == "training" else 2
        assert found[row.group[0]][0] == row.passages
        assert found[row.group[0]][place] == row.told


def test_views_withhold_rows_of_few_people(invented_url):
    names, rows = run_query(invented_url, "SELECT * FROM daily_counts")
    by_name = [dict(zip(names, row, strict=True)) for row in rows]
    assert {bool(row["withheld"]) for row in by_name} == {True, False}
    for row in by_name:
        if row["withheld"]:
            assert all(row[name] is None for name in names[5:])
        elif row["kind"] == "comment":
            assert row["respondents"] >= 5


def test_documents_and_quality_add_up(invented_url):
    every = run_query(invented_url, "SELECT count(*) FROM labelled_passages")[1][0][0]
    by_document = "SELECT sum(passages), count(*) FROM labelled_documents"
    passages, documents = run_query(invented_url, by_document)[1][0]
    quality = "SELECT sum(passages), sum(documents) FROM data_quality"
    assert (passages, documents) == run_query(invented_url, quality)[1][0]
    assert passages == every
    versions = "SELECT model, labelled FROM model_versions"
    assert run_query(invented_url, versions)[1] == [("invented@1", every)]


def share_table() -> Table[ShareRow]:
    estimate = Estimate(0.3125, 0.27, 0.35)
    rows = (
        ShareRow(("=2+3",), "training", 1234, 900, 800, 400, 0.324149, estimate),
        ShareRow(("B",), "training", None, None, None, None, None, None),
    )
    return Table(rows, ABOUT, ("site",), 1)


def test_csv_in_both_dialects():
    plain = to_bytes(share_table(), "csv")
    assert plain.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(io.StringIO(plain.decode("utf-8-sig")))
    assert first["site"] == "'=2+3"
    assert float(first["share_low"]) == 0.27
    assert (first["run_id"], first["model"], first["fewest_respondents"]) == (
        "20260601T080000Z-r", "toy@1", "5",
    )  # fmt: skip
    assert second["passages"] == second["share"] == ""
    french = to_bytes(share_table(), "csv-fr").decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(french), delimiter=";"))
    assert row["part corrigée"] == "0,3125"
    assert row["établissement"] == "'=2+3"


def test_what_is_not_corrected_is_not_called_so():
    given = share_table()
    plain = replace(given, about=replace(ABOUT, corrected=False))
    for lang, title in [("fr", "part corrigée"), ("en", "corrected share")]:
        assert title in shown(given, lang)[0]
        assert not [name for name in shown(plain, lang)[0] if name == title]
        book = openpyxl.load_workbook(io.BytesIO(to_bytes(plain, "xlsx", lang)))
        assert all(title != cell.value for sheet in book for row in sheet for cell in row)
    header = to_bytes(plain, "csv-fr").decode("utf-8-sig").splitlines()[0]
    assert "part (non corrigée)" in header
    assert "part corrigée" not in header


@pytest.mark.parametrize(
    ("lang", "names"),
    [("fr", ["Données", "Dictionnaire", "À propos"]), ("en", ["Data", "Dictionary", "About"])],
)
def test_workbook_has_dictionary_and_about(lang, names):
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(share_table(), "xlsx", lang)))
    assert book.sheetnames == names
    data, dictionary, about = (list(book[name].values) for name in names)
    assert data[1][0] == "'=2+3"
    assert data[1][2] == 1234
    assert isinstance(data[1][7], float)
    assert data[2][2] is None
    assert len(dictionary) == len(data[0])
    told = dict(about)
    assert "20260601T080000Z-r" in told.values()
    threshold = "Formation 0,42" if lang == "fr" else "Training 0.42"
    assert any(threshold in str(value) for value in told.values())
    assert any("5" in str(value) for value in told.values())


def test_workbook_takes_no_text_for_a_formula():
    row = PassageRow(
        "p", "d", "comment", "fr", "s", None, date(2026, 5, 9), ("security",), "negative", 0.9,
        '=HYPERLINK("http://x.test")',
    )  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(Table((row,), ABOUT), "xlsx")))
    cells = [cell for line in book["Données"].iter_rows() for cell in line]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(isinstance(cell.value, datetime) for cell in cells)


def test_unknown_form_is_refused():
    with pytest.raises(InputError, match="no form of file"):
        to_bytes(share_table(), "ods")


def test_parquet_of_a_table_says_where_it_is_from():
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(to_bytes(share_table(), "parquet")))
    assert table.column("share").to_pylist() == [0.3125, None]
    assert table.schema.metadata[b"model"] == b"toy@1"


def test_parquet_by_month_is_typed_and_without_text(desk, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    written = export_parquet(desk, tmp_path)
    assert [path.parent.name for path in written][:2] == ["month=2026-05", "month=2026-06"]
    table = parquet.read_table(tmp_path / "passages")
    assert table.num_rows == len(desk.frame())
    assert str(table.schema.field("day").type) == "date32[day]"
    assert str(table.schema.field("training_score").type) == "float"
    assert not {"text", "respondent"} & set(table.column_names)
    assert sum(table.column("training").to_pylist()) == int(desk.frame().told[:, 0].sum())
    again = export_parquet(desk, tmp_path)
    assert again == written


def test_parquet_withholds_roles_of_few_people(desk, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    day = date.fromordinal(int(desk.frame().day.min()))
    few = Scope(since=day, until=day, kinds=("comment",))
    rows = desk.frame().chosen(few)
    assert 0 < len(rows) < 200
    export_parquet(desk, tmp_path, few)
    table = parquet.read_table(tmp_path / "passages")
    assert table.num_rows == len(rows)
    shown = np.array(table.column("role").to_pylist())
    frame = desk.frame()
    ids = [bytes(one).decode() for one in frame.passage[rows]]
    who = dict(zip(ids, frame.respondent[rows], strict=True))
    people = np.array([who[one] for one in table.column("passage_id").to_pylist()])
    assert all(len(set(people[shown == role])) >= 5 for role in set(shown))
