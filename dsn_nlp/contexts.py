"""The stage between gathering and labelling: every stored document gets its context.

Relevance, sites, voices and near-copies are told from what is stored, never from raw comments, so
a store of an earlier version, and rules that have changed since, are caught up with by any night.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache

from dsn_nlp.config import Settings
from dsn_nlp.prepare import copies
from dsn_nlp.prepare.context import PREPARATION, tell_context
from dsn_nlp.prepare.copies import long_enough
from dsn_nlp.prepare.sites import Mention, resolve_site
from dsn_nlp.prepare.voices import Voice
from dsn_nlp.records import Document, DocumentContext, Passage
from dsn_nlp.store import Store
from dsn_nlp.store.contexts import MOST_A_BAND

BATCH_DOCUMENTS = 64
# Texts whose shingles are kept for the next documents of a batch.
MOST_SHINGLES = 2048
_site_of = lru_cache(maxsize=4096)(resolve_site)


def tell_contexts(store: Store, settings: Settings, run_id: str) -> int:
    """Tell the context of every document that has none of this version.

    :return: how many were told.
    """
    told, after = 0, ""
    while pairs := store.without_context(PREPARATION, BATCH_DOCUMENTS, after):
        batch = _Batch(store, settings, [document for document, _ in pairs])
        store.add_contexts(run_id, [batch.context(document, cut) for document, cut in pairs])
        store.renew_lease(run_id)
        told, after = told + len(pairs), pairs[-1][0].document_id
    return told


class _Batch:
    """Contexts of a few documents; copies within the batch meet each other here.

    The store is asked for all of them at once: nothing that it answers changes in between.
    """

    def __init__(self, store: Store, settings: Settings, batch: Sequence[Document]) -> None:
        self._store = store
        self._least = settings.prepare.copy_similarity
        self._keys = {d.document_id: copies.text_key(d.kind, d.text) for d in batch}
        self._same = self._same_texts(batch)
        apart = [d for d in batch if d.document_id not in self._same]
        self._bands = {
            d.document_id: copies.bands(d.kind, d.text) for d in apart if long_enough(d.text)
        }
        self._stored = store.in_bands(band for keys in self._bands.values() for band in keys)
        self._met: dict[str, list[str]] = {}
        self._shingles: dict[str, frozenset[str]] = {}
        near = {other for found in self._stored.values() for other in found}
        if len(near) <= MOST_SHINGLES:  # many more only where boilerplate goes round
            self._read(near)

    def _read(self, ids: Collection[str]) -> None:
        """Keep the shingles of stored documents at hand."""
        for other, text in self._store.texts_of(ids).items() if ids else ():
            self._shingles[other] = copies.shingles(text)

    def _same_texts(self, batch: Sequence[Document]) -> dict[str, str]:
        """Of each document that repeats a text: one that has it, and bands, here or stored."""
        stored = self._store.same_texts(PREPARATION, self._keys.values())
        first: dict[str, str] = {}
        same: dict[str, str] = {}
        for document in batch:
            if not long_enough(document.text):
                continue
            own, key = document.document_id, self._keys[document.document_id]
            other = first.get(key) or stored.get(key)
            if other is None:
                first[key] = own
            else:
                same[own] = other
        return same

    def context(self, document: Document, passages: Sequence[Passage]) -> DocumentContext:
        """Tell the context of one document."""
        site = _site_of(document.site) if document.site else None
        near = (site,) if site else ()
        context = tell_context(document.title, document.text, document.kind, near)
        bands, alike = self._copies(document)
        return DocumentContext(
            document_id=document.document_id,
            preparation=PREPARATION,
            site=site,
            relevance_score=context.screening.score,
            relevance_reason=context.screening.reason,
            text_key=self._keys[document.document_id],
            mentions=tuple((m.start, m.end, m.site) for m in context.mentions),
            voices=tuple((v.start, v.end, v.role, v.direct) for v in context.voices),
            passages=tuple(
                (p.passage_id, _site_in(p, context.mentions), _voice_in(p, context.voices))
                for p in passages
            ),
            bands=tuple(bands),
            copies=tuple(alike),
        )

    def _copies(self, document: Document) -> tuple[list[str], list[str]]:
        """The document's bands and what it is a copy of; the same text again needs no bands."""
        own = document.document_id
        if own in self._same:
            return [], [self._same[own]]
        if own not in self._bands:
            return [], []
        keys, mine = self._bands[own], copies.shingles(document.text)
        near = self._near(own, keys)
        self._shingles[own] = mine
        for band in keys:
            self._met.setdefault(band, []).append(own)
        alike = [o for o in near if copies.similarity(mine, self._shingles[o]) >= self._least]
        return keys, alike

    def _near(self, own: str, keys: Sequence[str]) -> list[str]:
        """Documents that share a band with one, their shingles at hand."""
        near: dict[str, None] = {}
        for band in keys:
            stored = [other for other in self._stored.get(band, ()) if other != own]
            near |= dict.fromkeys(stored[:MOST_A_BAND])
            near |= dict.fromkeys(self._met.get(band, ()))
        if len(self._shingles) > 2 * MOST_SHINGLES:
            self._shingles = {o: s for o, s in self._shingles.items() if o in self._bands}
        self._read([other for other in near if other not in self._shingles])
        return [other for other in near if other in self._shingles]


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
