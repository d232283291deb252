"""Which encoding bytes are in: BOM, then strict UTF-8, then what is declared, then a guess."""

import codecs
import re
from collections.abc import Iterable

from charset_normalizer import from_bytes

REPLACEMENT = "\ufffd"
SAMPLE_BYTES = 65_536
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets on Windows, old Macs and DOS write in Québec.
_LIKELY = ["cp1252", "mac_roman", "cp850", "utf_16_le", "utf_16_be"]
# Python also knows "codecs" that run escapes or unpack archives; none of those here.
_KNOWN = re.compile(
    r"(utf[-_]?(8|8[-_]sig|16|32)([-_]?[lb]e)?|(us[-_]?)?ascii|(windows|cp)[-_]?\d{3,4}"
    r"|(iso[-_]?)?8859[-_]\d{1,2}|latin[-_]?\d{1,2}|mac[-_]?(roman|intosh))"
)
_UTF_8 = frozenset({"utf-8", "utf-8-sig"})
_WIDE = ("utf-16", "utf-32")
_LATIN_1 = frozenset({"iso8859-1", "ascii"})


def known_encoding(name: str | None) -> str | None:
    """Return Python's name of a declared encoding, or ``None`` when there is no such one.

    Latin-1 is read as cp1252, which is what nearly everybody who says Latin-1 means.
    """
    if not name or not _KNOWN.fullmatch(name.strip().lower()):
        return None
    try:
        found = codecs.lookup(name.strip()).name
    except LookupError:
        return None
    return "cp1252" if found in _LATIN_1 else found


def find_encoding(chunks: Iterable[bytes], declared: str | None = None) -> str:
    """Tell the encoding of a stream of bytes, to be decoded with ``errors="replace"``.

    UTF-8 in which a few bytes are damaged stays UTF-8: reading all of it as cp1252 would
    damage every accent.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    damaged = accented = 0
    sample = b""
    for chunk in chunks:
        if not sample and (marked := _bom(chunk)):
            return marked
        sample += chunk[: SAMPLE_BYTES - len(sample)]
        text = decoder.decode(chunk)
        bad = max(text.count(REPLACEMENT) - chunk.count(REPLACEMENT.encode()), 0)
        damaged += bad
        accented += sum(not character.isascii() for character in text) - bad
    damaged += decoder.decode(b"", final=True).count(REPLACEMENT)
    has_nulls = sample.count(0) * 10 > len(sample)
    if not has_nulls and damaged * 4 <= accented + (damaged == 0):
        return "utf-8"
    name = known_encoding(declared)
    if name and name not in _UTF_8 and name.startswith(_WIDE) == has_nulls:
        return _with_order(name, sample)
    return _guess(sample, has_nulls)


def decode(body: bytes, declared: str | None = None) -> str:
    """Decode a whole page, whatever it or its server says it is in."""
    return body.decode(find_encoding([body], declared), "replace")


def _bom(start: bytes) -> str | None:
    return next((name for mark, name in _BOMS if start.startswith(mark)), None)


def _with_order(name: str, sample: bytes) -> str:
    """Say which byte comes first, where no mark does: Python refuses to guess."""
    if name not in _WIDE:
        return name
    return f"{name}-{'le' if sample[1::2].count(0) >= sample[::2].count(0) else 'be'}"


def _guess(sample: bytes, has_nulls: bool) -> str:
    candidates = _LIKELY if has_nulls else _LIKELY[:3]
    best = from_bytes(sample[: len(sample) // 2 * 2], cp_isolation=candidates).best()
    return best.encoding if best is not None else "cp1252"
