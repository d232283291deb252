"""A folder where others put files: what may be read now, what waits, what is refused.

Names are strangers' too: they are shown without controls, and only names that a folder itself
lists are opened, so that no name leads out of it.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dsn_nlp.errors import InputError
from dsn_nlp.gather.opened import Opened, open_file

TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".json")
# Tables too, that nothing here reads: said, since whoever put them there counts on it.
_UNREAD = (".xls", ".xlsb", ".ods", ".numbers", ".zip", ".gz", ".7z", ".sav", ".docx", ".pdf")
_MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder as it was at the first look, or why it is refused."""

    path: Path
    name: str
    stamp: tuple[int, int, int] = (0, 0, 0)
    refusal: InputError | None = None

    def open(self) -> Opened:
        """Open the file for reading.

        :raises InputError: when it may not be read, any more.
        """
        return open_file(self.path, str(self.path.parent / self.name), self.name, strict=True)


def look(folder: Path) -> list[Found]:
    """List what a folder holds, in order of name; hidden and unfinished files are left alone.

    :raises InputError: when the folder cannot be listed.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror})", "unreadable") from None
    found = []
    for name in names:
        if name.startswith((".", "~$")):
            continue
        suffix = Path(name).suffix.lower()
        if suffix in TABLES:
            found.append(_vetted(folder / name))
        elif suffix in _UNREAD:
            shown = shown_name(name)
            told = f"{shown}: this kind of file is not read; save it as CSV, XLSX or JSON Lines"
            found.append(Found(folder / name, shown, refusal=InputError(told, "kind")))
    return found


def _vetted(path: Path) -> Found:
    name = shown_name(path.name)
    try:
        opened = Found(path, name).open()
    except InputError as error:
        return Found(path, name, refusal=error)
    try:
        seen = os.fstat(opened.descriptor)
        return Found(path, name, (seen.st_ino, seen.st_size, seen.st_mtime_ns))
    finally:
        opened.close()


def settled(found: list[Found], ready: str, seconds: float) -> Iterator[tuple[Found, bool]]:
    """Look a second time, and tell of each file whether it is no longer being written.

    :param ready: ``stable``: neither size nor time changed between the looks, or ``FILE.done``
        lies beside it; ``done``: only the latter counts.
    :param seconds: between the two looks; none is taken where nothing needs it.
    """
    needs = [f for f in found if f.refusal is None and not _is_done(f.path)]
    if ready == "stable" and needs and seconds:
        time.sleep(seconds)
    for one in found:
        if one.refusal is not None or _is_done(one.path):
            yield one, True
        else:
            yield one, ready == "stable" and _vetted(one.path).stamp == one.stamp


def _is_done(path: Path) -> bool:
    return path.with_name(path.name + ".done").is_file() or path.with_suffix(".done").is_file()


def shown_name(name: str) -> str:
    """Write a file's name for messages: printable, short, and still its own."""
    printable = "".join(c if c.isprintable() and c != "\ufffd" else "?" for c in name)
    if len(printable) > _MAX_NAME:
        printable = printable[: _MAX_NAME - 1] + "…"
    if printable == name:
        return name
    # Two names that differ only in what cannot be shown must stay two places.
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:6]
    return f"{printable}~{mark}"
