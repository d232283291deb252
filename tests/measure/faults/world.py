"""A small outside world: some of the bundled sample, served by a web server on this machine.

The server is a process of its own, so that it can be killed (network gone), stopped (source timing
out) and started again on the same port.
"""

import os
import re
import shutil
import signal
import socket
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tests.conftest import ROOT

SAMPLE = ROOT / "corpora" / "sample"
HOST = "www.courrier-nord.example"
SETTINGS = """
key_file = "{folder}/comments.key"
[store]
url = "{store}"
[gather]
contact = "https://example.org/dsn-nlp"
timeout_seconds = 1
deadline_seconds = 3
attempts = 1
pause_seconds = 0
allow_loopback = true
[labelling]
models = "{models}"
threads = 1
batch_passages = 16
[run]
lease_minutes = {lease_minutes}
[[news]]
name = "courrier-nord"
feed = "{site}/feed.xml"
lang = "fr"
[[comments]]
name = "sondage-fr"
path = "{world}/fr.csv"
lang = "fr"
[comments.columns]
response_id = "Identifiant de réponse"
date = "Date"
site = "Établissement"
unit = "Unité"
role = "Rôle"
text = ["Commentaire"]
[[comments]]
name = "survey-en"
path = "{world}/en.csv"
lang = "en"
[comments.columns]
response_id = "response_id"
date = "submitted_at"
site = "site"
unit = "unit"
role = "role"
text = ["comment"]
"""


class World:
    """Articles behind a web server, and two files of comments, broken rows among them."""

    def __init__(self, folder: Path, articles: int, comments: int) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.site = f"http://127.0.0.1:{self.port}"
        self._server = 0
        folder.mkdir(parents=True)
        self._save_pages(articles)
        for name, lines in (("fr", comments), ("en", comments // 2)):
            text = (SAMPLE / f"comments-{name}.csv").read_text(encoding="utf-8-sig")
            kept = "".join(text.splitlines(keepends=True)[: lines + 1])
            (folder / f"{name}.csv").write_text(kept, encoding="utf-8")

    def settings(self, folder: Path, store: str, models: Path, lease_minutes: float) -> str:
        return SETTINGS.format(
            folder=folder, store=store, models=models, lease_minutes=lease_minutes,
            site=self.site, world=self.folder,
        )  # fmt: skip

    def open(self) -> None:
        """Start answering, or go on answering."""
        if self._server:
            os.kill(self._server, signal.SIGCONT)
            return
        self._server = os.fork()
        if self._server == 0:
            _serve(self.folder / "site", self.port)

    def hang(self) -> None:
        """Take connections and never answer them."""
        os.kill(self._server, signal.SIGSTOP)

    def vanish(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server:
            os.kill(self._server, signal.SIGKILL)
            os.waitpid(self._server, 0)
            self._server = 0

    def _save_pages(self, articles: int) -> None:
        site = self.folder / "site"
        shutil.copytree(SAMPLE / "world" / HOST, site)
        for page in [*site.rglob("*.html"), site / "feed.xml"]:
            text = page.read_text(encoding="utf-8").replace(f"https://{HOST}", self.site)
            page.write_text(text, encoding="utf-8")
        feed = site / "feed.xml"
        entries = re.compile(r"<item>.*?</item>\s*", re.DOTALL)
        text = feed.read_text(encoding="utf-8")
        kept = "".join(entries.findall(text)[:articles])
        head, tail = text.split("<item>", 1)[0], text.rsplit("</item>", 1)[1]
        feed.write_text(head + kept + tail, encoding="utf-8")


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {
        ".xml": "application/rss+xml",
        ".html": "text/html",
        ".txt": "text/plain",
    }

    def log_message(self, *_args: object) -> None: ...


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_args: object) -> None: ...  # a killed night is no news here


def _serve(folder: Path, port: int) -> None:
    try:
        os.chdir(folder)
        _Server(("127.0.0.1", port), _Quiet).serve_forever()
    finally:
        os._exit(1)
