"""Hostile text as title, author, source, site and comment: shown literally, nothing runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dsn_nlp.config import load_settings
from dsn_nlp.records import COMPLAINTS, Document, DocumentContext, Label, Passage
from dsn_nlp.reporting import write_reports
from dsn_nlp.store import Store
from dsn_nlp.text import content_id
from tests.conftest import KEY
from tests.dashboard.conftest import Server

_CALL = "alert(1),document.documentElement.setAttribute('pwned',1)"
_FILE = Path(__file__).with_name("payloads.json")
PAYLOADS = [one.replace("CALL", _CALL) for one in json.loads(_FILE.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A dashboard on a store whose every text is an attack; no model explains them."""
    folder = tmp_path_factory.mktemp("hostile")
    config = folder / "dsn.toml"
    config.write_text(
        '[store]\nurl = "sqlite:///hostile.db"\n[labelling]\nmodels = "none"\n'
        '[run]\nreports = "reports"\n',
        encoding="utf-8",
    )
    settings = load_settings(config)
    with Store.open(settings.store.url.get_secret_value()) as store:
        run_id = store.begin_run("0", timedelta(minutes=5))
        pairs = [_document(i, payload) for i, payload in enumerate(PAYLOADS)]
        store.add_documents(run_id, pairs)
        store.add_contexts(run_id, [
            DocumentContext(d.document_id, "1", d.site, 1.0, "test", d.document_id,
                            passages=tuple((p.passage_id, d.site, None) for p in cut))
            for d, cut in pairs
        ])  # fmt: skip
        store.register_model("test@1", "test", "1", {}, "")
        store.add_labels(run_id, [_label(p) for _, cut in pairs for p in cut])
        store.publish(run_id, {"documents": len(pairs)}, "test@1")
    patch = pytest.MonkeyPatch()
    patch.setenv("DSN_NLP_KEY", KEY)
    reports = write_reports(settings, folder / "reports")
    server = Server(settings)
    yield server, reports[0]
    server.stop()
    patch.undo()


def _document(number: int, payload: str) -> tuple[Document, list[Passage]]:
    key = content_id("hostile", str(number))
    article = number % 3 == 0
    document = Document(
        key, "article" if article else "comment", payload, payload, "fr", title=payload,
        published_at=datetime(2026, 5, 20, 12, tzinfo=UTC) + timedelta(days=number % 20),
        site=None if article else PAYLOADS[number % 4],
        role=None if article else PAYLOADS[4 + number % 4], authors=payload if article else None,
        respondent=None if article else content_id("person", str(number)),
    )  # fmt: skip
    return document, [Passage(content_id(key, "0"), key, 0, 0, len(payload), payload, "fr")]


def _label(passage: Passage) -> Label:
    told = (0.1, 0.9, 0.1, 0.1, 0.1)
    return Label(
        passage.passage_id, "test@1", ("security",), told, "negative", (0.8, 0.1, 0.1), False
    )


def test_there_are_sixty_of_them() -> None:
    assert len(set(PAYLOADS)) >= 60
    assert len(COMPLAINTS) == 5


def test_nothing_runs_and_text_is_literal(watched, hostile) -> None:
    server, report = hostile
    page, seen = watched.page, []
    pages = ["/", "/adaptation", "/press", "/words?label=security", "/reports"]
    pages += [f"/passages?page={number}" for number in range(3)] + [f"/reports/{report.name}"]
    for path in pages:
        answer = page.goto(server.address + path)
        assert answer.status == 200, path
        assert "script-src 'self'" in answer.headers["content-security-policy"] or (
            "default-src 'none'" in answer.headers["content-security-policy"]
        )
        if path.startswith("/passages"):
            page.wait_for_selector("html[data-marked]")
            seen += page.locator("blockquote").evaluate_all("all => all.map(q => q.textContent)")
        page.wait_for_timeout(100)
        assert page.locator("html").get_attribute("pwned") is None, path
        assert "<script>alert" not in page.content().replace("&lt;", "")
    assert sorted(seen) == sorted(PAYLOADS)
    assert watched.dialogs == []
    assert all(url.startswith(server.address) for url in watched.requests)
    assert [e for e in watched.errors if "favicon" not in e] == []


def test_hostile_addresses_are_refused_literally(watched, hostile) -> None:
    server, _ = hostile
    from urllib.parse import quote

    for payload in PAYLOADS[:12]:
        for name in ("label", "since", "x" + payload):
            answer = watched.page.goto(f"{server.address}/?{quote(name)}={quote(payload)}")
            assert answer.status == 400
        watched.page.goto(f"{server.address}/passages?site={quote(payload)}")
    assert watched.dialogs == []
    assert watched.page.locator("html").get_attribute("pwned") is None
