"""Review sheets: Label Studio tasks, doccano lines, and a spreadsheet that a nurse can fill.

The model's own guess is left out unless asked for: who sees it tends to agree with it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from dsn_nlp.errors import InputError
from dsn_nlp.label.names import LABEL_NAMES
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Candidate
from dsn_nlp.review.words import INSTRUCTIONS, MEANINGS
from dsn_nlp.speech import either

Form = Literal["label-studio", "doccano", "xlsx"]
SUFFIXES: dict[Form, str] = {"label-studio": ".json", "doccano": ".jsonl", "xlsx": ".xlsx"}
PASSAGES_SHEET = "Passages"
ID_COLUMN = "passage_id"
TEXT_COLUMN = "text"


def write_sheet(candidates: Sequence[Candidate], form: Form, path: Path, guess: bool) -> None:
    """Write passages for review; only de-identified text is in the store, so only that goes out.

    :param guess: show the model's labels, prefilled.
    :raises InputError: when the file cannot be written.
    """
    writers = {"label-studio": _label_studio, "doccano": _doccano, "xlsx": _spreadsheet}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writers[form](candidates, path, guess)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def labelling_config() -> str:
    """Label Studio's labelling interface for these labels, in the session's language."""
    complaints = "\n".join(_choice(name) for name in COMPLAINTS)
    sentiments = "\n".join(_choice(name) for name in SENTIMENTS)
    return f"""<View>
  <Header value={quoteattr(either(*INSTRUCTIONS))}/>
  <Text name="text" value="$text"/>
  <Choices name="complaints" toName="text" choice="multiple" showInline="false">
{complaints}
  </Choices>
  <Choices name="sentiment" toName="text" choice="single-radio" required="true">
{sentiments}
  </Choices>
</View>
"""


def _choice(name: str) -> str:
    shown, hint = quoteattr(either(*LABEL_NAMES[name])), quoteattr(either(*MEANINGS[name]))
    return f"    <Choice value={shown} alias={quoteattr(name)} hint={hint}/>"


def _label_studio(candidates: Sequence[Candidate], path: Path, guess: bool) -> None:
    tasks = [_task(candidate, guess) for candidate in candidates]
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".config.xml").write_text(labelling_config(), encoding="utf-8")


def _task(candidate: Candidate, guess: bool) -> dict[str, Any]:
    task: dict[str, Any] = {
        "data": {ID_COLUMN: candidate.passage_id, "lang": candidate.lang, "text": candidate.text}
    }
    if guess:
        told = {"complaints": list(candidate.complaints), "sentiment": [candidate.sentiment]}
        answers = [
            {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": chosen}}
            for name, chosen in told.items()
            if chosen
        ]
        task["predictions"] = [{"result": answers}]
    return task


def _doccano(candidates: Sequence[Candidate], path: Path, guess: bool) -> None:
    lines = []
    for candidate in candidates:
        told = [*candidate.complaints, candidate.sentiment] if guess else []
        line = {"text": candidate.text, "label": told, ID_COLUMN: candidate.passage_id}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def _spreadsheet(candidates: Sequence[Candidate], path: Path, guess: bool) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = PASSAGES_SHEET
    headings = [either(*LABEL_NAMES[name]) for name in COMPLAINTS]
    sheet.append([ID_COLUMN, TEXT_COLUMN, *headings, either("Ton", "Sentiment")])
    for row, candidate in enumerate(candidates, start=2):
        _write_row(sheet, row, candidate, guess)
    _dress(sheet, len(candidates))
    _write_guide(book.create_sheet("Guide"))
    book.save(path)


def _write_row(sheet: Any, row: int, candidate: Candidate, guess: bool) -> None:
    for column, text in ((1, candidate.passage_id), (2, candidate.text)):
        cell = sheet.cell(row, column)
        cell.value = text
        # A passage that begins with "=" is a text, never a formula.
        cell.data_type = "s"
    if guess:
        for column, name in enumerate(COMPLAINTS, start=3):
            sheet.cell(row, column).value = "x" if name in candidate.complaints else None
        told = either(*LABEL_NAMES[candidate.sentiment])
        sheet.cell(row, 3 + len(COMPLAINTS)).value = told


def _dress(sheet: Any, rows: int) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.datavalidation import DataValidation

    moods = ",".join(either(*LABEL_NAMES[name]) for name in SENTIMENTS)
    sentiment = DataValidation("list", formula1=f'"{moods}"', allow_blank=True)
    mark = DataValidation("list", formula1='"x"', allow_blank=True)
    last = max(rows + 1, 2)
    sentiment.add(f"H2:H{last}")
    mark.add(f"C2:G{last}")
    sheet.add_data_validation(sentiment)
    sheet.add_data_validation(mark)
    sheet.freeze_panes = "C2"
    sheet.column_dimensions["A"].hidden = True
    sheet.column_dimensions["B"].width = 90
    for letter in "CDEFGH":
        sheet.column_dimensions[letter].width = 16
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for row in range(2, rows + 2):
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, vertical="top")


def _write_guide(sheet: Any) -> None:
    from openpyxl.styles import Alignment

    for instruction in INSTRUCTIONS:
        sheet.append([instruction])
    for name in (*COMPLAINTS, *SENTIMENTS):
        for said, meaning in zip(LABEL_NAMES[name], MEANINGS[name], strict=True):
            sheet.append([f"{said} : {meaning}"])
    sheet.column_dimensions["A"].width = 110
    for row in sheet.iter_rows():
        row[0].alignment = Alignment(wrap_text=True)
