"""A folder of saved pages in place of the network, asked through the very same client."""

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import ConfigError
from dsn_nlp.gather.fetch import Client
from dsn_nlp.gather.manners import shared_manners
from dsn_nlp.gather.memory import Memory

_TYPES = {
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".txt": "text/plain",
    "": "text/html",
}


class MirrorTransport(httpx.BaseTransport):
    """Answers requests from ``<folder>/<host>/<path>``; a trailing slash means ``index.html``."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the saved file, or 404. Queries are not part of a saved page's name."""
        page = self._find(request.url)
        if page is None:
            return httpx.Response(404, request=request)
        headers = {"Content-Type": _content_type(page), "Content-Length": str(page.stat().st_size)}
        return httpx.Response(200, headers=headers, stream=_File(page), request=request)

    def _find(self, url: httpx.URL) -> Path | None:
        path = unquote(url.raw_path.split(b"?")[0].decode("ascii"), errors="replace")
        parts = [url.host.lower().rstrip("."), *path.removeprefix("/").split("/")]
        if parts[-1] == "":
            parts[-1] = "index.html"
        if any(part in ("", ".", "..") or set(part) & set("\\/\0") for part in parts):
            return None
        page = self._root.joinpath(*parts)
        try:
            # Equal to its resolved self: no link on the way leads anywhere else.
            return page if page.resolve(strict=True) == page and page.is_file() else None
        except OSError:
            return None


class _File(httpx.SyncByteStream):
    """The bytes of a saved page, read when asked for, so that the client's size cap holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as page:
            while chunk := page.read(65_536):
                yield chunk


def _content_type(page: Path) -> str:
    suffix = page.suffix.lower()
    guessed = _TYPES.get(suffix) or mimetypes.types_map.get(suffix)
    return guessed or "application/octet-stream"


def open_client(settings: GatherSettings, memory: Memory | None = None) -> Client:
    """Open a client on the network, or on the folder that ``gather.mirror`` names.

    Clients on the network share this process's manners.

    :param memory: what servers said on earlier nights.
    :raises ConfigError: when that folder is not there.
    """
    if settings.mirror is None:
        return Client(settings, manners=shared_manners(settings), memory=memory)
    if not settings.mirror.is_dir():
        raise ConfigError(
            f"{settings.mirror}: no such folder of saved pages; "
            "correct gather.mirror, or remove it to ask the network"
        )
    transport = MirrorTransport(settings.mirror)
    # A saved world needs no waiting.
    return Client(settings, transport, sleep=lambda _seconds: None, memory=memory)
