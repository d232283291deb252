"""What is told of a document beside its labels: relevance, establishments, voices."""

from dataclasses import dataclass

from dsn_nlp.prepare.screen import THRESHOLD, Screening, screen, screen_comment
from dsn_nlp.prepare.sites import Mention, link_sites
from dsn_nlp.prepare.voices import Voice, find_voices
from dsn_nlp.records import Kind

# Raised when the rules change: stored documents are then prepared again by the next night.
PREPARATION = "3"


@dataclass(frozen=True, slots=True)
class Context:
    """Relevance, the sites that the text names, and who speaks in it; offsets are of the text."""

    screening: Screening
    mentions: tuple[Mention, ...]
    voices: tuple[Voice, ...]


def tell_context(
    title: str | None,
    text: str,
    kind: Kind,
    near: tuple[str, ...] = (),
    threshold: float = THRESHOLD,
) -> Context:
    """Tell the context of a document.

    :param title: of an article; it counts for relevance only.
    :param kind: a comment has one voice, its author's, so none is looked for.
    :param near: official names of sites known to be at hand.
    :param threshold: relevance from which a document counts as relevant.
    """
    if kind == "comment":
        screening = screen_comment(text, threshold)
        return Context(screening, tuple(link_sites(text, kind, near)), ())
    screening = screen(title or "", text, threshold)
    return Context(screening, tuple(link_sites(text, kind, near)), tuple(find_voices(text)))
