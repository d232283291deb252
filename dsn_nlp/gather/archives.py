"""Whether a zip archive may be opened as a workbook: looked at before any parser sees it.

A workbook of under a megabyte was measured to hold a sheet of 231 MB, which takes openpyxl half a
minute in its sparing mode and 1.4 GB in its usual one.
"""

import zipfile
from typing import BinaryIO
from xml.parsers import expat

MAX_MEMBERS = 200
MAX_TOTAL = 200_000_000
# Real sheets come to 5 to 40; small parts may well be more repetitive.
MAX_RATIO = 100
_SMALL = 1_000_000
_CHUNK = 65_536
# A part's first element stands near its start; whoever puts it further hides something.
_MAX_PROLOG = 1_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_XML = (".xml", ".rels", ".vml")


class ArchiveError(Exception):
    """A file that is not opened as a workbook; its message is the reason in one word."""


def check_archive(file: BinaryIO) -> None:
    """Refuse what is no workbook, or too dear to open.

    :raises ArchiveError: ``encrypted``, ``old-excel``, ``not-a-workbook``, ``damaged``,
        ``too-many-parts``, ``too-large``, ``zip-bomb``, ``nested-archive`` or ``doctype``.
    """
    _check_magic(file)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_sizes(archive.infolist())
            names = {member.filename for member in archive.infolist()}
            if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
                raise ArchiveError("not-a-workbook")
            for member in archive.infolist():
                _check_member(archive, member)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise ArchiveError("damaged") from error
    # zlib's and lzma's own errors have no common root but this.
    except Exception as error:
        if isinstance(error, ArchiveError | MemoryError):
            raise
        raise ArchiveError("damaged") from error
    file.seek(0)


def _check_magic(file: BinaryIO) -> None:
    start = file.read(len(_OLE))
    if start == _OLE:
        # Encrypted workbooks and those of before 2007 are both such files.
        body = start + file.read(4_000_000)
        encrypted = "EncryptedPackage".encode("utf-16-le") in body
        raise ArchiveError("encrypted" if encrypted else "old-excel")
    if not start.startswith(_ZIP):
        raise ArchiveError("not-a-workbook")
    file.seek(0)


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise ArchiveError("too-many-parts")
    if sum(member.file_size for member in members) > MAX_TOTAL:
        # Said of what is packed tightly too: the reason is then the packing.
        raise ArchiveError("zip-bomb" if any(map(_is_bomb, members)) else "too-large")
    if any(map(_is_bomb, members)):
        raise ArchiveError("zip-bomb")
    if any(member.flag_bits & 0x1 for member in members):
        raise ArchiveError("encrypted")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > _SMALL and member.file_size > MAX_RATIO * member.compress_size


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Zip readers never give more than the declared size, so declared sizes can be trusted."""
    with archive.open(member) as part:
        start = part.read(_CHUNK)
        if start.startswith(_ZIP):
            raise ArchiveError("nested-archive")
        if member.filename.lower().endswith(_XML):
            _check_prolog(start, part)


class _Stop(Exception):
    pass


def _check_prolog(start: bytes, part: object) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = _stop
    seen = 0
    while start:
        seen += len(start)
        try:
            parser.Parse(start, False)
        except _Stop:
            return
        except expat.ExpatError:
            return  # the reader will say so, of the parts that it needs
        if seen > _MAX_PROLOG:
            raise ArchiveError("doctype")
        start = part.read(_CHUNK)  # type: ignore[attr-defined]


def _refuse_doctype(*_: object) -> None:
    raise ArchiveError("doctype")


def _stop(*_: object) -> None:
    raise _Stop
