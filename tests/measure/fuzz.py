"""Mutated feeds, sitemaps, pages and press reviews: nothing but our own failures, and no hang.

``python -m tests.measure.fuzz`` reads 10,000 of them, from a seed, so that any can be made again;
``--kind feed --kind page`` reads that many of each kind instead, as far as ``--seconds`` reach.
"""

import argparse
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.gather.feeds import parse_feed
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.manners import Robots
from dsn_nlp.gather.pages import extract_page
from dsn_nlp.gather.press import read_press
from dsn_nlp.gather.saved import read_saved
from dsn_nlp.gather.sitemaps import parse_sitemap
from tests.measure.archives import make_tar, make_warc, make_zip
from tests.measure.world import article, feed_text, sitemap, wall

# Of processor time, which neighbours on the machine do not stretch; waiting goes by the clock.
HANG_SECONDS, WAIT_SECONDS = 10, 120
TOKENS = (
    b"<![CDATA[", b"]]>", b"<!DOCTYPE x [", b"&#0;", b"&#xD800;", b"&a;", b"\x00", b"\xff\xfe",
    b"<!--", b"-->", b"<item>", b"<loc>", b"</", b'"', b"'", b"&amp;" * 50, b"<p>" * 200,
    b"\xf0\x9f\x98\x80", b"\xe2\x80\xae", b"{" * 300, b"[" * 300, b'"\\ud800"', b"1e999", b"\r\r",
    b'<?xml version="1.0" encoding="utf-7"?>', b"http://[", b"javascript:", b"data:text/html,",
    b"<script type='application/ld+json'>{\"@graph\":[[[[", b"<meta charset=utf-16>",
)  # fmt: skip
LINKS = [(page, f"https://j.ca/page/{page}") for page in range(4)]
JSON_FEED = (
    '{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{"id": "1", "url": '
    '"https://j.ca/1", "title": "É", "date_published": "2026-11-01T10:00:00-05:00"}]}'
).encode()
LD = (
    '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": '
    '"2026-11-01T10:00:00-05:00", "author": [{"name": "A. B."}], "isAccessibleForFree": false}'
    "</script></head>"
)
PRESS = (
    '{"text": "' + "Le Dossier santé numérique est en panne. " * 8 + '", "title": "Panne", '
    '"url": "https://j.ca/1", "published_at": "2026-11-01", "authors": ["A. B."]}\n'
).encode()


