"""A marker in every field of comments, and the search for it: in files, databases, any coding."""

import base64
import csv
import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FIELDS = ("id", "date", "site", "unit", "role", "texte", "qui")
WORD = "ZQXMARQUE"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


def markers(count: int = 200) -> list[str]:
    """Unique tokens, none of which is part of another."""
    return [f"{WORD}{number:04d}Y" for number in range(count)]


def write_comments(path: Path, tokens: list[str]) -> None:
    """Plant tokens as names, addresses and numbers, a token a place, in good rows and bad ones."""
    waiting = iter(tokens)

    def next_(form: str) -> str:
        return form.format(next(waiting))

    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(FIELDS)
        for number in range(len(tokens) * 2 // 13):
            writer.writerow(
                [next_("{}"), "2026-05-12", next_("{}@exemple.ca"), next_("u.{}@exemple.ca"),
                 next_("r.{}@exemple.ca"), next_("Écrire à {}@exemple.ca, l'écran gèle."),
                 next_("{}")]
            )  # fmt: skip
            if number % 6 == 0:
                writer.writerow([next_("{}"), next_("{}"), "", "", "", next_("Le {}."), "x"])
    # And one row that breaks the table.
    with path.open("a", encoding="utf-8") as handle:
        handle.write(f"1;2026-05-12;s;u;r;trop;de;champs;{WORD}9999Y\n")


def spread(blob: bytes, depth: int = 2) -> Iterator[bytes]:
    """Give a blob, and what is inside when it is base64, gzip or zlib; pickles hold plain text."""
    yield blob
    yield blob.replace(b"\x00", b"")  # UTF-16
    if not depth:
        return
    for inflate in (gzip.decompress, zlib.decompress):
        with suppress(OSError, EOFError, zlib.error):
            yield from spread(inflate(blob), depth - 1)
    for found in _BASE64.findall(blob)[:2000]:
        try:
            inner = base64.b64decode(
                found + b"=" * (-len(found) % 4), altchars=b"-_" if b"_" in found else None
            )
        except ValueError:
            continue
        yield from spread(inner, depth - 1)


def leaks(folder: Path, received: set[Path]) -> list[str]:
    """Name every file below a folder that holds a marker in name or content, but received ones."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path in received:
            continue
        if WORD.lower() in str(path.relative_to(folder)).lower():
            found.append(f"name of {path}")
        if path.is_file() and holds(path.read_bytes()):
            found.append(str(path.relative_to(folder)))
        if path.suffix == ".db":
            found += [f"{path.name}:{cell}" for cell in cells_with_marker(path)]
    return found


def holds(blob: bytes) -> bool:
    """Whether a marker is in it, in any case and common coding."""
    return any(WORD.lower().encode() in piece.lower() for piece in spread(blob))


def cells_with_marker(database: Path) -> list[str]:
    """Search every column of every table of an SQLite file, values decoded one by one."""
    found = []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [row[0].decode() for row in connection.execute(tables)]
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                found += [name for cell in row if isinstance(cell, bytes) and holds(cell)]
    finally:
        connection.close()
    return found
