"""Exports of what is published, for spreadsheets."""

import csv
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import StoreError
from dsn_nlp.store import Store, run_query

EXPORT_FILE = "labelled_passages.csv"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")

# After blanks and quotes, which a spreadsheet passes over.
_BEGINS_WITHIN = {
    written: re.compile(rf'([{others}|\t\r\n][ \xa0"]*)(?=[=+@＝＋＠])')
    for written, others in ((",", ";"), (";", ","))
}


def harmless(cell: Any) -> Any:
    """Keep a spreadsheet from taking text for a formula; numbers stay numbers (OWASP)."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def harmless_in_csv(cell: Any, delimiter: str = ",") -> Any:
    """Keep a spreadsheet from taking text for a formula, even one that splits elsewhere.

    Excel splits on what its country does: ``;`` in Québec, whatever the file was written with. A
    cell may then begin in the middle of a text, after ``;``, a tab or a line's end, and text that
    begins there with ``=``, ``+`` or ``@`` gets an apostrophe. ``-`` is left, for "a; -5".

    :param delimiter: of the file; a text with it in is quoted by the writer.
    """
    begins = _BEGINS_WITHIN[delimiter]
    return begins.sub(r"\1'", harmless(cell)) if isinstance(cell, str) else harmless(cell)


def export_passages(url: str, folder: Path) -> Path:
    """Write ``labelled_passages`` as UTF-8 CSV with BOM, replacing the last export whole.

    :param url: of the store.
    :raises StoreError: when the store cannot be read or the folder not written.
    """
    columns, rows = run_query(url, "select * from labelled_passages order by passage_id")
    target = folder / EXPORT_FILE
    unfinished = target.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(columns)
            writer.writerows([_cell(cell) for cell in row] for row in rows)
        os.replace(unfinished, target)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot export there ({error.strerror}); see run.export"
        ) from None
    with Store.open(url) as store:
        store.record_export(target, "run", len(rows), has_text=True)
    return target


def _cell(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else harmless_in_csv(cell)
