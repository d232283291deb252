"""Opening a CSV file of unknown making: encoding, delimiter, header, then rows with their lines.

Nothing here ever puts a cell's content into a message: a file without a header would show a
comment as if it were a column's name.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TextIO

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.charsets import find_encoding, known_encoding
from dsn_nlp.gather.opened import Opened
from dsn_nlp.gather.rows import Row, check_header, column_name

MAX_LINE = 1_000_000
# A quote that is never closed swallows what follows it; this ends the meal.
MAX_FIELD = 131_072
MAX_COLUMNS = 2_000
_CHUNK = 65_536
_ROWS_COMPARED = 20
_DELIMITERS = ";,\t|"
_EXCEL_HINT = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """How to read one file. ``sound`` tells that its first line is a header and nothing else."""

    opened: Opened
    encoding: str
    delimiter: str
    skipped_lines: int
    header: tuple[str, ...]
    strict: bool = True
    sound: bool = True

    @property
    def shown(self) -> str:
        """How messages name it."""
        return self.opened.shown

    def rows(self) -> Iterator[Row]:
        """Yield every record after the header; blank lines are no records.

        :raises InputError: when the file can no longer be read, or is not made of lines.
        """
        try:
            records = _records(self)
            next(records, None)
            for row in records:
                yield _fitted(row, len(self.header), self.delimiter)
        except OSError as error:
            told = f"{self.shown}: cannot be read ({error.strerror})"
            raise InputError(told, "unreadable") from None


def open_csv(opened: Opened, source: CommentSource, wanted: set[str]) -> CsvTable:
    """Find out how a file is to be read, and check that its header holds what is wanted.

    :param wanted: names of columns as ``column_name`` writes them.
    :raises InputError: when its encoding is unknown, or no wanted column is there.
    """
    encoding = encoding_of(opened, source)
    with open_text(opened, encoding) as text:
        first = next(lines_of(text, opened.shown), "")
        hint = _EXCEL_HINT.fullmatch(first.strip("\r\n\ufeff"))
    given = source.delimiter or (hint[1] if hint else None)
    candidates = [
        CsvTable(opened, encoding, delimiter, int(hint is not None), (), source.quoting == "strict")
        for delimiter in ([given] if given else _DELIMITERS)
    ]
    return _best(candidates, wanted)


def encoding_of(opened: Opened, source: CommentSource) -> str:
    """Find a text file's encoding, told by the settings or not.

    :raises InputError: when the settings name one that does not exist.
    """
    if source.encoding and known_encoding(source.encoding) is None:
        told = f"{opened.shown}: unknown encoding '{source.encoding}'; try utf-8 or cp1252"
        raise InputError(told, "encoding")
    with opened.read() as raw:
        return find_encoding(iter(lambda: raw.read(_CHUNK), b""), source.encoding)


def open_text(opened: Opened, encoding: str) -> TextIO:
    """Read a file as text, line ends as they are."""
    return io.TextIOWrapper(opened.read(), encoding, errors="replace", newline="")


def lines_of(text: TextIO, shown: str) -> Iterator[str]:
    """Give lines one by one.

    :raises InputError: at a line so long that the file is not made of lines.
    """
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            told = f"{shown}:{number}: a line of over {MAX_LINE} characters; is this a CSV file?"
            raise InputError(told, "no-lines")
        yield line


def _best(candidates: list[CsvTable], wanted: set[str]) -> CsvTable:
    """Take the delimiter under which most of the wanted columns appear."""
    read = [_with_header(table) for table in candidates]
    best = max(read, key=lambda t: (len(wanted & set(t.header)), len(t.header)))
    if len(best.header) > MAX_COLUMNS:
        told = f"{best.shown}: over {MAX_COLUMNS} columns; is this the right file?"
        raise InputError(told, "too-many-columns")
    check_header(best.shown, best.header, wanted)
    return best


def _with_header(table: CsvTable) -> CsvTable:
    """Read the first record; one that has swallowed the next holds somebody's words."""
    records = _records(table)
    first = next(records, Row((), 1, 1))
    header = tuple(column_name(cell) for cell in first.cells)
    widths = [len(row.cells) for row in islice(records, _ROWS_COMPARED) if row.cells]
    fitting = 2 * widths.count(len(header)) >= len(widths)
    sound = fitting and first.first_line == first.last_line
    return replace(table, header=header, sound=sound)


def read_again(row: Row, width: int, delimiter: str, strict: bool) -> Row:
    """Try to tell the cells of a row that had none, from what was written there.

    :param width: how many cells it must have.
    :return: the row with its cells, or as it was.
    """
    csv.field_size_limit(MAX_FIELD)
    try:
        lines = io.StringIO(row.raw, newline="")
        found = list(csv.reader(lines, delimiter=delimiter, strict=strict))
    except csv.Error:
        return row
    if len(found) != 1 or len(found[0]) != width:
        return row
    return Row(tuple(found[0]), row.first_line, row.last_line)


def _fitted(row: Row, width: int, delimiter: str) -> Row:
    if row.trouble is not None or len(row.cells) == width:
        return row
    trouble = f"{len(row.cells)} fields instead of {width}"
    raw = delimiter.join(row.cells)
    return Row((), row.first_line, row.last_line, trouble, "fields", raw)


class _Remembering:
    """Lines on their way to the parser, kept until the record they make is told."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.kept: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.kept.append(line)
        return line


def _records(table: CsvTable) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    with open_text(table.opened, table.encoding) as text:
        lines = lines_of(text, table.shown)
        for _ in range(table.skipped_lines):
            next(lines, None)
        remembering = _Remembering(lines)
        # Strict: read leniently, an unclosed quote joins two people's comments into one.
        reader = csv.reader(remembering, delimiter=table.delimiter, strict=table.strict)
        before = 0
        while True:
            first = before + 1 + table.skipped_lines
            remembering.kept.clear()
            try:
                cells = next(reader, None)
                trouble = None
            except csv.Error:
                cells, trouble = [], "broken quoting: a quote is left open or not doubled"
            before = reader.line_num
            if cells is None:
                return
            last = before + table.skipped_lines
            if trouble:
                raw = "".join(remembering.kept)
                yield Row((), first, last, trouble, "quoting", raw)
            elif cells:
                yield Row(tuple(cells), first, last)
