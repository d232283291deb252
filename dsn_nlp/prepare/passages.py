"""Split documents into passages: spaCy sentence boundaries, a token budget, exact offsets."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from dsn_nlp.records import Document, Language, Passage
from dsn_nlp.text import content_id, tell_language

if TYPE_CHECKING:
    import spacy
    from spacy.tokens import Doc

# A sentence of fewer words joins the one before it: alone it makes no sense ("Quel luxe.").
MIN_WORDS = 3
# Marks after which a sentence over the budget may be cut, the best first.
_CUTS = ((";", ":", "\n"), (",", "–", "—", ")"), ())
_BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-•*–]|\d{1,2}[.)]))")
_WORD = re.compile(r"\w+")
_CLOSERS = frozenset("»”\"')]’")
# Abbreviations of Québec's staff writing that end in a full stop and end no sentence.
_ABBREVIATIONS: dict[Language, tuple[str, ...]] = {
    "fr": ("Dr.", "Dre.", "Mme.", "Mlle.", "inf.", "aux.", "pt.", "pts.", "méd.", "no.", "tél.",
           "ex.", "p.ex.", "env.", "min.", "hres.", "rx.", "St.", "Ste.", "c.-à-d."),
    "en": ("Dr.", "Mrs.", "Ms.", "Mr.", "no.", "approx.", "min.", "hrs.", "e.g.", "i.e.", "vs.",
           "pt.", "pts.", "St.", "Ste.", "dept."),
}  # fmt: skip


def split_document(document: Document, max_tokens: int = 90) -> list[Passage]:
    """Split a document; ``document.text[p.start:p.end] == p.text`` for each passage.

    Every character that is not white space lies in exactly one passage. The language of each
    passage is told on its own, the document's being the likelier one.

    :param max_tokens: spaCy tokens that a passage holds at most.
    """
    spans = list(_spans(document.text, document.lang, max_tokens))
    return [_passage(document, i, start, end) for i, (start, end) in enumerate(spans)]


def _passage(document: Document, position: int, start: int, end: int) -> Passage:
    text = document.text[start:end]
    return Passage(
        passage_id=content_id("passage", document.document_id, str(start), str(end), text),
        document_id=document.document_id,
        position=position,
        start=start,
        end=end,
        text=text,
        lang=tell_language(text, prior=document.lang),
    )


@lru_cache(maxsize=2)
def _sentencizer(lang: Language) -> "spacy.language.Language":
    import spacy

    pipeline = spacy.blank(lang)
    pipeline.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", "…", "?!", "!?"]})
    pipeline.max_length = 10_000_000
    for form in _ABBREVIATIONS[lang]:
        for variant in {form, form.lower(), form.capitalize()}:
            pipeline.tokenizer.add_special_case(variant, [{"ORTH": variant}])
    return pipeline


def _spans(text: str, lang: Language, max_tokens: int) -> Iterator[tuple[int, int]]:
    begin = 0
    for stop in [*(m.start() for m in _BREAK.finditer(text)), len(text)]:
        yield from _block_spans(text, begin, stop, lang, max_tokens)
        begin = stop


def _block_spans(
    text: str, begin: int, stop: int, lang: Language, max_tokens: int
) -> Iterator[tuple[int, int]]:
    """Split one paragraph or list entry; offsets are of the whole text."""
    parsed = _sentencizer(lang)(text[begin:stop])
    sentences = _joined(_sentence_bounds(parsed), parsed)
    for first, last in sentences:
        for start, end in _within_budget(parsed, first, last, max_tokens):
            start_at, end_at = _trim(text, begin + start, begin + end)
            if start_at < end_at:
                yield start_at, end_at


def _sentence_bounds(parsed: "Doc") -> list[tuple[int, int]]:
    """Token bounds of sentences; closing quotes and lower-case starts stay with what precedes."""
    bounds: list[tuple[int, int]] = []
    for sentence in parsed.sents:
        start = sentence.start
        if bounds and _opens(parsed, start - 1):
            start -= 1
            bounds[-1] = (bounds[-1][0], start)
        opening = parsed[start : sentence.end].text.lstrip()[:1]
        if bounds and (_closes(opening, parsed, start) or _goes_on(parsed, start, opening)):
            bounds[-1] = (bounds[-1][0], sentence.end)
        else:
            bounds.append((start, sentence.end))
    return [(first, last) for first, last in bounds if first < last]


def _opens(parsed: "Doc", index: int) -> bool:
    """Whether a token at a sentence's end is a quote mark that opens the next sentence."""
    token = parsed[index]
    if token.text in {"«", "“"}:
        return True
    apart = index > 0 and bool(parsed[index - 1].whitespace_)
    return token.text in {'"', "'"} and apart and not token.whitespace_


def _closes(opening: str, parsed: "Doc", start: int) -> bool:
    """Whether a piece begins by closing a quote or bracket of the sentence before it."""
    return opening in _CLOSERS and not _opens(parsed, start)


def _goes_on(parsed: "Doc", start: int, opening: str) -> bool:
    """Whether a piece goes on in mid-sentence: after "…" or a number, in lower case."""
    before = parsed[start - 1].text if start else ""
    return opening.islower() and before in {"…", "..."}


def _joined(bounds: list[tuple[int, int]], parsed: "Doc") -> list[tuple[int, int]]:
    """Join a sentence of a word or two to the one before it."""
    joined: list[tuple[int, int]] = []
    for first, last in bounds:
        words = len(_WORD.findall(parsed[first:last].text))
        if joined and words < MIN_WORDS:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _within_budget(
    parsed: "Doc", first: int, last: int, max_tokens: int
) -> Iterator[tuple[int, int]]:
    """Character bounds of a sentence cut so that no piece has more than ``max_tokens``."""
    while last - first > max_tokens:
        cut = _cut(parsed, first, first + max_tokens)
        yield parsed[first].idx, _end_of(parsed, cut)
        first = cut
    yield parsed[first].idx, _end_of(parsed, last)


def _cut(parsed: "Doc", first: int, limit: int) -> int:
    """The token after which to cut: behind the last strong mark in the second half, if any."""
    for marks in _CUTS:
        for index in range(limit - 1, first + (limit - first) // 2, -1):
            if parsed[index].text in marks:
                return index + 1
    return limit


def _end_of(parsed: "Doc", token: int) -> int:
    last = parsed[token - 1]
    return int(last.idx + len(last.text))


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
