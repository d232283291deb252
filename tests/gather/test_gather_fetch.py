"""The client against a real server that misbehaves in every way we know of."""

import gzip
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest

from dsn_nlp import __version__
from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import FetchError, TransientFetchError
from dsn_nlp.gather.addresses import check_url, is_public, show
from dsn_nlp.gather.fetch import Client, Response, user_agent

from .conftest import send


def flaky(statuses, **headers):
    """Answer with each status in turn, then 200."""
    left = list(statuses)

    def page(handler):
        status = left.pop(0) if left else 200
        send(handler, status, b"here", **(headers if status != 200 else {}))

    return page


def test_a_page_arrives_with_its_type_charset_and_bytes(site, make_client):
    site.put("/p", "été".encode("latin-1"), Content_Type="Text/HTML; charset=ISO-8859-1")
    response = make_client().get(f"{site.url}/p")
    assert response == Response(f"{site.url}/p", 200, "text/html", "iso-8859-1", b"\xe9t\xe9")
    assert "t\\xe9" not in repr(response)


def test_requests_are_honest_and_carry_no_cookies(site, make_client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    site.put("/p", b"x", Set_Cookie="who=me; Path=/")
    client = make_client(contact="mailto:a@b.example\r\nX-Evil: 1")
    client.get(f"{site.url}/p")
    client.get(f"{site.url}/p")
    last = site.headers[-1]
    assert last["user-agent"] == f"dsn-nlp/{__version__} (+mailto:a@b.exampleX-Evil: 1)"
    assert last["accept-encoding"] == "gzip"
    assert "cookie" not in last
    assert "x-evil" not in last
    assert last["host"] == f"127.0.0.1:{site.port}"


def test_user_agent_without_contact():
    assert user_agent("") == f"dsn-nlp/{__version__}"


def test_redirects_are_followed_to_the_end(site, make_client):
    site.put("/a", status=301, Location="/b")
    site.put("/b", status=308, Location=f"http://localhost:{site.port}/c#part")
    site.put("/c", b"end")
    response = make_client().get(f"{site.url}/a")
    assert response.body == b"end"
    assert response.url == f"http://localhost:{site.port}/c"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/loop", "more than 5 redirects"),
        ("http://127.0.0.2/", "127.0.0.2 is not a public address"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is not a public"),
        ("http://0x7f.1/", "not written as one"),
        ("file:///etc/passwd", "only http:// and https://"),
        ("http://user:secret@127.0.0.1/", "user name or password"),
        ("http://[::1", "redirects without a valid target"),
    ],
)
def test_redirects_that_are_refused(site, make_client, location, reason):
    site.put("/loop", status=302, Location=location)
    with pytest.raises(FetchError, match=reason) as caught:
        make_client().get(f"{site.url}/loop")
    assert not isinstance(caught.value, TransientFetchError)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_redirect_without_location_is_an_error(site, make_client):
    site.put("/p", status=302)
    with pytest.raises(FetchError, match="without a valid target"):
        make_client().get(f"{site.url}/p")


def test_the_loopback_is_closed_unless_it_is_opened(site, make_client):
    site.put("/p", b"x")
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(FetchError, match=r"not a public address|port .* refused"):
            make_client(allow_loopback=False).get(f"http://{host}:{site.port}/p")
    assert site.asked == []


def test_a_name_that_leads_to_the_loopback_is_refused_at_the_moment_of_dialling(make_client):
    """No port is refused here: only the resolved address can be what stops it."""
    for url in ("http://localhost/", "http://localhost./", "http://ip6-localhost/"):
        with pytest.raises(FetchError, match=r"not a public address|cannot be resolved"):
            make_client(allow_loopback=False).get(url)
    with pytest.raises(FetchError, match=r"not a public address|cannot be resolved"):
        make_client().get(f"http://{socket.gethostname()}.localhost/")


ODD_SPELLINGS = [
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.2/",
    "http://127。0。0。2/",
    "http://①②⑦.0.0.1/",
    "http://%31%32%37.0.0.2/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.31.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://1.2.3.4.5/",
    "http://public.example:22/",
    "http://user@public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://public.example\r\nHost: x/",
    "http:///etc/passwd",
    "ftp://public.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://public.example/",
    "//public.example/",
    "",
]


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("url", ODD_SPELLINGS)
def test_odd_spellings_are_refused(url, loopback):
    with pytest.raises(FetchError) as caught:
        check_url(url, allow_loopback=loopback)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://ici.radio-canada.ca/nouvelle/1",
        "https://www.lapresse.ca:443/",
        "http://santé.example/é",
        "http://8.8.8.8/",
        "http://[2607:f8b0::1]/",
        "https://7sur7.example/",
    ],
)
def test_plain_web_addresses_pass(url):
    assert check_url(url).host


