"""Commands on sources: backfill, sources check."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsn_nlp.cli.operate import config_path, prepare_prefect, tally_line
from dsn_nlp.cli.texts import ConfigOption
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

if TYPE_CHECKING:
    from dsn_nlp.backfill import Trial

sources_app = typer.Typer(no_args_is_help=True)
KINDS_FR = {
    "feed": "fil", "sitemap": "plan de site", "urls": "liste d'adresses",
    "pages": "pages enregistrées", "press": "revue de presse", "comments": "commentaires",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(
        help=either(
            "Recueillir les nouvelles de jours passés.", "Gather the articles of past days."
        )
    )(backfill)
    app.add_typer(
        sources_app,
        name="sources",
        help=either("Essayer les sources configurées.", "Try the configured sources."),
    )


def backfill(
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], help=either("Premier jour, inclus.", "First day, included.")
        ),
    ],
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help=either("Dernier jour, inclus (aujourd'hui).", "Last day, included (today)."),
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help=either("Une source (toutes sans cela).", "One source (default: all).")),
    ] = None,
    prefect: Annotated[
        bool,
        typer.Option(help=either("Par Prefect, ou directement.", "Through Prefect, or directly.")),
    ] = True,
    config: ConfigOption = None,
) -> None:
    """Gather, label and publish what was published on past days; run again, it goes on."""
    from dsn_nlp.backfill import backfill_sources, make_window, run_backfill
    from dsn_nlp.config import load_settings
    from dsn_nlp.gather.dates import day_of

    settings = load_settings(config)
    today = day_of(datetime.now().astimezone())
    window = make_window(since.date(), until.date() if until else today)
    names = backfill_sources(settings, source or [])
    if prefect:
        prepare_prefect()
        from pipelines.backfill import run_backfill_flow

        counts = run_backfill_flow(config_path(config), window, names)
    else:
        counts = run_backfill(
            settings, window, names, lambda tally: typer.echo(tally_line(tally), err=True)
        )
    days = f"{window.since} – {window.until}"
    typer.echo(
        either(
            f"{days} : {counts['documents']} nouveaux documents, {counts['passages']} passages, "
            f"{counts['labelled']} étiquetés, {counts['rejected']} rejets.",
            f"{days}: {counts['documents']} new documents, {counts['passages']} passages, "
            f"{counts['labelled']} labelled, {counts['rejected']} rejected.",
        )
    )


@sources_app.command(
    "check",
    help=either(
        "Essayer chaque source et dire ce qu'elle donnerait ; rien n'est conservé.",
        "Try every source and say what it would give; nothing is stored.",
    ),
)
def check(
    source: Annotated[
        list[str] | None,
        typer.Option(help=either("Une source (toutes sans cela).", "One source (default: all).")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """Exit with 1 when a source cannot be read."""
    from dsn_nlp.backfill import try_source
    from dsn_nlp.config import CommentSource, NewsSource, load_settings
    from dsn_nlp.errors import ConfigError

    settings = load_settings(config)
    chosen: list[NewsSource | CommentSource] = [*settings.news, *settings.comments]
    chosen = [each for each in chosen if not source or each.name in source]
    unknown = set(source or ()) - {each.name for each in chosen}
    if unknown:
        raise ConfigError(
            f"no source is named {', '.join(sorted(unknown))}; "
            f"the settings name {', '.join(settings.source_names()) or 'none'}"
        )
    trials = []
    for each in chosen:
        trials.append(try_source(settings, each))
        if not as_json:
            typer.echo(trial_line(trials[-1]))
    if as_json:
        json.dump([_plain(trial) for trial in trials], sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    if any(trial.trouble for trial in trials):
        raise typer.Exit(1)


def trial_line(trial: "Trial") -> str:
    """Write what a source would give on one line, in the screen's language."""
    kind = either(KINDS_FR[trial.kind], trial.kind)
    head = f"{trial.source} ({kind})"
    colon = either(" : ", ": ")
    if trial.trouble:
        return f"✗ {head}{colon}{shown(trial.trouble)}"
    parts = [
        either(f"{trial.announced} annoncés", f"{trial.announced} announced"),
        either(f"{trial.new} nouveaux", f"{trial.new} new"),
    ]
    if trial.newest:
        day = trial.newest.date()
        parts.append(either(f"le plus récent du {day}", f"newest of {day}"))
    if trial.rejected:
        parts.append(either(f"{trial.rejected} illisibles", f"{trial.rejected} unreadable"))
    if trial.failures:
        nights = trial.failures
        parts.append(either(f"muette depuis {nights} nuits", f"silent for {nights} nights"))
    if trial.untold:
        parts.append(
            either(
                f"{trial.untold} sans identifiant ni date (nommez columns.response_id)",
                f"{trial.untold} without id or date (name columns.response_id)",
            )
        )
    if trial.past:
        first, last = trial.past
        parts.append(either(f"passé recueilli du {first} au {last}", f"past of {first} to {last}"))
    if trial.sample_trouble:
        tried = either("article essayé", "article tried")
        parts.append(f"{tried} {trial.sample}{colon}{shown(trial.sample_trouble)}")
    elif trial.sample:
        parts.append(either("un article essayé et lu", "one article tried and read"))
    odd = trial.rejected or trial.failures or trial.untold or not trial.announced
    mark = "!" if odd else "✓"
    return f"{mark} {head}{colon}{', '.join(parts)}"


def _plain(trial: "Trial") -> dict[str, Any]:
    newest = trial.newest.isoformat() if trial.newest else None
    past = [day.isoformat() for day in trial.past] if trial.past else None
    return asdict(trial) | {"newest": newest, "past": past}
