"""Commands that keep a store: backup, restore."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsn_nlp.cli.texts import ConfigOption
from dsn_nlp.speech import either

if TYPE_CHECKING:
    from dsn_nlp.store.backup import Manifest

FolderArgument = Annotated[
    Path, typer.Argument(help=either("Dossier de la sauvegarde.", "Folder of the backup."))
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(
        help=either("Sauvegarder l'entrepôt, et vérifier.", "Back up the store, verified.")
    )(backup)
    app.command(help=either("Rétablir une sauvegarde vérifiée.", "Restore a verified backup."))(
        restore
    )


def backup(path: FolderArgument, config: ConfigOption = None) -> None:
    """Write a backup of the store into a new folder; nights and readers go on meanwhile."""
    from dsn_nlp import __version__
    from dsn_nlp.config import load_settings
    from dsn_nlp.store.backup import back_up

    settings = load_settings(config)
    manifest = back_up(settings.store.url.get_secret_value(), path, __version__)
    typer.echo(either("Sauvegarde vérifiée : ", "Verified backup: ") + _line(path, manifest))
    advice = either(
        "La clé des commentaires n'y est pas ; gardez-la ailleurs : ",
        "The comments key is not in it; keep it elsewhere: ",
    )
    typer.echo(f"{advice}{settings.key_file}")


def restore(
    path: FolderArgument,
    config: ConfigOption = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help=either("Remplacer l'entrepôt qui est là.", "Replace the store that is there."),
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help=either("Vérifier seulement.", "Only verify."))
    ] = False,
) -> None:
    """Make the store what a backup holds, all of it or nothing."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.store.backup import check_backup
    from dsn_nlp.store.backup import restore as put_back

    if check:
        manifest = check_backup(path)
        typer.echo(either("Sauvegarde entière : ", "Whole backup: ") + _line(path, manifest))
        return
    settings = load_settings(config)
    manifest = put_back(settings.store.url.get_secret_value(), path, replace)
    typer.echo(either("Rétabli : ", "Restored: ") + _line(path, manifest))


def _line(path: Path, manifest: "Manifest") -> str:
    rows = sum(manifest.rows.values())
    return (
        f"{path} (dsn-nlp {manifest.version}, {manifest.created}, "
        + either(
            f"schéma {manifest.revision}, {rows} rangées, ",
            f"schema {manifest.revision}, {rows} rows, ",
        )
        + f"{manifest.digest[:16]})"
    )
