"""What a page says about itself: JSON-LD, meta elements and links, before any text is read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.html import HtmlElement

from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.dates import Moment, read_moment
from dsn_nlp.gather.links import join, site_of
from dsn_nlp.gather.markup import plain

# Stands for the address of a saved page that does not say it.
NO_URL = "https://saved.invalid/"
MAX_SCRIPT = 500_000
MAX_NODES = 2_000
_ARTICLES = ("Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting", "OpinionNewsArticle")
_PUBLISHED = ("article:published_time", "datepublished", "dc.date.issued", "dcterms.created",
              "parsely-pub-date", "sailthru.date", "date", "pubdate")  # fmt: skip
_SECTION = ("article:section", "parsely-section", "section")
_AUTHOR = ("author", "article:author", "parsely-author", "dc.creator", "sailthru.author")
_TIER = ("article:content_tier", "content_tier", "isaccessibleforfree")


@dataclass(frozen=True, slots=True)
class PageMeta:
    """A page's own account of itself; ``walled`` when it says that not all may read it."""

    canonical: str | None
    published: Moment | None
    authors: tuple[str, ...]
    section: str | None
    outlet: str | None
    walled: bool


def read_meta(tree: HtmlElement, url: str) -> PageMeta:
    """Read a page's account of itself; whatever is malformed in it is passed over.

    :param url: of the page, for relative links.
    """
    metas = _metas(tree)
    articles = [node for node in _linked(tree) if _is_article(node)]
    return PageMeta(
        canonical=_canonical(tree, metas, url),
        published=_published(tree, metas, articles),
        authors=_authors(metas, articles),
        section=_first(*(_named(a.get("articleSection")) for a in articles), _of(metas, _SECTION)),
        outlet=_first(
            _of(metas, ("og:site_name",)), *(_named(a.get("publisher")) for a in articles)
        ),
        walled=_walled(metas, articles),
    )


def _metas(tree: HtmlElement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        content = meta.get("content")
        if name and content:
            found.setdefault(name.strip().lower(), []).append(content[:2_000])
    return found


def _of(metas: dict[str, list[str]], names: tuple[str, ...]) -> str | None:
    return next((metas[name][0] for name in names if name in metas), None)


def _linked(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """Give every object of the page's JSON-LD, at most two thousand."""
    left = MAX_NODES
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            queue: list[Any] = [json.loads((script.text or "")[:MAX_SCRIPT], strict=False)]
        except (ValueError, RecursionError):
            continue
        while queue and left:
            node, left = queue.pop(), left - 1
            if isinstance(node, dict):
                yield node
            children = node.values() if isinstance(node, dict) else node
            queue.extend(c for c in children if isinstance(c, dict | list)) if isinstance(
                node, dict | list
            ) else None


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    return any(kind in _ARTICLES for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _canonical(tree: HtmlElement, metas: dict[str, list[str]], url: str) -> str | None:
    """A canonical address counts only on the page's own site, and not if it is the front page."""
    links = [
        e.get("href") for e in tree.iter("link") if (e.get("rel") or "").lower() == "canonical"
    ]
    for link in (*links, _of(metas, ("og:url",))):
        try:
            found = join(url, link or "")
        except ExtractionError:
            continue
        if (url == NO_URL or site_of(found) == site_of(url)) and found.rstrip("/").count("/") > 2:
            return found
    return None


def _published(
    tree: HtmlElement, metas: dict[str, list[str]], articles: list[dict[str, Any]]
) -> Moment | None:
    """The most exact of what is said; the first said among equals."""
    said: list[object] = [a.get("datePublished") for a in articles]
    said += [value for name in _PUBLISHED for value in metas.get(name, ())]
    said += [
        t.get("datetime")
        for t in tree.iter("time")
        if t.get("pubdate") is not None or (t.get("itemprop") or "").lower() == "datepublished"
    ]
    moments = [m for m in map(read_moment, said) if m]
    return min(moments, key=lambda m: ("zoned", "local", "day").index(m.precision), default=None)


def _authors(metas: dict[str, list[str]], articles: list[dict[str, Any]]) -> tuple[str, ...]:
    said: list[Any] = []
    for article in articles:
        author = article.get("author")
        said += author if isinstance(author, list) else [author]
    said = [_named(author) for author in said] or [v for n in _AUTHOR for v in metas.get(n, ())]
    names = (plain(name)[:200] for name in said if name and not name.startswith("http"))
    return tuple(dict.fromkeys(filter(None, names)))[:20]


def _named(thing: Any) -> str | None:
    """The name of a JSON-LD thing, which may be its name alone."""
    if isinstance(thing, list):
        thing = thing[0] if thing else None
    name = thing.get("name") if isinstance(thing, dict) else thing
    return name if isinstance(name, str) else None


def _first(*said: str | None) -> str | None:
    return next((text for each in said if each and (text := plain(each)[:200])), None)


def _walled(metas: dict[str, list[str]], articles: list[dict[str, Any]]) -> bool:
    free = [str(a["isAccessibleForFree"]).lower() for a in articles if "isAccessibleForFree" in a]
    tiers = [value.strip().lower() for name in _TIER for value in metas.get(name, ())]
    return "false" in free or any(tier in ("locked", "metered", "false") for tier in tiers)
