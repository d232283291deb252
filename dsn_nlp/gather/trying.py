"""Sealed rows, opened and read again under the settings and the code of today."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.columns import Columns, place_columns
from dsn_nlp.gather.comments import CommentReader
from dsn_nlp.gather.rows import Row
from dsn_nlp.gather.sealing import SealedRow, Sealer
from dsn_nlp.gather.tables import read_again
from dsn_nlp.records import Comment, Rejection

Header = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _KeptTable:
    """Sealed rows under one header, as a table."""

    shown: str
    header: Header
    kept: tuple[Row, ...]

    def rows(self) -> Iterator[Row]:
        """Give the rows."""
        return iter(self.kept)


def read_sealed(
    source: CommentSource, key: bytes, sealer: Sealer, sealed: Iterable[tuple[str, str, bytes]]
) -> Iterator[tuple[str, str, list[Comment | Rejection]]]:
    """Read rows that were set aside; ids come out as if their file were read again.

    :param sealed: id and reason of the rejection, and the row.
    :return: id, reason, and what is in the row now; nothing when it cannot be opened any more.
    """
    opened = [(name, reason, sealer.open(token)) for name, reason, token in sealed]
    rows = [(name, reason, _cells_told(kept, source)) for name, reason, kept in opened if kept]
    placed = _placed(source, [kept for *_, kept in rows])
    reader = CommentReader(source, key, sealer)
    alike: dict[str, Counter[bytes]] = {}
    for name, reason, kept in rows:
        columns = placed[kept.header]
        if columns is not None:
            seen = alike.setdefault(kept.file_key, Counter())
            yield name, reason, list(reader.read_row(kept, columns, seen))


def _cells_told(kept: SealedRow, source: CommentSource) -> SealedRow:
    if not kept.row.trouble or not kept.row.raw:
        return kept
    delimiter = source.delimiter or kept.delimiter
    strict = source.quoting == "strict"
    return replace(kept, row=read_again(kept.row, len(kept.header), delimiter, strict))


def _placed(source: CommentSource, rows: list[SealedRow]) -> dict[Header, Columns | None]:
    by_header: dict[Header, list[Row]] = {}
    for kept in rows:
        by_header.setdefault(kept.header, []).append(kept.row)
    return {header: _columns(source, header, found) for header, found in by_header.items()}


def _columns(source: CommentSource, header: Header, rows: list[Row]) -> Columns | None:
    try:
        return place_columns(source, _KeptTable(source.name, header, tuple(rows)))
    except InputError:
        return None
