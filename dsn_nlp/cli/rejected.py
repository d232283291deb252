"""What was set aside: to list, and to try again."""

import json
import sys
from typing import Annotated, Any

import typer

from dsn_nlp.cli.texts import ConfigOption, Format, render
from dsn_nlp.errors import ConfigError
from dsn_nlp.speech import either

# Reasons in one word, as people say them; a code that is not here is shown as it is.
REASONS = {
    "column-missing": ("colonne absente", "column missing"),
    "column-twice": ("colonne en double", "column twice"),
    "damaged": ("fichier endommagé", "damaged file"),
    "damaged-text": ("texte endommagé", "damaged text"),
    "date": ("date illisible", "unreadable date"),
    "doctype": ("XML suspect (DOCTYPE)", "suspect XML (DOCTYPE)"),
    "empty": ("texte vide", "empty text"),
    "empty-file": ("fichier vide", "empty file"),
    "encoding": ("encodage inconnu", "unknown encoding"),
    "encrypted": ("protégé par mot de passe", "password-protected"),
    "export-unknown": ("export non reconnu", "export not recognised"),
    "fields": ("nombre de cellules", "number of cells"),
    "gap": ("longue suite de rangées vides", "long run of empty rows"),
    "hard-link": ("lien physique", "hard link"),
    "json": ("JSON invalide", "invalid JSON"),
    "kind": ("type de fichier non lu", "kind of file not read"),
    "nested-archive": ("archive dans l'archive", "archive in the archive"),
    "no-file": ("fichier absent", "no such file"),
    "no-lines": ("pas de lignes", "no lines"),
    "no-sheet": ("feuille absente", "no such sheet"),
    "no-text-column": ("aucune question ouverte", "no open question"),
    "not-a-file": ("pas un fichier", "not a file"),
    "not-a-workbook": ("pas un classeur", "not a workbook"),
    "old-excel": ("ancien Excel (.xls)", "old Excel (.xls)"),
    "other": ("autre", "other"),
    "quoting": ("guillemets CSV", "CSV quoting"),
    "response-twice": ("réponse déjà lue, autre texte", "response read before, other text"),
    "sql": ("requête ou base de données", "query or database"),
    "symlink": ("lien symbolique", "symbolic link"),
    "timeout": ("trop long à lire", "too long to read"),
    "too-large": ("trop gros", "too large"),
    "too-long": ("texte trop long", "text too long"),
    "too-many-bad-rows": ("trop de rangées illisibles", "too many unreadable rows"),
    "too-many-columns": ("trop de colonnes", "too many columns"),
    "too-many-parts": ("archive de trop de parties", "archive of too many parts"),
    "too-many-rows": ("trop de rangées", "too many rows"),
    "unknown-column": ("colonne imprévue", "unexpected column"),
    "unreadable": ("illisible", "unreadable"),
    "zip-bomb": ("bombe zip", "zip bomb"),
}
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
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
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
    said = either(*REASONS[code]) if code in REASONS else code
    return [since, row["source"], row["place"], row["stage"], code, said, row["reason"]]


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