@dataclass
class Outcome:
    """What a kind of input came to; ``slowest`` is processor time, of one input."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def mutate(body: bytes, rng: random.Random) -> bytes:
    """Change a body in one to eight places."""
    made = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(made) + 1)
        match rng.randrange(6):
            case 0:
                made[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del made[at : at + rng.randrange(1, 200)]
            case 2:
                made[at:at] = rng.choice(TOKENS)
            case 3:
                begin = rng.randrange(len(made) + 1)
                made[at:at] = made[begin : begin + rng.randrange(1, 2_000)]
            case 4:
                made = made[: max(at, 1)]
            case _:
                made[at:at] = rng.randbytes(rng.randrange(1, 40))
    return bytes(made[:500_000])


def kinds(folder: Path) -> dict[str, tuple[list[bytes], Callable[[bytes], object]]]:
    """Seeds, and what reads them."""
    source = NewsSource.model_validate({"name": "s", "press": folder})
    feeds = [feed_text(k, LINKS).encode() for k in ("rss2", "rss091", "rdf", "atom")]
    pages = [
        article(1).replace("</head>", LD).encode(),
        wall(2).encode(),
        article(3).encode("cp1252"),
    ]
    return {
        "feed": ([*feeds, JSON_FEED], lambda b: parse_feed(_response(b), "https://j.ca/feed")),
        "sitemap": (
            [sitemap(LINKS, news=False), sitemap(LINKS, news=True)],
            lambda b: parse_sitemap(_response(b), 5_000_000),
        ),
        "page": (pages, lambda b: extract_page(_response(b, "text/html"))),
        "press": ([PRESS * 3], lambda b: _file(folder / "p.jsonl", b, source)),
        "archive": (
            [make_zip(), make_tar(), make_warc()],
            lambda b: [_archive(folder / f"a{suffix}", b) for suffix in _suffix(b)],
        ),
        "robots": ([b"User-agent: *\nDisallow: /a*b$\nCrawl-delay: 3\n"], _robots),
    }  # fmt: skip


SHARES = {"feed": 0.3, "sitemap": 0.25, "page": 0.3, "press": 0.05, "archive": 0.05, "robots": 0.05}


def run(
    count: int, seed: int = 20261128, only: Sequence[str] = (), seconds: float = float("inf")
) -> dict[str, Outcome]:
    """Read mutated inputs of every kind; foreign failures and hangs are told, with their number.

    :param count: of all kinds by their shares, or of each kind in ``only``.
    :param seconds: for each kind at most.
    """
    outcomes: dict[str, Outcome] = {}
    shares = dict.fromkeys(only, 1.0) or SHARES
    with TemporaryDirectory() as folder:
        known = kinds(Path(folder))
        for kind, share in shares.items():
            seeds, read = known[kind]
            for body in seeds:  # what is loaded at first use is not the input's fault
                read(body)
            outcomes[kind], ends = Outcome(), time.monotonic() + seconds
            for number in range(round(count * share)):
                if time.monotonic() > ends:  # what is told is how many were read
                    break
                rng = random.Random(f"{seed}-{kind}-{number}")
                _one(mutate(rng.choice(seeds), rng), read, number, outcomes[kind])
    return outcomes


def _one(body: bytes, read: Callable[[bytes], object], number: int, outcome: Outcome) -> None:
    before = [(sign, signal.signal(sign, _hang)) for sign in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    signal.alarm(WAIT_SECONDS)
    started = time.process_time()
    try:
        read(body)
        outcome.read += 1
    except DsnNlpError as error:
        outcome.refused += 1
        if "\n" in str(error):
            outcome.failures.append(f"{number}: more than one line")
    except Exception as error:
        outcome.failures.append(f"{number}: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for sign, handler in before:
            signal.signal(sign, handler)
        outcome.slowest = max(outcome.slowest, time.process_time() - started)


def _hang(*_signal: object) -> None:
    raise TimeoutError("hang")


def _response(body: bytes, kind: str = "application/xml") -> Response:
    return Response("https://j.ca/x", 200, kind, None, body)


def _file(path: Path, body: bytes, source: NewsSource) -> object:
    path.write_bytes(body)
    return list(read_press(path, source))


def _archive(path: Path, body: bytes) -> object:
    path.write_bytes(body)
    return list(read_saved(path, path.parent))


def _suffix(body: bytes) -> tuple[str, ...]:
    return (".zip",) if body[:2] == b"PK" else (".tar.gz", ".warc.gz")


def _robots(body: bytes) -> bool:
    return Robots(body).allow("https://j.ca/aaab")


def main() -> None:
    """Print a table of outcomes; exit with 1 on any failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--kind", action="append", choices=list(SHARES), default=[])
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each kind")
    asked = parser.parse_args()
    started = time.monotonic()
    outcomes = run(asked.count, asked.seed, asked.kind, asked.seconds)
    print("| input | mutated | read | refused | slowest | crashes and hangs |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind, one in outcomes.items():
        total = one.read + one.refused + len(one.failures)
        print(f"| {kind} | {total} | {one.read} | {one.refused} | {one.slowest:.2f} s | ", end="")
        print(f"{len(one.failures)} |")
    print(f"{time.monotonic() - started:.0f} s")
    failures = Counter(failure for one in outcomes.values() for failure in one.failures)
    print("\n".join(list(failures)[:20]))
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
