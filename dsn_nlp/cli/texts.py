"""Commands on texts and on the store: label, deidentify, query, evaluate."""

import csv
import io
import json
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsn_nlp.cli.jsonl import Reader, Row, place_of, write_row, writing
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Document, Language, Passage
from dsn_nlp.speech import either

if TYPE_CHECKING:
    from dsn_nlp.label.classifier import Classifier

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help=either("Réglages (dsn.toml par défaut).", "Settings (default dsn.toml).")
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help=either(
            "Dossier du modèle (par défaut, celui en service).",
            "Model folder (default: the serving one).",
        ),
    ),
]
FileArgument = Annotated[
    Path | None, typer.Argument(help=either("Fichier JSONL, ou -.", "JSONL file, or -."))
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help=either("Fichier de sortie.", "Output file.")),
]


class Format(StrEnum):
    """How a query's answer is written."""

    table = "table"
    csv = "csv"
    json = "json"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(help=either("Étiqueter des textes (JSONL).", "Label texts (JSONL)."))(label)
    app.command(
        help=either("Retirer les identifiants de textes (JSONL).", "Redact identifiers (JSONL).")
    )(deidentify)
    app.command(
        help=either("Interroger l'entrepôt en SQL, en lecture.", "Query the store, read-only SQL.")
    )(query)


def load_classifier(model: Path | None, config: Path | None = None) -> "Classifier":
    """Load a model folder; the serving one of the settings, or of ``models/`` here, by default.

    :raises ModelError: when there is none.
    """
    from dsn_nlp.label.classifier import Classifier
    from dsn_nlp.label.folder import serving_folder

    return Classifier.load(model or serving_folder(models_folder(config)))


def models_folder(config: Path | None = None) -> Path:
    """The folder of models: of the settings where there are any, else the installed project's."""
    from dsn_nlp.config import DEFAULT_FILE, load_settings

    if config is not None or DEFAULT_FILE.exists():
        return load_settings(config).labelling.models
    here = Path("models")
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "models"


def _tagger_folder() -> Path:
    """The folder of the tagger of identifiers: of the settings where there are any."""
    from dsn_nlp.config import DEFAULT_FILE, load_settings
    from dsn_nlp.prepare.deid_folder import tagger_folder

    named = load_settings(None).prepare.deidentifier if DEFAULT_FILE.exists() else None
    return named or tagger_folder(models_folder())


def label(
    file: FileArgument = None,
    output: OutputOption = None,
    model: ModelOption = None,
    split: Annotated[
        bool,
        typer.Option(
            "--split",
            help=either("Découper chaque texte en passages.", "Split each text into passages."),
        ),
    ] = False,
) -> None:
    """Label each text as one passage, or each of its passages with ``--split``."""
    reader = Reader(file)
    classifier = load_classifier(model)
    with writing(output) as handle:
        for rows in reader.chunks():
            for row in _labelled(classifier, _passage_rows(rows) if split else rows):
                write_row(handle, row)
    reader.finish()


def deidentify(file: FileArgument = None, output: OutputOption = None) -> None:
    """Replace identifiers by typed placeholders; ``spans`` are positions in the given text."""
    from dsn_nlp.prepare.deidentify import deidentifier

    reader, tool = Reader(file), deidentifier(_tagger_folder())
    with writing(output) as handle:
        for rows in reader.chunks():
            for row in rows:
                place_of(row)
                redacted, spans = tool.redact(row["text"], language_of(row))
                found = [{"start": s.start, "end": s.end, "type": s.type} for s in spans]
                write_row(handle, row | {"text": redacted, "spans": found})
    reader.finish()


def query(
    sql: Annotated[str, typer.Argument(help="SELECT …")],
    form: Annotated[Format, typer.Option("--format", help="table, csv, json")] = Format.table,
    purpose: Annotated[
        str | None,
        typer.Option(
            help=either(
                "Pourquoi le texte est ouvert (inscrit au registre des accès).",
                "Why text is opened (kept in the access log).",
            )
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Answer a read-only query on the store; the view to start from is ``labelled_passages``.

    A query that reads text is recorded: who, when, why.
    """
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.opening import query_recorded

    columns, rows = query_recorded(load_settings(config), sql, purpose)
    sys.stdout.write(render(columns, list(rows), form))


def render(columns: list[str], rows: list[Any], form: Format) -> str:
    """Write an answer as a table, CSV or JSON."""
    if form is Format.json:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        return json.dumps(objects, ensure_ascii=False, indent=1, default=_plain) + "\n"
    if form is Format.csv:
        from dsn_nlp.analyse.export import harmless_in_csv

        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(columns)
        writer.writerows([[harmless_in_csv(_plain_time(cell)) for cell in row] for row in rows])
        return buffer.getvalue()
    return _table(columns, rows)


def language_of(row: Row) -> Language:
    """The language a row states, else the one its text is told to be in."""
    from dsn_nlp.text import tell_language

    stated = row.get("lang")
    return stated if stated in ("fr", "en") else tell_language(row["text"])


def _labelled(classifier: "Classifier", rows: list[Row]) -> list[Row]:
    for row in rows:
        place_of(row)
    passages = [
        Passage(str(i), "", i, 0, len(row["text"]), row["text"], language_of(row))
        for i, row in enumerate(rows)
    ]
    labelled = []
    for row, passage, told in zip(rows, passages, classifier.label(passages), strict=True):
        labelled.append(
            row
            | {
                "lang": passage.lang,
                "complaints": list(told.complaints),
                "complaint_scores": _named(COMPLAINTS, told.complaint_scores),
                "sentiment": told.sentiment,
                "sentiment_scores": _named(SENTIMENTS, told.sentiment_scores),
                "needs_review": told.needs_review,
                "model": told.model,
            }
        )
    return labelled


def _passage_rows(rows: list[Row]) -> list[Row]:
    """Make one row a passage, with its offsets in the text it comes from."""
    from dsn_nlp.prepare.passages import split_document

    made = []
    for row in rows:
        document = Document("", "comment", "", row["text"], language_of(row))
        for passage in split_document(document):
            where = {"start": passage.start, "end": passage.end, "lang": passage.lang}
            made.append(row | {"text": passage.text} | where)
    return made


def _named(names: tuple[str, ...], scores: tuple[float, ...]) -> dict[str, float]:
    return {name: round(score, 4) for name, score in zip(names, scores, strict=True)}


def _table(columns: list[str], rows: list[Any]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=None if sys.stdout.isatty() else 200)
    console.print(table)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def _plain_time(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else str(cell)
