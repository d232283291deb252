"""The dashboard in a real browser, in both languages."""

import json

import pytest

from dsn_nlp.store import Store

PAGES = ("/", "/adaptation", "/press", "/words", "/passages", "/reports")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def serious(page, axe: str) -> list[str]:
    """What axe-core finds of weight; run beside the page, since its policy lets no script in."""
    client = page.context.new_cdp_session(page)
    world = client.send(
        "Page.createIsolatedWorld",
        {"frameId": client.send("Page.getFrameTree")["frameTree"]["frame"]["id"]},
    )["executionContextId"]
    client.send("Runtime.evaluate", {"expression": axe, "contextId": world})
    run = f"axe.run({{runOnly: {json.dumps(RULES)}}})"
    run += ".then(r => JSON.stringify([r.passes.length, r.violations]))"
    found = client.send(
        "Runtime.evaluate", {"expression": run, "contextId": world, "awaitPromise": True,
                             "returnByValue": True},
    )  # fmt: skip
    passed, violations = json.loads(found["result"]["value"])
    assert passed > 10  # axe looked
    return [
        f"{v['id']}: {node['html'][:120]}"
        for v in violations
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:2]
    ]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_no_serious_violation_and_nothing_from_elsewhere(watched, server, axe, lang) -> None:
    for path in PAGES:
        watched.page.goto(f"{server.address}{path}?ui={lang}")
        assert watched.page.locator("html").get_attribute("lang") == lang
        assert watched.page.locator(".invented").is_visible()
        assert serious(watched.page, axe) == [], path
    assert watched.errors == []
    assert all(url.startswith(server.address) for url in watched.requests)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_report_has_no_serious_violation(watched, server, demo, axe, lang) -> None:
    name = next(demo.run.reports.glob(f"*.{lang}.html")).name
    watched.page.goto(f"{server.address}/reports/{name}")
    assert watched.page.locator("html").get_attribute("lang") == lang
    assert watched.page.locator("figure svg").count() == 6
    assert watched.page.locator("blockquote[lang]").count() == 5
    assert "invent" in watched.page.locator(".invented").inner_text()
    assert serious(watched.page, axe) == []
    assert watched.errors == []


def test_french_first_and_the_switch_is_remembered(watched, server) -> None:
    page = watched.page
    page.goto(f"{server.address}/?label=training")
    assert page.locator("h1").inner_text() == "Vue d'ensemble"
    page.click("a.switch")
    assert page.locator("h1").inner_text() == "Overview"
    assert "label=training" in page.url
    page.goto(f"{server.address}/press")
    assert page.locator("h1").inner_text() == "Press and staff"


def test_keyboard_alone(watched, server) -> None:
    page = watched.page
    page.goto(f"{server.address}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    # A table that scrolls can be reached, too.
    page.locator(".scroll").first.focus()
    assert page.evaluate("document.activeElement.className") == "scroll"


def test_filters_are_in_the_address(watched, server) -> None:
    page = watched.page
    page.goto(f"{server.address}/")
    page.select_option("select[name=label]", "training")
    page.select_option("select[name=kind]", "comment")
    page.click(".multi:has(input[name=site]) summary")
    page.check("input[name=site] >> nth=0")
    page.click(".act button")
    assert "label=training" in page.url
    assert "kind=comment" in page.url
    assert "site=" in page.url
    address = page.url
    figures = page.locator("#trend-h + p + .both td").all_inner_texts()
    page.goto(address)
    assert page.locator("#trend-h + p + .both td").all_inner_texts() == figures
    assert page.locator("select[name=label]").input_value() == "training"


def test_every_chart_has_its_table(watched, server) -> None:
    for path in PAGES[:4]:
        watched.page.goto(f"{server.address}{path}")
        for panel in watched.page.locator(".panel:has(.chart)").all():
            assert panel.locator("table caption").count() == 1
            assert panel.locator("th[scope=col]").count() >= 2
            assert panel.locator("svg title").text_content()


def test_drill_down_marks_words_and_takes_a_review(watched, server, demo) -> None:
    page = watched.page
    page.goto(f"{server.address}/?label=training")
    page.click(".read a")
    first = page.locator("blockquote").first
    text = first.inner_text()
    page.wait_for_selector("blockquote mark", timeout=60_000)
    assert first.inner_text() == text
    assert first.get_attribute("lang") in ("fr", "en")
    key = first.get_attribute("data-passage")
    page.locator(".review summary").first.click()
    form = page.locator(".review form").first
    for box in form.locator("input[type=checkbox]").all():
        box.set_checked(False)
    form.locator("input[value=neutral]").check()
    form.locator("button").click()
    assert page.locator(".thanks").is_visible()
    with Store.open(demo.store.url.get_secret_value()) as store:
        review = next(one for one, *_ in store.reviews() if one.passage_id == key)
    assert (review.complaints, review.sentiment) == ((), "neutral")


def test_picture_of_a_chart(watched, server, tmp_path) -> None:
    page = watched.page
    page.goto(f"{server.address}/")
    with page.expect_download() as waiting:
        page.locator("button:text('PNG')").first.click()
    waiting.value.save_as(tmp_path / "chart.png")
    content = (tmp_path / "chart.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5000
    assert watched.errors == []


def test_print_style_leaves_controls_out(watched, server) -> None:
    watched.page.goto(f"{server.address}/")
    watched.page.emulate_media(media="print")
    assert not watched.page.locator(".filters").is_visible()
    assert not watched.page.locator(".exports").first.is_visible()
    assert watched.page.locator(".chart svg").first.is_visible()
