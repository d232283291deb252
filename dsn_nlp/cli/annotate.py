"""Commands of review: annotate export, import, agreement, suspects."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from dsn_nlp.cli.texts import ConfigOption, OutputOption
from dsn_nlp.errors import InputError, MissingExtraError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

Form = Literal["label-studio", "doccano", "xlsx"]
Strategy = Literal["uncertain", "neighbours", "random", "label"]

annotate_app = typer.Typer(no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(
        annotate_app,
        name="annotate",
        help=either("Faire réviser des étiquettes par des gens.", "Have people review labels."),
    )


@annotate_app.command(
    "export", help=either("Écrire une feuille de révision.", "Write a review sheet.")
)
def export(
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help=either("Feuille à écrire.", "Sheet to write."))
    ],
    form: Annotated[
        Form, typer.Option("--format", help=either("Format de la feuille.", "Format of the sheet."))
    ] = "xlsx",
    strategy: Annotated[
        Strategy, typer.Option(help=either("Quels passages choisir.", "Which passages to pick."))
    ] = "uncertain",
    size: Annotated[
        int, typer.Option(min=1, help=either("Combien de passages.", "How many passages."))
    ] = 200,
    label: Annotated[str | None, typer.Option(help="--strategy label")] = None,
    guess: Annotated[
        bool,
        typer.Option(
            "--show-guess",
            help=either("Montrer l'avis du modèle.", "Show what the model says."),
        ),
    ] = False,
    second: Annotated[
        str | None,
        typer.Option(
            "--second-reading-by",
            metavar="NAME",
            help=either(
                "Inclure ce que d'autres ont révisé.", "Include what others have reviewed."
            ),
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help=either("Graine du tirage.", "Seed of the draw."))] = 17,
    config: ConfigOption = None,
) -> None:
    """Pick passages for review; the model's own guess is hidden unless asked for."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.registers import account
    from dsn_nlp.review.pick import pick
    from dsn_nlp.review.write import SUFFIXES, write_sheet
    from dsn_nlp.stages import open_store

    if (strategy == "label") != (label is not None) or (
        label is not None and label not in (*COMPLAINTS, *SENTIMENTS)
    ):
        names = ", ".join((*COMPLAINTS, *SENTIMENTS))
        raise InputError(f"--strategy label goes with --label NAME, one of {names}")
    if output.suffix != SUFFIXES[form]:
        raise InputError(f"{output}: a {form} sheet must end in {SUFFIXES[form]}")
    with open_store(load_settings(config)) as store:
        found = pick(store.candidates(second), strategy, size, label=label, seed=seed)
        store.record_access(account(), "annotate", "review", len(found))
        write_sheet(found, form, output, guess)
        store.record_export(output, "annotate", len(found), has_text=True)
    typer.echo(f"{output}: {len(found)} passages")


@annotate_app.command(
    "import", help=either("Lire une feuille remplie.", "Take in a filled review sheet.")
)
def take(
    file: Annotated[
        Path, typer.Argument(help=either("Feuille remplie.", "Sheet that was filled in."))
    ],
    annotator: Annotated[
        str | None, typer.Option(help=either("Qui a révisé.", "Who reviewed."))
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Check and store reviewed labels; rows that cannot be used are told with their reason."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.review.labels import take_in
    from dsn_nlp.review.read import read_sheet
    from dsn_nlp.stages import open_store

    with open_store(load_settings(config)) as store:
        intake = take_in(store, read_sheet(file, annotator))
    for row in intake.unusable:
        print(f"dsn-nlp: {shown(f'{row.place}: {row.reason}')}", file=sys.stderr)
    typer.echo(
        either(
            f"{intake.stored} révisions inscrites, {intake.unchanged} déjà là, "
            f"{len(intake.unusable)} mises de côté",
            f"{intake.stored} reviews stored, {intake.unchanged} there already, "
            f"{len(intake.unusable)} put aside",
        )
    )
    if intake.unusable:
        raise typer.Exit(2)


@annotate_app.command("agreement", help=either("Accord entre réviseurs.", "How reviewers agree."))
def show_agreement(
    readings: Annotated[
        Path | None,
        typer.Option(
            help=either(
                "Doubles lectures d'un corpus (JSONL).", "Double readings of a corpus (JSONL)."
            )
        ),
    ] = None,
    corpus: Annotated[
        Path,
        typer.Option(
            help=either(
                "Corpus qui dit la langue des passages relus.",
                "Corpus that tells the language of the passages read.",
            )
        ),
    ] = Path("corpora/labelled"),
    config: ConfigOption = None,
) -> None:
    """Cohen's kappa of each label over passages that several people have read."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.review.labels import agreement
    from dsn_nlp.stages import open_store

    if readings is not None:
        _show_readings(readings, corpus)
        return
    with open_store(load_settings(config)) as store:
        pairs, found = agreement(store)
    typer.echo(either(f"{pairs} doubles lectures", f"{pairs} double readings"))
    for name, kappa in found.items():
        typer.echo(f"{name:24}{kappa:6.3f}")


def _show_readings(readings: Path, corpus: Path) -> None:
    """Print kappa and its 95 % interval: of all double readings, then by language."""
    from dsn_nlp.modelling.corpus import read_corpus
    from dsn_nlp.review.agreement import kappa_intervals, read_named_readings

    told = read_named_readings(readings)
    typer.echo(either(f"{len(told)} doubles lectures", f"{len(told)} double readings"))
    langs = {e.example_id: e.lang for e in read_corpus(corpus)}
    parts = {"": [pair for _, pair in told]}
    for lang in ("fr", "en"):
        parts[lang] = [pair for name, pair in told if langs.get(name) == lang]
    for lang, pairs in parts.items():
        if lang and pairs:
            typer.echo(f"{lang}: {len(pairs)}")
        for name, kappa in kappa_intervals(pairs).items():
            typer.echo(f"{name:24}{kappa.value:6.3f}  [{kappa.low:.3f}, {kappa.high:.3f}]")


@annotate_app.command(
    "suspects", help=either("Erreurs d'étiquette probables.", "List probable label errors.")
)
def suspects(
    corpus: Annotated[
        Path,
        typer.Option(help=either("Dossier du corpus étiqueté.", "Folder of the labelled corpus.")),
    ] = Path("corpora/labelled"),
    size: Annotated[
        int, typer.Option(min=1, help=either("Combien de passages.", "How many passages."))
    ] = 100,
    output: OutputOption = None,
) -> None:
    """Compare the corpus with scores of models that have not seen the passage (cleanlab)."""
    from importlib.util import find_spec

    from dsn_nlp.cli.jsonl import write_row, writing
    from dsn_nlp.modelling.corpus import read_corpus

    if not find_spec("cleanlab"):
        raise MissingExtraError("train", "dsn-nlp annotate suspects")
    from dsn_nlp.modelling.suspects import find_suspects

    with writing(output) as handle:
        for found in find_suspects(read_corpus(corpus))[:size]:
            row = {
                "id": found.example.example_id, "file": found.example.file, "label": found.label,
                "given": found.given, "score": round(found.score, 4), "text": found.example.text,
            }  # fmt: skip
            if handle is None:
                typer.echo(json.dumps(row, ensure_ascii=False))
            else:
                write_row(handle, row)
