"""A small internet on this machine: feeds and pages, good ones and every fault we know of.

All of it is invented by rule from a page's number, so that any size of it can be checked.
"""

import gzip
import http.server
import json
import socket
import socketserver
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
FAULTS = (
    "error", "timeout", "drip", "endless", "bomb", "loop", "canary", "canary_page", "empty",
    "pdf", "short", "missing", "gone", "truncated", "damaged", "huge_tags", "inside", "wall",
)  # fmt: skip
FEED_KINDS = ("rss2", "rss091", "rdf", "atom", "json", "sitemap", "news_sitemap", "gz", "urls")
BAD_FEEDS = ("html", "empty", "malformed", "entities", "down", "bomb_feed", "refused", "slow")
SENTENCES = (
    "Le Dossier santé numérique est en panne depuis {} heures à l’hôpital de Trois-Rivières.",
    "Les infirmières ont dû noter les soins de {} patients sur papier, et tout recopier le soir.",
    "« On n’a reçu que {} minutes de formation », raconte une infirmière de l’urgence.",
    "Santé Québec répond que l’incident numéro {} n’a mis aucun patient en danger.",
    "Le syndicat, lui, réclame {} nouvelles formations avant la prochaine mise à jour.",
)


class Canary:
    """A forbidden target: it counts who connects to 127.0.0.2."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.2", 0))
        self.port = self.server.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.server.accept()[0].close()
            except OSError:
                return
            self.visits += 1

    def close(self) -> None:
        self.server.close()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class World:
    """Serves ``feeds`` feeds of ``pages`` pages in all; every ``fault_every``-th is faulty."""

    def __init__(self, feeds: int, pages: int, fault_every: int = 6) -> None:
        self.feeds, self.pages, self.fault_every = feeds, pages, fault_every
        self.canary = Canary()
        self.asked: Counter[str] = Counter()
        self.plain: list[str] = []
        self.conditional: list[str] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._bomb = gzip.compress(b"\0" * 50_000_000, 9)
        world = self

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                world._answer(self)

            def log_message(self, *_args: object) -> None: ...

        self.server = _Server(("127.0.0.1", 0), Answer)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.canary.close()

    def forget(self) -> None:
        """Start counting anew."""
        self.asked.clear()
        self.plain.clear()
        self.conditional.clear()

    # What there is

    def kind_of_feed(self, feed: int) -> str:
        bad = feed % 5 == 4
        return BAD_FEEDS[feed // 5 % len(BAD_FEEDS)] if bad else FEED_KINDS[feed % len(FEED_KINDS)]

    def is_good_feed(self, feed: int) -> bool:
        return self.kind_of_feed(feed) in (*FEED_KINDS, "malformed")

    def pages_of(self, feed: int) -> range:
        return range(feed, self.pages, self.feeds)

    def fault_of(self, page: int) -> str | None:
        turn, rest = divmod(page, self.fault_every)
        return FAULTS[turn % len(FAULTS)] if rest == self.fault_every - 1 else None

    def good_pages(self) -> set[int]:
        return {
            page
            for feed in range(self.feeds)
            if self.is_good_feed(feed)
            for page in self.pages_of(feed)
            if self.fault_of(page) is None and page % 50 != 7
        }

    def bad_pages(self) -> set[int]:
        return {
            page
            for feed in range(self.feeds)
            if self.is_good_feed(feed)
            for page in self.pages_of(feed)
            if self.fault_of(page) is not None or page % 50 == 7
        }

    def sources(self) -> list[dict[str, Any]]:
        """The settings' ``[[news]]``; lists of URLs are asked for at their address, too."""
        keys = {"sitemap": "sitemap", "news_sitemap": "sitemap", "gz": "sitemap", "urls": "urls"}
        made = []
        for feed in range(self.feeds):
            kind = self.kind_of_feed(feed)
            address = f"{self.url}/feed/{feed}"
            if kind == "refused":
                address = f"http://127.0.0.2:{self.canary.port}/feed"
            made.append({"name": f"s{feed}", keys.get(kind, "feed"): address, "lang": "fr"})
        return made

    def link(self, page: int) -> str:
        fault = self.fault_of(page)
        if fault == "canary":
            return f"http://127.0.0.2:{self.canary.port}/{page}"
        if fault == "inside":
            return f"http://[::ffff:127.0.0.2]:{self.canary.port}/{page}"
        folder = "private" if page % 50 == 7 else "page"
        return f"{self.url}/{folder}/{page}"

    # How it answers

    def _answer(self, h: http.server.BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.asked[h.path] += 1
            conditional = "If-None-Match" in h.headers or "If-Modified-Since" in h.headers
            (self.conditional if conditional else self.plain).append(h.path)
        try:
            self._route(h)
        except OSError:
            h.close_connection = True

    def _route(self, h: http.server.BaseHTTPRequestHandler) -> None:
        _, folder, *rest = h.path.split("?")[0].split("/")
        if folder == "robots.txt":
            self._send(h, b"User-agent: *\nDisallow: /private/\n", "text/plain", tag=True)
        elif folder == "feed":
            self._feed(h, int(rest[0]))
        elif folder in ("page", "private"):
            self._page(h, int(rest[0]))
        elif folder == "loop":
            self._redirect(h, h.path)
        else:
            self._send(h, b"", status=404)

    def _send(
        self, h: http.server.BaseHTTPRequestHandler, body: bytes, kind: str = "text/html",
        status: int = 200, tag: bool = False, **headers: str,
    ) -> None:  # fmt: skip
        mark = f'"{len(body)}-{hash(body) & 0xFFFF}"'
        if tag and h.headers.get("If-None-Match") == mark:
            status, body = 304, b""
        h.send_response(status)
        h.send_header("Content-Type", kind)
        h.send_header("Content-Length", str(len(body)))
        if tag:
            h.send_header("ETag", mark)
        for name, value in headers.items():
            h.send_header(name.replace("_", "-"), value)
        h.end_headers()
        h.wfile.write(body)

    def _redirect(self, h: http.server.BaseHTTPRequestHandler, target: str) -> None:
        self._send(h, b"", status=302, Location=target)

    def _feed(self, h: http.server.BaseHTTPRequestHandler, feed: int) -> None:
        kind = self.kind_of_feed(feed)
        if kind == "html":
            self._send(h, article(1).encode())
        elif kind == "empty":
            self._send(h, b"")
        elif kind == "down":
            self._send(h, b"", status=500)
        elif kind == "bomb_feed":
            self._send(h, self._bomb, "application/xml", Content_Encoding="gzip")
        elif kind == "slow":
            self._drip(h)
        else:
            body, mime = self._feed_body(kind, list(self.pages_of(feed)))
            self._send(h, body, mime, tag=True)

    def _feed_body(self, kind: str, pages: list[int]) -> tuple[bytes, str]:
        links = [(page, self.link(page)) for page in pages]
        if kind == "json":
            posts = [{"id": u, "url": u, "title": title(p), "date_published": when(p).isoformat()}
                     for p, u in links]  # fmt: skip
            made = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": posts}
            return json.dumps(made).encode(), "application/feed+json"
        if kind == "urls":
            return "\n".join(["# liste", *(u for _, u in links)]).encode(), "text/plain"
        if kind in ("sitemap", "news_sitemap", "gz"):
            body = sitemap(links, news=kind == "news_sitemap")
            return (gzip.compress(body, mtime=0), "application/gzip") if kind == "gz" else (
                body, "application/xml"
            )  # fmt: skip
        text = feed_text(kind, links)
        charset = "cp1252" if len(pages) % 2 else "utf-8"  # and claims to be UTF-8 all the same
        return text.encode(charset, "xmlcharrefreplace"), "application/xml; charset=utf-8"

    def _page(self, h: http.server.BaseHTTPRequestHandler, page: int) -> None:
        fault = self.fault_of(page)
        simple: dict[str, tuple[bytes, dict[str, Any]]] = {
            "error": (b"", {"status": 503}),
            "missing": (b"", {"status": 404}),
            "gone": (b"", {"status": 410}),
            "empty": (b"", {}),
            "pdf": (b"%PDF-1.7", {"kind": "application/pdf"}),
            "short": (article(page, 1).encode(), {}),
            "bomb": (self._bomb, {"Content_Encoding": "gzip"}),
            "damaged": (b"\x1f\x8b\x08junk" * 50, {"Content_Encoding": "gzip"}),
            "huge_tags": (b"<html><body>" + b"<p>x" * 60_000, {}),
            "wall": (wall(page).encode(), {}),
        }
        if fault in simple:
            body, how = simple[fault]
            self._send(h, body, **how)
        elif fault == "loop":
            self._redirect(h, f"/loop/{page}")
        elif fault == "canary_page":
            self._redirect(h, f"http://127.0.0.2:{self.canary.port}/{page}")
        elif fault == "timeout":
            self.stopping.wait(30)
        elif fault == "drip":
            self._drip(h)
        elif fault == "endless":
            self._endless(h)
        elif fault == "truncated":
            self._truncated(h, page)
        else:
            charset = ("utf-8", "cp1252", "utf-16")[page % 3]
            declared = ("utf-8", "utf-8", "iso-8859-1")[page % 3]  # lies, two times of three
            body = article(page).encode(charset, "xmlcharrefreplace")
            self._send(h, body, f"text/html; charset={declared}")

    def _drip(self, h: http.server.BaseHTTPRequestHandler) -> None:
        h.send_response(200)
        h.send_header("Connection", "close")
        h.end_headers()
        for _ in range(600):
            if self.stopping.wait(0.05):
                return
            h.wfile.write(b"<")
            h.wfile.flush()

    def _endless(self, h: http.server.BaseHTTPRequestHandler) -> None:
        h.send_response(200)
        h.send_header("Connection", "close")
        h.end_headers()
        until = time.monotonic() + 30
        while time.monotonic() < until and not self.stopping.is_set():
            h.wfile.write(b"<p>encore</p>" * 5_000)

    def _truncated(self, h: http.server.BaseHTTPRequestHandler, page: int) -> None:
        body = article(page).encode()
        h.send_response(200)
        h.send_header("Content-Length", str(len(body) + 1_000))
        h.end_headers()
        h.wfile.write(body)
        h.close_connection = True


def title(page: int) -> str:
    return f"Panne du DSN : l’été {page}"


def when(page: int) -> datetime:
    """One in forty is announced for a day that lies far ahead."""
    ahead = timedelta(days=3650) if page % 40 == 1 else timedelta()
    return START + timedelta(hours=page % 300) + ahead


def article(page: int, sentences: int = len(SENTENCES)) -> str:
    body = "".join(f"<p>{s.format(page)}</p>" for s in SENTENCES[:sentences])
    return (
        f'<!DOCTYPE html><html lang="fr"><head><title>{title(page)} | Journal</title></head><body>'
        f"<nav><ul><li>Accueil</li><li>Sports</li></ul></nav><article><h1>{title(page)}</h1>{body}"
        "</article><footer>Tous droits réservés</footer></body></html>"
    )


def wall(page: int) -> str:
    lead = f"<p>{SENTENCES[0].format(page)}</p><p>{SENTENCES[1].format(page)}</p>"
    return (
        f"<html><head><title>{title(page)}</title></head><body><article><h1>{title(page)}</h1>"
        f"{lead}<p>{SENTENCES[2].format(page)}</p></article>"
        "<aside>Cet article est réservé aux abonnés.</aside></body></html>"
    )


def feed_text(kind: str, links: list[tuple[int, str]]) -> str:
    """RSS 0.91, RSS 2.0, RDF or Atom; each entry stands there twice under one GUID."""
    entries = []
    for page, url in links:
        link = url.replace("&", "&amp;") + "?utm_source=fil"
        if kind == "atom":
            entry = (f'<entry><title>{title(page)}</title><link href="{link}"/><id>{url}</id>'
                     f"<updated>{when(page).isoformat()}</updated></entry>")  # fmt: skip
        else:
            date = "" if kind == "rss091" else f"<pubDate>{format_datetime(when(page))}</pubDate>"
            about = f' rdf:about="{link}"' if kind == "rdf" else ""
            entry = (f"<item{about}><title>{title(page)}</title><link>{link}</link>"
                     f"<guid>{url}</guid>{date}</item>")  # fmt: skip
        entries.append(entry * 2)
    start, end = {
        "atom": ('<feed xmlns="http://www.w3.org/2005/Atom"><title>J</title>', "</feed>"),
        "rdf": ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
                'xmlns="http://purl.org/rss/1.0/"><channel><title>J</title></channel>',
                "</rdf:RDF>"),
        "rss091": ('<rss version="0.91"><channel><title>J</title>', "</channel></rss>"),
        "malformed": ('<rss version="2.0"><channel><title>A & B</title>', "</rss>"),
        "entities": ('<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss version="2.0">'
                     "<channel><title>&b;</title>", "</channel></rss>"),
    }.get(kind, ('<rss version="2.0"><channel><title>J</title>', "</channel></rss>"))  # fmt: skip
    return f'<?xml version="1.0" encoding="utf-8"?>{start}{"".join(entries)}{end}'


def sitemap(links: list[tuple[int, str]], news: bool) -> bytes:
    now = datetime.now(UTC).date().isoformat()
    rows = []
    for page, url in links:
        told = (f"<news:news><news:publication_date>{now}</news:publication_date><news:title>"
                f"{title(page)}</news:title></news:news>") if news else ""  # fmt: skip
        rows.append(f"<url><loc>{url}</loc><lastmod>{now}</lastmod>{told}</url>")
    return (
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">' + "".join(rows) + "</urlset>"
    ).encode()
