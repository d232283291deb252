"""The dashboard's application: routes, who may open them, and what is recorded of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dsn_nlp.analyse.dashboard import pages
from dsn_nlp.analyse.dashboard.guard import Guard, own_path, read_form
from dsn_nlp.analyse.dashboard.panels import QUESTIONS, ask, make_panel
from dsn_nlp.analyse.dashboard.reader import Reader, read_review
from dsn_nlp.analyse.dashboard.sessions import COOKIE, Door, Session
from dsn_nlp.analyse.dashboard.speech import say
from dsn_nlp.analyse.dashboard.view import View, read_view
from dsn_nlp.analyse.dashboard.warm import Readers, Warmer
from dsn_nlp.analyse.desk import Desk, open_desk
from dsn_nlp.analyse.sheets import SUFFIXES, Form, to_bytes
from dsn_nlp.analyse.tables import Table, flat
from dsn_nlp.config import Settings
from dsn_nlp.errors import DsnNlpError, InputError
from dsn_nlp.records import Language
from dsn_nlp.store import Store
from dsn_nlp.wordings import translated

STATIC = Path(__file__).parent / "static"
LANG_COOKIE = "dsn_lang"
_YEAR = 365 * 86400
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "svg": "image/svg+xml",
}
LOOPBACK = ["localhost", "127.0.0.1"]


@dataclass
class Office:
    """What the pages share: desk, reader, door, the store that reviews go to, and who reads."""

    settings: Settings
    desk: Desk
    reader: Reader
    door: Door
    store: Store
    readers: Readers = field(default_factory=Readers)

    def record(self, session: Session, door: str, count: int, purpose: str | None = None) -> None:
        """Record that comment text is shown; before it is."""
        if count:
            self.store.record_access(session.name, door, purpose or session.purpose, count)

    def lacks_purpose(self, session: Session) -> bool:
        """Whether the session must say first why it opens comments."""
        return self.settings.privacy.purpose_required and not session.purpose


Page = Callable[["Visit"], Response]


@dataclass
class Visit:
    """One request, with who makes it and how."""

    office: Office
    request: Request
    session: Session
    lang: Language
    form: list[tuple[str, str]]

    def view(self) -> View:
        """The view of the address.

        :raises InputError: when the address is not understood.
        """
        return read_view(self.request.query_params.multi_items(), self.lang)

    def field(self, name: str) -> str:
        """A field of the form; empty where it is missing."""
        return next((value for key, value in self.form if key == name), "")

    def words(self, **more: Any) -> dict[str, Any]:
        """What every template is given."""
        door = self.office.door
        return {
            "lang": self.lang,
            "session": self.session,
            "csrf": door.csrf(self.session),
            "by_password": door.by_password,
            "path": self.request.url.path,
            "switch": _switched(self.request, self.lang),
            **more,
        }


def make_app(settings: Settings, *, open_: bool = False) -> Starlette:
    """Make the application.

    :param open_: nobody need sign in; only for an address of this machine.
    :raises ConfigError: when nobody could sign in.
    :raises StoreError: when the store cannot be opened.
    """
    door = Door(settings, open_)
    desk = open_desk(settings)
    store = Store.open(settings.store.url.get_secret_value())
    office = Office(settings, desk, Reader(settings, desk), door, store)

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:
        app.state.warmer = warmer = Warmer(settings, desk, office.readers)
        await run_in_threadpool(warmer.begin)
        yield
        warmer.stop()
        store.close()

    routes = [
        Route("/healthz", lambda request: Response("ok\n", media_type="text/plain")),
        Route("/signin", _public(office, pages.sign_in), methods=["GET", "POST"]),
        Route("/signout", _private(office, _sign_out), methods=["POST"]),
        *(Route(path, _private(office, page)) for path, page in _PAGES.items()),
        Route("/purpose", _private(office, _purpose), methods=["POST"]),
        Route("/reviews", _private(office, _review), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    hosts = [Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)] if open_ else []
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard), *hosts],
        lifespan=living,
        exception_handlers={404: _not_found},
    )
    app.state.desk = desk
    return app


def _private(office: Office, page: Page) -> Callable[[Request], Awaitable[Response]]:
    return _endpoint(office, page, private=True)


def _public(office: Office, page: Page) -> Callable[[Request], Awaitable[Response]]:
    return _endpoint(office, page, private=False)


def _endpoint(
    office: Office, page: Page, *, private: bool
) -> Callable[[Request], Awaitable[Response]]:
    """Let a page see only who may, and answer failures with a page of their own."""

    async def answer(request: Request) -> Response:
        lang = _language(request)
        session, fresh = office.door.session_of(request)
        if session is None and private:
            return _stranger(request)
        visit = Visit(office, request, session or Session("", "", 0.0), lang, [])
        try:
            if request.method == "POST":
                visit.form = await read_form(request)
                if private and not office.door.is_own(visit.session, visit.field("csrf")):
                    return pages.fault(visit, "403", 403)
            with office.readers.one():
                response = await run_in_threadpool(page, visit)
        except InputError as error:
            response = pages.fault(visit, translated(str(error), lang), 400)
        except DsnNlpError as error:
            response = pages.fault(visit, translated(str(error), lang), 503)
        if fresh and session is not None:
            office.door.hand_over(response, session)
        if "ui" in request.query_params:
            response.set_cookie(LANG_COOKIE, lang, max_age=_YEAR, httponly=True, samesite="lax")
        return response

    return answer


def _stranger(request: Request) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "sign in first"}, status_code=401)
    there = urlencode({"next": request.url.path + _query(request)})
    return RedirectResponse(f"/signin?{there}", status_code=303)


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


def _language(request: Request) -> Language:
    """French first; what was asked for, then what is remembered."""
    asked = request.query_params.get("ui") or request.cookies.get(LANG_COOKIE)
    return "en" if asked == "en" else "fr"


def _switched(request: Request, lang: Language) -> str:
    """The same address in the other language."""
    other = "en" if lang == "fr" else "fr"
    pairs = [(k, v) for k, v in request.query_params.multi_items() if k != "ui"]
    return f"{request.url.path}?{urlencode([*pairs, ('ui', other)])}"


def _not_found(request: Request, error: Exception) -> Response:
    lang = _language(request)
    return HTMLResponse(pages.bare_fault(lang, "404"), status_code=404)


def _sign_out(visit: Visit) -> Response:
    visit.office.door.sign_out(visit.session)
    response = RedirectResponse("/signin", status_code=303)
    response.delete_cookie(COOKIE)
    return response


def _purpose(visit: Visit) -> Response:
    purpose = visit.field("purpose").strip()[:300]
    if not purpose:
        raise InputError(say("purpose_title", visit.lang))
    visit.session.purpose = purpose
    return RedirectResponse(own_path(visit.field("next")), status_code=303)


def _review(visit: Visit) -> Response:
    review = read_review(visit.form, visit.session.name)
    store = visit.office.store
    if not store.known_passages([review.passage_id]):
        raise InputError("no passage has this id")
    store.add_reviews([review])
    there = own_path(visit.field("next"))
    mark = "&" if "?" in there else "?"
    return RedirectResponse(f"{there}{mark}thanks=1", status_code=303)


def _export(visit: Visit) -> Response:
    """A panel's table as a file, or its chart."""
    key, ending = visit.request.path_params["key"], visit.request.path_params["ending"]
    view = visit.view()
    if ending == "svg" and key in QUESTIONS and QUESTIONS[key].draw:
        chart = make_panel(visit.office.desk, key, view).chart
        return _file(str(chart).encode(), f"dsn-{key}.svg", "svg")
    french = visit.request.query_params.get("dialect") == "fr"
    form: Form | None = "csv-fr" if ending == "csv" and french else None
    form = form or next((f for f in SUFFIXES if f == ending and f != "csv-fr"), None)
    if form is None:
        raise InputError(f"no form of file is named '{ending[:20]}'")
    table: Table[Any]
    if key == "passages":
        if visit.office.lacks_purpose(visit.session):
            return pages.ask_purpose(visit)
        table = visit.office.reader.page(view)
        visit.office.record(visit.session, "dashboard export", len(table.rows))
    elif key in QUESTIONS:
        table = ask(visit.office.desk, key, view)
    else:
        raise InputError(f"nothing is named '{key[:40]}'")
    return _file(to_bytes(table, form, view.lang), f"dsn-{key}.{ending}", ending)


