"""Pages saved by someone else: folders, .zip, .tar(.gz) and .warc(.gz) archives, read as streams.

Nothing is unpacked to disk, no name in an archive is ever opened as a path, and no page, however
large it claims or turns out to be, is read beyond the limit.
"""

import gzip
import logging
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import DecompressingBufferedReader
from warcio.exceptions import ArchiveLoadFailed

from dsn_nlp.errors import InputError
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.pagemeta import NO_URL
from dsn_nlp.gather.pages import MAX_BYTES

# It tells of each damaged header; the rejection's reason says what matters.
logging.getLogger("warcio").setLevel(logging.CRITICAL)
MAX_MEMBERS = 200_000
# What an archive may hold unpacked, all in all; a bomb ends here and not with the disk or night.
MAX_UNPACKED = 20_000_000_000
MAX_STEP = 8_000_000
# Of a header of a web archive; where a record's length is missing, a body would pass for one.
MAX_LINE = 100_000
_HTML = frozenset({".html", ".htm", ".xhtml"})
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".warc", ".warc.gz")
_BROKEN = (
    OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError,
    NotImplementedError, RuntimeError, ArchiveLoadFailed, KeyError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved page; ``response.url`` is ``NO_URL`` where the archive does not say it."""

    place: str
    response: Response = field(repr=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """An archive, or a page of one, that cannot be read, and why."""

    place: str
    reason: str


def saved_files(root: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """List the regular files of a folder by name, or the one file that is named.

    Links and devices are passed over: nothing outside the folder is read.

    :raises InputError: when there is no such file or folder.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; correct the path of the source")
    found = (p for p in root.rglob("*") if p.name.lower().endswith(suffixes))
    return sorted(p for p in found if stat.S_ISREG(p.lstat().st_mode) and _inside(root, p))


def page_files(root: Path) -> list[Path]:
    """List a source's saved pages and archives of them."""
    return saved_files(root, (*_HTML, *_ARCHIVES))


def read_saved(path: Path, root: Path) -> Iterator[Saved | Broken]:
    """Read the pages of one file; a fault in an archive keeps what stands before it.

    :param root: the source's folder; ``<root>/<host>/<path>.html`` tells a page's address.
    """
    name = path.name.lower()
    try:
        if name.endswith(".zip"):
            yield from _of_zip(path)
        elif name.endswith((".tar", ".tar.gz", ".tgz")):
            yield from _of_tar(path)
        elif name.endswith((".warc", ".warc.gz")):
            yield from _of_warc(path)
        else:
            inner = path.relative_to(root) if path != root else Path(path.name)
            with path.open("rb") as page:
                yield _saved(str(inner), page.read(MAX_BYTES + 1), inner.as_posix())
    except Exception as error:
        # Damaged archives fail in ways that their readers' authors did not foresee (fuzzed).
        yield Broken(path.name, f"the file cannot be read to its end ({type(error).__name__})")


def _inside(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _saved(place: str, body: bytes, name: str) -> Saved:
    return Saved(place, Response(_address(name), 200, "text/html", None, body))


def _address(name: str) -> str:
    """``www.journal.ca/sante/panne.html`` was saved from that address, as wget and mirrors do."""
    host, _, path = name.partition("/")
    if not path or "." not in host or not host.replace(".", "").replace("-", "").isalnum():
        return NO_URL
    return f"https://{host.lower()}/{quote(path)}"


def _is_page(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _HTML


def _of_zip(path: Path) -> Iterator[Saved | Broken]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            yield Broken(path.name, f"holds more than {MAX_MEMBERS} files")
            return
        for member in sorted(members, key=lambda m: m.filename):
            if member.is_dir() or not _is_page(member.filename):
                continue
            place = f"{path.name}:{member.filename[:200]}"
            try:
                with archive.open(member) as page:
                    yield _saved(place, page.read(MAX_BYTES + 1), member.filename)
            except _BROKEN as error:
                yield Broken(place, f"the page cannot be unpacked ({type(error).__name__})")


class _Steps:
    """A stream that refuses to be read in strides: headers of archives may ask for gigabytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MAX_STEP:
            raise tarfile.ReadError("a header that is too large")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > MAX_UNPACKED:
            raise tarfile.ReadError("too large unpacked")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _of_tar(path: Path) -> Iterator[Saved | Broken]:
    packed = path.name.lower().endswith("gz")
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        steps: Any = _Steps(stream)  # type: ignore[arg-type]
        with tarfile.open(fileobj=steps, mode="r:") as archive:
            for number, member in enumerate(archive):
                archive.members = []  # type: ignore[attr-defined]  # it would keep every header
                if number >= MAX_MEMBERS:
                    yield Broken(path.name, f"holds more than {MAX_MEMBERS} files")
                    return
                page = archive.extractfile(member) if _is_page(member.name) else None
                if page is not None and member.isreg():
                    body = page.read(MAX_BYTES + 1)
                    yield _saved(f"{path.name}:{member.name[:200]}", body, member.name)


class _Lines(DecompressingBufferedReader):
    """Reads a web archive, and refuses lines and sizes that no archive of pages has."""

    def readline(self, length: int | None = None) -> bytes:
        bounded = length is not None and 0 <= length <= MAX_LINE
        line: bytes = super().readline(length if bounded else MAX_LINE)
        if not bounded and len(line) >= MAX_LINE:
            raise ArchiveLoadFailed("a line that is too long")
        if self.num_read > MAX_UNPACKED:
            raise ArchiveLoadFailed("too large unpacked")
        return line


def _of_warc(path: Path) -> Iterator[Saved | Broken]:
    with path.open("rb") as stream:
        records = ArchiveIterator(stream)
        records.reader = _Lines(stream, block_size=records.reader.block_size)
        for record in records:
            if record.rec_type != "response" or record.http_headers is None:
                continue
            kind = record.http_headers.get_header("Content-Type") or ""
            url = record.rec_headers.get_header("WARC-Target-URI") or NO_URL
            if record.http_headers.get_statuscode() != "200" or "html" not in kind.lower():
                continue
            body = record.content_stream().read(MAX_BYTES + 1)
            response = Response(url.strip("<>"), 200, "text/html", _charset(kind), body)
            yield Saved(f"{path.name}:{url[:300]}", response)


def _charset(kind: str) -> str | None:
    _, found, rest = kind.lower().partition("charset=")
    return rest.split(";")[0].strip("\"' ") or None if found else None
