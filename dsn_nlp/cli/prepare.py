"""``dsn-nlp prepare``: language, relevance, establishments and voices of texts, as JSONL."""

from typing import Annotated, Any

import typer

from dsn_nlp.cli.jsonl import Reader, Row, place_of, write_row, writing
from dsn_nlp.cli.texts import FileArgument, OutputOption
from dsn_nlp.prepare.screen import THRESHOLD
from dsn_nlp.records import Kind
from dsn_nlp.speech import either


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        help=either(
            "Pertinence, établissements et voix de textes (JSONL).",
            "Relevance, establishments and voices of texts (JSONL).",
        )
    )(prepare)


def prepare(
    file: FileArgument = None,
    output: OutputOption = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help=either("Pertinent à partir de ce score.", "Relevant from this score."),
        ),
    ] = THRESHOLD,
) -> None:
    """Add lang, relevant, relevance_score, relevance_reason, sites and voices to each row.

    A row has a ``text``, or a ``title`` and a ``lead``; every other key is kept.
    """
    reader = Reader(file, check=problem_of)
    with writing(output) as handle:
        for rows in reader.chunks():
            for row in rows:
                place_of(row)
                write_row(handle, row | told_of(row, threshold))
    reader.finish()


def problem_of(row: Row) -> str | None:
    """What keeps a row from being prepared, if anything does."""
    for key in ("text", "title", "lead"):
        if row.get(key) is not None and not isinstance(row[key], str):
            return f"'{key}' is not a string"
    if not any((row.get(key) or "").strip() for key in ("text", "title", "lead")):
        return "no 'text', and no 'title' with 'lead'; give a non-empty string"
    if row.get("kind") not in (None, "article", "comment", "news"):
        return "'kind' is neither 'article' nor 'comment'"
    if row.get("lang") not in (None, "fr", "en"):
        return "'lang' is neither 'fr' nor 'en'"
    return None


def told_of(row: Row, threshold: float = THRESHOLD) -> dict[str, Any]:
    """What is added to a row; quotes are substrings of its text, or of its title or lead."""
    from dsn_nlp.prepare.context import tell_context
    from dsn_nlp.text import tell_language

    title, lead, text = (row.get(key) or "" for key in ("title", "lead", "text"))
    body = text or lead
    whole = text or "\n".join(part for part in (title, lead) if part)
    kind: Kind = "comment" if row.get("kind") == "comment" else "article"
    context = tell_context(title, body, kind, threshold=threshold)
    named = tell_context(None, whole, kind) if whole != body else context
    return {
        "lang": row.get("lang") or tell_language(whole),
        "relevant": context.screening.relevant,
        "relevance_score": round(context.screening.score, 4),
        "relevance_reason": context.screening.reason,
        "sites": list(dict.fromkeys(mention.site for mention in named.mentions)),
        "voices": [
            {"role": v.role, "quote": whole[v.start : v.end], "direct": v.direct}
            for v in named.voices
        ],
    }