def _file(content: bytes, name: str, ending: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[ending], headers=headers)


def _api(visit: Visit) -> Response:
    """Any question as JSON: names of columns, rows, and where they are from."""
    key = visit.request.path_params.get("key")
    if key is None:
        described = {name: {"fr": q.names[0], "en": q.names[1]} for name, q in QUESTIONS.items()}
        return JSONResponse({"questions": described, "filters": pages.filter_names()})
    try:
        if key not in QUESTIONS:
            raise InputError(f"no question is named '{key[:40]}'; there are {', '.join(QUESTIONS)}")
        table = ask(visit.office.desk, key, visit.view())
    except InputError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    columns, rows = flat(table)
    about = {name: _plain(value) for name, value in asdict(table.about).items()}
    objects = [{c: _plain(v) for c, v in zip(columns, row, strict=True)} for row in rows]
    return JSONResponse({"about": about, "by": table.by, "hidden": table.hidden, "rows": objects})


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _bearing(visit: Visit) -> Response:
    """Where the words that bear a label stand in a passage: offsets, no text."""
    row = visit.office.reader.one(visit.request.path_params["passage"])
    label = visit.request.query_params.get("label") or ""
    if row is None:
        return JSONResponse({"spans": []}, status_code=404)
    return JSONResponse({"spans": visit.office.reader.bearing(row, label)})


_PAGES: Mapping[str, Page] = {
    "/": pages.overview,
    "/adaptation": pages.adaptation_page,
    "/press": pages.press_page,
    "/words": pages.words_page,
    "/passages": pages.passages_page,
    "/passages/{passage}": pages.passage_page,
    "/reports": pages.reports_page,
    "/reports/{name}": pages.report_page,
    "/export/{key}.{ending}": _export,
    "/api/": _api,
    "/api/bearing/{passage}": _bearing,
    "/api/{key}": _api,
}
