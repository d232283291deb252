"""Rows of a table become staff comments. What is read here is personal information.

No text of a cell ever reaches a message, a log or a ``repr``: rejections name file and line.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.charsets import REPLACEMENT
from dsn_nlp.gather.columns import Columns
from dsn_nlp.gather.respondents import keyed, respondent_key
from dsn_nlp.gather.rows import Row, Table
from dsn_nlp.gather.sealing import SealedRow, Sealer
from dsn_nlp.records import Comment, Language, Rejection
from dsn_nlp.text import normalise, tell_language

MAX_CHARACTERS = 20_000
# Above one lost character in 200, words are no longer what was written.
MAX_DAMAGE = 0.005
# In a handful of rows, one bad one says nothing of the file.
MIN_ROWS_TO_JUDGE = 20
_TORONTO = ZoneInfo("America/Toronto")
_YEARS = range(2000, 2101)
_DAY_FIRST = re.compile(
    r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"
    r"(?:[ T,]+(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_ONE_DIGIT_HOUR = re.compile(r"^(\d{4}-\d{2}-\d{2})[ T](\d:)")  # REDCap
_ENGLISH = ("en", "an")  # English, en-CA, anglais


class _Unreadable(Exception):
    """A row or cell that cannot be taken in; the message is a reason without content."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Aside:
    """What stands beside the text in a row."""

    response: str | None
    posted_at: datetime | None
    site: str | None
    unit: str | None
    role: str | None
    lang: Language | None
    person: str | None


@dataclass(slots=True)
class CommentReader:
    """Reads the tables of one source, and remembers the responses seen in them.

    :param key: the secret that makes ids of comments impossible to confirm by guessing.
    :param sealer: encrypts rows that cannot be read; without it they are not kept.
    """

    source: CommentSource
    key: bytes
    sealer: Sealer | None = None
    responses: dict[str, bytes] = field(default_factory=dict)

    def check(self, table: Table, columns: Columns) -> None:
        """Read a table for its bad rows alone.

        :raises InputError: when their share is over ``max_bad_rows``; blank rows are not bad.
        """
        total, bad = 0, Counter[str]()
        for row in table.rows():
            total += 1
            try:
                self._check_row(row, columns)
            except _Unreadable as error:
                bad[error.code] += error.code != "empty"
        share = bad.total() / max(total, 1)
        if total >= MIN_ROWS_TO_JUDGE and share > self.source.max_bad_rows:
            raise InputError(
                f"{table.shown}: {bad.total()} of {total} rows cannot be read "
                f"(most: {bad.most_common(1)[0][0]}); correct the file or the source's settings",
                "too-many-bad-rows",
            )

    def read(
        self, table: Table, columns: Columns, name: str, file_key: str = ""
    ) -> Iterator[Comment | Rejection]:
        """Give a table's comments one by one, and a rejection for each bad row or cell.

        :param name: of the file, for places.
        :param file_key: keyed hash of its bytes.
        """
        alike = Counter[bytes]()
        for row in table.rows():
            place = f"{name}:{row.first_line}"
            kept = SealedRow(
                file_key, place, table.header, row, getattr(table, "delimiter", "") or ","
            )
            yield from self.read_row(kept, columns, alike)

    def read_row(
        self, kept: SealedRow, columns: Columns, alike: Counter[bytes]
    ) -> Iterator[Comment | Rejection]:
        """Give the comments of one row.

        :param alike: how often each content was seen in the row's file.
        """
        row = kept.row
        try:
            _check_filled(row, columns)
            aside = self._aside(row, columns)
        except _Unreadable as error:
            yield self._rejected(kept, columns, error)
            return
        for column, position in columns.texts:
            if not row.cells[position].strip() and len(columns.texts) > 1:
                continue
            try:
                yield self._comment(kept.place, aside, column, row.cells[position], alike)
            except _Unreadable as error:
                yield self._rejected(kept, columns, error)

    def _check_row(self, row: Row, columns: Columns) -> None:
        _check_filled(row, columns)
        self._aside(row, columns)
        for _, position in columns.texts:
            if row.cells[position].strip():
                _checked(row.cells[position])

    def _aside(self, row: Row, at: Columns) -> _Aside:
        response = _response(row, at)
        return _Aside(
            response,
            self._date(row, at),
            site=_cell(row, at.site),
            unit=_cell(row, at.unit),
            role=_cell(row, at.role),
            lang=_language(_cell(row, at.lang)) or self.source.lang,
            person=_person(row, at) or response,
        )

    def _date(self, row: Row, at: Columns) -> datetime | None:
        for position in at.dates:
            cell = _cell(row, position)
            if cell and cell not in at.no_date and cell[:10] not in at.no_date:
                return read_date(cell, month_first=self.source.dates == "month-first")
        return None

    def _comment(
        self, place: str, aside: _Aside, column: str, cell: str, alike: Counter[bytes]
    ) -> Comment:
        text = _checked(cell)
        if aside.response:
            comment_id = self._id_of_response(aside.response, column, text)
        else:
            when = aside.posted_at.isoformat() if aside.posted_at else ""
            parts = (text, when, aside.site or "", aside.role or "")
            comment_id = self._id_of_content(alike, *parts)
        person = aside.person
        return Comment(
            comment_id,
            self.source.name,
            place,
            text,
            aside.posted_at,
            aside.site,
            aside.unit,
            aside.role,
            lang=tell_language(text, aside.lang),
            respondent=respondent_key(self.source, self.key, person) if person else None,
            content_key=self._keyed("content", text).hex()[:32],
            told_apart=bool(aside.response or aside.posted_at),
        )

    def _rejected(self, kept: SealedRow, columns: Columns, error: _Unreadable) -> Rejection:
        row = kept.row
        person = (_person(row, columns) or _response(row, columns)) if row.cells else None
        empty = error.code == "empty"
        return Rejection(
            self.source.name,
            kept.place,
            "read",
            str(error),
            error.code,
            kept.file_key,
            self.sealer.seal(kept) if self.sealer and not empty else None,
            respondent_key(self.source, self.key, person) if person else None,
        )

    def _id_of_response(self, response: str, column: str, text: str) -> str:
        """Let the same response pass again: the store knows its id. Another text cannot."""
        comment_id = self._keyed(response, column).hex()[:32]
        content = self._keyed(text)
        if self.responses.setdefault(comment_id, content) != content:
            raise _Unreadable("response id seen before", "response-twice")
        return comment_id

    def _id_of_content(self, alike: Counter[bytes], *parts: str) -> str:
        """Number identical rows: two people may both have written "RAS"."""
        content = self._keyed(*parts)
        alike[content] += 1
        return self._keyed(*parts, str(alike[content])).hex()[:32]

    def _keyed(self, *parts: str) -> bytes:
        return keyed(self.key, self.source.name, *parts)


