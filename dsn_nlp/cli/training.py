"""What the commands of the ML engineer share: their options, and the extra that they need."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from dsn_nlp.errors import MissingExtraError
from dsn_nlp.speech import either

CORPUS = Path("corpora/labelled")
BASE = Path("work/base")

BaseOption = Annotated[
    str, typer.Option(help=either("Dossier ou identifiant Hugging Face.", "Folder or HF id."))
]
SettingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help=either("Tout autre choix de la recette.", "Any other choice of the recipe."),
    ),
]
CorpusOption = Annotated[
    Path,
    typer.Option(help=either("Dossier du corpus étiqueté.", "Folder of the labelled corpus.")),
]
ModelsOption = Annotated[
    Path | None, typer.Option(help=either("Dossier des modèles.", "Folder of models."))
]
VersionOption = Annotated[
    str,
    typer.Option(
        help=either("Version du modèle, par exemple 1.3.0.", "Version of the model, such as 1.3.0.")
    ),
]
RateOption = Annotated[
    float | None, typer.Option(help=either("Taux d'apprentissage.", "Learning rate."))
]
SeedOption = Annotated[
    int | None, typer.Option(help=either("Graine du hasard.", "Seed of chance."))
]


def need_training(command: str) -> None:
    """Make sure that the extra ``train`` is installed.

    :raises MissingExtraError: when it is not.
    """
    if not all(find_spec(module) for module in ("torch", "transformers", "datasets")):
        raise MissingExtraError("train", command)