@pytest.mark.parametrize("address", ["8.8.8.8", "2607:f8b0:4020:805::200e"])
def test_public_addresses(address):
    assert is_public(ip_address(address))


def test_show_hides_passwords_and_stays_on_one_line():
    assert show("http://me:secret@host/p\n") == "http://host/p?"
    assert len(show("http://h/" + "x" * 999)) == 200


def test_https_is_never_left_for_http(tmp_path):
    import httpx

    class Downgrade(httpx.BaseTransport):
        def handle_request(self, request):
            if request.url.path == "/robots.txt":
                return httpx.Response(404)
            return httpx.Response(302, headers={"Location": "http://public.example/"})

    settings = GatherSettings.model_validate({"pause_seconds": 0})
    with Client(settings, Downgrade()) as client, pytest.raises(FetchError, match="https to http"):
        client.get("https://public.example/")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_page_that_is_not_there_is_asked_once(site, make_client, status):
    site.put("/p", status=status)
    with pytest.raises(FetchError, match=f"/p: HTTP {status}") as caught:
        make_client(attempts=3).get(f"{site.url}/p")
    assert not isinstance(caught.value, TransientFetchError)
    assert site.asked.count("/p") == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_trouble_is_asked_again(site, make_client, status):
    site.pages["/p"] = flaky([status])
    assert make_client(attempts=3).get(f"{site.url}/p").body == b"here"
    assert site.asked.count("/p") == 2


def test_trouble_that_stays_is_transient_after_all_attempts(site, make_client):
    site.put("/p", status=500)
    with pytest.raises(TransientFetchError, match=f"{site.url}/p: HTTP 500"):
        make_client(attempts=2).get(f"{site.url}/p")
    assert site.asked.count("/p") == 2


def test_retry_after_is_waited_for(site, make_client):
    slept: list[float] = []
    site.pages["/p"] = flaky([503], Retry_After="12")
    client = make_client(slept.append, attempts=2)
    assert client.get(f"{site.url}/p").body == b"here"
    assert len(slept) == 1
    assert 0 < slept[0] <= 12


@pytest.mark.parametrize(
    "header", ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True)]
)
def test_retry_after_beyond_the_deadline_is_not_waited_for(site, make_client, header):
    slept: list[float] = []
    site.put("/p", status=429, Retry_After=header)
    client = make_client(slept.append, attempts=2)
    with pytest.raises(TransientFetchError, match="asks to come back"):
        client.get(f"{site.url}/p")
    with pytest.raises(TransientFetchError, match="asks to come back"):
        client.get(f"{site.url}/other")
    assert slept == []
    assert site.asked == ["/robots.txt", "/p"]


def test_unreadable_retry_after_is_ignored(site, make_client):
    site.pages["/p"] = flaky([503], Retry_After="soon")
    assert make_client(attempts=2).get(f"{site.url}/p").body == b"here"


def test_requests_to_one_host_keep_their_distance(site, make_client):
    slept: list[float] = []
    site.put("/p", b"x")
    client = make_client(slept.append, pause_seconds=20)
    client.get(f"{site.url}/p")
    client.get(f"{site.url}/p")
    assert site.asked == ["/robots.txt", "/p", "/p"]
    assert len(slept) == 2
    assert all(0 < seconds <= 20 for seconds in slept)


def test_crawl_delay_is_kept_up_to_thirty_seconds(site, make_client):
    slept: list[float] = []
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 900\n", Content_Type="text/plain")
    site.put("/p", b"x")
    make_client(slept.append).get(f"{site.url}/p")
    assert 0 < slept[0] <= 30


def test_robots_are_asked_once_and_obeyed(site, make_client):
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n\nUser-agent: dsn-nlp\nDisallow: /no\n")
    site.put("/yes", b"x")
    site.put("/to-no", status=302, Location="/no/page")
    client = make_client()
    assert client.get(f"{site.url}/yes").status == 200
    for path in ("/no/page", "/to-no"):
        with pytest.raises(FetchError, match=r"/no/page: robots\.txt does not allow"):
            client.get(f"{site.url}{path}")
    assert site.asked == ["/robots.txt", "/yes", "/to-no"]


