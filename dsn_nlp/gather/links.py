"""Telling when two links mean the same article, and which links a source may announce."""

import re
from urllib.parse import parse_qsl, unquote_plus

import httpx
import tldextract

from dsn_nlp.config import NewsSource
from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.addresses import show

MAX_LINK = 2_000
_TRACKERS = re.compile(
    r"utm_\w+|at_(medium|campaign|custom\w*|format|creation|variant)|(fb|g|dc|gb|wb|y|tt|tw)clid"
    r"|gbraid|wbraid|msclkid|igshid?|mc_[ce]id|mkt_tok|_h(senc|smi)|_g[al]|xtor|cmp(id)?|ncid|ocid"
    r"|smid|spm|vero_id|oly_(anon|enc)_id|__twitter_impression",
    re.IGNORECASE,
)


# The bundled list of public suffixes: nothing is fetched for it.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def canonical_url(url: str) -> str:
    """Reduce a link to what tells one article from another.

    Only parameters that are surely trackers go: on some sites ``?id=`` is the article.

    :raises ExtractionError: when it is not an http or https address.
    """
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise ExtractionError(f"{show(url)}: not a valid web address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ExtractionError(f"{show(url)}: not an http:// or https:// address")
    if not parsed.fragment and parsed.path != "/" and b"?" not in parsed.raw_path:
        return str(parsed)
    pairs = parsed.query.decode("ascii", "replace").split("&")
    kept = "&".join(p for p in pairs if p and not _TRACKERS.fullmatch(_name_of(p)))
    path = parsed.raw_path.split(b"?")[0]
    return str(
        parsed.copy_with(fragment=None, raw_path=path + (b"?" + kept.encode() if kept else b""))
    )


def _name_of(pair: str) -> str:
    found = parse_qsl(pair, keep_blank_values=True)
    return found[0][0] if found else unquote_plus(pair)


def join(base: str, link: str) -> str:
    """Make a link of a page or feed whole, and canonical.

    :raises ExtractionError: when there is none, or not one to a web page.
    """
    if not link.strip() or len(link) > MAX_LINK:
        raise ExtractionError("no link, or one that is too long")
    if link.startswith(("https://", "http://")):
        return canonical_url(link)  # joining takes as long again
    try:
        return canonical_url(str(httpx.URL(base).join(link.strip())))
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise ExtractionError(f"{show(link)}: not a valid web address") from None


def site_of(url: str) -> str:
    """Return the registrable domain of an address, or its host where there is none."""
    host = httpx.URL(url).host
    return _suffixes(host).top_domain_under_public_suffix or host


def refused(url: str, source: NewsSource) -> str | None:
    """Say why a source may not announce this address, if so."""
    parsed = httpx.URL(url)
    domains = [domain.lower().removeprefix("www.") for domain in source.domains]
    if domains and not any(f".{parsed.host}".endswith(f".{domain}") for domain in domains):
        return "on a domain that the source's setting 'domains' does not name"
    if source.paths and not parsed.path.startswith(tuple(source.paths)):
        return "outside the source's 'paths'"
    return None
