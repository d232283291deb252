"""Feeds and pages, good and hostile, from a real server, and the whole bundled world."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsn_nlp.config import NewsSource, load_settings
from dsn_nlp.errors import ExtractionError, FetchError, TransientFetchError
from dsn_nlp.gather.feeds import FeedEntry
from dsn_nlp.gather.indexes import announced
from dsn_nlp.gather.links import canonical_url
from dsn_nlp.gather.mirror import open_client
from dsn_nlp.gather.news import Visit
from dsn_nlp.records import Document, Rejection
from dsn_nlp.text import content_id

ROOT = Path(__file__).parents[2]
SENTENCES = [
    "Le Dossier santé numérique est tombé en panne à l’urgence de l’hôpital durant la nuit.",
    "Les infirmières ont noté les médicaments sur papier jusqu’au matin, puis tout retranscrit.",
    "La direction du CIUSSS affirme que l’incident n’a mis aucun patient en danger.",
    "Le syndicat, lui, réclame de nouvelles formations avant la prochaine mise à jour.",
]
HOCKEY = [
    "Les Draveurs ont gagné hier le septième match de la série contre les Remparts.",
    "Le gardien a repoussé quarante-deux lancers devant une salle comble et bruyante.",
    "L’entraîneur a salué la patience de ses joueurs, menés par deux buts au premier tiers.",
]


def article(sentences=SENTENCES, head=""):
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in sentences)
    return (
        f"<!DOCTYPE html><html><head><title>Panne | Journal</title>{head}</head><body>"
        f"<nav><ul><li>Accueil</li><li>Sports</li></ul></nav><article><h1>Panne</h1>{paragraphs}"
        "</article><footer>Tous droits réservés</footer></body></html>"
    )


def rss(*items, start='<?xml version="1.0" encoding="UTF-8"?>'):
    return f"{start}<rss version='2.0'><channel><title>J</title>{''.join(items)}</channel></rss>"


def entry(link, title="Panne du DSN", more=""):
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


@pytest.fixture
def source(site):
    return NewsSource.model_validate({"name": "j", "feed": f"{site.url}/feed.xml", "lang": "fr"})


@pytest.fixture
def client(make_client):
    return make_client()


def entries_of(client, source):
    found = list(announced(client, source, None, client.settings.max_sitemap_bytes))
    assert all(isinstance(one, FeedEntry) for one in found)
    return found


def gather_news(client, source, known):
    return iter(Visit(client, source, known.intersection))


def reasons(found):
    return [(r.stage, r.reason) for r in found if isinstance(r, Rejection)]


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        (
            "HTTPS://WWW.Journal.CA/a/B?utm_source=x&id=3&fbclid=y#top",
            "https://www.journal.ca/a/B?id=3",
        ),
        ("https://j.ca:443/", "https://j.ca/"),
        ("https://j.ca", "https://j.ca/"),
        ("http://j.ca:8080/x?", "http://j.ca:8080/x"),
        ("https://j.ca/x?b=2&a=1&UTM_Medium=rss", "https://j.ca/x?b=2&a=1"),
        ("https://j.ca/é?q=à", "https://j.ca/%C3%A9?q=%C3%A0"),
        ("  https://j.ca/x?xtor=RSS-1 ", "https://j.ca/x"),
    ],
)
def test_canonical_url(url, canonical):
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://j.ca/", "/x", "", "http://u:p@j.ca/", "http://[::1"]
)
def test_what_has_no_canonical_url(url):
    with pytest.raises(ExtractionError):
        canonical_url(url)


def test_rss_entries(site, client, source):
    date = "<pubDate>Tue, 12 May 2026 06:20:00 -0400</pubDate>"
    summary = "<description><![CDATA[<p>Un <b>bilan</b><script>x()</script></p>]]></description>"
    site.put(
        "/feed.xml",
        rss(
            entry(
                f"{site.url}/a?utm_source=rss", "&lt;b&gt;L&#39;été&lt;/b&gt; &amp; le DSN", date
            ),
            entry(f"{site.url}/a#again", "twice"),
            entry("/relative", more=summary),
            entry("javascript:alert(1)"),
            "<item><title>no link</title></item>",
            entry("https://u:p@127.0.0.1/"),
        ),
        Content_Type="application/rss+xml",
    )
    first, second = entries_of(client, source)
    assert first.link == f"{site.url}/a"
    assert first.title == "L'été & le DSN"
    assert first.published_at == datetime(2026, 5, 12, 10, 20, tzinfo=UTC)
    assert (second.link, second.summary) == (f"{site.url}/relative", "Un bilan")
    assert second.published_at is None


def test_atom_entries(site, client, source):
    site.put(
        "/feed.xml",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>J</title><entry><title>Un</title>'
        f'<link href="{site.url}/a"/><updated>2026-05-12T06:20:00Z</updated></entry></feed>',
    )
    (found,) = entries_of(client, source)
    assert (found.title, found.published_at) == ("Un", datetime(2026, 5, 12, 6, 20, tzinfo=UTC))


def test_a_malformed_feed_with_entries_is_kept(site, client, source):
    site.put("/feed.xml", rss(entry(f"{site.url}/a", "A & B")).replace("</channel>", ""))
    assert [e.link for e in entries_of(client, source)] == [f"{site.url}/a"]


@pytest.mark.parametrize("charset", ["cp1252", "utf-8", "utf-16"])
def test_feeds_that_lie_about_their_charset(site, client, source, charset):
    body = rss(entry(f"{site.url}/a", "Été à l’hôpital"), start="")
    site.put("/feed.xml", body.encode(charset), Content_Type="text/xml; charset=utf-8")
    assert entries_of(client, source)[0].title == "Été à l’hôpital"


def test_an_empty_feed_is_no_error(site, client, source):
    site.put("/feed.xml", rss())
    assert entries_of(client, source) == []


BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    + "]>"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (rss(entry("/a", "&l9;"), start=BILLION_LAUGHS), "declares entities"),
        (rss(entry("/a"), start=BILLION_LAUGHS).encode("utf-16"), "declares entities"),
        (rss(entry("/a"), start='<!DOCTYPE r SYSTEM "x" [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
         "declares entities"),
        (article(), "not a readable RSS, Atom or JSON feed"),
        (b"", "not a readable"),
        (b"\x00\xff\xfe\x89PNG", "not a readable"),
        ("/etc/passwd", "not a readable"),
        ("http://127.0.0.2/", "not a readable"),
        ("<rss><channel>" + "<a>" * 60_000, "over 50000 tags"),
    ],
)  # fmt: skip
def test_feeds_that_are_refused(site, client, source, body, reason):
    site.put("/feed.xml", body)
    with pytest.raises(ExtractionError, match=reason):
        entries_of(client, source)
    (rejection,) = gather_news(client, source, set())
    assert (rejection.place, rejection.stage) == (source.feed, "gather")


def test_a_feed_that_is_missing_or_in_trouble(site, client, source):
    with pytest.raises(FetchError, match="404"):
        entries_of(client, source)
    assert len(list(gather_news(client, source, set()))) == 1
    site.put("/feed.xml", status=503)
    with pytest.raises(TransientFetchError):
        list(gather_news(client, source, set()))


def test_an_article_becomes_a_document(site, client, source):
    site.put("/feed.xml", rss(entry(f"{site.url}/a?utm_source=rss", "Panne du DSN")))
    head = '<meta property="article:published_time" content="2026-05-12T23:30:00-04:00">'
    site.put("/a", article(head=head))
    (document,) = gather_news(client, source, set())
    assert isinstance(document, Document)
    assert document.document_id == content_id("article", f"{site.url}/a")
    assert (document.kind, document.lang, document.source) == ("article", "fr", "j")
    assert (document.title, document.url) == ("Panne du DSN", f"{site.url}/a")
    assert document.published_at == datetime(2026, 5, 13, 3, 30, tzinfo=UTC)
    assert document.dated_by == "page"
    assert all(sentence in document.text for sentence in SENTENCES)
    assert "Sports" not in document.text
    assert "Tous droits" not in document.text


def test_known_articles_are_not_asked_for_again(site, client, source):
    site.put("/feed.xml", rss(entry(f"{site.url}/a?utm_source=rss")))
    assert list(gather_news(client, source, {f"{site.url}/a"})) == []
    assert "/a" not in site.asked


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", "no-such-charset", "unicode_escape"])
def test_pages_that_lie_about_their_charset(site, client, source, charset, declared):
    site.put("/feed.xml", rss(entry(f"{site.url}/a")))
    site.put("/a", article().encode(charset), Content_Type=f"text/html; charset={declared}")
    (document,) = gather_news(client, source, set())
    assert SENTENCES[0] in document.text


def test_one_bad_page_never_stops_the_others(site, client, source):
    pages = {
        "/missing": None,
        "/shell": "<html><body><div id='app'></div><script>run()</script></body></html>",
        "/short": article(["Le Dossier santé numérique est en panne à l’hôpital."]),
        "/nothing": b"",
        "/noise": bytes(range(256)) * 40,
        "/tags": "<html><body>" + "<p>x" * 50_000,
        "/deep": "<html><body>" + "<div>" * 30_000,
        "/off": article(HOCKEY),
        "/good": article(),
    }
    site.put("/feed.xml", rss(*(entry(f"{site.url}{path}", "Actualité") for path in pages)))
    for path, body in pages.items():
        if body is not None:
            site.put(path, body)
    site.put("/pdf", b"%PDF", Content_Type="application/pdf")
    site.put("/trouble", status=500)
    found = list(gather_news(client, source, set()))
    assert [type(f) for f in found] == [Rejection] * 8 + [Document]
    told = dict(zip(pages, reasons(found), strict=False))
    assert told["/missing"][0] == "gather"
    assert "HTTP 404" in told["/missing"][1]
    assert told["/shell"][1].startswith("empty page")
    assert told["/short"][1].startswith("too short: ")
    assert "tags" in told["/tags"][1]
    assert told["/off"] == ("screen", "off topic: does not name the dossier santé numérique")
    assert all(r.place.startswith(site.url) for r in found if isinstance(r, Rejection))


def test_pages_that_are_no_pages_and_pages_in_trouble(site, client, source):
    site.put("/feed.xml", rss(entry(f"{site.url}/pdf"), entry(f"{site.url}/trouble")))
    site.put("/pdf", b"%PDF", Content_Type="application/pdf")
    site.put("/trouble", status=500)
    (stage, pdf), (_, trouble) = reasons(gather_news(client, source, set()))
    assert (stage, pdf) == ("extract", "not a web page but 'application/pdf'")
    assert trouble.startswith("transient: ")


def test_keep_all_skips_the_screen(site, client, source):
    site.put("/feed.xml", rss(entry(f"{site.url}/off", "Hockey")))
    site.put("/off", article(HOCKEY))
    everything = source.model_copy(update={"keep": "all"})
    assert isinstance(next(gather_news(client, everything, set())), Document)


def test_links_of_a_feed_that_point_inside_are_refused(site, client, source):
    inside = ["http://127.0.0.2/", "http://169.254.169.254/latest/", "http://[::ffff:10.0.0.1]/"]
    site.put("/feed.xml", rss(*map(entry, inside)))
    found = list(gather_news(client, source, set()))
    assert len(found) == 3
    assert all("public address" in reason for _, reason in reasons(found))


@pytest.mark.parametrize(
    ("name", "documents", "missing", "empty", "off_topic"),
    [("courrier-nord", 14, 1, 0, 3), ("st-maurice-gazette", 12, 1, 1, 1)],
)
def test_the_bundled_world(name, documents, missing, empty, off_topic):
    settings = load_settings(ROOT / "dsn.toml")
    source = next(news for news in settings.news if news.name == name)
    with open_client(settings.gather) as client:
        found = list(gather_news(client, source, set()))
        known = {f.url for f in found if isinstance(f, Document) and f.url}
        again = list(gather_news(client, source, known))
    told = reasons(found)
    assert len(known) == documents
    assert sum("HTTP 404" in reason for _, reason in told) == missing
    assert sum(reason.startswith("empty page") for _, reason in told) == empty
    assert sum(stage == "screen" for stage, _ in told) == off_topic
    assert len(told) == missing + empty + off_topic
    assert {d.lang for d in found if isinstance(d, Document)} == {source.lang}
    assert all(d.published_at and d.title for d in found if isinstance(d, Document))
    assert not any(isinstance(a, Document) for a in again)
