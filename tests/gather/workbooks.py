"""Workbooks for tests: a good one, and hostile ones made of its parts."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

HEADER = ["Identifiant", "Date", "Établissement", "Rôle", "Commentaire"]
TEXT = "Le système est tombé à l’urgence, « encore » €"


def rows(count: int) -> list[list[object]]:
    return [
        [i, datetime(2026, 5, 9, 4, 41), "Hôpital Fleury", "Infirmière", f"{TEXT} {i}"]
        for i in range(1, count + 1)
    ]


def good(path: Path, count: int = 3, header: list[str] | None = None) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Réponses")
    sheet.append(header or HEADER)
    for row in rows(count):
        sheet.append(row)
    book.save(path)
    return path


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, made_of: dict[str, bytes], level: int = 9) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, body in made_of.items():
            archive.writestr(name, body)
    return path


def changed(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    made_of = parts(good(path))
    change(made_of)
    return packed(path, made_of)


def sheet_of(made_of: dict[str, bytes]) -> str:
    return next(name for name in made_of if name.startswith("xl/worksheets/"))


def with_rows(path: Path, body: bytes) -> Path:
    """Put raw rows of XML in place of the good ones, below the header."""

    def change(made_of: dict[str, bytes]) -> None:
        name = sheet_of(made_of)
        start, rest = made_of[name].split(b"</row>", 1)
        made_of[name] = start + b"</row>" + body + rest[rest.index(b"</sheetData>") :]

    return changed(path, change)


def huge(path: Path, megabytes: int) -> Path:
    """A sheet that unpacks to so many MB from well under one."""
    row = b'<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c></row>'
    return with_rows(path, row * (megabytes * 1_000_000 // len(row)))


def ole(path: Path, stream: str) -> Path:
    """The head of an OLE file, with the name of a stream where its folder would be."""
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1016 + stream.encode("utf-16-le")
    )
    return path


def nested(path: Path) -> Path:
    def change(made_of: dict[str, bytes]) -> None:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("x", "x")
        made_of["xl/embeddings/x.bin"] = inner.getvalue()

    return changed(path, change)
