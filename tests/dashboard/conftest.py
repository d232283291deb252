"""A small demonstration, a dashboard on it, and Debian's Chromium."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from dsn_nlp.analyse.dashboard.app import make_app
from dsn_nlp.config import Settings
from dsn_nlp.demo.build import build_demo
from dsn_nlp.reporting import write_reports
from tests.conftest import KEY, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six invented weeks, with the reports of the last night."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DSN_NLP_KEY", KEY)
    folder = tmp_path_factory.mktemp("demo") / "demo"
    settings = build_demo(folder, ROOT / "models", ROOT / "corpora" / "labelled", 42, 0.5)
    assert settings.run.reports is not None
    write_reports(settings, settings.run.reports)
    patch.undo()
    return settings


class Server:
    """A dashboard in a thread, on a free port of this machine."""

    def __init__(self, settings: Settings) -> None:
        app = make_app(settings, open_=True)
        self._server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        end = time.monotonic() + 60
        while not self._server.started and time.monotonic() < end:
            time.sleep(0.05)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="session")
def server(demo: Settings) -> Iterator[Server]:
    made = Server(demo)
    yield made
    made.stop()


@dataclass
class Watched:
    """A browser page, and all that it did unasked."""

    page: object
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


# No longer than a module: while it is open its event loop runs, and nobody else's can.
@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    made = Watched(page)

    def dismiss(dialog) -> None:
        made.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("request", lambda request: made.requests.append(request.url))
    page.on("console", lambda m: made.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: made.errors.append(str(error)))
    yield made
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
