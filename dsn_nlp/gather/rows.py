"""What every kind of table comes down to: a header, and rows with the place they stand at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from dsn_nlp.errors import InputError
from dsn_nlp.text import normalise


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its cells, or why it has none, and the lines it stands on. Shows no cell.

    ``code`` is the trouble in one word; ``raw`` is what was written where no cells could be told.
    """

    cells: tuple[str, ...]
    first_line: int
    last_line: int
    trouble: str | None = None
    code: str = "other"
    raw: str = ""

    def __repr__(self) -> str:
        return f"Row(lines {self.first_line}-{self.last_line}, {len(self.cells)} cells)"


class Table(Protocol):
    """A header and rows, which may be asked for more than once."""

    @property
    def shown(self) -> str:
        """How messages name it."""

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns, as :func:`column_name` writes them."""

    def rows(self) -> Iterator[Row]:
        """Give every record after the header.

        :raises InputError: when it can no longer be read.
        """


def column_name(cell: str) -> str:
    """Write a column's name without odd spaces, in composed Unicode."""
    return " ".join(normalise(cell).split())


def find_column(table: Table, column: str) -> int:
    """Tell where a column stands.

    :raises InputError: when it is missing or there twice.
    """
    found = [i for i, name in enumerate(table.header) if name == column_name(column)]
    if len(found) == 1:
        return found[0]
    if found:
        told = f"{table.shown}: column '{column}' is there twice; rename one of them"
        raise InputError(told, "column-twice")
    # Only a name like the one asked for is shown: in a damaged file, the others may be words of
    # the first row.
    like = get_close_matches(column_name(column), table.header, n=1)
    hint = f", '{like[0]}' comes nearest" if like else ""
    raise InputError(
        f"{table.shown}: no column '{column}' among {len(table.header)}{hint}; "
        "correct the source's columns or the file's first line",
        "column-missing",
    )


def name_columns(table: Table, names: Sequence[str]) -> str:
    """Name columns for a message, or count them where they may be somebody's words."""
    if not getattr(table, "sound", True):
        return f"{len(names)} (the first line is damaged)"
    some = [name if len(name) <= 40 else name[:39] + "…" for name in names[:40]]
    return ", ".join(some) + (", …" if len(names) > 40 else "")


def check_header(shown: str, header: tuple[str, ...], wanted: set[str]) -> None:
    """Make sure that a header is one before any message names its cells.

    :param wanted: names as :func:`column_name` writes them; empty: any header will do.
    :raises InputError: when there is none, or nothing in it is wanted.
    """
    if not any(header):
        told = f"{shown}: the file is empty; its first line must name the columns"
        raise InputError(told, "empty-file")
    if wanted and not wanted & set(header):
        some = ", ".join(sorted(wanted)[:12]) + (", …" if len(wanted) > 12 else "")
        raise InputError(
            f"{shown}: none of the columns {some} is in the first line, "
            f"which has {len(header)} cells; is it the header?",
            "column-missing",
        )
