"""Every kind of news source, read by one visit against a real server or real files."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError, InputError
from dsn_nlp.gather.dates import day_of, read_moment
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.indexes import Window
from dsn_nlp.gather.news import Visit
from dsn_nlp.gather.pages import PaywallError, extract_page
from dsn_nlp.gather.sitemaps import parse_sitemap
from dsn_nlp.records import Document, Rejection
from tests.measure.archives import make_tar, make_warc, make_zip
from tests.measure.world import article, sitemap, wall

NOW = datetime.now(UTC)
TODAY = NOW.date().isoformat()


def made(**changes):
    return NewsSource.model_validate({"name": "s", "lang": "fr", **changes})


def gathered(client, source, window=None):
    found = list(Visit(client, source, lambda urls: set(), window=window))
    return [f for f in found if isinstance(f, Document)], [
        f for f in found if isinstance(f, Rejection)
    ]


def urls(documents):
    return sorted(d.url for d in documents)


def page(url, body, kind="text/html"):
    return Response(url, 200, kind, None, body.encode())


# Indexes


def test_json_feed(site, make_client):
    posts = [
        {"id": "1", "url": "/a", "title": "Panne", "date_published": "2026-05-12T06:20:00-04:00"},
        {"id": f"{site.url}/b", "title": 7, "content_text": "x", "date_modified": None},
        "junk",
        {"title": "no link"},
    ]
    site.put("/f", json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": posts}))
    site.put("/a", article(1))
    site.put("/b", article(2))
    documents, rejections = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert urls(documents) == [f"{site.url}/a", f"{site.url}/b"]
    assert documents[0].published_at == datetime(2026, 5, 12, 10, 20, tzinfo=UTC)
    assert rejections == []


@pytest.mark.parametrize(
    "body", ["{", '{"items": 3}', "[" * 5_000, '{"items": ' + "[" * 90_000, "{}"]
)
def test_json_that_is_no_feed(site, make_client, body):
    site.put("/f", body)
    documents, (rejection,) = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert documents == []
    assert (rejection.stage, rejection.code) == ("gather", "bad_source")


def test_a_page_in_place_of_a_feed_names_the_feed_that_was_meant(site, make_client):
    head = '<link rel="alternate" type="application/rss+xml" href="/real.xml">'
    site.put("/f", f"<html><head>{head}</head><body>x</body></html>")
    _, (rejection,) = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert f"names {site.url}/real.xml" in rejection.reason


def test_a_sitemap_index_is_walked_and_a_bad_file_stops_no_other(site, make_client):
    maps = "".join(f"<sitemap><loc>{site.url}/{m}</loc></sitemap>" for m in ("a", "b.gz", "none"))
    site.put("/index.xml", f"<sitemapindex>{maps}<sitemap><loc>/old</loc>"
             "<lastmod>2001-01-01</lastmod></sitemap></sitemapindex>")  # fmt: skip
    site.put("/a", sitemap([(1, f"{site.url}/1")], news=True))
    site.put(
        "/b.gz", gzip.compress(sitemap([(2, f"{site.url}/2"), (3, f"{site.url}/no/3")], False))
    )
    for number in (1, 2, 3):
        site.put(f"/{number}", article(number))
    documents, (rejection,) = gathered(
        make_client(), made(sitemap=f"{site.url}/index.xml", paths=["/1", "/2"])
    )
    assert urls(documents) == [f"{site.url}/1", f"{site.url}/2"]
    assert (rejection.place, rejection.stage) == (f"{site.url}/none", "index")
    assert "/old" not in site.asked
    assert "/no/3" not in site.asked


def test_a_night_reads_what_changed_within_the_window(site, make_client):
    rows = "".join(
        f"<url><loc>{site.url}/{days}</loc><lastmod>"
        f"{(NOW - timedelta(days=days)).date()}</lastmod></url>"
        for days in (1, 5, 40)
    )
    site.put("/s.xml", f"<urlset>{rows}</urlset>")
    for days in (1, 5, 40):
        site.put(f"/{days}", article(days))
    documents, _ = gathered(make_client(), made(sitemap=f"{site.url}/s.xml", window_days=10))
    assert urls(documents) == [f"{site.url}/1", f"{site.url}/5"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE u [<!ENTITY a 'x'>]><urlset><url><loc>https://j.ca/1</loc></url></urlset>",
         "declares entities"),
        ("<!DOCTYPE u [<!ENTITY a 'x'>]><urlset/>".encode("utf-16"), "declares entities"),
        (b"<a>" * 200_000, "deep"),
        (b"", "no element found"),
        (b"<html><body>hello</body>", "not a readable sitemap"),
        (gzip.compress(gzip.compress(b"<urlset/>")), "packed twice"),
        (gzip.compress(b"\0" * 60_000_000), "larger than 1000000 bytes"),
        (gzip.compress(b"<urlset/>")[:-6], "breaks off"),
    ],
)  # fmt: skip
def test_sitemaps_that_are_refused(body, reason):
    with pytest.raises(ExtractionError, match=reason):
        parse_sitemap(Response("https://j.ca/s", 200, "", None, body), 1_000_000)


def test_a_sitemap_keeps_what_stands_before_a_fault_and_at_most_fifty_thousand():
    row = b"<url><loc>https://j.ca/%d</loc></url>"
    damaged = parse_sitemap(Response("https://j.ca/s", 200, "", None, b"<urlset>" + row % 1), 10**6)
    assert [e.link for e in damaged.entries] == ["https://j.ca/1"]
    assert "line 1" in damaged.trouble
    many = b"<urlset>" + b"".join(row % n for n in range(50_010)) + b"</urlset>"
    found = parse_sitemap(Response("https://j.ca/s", 200, "", None, many), 10**7)
    assert len(found.entries) == 50_000
    assert "more than 50000" in found.trouble


def test_lists_of_urls(site, make_client, tmp_path):
    lines = f"# à lire\n{site.url}/a?utm_source=x  remarque\n\nnot a link\n{site.url}/a\n"
    (tmp_path / "list.txt").write_text(lines)
    site.put("/list", lines)
    site.put("/a", article(1))
    for place in (str(tmp_path / "list.txt"), f"{site.url}/list"):
        documents, (rejection,) = gathered(make_client(), made(urls=place))
        assert urls(documents) == [f"{site.url}/a"]
        assert rejection.place.endswith(":4")
    with pytest.raises(InputError, match=r"none\.txt"):
        gathered(make_client(), made(urls=str(tmp_path / "none.txt")))


# Files


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.zip", make_zip()), ("a.tar.gz", make_tar()), ("a.warc.gz", make_warc())],
)
def test_archives_of_saved_pages(make_client, tmp_path, name, body):
    (tmp_path / name).write_bytes(body)
    documents, rejections = gathered(make_client(), made(pages=tmp_path))
    assert urls(documents) == [f"https://www.j.ca/sante/{n}.html" for n in (0, 1)]
    assert rejections == []
    (tmp_path / name).write_bytes(body[: len(body) // 2])
    _, rejections = gathered(make_client(), made(pages=tmp_path / name))
    assert {r.code for r in rejections} <= {"bad_file", "no_article"}
    assert all(r.place.startswith(name) for r in rejections)


def test_folders_of_saved_pages_stay_within_the_folder(make_client, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out.html"
    (inside / "www.j.ca").mkdir(parents=True)
    (inside / "www.j.ca" / "1.html").write_text(article(1))
    own = '<link rel="canonical" href="https://k.ca/sante/2"></head>'
    (inside / "2.html").write_text(article(2).replace("</head>", own))
    outside.write_text(article(3))
    (inside / "3.html").symlink_to(outside)
    documents, rejections = gathered(make_client(), made(pages=inside))
    assert urls(documents) == ["https://k.ca/sante/2", "https://www.j.ca/1.html"]
    assert rejections == []


def test_a_file_is_read_once_and_again_when_its_content_changes(make_client, tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps({"text": "Le DSN de l’hôpital. " * 20}) + "\n")
    client = make_client()
    assert len(gathered(client, made(press=tmp_path))[0]) == 1
    assert gathered(client, made(press=tmp_path)) == ([], [])
    with (tmp_path / "p.jsonl").open("a") as more:
        more.write(json.dumps({"text": "Le DSN de l’hôpital est en panne. " * 20}) + "\n")
    assert len(gathered(client, made(press=tmp_path))[0]) == 2


def test_press_reviews(make_client, tmp_path):
    text = "Le Dossier santé numérique est en panne à l’hôpital. " * 6
    rows = [
        {"corps": f"<p>{text}</p><script>x()</script>", "titre": "Un", "lien": "https://j.ca/1",
         "le": "12 mai 2026", "media": "Le Journal", "auteurs": ["A. B.", "C. D."]},
        {"corps": text, "titre": "Deux", "le": "2026-05-13T23:30:00"},
        {"texte": text},
        {"corps": "court"},
        [1],
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    lines += ["{", "x" * 2_000_001]
    body = "\n".join(lines).encode() + b"\n" + lines[0].replace("/1", "/9").encode("cp1252")
    with gzip.open(tmp_path / "p.jsonl.gz", "wb") as stream:
        stream.write(body)
    fields = {"text": "corps", "title": "titre", "url": "lien", "published_at": "le",
              "outlet": "media", "authors": "auteurs"}  # fmt: skip
    documents, rejections = gathered(make_client(), made(press=tmp_path, fields=fields))
    first, second, ninth = documents
    assert (first.url, first.outlet, first.authors) == (
        "https://j.ca/1",
        "Le Journal",
        "A. B.; C. D.",
    )
    assert "x()" not in first.text
    assert (first.dated_by, day_of(first.published_at)) == ("day", date(2026, 5, 12))
    assert (second.url, day_of(second.published_at)) == (None, date(2026, 5, 13))
    assert ninth.url == "https://j.ca/9"
    assert [r.place for r in rejections] == [f"p.jsonl.gz:{n}" for n in (3, 4, 5, 6, 7)]


# Pages


LD = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "WebPage"}, {"@type": ["NewsArticle"], "datePublished": "2026-05-12T23:30:00-04:00",
 "author": [{"@type": "Person", "name": "Anne Roy"}, {"name": "Luc Côté"}],
 "articleSection": "Santé", "publisher": {"name": "Le Journal"}}]}</script>"""


