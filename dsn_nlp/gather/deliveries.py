"""What a source of comments delivers: files known by their content, each read once, or a query.

A file that is renamed or comes twice has been read; one that is still being written waits; one
that cannot be read is set aside with its reason, and the others are read all the same.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import InputError
from dsn_nlp.gather.columns import Columns, place_columns, wanted_columns
from dsn_nlp.gather.comments import CommentReader
from dsn_nlp.gather.dropfolder import Found, look, settled, shown_name
from dsn_nlp.gather.jsonlines import open_jsonl
from dsn_nlp.gather.opened import Opened, open_file
from dsn_nlp.gather.queries import open_query
from dsn_nlp.gather.rows import Table, name_columns
from dsn_nlp.gather.sealing import Sealer
from dsn_nlp.gather.sheets import open_workbook
from dsn_nlp.gather.tables import open_csv
from dsn_nlp.records import Comment, Rejection

logger = logging.getLogger(__name__)
# Raised when files are read in another way, so that those read before are read again.
READING = 1
_CHUNK = 1 << 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = (b"<!doc", b"<html", b"<?xml", b"<tabl", b"<work")
_JSON = (".jsonl", ".ndjson", ".json")
# Settings that change where or when a file is found, and not what is read from it.
_NOT_READING = {"name", "path", "ready", "settle_seconds", "query"}


@dataclass(slots=True)
class Delivery:
    """One file or query answer: its name, and what is found in it, which is given once.

    ``content_key`` is empty for what need not be remembered. ``notes`` tell in one line what was
    odd about a file that was read all the same.
    """

    name: str
    found: Iterator[Comment | Rejection]
    content_key: str = ""
    state: str = "read"
    notes: str | None = None
    opened: Opened | None = field(default=None, repr=False)

    def is_settled(self) -> bool:
        """Tell, once everything is taken, whether the file may be remembered as read."""
        return bool(self.content_key) and (self.opened is None or self.opened.is_unchanged())


@dataclass(slots=True)
class Intake:
    """The deliveries of one source.

    :param key: the comments key.
    :param known: keyed hashes of files read before, with the hash of the settings then.
    :param sealer: encrypts rows that cannot be read; without it they are not kept.
    """

    source: CommentSource
    key: bytes
    known: Mapping[str, str] = field(default_factory=dict)
    sealer: Sealer | None = None
    waiting: list[str] = field(default_factory=list)

    @property
    def reading(self) -> str:
        """Hash of the settings that decide what is read from a file."""
        told = self.source.model_dump(mode="json", exclude=_NOT_READING)
        written = json.dumps([READING, told], sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()[:16]

    def __iter__(self) -> Iterator[Delivery]:
        """Give what is new, in order of name; take all of one before asking for the next.

        :raises InputError: when the source is one file or a query and cannot be read, or when its
            folder is missing.
        :raises TransientFetchError: when a database may be reached another time.
        """
        path, reader = self.source.path, CommentReader(self.source, self.key, self.sealer)
        if path is None:
            yield self._answer(reader)
        elif path.is_dir():
            yield from self._folder(path, reader)
        else:
            yield from self._file(path, reader)

    def _answer(self, reader: CommentReader) -> Delivery:
        assert self.source.query is not None
        table = open_query(self.source, self.source.query, wanted_columns(self.source))
        columns = place_columns(self.source, table)
        return Delivery("query", reader.read(table, columns, "query"))

    def _file(self, path: Path, reader: CommentReader) -> Iterator[Delivery]:
        if not path.is_file():
            raise InputError(
                f"{path}: no such file of comments; correct the path of source "
                f"'{self.source.name}' or put the file there",
                "no-file",
            )
        opened = open_file(path, str(path), shown_name(path.name), strict=False)
        try:
            file_key = content_key(opened, self.key)
            if self.known.get(file_key) != self.reading:
                yield self._delivery(opened, file_key, reader)
        finally:
            opened.close()

    def _folder(self, folder: Path, reader: CommentReader) -> Iterator[Delivery]:
        seen: set[str] = set()
        keys: dict[Path, str] = {}
        new: list[Found] = []
        for found in look(folder):
            file_key = self._key_of(found)
            if found.refusal or self.known.get(file_key) != self.reading:
                new.append(found)
                keys[found.path] = file_key
        for found, ready in settled(new, self.source.ready, self.source.settle_seconds):
            if found.refusal:
                yield self._refused(found.name, found.refusal)
            elif not ready:
                self.waiting.append(found.name)
            elif keys[found.path] not in seen:
                seen.add(keys[found.path])
                yield from self._found(found, keys[found.path], reader)

    def _key_of(self, found: Found) -> str:
        try:
            opened = found.open()
        except InputError:
            return ""
        try:
            return content_key(opened, self.key)
        finally:
            opened.close()

    def _found(self, found: Found, file_key: str, reader: CommentReader) -> Iterator[Delivery]:
        try:
            opened = found.open()
        except InputError as error:
            yield self._refused(found.name, error)
            return
        try:
            yield self._delivery(opened, file_key, reader)
        except InputError as error:
            yield self._refused(found.name, error, file_key)
        finally:
            opened.close()

    def _delivery(self, opened: Opened, file_key: str, reader: CommentReader) -> Delivery:
        table = open_table(opened, self.source)
        columns = place_columns(self.source, table)
        notes = self._check_contract(table, columns)
        reader.check(table, columns)
        found = reader.read(table, columns, opened.name, file_key)
        return Delivery(opened.name, found, file_key, notes=notes, opened=opened)

    def _check_contract(self, table: Table, columns: Columns) -> str | None:
        if not columns.unread or self.source.unknown_columns == "ignore":
            return None
        told = f"columns not read: {name_columns(table, columns.unread)}"
        if self.source.unknown_columns == "refuse":
            advice = "name them in the source's columns, or set unknown_columns"
            raise InputError(f"{table.shown}: {told}; {advice}", "unknown-column")
        logger.warning("%s: %s: %s", self.source.name, table.shown, told)
        return told

    def _refused(self, name: str, error: InputError, file_key: str = "") -> Delivery:
        rejection = Rejection(self.source.name, name, "file", str(error), error.code, file_key)
        return Delivery(name, iter([rejection]), file_key, state="refused")


def read_comments(source: CommentSource, key: bytes) -> Iterator[Comment | Rejection]:
    """Read all that a source delivers, whether it was read before or not.

    :param key: the secret that makes ids of comments impossible to confirm by guessing.
    :raises InputError: see ``Intake``.
    """
    for delivery in Intake(source, key):
        yield from delivery.found


def content_key(opened: Opened, key: bytes) -> str:
    """Name a file by its bytes, under the comments key: 32 hexadecimal digits."""
    digest = hmac.new(key, b"file\x1f", hashlib.sha256)
    try:
        with opened.read() as raw:
            while chunk := raw.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        told = f"{opened.shown}: cannot be read ({error.strerror})"
        raise InputError(told, "unreadable") from None
    return digest.hexdigest()[:32]


def open_table(opened: Opened, source: CommentSource) -> Table:
    """Open a file by what it holds; a name that says otherwise does not count.

    :raises InputError: when it cannot be read as a table with the wanted columns.
    """
    wanted = wanted_columns(source)
    start = opened.start()
    if start.startswith((_ZIP, _OLE)):
        return open_workbook(opened, source, wanted)
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if text[:5].lower() in _MARKUP:
        told = f"{opened.shown}: a web page or XML and no table; export it as CSV or XLSX"
        raise InputError(told, "kind")
    if Path(opened.name.rsplit("~", 1)[0]).suffix.lower() in _JSON or text.startswith(b"{"):
        return open_jsonl(opened, source, wanted)
    return open_csv(opened, source, wanted)
