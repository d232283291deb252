"""The group ``models``: what is installed, what serves, and the tagger of identifiers."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dsn_nlp.cli.texts import models_folder
from dsn_nlp.cli.training import (
    BASE,
    CORPUS,
    CorpusOption,
    ModelsOption,
    RateOption,
    SeedOption,
    VersionOption,
    need_training,
)
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

models_app = typer.Typer(no_args_is_help=True)
ReferenceArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME/VERSION",
        help=either(
            "Modèle, par exemple dsn-camembert/1.2.0.", "Model, such as dsn-camembert/1.2.0."
        ),
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(models_app, name="models", help=either("Modèles installés.", "Installed models."))


@models_app.command(
    "train-deidentifier",
    help=either(
        "Entraîner le repérage des identifiants.", "Train the tagger of personal identifiers."
    ),
)
def train_deidentifier(
    base: Annotated[
        Path, typer.Option(help=either("Dossier de l'encodeur.", "Folder of the encoder."))
    ] = BASE,
    corpus: Annotated[
        Path, typer.Option(help=either("Commentaires balisés.", "Tagged comments."))
    ] = Path("corpora/deidentification"),
    labelled: Annotated[
        Path, typer.Option(help=either("Passages étiquetés.", "Labelled passages."))
    ] = CORPUS,
    hold: Annotated[
        str,
        typer.Option(
            help=either(
                "Début des id. sur lesquels choisir les seuils.",
                "How ids begin on which thresholds are chosen.",
            )
        ),
    ] = "tb-",
    model_version: VersionOption = "0.0.1",
    models: Annotated[
        Path, typer.Option(help=either("Dossier des modèles.", "Folder of models."))
    ] = Path("models"),
    work: Annotated[Path, typer.Option(help="Checkpoints.")] = Path("work/deidentifier"),
    layers: Annotated[
        int | None,
        typer.Option(
            min=1, help=either("Couches de l'encodeur gardées.", "Layers of the encoder kept.")
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=0, help=either("Passes sur le corpus.", "Passes over the corpus.")),
    ] = None,
    rate: RateOption = None,
    seed: SeedOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=either(
                "Dossier de modèle dont partir, repérage ou classifieur.",
                "Model folder to go on from, a tagger's or a classifier's.",
            )
        ),
    ] = None,
) -> None:
    """Fine-tune twice, choose thresholds on comments held out, export to int8 ONNX."""
    need_training("dsn-nlp models train-deidentifier")
    from dsn_nlp.modelling.tagger import TaggerRecipe
    from dsn_nlp.modelling.tagger_build import TaggerTarget, build_tagger

    chosen: dict[str, Any] = {
        "layers": layers, "epochs": epochs, "rate": rate, "seed": seed, "start": start,
    }  # fmt: skip
    recipe = TaggerRecipe(base=str(base), **{k: v for k, v in chosen.items() if v is not None})
    target = TaggerTarget(models, model_version, hold)
    manifest = build_tagger(corpus, labelled, recipe, work, target)
    for lang, measured in manifest.measured.items():
        typer.echo(f"{lang}: " + ", ".join(f"{name} {v:.3f}" for name, v in measured.items()))


@models_app.command("list", help=either("Lister les modèles installés.", "List installed models."))
def list_models(
    models: ModelsOption = None,
) -> None:
    """List installed models; the serving one is marked with ``*``."""
    from dsn_nlp.errors import ModelError
    from dsn_nlp.label.folder import list_models as find
    from dsn_nlp.label.folder import serving_folder

    folder = models or models_folder()
    try:
        serving = serving_folder(folder)
    except ModelError:
        serving = None
    for manifest in find(folder):
        mark = "*" if folder / manifest.name / manifest.version == serving else " "
        test = manifest.measured.get("test", {})
        figures = f"{test.get('macro_f1', 0):.3f} / {test.get('sentiment_macro_f1', 0):.3f}"
        typer.echo(f"{mark} {manifest.name}/{manifest.version}  {manifest.created}  {figures}")


ReasonOption = Annotated[
    str, typer.Option("--reason", help=either("Inscrite au journal.", "Written into the log."))
]


@models_app.command(
    "serve", help=either("Mettre un modèle en service.", "Make a model the serving one.")
)
def serve_model(
    reference: ReferenceArgument,
    models: ModelsOption = None,
    reason: ReasonOption = "by hand",
) -> None:
    """Make a model the serving one, after checking its files but not its figures."""
    from dsn_nlp.modelling.promote import move_to

    move_to(models or models_folder(), reference, reason)
    typer.echo(either("En service : ", "Serving: ") + reference)


@models_app.command(
    "promote",
    help=either("Mettre en service un modèle s'il est meilleur.", "Make a better model serve."),
)
def promote_model(
    reference: ReferenceArgument,
    models: ModelsOption = None,
    corpus: CorpusOption = CORPUS,
) -> None:
    """Make a model serve if no floor breaks and it beats the serving one on the frozen test."""
    from dsn_nlp.modelling.promote import promote

    verdict = promote(models or models_folder(), reference, corpus)
    for reason in verdict.reasons:
        print(f"dsn-nlp: {reference}: {shown(reason)}", file=sys.stderr)
    if not verdict.promoted:
        raise typer.Exit(1)
    typer.echo(either("En service : ", "Serving: ") + reference)


@models_app.command(
    "rollback", help=either("Revenir au modèle d'avant.", "Go back to the model before.")
)
def roll_back_model(
    models: ModelsOption = None,
    reason: ReasonOption = "",
) -> None:
    """Make the model serve that served before; the next night shows its labels again."""
    from dsn_nlp.modelling.promote import roll_back

    typer.echo(either("En service : ", "Serving: ") + roll_back(models or models_folder(), reason))
