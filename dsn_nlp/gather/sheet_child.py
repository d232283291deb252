"""Reads one workbook in a process of its own, which may die without harm.

``python -m dsn_nlp.gather.sheet_child`` reads the workbook from standard input (a file) and its
orders as JSON from the one argument. It writes JSON lines: ``{"header": …, "row": …, "sheet": …}``,
then ``[row, cells]`` for each row that is not empty, then ``{"end": …}`` or ``{"error": code}``.
It says nothing else, on any stream.
"""

import json
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any, BinaryIO

from dsn_nlp.gather.archives import ArchiveError, check_archive

MAX_ROWS = 100_000
MAX_EMPTY_ROWS = 10_000
MAX_COLUMNS = 2_000
MAX_SHEETS = 50
# Above the header, exports may have a title or two.
HEADER_ROWS = 20
MEMORY = 300_000_000
CPU_SECONDS = 30
# What formulas show when they fail; nobody writes these.
_ERRORS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"}
)
Cells = list[str]
Found = tuple[Any, int, Cells]


def main() -> None:
    """Follow the orders: ``wanted`` (names of columns) and ``sheet`` (a name or null)."""
    _bind()
    orders = json.loads(sys.argv[1])
    try:
        for line in read_workbook(sys.stdin.buffer, set(orders["wanted"]), orders["sheet"]):
            _write(line)
    except ArchiveError as error:
        _write({"error": str(error)})
    except MemoryError:
        _write({"error": "too-large"})
    except BrokenPipeError:
        os._exit(0)
    except Exception:
        # A stranger's file finds ways through openpyxl that nobody foresaw; the message of what
        # it stumbled over may quote a cell.
        _write({"error": "damaged"})
    sys.stdout.flush()


def _bind() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    # openpyxl takes them when they are there, and they take much memory.
    for heavy in ("numpy", "lxml", "PIL"):
        sys.modules[heavy] = None  # type: ignore[assignment]


def _write(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def read_workbook(file: BinaryIO, wanted: set[str], sheet: str | None) -> Iterator[object]:
    """Check the archive, find the header, then give the rows below it.

    :param wanted: names of columns, lower case, spaces single.
    :raises ArchiveError: with the reason in one word.
    """
    check_archive(file)
    import warnings

    from openpyxl import load_workbook

    warnings.simplefilter("ignore")
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    chosen, row, header = _header(_sheets(book, sheet), wanted)
    yield {"header": header, "row": row, "sheet": chosen.title}
    yield from _rows(chosen, row)


def _sheets(book: Any, name: str | None) -> list[Any]:
    sheets = [s for s in book.worksheets if name is not None or s.sheet_state == "visible"]
    if name is not None:
        sheets = [s for s in sheets if s.title == name]
    if not sheets:
        raise ArchiveError("no-sheet")
    return sheets[:MAX_SHEETS]


def _header(sheets: list[Any], wanted: set[str]) -> Found:
    """Take the row with most of the wanted columns; without any, the first that has cells."""
    best: Found | None = None
    most = 0
    for sheet in sheets:
        for number, cells in islice(_numbered(sheet), HEADER_ROWS):
            if not any(cells):
                continue
            fitting = len(wanted & {" ".join(cell.lower().split()) for cell in cells})
            if best is None or fitting > most:
                best, most = (sheet, number, cells), fitting
    if best is None:
        raise ArchiveError("empty-file")
    return best


def _rows(sheet: Any, header_row: int) -> Iterator[object]:
    given = empty = 0
    for number, cells in _numbered(sheet):
        if number <= header_row:
            continue
        if not any(cells):
            empty += 1
            if empty >= MAX_EMPTY_ROWS:
                yield {"end": "gap", "row": number}
                return
            continue
        empty = 0
        if given >= MAX_ROWS:
            yield {"end": "too-many-rows", "row": number}
            return
        given += 1
        yield [number, cells]
    yield {"end": None}


def _numbered(sheet: Any) -> Iterator[tuple[int, Cells]]:
    # The declared dimensions may lie either way.
    sheet.reset_dimensions()
    rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(values_only=True)
    for number, values in enumerate(rows, start=1):
        cells = [cell_text(value) for value in values[:MAX_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        yield number, cells


def cell_text(value: object) -> str:
    """Write a cell's value as a person would read it; dates in ISO 8601."""
    if value is None or value in _ERRORS:
        return ""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


if __name__ == "__main__":
    main()
