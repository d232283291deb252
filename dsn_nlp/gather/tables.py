"""Opening a CSV file of unknown making: encoding, delimiter, header, then rows with their lines.

Nothing here ever puts a cell's content into a message: a file without a header would show a
comment as if it were a column's name.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.charsets import find_encoding, known_encoding
from dsn_nlp.text import normalise

MAX_LINE = 1_000_000
# A quote that is never closed swallows what follows it; this ends the meal.
MAX_FIELD = 131_072
_CHUNK = 65_536
_DELIMITERS = ";,\t|"
_EXCEL_HINT = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """How to read one file."""

    path: Path
    encoding: str
    delimiter: str
    skipped_lines: int
    header: tuple[str, ...]

    def position(self, column: str | None) -> int | None:
        """Return where a column stands, ``None`` when no column is asked for.

        :raises InputError: when it is missing or there twice.
        """
        if column is None:
            return None
        found = [i for i, name in enumerate(self.header) if name == _column_name(column)]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{self.path}: column '{column}' is there twice; rename one of them")
        raise InputError(
            f"{self.path}: no column '{column}'; columns found: {', '.join(self._shown())}; "
            "correct the source's columns or the file's first line"
        )

    def _shown(self) -> list[str]:
        return [name if len(name) <= 40 else name[:39] + "…" for name in self.header[:40]]


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its cells, or why it has none, and the lines it stands on. Shows no cell."""

    cells: tuple[str, ...]
    first_line: int
    last_line: int
    trouble: str | None = None

    def __repr__(self) -> str:
        return f"Row(lines {self.first_line}-{self.last_line}, {len(self.cells)} cells)"


def inspect_table(path: Path, source: CommentSource, wanted: list[str]) -> Table:
    """Find out how a file is to be read, and check that its header holds what is wanted.

    :raises InputError: when it cannot be opened, or a wanted column is missing.
    """
    if source.encoding and known_encoding(source.encoding) is None:
        raise InputError(f"{path}: unknown encoding '{source.encoding}'; try utf-8 or cp1252")
    try:
        with path.open("rb") as raw:
            encoding = find_encoding(iter(lambda: raw.read(_CHUNK), b""), source.encoding)
        with _open_text(path, encoding) as text:
            first = next(_lines(text, path), "")
            hint = _EXCEL_HINT.fullmatch(first.strip("\r\n\ufeff"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    given = source.delimiter or (hint[1] if hint else None)
    candidates = [
        Table(path, encoding, delimiter, int(hint is not None), ())
        for delimiter in ([given] if given else _DELIMITERS)
    ]
    return _best(candidates, {_column_name(name) for name in wanted})


def _best(candidates: list[Table], wanted: set[str]) -> Table:
    """Take the delimiter under which most of the wanted columns appear."""
    read = [_with_header(table) for table in candidates]
    best = max(read, key=lambda t: (len(wanted & set(t.header)), len(t.header)))
    if not any(best.header):
        raise InputError(f"{best.path}: the file is empty; its first line must name the columns")
    if not wanted & set(best.header):
        raise InputError(
            f"{best.path}: none of the columns {', '.join(sorted(wanted))} is in the first line, "
            f"which has {len(best.header)} cells; is it the header?"
        )
    return best


def _with_header(table: Table) -> Table:
    first = next(iter(_records(table)), Row((), 1, 1))
    header = tuple(_column_name(cell) for cell in first.cells)
    return Table(table.path, table.encoding, table.delimiter, table.skipped_lines, header)


def _column_name(cell: str) -> str:
    return " ".join(normalise(cell).split())


def read_rows(table: Table) -> Iterator[Row]:
    """Yield every record after the header; blank lines are no records.

    :raises InputError: when the file can no longer be read, or is not made of lines.
    """
    try:
        records = _records(table)
        next(records, None)
        for row in records:
            if row.trouble is None and len(row.cells) != len(table.header):
                trouble = f"{len(row.cells)} fields instead of {len(table.header)}"
                yield Row((), row.first_line, row.last_line, trouble)
            else:
                yield row
    except OSError as error:
        raise InputError(f"{table.path}: cannot be read ({error.strerror})") from None


def _records(table: Table) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    with _open_text(table.path, table.encoding) as text:
        lines = _lines(text, table.path)
        for _ in range(table.skipped_lines):
            next(lines, None)
        # Strict: read leniently, an unclosed quote joins two people's comments into one.
        reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
        before = 0
        while True:
            first = before + 1 + table.skipped_lines
            try:
                cells = next(reader, None)
                trouble = None
            except csv.Error:
                cells, trouble = [], "broken quoting: a quote is left open or not doubled"
            before = reader.line_num
            if cells is None:
                return
            if cells or trouble:
                yield Row(tuple(cells), first, before + table.skipped_lines, trouble)


def _open_text(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="replace", newline="")


def _lines(text: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise InputError(
                f"{path}:{number}: a line of over {MAX_LINE} characters; is this a CSV file?"
            )
        yield line
