"""Raw rows that could not be read, encrypted so that only the installation can try them again."""

import base64
import json
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dsn_nlp.gather.rows import Row

# Above it, what was swallowed by an open quote is no row any more; the file still has it.
MAX_RAW = 200_000


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row once opened again: of which file, with the header it stood under. Shows no cell."""

    file_key: str
    place: str
    header: tuple[str, ...]
    row: Row
    delimiter: str = ","

    def __repr__(self) -> str:
        return f"SealedRow({self.row!r})"


class Sealer:
    """Encrypts and decrypts rows (Fernet) under a key derived from the comments key (HKDF).

    :param key: the comments key; without it no sealed row can be read.
    """

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"dsn-nlp sealed rows 1").derive(key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, kept: SealedRow) -> bytes | None:
        """Encrypt a row; ``None`` for one too long to be one."""
        row = kept.row
        if len(row.raw) + sum(map(len, row.cells)) > MAX_RAW:
            return None
        written = {
            "file": kept.file_key,
            "place": kept.place,
            "header": kept.header,
            "delimiter": kept.delimiter,
            "cells": row.cells,
            "raw": row.raw,
            "lines": [row.first_line, row.last_line],
            "trouble": [row.trouble, row.code],
        }
        return self._fernet.encrypt(json.dumps(written).encode())

    def open(self, sealed: bytes) -> SealedRow | None:
        """Decrypt a row; ``None`` when it was sealed under another key, or altered."""
        try:
            told = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            return None
        trouble, code = told["trouble"]
        first, last = told["lines"]
        row = Row(tuple(told["cells"]), first, last, trouble, code, told["raw"])
        header = tuple(told["header"])
        return SealedRow(told["file"], told["place"], header, row, told["delimiter"])