def test_what_a_page_says_about_itself():
    head = LD + '<link rel="canonical" href="/sante/un"><meta name="author" content="x"></head>'
    found = extract_page(page("https://m.j.ca/amp/un?id=3", article(1).replace("</head>", head)))
    assert found.published_at == datetime(2026, 5, 13, 3, 30, tzinfo=UTC)
    assert (found.moment.precision, found.authors) == ("zoned", ("Anne Roy", "Luc Côté"))
    assert (found.section, found.outlet) == ("Santé", "Le Journal")
    assert found.canonical == "https://m.j.ca/sante/un"
    assert not found.lead_only


@pytest.mark.parametrize(
    "href", ["https://autre.ca/1", "https://m.j.ca/", "javascript:x", "http://["]
)
def test_canonical_addresses_that_do_not_count(href):
    head = f'<link rel="canonical" href="{href}"></head>'
    assert (
        extract_page(page("https://m.j.ca/a", article(1).replace("</head>", head))).canonical
        is None
    )


def test_one_article_under_two_addresses_is_stored_once(site, make_client):
    own = '<link rel="canonical" href="/un"></head>'
    body = article(1).replace("</head>", own)
    items = "".join(f"<item><link>{site.url}/{p}</link></item>" for p in ("amp/un", "un?print=1"))
    site.put("/f", f"<rss version='2.0'><channel>{items}</channel></rss>")
    site.put("/amp/un", body)
    site.put("/un?print=1", body)
    (document,), (rejection,) = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert (document.url, document.link) == (f"{site.url}/un", f"{site.url}/amp/un")
    assert (rejection.place, rejection.code) == (f"{site.url}/un?print=1", "duplicate")


