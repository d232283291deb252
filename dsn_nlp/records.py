"""The nouns of the pipeline as frozen dataclasses, and the conventions they all keep.

* Offsets are character positions (Unicode code points) in the stored text, end exclusive.
* Times are aware and in UTC.
* Scores are float32 probabilities in [0, 1]; arrays of them are ``(n_passages, n_labels)``.
* Languages are ``"fr"`` or ``"en"``; kinds are ``"article"`` or ``"comment"``.
* ``Comment`` is raw and never leaves the intake; ``Document`` is safe to store. Only
  ``dsn_nlp.prepare.deidentify`` turns the one into the other.
* ``repr`` of anything that holds text shows its length, never the text.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Language = Literal["fr", "en"]
Kind = Literal["article", "comment"]
Access = Literal["full", "lead"]
DatedBy = Literal["page", "source", "day", "gathered"]
Sentiment = Literal["negative", "neutral", "positive"]

COMPLAINTS: tuple[str, ...] = (
    "training",
    "security",
    "administrative_burden",
    "technical_failure",
    "patient_care",
)
SENTIMENTS: tuple[Sentiment, ...] = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class Comment:
    """A staff comment as received: personal information, never stored, logged or shown.

    ``place`` names file and row for messages; ``comment_id`` is a keyed hash (HMAC-SHA256), so
    that nobody without the key can confirm a guess of who wrote what. So are ``respondent``, by
    which all answers of one person are found, and ``content_key``, of the text as received.
    ``told_apart`` is false where neither a response id nor a date names the row: the same words
    in another file may then be another person's, or the same file again.
    """

    comment_id: str
    source: str
    place: str
    text: str = field(repr=False)
    posted_at: datetime | None = None
    site: str | None = None
    unit: str | None = None
    role: str | None = None
    lang: Language | None = None
    respondent: str | None = None
    content_key: str | None = None
    told_apart: bool = True

    def __repr__(self) -> str:
        return f"Comment({self.comment_id}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Document:
    """An article, or a comment once de-identified: what the store keeps.

    Of articles alone: ``url`` is the canonical address and ``link`` the one it was announced
    under where that differs; ``authors`` are separated by ``"; "``; ``access`` is ``"lead"`` when
    only the lead stands before a paywall; ``dated_by`` tells where ``published_at`` is from.
    """

    document_id: str
    kind: Kind
    source: str
    text: str = field(repr=False)
    lang: Language
    url: str | None = None
    title: str | None = None
    published_at: datetime | None = None
    site: str | None = None
    unit: str | None = None
    role: str | None = None
    respondent: str | None = None
    content_key: str | None = None
    link: str | None = None
    outlet: str | None = None
    authors: str | None = None
    section: str | None = None
    access: Access | None = None
    dated_by: DatedBy | None = None

    def __repr__(self) -> str:
        return f"Document({self.document_id}, {self.kind}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence, or two short ones: the unit that is labelled.

    ``document.text[start:end] == passage.text`` holds for every passage of a document.
    """

    passage_id: str
    document_id: str
    position: int
    start: int
    end: int
    text: str = field(repr=False)
    lang: Language

    def __repr__(self) -> str:
        return f"Passage({self.passage_id}, [{self.start}:{self.end}])"


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """What is told of a document beside its labels; offsets are of the document's text.

    ``site`` is the official name of a comment's own site; ``mentions`` are ``(start, end, site)``,
    ``voices`` ``(start, end, role, direct)``, ``passages`` ``(passage_id, site, role of voice)``;
    ``bands`` and ``copies`` serve to find near-copies.
    """

    document_id: str
    preparation: str
    site: str | None
    relevance_score: float
    relevance_reason: str
    text_key: str
    mentions: tuple[tuple[int, int, str], ...] = ()
    voices: tuple[tuple[int, int, str, bool], ...] = ()
    passages: tuple[tuple[str, str | None, str | None], ...] = ()
    bands: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """What one model version says of one passage.

    ``complaint_scores`` follows ``COMPLAINTS``; ``sentiment_scores`` follows ``SENTIMENTS``.
    """

    passage_id: str
    model: str
    complaints: tuple[str, ...]
    complaint_scores: tuple[float, ...]
    sentiment: Sentiment
    sentiment_scores: tuple[float, ...]
    needs_review: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A labelled passage that a person may review.

    ``scores`` follows ``COMPLAINTS``, then ``SENTIMENTS``.
    """

    passage_id: str
    lang: Language
    kind: Kind
    text: str = field(repr=False)
    complaints: tuple[str, ...]
    sentiment: Sentiment
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What one person says of one passage."""

    passage_id: str
    annotator: str
    reviewed_at: datetime
    complaints: tuple[str, ...]
    sentiment: Sentiment


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that could not be taken in, where, at which stage and why. Holds no text.

    ``code`` is the reason in one word; ``content_key`` tells files apart that came under one name;
    ``sealed`` is the raw row, encrypted, and ``respondent`` who wrote it, where that is known.
    """

    source: str
    place: str
    stage: str
    reason: str
    code: str = "other"
    content_key: str = ""
    sealed: bytes | None = field(default=None, repr=False)
    respondent: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a server said of an address, so that asking again may cost a 304 alone.

    ``body`` is kept of robots.txt and sitemap indexes only.
    """

    url: str
    etag: str | None
    last_modified: str | None
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Postponed:
    """An announced article whose page did not come for now, and is asked for another night."""

    link: str
    title: str
    published_at: datetime | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the gathering of one news source stands.

    ``failures`` counts nights in a row without an answer; ``covered_since`` and
    ``covered_until`` (exclusive) bound what the last backfill, with earlier ones that touch it,
    went through: there is no gap between them.
    """

    source: str
    asked_at: datetime
    answered_at: datetime | None = None
    newest_at: datetime | None = None
    failures: int = 0
    covered_since: datetime | None = None
    covered_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one stage, and how long it took, safe to log and to show."""

    stage: str
    counts: dict[str, int]
    seconds: float = field(default=0.0, compare=False)
    ended: datetime | None = field(default=None, compare=False)
