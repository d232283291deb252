"""Reading what a press-review service delivers: one article a line, in JSON, text included."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.dates import Moment, read_moment
from dsn_nlp.gather.links import canonical_url
from dsn_nlp.gather.markup import plain
from dsn_nlp.gather.pages import MIN_CHARACTERS
from dsn_nlp.gather.saved import Broken, saved_files
from dsn_nlp.records import Language
from dsn_nlp.text import normalise

MAX_LINE = 2_000_000
MAX_TEXT = 500_000
_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


@dataclass(frozen=True, slots=True)
class Clipping:
    """One article as the service gives it; ``place`` is file and line."""

    place: str
    text: str = field(repr=False)
    title: str | None
    url: str | None
    moment: Moment | None
    outlet: str | None
    authors: tuple[str, ...]
    section: str | None
    lang: Language | None


def press_files(root: Path) -> list[Path]:
    """List a source's deliveries.

    :raises InputError: when there is no such file or folder.
    """
    return saved_files(root, _SUFFIXES)


def read_press(path: Path, source: NewsSource) -> Iterator[Clipping | Broken]:
    """Read one delivery line by line; a bad line never stops the good ones."""
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as lines:
            yield from _read(lines, path.name, source)  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error) as error:
        yield Broken(path.name, f"the file cannot be read to its end ({type(error).__name__})")


def _read(lines: IO[bytes], name: str, source: NewsSource) -> Iterator[Clipping | Broken]:
    number = 0
    while line := lines.readline(MAX_LINE):
        number += 1
        place = f"{name}:{number}"
        if not line.endswith(b"\n") and len(line) == MAX_LINE:
            while (rest := lines.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Broken(place, f"the line is longer than {MAX_LINE} bytes")
        elif line.strip():
            yield _clipping(line, place, source)


def _clipping(line: bytes, place: str, source: NewsSource) -> Clipping | Broken:
    try:
        row = json.loads(decode(line))
    except (ValueError, RecursionError):
        return Broken(place, "not a JSON object on one line")
    if not isinstance(row, dict):
        return Broken(place, "not a JSON object on one line")
    fields = source.fields
    text = row.get(fields.text)
    if not isinstance(text, str):
        return Broken(place, f"no text under the key '{fields.text}'; correct 'fields.text'")
    text = _text(text)
    if len(text) < MIN_CHARACTERS:
        return Broken(place, f"too short: {len(text)} characters, under {MIN_CHARACTERS}")
    lang = row.get(fields.lang)
    return Clipping(
        place=place,
        text=text,
        title=_line(row.get(fields.title)),
        url=_url(row.get(fields.url)),
        moment=read_moment(row.get(fields.published_at)),
        outlet=_line(row.get(fields.outlet)),
        authors=_names(row.get(fields.authors)),
        section=_line(row.get(fields.section)),
        lang=lang if lang in ("fr", "en") else None,
    )


def _text(written: str) -> str:
    """Paragraphs stay; markup, if the service sends any, does not."""
    shown = written[:MAX_TEXT]
    return plain(shown, MAX_TEXT) if "</" in shown or "<br" in shown else normalise(shown)


def _line(value: Any) -> str | None:
    return plain(value)[:500] or None if isinstance(value, str) else None


def _names(value: Any) -> tuple[str, ...]:
    said = value if isinstance(value, list) else [value]
    return tuple(name for each in said[:20] if (name := _line(each)))


def _url(value: Any) -> str | None:
    try:
        return canonical_url(value) if isinstance(value, str) else None
    except ExtractionError:
        return None