FREE, END = '"isAccessibleForFree"', "</head>"
LONG = "<p>" + "Le texte continue longtemps ici. " * 60 + "</p></article>Déjà abonné?"
STUBS = [
    wall(1),
    article(2, 3).replace("</article>", "</article><p>Subscribe to continue reading</p>"),
    article(3, 3).replace("</head>", LD.replace('"articleS', f'{FREE}: "False", "articleS') + END),
    article(4, 3).replace("</head>", f'<meta name="article:content_tier" content="locked">{END}'),
]  # fmt: skip
WHOLE = [
    article(5),
    article(6).replace("Sports", "Abonnez-vous à l’infolettre"),
    article(7).replace("</article>", LONG),
]  # fmt: skip


@pytest.mark.parametrize("body", STUBS)
def test_paywall_stubs_are_told_apart(site, make_client, body):
    assert extract_page(page("https://j.ca/1", body)).lead_only
    site.put("/f", f"<rss><channel><item><link>{site.url}/a</link></item></channel></rss>")
    site.put("/a", body)
    documents, (rejection,) = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert (documents, rejection.code) == ([], "paywall")
    (lead,), _ = gathered(make_client(), made(feed=f"{site.url}/f", paywall="lead"))
    assert lead.access == "lead"


@pytest.mark.parametrize("body", WHOLE)
def test_whole_articles_are_no_stubs(body):
    assert not extract_page(page("https://j.ca/1", body)).lead_only


def test_a_wall_with_hardly_a_lead():
    with pytest.raises(PaywallError):
        extract_page(page("https://j.ca/1", article(1, 1) + "Cet article est réservé aux abonnés."))


