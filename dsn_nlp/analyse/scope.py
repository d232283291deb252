"""Which passages a question is about, and by what its answer is cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from dsn_nlp.errors import InputError

# What a table can be cut by. "since_golive" is whole weeks since the site's go-live, from 0.
DIMENSIONS = (
    "day", "week", "month", "since_golive", "site", "role", "source", "kind", "lang", "voice",
)  # fmt: skip
_LISTS = ("kinds", "langs", "sources", "sites", "roles", "voices")


@dataclass(frozen=True, slots=True)
class Scope:
    """A selection of passages; an empty tuple selects all.

    :ivar since: first day, Québec time.
    :ivar until: last day, included.
    :ivar kinds: ``article``, ``comment``.
    :ivar roles: roles of commenters, as given.
    :ivar voices: who speaks: a voice quoted in an article, or the trade of who comments
        (``care_staff``, ``physician``, ``union``, ``management`` …).
    """

    since: date | None = None
    until: date | None = None
    kinds: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()

    def but(self, **changes: object) -> "Scope":
        """The same scope with some filters changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def read_scope(given: Mapping[str, str | Sequence[str]]) -> Scope:
    """Read a scope from text, as a URL or a command line gives it.

    :param given: names of ``Scope``'s fields to days (``2026-05-09``) or values.
    :raises InputError: when a name is unknown or a day is not one.
    """
    known = {field.name for field in fields(Scope)}
    found: dict[str, object] = {}
    for name, value in given.items():
        if name not in known:
            raise InputError(f"no filter is named '{name[:40]}'; there are {', '.join(known)}")
        if name in _LISTS:
            found[name] = (value,) if isinstance(value, str) else tuple(value)
        elif value:
            found[name] = _day(name, value if isinstance(value, str) else value[-1])
    return Scope(**found)  # type: ignore[arg-type]


def check_dimensions(by: Sequence[str]) -> tuple[str, ...]:
    """Check what a table shall be cut by.

    :raises InputError: when a dimension is unknown or named twice, or there are more than two.
    """
    for name in by:
        if name not in DIMENSIONS:
            raise InputError(
                f"nothing can be cut by '{name[:40]}'; there are {', '.join(DIMENSIONS)}"
            )
    if len(by) > 2 or len(set(by)) < len(by):
        raise InputError("a table is cut by two different dimensions at most")
    return tuple(by)


def _day(name: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"{name}: '{value[:20]}' is not a day; write 2026-05-09") from None
