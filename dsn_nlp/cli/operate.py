"""Commands of the operator: run, serve, doctor."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsn_nlp.cli.texts import ConfigOption
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Tally
from dsn_nlp.speech import either, screen_language

if TYPE_CHECKING:
    from dsn_nlp.config import Settings

LABELS_FR = {
    "training": "formation", "security": "sécurité", "administrative_burden": "fardeau adm.",
    "technical_failure": "technique", "patient_care": "soins", "negative": "négatif",
    "neutral": "neutre", "positive": "positif", "article": "articles", "comment": "commentaires",
}  # fmt: skip
# Nothing about a hospital's nights leaves the hospital, and the database starts slowly at first.
PREFECT_ENVIRONMENT = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(help=either("Lancer la nuit maintenant.", "Run the night now."))(run)
    app.command(
        help=either("Servir l'horaire (4 h, Montréal).", "Serve the schedule (04:00, Montréal).")
    )(serve)
    app.command(
        help=either("Vérifier l'installation et dire quoi faire.", "Check the installation.")
    )(doctor)


def run(
    config: ConfigOption = None,
    prefect: Annotated[
        bool,
        typer.Option(help=either("Par Prefect, ou directement.", "Through Prefect, or directly.")),
    ] = True,
    release: Annotated[
        bool,
        typer.Option(
            "--release",
            help=either("Publier malgré les alarmes.", "Publish in spite of alarms."),
        ),
    ] = False,
) -> None:
    """Gather, de-identify, split, label and publish; then show where things stand."""
    from dsn_nlp.config import load_settings

    settings = load_settings(config)
    began = time.time()
    through_prefect = prefect and _prefect_answers()
    counts = _run_flow(config, release) if through_prefect else _run_directly(settings, release)
    if settings.run.export is not None:
        from dsn_nlp.analyse.export import EXPORT_FILE

        target = settings.run.export / EXPORT_FILE
        if target.is_file() and target.stat().st_mtime >= began:  # else the log says why not
            typer.echo(either("Export\N{NO-BREAK SPACE}: ", "Export: ") + str(target))
    _tell_report(settings, began)
    _print_summary(settings, counts)


def _tell_report(settings: "Settings", began: float) -> None:
    """Say where tonight's page is, in the screen's language."""
    folder = settings.run.reports
    written = folder.glob(f"*.{screen_language()}.html") if folder else ()
    for path in sorted(written):
        if path.stat().st_mtime >= began:  # else the log says why not
            typer.echo(either("Rapport\N{NO-BREAK SPACE}: ", "Report: ") + str(path))


def serve(config: ConfigOption = None) -> None:
    """Serve the nightly deployment until stopped."""
    from dsn_nlp.config import load_settings

    load_settings(config)
    prepare_prefect()
    from pipelines.nightly import serve_nightly

    serve_nightly(config_path(config))


def doctor(config: ConfigOption = None) -> None:
    """Print one line a check, with what to do; exit with 1 when something must be done."""
    from dsn_nlp.doctor import examine

    findings = examine(config)
    for finding in findings:
        typer.echo(finding.line())
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


def prepare_prefect() -> None:
    """Set Prefect's environment, before it is imported; what the operator set stays."""
    for name, value in PREFECT_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if home := os.environ.get("PREFECT_HOME"):
        Path(home).mkdir(parents=True, exist_ok=True)  # Prefect makes no parents


def config_path(config: Path | None) -> str:
    """Absolute path of the settings file, for flows."""
    from dsn_nlp.config import DEFAULT_FILE

    return str((config or Path(os.environ.get("DSN_NLP_CONFIG", DEFAULT_FILE))).resolve())


