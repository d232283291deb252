"""What is kept of sources between nights, backfills, and trying sources, through the stages."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from dsn_nlp.backfill import backfill_sources, make_window, take_past, try_source
from dsn_nlp.cli.sources import trial_line
from dsn_nlp.config import Settings
from dsn_nlp.errors import ConfigError
from dsn_nlp.gather.manners import shared_manners
from dsn_nlp.stages import open_store, take_sources
from tests.measure.world import article

from .conftest import send


def settings(folder, *news):
    gather = {"allow_loopback": True, "pause_seconds": 0, "attempts": 1, "page_nights": 3}
    store = {"url": f"sqlite:///{folder}/dsn.db"}
    return Settings.model_validate({"store": store, "news": news, "gather": gather})


def night(own, *names):
    shared_manners.cache_clear()
    with open_store(own) as store:
        run_id = store.begin_run("test", timedelta(minutes=5))
    tallies = list(take_sources(own, run_id, list(names)))
    with open_store(own) as store:
        store.fail_run(run_id)
    return tallies


def feed(site, *paths):
    items = "".join(f"<item><link>{site.url}{path}</link></item>" for path in paths)
    body = f"<rss version='2.0'><channel>{items}</channel></rss>"

    def answer(handler):
        same = handler.headers.get("If-None-Match") == '"1"'
        send(handler, 304 if same else 200, b"" if same else body, ETag='"1"')

    site.pages["/f"] = answer


def test_a_page_that_did_not_come_is_asked_again_though_its_feed_has_not_changed(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f"})
    feed(site, "/a", "/b")
    site.put("/a", article(1))
    site.put("/b", status=503)
    (tally,) = night(own, "s")
    assert tally.counts["documents"] == 1
    site.put("/b", article(2))
    site.asked.clear()
    (tally,) = night(own, "s")
    assert tally.counts["documents"] == 1
    assert site.asked == ["/robots.txt", "/f", "/b"]
    assert night(own, "s")[0].counts["documents"] == 0
    with open_store(own) as store:
        assert store.postponed("s") == []


def test_a_page_that_never_comes_is_given_up(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f"})
    feed(site, "/b")
    site.put("/b", status=503)
    for _ in range(5):
        night(own, "s")
    assert site.asked.count("/b") == 3
    with open_store(own) as store:
        assert {row["code"] for row in store.rejected(10)} == {"transient", "given_up"}


def test_a_refused_page_is_asked_again_when_someone_says_so(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f"})
    feed(site, "/a")
    for _ in range(2):
        night(own, "s")
    assert site.asked.count("/a") == 1
    with open_store(own) as store:
        run_id = store.begin_run("test", timedelta(minutes=5))
        assert store.ask_again(run_id, "s") == 1
        store.fail_run(run_id)
    site.put("/a", article(1))
    assert night(own, "s")[0].counts["documents"] == 1


def test_a_source_that_is_down_stops_no_other_and_is_counted(site, tmp_path):
    down = {"name": "down", "feed": "http://127.0.0.1:9/f"}
    own = settings(tmp_path, down, {"name": "s", "feed": f"{site.url}/f"})
    feed(site, "/a")
    site.put("/a", article(1))
    for expected in (1, 2):
        tallies = night(own, "down", "s")
        with open_store(own) as store:
            assert store.cursor("down").failures == expected
            assert store.cursor("s").failures == 0
    assert [tally.stage for tally in tallies] == ["down", "s"]
    assert try_source(own, own.news[0]).trouble
    trial = try_source(own, own.news[1])
    assert (trial.announced, trial.new, trial.trouble) == (1, 0, None)


def test_trying_a_source_stores_nothing(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f", "lang": "fr"})
    feed(site, "/a", "/b")
    site.put("/a", article(1))
    trial = try_source(own, own.news[0])
    assert (trial.kind, trial.announced, trial.new) == ("feed", 2, 2)
    assert (trial.sample, trial.sample_trouble) == (f"{site.url}/a", None)
    with open_store(own) as store:
        assert store.cursor("s") is None
        assert store.known_among("s", [f"{site.url}/a"]) == set()


def test_too_many_pages_wait_for_the_next_night(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f", "max_articles": 2})
    feed(site, *(f"/{n}" for n in range(5)))
    for number in range(5):
        site.put(f"/{number}", article(number))
    assert [night(own, "s")[0].counts["documents"] for _ in range(4)] == [2, 2, 1, 0]


def test_a_backfill_run_twice_asks_for_no_page_twice(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "sitemap": f"{site.url}/s"})
    days = [date(2026, 5, day) for day in (1, 10, 20)]
    rows = "".join(f"<url><loc>{site.url}/{d}</loc><lastmod>{d}</lastmod></url>" for d in days)
    site.put("/s", f"<urlset>{rows}</urlset>")
    for day in days:
        dated = f'<meta property="article:published_time" content="{day}T12:00:00-04:00"></head>'
        site.put(f"/{day}", article(day.day).replace("</head>", dated))
    window = make_window(date(2026, 5, 5), date(2026, 5, 20))
    for expected in (2, 0):
        with open_store(own) as store:
            run_id = store.begin_run("test", timedelta(minutes=5))
        assert take_past(own, run_id, "s", window).counts["documents"] == expected
        with open_store(own) as store:
            store.fail_run(run_id)
            cursor = store.cursor("s")
    assert [site.asked.count(f"/{day}") for day in days] == [0, 1, 1]
    assert (cursor.covered_since, cursor.covered_until) == (window.start, window.end)


@pytest.mark.parametrize("canonical", ["/a", "/moved/a"])
def test_an_erased_article_is_neither_fetched_nor_counted_again(site, tmp_path, canonical):
    own = settings(tmp_path, {"name": "s", "sitemap": f"{site.url}/s", "keep": "all"})
    site.put("/s", f"<urlset><url><loc>{site.url}/a</loc></url></urlset>")
    link = f'<link rel="canonical" href="{site.url}{canonical}"></head>'
    site.put("/a", article(1).replace("</head>", link))
    assert night(own, "s")[0].counts["documents"] == 1
    with open_store(own) as store:
        assert store.erase("source", "s").counts["documents"] == 1
    site.asked.clear()
    assert night(own, "s")[0].counts == {"documents": 0, "passages": 0, "rejected": 0}
    assert "/s" in site.asked
    assert "/a" not in site.asked


def test_what_backfills_went_through_has_no_gap(site, tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": f"{site.url}/f"})
    feed(site)
    day = partial(date, 2026)
    windows = [
        ((day(1, 1), day(1, 31)), (day(1, 1), day(1, 31))),
        ((day(5, 1), day(5, 31)), (day(5, 1), day(5, 31))),  # apart: May says nothing of March
        ((day(4, 1), day(4, 30)), (day(4, 1), day(5, 31))),  # touches
        ((day(5, 20), day(6, 2)), (day(4, 1), day(6, 2))),  # overlaps
        ((day(5, 3), day(5, 4)), (day(4, 1), day(6, 2))),  # lies within
    ]
    for given, told in windows:
        with open_store(own) as store:
            run_id = store.begin_run("test", timedelta(minutes=5))
        take_past(own, run_id, "s", make_window(*given))
        with open_store(own) as store:
            store.fail_run(run_id)
        trial = try_source(own, own.news[0])
        assert trial.past == told
    assert "2026-04-01" in trial_line(trial)
    assert "2026-06-02" in trial_line(trial)


def test_days_and_names_of_a_backfill_are_checked(tmp_path):
    own = settings(tmp_path, {"name": "s", "feed": "https://j.ca/f"})
    with pytest.raises(ConfigError, match="exchange them"):
        make_window(date(2026, 5, 2), date(2026, 5, 1))
    with pytest.raises(ConfigError, match="lies ahead"):
        make_window(datetime.now(UTC).date() + timedelta(days=9), date(2099, 1, 1))
    with pytest.raises(ConfigError, match="'x' is not a news source"):
        backfill_sources(own, ["x"])
    assert backfill_sources(own, []) == ["s"]
