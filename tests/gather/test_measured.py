"""The committed measures, in small: a night of every fault, mutated inputs, memory of bombs."""

import gzip
import time
import tracemalloc
import zlib
from contextlib import suppress

import pytest

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import DsnNlpError, ExtractionError, FetchError
from dsn_nlp.gather.feeds import parse_feed
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.reader import Readers
from dsn_nlp.gather.sitemaps import parse_sitemap
from tests.measure import fuzz
from tests.measure.night import (
    play,
    rejected,
    settings_for,
    stored_pages,
    unexpected,
    without_reason,
)
from tests.measure.world import Canary, World, article


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    world = World(feeds=18, pages=72, fault_every=4)
    settings = settings_for(world, tmp_path_factory.mktemp("night"), timeout_seconds=6,
                            deadline_seconds=6, attempts=1)  # fmt: skip
    first = play(settings, world)
    pages = stored_pages(settings)
    second = play(settings, world)
    yield world, settings, first, pages, second
    world.close()


def test_every_good_article_is_stored_once_and_every_bad_one_has_its_reason(nights):
    world, settings, _, pages, _ = nights
    assert pages == sorted(world.good_pages())
    assert len(pages) > 30
    assert without_reason(world, settings) == set()
    assert all(one.reason and "\n" not in one.reason for one in rejected(settings))


def test_robots_are_obeyed_and_no_forbidden_address_is_reached(nights):
    world, _, first, _, second = nights
    assert world.canary.visits == 0
    assert not [p for night in (first, second) for p in night.asked if p.startswith("/private")]


def test_a_second_night_asks_conditionally_for_all_that_came(nights):
    world, _, _, _, second = nights
    assert second.counts["documents"] == 0
    assert unexpected(world, second) == []
    assert "/robots.txt" in second.conditional


def test_the_canary_does_count(nights):
    import socket

    canary = Canary()
    socket.create_connection(("127.0.0.2", canary.port)).close()
    deadline = time.monotonic() + 10
    while not canary.visits and time.monotonic() < deadline:
        time.sleep(0.01)
    canary.close()
    assert canary.visits == 1


def test_mutated_inputs_neither_crash_nor_hang():
    outcomes = fuzz.run(400)
    assert [f for one in outcomes.values() for f in one.failures] == []
    assert all(one.read for one in outcomes.values())


# Bombs


def grown(work):
    """Peak of memory that Python and zlib took, in bytes."""
    tracemalloc.start()
    try:
        work()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def test_four_hundred_megabytes_of_zeros_are_refused_in_little_memory(site, make_client):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(4_000_000)) for _ in range(100)) + packer.flush()
    assert len(bomb) < 500_000
    site.put("/p", bomb, Content_Encoding="gzip")

    def fetch():
        with pytest.raises(FetchError, match="larger than"):
            make_client().get(f"{site.url}/p")
        with pytest.raises(ExtractionError, match="larger than"):
            parse_sitemap(Response("https://j.ca/s", 200, "", None, bomb), 5_000_000)

    assert grown(fetch) < 64_000_000


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd", "gzip, gzip"])
def test_other_packings_were_not_asked_for(site, make_client, coding):
    site.put("/p", zlib.compress(b"x" * 1_000), Content_Encoding=coding)
    with pytest.raises(FetchError, match="not asked for"):
        make_client().get(f"{site.url}/p")


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
XML_BOMBS = {
    "billion laughs": f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]><rss><title>&l9;</title></rss>',
    "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]><rss>{"&a;" * 9_000}</rss>',
    "file": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><title>&x;</title></rss>',
    "parameter": '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.2/x"> %p;]><rss/>',
    "nested": "<rss>" + "<a>" * 200_000,
    "items": "<rss version='2.0'><channel>" + "<item><link>https://j.ca/1</link></item>" * 50_000,
}


