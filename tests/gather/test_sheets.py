"""Workbooks, good and hostile: the process survives, the reason is right, good rows are kept."""

import ast
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.gather.sheets import TROUBLES
from dsn_nlp.records import Comment, Rejection
from dsn_nlp.wordings.codes import CODES
from tests.gather import workbooks

KEY = b"a key of the tests only"


def make_source(path, **changes):
    columns = {
        "text": ["Commentaire"], "response_id": "Identifiant", "date": "Date",
        "site": "Établissement", "role": "Rôle",
    }  # fmt: skip
    fields = {"name": "s", "path": path, "lang": "fr", "columns": columns, "settle_seconds": 0}
    return CommentSource.model_validate(fields | changes)


def read(path, **changes):
    found = list(read_comments(make_source(path, **changes), KEY))
    comments = [f for f in found if isinstance(f, Comment)]
    return comments, [(f.place, f.code) for f in found if isinstance(f, Rejection)]


def refused(path, **changes):
    with pytest.raises(InputError) as caught:
        read(path, **changes)
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_a_workbook(tmp_path):
    comments, rejected = read(workbooks.good(tmp_path / "c.xlsx"))
    assert rejected == []
    assert [c.text for c in comments] == [f"{workbooks.TEXT} {i}" for i in (1, 2, 3)]
    assert comments[0].place == "c.xlsx:2"
    assert comments[0].posted_at == datetime(2026, 5, 9, 8, 41, tzinfo=UTC)
    assert (comments[0].site, comments[0].role) == ("Hôpital Fleury", "Infirmière")


def test_a_workbook_is_known_by_its_bytes_and_not_by_its_name(tmp_path):
    workbooks.good(tmp_path / "c.xlsx").rename(tmp_path / "c.csv")
    assert len(read(tmp_path / "c.csv")[0]) == 3
    (tmp_path / "d.xlsx").write_text("Commentaire\ntexte\n")
    assert len(read(tmp_path / "d.xlsx", columns={"text": ["Commentaire"]})[0]) == 1


def test_same_ids_from_workbook_and_csv(tmp_path):
    comments, _ = read(workbooks.good(tmp_path / "c.xlsx"))
    lines = [f"{i};2026-05-09 04:41;X;Y;{workbooks.TEXT} {i}" for i in (1, 2, 3)]
    text = "\n".join([";".join(workbooks.HEADER), *lines]) + "\n"
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    assert [c.comment_id for c in comments] == [c.comment_id for c in read(tmp_path / "c.csv")[0]]


def hostile(tmp_path):
    """Name hostile workbooks, with the code each is refused for."""
    xlsx = tmp_path / "c.xlsx"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'

    def doctype(made_of):
        name = workbooks.sheet_of(made_of)
        head, rest = made_of[name].split(b"<worksheet", 1)
        made_of[name] = head + bomb + b"<worksheet" + rest

    def many(made_of):
        made_of |= {f"xl/worksheets/s{i}.xml": b"<worksheet/>" for i in range(10_000)}

    def cut(made_of):
        name = workbooks.sheet_of(made_of)
        made_of[name] = made_of[name][:-200]

    yield "zip-bomb", lambda: workbooks.huge(xlsx, 190)
    yield "zip-bomb", lambda: workbooks.huge(xlsx, 231)
    yield "too-many-parts", lambda: workbooks.changed(xlsx, many)
    yield "doctype", lambda: workbooks.changed(xlsx, doctype)
    yield "nested-archive", lambda: workbooks.nested(xlsx)
    yield "encrypted", lambda: workbooks.ole(xlsx, "EncryptedPackage")
    yield "old-excel", lambda: workbooks.ole(xlsx, "Workbook")
    yield "damaged", lambda: workbooks.changed(xlsx, cut)
    yield "damaged", lambda: _truncated(workbooks.good(xlsx))
    yield "not-a-workbook", lambda: workbooks.packed(xlsx, {"a.txt": b"PK"})
    yield (
        "column-twice",
        lambda: workbooks.good(xlsx, header=["Identifiant", "Date", "Date", "Rôle", "Commentaire"]),
    )
    yield "column-missing", lambda: workbooks.good(xlsx, header=[*workbooks.HEADER[:4], "x"])
    yield "column-missing", lambda: workbooks.good(xlsx, header=list("abcde"))


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-300])
    return path


