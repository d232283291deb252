"""Workbooks (.xlsx), read by a child process with limits of memory, time and patience."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.opened import Opened
from dsn_nlp.gather.rows import Row, check_header, column_name

DEADLINE = 30.0
MAX_ROW_BYTES = 8_000_000
_CHUNK = 1 << 16
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "VIRTUAL_ENV")


# Why a workbook, or the rest of one, was not read, and the way out.
TROUBLES = {
    "encrypted": "the workbook is protected by a password; save it without one",
    "old-excel": "a workbook of before 2007 (.xls); save it as .xlsx or CSV",
    "not-a-workbook": "this is not an Excel workbook (.xlsx)",
    "damaged": "the workbook is damaged; export it again",
    "too-many-parts": "the archive has over 200 parts; is this a workbook of answers?",
    "too-large": "the workbook is too large once open; split it or save it as CSV",
    "zip-bomb": "the archive is packed over a hundred times (zip bomb)",
    "nested-archive": "the archive holds another archive; save the workbook without it",
    "doctype": "a part has a DOCTYPE, which Excel never writes",
    "no-sheet": "no visible sheet of that name; see 'sheet' in the settings",
    "empty-file": "the workbook is empty; its first row must name the columns",
    "timeout": f"reading took over {DEADLINE:g} s; save it as CSV",
    "gap": "10,000 empty rows in a row; what follows is not read",
    "too-many-rows": "over 100,000 rows; what follows is not read: split the file",
}


@dataclass(frozen=True, slots=True)
class SheetTable:
    """How to read one workbook."""

    opened: Opened
    sheet: str | None
    wanted: tuple[str, ...]
    header: tuple[str, ...] = ()
    # The child that told the header goes on with the rows when they are first asked for.
    begun: "list[Lines]" = field(default_factory=list, repr=False)

    @property
    def shown(self) -> str:
        """How messages name it."""
        return self.opened.shown

    def rows(self) -> Iterator[Row]:
        """Yield every row that is not empty; a child process reads them meanwhile.

        :raises InputError: when the child gives up, dies or takes too long.
        """
        width = len(self.header)
        for line in self.begun.pop() if self.begun else Lines(self):
            if isinstance(line, list):
                number, cells = line
                yield _fitted(int(number), [str(cell) for cell in cells], width)
            elif isinstance(line, dict) and line.get("end"):
                number, code = int(line["row"]), str(line["end"])
                yield Row((), number, number, TROUBLES.get(code, code), code)


def open_workbook(opened: Opened, source: CommentSource, wanted: set[str]) -> SheetTable:
    """Find the sheet and the row of the header, and check that it holds what is wanted.

    :raises InputError: when the workbook is refused, or no wanted column is there.
    """
    names = tuple(sorted({name.lower() for name in wanted}))
    asked = SheetTable(opened, source.sheet, names)
    lines = Lines(asked)
    first = next(lines, None)
    if not isinstance(first, dict) or "header" not in first:
        raise _refused(opened, "damaged")
    header = tuple(column_name(str(cell)) for cell in first["header"])
    check_header(opened.shown, header, wanted)
    return SheetTable(opened, str(first["sheet"]), names, header, [lines])


def _fitted(number: int, cells: list[str], width: int) -> Row:
    if len(cells) > width:
        trouble = f"{len(cells)} cells instead of {width}"
        return Row((), number, number, trouble, "fields", "\t".join(cells))
    return Row(tuple(cells) + ("",) * (width - len(cells)), number, number)


def _refused(opened: Opened, code: str) -> InputError:
    return InputError(f"{opened.shown}: {TROUBLES.get(code, code)}", code)


class Lines:
    """What the child writes, line by line; closing ends the child.

    The deadline runs only while the child is waited for: whoever takes the rows may be slow.
    """

    def __init__(self, table: SheetTable) -> None:
        self._opened = table.opened
        orders = json.dumps({"wanted": table.wanted, "sheet": table.sheet})
        os.lseek(table.opened.descriptor, 0, os.SEEK_SET)
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "dsn_nlp.gather.sheet_child", orders],
            stdin=table.opened.descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={n: os.environ[n] for n in _KEPT_ENVIRONMENT if n in os.environ},
        )
        self._waited = 0.0
        self._text = self._read()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = next(self._text)
        if isinstance(line, dict) and "error" in line:
            self.close()
            raise _refused(self._opened, str(line["error"]))
        return line

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def __del__(self) -> None:
        if self._child.returncode is None:
            self.close()

    def _read(self) -> Iterator[Any]:
        pending = b""
        ended = False
        while chunk := self._chunk():
            *whole, pending = (pending + chunk).split(b"\n")
            if len(pending) > MAX_ROW_BYTES:
                raise self._failed("too-large")
            for line in whole:
                told = json.loads(line)
                ended = ended or (isinstance(told, dict) and ("end" in told or "error" in told))
                yield told
        self._child.wait()
        self.close()
        if not ended:
            # Killed by a limit: of memory it dies by itself, of time by a signal.
            raise self._failed("timeout" if self._child.returncode in (-24, -9) else "too-large")

    def _chunk(self) -> bytes:
        assert self._child.stdout is not None
        started = time.monotonic()
        patience = max(DEADLINE - self._waited, 0.0)
        ready, _, _ = select.select([self._child.stdout], [], [], patience)
        self._waited += time.monotonic() - started
        if not ready:
            raise self._failed("timeout")
        return os.read(self._child.stdout.fileno(), _CHUNK)

    def _failed(self, code: str) -> InputError:
        self.close()
        return _refused(self._opened, code)
