"""Erasure on request: rows, bytes, and the files that went out, with what is left to do by hand."""

import re
from dataclasses import dataclass
from pathlib import Path

from dsn_nlp.config import CommentSource, Settings, comment_key
from dsn_nlp.errors import ConfigError, InputError
from dsn_nlp.gather.respondents import respondent_key
from dsn_nlp.store import Store
from dsn_nlp.store.privacy import Erasure, Scope

_KEYED = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Erased:
    """What came of a request.

    :ivar removed: rows that went.
    :ivar files: exports removed from the disk.
    :ivar elsewhere: exports that are not where they were written; whoever took them must be told.
    :ivar scrubbed: whether the database gave up the bytes; a reader may hold them for a while.
    """

    removed: Erasure
    files: tuple[Path, ...]
    elsewhere: tuple[Path, ...]
    scrubbed: bool


def erase(store: Store, scope: Scope, value: str) -> Erased:
    """Erase for good; a second time removes nothing and says so.

    :param value: document id, respondent's keyed hash, or source name.
    :raises RunInProgressError: when a night is at work.
    """
    removed = store.erase(scope, value)
    here, elsewhere = remove_files(removed)
    # Even when nothing was left: an earlier attempt may have met a reader.
    scrubbed = store.scrub(whole=removed.anything)
    return Erased(removed, here, elsewhere, scrubbed)


def remove_files(removed: Erasure) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Remove exports that may hold what was erased; give those removed and those not found."""
    paths = [Path(path) for path in removed.withdrawn]
    here = tuple(path for path in paths if path.is_file() and not path.is_symlink())
    for path in here:
        path.unlink()
    return here, tuple(path for path in paths if path not in here)


def respondents_of(settings: Settings, written: str, source: str | None) -> list[str]:
    """Find the keyed hashes under which a respondent may be stored.

    :param written: the identifier as it stands in the exports, or a keyed hash itself.
    :param source: only of this source; without it, of every comment source.
    :raises ConfigError: when no such comment source is configured.
    :raises InputError: when the identifier is empty.
    """
    if not written.strip():
        raise InputError("--respondent: no identifier was given")
    if _KEYED.fullmatch(written.strip()):
        return [written.strip()]
    sources = [s for s in settings.comments if source in (None, s.name)]
    if not sources:
        raise ConfigError(f"no comment source is named '{source or ''}' in the settings")
    key = comment_key(settings)
    return list(dict.fromkeys(respondent_key(one, key, written) for one in sources))


def intake_of(settings: Settings, source: str | None) -> list[CommentSource]:
    """Name the sources whose raw files may still hold what was erased."""
    return [one for one in settings.comments if source in (None, one.name)]
