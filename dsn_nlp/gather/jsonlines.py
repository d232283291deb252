"""JSON Lines: one object a line, whose keys are the columns."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.opened import Opened
from dsn_nlp.gather.rows import Row, check_header, column_name
from dsn_nlp.gather.tables import MAX_COLUMNS, encoding_of, lines_of, open_text

# Columns are the keys of the first objects: a later key that none of them has is not read.
HEADER_LINES = 1_000


@dataclass(frozen=True, slots=True)
class JsonTable:
    """How to read one file."""

    opened: Opened
    encoding: str
    keys: tuple[str, ...]
    header: tuple[str, ...]
    wanted: frozenset[str]

    @property
    def shown(self) -> str:
        """How messages name it."""
        return self.opened.shown

    def rows(self) -> Iterator[Row]:
        """Yield every object; blank lines are none.

        :raises InputError: when the file can no longer be read, or is not made of lines.
        """
        for number, line in _lines(self.opened, self.encoding):
            yield self._row(number, line)

    def _row(self, number: int, line: str) -> Row:
        found = _object(line)
        if found is None:
            return Row((), number, number, "not a JSON object", "json", line)
        cells = [_cell(found.get(key)) for key in self.keys]
        for name, cell in zip(self.header, cells, strict=True):
            if cell is None and name in self.wanted:
                trouble = "a list or object in place of text"
                return Row((), number, number, trouble, "json", line)
        return Row(tuple(cell or "" for cell in cells), number, number)


def open_jsonl(opened: Opened, source: CommentSource, wanted: set[str]) -> JsonTable:
    """Find out a file's encoding and keys, and check that what is wanted is among them.

    :raises InputError: when no wanted key is there.
    """
    encoding = encoding_of(opened, source)
    keys: dict[str, None] = {}
    for number, line in _lines(opened, encoding):
        if number > HEADER_LINES or len(keys) > MAX_COLUMNS:
            break
        keys |= dict.fromkeys(_object(line) or ())
    if len(keys) > MAX_COLUMNS:
        told = f"{opened.shown}: over {MAX_COLUMNS} keys; is this the right file?"
        raise InputError(told, "too-many-columns")
    header = tuple(column_name(_whole(key)) for key in keys)
    if not keys and opened.size:
        raise InputError(f"{opened.shown}: no line is a JSON object; is this JSON Lines?", "json")
    check_header(opened.shown, header, wanted)
    return JsonTable(opened, encoding, tuple(keys), header, frozenset(wanted))


def _lines(opened: Opened, encoding: str) -> Iterator[tuple[int, str]]:
    try:
        with open_text(opened, encoding) as text:
            for number, line in enumerate(lines_of(text, opened.shown), start=1):
                if line.strip("\ufeff \t\r\n"):
                    yield number, line
    except OSError as error:
        told = f"{opened.shown}: cannot be read ({error.strerror})"
        raise InputError(told, "unreadable") from None


def _object(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line.strip("\ufeff"))
    # Deep nesting, and integers of thousands of digits, fail in ways of their own.
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cell(value: object) -> str | None:
    """Write a value as a cell; ``None`` for what has no text."""
    if isinstance(value, str):
        return _whole(value)
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else None


def _whole(text: str) -> str:
    """Join halves of characters that JSON may hold apart; a lonely half is lost (U+FFFD)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