def _prefect_answers() -> bool:
    """Ask the configured Prefect server, if any; without an answer the night does without it."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return True  # Prefect then brings a server of its own
    import httpx

    try:
        httpx.get(f"{address}/health", timeout=5, trust_env=False).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL):
        told = either(
            f"{address} : le serveur Prefect ne répond pas ; la nuit se fait sans lui",
            f"{address}: the Prefect server does not answer; the night runs without it",
        )
        typer.echo(f"dsn-nlp: {told}", err=True)
        return False
    return True


def _run_flow(config: Path | None, release: bool) -> dict[str, int]:
    prepare_prefect()
    from pipelines.nightly import run_nightly

    return run_nightly(config_path(config), release)


def _run_directly(settings: "Settings", release: bool) -> dict[str, int]:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from dsn_nlp.stages import run_night

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(either("Étiquetage", "Labelling"), total=None)
        return run_night(
            settings,
            on_tally=lambda tally: console.print(tally_line(tally)),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            release=release,
        )


def tally_line(tally: Tally) -> str:
    """Write a stage's counts on one line, in the screen's language."""
    counts = tally.counts
    if "documents" not in counts:
        return either(
            f"{counts['labelled']} passages étiquetés", f"{counts['labelled']} passages labelled"
        )
    known = counts.get("known", 0)
    return either(
        f"{tally.stage} : {counts['documents']} nouveaux documents, {counts['passages']} passages, "
        f"{counts['rejected']} rejets" + (f", {known} déjà connus" if known else ""),
        f"{tally.stage}: {counts['documents']} new documents, {counts['passages']} passages, "
        f"{counts['rejected']} rejected" + (f", {known} known already" if known else ""),
    )


def _print_summary(settings: "Settings", counts: dict[str, int]) -> None:
    from rich.console import Console
    from rich.table import Table

    from dsn_nlp.analyse.questions import breakdown
    from dsn_nlp.stages import open_store
    from dsn_nlp.store.engine import describe, parse_url
    from dsn_nlp.watch.night import alerts_of

    url = settings.store.url.get_secret_value()
    table = Table(title=either("Passages par plainte et par ton", "Passages by complaint and tone"))
    french = either("fr", "en") == "fr"
    for column in ("", either("passages", "passages"), *COMPLAINTS, *SENTIMENTS):
        table.add_column(
            LABELS_FR.get(column, column) if french else column.replace("_", " "),
            justify="right" if column else "left",
        )
    parts = breakdown(url, settings.analyse.respondents)
    for part in parts:
        name = (
            f"{LABELS_FR[part.kind] if french else part.kind} ({part.lang})"
            if part.kind
            else (either("ensemble", "all"))
        )
        cells = (part.passages, *part.complaints, *part.sentiments)
        table.add_row(name, *map(_number, cells), style=None if part.kind else "bold")
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    if any(part.passages is None for part in parts):
        typer.echo(
            either("▒ : trop peu de personnes pour montrer.", "▒: too few people to be shown.")
        )
    with open_store(settings) as store:
        digest = store.digest()[:16]
        told = alerts_of(store, store.runs(1)[0]["run_id"])
    for alert in told:
        mark = "!" if alert.level == "alarm" else "·"
        typer.echo(f"{mark} {alert.line(screen_language())}")
    if not counts["documents"] and not counts["labelled"]:
        typer.echo(either("Rien de nouveau cette nuit.", "Nothing new tonight."))
    typer.echo(
        either(
            f"Cette nuit : {counts['documents']} documents, {counts['passages']} passages, "
            f"{counts['labelled']} étiquetés, {counts['rejected']} rejets.",
            f"Tonight: {counts['documents']} documents, {counts['passages']} passages, "
            f"{counts['labelled']} labelled, {counts['rejected']} rejected.",
        )
    )
    if alike := counts.get("alike"):
        typer.echo(
            either(
                f"! {alike} commentaires laissés de côté : leurs mots avaient déjà été reçus, et "
                "ni identifiant de réponse ni date ne les distinguent. Voyez dsn-nlp doctor.",
                f"! {alike} comments left out: their words came before, and neither a response id "
                "nor a date tells them apart. See dsn-nlp doctor.",
            )
        )
    typer.echo(either("Entrepôt : ", "Store: ") + f"{describe(parse_url(url))}  ({digest})")
    typer.echo(either("À essayer :", "Try:"))
    for sql in EXAMPLES:
        typer.echo(f'  dsn-nlp query "{sql}"')


def _number(count: int | None) -> str:
    """Write a count as Québec does: thousands apart by a narrow no-break space."""
    if count is None:
        return "▒"
    return f"{count:,}".replace(",", either("\u202f", ","))


EXAMPLES = (
    "SELECT site, count(*) AS plaintes FROM labelled_passages WHERE training "
    "GROUP BY site HAVING count(DISTINCT document_id) >= 5 ORDER BY plaintes DESC",
    "SELECT day, sentiment, count(*) AS passages FROM labelled_passages "
    "GROUP BY day, sentiment ORDER BY day",
    "SELECT text, security_score FROM labelled_passages WHERE security "
    "ORDER BY security_score DESC LIMIT 5",
)
