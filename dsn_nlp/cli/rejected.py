"""What was set aside: to list, and to try again."""

import json
import sys
from typing import Annotated, Any

import typer

from dsn_nlp.cli.texts import ConfigOption, Format, render
from dsn_nlp.errors import ConfigError
from dsn_nlp.speech import either, screen_language
from dsn_nlp.wordings import shown
from dsn_nlp.wordings.codes import code_name

SourceOption = Annotated[
    str | None,
    typer.Option("--source", help=either("Une seule source.", "One source only.")),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help=either("Ce qui a été mis de côté, et pourquoi.", "What was set aside, and why."),
    )
    group.command("list", help=either("Lister, du plus récent.", "List, newest first."))(list_)
    group.command(
        help=either(
            "Relire ce qui peut l'être, l'étiqueter et le publier.",
            "Read again what can be, label and publish it.",
        )
    )(retry)
    app.add_typer(group, name="rejected")


def list_(
    source: SourceOption = None,
    code: Annotated[
        str | None,
        typer.Option("--code", help=either("Un seul motif (son code).", "One reason (its code).")),
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help=either("Avec ce qui est réglé.", "With what is settled.")),
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, help=either("Combien de rangées, au plus.", "How many rows at most.")
        ),
    ] = 50,
    form: Annotated[Format, typer.Option("--format", help="table, csv, json")] = Format.table,
    config: ConfigOption = None,
) -> None:
    """List what was set aside: source, place, stage, reason; never text."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import open_store

    with open_store(load_settings(config)) as store:
        rows = store.rejected(limit, source, settled=every, code=code)
    if form is Format.json:
        sys.stdout.write(json.dumps([_object(row) for row in rows], ensure_ascii=False, indent=1))
        sys.stdout.write("\n")
        return
    columns = [either(*names) for names in _COLUMNS]
    sys.stdout.write(render(columns, [_cells(row) for row in rows], form))
    if form is Format.table and not rows:
        typer.echo(either("Rien n'est de côté.", "Nothing is set aside."))


_COLUMNS = (
    ("depuis", "since"),
    ("source", "source"),
    ("endroit", "place"),
    ("étape", "stage"),
    ("code", "code"),
    ("motif", "reason"),
    ("détail", "detail"),
)


def _cells(row: dict[str, Any]) -> list[str]:
    since = f"{row['first_seen_at']:%Y-%m-%d %H:%M}"
    code = str(row["code"])
    said = code_name(code, screen_language())
    return [since, row["source"], row["place"], row["stage"], code, said, shown(row["reason"])]


def _object(row: dict[str, Any]) -> dict[str, Any]:
    settled = row["settled_at"]
    return {
        "rejected_id": row["rejected_id"],
        "source": row["source"],
        "place": row["place"],
        "stage": row["stage"],
        "code": row["code"],
        "reason": row["reason"],
        "first_seen_at": row["first_seen_at"].isoformat(),
        "settled_at": settled.isoformat() if settled else None,
    }


def retry(source: SourceOption = None, config: ConfigOption = None) -> None:
    """Read sealed rows again, try refused files and articles again, then label and publish."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.rejections import retry_night

    settings = load_settings(config)
    names = settings.source_names()
    if source is not None and source not in names:
        raise ConfigError(f"no source is named '{source}'; the settings name {', '.join(names)}")
    counts = retry_night(settings, names if source is None else [source])
    typer.echo(
        either(
            f"{counts['settled']} rejets réglés, {counts['documents']} documents ajoutés, "
            f"{counts['rejected']} nouveaux rejets.",
            f"{counts['settled']} rejections settled, {counts['documents']} documents added, "
            f"{counts['rejected']} new rejections.",
        )
    )
