"""Labelled passages as Parquet by month, for DuckDB, pandas and Power BI; without their text."""

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import merged_small
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import NO_DAY, Frame
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.sheets import load_arrow, origin_of
from dsn_nlp.analyse.together import people
from dsn_nlp.errors import StoreError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

FOLDER = "passages"
UNDATED = "undated"
# What could point at somebody: a value of fewer people in a month than may be shown is withheld.
_GUARDED = ("site", "role", "voice")
_PLAIN = ("kind", "lang", "source")


def export_parquet(desk: Desk, folder: Path, scope: Scope | None = None) -> list[Path]:
    """Write ``passages/month=2026-05/passages.parquet``, replacing the last export whole.

    Sites, roles and voices that fewer people stand behind in a month than may be shown are put
    together as ``…``. No text, no respondent.

    :return: the files written.
    :raises MissingExtraError: without pyarrow.
    :raises StoreError: when the store cannot be read or the folder not written.
    """
    load_arrow()
    frame = desk.frame()
    rows = frame.chosen(scope or Scope())
    months = month_of(frame.day[rows])
    unfinished, target = folder / f".{FOLDER}.part", folder / FOLDER
    written = []
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        for month in sorted(set(months)):
            place = unfinished / f"month={month}"
            place.mkdir(parents=True)
            _write(desk, frame, rows[months == month], place / "passages.parquet")
            written.append(target / place.name / "passages.parquet")
        if written:
            shutil.rmtree(target, ignore_errors=True)
            os.replace(unfinished, target)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot export there ({error.strerror}); name another folder"
        ) from None
    return written


def month_of(day: npt.NDArray[np.int32]) -> npt.NDArray[np.str_]:
    """The month of each day as ``2026-05``."""
    unique, place = np.unique(day, return_inverse=True)
    names = [UNDATED if d == NO_DAY else date.fromordinal(int(d)).isoformat()[:7] for d in unique]
    return np.array(names, "U8")[place]


def _write(desk: Desk, frame: Frame, rows: npt.NDArray[np.intp], path: Path) -> None:
    arrow = load_arrow()
    from pyarrow import parquet

    known = frame.day[rows]
    days = [None if d == NO_DAY else date.fromordinal(int(d)) for d in known]
    ids = [bytes(one).decode() for one in frame.passage[rows]]
    arrays: dict[str, Any] = {"passage_id": ids, "day": arrow.array(days, arrow.date32())}
    for name in _PLAIN:
        arrays[name] = _coded(frame, rows, name, None)
    for name in _GUARDED:
        arrays[name] = _coded(frame, rows, name, desk.respondents)
    for index, label in enumerate(COMPLAINTS):
        arrays[label] = frame.told[rows, index]
        arrays[f"{label}_score"] = frame.scores[rows, index]
    arrays["sentiment"] = arrow.array([SENTIMENTS[m] for m in frame.mood[rows]]).dictionary_encode()
    arrays["sentiment_score"] = frame.mood_score[rows]
    table = arrow.table(arrays).replace_schema_metadata(origin_of(desk.about(frame, rows)))
    parquet.write_table(table, path, compression="zstd")


def _coded(frame: Frame, rows: npt.NDArray[np.intp], name: str, fewest: int | None) -> Any:
    """A dimension as dictionary-encoded text; what is unknown is null."""
    arrow = load_arrow()
    column = frame.columns[name]
    codes, used = column.codes[rows], np.unique(column.codes[rows])
    shown = {int(code): column.names[code] for code in used}
    if fewest is not None:
        counts = {str(code): people(frame, rows[codes == code]) for code in used}
        buckets = merged_small(counts, fewest)
        shown = {c: "…" if buckets[str(c)] == "…" else known for c, known in shown.items()}
    values = [shown[int(code)] or None for code in codes]
    return arrow.array(values, arrow.string()).dictionary_encode()
