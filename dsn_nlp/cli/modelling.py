"""Commands of the ML engineer: make-base, train, retrain, evaluate, bench."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dsn_nlp.cli.jsonl import Reader, place_of
from dsn_nlp.cli.texts import (
    ConfigOption,
    FileArgument,
    ModelOption,
    load_classifier,
    models_folder,
)
from dsn_nlp.cli.training import (
    BASE,
    CORPUS,
    BaseOption,
    CorpusOption,
    ModelsOption,
    RateOption,
    SeedOption,
    SettingOption,
    VersionOption,
    need_training,
)
from dsn_nlp.errors import CorpusError, InputError
from dsn_nlp.records import COMPLAINTS
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

if TYPE_CHECKING:
    from dsn_nlp.label.classifier import Classifier
    from dsn_nlp.modelling.corpus import Example


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(
        "make-base",
        help=either("Produire l'encodeur bilingue de départ.", "Make the bilingual base encoder."),
    )(make_base)
    app.command(help=either("Entraîner et empaqueter un modèle.", "Train and package a model."))(
        train
    )
    app.command(
        help=either(
            "Réentraîner avec les étiquettes révisées.", "Retrain with the reviewed labels."
        )
    )(retrain)
    app.command(
        help=either(
            "Mesurer un modèle sur du JSONL étiqueté.", "Measure a model on labelled JSONL."
        )
    )(evaluate)
    app.command(
        help=either(
            "Mesurer la vitesse à côté d'autres moteurs.", "Measure speed beside other engines."
        )
    )(bench)


def make_base(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help=either("Dossier de l'encodeur.", "Folder of the encoder.")
        ),
    ] = BASE,
) -> None:
    """Write the base encoder as a Hugging Face folder."""
    from dsn_nlp.modelling.base import make_base as make

    parameters = make(output)
    typer.echo(f"{output}: {parameters / 1e6:.1f} M parameters")


def train(
    base: BaseOption = str(BASE),
    corpus: CorpusOption = CORPUS,
    lang: Annotated[
        Literal["fr", "en"] | None,
        typer.Option(help=either("Une seule langue.", "One language only.")),
    ] = None,
    name: Annotated[
        str, typer.Option(help=either("Nom du modèle.", "Name of the model."))
    ] = "dsn-camembert",
    model_version: VersionOption = "0.0.1",
    models: Annotated[
        Path, typer.Option(help=either("Dossier des modèles.", "Folder of models."))
    ] = Path("models"),
    work: Annotated[Path, typer.Option(help="Checkpoints.")] = Path("work/train"),
    epochs: Annotated[
        float | None, typer.Option(help=either("Passes sur le corpus.", "Passes over the corpus."))
    ] = None,
    rate: RateOption = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            help=either("Jetons lus d'un passage, au plus.", "Tokens read of a passage, at most.")
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help=either("Passages par lot.", "Passages a batch."))
    ] = None,
    seed: SeedOption = None,
    setting: SettingOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=either(
                "Réseaux affinés dont partir (virgules).",
                "Fine-tuned network.safetensors to go on from (commas between several).",
            )
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help=either("Reprendre.", "Go on from a checkpoint."))
    ] = False,
) -> None:
    """Fine-tune, export to int8 ONNX, calibrate, measure on the test split, write the card."""
    need_training("dsn-nlp train")
    from dsn_nlp.modelling.build import Target, build_model, describe
    from dsn_nlp.modelling.finetune import Recipe, changed

    chosen: dict[str, Any] = {
        "epochs": epochs, "rate": rate, "max_tokens": max_tokens, "batch": batch, "seed": seed,
        "start": start,
    }  # fmt: skip
    recipe = Recipe(base=base, **{k: v for k, v in chosen.items() if v is not None})
    recipe = changed(recipe, setting or [])
    target = Target(models, name, model_version)
    manifest = build_model(corpus, recipe, work, target, resume=resume, lang=lang)
    typer.echo(describe(manifest))
    typer.echo(
        either("Pour le mettre en service : ", "To make it serve: ")
        + f"dsn-nlp models serve {name}/{model_version}"
    )


def retrain(
    config: ConfigOption = None,
    base: BaseOption = str(BASE),
    corpus: CorpusOption = CORPUS,
    model_version: VersionOption = "",
    work: Annotated[Path, typer.Option(help="Checkpoints.")] = Path("work/retrain"),
    setting: SettingOption = None,
) -> None:
    """Train on corpus and reviewed labels; promote only what the gate lets through."""
    need_training("dsn-nlp retrain")
    from dsn_nlp.cli.operate import config_path, prepare_prefect

    prepare_prefect()
    from pipelines.retrain import run_retrain

    outcome = run_retrain(
        config=config_path(config), base=base, corpus=str(corpus.resolve()),
        version=model_version, work=str(work.resolve()), settings=setting or [],
    )  # fmt: skip
    for reason in outcome.verdict.reasons:
        print(f"dsn-nlp: {outcome.reference}: {shown(reason)}", file=sys.stderr)
    if not outcome.verdict.promoted:
        typer.echo(either("Le modèle en service reste.", "The serving model stays."))
        raise typer.Exit(1)
    typer.echo(either("En service : ", "Serving: ") + outcome.reference)


def evaluate(
    file: FileArgument = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=either("Écrire du JSON.", "Write JSON."))
    ] = False,
    model: ModelOption = None,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate", help=either("Comparer aux planchers.", "Compare with models/floors.json.")
        ),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help=either("Mesurer aussi les systèmes simples.", "Measure simple systems beside it."),
        ),
    ] = False,
    base: Annotated[str, typer.Option(help="--baselines")] = str(BASE),
    errors: Annotated[
        Path | None,
        typer.Option(
            help=either(
                "Écrire ici les erreurs du développement.", "Write errors on development here."
            )
        ),
    ] = None,
    set_floors: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help=either("Fixer de nouveaux planchers.", "Set the floors anew.")
        ),
    ] = None,
) -> None:
    """Measure on a file of labelled passages, or on the corpus's test split without one."""
    from dsn_nlp.modelling import evaluate as measuring
    from dsn_nlp.modelling.corpus import split_corpus
    from dsn_nlp.modelling.evaluate import measure, predict

    classifier = load_classifier(model)
    if errors is not None:
        _write_errors(classifier, errors)
        return
    reader = Reader(file) if file else None
    splits = split_corpus(CORPUS) if file is None or baselines else None
    examples = _read_gold(reader) if reader else (splits or {})["test"]
    reports = {classifier.model: measure(examples, predict(classifier, examples))}
    if baselines and splits:
        need_training("--baselines")
        from dsn_nlp.modelling.baselines import measure_baselines, measure_encoder

        alone = f"{classifier.model}, encoder alone"
        reports[alone] = measure_encoder(classifier, splits["test"])
        reports |= measure_baselines(splits, base)
    if as_json:
        typer.echo(json.dumps(reports if baselines else reports[classifier.model], indent=1))
    else:
        for name, report in reports.items():
            _print_report(name, report)
    if set_floors:
        measuring.set_floors(reports[classifier.model], models_folder(), set_floors)
    broken = []
    if gate:
        from dsn_nlp.modelling.promote import lost_by_quantization

        broken = measuring.check_floors(reports[classifier.model], models_folder())
        broken += lost_by_quantization(classifier.manifest)
    for line in broken:
        print(f"dsn-nlp: {shown(line)}", file=sys.stderr)
    if broken:
        raise typer.Exit(1)
    if reader:
        reader.finish()


