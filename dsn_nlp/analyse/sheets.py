"""A table as a file: CSV in two dialects, XLSX with dictionary and about sheets, Parquet.

Text that a spreadsheet would take for a formula is neutralised; every file says run, model,
thresholds and suppression rule.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from dsn_nlp.analyse.export import harmless, harmless_in_csv
from dsn_nlp.analyse.headings import about_lines, heading
from dsn_nlp.analyse.tables import About, Table, flat
from dsn_nlp.errors import InputError, MissingExtraError
from dsn_nlp.records import Language

# Two dialects of CSV: for Power Query and pandas, and for a French Excel.
Form = Literal["csv", "csv-fr", "xlsx", "parquet"]
SUFFIXES: dict[Form, str] = {
    "csv": ".csv", "csv-fr": ".csv", "xlsx": ".xlsx", "parquet": ".parquet"
}  # fmt: skip
_BOM = "\ufeff"


def to_bytes(table: Table[Any], form: Form, lang: Language = "fr") -> bytes:
    """Write a table as a file's content.

    :param form: ``csv`` (UTF-8 with BOM, comma, decimal point, machine names), ``csv-fr`` (BOM,
        ``;``, decimal comma, French names), ``xlsx`` or ``parquet``.
    :param lang: of the names and texts of ``xlsx``.
    :raises InputError: when there is no such form.
    :raises MissingExtraError: for Parquet without pyarrow.
    """
    columns, rows = flat(table)
    if form == "csv":
        return _csv(columns, rows, table, french=False)
    if form == "csv-fr":
        return _csv(columns, rows, table, french=True)
    if form == "xlsx":
        return _xlsx(columns, rows, table, lang)
    if form == "parquet":
        return _parquet(columns, rows, table.about)
    raise InputError(f"no form of file is named '{form}'; there are {', '.join(SUFFIXES)}")


def form_of(path: Path) -> Form:
    """Tell the form by a file's name.

    :raises InputError: when the ending is none of ours.
    """
    ending = path.suffix.lower()
    for form, suffix in SUFFIXES.items():
        if ending == suffix:
            return form
    raise InputError(f"{path}: end the name in .csv, .xlsx or .parquet")


def _csv(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], of: Table[Any], *, french: bool
) -> bytes:
    about = of.about
    origin = (about.run_id or "", about.model or "", about.respondents)
    names = [*columns, "run_id", "model", "fewest_respondents"]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";" if french else ",")
    titles = [heading(name, corrected=about.corrected, sides=of.sides).fr for name in names]
    writer.writerow(titles if french else names)
    for row in rows:
        cells = [_cell(value, ";" if french else ",") for value in (*row, *origin)]
        writer.writerow([_decimal_comma(cell) for cell in cells] if french else cells)
    return (_BOM + buffer.getvalue()).encode()


def _cell(value: Any, delimiter: str) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return harmless_in_csv(value, delimiter)


def _decimal_comma(cell: Any) -> Any:
    return str(cell).replace(".", ",") if isinstance(cell, float) else cell


def _xlsx(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], of: Table[Any], lang: Language
) -> bytes:
    import xlsxwriter

    about = of.about

    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    french = lang == "fr"
    known = {c: heading(c, corrected=about.corrected, sides=of.sides) for c in columns}
    with xlsxwriter.Workbook(buffer, options) as book:
        names = [one.name(lang) for one in known.values()]
        _sheet(book, "Données" if french else "Data", names, rows)
        _texts(
            book,
            "Dictionnaire" if french else "Dictionary",
            [(one.name(lang), c, one.meaning(lang)) for c, one in known.items()],
        )
        _texts(book, "À propos" if french else "About", about_lines(about, lang))
    return buffer.getvalue()


def _sheet(book: Any, name: str, titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """One typed column a figure, the header frozen and filtered."""
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "text_wrap": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    number = book.add_format({"num_format": "0.000"})
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, bold)
    for line, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            _write(sheet, line, place, value, day, number)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(titles) - 1)
    sheet.autofit(400)


def _write(sheet: Any, line: int, place: int, value: Any, day: Any, number: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int):
        sheet.write_number(line, place, value)
    elif isinstance(value, float):
        sheet.write_number(line, place, value, number)
    elif isinstance(value, date):
        sheet.write_datetime(line, place, value, day)
    else:
        sheet.write_string(line, place, str(harmless(str(value))))


def _texts(book: Any, name: str, lines: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet(name)
    for line, cells in enumerate(lines):
        for place, cell in enumerate(cells):
            sheet.write_string(line, place, str(harmless(cell)))
    sheet.autofit(400)


def _parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]], about: About) -> bytes:
    arrow = load_arrow()
    from pyarrow import parquet

    arrays = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    table = arrow.table(arrays)
    table = table.replace_schema_metadata(origin_of(about))
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def load_arrow() -> Any:
    """Import pyarrow.

    :raises MissingExtraError: when it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("analyse", "Parquet") from None
    return pyarrow


def origin_of(about: About) -> dict[str, str]:
    """What a Parquet file says of itself."""
    thresholds = "; ".join(f"{name} {value:.4f}" for name, value in about.thresholds)
    return {
        "run_id": about.run_id or "",
        "model": about.model or "",
        "thresholds": thresholds,
        "suppression": f"no group of fewer than {about.respondents} people",
        "protection": "de-identified, not anonymised",
    }
