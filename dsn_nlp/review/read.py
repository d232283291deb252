"""Filled review sheets in; rows that cannot be used are put aside with their reason."""

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Review
from dsn_nlp.review.words import NAMES_IN_ANY_LANGUAGE
from dsn_nlp.review.write import ID_COLUMN, PASSAGES_SHEET

_ANNOTATOR = re.compile(r"[\w.@+-]{1,80}")
# A filled sheet of 50,000 passages unpacks to less; more is no review sheet.
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be used, and why; it holds no text."""

    place: str
    reason: str


def read_sheet(path: Path, annotator: str | None = None) -> Iterator[Review | Unusable]:
    """Read a filled sheet of any of the three forms. Rows left empty are skipped.

    :param annotator: who filled it; Label Studio says so itself, row by row.
    :raises InputError: when the file is missing, of another form, or nobody signs for it.
    """
    if annotator is not None and not _ANNOTATOR.fullmatch(annotator):
        raise InputError("--annotator: letters, digits and . @ + - _ only, 80 at most")
    readers = {".json": _label_studio, ".jsonl": _doccano, ".xlsx": _spreadsheet}
    if path.suffix not in readers:
        raise InputError(f"{path}: not a review sheet; export .json, .jsonl or .xlsx")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if annotator is None and path.suffix != ".json":
        raise InputError(f"{path}: does not say who filled it; add --annotator NAME")
    when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    for place, row in readers[path.suffix](path):
        yield from _reviews(f"{path.name}:{place}", row, annotator, when)


@dataclass(frozen=True, slots=True)
class _Row:
    """One answer as found: ids and names not yet checked."""

    passage_id: object
    names: list[str]
    annotator: str | None = None
    when: str | None = None


def _reviews(
    place: str, row: _Row | str, annotator: str | None, when: datetime
) -> Iterator[Review | Unusable]:
    if isinstance(row, str):
        yield Unusable(place, row)
        return
    if not row.names:
        return
    signed = annotator or row.annotator
    labels = [NAMES_IN_ANY_LANGUAGE.get(name.strip().casefold()) for name in row.names]
    moods = [label for label in labels if label in SENTIMENTS]
    if not isinstance(row.passage_id, str) or not row.passage_id:
        yield Unusable(place, f"'{ID_COLUMN}' is missing; keep that column when you export")
    elif None in labels:
        yield Unusable(place, "a label that is not of the guideline")
    elif len(set(moods)) != 1:
        yield Unusable(place, "exactly one sentiment is needed")
    elif signed is None:
        yield Unusable(place, "nobody signs for it; add --annotator NAME")
    else:
        complaints = tuple(name for name in COMPLAINTS if name in labels)
        moment = _moment(row.when) or when
        yield Review(row.passage_id, signed, moment, complaints, moods[0])


def _moment(said: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said) if said else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _label_studio(path: Path) -> Iterator[tuple[str, _Row | str]]:
    tasks = _json(path, path.read_bytes())
    if not isinstance(tasks, list):
        raise InputError(f"{path}: not a Label Studio export; choose its JSON format")
    for number, task in enumerate(tasks, start=1):
        given = task.get("annotations") if isinstance(task, dict) else None
        if not isinstance(given, list):
            yield str(number), "not a task with annotations"
            continue
        for one in given:
            if isinstance(one, dict) and not one.get("was_cancelled"):
                yield str(number), _annotation(task, one)


def _annotation(task: dict[str, Any], one: dict[str, Any]) -> _Row | str:
    try:
        names = [
            str(name)
            for part in one["result"]
            if part.get("type") == "choices"
            for name in part["value"]["choices"]
        ]
        by = one.get("completed_by")
        signed = by.get("email") or by.get("id") if isinstance(by, dict) else by
        annotator = f"label-studio-{signed}" if signed is not None else None
        return _Row(task["data"].get(ID_COLUMN), names, annotator, one.get("updated_at"))
    except (KeyError, TypeError, AttributeError):
        return "not an annotation of the labelling interface that was exported with the tasks"


def _doccano(path: Path) -> Iterator[tuple[str, _Row | str]]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            told = row.get("label", row.get("labels", []))
            # doccano moves columns of the import that it does not know into "meta".
            passage_id = row.get(ID_COLUMN) or (row.get("meta") or {}).get(ID_COLUMN)
            yield str(number), _Row(passage_id, [str(name) for name in told])
        except (ValueError, AttributeError, TypeError):
            yield str(number), "not a line of doccano's JSONL"


def _spreadsheet(path: Path) -> Iterator[tuple[str, _Row | str]]:
    rows = iter(_cells(path))
    heading = [str(cell or "").strip() for cell in next(rows, ())]
    names = [NAMES_IN_ANY_LANGUAGE.get(title.casefold()) for title in heading]
    if ID_COLUMN not in heading or not set(COMPLAINTS) <= set(names):
        raise InputError(f"{path}: the first row must be that of the exported sheet")
    columns = [(index, name) for index, name in enumerate(names) if name in COMPLAINTS]
    # The stance stands after the complaints; a reviewer may add columns of their own behind it.
    where, mood = heading.index(ID_COLUMN), columns[-1][0] + 1
    for number, row in enumerate(rows, start=2):
        cells = (*row, *(None,) * (len(heading) + 1 - len(row)))  # empty ends may be left out
        told = [str(name) for index, name in columns if str(cells[index] or "").strip()]
        said = str(cells[mood] or "").strip()
        if any(cells):
            yield str(number), _Row(cells[where], told + ([said] if said else []))


def _cells(path: Path) -> Iterable[tuple[Any, ...]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise InputError(f"{path}: too large for a review sheet")
        book = load_workbook(path, read_only=True, data_only=True)
        yield from book[PASSAGES_SHEET].iter_rows(values_only=True)
    except InputError:
        raise
    except Exception as error:  # openpyxl lets many types out of a broken archive
        raise InputError(
            f"{path}: not a spreadsheet with a sheet '{PASSAGES_SHEET}' ({type(error).__name__})"
        ) from None


def _json(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise InputError(f"{path}: not JSON") from None
