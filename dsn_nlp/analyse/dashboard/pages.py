"""The pages: what each asks of the desk, and with which template it is shown."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dsn_nlp.analyse import frame
from dsn_nlp.analyse.alerts import find_alerts
from dsn_nlp.analyse.curve import adaptation
from dsn_nlp.analyse.dashboard.guard import own_path
from dsn_nlp.analyse.dashboard.panels import Panel, group_name, make_panel, tiles
from dsn_nlp.analyse.dashboard.reader import A_PAGE, marked
from dsn_nlp.analyse.dashboard.speech import say
from dsn_nlp.analyse.dashboard.view import FILTERS, MOMENTS, View
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.display import day, number
from dsn_nlp.analyse.estimates import LABELS, NET
from dsn_nlp.analyse.headings import about_lines, label_name
from dsn_nlp.analyse.together import people
from dsn_nlp.analyse.wording import alert_sentence, change_sentence, sentences, share
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Language
from dsn_nlp.watch.night import banner

if TYPE_CHECKING:
    from dsn_nlp.analyse.dashboard.app import Visit

_LISTED = ("site", "role", "voice", "source")
_REPORT = re.compile(r"[0-9A-Za-z-]{1,60}\.(fr|en)\.html")
_SENTENCES = 8


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Templates; every value is escaped."""
    made = Environment(
        loader=PackageLoader("dsn_nlp.analyse.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "say": say, "label_name": label_name, "group_name": group_name, "day": day,
        "number": number, "share": share, "about_lines": about_lines,
        "COMPLAINTS": COMPLAINTS, "SENTIMENTS": SENTIMENTS, "LABELS": LABELS, "NET": NET,
    }  # fmt: skip
    return made


def is_invented(desk: Desk) -> bool:
    """Whether what is shown is a demonstration: its sources say so."""
    return frame.is_invented(desk.frame())


def overview(visit: "Visit") -> Response:
    """Where things stand, for the chosen label, over time, by site and by role."""
    desk, view = visit.office.desk, visit.view()
    return _show(
        visit, "overview.html", view,
        panels=_panels(desk, view, ("trend", "sites", "roles")),
        tiles=tiles(desk, view),
        alerts=alert_lines(visit.office.settings, desk, view.lang),
        changes=change_lines(desk, view),
        details=_panels(desk, view, ("changes", "labels", "pairs")),
    )  # fmt: skip


def adaptation_page(visit: "Visit") -> Response:
    """Weeks since go-live: the chosen label at each site."""
    desk, view = visit.office.desk, visit.view()
    curves, lines = adaptation_answers(desk, view)
    panels = _panels(desk, view, ("adaptation",))
    return _show(visit, "adaptation.html", view, panels=panels, curves=curves, lines=lines)


def adaptation_answers(desk: Desk, view: View) -> tuple[list[tuple[str, Panel]], list[str]]:
    """A curve a site, and what they show in sentences."""
    desk.frame()
    lines = desk.remember(
        ("told", view),
        lambda: sentences(adaptation(desk, None, (view.label,), view.scope), view.lang),
    )
    make_panel(desk, "adaptation", view)
    return desk.remember(("curves", view), lambda: _curves(desk, view)), lines


def press_page(visit: "Visit") -> Response:
    """The press against the staff, care staff against management."""
    view = visit.view()
    panels = _panels(visit.office.desk, view, ("press", "voices", "leads"))
    return _show(visit, "panels.html", view, panels=panels, title="press")


def words_page(visit: "Visit") -> Response:
    """Words and themes of the chosen label."""
    view = visit.view()
    panels = _panels(visit.office.desk, view, ("words", "themes", "pairs"))
    return _show(visit, "panels.html", view, panels=panels, title="words")


def passages_page(visit: "Visit") -> Response:
    """De-identified passages behind a view; who, when and why is recorded first."""
    if visit.office.lacks_purpose(visit.session):
        return ask_purpose(visit)
    view = visit.view()
    table = visit.office.reader.page(view)
    rows = table.rows[:A_PAGE]
    visit.office.record(visit.session, "dashboard", len(rows))
    return _show(
        visit, "passages.html", view, rows=rows, table=table,
        more=len(table.rows) > A_PAGE, thanks="thanks" in visit.request.query_params,
    )  # fmt: skip


def passage_page(visit: "Visit") -> Response:
    """One passage with the words that bear each of its labels."""
    if visit.office.lacks_purpose(visit.session):
        return ask_purpose(visit)
    view = visit.view()
    row = visit.office.reader.one(visit.request.path_params["passage"])
    if row is None:
        return fault(visit, "404", 404)
    visit.office.record(visit.session, "dashboard", 1)
    told = [
        (label, marked(row.text, visit.office.reader.bearing(row, label)))
        for label in (*row.complaints, row.sentiment)
    ]
    thanks = "thanks" in visit.request.query_params
    return _show(visit, "passage.html", view, row=row, told=told, thanks=thanks)


def reports_page(visit: "Visit") -> Response:
    """The reports that are kept, the newest first."""
    view = visit.view()
    folder = visit.office.settings.run.reports
    names = sorted(_reports(folder), reverse=True) if folder else []
    return _show(visit, "reports.html", view, names=names)


def report_page(visit: "Visit") -> Response:
    """One report: a file that brings its own, stricter policy."""
    name, folder = visit.request.path_params["name"], visit.office.settings.run.reports
    if folder is None or not _REPORT.fullmatch(name) or not (folder / name).is_file():
        return fault(visit, "404", 404)
    if visit.office.lacks_purpose(visit.session):
        return ask_purpose(visit)
    visit.office.record(visit.session, "dashboard report", 5)
    from dsn_nlp.analyse.report import policy_of

    content = (folder / name).read_text(encoding="utf-8")
    return HTMLResponse(content, headers={"content-security-policy": policy_of()})


def sign_in(visit: "Visit") -> Response:
    """The page to sign in, and its answer."""
    door = visit.office.door
    there = own_path(visit.request.query_params.get("next") or visit.field("next") or "/")
    if not door.by_password:
        return (
            RedirectResponse("/", status_code=303)
            if visit.session.token
            else fault(visit, "403", 403)
        )
    told = None
    if visit.request.method == "POST":
        peer = visit.request.client.host if visit.request.client else ""
        name = visit.field("name")
        if door.must_wait(peer, name):
            told = "too_many"
        elif session := door.sign_in(peer, name, visit.field("password")):
            response: Response = RedirectResponse(there, status_code=303)
            door.hand_over(response, session)
            return response
        else:
            told = "refused"
    page = templates().get_template("signin.html")
    words = visit.words(next=there, told=told, invented=False, alarms=[])
    return HTMLResponse(page.render(words), status_code=401 if told else 200)


def ask_purpose(visit: "Visit") -> Response:
    """Ask why comments are opened, before they are."""
    query = visit.request.url.query
    there = visit.request.url.path + (f"?{query}" if query else "")
    return _show(visit, "purpose.html", View(lang=visit.lang), next=there)


def fault(visit: "Visit", told: str, status: int) -> Response:
    """A page that says what is wrong."""
    return HTMLResponse(bare_fault(visit.lang, told), status_code=status)


def bare_fault(lang: Language, told: str) -> str:
    """The same, for who has no session."""
    return templates().get_template("fault.html").render(lang=lang, told=told)


def filter_names() -> list[str]:
    """What an address may filter by."""
    return [*FILTERS, "label", "by", "days"]


def alert_lines(settings: Any, desk: Desk, lang: Language) -> list[str]:
    """What should be looked at, as sentences."""
    desk.frame()
    found = desk.remember(("alerts",), lambda: find_alerts(desk, settings.analyse.alerts))
    return [alert_sentence(alert, lang) for alert in found]


def change_lines(desk: Desk, view: View) -> list[str]:
    """What a test confirms to have changed, as sentences; sites first."""
    rows = make_panel(desk, "changes", view).table.rows
    told = [
        change_sentence(row, view.lang, None if row.group == ("∑",) else row.group[0] or None)
        for row in sorted(rows, key=lambda row: (row.group == ("∑",), row.q or 1.0))
        if row.group != ("",)
    ]
    return [line for line in told if line][:_SENTENCES]


def _curves(desk: Desk, view: View) -> list[tuple[str, Panel]]:
    """A panel a site that has a go-live and passages in view."""
    frame = desk.frame()
    sites = view.scope.sites or frame.columns["site"].names
    known = sorted(site for site in sites if site and desk.golive.of(site))
    return [(site, make_panel(desk, "adaptation", view.at(sites=(site,)))) for site in known][:12]


def _panels(desk: Desk, view: View, keys: Sequence[str]) -> list[Panel]:
    return [make_panel(desk, key, view) for key in keys]


def _show(visit: "Visit", template: str, view: View, **more: Any) -> Response:
    desk = visit.office.desk
    page = templates().get_template(template)
    words = visit.words(
        view=view,
        address=view.address(),
        choices=choices(desk),
        moments=MOMENTS,
        invented=is_invented(desk),
        alarms=_alarms(visit),
        about=desk.about(desk.frame(), desk.frame().chosen(view.scope)),
        quote=quote,
        marked=marked,
        **more,
    )
    return HTMLResponse(page.render(words))


def _alarms(visit: "Visit") -> list[str]:
    """Alarms of the night that is shown, as the watch tells them."""
    desk, lang = visit.office.desk, visit.lang
    found = desk.remember(("alarms",), lambda: banner(visit.office.store))
    return [alert.line(lang) for alert in found]


def choices(desk: Desk) -> dict[str, list[str]]:
    """Values that a filter offers: those of enough people, or of the press."""

    def make() -> dict[str, list[str]]:
        frame = desk.frame()
        found: dict[str, list[str]] = {}
        for name in _LISTED:
            column = frame.columns[name]
            counts = {
                value: people(frame, (column.codes == code).nonzero()[0])
                for code, value in enumerate(column.names)
                if value
            }
            found[name] = sorted(
                v for v, count in counts.items() if count == 0 or count >= desk.respondents
            )
        return found

    desk.frame()
    return desk.remember(("choices",), make)


def _reports(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.html") if _REPORT.fullmatch(path.name)]
