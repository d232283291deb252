"""A regular file held open: what is read later is what was looked at first, and no longer."""

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from dsn_nlp.errors import InputError

_CHUNK = 1 << 16


class _Part(io.RawIOBase):
    """The first ``size`` bytes of an open file, with a position of its own."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size, self._at = descriptor, size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._at)
        found = os.pread(self._descriptor, max(wanted, 0), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file. ``shown`` names it in messages, ``name`` in places; neither holds controls."""

    shown: str
    name: str
    descriptor: int
    size: int
    changed_ns: int

    def read(self) -> io.BufferedReader:
        """Read from the start, as far as the file went when it was opened."""
        return io.BufferedReader(_Part(self.descriptor, self.size), _CHUNK)

    def start(self, size: int = 4096) -> bytes:
        """Give the first bytes."""
        return os.pread(self.descriptor, min(size, self.size), 0)

    def is_unchanged(self) -> bool:
        """Tell whether size and time of change are what they were when it was opened."""
        now = os.fstat(self.descriptor)
        return (now.st_size, now.st_mtime_ns) == (self.size, self.changed_ns)

    def close(self) -> None:
        """Let the file go."""
        os.close(self.descriptor)


def open_file(path: Path, shown: str, name: str, *, strict: bool) -> Opened:
    """Open a regular file for reading.

    :param strict: in a folder where others write: no symbolic and no hard link is followed.
    :raises InputError: when it is no regular file, is a link, or cannot be read.
    """
    # Without O_NONBLOCK a FIFO would wait for a writer for ever.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_NOFOLLOW if strict else 0)
    try:
        # Looked at before it is opened: opening alone may make a device act.
        reason = _refusal(path.lstat(), strict=True) if strict else None
        if reason:
            raise InputError(f"{shown}: {reason[0]}", reason[1])
        descriptor = os.open(path, flags)
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror})", "unreadable") from None
    seen = os.fstat(descriptor)
    reason = _refusal(seen, strict)
    if reason:
        os.close(descriptor)
        raise InputError(f"{shown}: {reason[0]}", reason[1])
    return Opened(shown, name, descriptor, seen.st_size, seen.st_mtime_ns)


def _refusal(seen: os.stat_result, strict: bool) -> tuple[str, str] | None:
    if stat.S_ISLNK(seen.st_mode):
        return "a symbolic link is not read; put the file itself there", "symlink"
    if not stat.S_ISREG(seen.st_mode):
        return "not a regular file (a folder, pipe or device); put a file there", "not-a-file"
    if strict and seen.st_nlink > 1:
        # The other name may be anywhere, and its owner somebody else.
        return "a hard link is not read; put a copy there", "hard-link"
    return None
