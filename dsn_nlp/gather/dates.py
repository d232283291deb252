"""Reading times as feeds and pages write them, and not believing all of them.

A time without a zone is one of Québec; a time that lies ahead, or before the web, is no time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from zoneinfo import ZoneInfo

TORONTO = ZoneInfo("America/Toronto")
# A newsroom's clock, or a zone that was left out, may be ahead by some hours.
AHEAD = timedelta(hours=14)
FIRST = datetime(1995, 1, 1, tzinfo=UTC)
Precision = Literal["zoned", "local", "day"]

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?"
    r"(?:\s?([APap])\.?\s?[Mm]\b\.?)?\s?(Z|[+-]\d{2}:?\d{2}|[A-Z]{2,4})?)?"
)
_NUMERIC_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})")
# Hours from Greenwich; French names beside the English ones.
_ZONES = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "HNE": -5, "HAE": -4, "CST": -6,
    "CDT": -5, "HNC": -6, "HAC": -5, "MST": -7, "MDT": -6, "HNR": -7, "HAR": -6, "PST": -8,
    "PDT": -7, "HNP": -8, "HAP": -7, "AST": -4, "ADT": -3, "HNA": -4, "HAA": -3,
}  # fmt: skip
# A zone of Québec without its season, or none at all.
_EASTERN = (None, "ET", "HE")
_MONTHS = (
    "jan", "feb|fév|fev", "mar", "apr|avr", "may|mai", "jun|juin", "jul|juil", "aug|aoû|aou",
    "sep", "oct", "nov", "dec|déc",
)  # fmt: skip
_MONTH = re.compile("|".join(f"(?P<m{i}>{names})" for i, names in enumerate(_MONTHS, 1)))
_WORDED = re.compile(
    r"(?:[a-zéû]{2,9}\.?,?\s+)?(?P<day>\d{1,2})(?:er|st|nd|rd|th)?[\s-]+(?P<month>[a-zéû]{3,9})\.?"
    r"[\s,-]+(?P<year>\d{4}|\d{2})\b(?:,?\s+(?:à\s+|at\s+)?(?P<hour>\d{1,2})\s?[:h]\s?"
    r"(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?)?"
    r"\s*(?P<zone>[+-]\d{2}:?\d{2}|[a-z]{1,4})?",
)
_MONTH_FIRST = re.compile(r"^([a-zéû]{3,9}\.?) (\d{1,2}),? (\d{4})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in UTC and how exactly it was told.

    ``precision`` is ``"zoned"`` (with its zone), ``"local"`` (zone taken to be Québec's) or
    ``"day"`` (first moment of that day in Québec).
    """

    at: datetime
    precision: Precision


def read_moment(written: object, now: datetime | None = None) -> Moment | None:
    """Read a date or time in ISO 8601, RFC 822, or French or English words.

    :param now: moments over fourteen hours after it are not believed.
    :return: ``None`` when there is nothing to be believed.
    """
    if not isinstance(written, str):
        return None
    text = " ".join(written[:100].split())
    moment = _iso(text) or _worded(text.lower()) or _rfc_822(text)
    return moment if moment and plausible(moment.at, now) else None


def plausible(at: datetime, now: datetime | None = None) -> bool:
    """Tell whether a time can be that of a publication."""
    return FIRST <= at <= (now or datetime.now(UTC)) + AHEAD


def day_start(day: date) -> datetime:
    """Return the first moment of a day in Québec, in UTC; right on both days of clock changes."""
    return datetime.combine(day, time(), tzinfo=TORONTO).astimezone(UTC)


def day_of(at: datetime) -> date:
    """Return the one day in Québec that a moment belongs to."""
    return at.astimezone(TORONTO).date()


def _iso(text: str) -> Moment | None:
    found = _ISO.match(text)
    if not found:
        return None
    year, month, day, hour, minute, second, half, zone = found.groups()
    numbers = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    numbers[3] = _of_day(numbers[3], half)
    return _moment(numbers, zone, has_hour=hour is not None)


def _worded(text: str) -> Moment | None:
    found = _WORDED.match(_MONTH_FIRST.sub(r"\2 \1 \3", text))
    month = _MONTH.match(found["month"]) if found else None
    if not found or not month or not month.lastgroup:
        return None
    year = int(found["year"])
    year += (2000 if year < 70 else 1900) if year < 100 else 0
    parts = (found["hour"], found["minute"], found["second"])
    numbers = [year, int(month.lastgroup[1:]), int(found["day"]), *(int(p or 0) for p in parts)]
    numbers[3] = _of_day(numbers[3], found["half"])
    return _moment(numbers, (found["zone"] or "").upper() or None, found["hour"] is not None)


def _of_day(hour: int, half: str | None) -> int:
    """Bring an hour with a.m. or p.m. to 0 to 23."""
    return hour if half is None else hour % 12 + 12 * (half.lower() == "p")


def _rfc_822(text: str) -> Moment | None:
    try:
        at = parsedate_to_datetime(text)
        zoned = at.tzinfo is not None
        return Moment((at if zoned else at.replace(tzinfo=TORONTO)).astimezone(UTC),
                      "zoned" if zoned else "local")  # fmt: skip
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _moment(numbers: list[int], zone: str | None, has_hour: bool) -> Moment | None:
    year, month, day, hour, minute, second = numbers
    try:
        if not has_hour:
            return Moment(day_start(date(year, month, day)), "day")
        bare = datetime(year, month, day, hour, minute, min(second, 59))
        offset = _offset(zone)
        if offset is None and zone not in _EASTERN:  # its hour cannot be known
            return Moment(day_start(bare.date()), "day")
        if offset is None:
            return Moment(bare.replace(tzinfo=TORONTO).astimezone(UTC), "local")
        return Moment((bare - offset).replace(tzinfo=UTC), "zoned")
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta | None:
    if zone in _ZONES:
        return timedelta(hours=_ZONES[zone or ""])
    numeric = _NUMERIC_ZONE.fullmatch(zone or "")
    if not numeric:
        return None
    size = timedelta(hours=int(numeric[2]), minutes=int(numeric[3]))
    return -size if numeric[1] == "-" else size
