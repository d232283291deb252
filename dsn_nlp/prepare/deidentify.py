"""Staff comments to documents that are safe to store: identifiers give way to typed placeholders.

The result is de-identified (*dépersonnalisé*), not anonymised: it stays personal information.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from dsn_nlp.prepare.deid_engine import build_analyzer
from dsn_nlp.prepare.deid_folder import tagger_folder
from dsn_nlp.prepare.deid_lexicon import lexicon, words_of
from dsn_nlp.prepare.deid_merge import Piece, repeated, united
from dsn_nlp.prepare.deid_tagger import Tagger
from dsn_nlp.prepare.deid_text import Folded, fold, windows
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.records import Comment, Document, Language
from dsn_nlp.text import normalise, tell_language

WINDOW = 10_000
OVERLAP = 200
BATCH = 512
KEPT_FIELDS = 1024  # short fields of which the outcome is kept


@dataclass(frozen=True, slots=True)
class Span:
    """An identifier: ``text[start:end]`` of the text given, its type and how sure we are."""

    start: int
    end: int
    type: str
    score: float = 1.0


class Deidentifier:
    """Finds and removes what identifies a person in staff comments, without any network."""

    def __init__(self, tagger: Tagger | None) -> None:
        self._analyzer, self._engine = build_analyzer(tagger)
        # Sites, units and roles come again and again; the cache lives and dies in this process.
        self._field = lru_cache(maxsize=KEPT_FIELDS)(self._redacted_field)

    def find(self, text: str, lang: Language) -> list[Span]:
        """Find identifiers in a text.

        :param text: any text; offsets refer to it as given.
        :param lang: the language of most of it.
        :return: spans, sorted and apart.
        :raises ModelError: if a spaCy model is not installed, or the tagger gives no numbers.
        """
        return self._find_many([text], lang)[0]

    def redact(self, text: str, lang: Language) -> tuple[str, list[Span]]:
        """Put placeholders in place of identifiers.

        Two or more distinct persons are numbered: ``[PERSON_1]``, ``[PERSON_2]``.

        :return: the redacted text, and the spans in the text given.
        :raises ModelError: if a spaCy model is not installed, or the tagger gives no numbers.
        """
        spans = self.find(text, lang)
        return _replaced(text, spans), spans

    def deidentify(self, comments: Iterable[Comment]) -> Iterator[Document]:
        """Turn raw comments into documents that are safe to store, in the same order.

        :raises ModelError: if a spaCy model is not installed, or the tagger gives no numbers.
        """
        waiting = iter(comments)
        while batch := list(islice(waiting, BATCH)):
            yield from self._documents(batch)

    def _documents(self, comments: Sequence[Comment]) -> Iterator[Document]:
        texts = [normalise(comment.text) for comment in comments]
        langs = [
            tell_language(text, comment.lang) for text, comment in zip(texts, comments, strict=True)
        ]
        redacted: dict[int, str] = {}
        for lang in sorted(set(langs)):
            places = [index for index, told in enumerate(langs) if told == lang]
            found = self._find_many([texts[index] for index in places], lang)
            redacted |= {
                index: _replaced(texts[index], spans)
                for index, spans in zip(places, found, strict=True)
            }
        for index, comment in enumerate(comments):
            yield Document(
                document_id=comment.comment_id,
                kind="comment",
                source=comment.source,
                text=redacted[index],
                lang=langs[index],
                published_at=comment.posted_at,
                site=self._field(comment.site, langs[index]),
                unit=self._field(comment.unit, langs[index]),
                role=self._field(comment.role, langs[index]),
                respondent=comment.respondent,
                content_key=comment.content_key,
            )

    def _redacted_field(self, field: str | None, lang: Language) -> str | None:
        """Redact a short field: structured identifiers, and names that a title announces."""
        if not field:
            return field
        text = normalise(field)
        spans = [
            span
            for span in self.find(text, lang)
            if span.type != "PERSON" or _titled(text, span) or _full_name(text, span)
        ]
        return _replaced(text, spans)

    def _find_many(self, texts: Sequence[str], lang: Language) -> list[list[Span]]:
        folded = [fold(text) for text in texts]
        pieces = [
            (place, start, text.text[start:end])
            for place, text in enumerate(folded)
            for start, end in windows(text.text, WINDOW, OVERLAP)
        ]
        artifacts = self._engine.process_batch([piece for *_, piece in pieces], lang)
        found: list[list[Piece]] = [[] for _ in texts]
        for (place, offset, piece), (_, seen) in zip(pieces, artifacts, strict=True):
            for result in self._analyzer.analyze(piece, lang, nlp_artifacts=seen):
                start, end = offset + result.start, offset + result.end
                found[place].append(Piece(start, end, result.entity_type, result.score))
        return [_spans(text, united(told)) for text, told in zip(folded, found, strict=True)]


@lru_cache(maxsize=2)
def deidentifier(folder: Path | None = None) -> Deidentifier:
    """Give the one de-identifier of this process, its tagger loaded and verified.

    :param folder: the tagger's; that of the installed project without it.
    :raises ModelError: when the tagger is missing or altered. Rules alone never stand in for it.
    """
    return Deidentifier(Tagger.load(folder or tagger_folder(None), TYPES))


def _spans(text: Folded, pieces: list[Piece]) -> list[Span]:
    """Bring pieces of folded text back to the text as given."""
    told = repeated(text.text, pieces)
    return [Span(*text.origin(p.start, p.end), p.type, p.score) for p in told]


def _titled(text: str, span: Span) -> bool:
    before = words_of(text[max(0, span.start - 16) : span.start])
    return bool(before) and before[-1] in lexicon().titles


def _full_name(text: str, span: Span) -> bool:
    words = words_of(text[span.start : span.end])
    return len(words) > 1 and words[0] in lexicon().first and words[-1] in lexicon().last


def _replaced(text: str, spans: Sequence[Span]) -> str:
    persons = _numbered(text, spans)
    many = len(set(persons.values())) > 1
    parts: list[str] = []
    position = 0
    for span in spans:
        number = f"_{persons[span]}" if many and span in persons else ""
        parts += [text[position : span.start], f"[{span.type}{number}]"]
        position = span.end
    return "".join([*parts, text[position:]])


def _numbered(text: str, spans: Sequence[Span]) -> dict[Span, int]:
    """Number persons in order; a name whose words all belong to another's is the same person."""
    known: list[set[str]] = []
    bearers: defaultdict[str, set[int]] = defaultdict(set)
    numbers: dict[Span, int] = {}
    for span in spans:
        if span.type != "PERSON":
            continue
        words = set(words_of(fold(text[span.start : span.end]).text))
        index = _same_person(words, known, bearers)
        if index == len(known):
            known.append(set())
        known[index] |= words
        for word in words:
            bearers[word].add(index)
        numbers[span] = index + 1
    return numbers


def _same_person(words: set[str], known: list[set[str]], bearers: dict[str, set[int]]) -> int:
    """Give the first person whose words hold these, or are among them; else a new number."""
    if known and not (words and known[0]):  # a name without words is whoever comes first
        return 0
    near = set().union(*(bearers[word] for word in words))
    same = (i for i in near if words <= known[i] or known[i] <= words)
    return min(same, default=len(known))


__all__ = ["Deidentifier", "Folded", "Span", "deidentifier"]
