"""Days and periods as French or English writes them."""

from datetime import date

from dsn_nlp.records import Language

_MONTHS_FR = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
              "septembre", "octobre", "novembre", "décembre")  # fmt: skip
_MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August",
              "September", "October", "November", "December")  # fmt: skip


def day(value: date, lang: Language) -> str:
    """Write a day: ``22 novembre 2026``, ``November 22, 2026``."""
    if lang == "fr":
        first = "1er" if value.day == 1 else str(value.day)
        return f"{first} {_MONTHS_FR[value.month - 1]} {value.year}"
    return f"{_MONTHS_EN[value.month - 1]} {value.day}, {value.year}"


def period(since: date, until: date, lang: Language) -> str:
    """Write a period: ``du 26 octobre au 1er novembre 2026``, ``from October 26 to …``.

    The year stands once where both days are of one year.
    """
    first, last = day(since, lang), day(until, lang)
    if since.year == until.year:
        first = first.removesuffix(f" {since.year}").removesuffix(",")
    return f"du {first} au {last}" if lang == "fr" else f"from {first} to {last}"
