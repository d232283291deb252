"""A real web server on this machine, whose pages each test writes as plain functions."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dsn_nlp.config import GatherSettings
from dsn_nlp.gather.fetch import Client

Page = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """Serves ``pages`` by path, and remembers what was asked and how."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.stopping = threading.Event()
        site = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.headers.append({k.lower(): v for k, v in self.headers.items()})
                page = site.pages.get(self.path, lambda h: send(h, 404))
                try:
                    page(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def put(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> None:
        self.pages[path] = lambda h: send(h, status, body, **headers)


def send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes | str = b"", **headers: str
) -> None:
    raw = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Type": "text/html", **named}.items():
        handler.send_header(name, value)
    if "Content-Length" not in named:
        handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    thread = threading.Thread(target=running.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield running
    running.stopping.set()
    running.server.shutdown()
    running.server.server_close()
    thread.join()


@pytest.fixture
def make_client() -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def make(sleep: Callable[[float], None] = lambda _s: None, **changes: object) -> Client:
        settings = {"pause_seconds": 0, "attempts": 1, "allow_loopback": True} | changes
        opened.append(Client(GatherSettings.model_validate(settings), sleep=sleep))
        return opened[-1]

    yield make
    for client in opened:
        client.close()