def bench(
    file: Annotated[
        Path | None,
        typer.Argument(
            help=either(
                "JSONL étiqueté à chronométrer ; le développement sinon.",
                "Labelled JSONL to time; development otherwise.",
            )
        ),
    ] = None,
    base: Annotated[Path, typer.Option(help=either("Modèle de départ.", "Base model."))] = BASE,
    models: ModelsOption = None,
    corpus: CorpusOption = CORPUS,
    passages: Annotated[
        int, typer.Option(min=64, help=either("Combien de passages.", "How many passages."))
    ] = 512,
    rounds: Annotated[
        int, typer.Option(min=1, help=either("Combien de tours.", "How many rounds."))
    ] = 5,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help=either("Fichier JSON à écrire.", "JSON file to write.")),
    ] = None,
) -> None:
    """Time the serving model beside transformers, torch and ONNX Runtime, in one run."""
    from dsn_nlp.modelling.bench import bench as run
    from dsn_nlp.modelling.bench import table

    reader = Reader(file) if file else None
    texts = [e.text for e in _read_gold(reader)] if reader else None
    found = run(models or models_folder(), corpus, str(base), passages, rounds, texts)
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    typer.echo(table(found))
    if reader:
        reader.finish()


def _read_gold(reader: Reader) -> "list[Example]":
    from dsn_nlp.modelling.corpus import parse_example

    examples = []
    for rows in reader.chunks():
        for row in rows:
            place = place_of(row)
            try:
                examples.append(parse_example(row, place))
            except CorpusError as error:
                reader.put_aside(place, str(error).removeprefix(f"{place}: "))
    if not examples:
        raise InputError(f"{reader.name}: no labelled passage; see corpora/labelled for the form")
    return examples


def _print_report(name: str, report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from dsn_nlp.modelling.evaluate import rows_of_text

    table = Table(title=f"{name} · {report['digest']}")
    for column in ("", "n", "macro-F1", *COMPLAINTS, "sentiment"):
        table.add_column(column)
    for row in rows_of_text(report):
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if "calibration_error" in report:
        typer.echo(f"ECE {report['calibration_error']}  coverage {report['coverage']}")


def _write_errors(classifier: "Classifier", path: Path) -> None:
    """Development alone may be read for errors: who studies those of the test spoils it."""
    from dsn_nlp.cli.jsonl import write_row, writing
    from dsn_nlp.modelling.corpus import split_corpus
    from dsn_nlp.modelling.errors import error_rows, error_table
    from dsn_nlp.modelling.evaluate import predict

    examples = split_corpus(CORPUS)["development"]
    told = predict(classifier, examples)
    with writing(path) as handle:
        for row in error_rows(examples, told):
            write_row(handle, row)
    typer.echo("| passages | n | missed | too much | sentiment wrong |\n| - | - | - | - | - |")
    for cells in error_table(examples, told):
        typer.echo(f"| {' | '.join(cells)} |")
