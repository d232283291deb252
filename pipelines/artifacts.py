"""What a night leaves in Prefect: a summary, its quality, a link to the report, events on alerts.

Counts, names of settings and our own sentences only; every cell is escaped all the same, since
source names and reasons come from files that people write.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.events import emit_event

from dsn_nlp.config import Settings
from dsn_nlp.speech import either, screen_language
from dsn_nlp.stages import open_store
from dsn_nlp.watch.alerts import Alert, read_alert
from dsn_nlp.watch.night import alerts_of
from dsn_nlp.wordings.codes import left_out

EVENT = "dsn-nlp.alert"


def leave_artifacts(settings: Settings, run_id: str, counts: Mapping[str, int]) -> None:
    """Leave what operators look at, once a night is published."""
    with open_store(settings) as store:
        measures = store.measures_of([run_id])[run_id]
    alerts = [read_alert(record) for record in measures.get("alerts", [])]
    create_markdown_artifact(summary(run_id, counts, alerts), key="nightly-summary")
    create_markdown_artifact(quality(measures), key="nightly-quality")
    if link := report_link(settings, run_id):
        create_link_artifact(link, either("Rapport", "Report"), key="nightly-report")
    tell(run_id, alerts)


def report_link(settings: Settings, run_id: str) -> str | None:
    """Address of a night's report: as the settings say, else its file."""
    if settings.watch.report_url:
        return settings.watch.report_url.replace("{run}", run_id)
    if settings.run.reports is None:
        return None
    file = settings.run.reports / f"{run_id}.{screen_language()}.html"
    return file.resolve().as_uri() if file.is_file() else None


def tell_of(settings: Settings, run_id: str) -> None:
    """Emit the events of a night that was held, and so leaves no artifacts."""
    with open_store(settings) as store:
        tell(run_id, alerts_of(store, run_id))


def tell(run_id: str, alerts: Sequence[Alert]) -> None:
    """Emit an event for each alert, for automations to mail or page on."""
    for alert in alerts:
        emit_event(
            event=EVENT,
            resource={
                "prefect.resource.id": f"dsn-nlp.night.{run_id}",
                "prefect.resource.name": f"night {run_id}",
                "dsn-nlp.level": alert.level,
                "dsn-nlp.code": alert.code,
            },
            payload={"line": alert.line(screen_language()), "subject": alert.subject},
        )


def summary(run_id: str, counts: Mapping[str, int], alerts: Sequence[Alert]) -> str:
    """Write counts and alerts as Markdown."""
    lines = [f"Run `{run_id}`", "", _table(("", ""), list(counts.items()))]
    if alerts:
        lines += [either("Alertes", "Alerts"), ""]
        lines += [f"* {escape(alert.line(screen_language()))}" for alert in alerts]
    return "\n".join(lines) + "\n"


def quality(measures: Mapping[str, Any]) -> str:
    """Write what was taken in and put aside by source, and how long stages took, as Markdown."""
    volumes, reasons = measures.get("volumes", {}), left_out(measures, screen_language())
    by_source = [
        (name, volumes.get(name, 0), _reasons(reasons.get(name, {})))
        for name in measures.get("sources", sorted({*volumes, *reasons}))
    ]
    titles = (either("source", "source"), "documents", either("rejets", "rejected"))
    seconds = list(measures.get("seconds", {}).items())
    return "\n".join([
        _table(titles, by_source), _table((either("étape", "stage"), "s"), seconds),
    ])  # fmt: skip


def escape(cell: object) -> str:
    """Keep a cell from being read as HTML, Markdown or the end of the cell."""
    text = html.escape(" ".join(str(cell).split()), quote=False)
    return "".join(f"\\{c}" if c in "\\|`*_[]" else c for c in text)


def _reasons(named: Mapping[str, int]) -> str:
    colon = either("\N{NO-BREAK SPACE}: ", ": ")
    return ", ".join(f"{name}{colon}{count}" for name, count in sorted(named.items())) or "0"


def _table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(escape, titles)) + " |"]
    lines.append("| --- |" + " ---: |" * (len(titles) - 1))
    lines += ["| " + " | ".join(map(escape, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"