@pytest.mark.parametrize("number", range(13))
def test_hostile_workbooks(tmp_path, number):
    code, make = list(hostile(tmp_path))[number]
    path = make()
    started = time.monotonic()
    assert refused(path) == code
    assert time.monotonic() - started < 60  # a hang; measured times are under two seconds


def test_the_child_cannot_take_more_than_300_mb():
    code = "from dsn_nlp.gather import sheet_child as s; s._bind(); b'x' * 290_000_000"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_a_cell_at_the_far_end(tmp_path):
    body = b'<row r="2"><c r="A2"><v>1</v></c><c r="E2" t="inlineStr"><is><t>bon</t></is></c></row>'
    body += b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    comments, rejected = read(workbooks.with_rows(tmp_path / "c.xlsx", body))
    assert [c.text for c in comments] == ["bon"]
    assert rejected == [("c.xlsx:10002", "gap")]


def test_more_cells_than_columns(tmp_path):
    body = b'<row r="2"><c r="XFD2"><v>1</v></c></row>'
    body += b'<row r="3"><c r="G3"><v>1</v></c></row>'
    body += b'<row r="4"><c r="E4" t="inlineStr"><is><t>bon</t></is></c></row>'
    comments, rejected = read(workbooks.with_rows(tmp_path / "c.xlsx", body))
    assert [c.text for c in comments] == ["bon"]
    assert rejected == [("c.xlsx:2", "empty"), ("c.xlsx:3", "fields")] or rejected == [
        ("c.xlsx:3", "fields")
    ]


def test_formulas_macros_titles_and_hidden_sheets(tmp_path):
    book = Workbook()
    book.active.title = "cachée"
    book.active.append(workbooks.HEADER)
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("Réponses")
    sheet["A1"] = "Sondage sur le DSN, mai 2026"
    sheet.merge_cells("A1:E1")
    sheet.append(workbooks.HEADER)
    sheet.append([1, "hier", "CHUM", "Commis", "date illisible"])
    sheet.append([2, None, "CHUM", "Commis", "=1+1"])
    sheet.append([3, None, "CHUM", "Commis", "#REF!"])
    sheet.append([4, None, "CHUM", "Commis", "gardé"])
    book.save(tmp_path / "c.xlsm")
    made_of = workbooks.parts(tmp_path / "c.xlsm") | {"xl/vbaProject.bin": b"\xcc\x61macro"}
    comments, rejected = read(workbooks.packed(tmp_path / "c.xlsm", made_of))
    assert [(c.text, c.place) for c in comments] == [("gardé", "c.xlsm:6")]
    assert rejected == [("c.xlsm:3", "date"), ("c.xlsm:4", "empty"), ("c.xlsm:5", "empty")]


def test_a_sheet_by_name(tmp_path):
    workbooks.good(tmp_path / "c.xlsx")
    book = load_workbook(tmp_path / "c.xlsx")
    other = book.create_sheet("Autre")
    other.append(workbooks.HEADER)
    other.append([9, None, None, None, "autre feuille"])
    book.save(tmp_path / "c.xlsx")
    assert [c.text for c in read(tmp_path / "c.xlsx", sheet="Autre")[0]] == ["autre feuille"]
    assert refused(tmp_path / "c.xlsx", sheet="Nulle") == "no-sheet"


def test_the_child_knows_no_secret():
    from dsn_nlp.gather import sheets

    assert not any("KEY" in name or "DSN" in name for name in sheets._KEPT_ENVIRONMENT)


def test_bad_parts_of_a_good_workbook_are_told_and_the_rest_is_read(tmp_path):
    workbooks.good(tmp_path / "good.xlsx")
    workbooks.huge(tmp_path / "bomb.xlsx", 190)
    comments, rejected = read(tmp_path)
    assert len(comments) == 3
    assert rejected == [("bomb.xlsx", "zip-bomb")]


def test_every_reason_has_a_wording_in_both_languages():
    folder = Path(__file__).parents[2] / "dsn_nlp" / "gather"
    place = {"InputError": 1, "_Unreadable": 1, "Row": 4}
    codes = set(TROUBLES)
    for name in ("comments", "columns", "deliveries", "dropfolder", "jsonlines", "opened",
                 "queries", "rows", "tables"):  # fmt: skip
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                told = node.args[place.get(node.func.id, 99) :][:1]
                codes |= {one.value for one in told if isinstance(one, ast.Constant)}
    assert len(codes) > 30
    assert sorted(codes - set(CODES)) == []
    assert all(french and english for french, english in CODES.values())
