"""Reading staff comments from CSV files. What is read here is personal information.

No text of a cell ever reaches a message, a log or a ``repr``: rejections name file and line.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.charsets import REPLACEMENT
from dsn_nlp.gather.respondents import keyed, respondent_key
from dsn_nlp.gather.tables import Row, Table, inspect_table, read_rows
from dsn_nlp.records import Comment, Rejection
from dsn_nlp.text import normalise, tell_language

MAX_CHARACTERS = 20_000
# Above one lost character in 200, words are no longer what was written.
MAX_DAMAGE = 0.005
_TORONTO = ZoneInfo("America/Toronto")
_YEARS = range(2000, 2101)
_DAY_FIRST = re.compile(
    r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"
    r"(?:[ T]+(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2}))?)?"
)


class _Unreadable(Exception):
    """A row that cannot be taken in; its message is a reason without content."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the mapped columns stand in one file."""

    texts: tuple[tuple[str, int], ...]
    response_id: int | None
    date: int | None
    site: int | None
    unit: int | None
    role: int | None
    respondent: int | None


def read_comments(source: CommentSource, key: bytes) -> Iterator[Comment | Rejection]:
    """Read the comments of a CSV file, or of every ``*.csv`` of a folder in order of name.

    Every file is opened and its header checked before the first comment is given out. Rows come
    one by one; of those past, only keyed hashes are kept.

    :param key: the secret that makes ids of comments impossible to confirm by guessing.
    :raises InputError: when a file is missing or unreadable, or lacks a mapped column.
    """
    tables = [_open(path, source) for path in _files(source)]
    return _read_all(source, key, tables)


def _files(source: CommentSource) -> list[Path]:
    path = source.path
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() == ".csv" and p.is_file())
        linked = next((p for p in found if p.is_symlink()), None)
        if linked:
            raise InputError(f"{linked}: a symbolic link is not read; put the file itself there")
        if not found:
            raise InputError(f"{path}: no *.csv file in this folder; put one there")
        return found
    if not path.is_file():
        raise InputError(
            f"{path}: no such file of comments; correct the path of source '{source.name}' "
            "or put the file there"
        )
    return [path]


def _open(path: Path, source: CommentSource) -> tuple[Table, _Columns]:
    mapped = source.columns
    others = (
        mapped.response_id,
        mapped.date,
        mapped.site,
        mapped.unit,
        mapped.role,
        mapped.respondent,
    )
    table = inspect_table(path, source, [*mapped.text, *filter(None, others)])
    positions = [table.position(name) for name in mapped.text]
    texts = tuple((n, p) for n, p in zip(mapped.text, positions, strict=True) if p is not None)
    return table, _Columns(texts, *(table.position(name) for name in others))


def _read_all(
    source: CommentSource, key: bytes, tables: list[tuple[Table, _Columns]]
) -> Iterator[Comment | Rejection]:
    responses: dict[str, bytes] = {}
    for table, columns in tables:
        reader = _Reader(source, key, columns, responses)
        for row in read_rows(table):
            place = f"{table.path.name}:{row.first_line}"
            try:
                _check_row(row, columns)
            except _Unreadable as error:
                yield Rejection(source.name, place, "read", str(error))
                continue
            for column, position in columns.texts:
                if row.cells[position].strip() or len(columns.texts) == 1:
                    yield reader.read(row, place, column, position)


def _check_row(row: Row, columns: _Columns) -> None:
    if row.trouble:
        lines = row.last_line - row.first_line + 1
        spread = f" (the row takes {lines} lines: is a quote left open?)" if lines > 1 else ""
        raise _Unreadable(row.trouble + spread)
    if not any(normalise(row.cells[position]) for _, position in columns.texts):
        raise _Unreadable("empty text")


@dataclass(slots=True)
class _Reader:
    """Reads the comments of one file, and remembers rows alike and, for the source, responses."""

    source: CommentSource
    key: bytes
    columns: _Columns
    responses: dict[str, bytes]
    alike: Counter[bytes] = field(default_factory=Counter)

    def read(self, row: Row, place: str, column: str, position: int) -> Comment | Rejection:
        """Turn one cell and what stands beside it into a comment."""
        at, name = self.columns, self.source.name
        try:
            text = _checked(row.cells[position])
            posted_at = read_date(_cell(row, at.date) or "")
            site, unit, role = (_cell(row, p) for p in (at.site, at.unit, at.role))
            response = _cell(row, at.response_id)
            person = _cell(row, at.respondent) or response
            if response:
                comment_id = self._id_of_response(response, column, text)
            else:
                when = posted_at.isoformat() if posted_at else ""
                comment_id = self._id_of_content(text, when, site or "", role or "")
        except _Unreadable as error:
            return Rejection(name, place, "read", str(error))
        return Comment(
            comment_id,
            name,
            place,
            text,
            posted_at,
            site,
            unit,
            role,
            lang=tell_language(text, self.source.lang),
            respondent=respondent_key(self.source, self.key, person) if person else None,
            content_key=self._keyed("content", text).hex()[:32],
        )

    def _id_of_response(self, response: str, column: str, text: str) -> str:
        """Let the same response pass again: the store knows its id. Another text cannot."""
        comment_id = self._keyed(response, column).hex()[:32]
        content = self._keyed(text)
        if self.responses.setdefault(comment_id, content) != content:
            raise _Unreadable("response id seen before")
        return comment_id

    def _id_of_content(self, *parts: str) -> str:
        """Number identical rows: two people may both have written "RAS"."""
        content = self._keyed(*parts)
        self.alike[content] += 1
        return self._keyed(*parts, str(self.alike[content])).hex()[:32]

    def _keyed(self, *parts: str) -> bytes:
        return keyed(self.key, self.source.name, *parts)


def _cell(row: Row, position: int | None) -> str | None:
    if position is None:
        return None
    return " ".join(normalise(row.cells[position]).split()) or None


def _checked(cell: str) -> str:
    if len(cell) > MAX_CHARACTERS:
        raise _Unreadable(f"text of over {MAX_CHARACTERS} characters")
    if cell.count(REPLACEMENT) > MAX_DAMAGE * len(cell):
        raise _Unreadable("damaged text: over 0.5 % of its characters are lost (U+FFFD)")
    text = normalise(cell)
    if not text:
        raise _Unreadable("empty text")
    return text


def read_date(cell: str) -> datetime | None:
    """Read ISO 8601, or day first as Québec writes it; without a zone it is Québec's time.

    :return: the moment in UTC, ``None`` for an empty cell.
    """
    if not cell:
        return None
    try:
        moment = _day_first(cell) or datetime.fromisoformat(cell)
        if moment.year not in _YEARS:
            raise ValueError
        return (moment if moment.tzinfo else moment.replace(tzinfo=_TORONTO)).astimezone(UTC)
    except ValueError:
        # The error of ``fromisoformat`` quotes the cell; ours must not, not even as its cause.
        raise _Unreadable("unreadable date") from None


def _day_first(cell: str) -> datetime | None:
    found = _DAY_FIRST.fullmatch(cell)
    if not found:
        return None
    numbers = {name: int(value) for name, value in found.groupdict().items() if value}
    return datetime(**numbers)  # type: ignore[arg-type]