# Dates


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Tue, 12 May 2026 06:20:00 -0400", "2026-05-12T10:20:00+00:00"),
        ("mar., 12 mai 2026 06:20 HAE", "2026-05-12T10:20:00+00:00"),
        ("2026-05-12 06:20", "2026-05-12T10:20:00+00:00"),
        ("May 12, 2026", "2026-05-12T04:00:00+00:00"),
        ("1er août 2026 à 14 h 05", "2026-08-01T18:05:00+00:00"),
        ("2026-03-08", "2026-03-08T05:00:00+00:00"),
        ("2026-03-09", "2026-03-09T04:00:00+00:00"),
        ("2026-11-01", "2026-11-01T04:00:00+00:00"),
        ("2026-11-02", "2026-11-02T05:00:00+00:00"),
        ("2026-03-08T02:30:00", "2026-03-08T07:30:00+00:00"),
        ("2025-12-31T23:59:59-05:00", "2026-01-01T04:59:59+00:00"),
        ("March 3, 2026 10:00 PM", "2026-03-04T03:00:00+00:00"),
        ("Jun 5, 2026 2:05 p.m. EDT", "2026-06-05T18:05:00+00:00"),
        ("2026-03-04 12:30 am", "2026-03-04T05:30:00+00:00"),
        ("2026-03-04 10:00:00 CET", "2026-03-04T05:00:00+00:00"),  # no more than its day
    ],
)
def test_times_are_read(written, moment):
    found = read_moment(written, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert found.at.isoformat() == moment


@pytest.mark.parametrize(
    "written",
    [None, 7, "", "hier", "2036-01-01", "1970-01-01", "2026-13-40", "12 mai 2026 25:99",
     "0000-00-00", "9" * 500, "Tue, 99 May 2026"],
)  # fmt: skip
def test_times_that_are_not_believed(written):
    assert read_moment(written, now=datetime(2026, 12, 1, tzinfo=UTC)) is None


def test_every_article_has_exactly_one_day_in_quebec(site, make_client):
    """Clock changes, the year's end, zones left out, wrong, ahead or missing."""
    told = {
        "2026-03-08T06:59:00Z": date(2026, 3, 8),
        "2026-03-08T04:59:00Z": date(2026, 3, 7),
        "Sun, 01 Nov 2026 01:30:00 EDT": date(2026, 11, 1),
        "Sun, 01 Nov 2026 01:30:00 EST": date(2026, 11, 1),
        "2026-11-02T04:59:00Z": date(2026, 11, 1),
        "Wed, 31 Dec 2025 23:30:00": date(2025, 12, 31),
        "2040-01-01T00:00:00Z": day_of(NOW),
        "": day_of(NOW),
    }
    items = "".join(
        f"<item><link>{site.url}/{n}</link><pubDate>{d}</pubDate></item>"
        for n, d in enumerate(told)
    )
    site.put("/f", f"<rss version='2.0'><channel>{items}</channel></rss>")
    for number in range(len(told)):
        site.put(f"/{number}", article(number))
    documents, _ = gathered(make_client(), made(feed=f"{site.url}/f"))
    assert [day_of(d.published_at) for d in documents] == list(told.values())
    assert [d.dated_by for d in documents][-2:] == ["gathered", "gathered"]


# Windows


def test_a_backfill_turns_older_pages_and_keeps_to_its_days(site, make_client):
    def feed(days, older):
        items = "".join(
            f"<entry><link href='{site.url}/{d}'/><published>2026-05-{d:02}T12:00:00Z</published>"
            "</entry>" for d in days
        )  # fmt: skip
        link = f"<link rel='next' href='{older}'/>" if older else ""
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>J</title>{link}{items}</feed>"

    site.put("/f", feed([20, 19], "/f?page=2"))
    site.put("/f?page=2", feed([18, 15], "/f?page=3"))
    site.put("/f?page=3", feed([14, 1], "/f?page=4"))
    for day in (20, 19, 18, 15, 14, 1):
        site.put(f"/{day}", article(day))
    window = Window(date(2026, 5, 14), date(2026, 5, 18))
    documents, rejections = gathered(make_client(), made(feed=f"{site.url}/f"), window)
    assert sorted(d.published_at.day for d in documents) == [14, 15, 18]
    assert rejections == []
    assert "/f?page=4" not in site.asked
    assert not {"/20", "/19", "/1"} & set(site.asked)


def test_links_of_other_domains_are_left_out_with_a_reason(site, make_client):
    items = f"<item><link>https://autre.ca/1</link></item><item><link>{site.url}/a</link></item>"
    site.put("/f", f"<rss version='2.0'><channel>{items}</channel></rss>")
    site.put("/a", article(1))
    source = made(feed=f"{site.url}/f", domains=["127.0.0.1"])
    documents, (rejection,) = gathered(make_client(), source)
    assert (urls(documents), rejection.code) == ([f"{site.url}/a"], "other_domain")
