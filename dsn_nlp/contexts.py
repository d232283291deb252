"""The stage between gathering and labelling: every stored document gets its context.

Relevance, sites, voices and near-copies are told from what is stored, never from raw comments, so
a store of an earlier version, and rules that have changed since, are caught up with by any night.
"""

from collections.abc import Sequence
from functools import lru_cache

from dsn_nlp.config import Settings
from dsn_nlp.prepare import copies
from dsn_nlp.prepare.context import PREPARATION, tell_context
from dsn_nlp.prepare.sites import Mention, resolve_site
from dsn_nlp.prepare.voices import Voice
from dsn_nlp.records import Document, DocumentContext, Passage
from dsn_nlp.store import Store

BATCH_DOCUMENTS = 64
_site_of = lru_cache(maxsize=4096)(resolve_site)


def tell_contexts(store: Store, settings: Settings, run_id: str) -> int:
    """Tell the context of every document that has none of this version.

    :return: how many were told.
    """
    told = 0
    while pairs := store.without_context(PREPARATION, BATCH_DOCUMENTS):
        batch = _Batch(store, settings)
        store.add_contexts(run_id, [batch.context(document, cut) for document, cut in pairs])
        store.renew_lease(run_id)
        told += len(pairs)
    return told


class _Batch:
    """Contexts of a few documents; copies within the batch meet each other here."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._least = settings.prepare.copy_similarity
        self._texts: dict[str, str] = {}
        self._bands: dict[str, list[tuple[str, frozenset[str]]]] = {}

    def context(self, document: Document, passages: Sequence[Passage]) -> DocumentContext:
        """Tell the context of one document."""
        site = _site_of(document.site) if document.site else None
        near = (site,) if site else ()
        context = tell_context(document.title, document.text, document.kind, near)
        key = copies.text_key(document.kind, document.text)
        bands, alike = self._copies(document, key)
        return DocumentContext(
            document_id=document.document_id,
            preparation=PREPARATION,
            site=site,
            relevance_score=context.screening.score,
            relevance_reason=context.screening.reason,
            text_key=key,
            mentions=tuple((m.start, m.end, m.site) for m in context.mentions),
            voices=tuple((v.start, v.end, v.role, v.direct) for v in context.voices),
            passages=tuple(
                (p.passage_id, _site_in(p, context.mentions), _voice_in(p, context.voices))
                for p in passages
            ),
            bands=tuple(bands),
            copies=tuple(alike),
        )

    def _copies(self, document: Document, key: str) -> tuple[list[str], list[str]]:
        """The document's bands and what it is a copy of; the same text again needs no bands."""
        if not copies.long_enough(document.text):
            return [], []
        own = document.document_id
        same = self._texts.get(key) or self._store.copies_of(key, own)
        if same is not None:
            return [], [same]
        keys, mine = copies.bands(document.kind, document.text), copies.shingles(document.text)
        found = {o: copies.shingles(text) for o, text in self._store.alike(keys, own)}
        found |= {other: theirs for band in keys for other, theirs in self._bands.get(band, ())}
        self._texts[key] = own
        for band in keys:
            self._bands.setdefault(band, []).append((own, mine))
        alike = [o for o, theirs in found.items() if copies.similarity(mine, theirs) >= self._least]
        return keys, alike


def _site_in(passage: Passage, mentions: Sequence[Mention]) -> str | None:
    return next((m.site for m in mentions if passage.start <= m.start < passage.end), None)


def _voice_in(passage: Passage, voices: Sequence[Voice]) -> str | None:
    """The role of the voice that most of the passage belongs to."""
    shared = [
        (min(v.end, passage.end) - max(v.start, passage.start), v.role)
        for v in voices
        if v.start < passage.end and passage.start < v.end
    ]
    return max(shared)[1] if shared else None
