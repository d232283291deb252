"""The report of a night: one page that needs nothing else, in one language.

What changed, alerts, the last weeks, five telling passages, and data quality. No script; its style
is allowed by its hash alone.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.changes import what_changed
from dsn_nlp.analyse.dashboard.charts import Look, Point, Series, line_chart
from dsn_nlp.analyse.dashboard.pages import is_invented, templates
from dsn_nlp.analyse.dashboard.panels import moment_name
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.display import WITHHELD
from dsn_nlp.analyse.estimates import NET
from dsn_nlp.analyse.headings import label_name
from dsn_nlp.analyse.reading import representative
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import shares
from dsn_nlp.analyse.tables import ShareRow, Table
from dsn_nlp.analyse.wording import change_sentence, share
from dsn_nlp.records import COMPLAINTS, Language
from dsn_nlp.wordings.codes import left_out

TELLING = 5
_SHOWN = (*COMPLAINTS, NET)
_WEEKS, _RECENT_DAYS, _CHANGES = 12, 7, 12
_STYLE = Path(__file__).parent / "dashboard" / "templates" / "report.css"


@dataclass(frozen=True)
class Night:
    """What a report says of its night beside what the desk answers.

    :ivar counts: documents, passages, labelled, rejected.
    :ivar measures: what the watch of the night measured; may be empty.
    :ivar alerts: sentence by language, and whether it is new tonight.
    :ivar watch: what the watch says of the night itself, by language.
    """

    run_id: str
    published_at: datetime
    counts: Mapping[str, int]
    measures: Mapping[str, Any] = field(default_factory=dict)
    alerts: Sequence[tuple[Mapping[Language, str], bool]] = ()
    watch: Sequence[Mapping[Language, str]] = ()


def make_report(desk: Desk, night: Night, lang: Language) -> str:
    """Write a night's report.

    :return: a whole HTML page.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    rows = frame.chosen(Scope())
    last = frame.days(rows)[1]
    recent = Scope(since=last - timedelta(days=_RECENT_DAYS - 1), until=last) if last else Scope()
    weeks = _weeks(desk, last) if last else None
    page = templates().get_template("report.html")
    return page.render(
        lang=lang,
        night=night,
        style=Markup(_style()),
        policy=policy_of(),
        invented=is_invented(desk),
        alerts=[(told[lang], new) for told, new in night.alerts],
        watch=[told[lang] for told in night.watch],
        changes=change_sentences(desk, lang),
        charts=_charts(weeks, lang) if weeks else [],
        figures=_figures(weeks, lang) if weeks else [],
        telling=representative(desk, recent, "negative", TELLING).rows,
        quality=quality_rows(night.measures, lang),
        about=desk.about(frame, rows),
    )


def policy_of() -> str:
    """The content security policy of a report: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def change_sentences(desk: Desk, lang: Language) -> list[str]:
    """What a test confirms to have changed in 28 days, in sentences; what moved most first."""
    rows = [row for row in what_changed(desk).rows if row.group != ("",)]
    rows.sort(key=lambda row: -abs(row.difference.value) if row.difference else 0.0)
    told = [
        change_sentence(row, lang, None if row.group == (TOTAL,) else row.group[0]) for row in rows
    ]
    return [line for line in told if line][:_CHANGES]


def quality_rows(
    measures: Mapping[str, Any], lang: Language
) -> list[tuple[str, int, Mapping[str, int]]]:
    """Documents taken in and inputs put aside or left out, by source."""
    volumes, reasons = measures.get("volumes", {}), left_out(measures, lang)
    names = sorted({*measures.get("sources", ()), *volumes, *reasons})
    return [(name, int(volumes.get(name, 0)), reasons.get(name, {})) for name in names]


def _weeks(desk: Desk, last: date) -> Table[ShareRow]:
    """Shares of the last whole weeks, and of the one under way."""
    monday = last - timedelta(days=last.weekday())
    scope = Scope(since=monday - timedelta(weeks=_WEEKS - 1), until=last)
    return shares(desk, scope, ("week",))


def _charts(table: Table[ShareRow], lang: Language) -> list[tuple[str, str, Markup]]:
    """Each complaint and net sentiment, week by week: name, last figure, chart."""
    found = []
    for label in _SHOWN:
        points = [
            Point(moment_name(row.group[0], "week", lang), row.share)
            for row in table.rows
            if row.label == label and row.group != (TOTAL,)
        ]
        name = label_name(label, lang)
        told = next((p.share for p in reversed(points) if p.share), None)
        figure = share(told, label, lang) if told else WITHHELD
        look = Look(f"report-{label}", name, figure, lang, label == NET, 360, 190)
        found.append((name, figure, line_chart(Series("", points), look)))
    return found


def _figures(table: Table[ShareRow], lang: Language) -> list[tuple[str, list[str]]]:
    """The same figures as a table: a row a week, a column a label."""
    weeks: dict[str, dict[str, str]] = {}
    for row in table.rows:
        if row.group != (TOTAL,):
            cell = share(row.share, row.label, lang) if row.share else WITHHELD
            weeks.setdefault(row.group[0], {})[row.label] = cell
    return [
        (moment_name(week, "week", lang), [cells[label] for label in _SHOWN])
        for week, cells in weeks.items()
    ]


@lru_cache(maxsize=1)
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")
