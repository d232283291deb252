"""Reading sitemaps, sitemap indexes and news sitemaps (sitemaps.org; Google's news extension).

A sitemap may hold 50,000 addresses in 50 MB: it is read as a stream by expat, without a tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from dsn_nlp.errors import ExtractionError, FetchError
from dsn_nlp.gather.addresses import show
from dsn_nlp.gather.body import gunzip
from dsn_nlp.gather.charsets import decode
from dsn_nlp.gather.dates import Moment, read_moment
from dsn_nlp.gather.feeds import FeedEntry
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.links import join
from dsn_nlp.gather.markup import plain

MAX_ADDRESSES = 50_000
MAX_DEPTH = 64
MAX_FIELD = 4_000
_GZIP = b"\x1f\x8b"
_STEP = 65_536
_FIELDS = frozenset({"loc", "lastmod", "publication_date", "title"})


@dataclass(slots=True)
class Sitemap:
    """What one sitemap file holds; ``trouble`` says why it breaks off, if it does."""

    entries: list[FeedEntry] = field(default_factory=list)
    maps: list[tuple[str, Moment | None]] = field(default_factory=list)
    trouble: str | None = None


def parse_sitemap(response: Response, max_bytes: int) -> Sitemap:
    """Read a sitemap as it arrived: XML, gzipped XML, or one address a line.

    What stands before a fault is kept.

    :param max_bytes: of the file, unpacked.
    :raises ExtractionError: when nothing can be read, or it is built to do harm.
    """
    body = _unpacked(response, max_bytes)
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:4].lower() == b"http":
        links = decode(body).split()[:MAX_ADDRESSES]
        return Sitemap(list(_listed(links, response.url)))
    reader = _Reader(response.url)
    reader.read(body)
    found = reader.sitemap
    if found.trouble and not (found.entries or found.maps):
        raise ExtractionError(f"{show(response.url)}: not a readable sitemap ({found.trouble})")
    return found


def _unpacked(response: Response, max_bytes: int) -> bytes:
    if not response.body.startswith(_GZIP):
        return response.body
    body, pieces = response.body, range(0, len(response.body), _STEP)
    try:
        unpacked = gunzip((body[i : i + _STEP] for i in pieces), max_bytes)
    except FetchError as error:
        raise ExtractionError(f"{show(response.url)}: {error}") from None
    if unpacked.startswith(_GZIP):
        raise ExtractionError(f"{show(response.url)}: packed twice, which is refused")
    return unpacked


def _listed(links: list[str], base: str) -> Iterator[FeedEntry]:
    for link in dict.fromkeys(links):
        try:
            yield FeedEntry(join(base, link), "", None, "")
        except ExtractionError:
            continue


class _HarmfulError(Exception):
    """The file declares entities, is too deep or too long; its message says which."""


class _Reader:
    """Collects addresses from the events of expat."""

    def __init__(self, base: str) -> None:
        self.sitemap = Sitemap()
        self._base = base
        self._seen: set[str] = set()
        self._path: list[str] = []
        self._fields: dict[str, str] = {}
        self._text: list[str] | None = None
        self._length = 0

    def read(self, body: bytes) -> None:
        trouble = self._parse(body, None)
        if trouble and not self._seen and not isinstance(trouble, _HarmfulError):
            # Bytes that are not in the encoding they claim: read as what they are.
            self._path, self._text = [], None
            trouble = self._parse(decode(body).encode("utf-8", "replace"), "utf-8")
        self.sitemap.trouble = str(trouble) if trouble else None

    def _parse(self, body: bytes, encoding: str | None) -> Exception | None:
        parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            for begin in range(0, len(body), _STEP):
                parser.Parse(body[begin : begin + _STEP], False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            return ExtractionError(f"{expat.ErrorString(error.code)}, line {error.lineno}")
        except (LookupError, ValueError):
            return ExtractionError("an encoding that is not known")
        except _HarmfulError as error:
            return error
        return None

    def _doctype(self, name: str, system: str | None, public: str | None, subset: int) -> None:
        if subset:
            raise _HarmfulError("it declares entities and is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise _HarmfulError(f"tags lie more than {MAX_DEPTH} deep")
        local = name.rpartition(":")[2].lower()
        self._path.append(local)
        if local in ("url", "sitemap"):
            self._fields = {}
        # An image's own <image:loc> is not an article.
        own = "image" not in self._path and "video" not in self._path
        self._text, self._length = ([], 0) if local in _FIELDS and own else (None, 0)

    def _characters(self, text: str) -> None:
        if self._text is not None and self._length < MAX_FIELD:
            self._text.append(text[:MAX_FIELD])
            self._length += len(text)

    def _end(self, name: str) -> None:
        local = self._path.pop() if self._path else ""
        if self._text is not None:
            self._fields.setdefault(local, "".join(self._text).strip())
            self._text = None
        if local in ("url", "sitemap"):
            self._take(local)

    def _take(self, local: str) -> None:
        try:
            link = join(self._base, self._fields.get("loc", ""))
        except ExtractionError:
            return
        if link in self._seen:
            return
        if len(self._seen) >= MAX_ADDRESSES:
            raise _HarmfulError(f"it has more than {MAX_ADDRESSES} addresses")
        self._seen.add(link)
        changed = read_moment(self._fields.get("lastmod"))
        if local == "sitemap":
            self.sitemap.maps.append((link, changed))
            return
        moment = read_moment(self._fields.get("publication_date"))
        self.sitemap.entries.append(
            FeedEntry(
                link,
                plain(self._fields.get("title", "")),
                moment.at if moment else None,
                "",
                moment,
                changed.at if changed else None,
            )
        )
