"""Commands of rights and duties: privacy erase, retention, register, risk, roles and others."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsn_nlp.cli.texts import ConfigOption, Format, render
from dsn_nlp.errors import InputError
from dsn_nlp.speech import either

if TYPE_CHECKING:
    from dsn_nlp.privacy.erasure import Erased
    from dsn_nlp.store.privacy import Scope

privacy_app = typer.Typer(no_args_is_help=True)
FormOption = Annotated[Format, typer.Option("--format", help="table, csv, json")]


class Register(StrEnum):
    """Which register is shown."""

    processing = "processing"
    communication = "communication"
    incident = "incident"
    anonymisation = "anonymisation"
    deletions = "deletions"
    accesses = "accesses"
    exports = "exports"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(
        privacy_app,
        name="privacy",
        help=either(
            "Droits et devoirs : effacer, tenir registre.", "Rights and duties: erase, log."
        ),
    )


@privacy_app.command("erase", help=either("Effacer pour de bon.", "Erase for good."))
def erase(
    document: Annotated[str | None, typer.Option(help="document_id")] = None,
    respondent: Annotated[
        str | None,
        typer.Option(
            help=either(
                "Identifiant tel qu'il est dans les fichiers, ou - pour l'entrée standard.",
                "Identifier as it stands in the files, or - for standard input.",
            )
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help=either(
                "Toute une source ; avec --respondent, dans celle-ci seulement.",
                "A whole source; with --respondent, in this one only.",
            )
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Erase rows, labels, reviews, exports on disk and the bytes; what went does not come back."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.erasure import erase as erase_for_good
    from dsn_nlp.privacy.erasure import intake_of, respondents_of
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    scope: Scope
    if document and not respondent and not source:
        scope, values = "document", [document]
    elif respondent and not document:
        written = sys.stdin.readline() if respondent == "-" else respondent
        scope, values = "respondent", respondents_of(settings, written, source)
    elif source and not document:
        scope, values = "source", [source]
    else:
        raise InputError(
            "name one of --document, --respondent (with or without --source), --source"
        )
    with open_store(settings) as store:
        done = [erase_for_good(store, scope, value) for value in values]
    _tell_erased(done)
    if scope == "respondent":
        places = ", ".join(str(one.path) for one in intake_of(settings, source))
        typer.echo(
            either(
                f"Les fichiers reçus ne sont pas touchés ; retirez-y cette personne : {places}",
                f"The files received are not touched; take this person out of them: {places}",
            )
        )


def _tell_erased(done: list["Erased"]) -> None:
    counts: dict[str, int] = {}
    for one in done:
        for name, count in one.removed.counts.items():
            counts[name] = counts.get(name, 0) + count
    if not any(counts.values()):
        typer.echo(
            either("Rien à effacer, ou déjà effacé.", "Nothing to erase, or erased already.")
        )
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        typer.echo(either("Effacé : ", "Erased: ") + told)
    for path in (path for one in done for path in one.files):
        typer.echo(either("Fichier retiré : ", "File removed: ") + str(path))
    for path in (path for one in done for path in one.elsewhere):
        typer.echo(either("Ailleurs, à rappeler : ", "Elsewhere, to be recalled: ") + str(path))
    if counts.get("reviews"):
        typer.echo(
            either(
                "Des passages révisés sont partis : un modèle entraîné depuis a pu les lire ; "
                "réentraînez-le (dsn-nlp retrain).",
                "Reviewed passages are gone: a model trained since may have read them; "
                "retrain it (dsn-nlp retrain).",
            )
        )
    if not all(one.scrubbed for one in done):
        typer.echo(
            either(
                "Un lecteur tient encore l'ancien état : refaites la commande plus tard.",
                "A reader still holds the old state: run the command again later.",
            ),
            err=True,
        )
        raise typer.Exit(1)


@privacy_app.command(
    "retention", help=either("Effacer ce dont le temps est écoulé.", "Erase what is out of time.")
)
def retention(config: ConfigOption = None) -> None:
    """Enforce the retention of the settings now, as every night does."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.retention import enforce, months_kept
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    with open_store(settings) as store:
        erased = enforce(store, settings)
    for name, months in months_kept(settings):
        kept = (
            either(f"{months} mois", f"{months} months") if months else either("sans fin", "ever")
        )
        typer.echo(f"{name}: {kept}; {erased.get(name, 0)} " + either("effacés", "erased"))


