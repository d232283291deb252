"""JSONL in and out: good rows pass in order, bad ones are named and counted."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from dsn_nlp.errors import InputError
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

Row = dict[str, Any]
CHUNK = 1024


def needs_text(row: Row) -> str | None:
    """What is wrong with a row that must have a text, if anything is."""
    if not isinstance(row.get("text"), str) or not row["text"].strip():
        return "no 'text'; give a non-empty string under the key 'text'"
    return None


class Reader:
    """Reads rows that have a text; names each bad row on standard error, once."""

    def __init__(self, file: Path | None, check: Callable[[Row], str | None] = needs_text) -> None:
        self._check = check
        self.name = "-" if file is None or str(file) == "-" else str(file)
        self._file = None if self.name == "-" else file
        self.rows = self.bad = 0

    def chunks(self) -> Iterator[list[Row]]:
        """Yield the good rows in lists of up to ``CHUNK``.

        :raises InputError: when the file cannot be opened.
        """
        chunk: list[Row] = []
        for row in self._good():
            chunk.append(row)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def finish(self) -> None:
        """Say how many rows were put aside, and exit with 2 when there were any."""
        if self.bad:
            told = either(
                f"{self.name}\N{NO-BREAK SPACE}: {self.bad} rangées sur {self.rows} mises de côté",
                f"{self.name}: {self.bad} of {self.rows} rows put aside",
            )
            print(f"dsn-nlp: {told}", file=sys.stderr)
            raise typer.Exit(2)

    def put_aside(self, place: str, problem: str) -> None:
        """Name one bad row."""
        self.bad += 1
        print(f"dsn-nlp: {shown(f'{place}: {problem}')}", file=sys.stderr)

    def _good(self) -> Iterator[Row]:
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            self.rows += 1
            row, problem = parse_row(line, self._check)
            if problem:
                self.put_aside(f"{self.name}:{number}", problem)
            else:
                yield row | {"_place": f"{self.name}:{number}"}

    def _lines(self) -> Iterator[str]:
        if self._file is None:
            yield from _decoded(sys.stdin.buffer)
            return
        try:
            handle = self._file.open("rb")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"{self._file}: {reason}; name a readable JSONL file") from None
        with handle:
            yield from _decoded(handle)


def parse_row(line: str, check: Callable[[Row], str | None] = needs_text) -> tuple[Row, str | None]:
    """Parse one line; returns the row, and what is wrong with it if anything is."""
    if "\ufffd" in line:
        return {}, "not UTF-8; save the file as UTF-8"
    try:
        row = json.loads(line)
    except ValueError as error:
        reason = getattr(error, "msg", "invalid")
        return {}, f"not JSON ({reason}); write one object a line"
    if not isinstance(row, dict):
        return {}, "not a JSON object; write one object a line"
    if problem := check(row):
        return {}, problem
    for key in ("text", "title", "lead"):
        try:
            str(row.get(key) or "").encode()
        except UnicodeEncodeError:
            return {}, f"'{key}' holds half a surrogate pair; repair its encoding"
    return row, None


def place_of(row: Row) -> str:
    """Take the place out of a row read by :class:`Reader`."""
    return str(row.pop("_place"))


@contextmanager
def writing(output: Path | None) -> Iterator[TextIO]:
    """Open the output, standard output by default.

    :raises InputError: when it cannot be written.
    """
    if output is None or str(output) == "-":
        yield sys.stdout
        return
    try:
        handle = output.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}; name a writable file") from None
    with handle:
        yield handle


def write_row(handle: TextIO, row: Row) -> None:
    """Write one object a line, accents as they are."""
    handle.write(json.dumps(row, ensure_ascii=False) + "\n")


def _decoded(handle: Any) -> Iterator[str]:
    for index, line in enumerate(handle):
        text = line.decode("utf-8", errors="replace")
        yield text.removeprefix("\ufeff") if index == 0 else text
