"""All rows of a store as one compressed file of lines, and back, between either database.

The tables are read from the database itself, so that rows of an older schema can be written too.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_ROWS_A_BATCH = 500
_NOT_OURS = "alembic_version"


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """Read the tables there are, each after those it refers to."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _NOT_OURS]


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Count rows by table."""
    return {
        table.name: int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        for table in tables_of(connection)
    }


def write_rows(connection: sa.Connection, path: Path) -> None:
    """Write every row of every table, one JSON line each; rows are streamed."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as lines:
        for table in tables_of(connection):
            names = table.columns.keys()
            found = connection.execution_options(yield_per=_ROWS_A_BATCH).execute(sa.select(table))
            for row in found:
                told = {n: _plain(v) for n, v in zip(names, row, strict=True)}
                lines.write(json.dumps([table.name, told], ensure_ascii=False) + "\n")


def read_rows(connection: sa.Connection, path: Path) -> None:
    """Insert every row of a file into the tables there are."""
    tables = {table.name: table for table in tables_of(connection)}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for name, batch in _batches(lines):
            table = tables[name]
            rows = [{k: _typed(v, table.c[k].type) for k, v in row.items()} for row in batch]
            connection.execute(table.insert(), rows)


def _batches(lines: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Cut lines into batches of one table each."""
    waiting: list[dict[str, Any]] = []
    table = ""
    while some := list(islice(lines, _ROWS_A_BATCH)):
        for name, row in map(json.loads, some):
            if name != table and waiting:
                yield table, waiting
                waiting = []
            table = name
            waiting.append(row)
        if waiting:
            yield table, waiting
            waiting = []


def _plain(value: Any) -> Any:
    """Write what JSON has no word for as an object of one key."""
    if isinstance(value, datetime):
        return {"time": value.astimezone(UTC).isoformat(" ", "microseconds")}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    return {"json": value} if isinstance(value, dict | list) else value


def _typed(value: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    """Give a value the form of its column."""
    if isinstance(value, dict):
        ((word, value),) = value.items()
        if word == "bytes":
            return base64.b64decode(value)
        if word == "day":
            return date.fromisoformat(value)
        if word == "json":
            return value
    if isinstance(kind, sa.DateTime) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
