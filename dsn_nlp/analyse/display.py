"""Tables for people's eyes: names, numbers and intervals as French or English writes them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.days import day
from dsn_nlp.analyse.estimates import NET
from dsn_nlp.analyse.headings import heading, label_name
from dsn_nlp.analyse.tables import Estimate, Table
from dsn_nlp.analyse.wording import share
from dsn_nlp.records import Language

__all__ = ["WITHHELD", "day", "number", "shown"]
WITHHELD = "▒"
_VERDICTS = {
    "rises": ("hausse", "rises"),
    "falls": ("recul", "falls"),
    "steady": ("rien de démontré", "nothing demonstrated"),
    "new": ("nouveau", "new"),
}
_SHARES = ("counted", "recent", "earlier")
_LEFT_OUT = ("document_id",)
# Figures that are withheld where they are missing; elsewhere a missing value is just not there.
_FIGURES = ("passages", "documents", "respondents", "told", "counted", "share", "both", "expected",
            "lift", "first", "second", "difference")  # fmt: skip


def shown(table: Table[Any], lang: Language) -> tuple[list[str], list[list[str]]]:
    """Write a table's rows as text.

    :return: names of the columns in the language, and cells.
    """
    if not table.rows:
        return [], []
    kept = [f.name for f in fields(table.rows[0]) if f.name not in _LEFT_OUT]
    columns = [c for name in kept for c in (table.by if name == "group" else (name,))]
    rows = [
        [cell for name in kept for cell in _cells(row, name, table.by, lang)] for row in table.rows
    ]
    corrected, sides = table.about.corrected, table.sides
    names = [heading(c, corrected=corrected, sides=sides).name(lang) for c in columns]
    return names, rows


def number(value: float, lang: Language, digits: int = 0) -> str:
    """Write a number: ``1 234,5`` in French (narrow no-break space), ``1,234.5`` in English."""
    written = f"{value:,.{digits}f}"
    return written if lang == "en" else written.replace(",", "\u202f").replace(".", ",")


def _cells(row: Any, name: str, by: Sequence[str], lang: Language) -> list[str]:
    value = getattr(row, name)
    if name == "group":
        return [_value(v, lang) for v in value]
    if value is None:
        return [WITHHELD if name in _FIGURES else "–"]
    if isinstance(value, Estimate):
        # A difference is signed, in points, as net sentiment is.
        return [share(value, NET if name == "difference" else getattr(row, "label", ""), lang)]
    return [_plain(value, name, getattr(row, "label", ""), lang)]


def _value(value: str, lang: Language) -> str:
    if value == TOTAL:
        return "ensemble" if lang == "fr" else "all"
    if value == "":
        return "non précisé" if lang == "fr" else "not stated"
    return label_name(value, lang)


def _plain(value: Any, name: str, label: str, lang: Language) -> str:
    if name == "verdict":
        return _VERDICTS[value][0 if lang == "fr" else 1]
    if name in ("label", "other", "sentiment"):
        return label_name(str(value), lang)
    if name in _SHARES:
        percent = number(100 * value, lang) + ("\u00a0%" if lang == "fr" else "%")
        return number(100 * value, lang) if label == NET else percent
    if isinstance(value, tuple):
        return ", ".join(label_name(one, lang) for one in value)
    if isinstance(value, float):
        return number(value, lang, 3 if name == "q" else 2)
    if isinstance(value, int):
        return number(value, lang)
    return str(value)