@pytest.mark.parametrize("name", XML_BOMBS)
def test_xml_bombs_are_refused_without_expansion(name):
    response = Response("https://j.ca/x", 200, "", None, XML_BOMBS[name].encode())

    def parse():
        with pytest.raises(ExtractionError) as feed:
            parse_feed(response, response.url)
        with pytest.raises(ExtractionError) as listed:
            parse_sitemap(response, 50_000_000)
        assert "root:" not in str(feed.value) + str(listed.value)

    if name == "items":
        with pytest.raises(ExtractionError, match="tags"):
            parse_feed(response, response.url)
    else:
        assert grown(parse) < 20_000_000


# Readers


@pytest.fixture(scope="module")
def readers():
    made = Readers(1, 2.0)
    yield made
    made.close()


def page(body):
    return Response("https://j.ca/1", 200, "text/html", None, body)


def test_a_reader_reads_what_this_process_would(readers):
    from dsn_nlp.gather.pages import extract_page

    response = page(article(3).encode())
    assert readers.read(response) == extract_page(response)
    with pytest.raises(ExtractionError, match="empty page"):
        readers.read(page(b""))


def test_a_reader_that_hangs_is_ended_and_the_next_page_is_read(readers):
    import os
    import signal

    readers.read(page(article(3).encode()))
    child = readers._places.get()
    os.kill(child._process.pid, signal.SIGSTOP)
    readers._places.put(child)
    with pytest.raises(ExtractionError, match="took too long"):
        readers.read(page(article(4).encode()))
    assert readers.read(page(article(5).encode())).title
    child = readers._places.get()
    os.kill(child._process.pid, signal.SIGKILL)
    readers._places.put(child)
    with pytest.raises(ExtractionError, match="it ended"):
        readers.read(page(article(6).encode()))
    assert readers.read(page(article(7).encode())).title


@pytest.mark.parametrize(
    "body",
    [b"<p>x" * 200_000, b"<div>" * 39_000, b"1" * 1_900_000, b"<a href='" + b"&amp;" * 100_000],
)  # fmt: skip
def test_pathological_pages_end_within_the_deadline(readers, body):
    started = time.monotonic()
    with suppress(DsnNlpError):
        readers.read(page(b"<html><body>" + body))
    assert time.monotonic() - started < 60  # a deadline against a hang, not a measure


# Where names lead


@pytest.mark.parametrize(
    "answers",
    [
        [["127.0.0.2"]],
        [["8.8.8.8", "127.0.0.2"]],
        [["::ffff:127.0.0.2"]],
        [["64:ff9b::7f00:2"]],
        [["2002:7f00:2::"]],
        [["fd00::1"]],
        [["169.254.169.254"]],
        [["0.0.0.0"]],
    ],
)
def test_names_that_lead_inside_never_reach_the_canary(monkeypatch, answers):
    """A resolver of our own plays the hostile one; the canary listens on the port that is asked."""
    import socket

    canary = Canary()
    dialled = []
    given = iter(answers * 3)

    def resolver(host, port, *_args, **_more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in next(given)]

    real = socket.create_connection
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(
        socket, "create_connection", lambda where, *a, **k: dialled.append(where) or real(where, *a)
    )
    from dsn_nlp.gather.fetch import Client

    settings = GatherSettings.model_validate({"pause_seconds": 0, "attempts": 1})
    with Client(settings) as client, pytest.raises(FetchError, match="not a public address"):
        client.get("http://rebind.example/")
    assert dialled == []
    assert canary.visits == 0
    canary.close()


def test_bytes_of_a_bomb_in_a_warc_are_bounded(tmp_path):
    from dsn_nlp.gather.saved import MAX_BYTES, Saved, read_saved
    from tests.measure.archives import make_warc

    path = tmp_path / "b.warc.gz"
    plain = gzip.decompress(make_warc(1)).replace(b"</article>", b" " * 60_000_000 + b"</article>")
    path.write_bytes(gzip.compress(plain.replace(b"Content-Length", b"X-Length")))
    for one in read_saved(path, tmp_path):
        assert not isinstance(one, Saved) or len(one.response.body) <= MAX_BYTES + 1