def _check_filled(row: Row, columns: Columns) -> None:
    if row.trouble:
        lines = row.last_line - row.first_line + 1
        spread = f" (the row takes {lines} lines: is a quote left open?)" if lines > 1 else ""
        raise _Unreadable(row.trouble + spread, row.code)
    if not any(row.cells[position].strip() for _, position in columns.texts):
        raise _Unreadable("empty text", "empty")


def _cell(row: Row, position: int | None) -> str | None:
    if position is None:
        return None
    return " ".join(normalise(row.cells[position]).split()) or None


def _response(row: Row, at: Columns) -> str | None:
    parts = [_cell(row, position) or "" for position in at.response]
    return "\x1f".join(parts) if any(parts) else None


def _person(row: Row, at: Columns) -> str | None:
    person = _cell(row, at.respondent)
    return None if person and person.casefold() in at.nobody else person


def _checked(cell: str) -> str:
    if len(cell) > MAX_CHARACTERS:
        raise _Unreadable(f"text of over {MAX_CHARACTERS} characters", "too-long")
    if cell.count(REPLACEMENT) > MAX_DAMAGE * len(cell):
        lost = "damaged text: over 0.5 % of its characters are lost (U+FFFD)"
        raise _Unreadable(lost, "damaged-text")
    text = normalise(cell)
    if not text:
        raise _Unreadable("empty text", "empty")
    return text


def _language(cell: str | None) -> Language | None:
    told = (cell or "").casefold()
    if told.startswith("fr"):
        return "fr"
    return "en" if told.startswith(_ENGLISH) else None


def read_date(cell: str, month_first: bool = False) -> datetime | None:
    """Read ISO 8601, or day first as Québec writes it; without a zone it is Québec's time.

    :param month_first: read 03/04/2026 as 4 March.
    :return: the moment in UTC, ``None`` for an empty cell.
    """
    if not cell:
        return None
    try:
        written = _ONE_DIGIT_HOUR.sub(r"\1 0\2", cell)
        moment = _with_slashes(cell, month_first) or datetime.fromisoformat(written)
        if moment.year not in _YEARS:
            raise ValueError
        return (moment if moment.tzinfo else moment.replace(tzinfo=_TORONTO)).astimezone(UTC)
    except (ValueError, OverflowError):
        # The error of ``fromisoformat`` quotes the cell; ours must not, not even as its cause.
        raise _Unreadable("unreadable date", "date") from None


def _with_slashes(cell: str, month_first: bool) -> datetime | None:
    found = _DAY_FIRST.fullmatch(cell)
    if not found:
        return None
    told = found.groupdict()
    half = told.pop("half")
    numbers = {name: int(value) for name, value in told.items() if value}
    if half:
        if numbers["hour"] not in range(1, 13):
            raise ValueError
        numbers["hour"] = numbers["hour"] % 12 + 12 * (half in "Pp")
    if month_first:
        numbers["day"], numbers["month"] = numbers["month"], numbers["day"]
    return datetime(**numbers)  # type: ignore[arg-type]
