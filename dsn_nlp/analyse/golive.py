"""When each establishment went live: a list kept in a file, since sites join later."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from dsn_nlp.errors import InputError
from dsn_nlp.prepare.site_names import gazetteer

GOLIVE_FILE = Path(__file__).parents[2] / "corpora" / "golive.toml"


@dataclass(frozen=True)
class GoLive:
    """Go-live days by official name; a site without its own has that of its authority."""

    days: Mapping[str, date]

    def of(self, site: str) -> date | None:
        """The day a site went live; ``None`` where that is not known."""
        return self.days.get(site) or self.days.get(_authorities().get(site, ""))

    @property
    def first(self) -> date | None:
        """The first go-live of all."""
        return min(self.days.values(), default=None)


def read_golive(path: Path = GOLIVE_FILE) -> GoLive:
    """Read go-live days.

    :param path: TOML with tables ``[[golive]]`` of ``name`` (a site or authority) and ``date``.
    :raises InputError: when the file is missing or an entry is not understood; names the entry.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("golive", [])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); see analyse.golive") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None
    days: dict[str, date] = {}
    for number, entry in enumerate(entries, start=1):
        name, day = _read_entry(path, number, entry)
        if name in days:
            raise InputError(f"{path}: '{name}' is there twice; keep one")
        days[name] = day
    return GoLive(days)


def _read_entry(path: Path, number: int, entry: Any) -> tuple[str, date]:
    where = f"{path}: [[golive]] number {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InputError(f"{where}: name must be the name of a site or an authority")
    day = entry.get("date")
    if type(day) is not date:
        raise InputError(f"{where}: date must be a day without quotes, such as 2026-05-09")
    if extra := set(entry) - {"name", "date", "source"}:
        raise InputError(f"{where}: unknown key '{min(extra)}'; there are name, date and source")
    return entry["name"], day


@lru_cache(maxsize=1)
def _authorities() -> dict[str, str]:
    return {site.name: site.authority for site in gazetteer().sites}
