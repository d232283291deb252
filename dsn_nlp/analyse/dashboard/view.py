"""What a page shows, as its address says it: filters, label, cut and language of the screen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from dsn_nlp.analyse.estimates import LABELS
from dsn_nlp.analyse.scope import Scope, read_scope
from dsn_nlp.errors import InputError
from dsn_nlp.records import Language

# Name in an address → field of ``Scope``.
FILTERS = {
    "since": "since", "until": "until", "kind": "kinds", "lang": "langs", "source": "sources",
    "site": "sites", "role": "roles", "voice": "voices",
}  # fmt: skip
MOMENTS = ("day", "week", "month")
_OWN = ("label", "by", "days", "page")
# Names that ride along and are not of the view: language of the screen, form of an export.
_OTHERS = ("ui", "dialect", "next", "thanks")
_MOST_VALUES, _LONGEST = 60, 200


@dataclass(frozen=True, slots=True)
class View:
    """One view that can be shared by its address.

    :ivar label: the label that charts are of.
    :ivar by: what the line is cut by: ``day``, ``week`` or ``month``.
    :ivar days: how long "recently" is.
    :ivar page: of passages, from 0.
    """

    scope: Scope = field(default_factory=Scope)
    label: str = "security"
    by: str = "week"
    days: int = 28
    page: int = 0
    lang: Language = "fr"

    def address(self) -> str:
        """Write the view as the query of an address; only what is not by default is in it."""
        pairs: list[tuple[str, str]] = []
        for name, of in FILTERS.items():
            value = getattr(self.scope, of)
            values = value if isinstance(value, tuple) else (value,) if value else ()
            pairs += [(name, str(one)) for one in values]
        standard = View()
        for name in _OWN:
            if getattr(self, name) != getattr(standard, name):
                pairs.append((name, str(getattr(self, name))))
        return urlencode(pairs)

    def but(self, **changes: object) -> "View":
        """The same view with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def at(self, **filters: tuple[str, ...]) -> "View":
        """The same view with a filter of the scope changed."""
        return replace(self, scope=self.scope.but(**filters))


def read_view(given: Iterable[tuple[str, str]], lang: Language) -> View:
    """Read a view from an address's pairs.

    :raises InputError: when a name or value is not understood.
    """
    scope: dict[str, list[str]] = {}
    own: dict[str, str] = {}
    for name, value in given:
        if len(value) > _LONGEST:
            raise InputError(f"{name[:40]}: longer than {_LONGEST} characters")
        if name in FILTERS:
            # A form sends what was left empty.
            scope.setdefault(FILTERS[name], []).extend([value] if value else [])
        elif name in _OWN:
            own[name] = value
        elif name not in _OTHERS:
            raise InputError(f"no filter is named '{name[:40]}'; there are {', '.join(FILTERS)}")
    if any(len(values) > _MOST_VALUES for values in scope.values()):
        raise InputError(f"more than {_MOST_VALUES} values of one filter")
    read = read_scope({name: values for name, values in scope.items() if values})
    return replace(_read_own(own), scope=read, lang=lang)


def _read_own(own: Mapping[str, str]) -> View:
    view = View()
    if label := own.get("label"):
        view = replace(view, label=_known("label", label, LABELS))
    if by := own.get("by"):
        view = replace(view, by=_known("by", by, MOMENTS))
    if days := own.get("days"):
        view = replace(view, days=_number("days", days, 1, 366))
    if page := own.get("page"):
        view = replace(view, page=_number("page", page, 0, 500))
    return view


def _known(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise InputError(f"{name}: '{value[:40]}' is none of {', '.join(known)}")
    return value


def _number(name: str, value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
        raise InputError(f"{name}: write a number from {least} to {most}")
    return int(value)
