"""Commands on nights gone by: runs list, runs show."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from dsn_nlp.cli.texts import ConfigOption
from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.speech import either, screen_language
from dsn_nlp.wordings.codes import left_out

if TYPE_CHECKING:
    from rich.table import Table

runs_app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON")]
HERE = ZoneInfo("America/Toronto")
STATUS_FR = {
    "running": "en cours", "published": "publiée", "failed": "échouée",
    "interrupted": "interrompue", "held": "retenue",
}  # fmt: skip
HEADINGS = {
    "started": ("début", "started"), "status": ("état", "status"), "seconds": ("durée", "took"),
    "documents": ("documents", "documents"), "labelled": ("étiquetés", "labelled"),
    "rejected": ("rejets", "rejected"), "alerts": ("alertes", "alerts"), "run": ("nuit", "run"),
}  # fmt: skip
SECTIONS = {
    "volumes": ("Documents par source", "Documents by source"),
    "away": ("Sources illisibles", "Sources that could not be read"),
    "rejected": ("Rejets par source et motif", "Rejections by source and reason"),
    "seconds": ("Durée des étapes (s)", "Duration of stages (s)"),
    "languages": ("Passages par langue", "Passages by language"),
    "sentiments": ("Passages par ton", "Passages by sentiment"),
    "complaints": ("Passages par plainte", "Passages by complaint"),
}
BLOCKS = " ▁▂▃▄▅▆▇█"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    told = either(
        "Voir les nuits passées et leurs mesures.", "Show past nights and their measures."
    )
    app.add_typer(runs_app, name="runs", help=told)


@runs_app.command("list", help=either("Les dernières nuits.", "The last nights."))
def list_runs(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help=either("Combien.", "How many."))] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs first."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import open_store

    with open_store(load_settings(config)) as store:
        rows = store.runs(limit)
        measures = store.measures_of([row["run_id"] for row in rows])
    told = [_summary(row, measures[row["run_id"]]) for row in rows]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    table = _table(None, *HEADINGS)
    for row in told:
        table.add_row(*(_cell(row[name]) for name in HEADINGS))
    _print(table)


@runs_app.command("show", help=either("Une nuit en détail.", "One night in detail."))
def show_run(
    run: Annotated[
        str, typer.Argument(help=either("Début de son identifiant.", "How its id begins."))
    ] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a run measured; the newest one without an id.

    :raises InputError: when no run's id begins so.
    """
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import open_store

    with open_store(load_settings(config)) as store:
        row = store.find_run(run)
        if row is None:
            raise InputError(f"no run begins with '{run}'; list them with: dsn-nlp runs list")
        measures = store.measures_of([row["run_id"]])[row["run_id"]]
    if as_json:
        told = {**_summary(row, measures), "version": row["version"], "model": row["model"]}
        typer.echo(json.dumps({**told, "measures": measures}, ensure_ascii=False, indent=1))
        return
    _show(row, measures)


def _summary(row: Mapping[str, Any], measures: Mapping[str, Any]) -> dict[str, Any]:
    counts, finished = row["counts"] or {}, row["finished_at"]
    status = "held" if measures.get("gate", {}).get("held") else row["status"]
    return {
        "run": row["run_id"],
        "started": row["started_at"].isoformat(),
        "status": status,
        "seconds": round((finished - row["started_at"]).total_seconds(), 1) if finished else None,
        **{name: counts.get(name) for name in ("documents", "passages", "labelled", "rejected")},
        "alerts": len(measures.get("alerts", [])),
    }


def _show(row: Mapping[str, Any], measures: Mapping[str, Any]) -> None:
    from dsn_nlp.watch.alerts import read_alert

    french = screen_language() == "fr"
    told = _summary(row, measures)
    typer.echo(f"{row['run_id']}  {_cell(told['started'])}  {_cell(told['status'])}")
    typer.echo(f"dsn-nlp {row['version']}, {row['model'] or '—'}, {_cell(told['seconds'])} s")
    for record in measures.get("alerts", []):
        mark = "!" if record["level"] == "alarm" else "·"
        typer.echo(f"{mark} {read_alert(record).line(screen_language())}")
    shown = {**measures, "rejected": left_out(measures, screen_language())}
    for name, titles in SECTIONS.items():
        if shown.get(name):
            typer.echo(f"\n{titles[0 if french else 1]}")
            rows = _flat(shown[name])
            width = max(len(key) for key, _ in rows)
            for key, value in rows:
                typer.echo(f"  {key:<{width}}  {_cell(value):>7}")
    if measures.get("scores"):
        _show_scores(measures)


def _show_scores(measures: Mapping[str, Any]) -> None:
    """Histograms of scores from 0 to 1, each beside its drift."""
    table = _table(
        either("Répartition des scores, et dérive", "Spread of scores, and drift"),
        "", "0 → 1", either("28 nuits", "28 nights"), either("entraînement", "training"),
    )  # fmt: skip
    for name in (*COMPLAINTS, *SENTIMENTS):
        drift = measures.get("drift", {}).get(name, {})
        cells = [_drift_cell(drift.get(side)) for side in ("nights", "training")]
        table.add_row(name, sparkline(measures["scores"][name]), *cells)
    _print(table)


def sparkline(counts: list[int]) -> str:
    """Draw a histogram on one line, each bar by the root of its count, so that few still show."""
    highest = max([*counts, 1]) ** 0.5
    return "".join(BLOCKS[-(-int(count**0.5 / highest * 800) // 100)] for count in counts)


def _drift_cell(found: list[float] | None) -> str:
    return f"{_cell(round(found[0], 2))} (p {_cell(round(found[1], 3))})" if found else "—"


def _flat(counts: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in sorted(counts.items()):
        name = f"{before}{key}"
        rows += _flat(value, f"{name} : ") if isinstance(value, Mapping) else [(name, value)]
    return rows


def _table(title: str | None, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        heading = (
            HEADINGS[column][0 if either("fr", "en") == "fr" else 1]
            if column in HEADINGS
            else column
        )
        table.add_column(heading, justify="right" if position > 1 else "left", no_wrap=True)
    return table


def _cell(value: Any) -> str:
    """Write a value as Québec does."""
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:g}".replace(".", either(",", "."))
    if isinstance(value, str) and "T" in value and value[:4].isdigit() and "+" in value:
        return f"{datetime.fromisoformat(value).astimezone(HERE):%Y-%m-%d %H:%M}"
    return either(STATUS_FR.get(str(value), str(value)), str(value))


def _print(table: "Table") -> None:
    import sys

    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 150, highlight=False).print(table)
