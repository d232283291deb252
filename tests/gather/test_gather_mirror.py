"""A folder of saved pages answers as the network would, and gives nothing else away."""

import os

import httpx
import pytest

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import ConfigError, FetchError
from dsn_nlp.gather.mirror import MirrorTransport, open_client


@pytest.fixture
def world(tmp_path):
    host = tmp_path / "world" / "a.example"
    (host / "sub").mkdir(parents=True)
    (host / "page.html").write_text("page")
    (host / "index.html").write_text("home")
    (host / "été.html").write_text("summer")
    (host / "feed.xml").write_text("<rss/>")
    (host / "plain").write_text("no suffix")
    (tmp_path / "secret.html").write_text("secret")
    (tmp_path / "world" / "root.html").write_text("root")
    (host / "out.html").symlink_to(tmp_path / "secret.html")
    (host / "away").symlink_to(tmp_path)
    os.mkfifo(host / "pipe.html")
    return tmp_path / "world"


def settings(folder, **changes):
    return GatherSettings.model_validate({"mirror": folder, **changes})


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/page.html", "text/html", b"page"),
        ("/page.html?utm_source=x#y", "text/html", b"page"),
        ("/", "text/html", b"home"),
        ("", "text/html", b"home"),
        ("/%C3%A9t%C3%A9.html", "text/html", b"summer"),
        ("/feed.xml", "application/xml", b"<rss/>"),
        ("/plain", "text/html", b"no suffix"),
    ],
)
def test_saved_pages(world, path, kind, body):
    with open_client(settings(world)) as client:
        response = client.get(f"https://A.example{path}")
    assert (response.status, response.content_type, response.body) == (200, kind, body)


@pytest.mark.parametrize(
    "path",
    [
        "/none.html",
        "/sub",
        "/sub/",
        "/out.html",
        "/away/secret.html",
        "/pipe.html",
        "/../../secret.html",
        "/%2e%2e/%2e%2e/secret.html",
        "/..%2f..%2fsecret.html",
        "/%2e%2e/root.html",
        "/sub/../../root.html",
        "/..%5croot.html",
        "//page.html",
        "/page.html/",
        "/page.html%00",
        "/" + "a" * 5_000,
    ],
)
def test_nothing_outside_the_folder_of_the_host(world, path):
    request = httpx.Request("GET", f"https://a.example{path}")
    assert MirrorTransport(world).handle_request(request).status_code == 404
    with open_client(settings(world)) as client, pytest.raises(FetchError, match="HTTP 404"):
        client.get(f"https://a.example{path}")


@pytest.mark.parametrize("host", ["..", ".", "b.example", "%2e%2e"])
def test_no_host_is_a_way_out(world, host):
    request = httpx.Request("GET", f"https://{host}/secret.html")
    assert MirrorTransport(world).handle_request(request).status_code == 404


def test_saved_robots_and_size_limits_hold(world):
    (world / "a.example" / "robots.txt").write_text(
        "User-agent: *\nDisallow: /page\nCrawl-delay: 30\n"
    )
    with open_client(settings(world, max_bytes=3, pause_seconds=30)) as client:
        with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
            client.get("https://a.example/page.html")
        with pytest.raises(FetchError, match="larger than 3 bytes"):
            client.get("https://a.example/plain")


def test_a_missing_folder_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match="no such folder of saved pages"):
        open_client(settings(tmp_path / "none"))


def test_without_mirror_the_client_asks_the_network(site):
    site.put("/p", b"x")
    with open_client(GatherSettings.model_validate({"allow_loopback": True})) as client:
        assert client.get(f"{site.url}/p").body == b"x"