@privacy_app.command("register", help=either("Montrer un registre.", "Show a register."))
def register(
    which: Annotated[
        Register, typer.Argument(help=either("Quel registre.", "Which register."))
    ] = Register.processing,
    form: FormOption = Format.table,
    config: ConfigOption = None,
) -> None:
    """Show processing, communications, incidents, anonymisations, deletions, accesses, exports."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.registers import FIELDS, processing
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    with open_store(settings) as store:
        if which is Register.processing:
            rows = processing(settings, store)
        elif which.value in FIELDS:
            rows = [
                {"entry_id": row["entry_id"], "recorded_by": row["recorded_by"], **row["fields"]}
                for row in store.records("register_entries")
                if row["kind"] == which.value
            ]
        else:
            rows = store.records(which.value)
    _show(rows, form)


@privacy_app.command("record", help=either("Inscrire au registre.", "Add to a register."))
def record(
    kind: Annotated[str, typer.Argument(help="communication, incident, anonymisation")],
    field: Annotated[list[str], typer.Option(help="NAME=VALUE")] = [],  # noqa: B006
    config: ConfigOption = None,
) -> None:
    """Add a communication, an incident or an anonymisation; entries can never be changed."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.registers import account, checked_fields
    from dsn_nlp.stages import open_store

    fields = checked_fields(kind, field)
    with open_store(load_settings(config)) as store:
        typer.echo(store.record_entry(account(), kind, fields))


@privacy_app.command("risk", help=either("Risque de réidentification.", "Re-identification risk."))
def risk(form: FormOption = Format.table, config: ConfigOption = None) -> None:
    """Show k, the smallest group, for each set of quasi-identifiers: site, unit, role, week."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.risk import assess
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    with open_store(settings) as store:
        found = assess(store, settings.privacy.smallest_group)
    _show([vars(one) | {"columns": " + ".join(one.columns)} for one in found], form)


@privacy_app.command("roles", help=either("Rôles PostgreSQL de lecture.", "PostgreSQL read roles."))
def roles(
    apply: Annotated[
        bool, typer.Option("--apply", help=either("Les créer.", "Create them."))
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Print, or run, the SQL of two read-only roles: with and without comment text."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.roles import grant, statements
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    if not apply:
        typer.echo(";\n".join(statements()) + ";")
        return
    with open_store(settings):
        pass  # migrated before views are granted
    grant(settings.store.url.get_secret_value())
    typer.echo(either("Rôles prêts : ", "Roles ready: ") + "dsn_analyst, dsn_text_reader")


@privacy_app.command(
    "password", help=either("Mot de passe du tableau de bord.", "Dashboard password.")
)
def password(
    file: Annotated[
        Path, typer.Argument(help=either("Fichier des mots de passe.", "Password file."))
    ],
    name: Annotated[str, typer.Argument(help=either("Nom de la personne.", "Name of the person."))],
) -> None:
    """Set a person's password in a file; it is asked for, or read from standard input."""
    from getpass import getpass

    from dsn_nlp.passwords import set_password

    ask = either("Mot de passe : ", "Password: ")
    given = getpass(ask) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    set_password(file, name, given)
    typer.echo(f"{file}: {name}")


@privacy_app.command("sbom", help=either("Nomenclature logicielle.", "Software bill of materials."))
def sbom(
    lock: Annotated[
        Path,
        typer.Option(help=either("Fichier des versions arrêtées.", "File of pinned versions.")),
    ] = Path("constraints.txt"),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=either("Fichier à écrire.", "File to write.")),
    ] = None,
) -> None:
    """Write a CycloneDX 1.6 JSON bill of materials from the lock file; the same each time."""
    from dsn_nlp.privacy.sbom import bill_of_materials

    text = bill_of_materials(lock)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror})") from None


def _show(rows: list[dict[str, Any]], form: Format) -> None:
    columns = list(rows[0]) if rows else []
    cells = [
        [json.dumps(c, ensure_ascii=False) if isinstance(c, dict) else c for c in row.values()]
        for row in rows
    ]
    if form is Format.table and not rows:
        typer.echo(either("Aucune entrée.", "No entry."))
        return
    sys.stdout.write(render(columns, cells, form))