def test_a_site_whose_robots_cannot_be_read_is_left_alone(site, make_client):
    site.put("/robots.txt", status=503)
    site.put("/p", b"x")
    with pytest.raises(TransientFetchError, match=r"robots\.txt: HTTP 503"):
        make_client().get(f"{site.url}/p")
    assert "/p" not in site.asked


def test_robots_that_redirect_are_followed(site, make_client):
    site.put("/robots.txt", status=301, Location="/there.txt")
    site.put("/there.txt", "User-agent: *\nDisallow: /p\n")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
        make_client().get(f"{site.url}/p")


def test_gzip_is_unpacked_across_members(site, make_client):
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    site.put("/p", packed, Content_Encoding="gzip")
    assert make_client().get(f"{site.url}/p").body == b"one two"


def test_a_gzip_bomb_stops_at_the_limit(site, make_client):
    site.put("/p", gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(FetchError, match="larger than 100000 bytes"):
        make_client(max_bytes=100_000).get(f"{site.url}/p")


@pytest.mark.parametrize("declared", ["0", None])
def test_too_large_a_body_stops_at_the_limit(site, make_client, declared):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while not site.stopping.is_set():
            handler.wfile.write(b"x" * 65_536)

    site.pages["/p"] = endless if declared is None else lambda h: send(h, 200, b"x" * 2_000)
    with pytest.raises(FetchError, match="larger than 1000 bytes"):
        make_client(max_bytes=1_000).get(f"{site.url}/p")


def test_truncated_gzip_is_transient_and_damaged_gzip_is_not(site, make_client):
    packed = gzip.compress(bytes(range(256)) * 40)
    site.put("/cut", packed[: len(packed) // 2], Content_Encoding="gzip")
    site.put("/bad", b"no gzip at all", Content_Encoding="gzip")
    site.put("/br", b"x", Content_Encoding="br")
    client = make_client()
    with pytest.raises(TransientFetchError, match="breaks off"):
        client.get(f"{site.url}/cut")
    for path, reason in (("/bad", "damaged"), ("/br", "not asked for")):
        with pytest.raises(FetchError, match=reason) as caught:
            client.get(f"{site.url}{path}")
        assert not isinstance(caught.value, TransientFetchError)


def drip(site, start):
    """Send one byte at a time, each well within any socket timeout, for ever."""

    def page(handler):
        handler.wfile.write(start)
        while not site.stopping.wait(0.05):
            handler.wfile.write(b"x")

    return page


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "headers"],
)
def test_a_slow_drip_ends_with_the_deadline(site, make_client, start):
    site.pages["/p"] = drip(site, start)
    with pytest.raises(TransientFetchError, match=r"in time|longer than"):
        make_client(deadline_seconds=0.5, timeout_seconds=0.4).get(f"{site.url}/p")


def test_silence_is_a_transient_error(site, make_client):
    site.pages["/p"] = lambda _h: site.stopping.wait(20)
    with pytest.raises(TransientFetchError, match="no complete answer in time"):
        make_client(timeout_seconds=0.3).get(f"{site.url}/p")


def test_a_connection_that_breaks_off_is_transient(site, make_client):
    site.put("/p", b"half", Content_Length="100", Connection="close")

    def half(handler):
        send(handler, 200, b"half", Content_Length="100", Connection="close")
        handler.close_connection = True

    site.pages["/p"] = half
    with pytest.raises(TransientFetchError, match="try again later"):
        make_client().get(f"{site.url}/p")


def test_nobody_at_the_door_is_transient(make_client):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(TransientFetchError, match=url):
            make_client().get(url)


def test_an_unknown_name_is_transient(make_client):
    with pytest.raises(TransientFetchError, match="cannot be resolved"):
        make_client().get("http://no-such-host.invalid/")


def test_two_clients_in_two_threads_do_not_disturb_each_other(site, make_client):
    site.put("/p", b"x")
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(make_client().get(f"{site.url}/p").status))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 4


def test_tls_names_the_host_and_not_the_dialled_address(make_client):
    hello: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            hello.append(connection.recv(65_536))
            connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(TransientFetchError, match="https://localhost"):
            make_client().get(f"https://localhost:{server.getsockname()[1]}/")
        thread.join()
    assert b"localhost" in hello[0]
