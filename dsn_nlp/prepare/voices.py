"""Who says what in an article: quotes and reported speech, with the role of the speaker.

Rules over a lexicon of roles, organisations and verbs of saying, in both languages. Offsets are
exact: ``text[voice.start:voice.end]`` is what is quoted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dsn_nlp.prepare.voice_attribution import attribute_incise, attribute_quote, reported
from dsn_nlp.prepare.voice_memory import Attribution, Memory
from dsn_nlp.prepare.voice_quotes import Quote, find_quotes
from dsn_nlp.prepare.voice_roles import Role, fold_in_place

MAX_CHARACTERS = 100_000
# Nobody writes longer ones; attributions are sought within a sentence, at a cost of its square.
MAX_SENTENCE = 1_500
# Without an attribution, fewer words between quotation marks are a title, a term or irony.
MIN_WORDS_ALONE = 5
# As many at most are set apart as a term, a name or irony where an article stands before them.
MAX_WORDS_TERM = 3
_SPACES = " \u00a0\u202f"
_END = re.compile(r"[.!?…]+[»”\"')\]]*(?=\s+[«“\"‘(\[]?[A-ZÀ-ÖØ-Þ0-9\x01—–])|[.!?…]+\s*$|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-ZÀ-Ý]|[Dd]re?s?|Mme|Mlle|Mrs?|Ms|St|Ste|no|art|vs|p|etc|Jr|Sr|Prof|Me|av|boul|inf)|\d)\.$"
)
LONGEST_ABBREVIATION = 6  # with its full stop, and the character before it
_TERM = re.compile(
    r"\b(?:appele|dit|baptise|intitule|nomme|surnomme|denomme|titre|mot|expression|terme|called|"
    r"titled|dubbed|so called|named|entitled|word|phrase|known as)(?:e|s|es)?\W*(?:de\W+)?$"
)
_NAMING = re.compile(
    r"\b(?:se di\w+|qualifi\w+|parl\w+|decri\w+|jug\w+|trait\w+|"
    r"called|describ\w+|evoqu\w+|denonc\w+|craint|redoute|label\w+)\b"
)
_OWN_NOUN = re.compile(
    r"\b(?:l|le|la|les|du|des|ce|cet|cette|ces|son|sa|ses|leurs?|nos|notre|the|this|that|these|its|"
    r"their|his|her|our)\s*$"
)
# What bears a title or an inscription, right before it.
_BEARER = re.compile(
    r"\b(?:livre|ouvrage|roman|essai|film|documentaire|balado|emission|chanson|piece|exposition|"
    r"projet|plan|programme|campagne|operation|slogan|message|affiche|pancarte|autocollant|"
    r"onglet|bouton|menu|case|champ|rubrique|section|module|formulaire|groupe|"
    r"book|novel|essay|documentary|podcast|song|play|exhibit|exhibition|project|program|campaign|"
    r"sign|poster|sticker|tab|button|box|field|form|group)s?\s+$"
)


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody says: characters ``[start, end)`` of the text, and whether word for word."""

    start: int
    end: int
    role: Role
    direct: bool


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    paragraph: int


def find_voices(text: str) -> list[Voice]:
    """Find quotes and reported speech in an article, in order.

    :param text: its first 100,000 characters are read.
    """
    return _Reader(text[:MAX_CHARACTERS]).read()


class _Reader:
    """Reads an article once, sentence by sentence, and remembers who was introduced."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.quotes = find_quotes(text)
        self.masked = _mask(text, self.quotes)
        self.folded = fold_in_place(self.masked)
        self.sentences = _sentences(self.masked)
        self.memory = Memory()
        self.voices: list[Voice] = []

    def read(self) -> list[Voice]:
        quotes, at = self.quotes, 0
        for index, sentence in enumerate(self.sentences):
            mine: list[Quote] = []
            while at < len(quotes) and quotes[at].outer < sentence.end:
                mine.append(quotes[at])
                at += 1
            self.memory.enter(sentence.paragraph)
            if mine:
                self._speak(index, sentence, mine)
            elif not self._report(sentence, self.masked, mine):
                self._introduce(sentence)
        return sorted(self.voices, key=lambda voice: (voice.start, voice.end))

    def _speak(self, index: int, sentence: _Sentence, mine: list[Quote]) -> None:
        cased = self.masked[sentence.start : sentence.end]
        folded = self.folded[sentence.start : sentence.end]
        settled: Role | None = None
        before = len(self.voices)
        for quote in mine:
            start, end = quote.outer - sentence.start, quote.outer_end - sentence.start
            if quote.dashed:
                self._dialogue(quote)
                continue
            told = attribute_quote(folded, cased, start, min(end, len(folded)), self.memory)
            if told is not None:
                settled = told.role or settled or "unknown"
                self.memory.speak(told)
            if told is None and settled is None and self._split(quote):
                settled = self.memory.here
                continue
            if self._is_speech(quote, told, sentence, settled is not None):
                role = settled or self._around(index, quote)
                self.voices.append(Voice(quote.start, quote.end, role, True))
        told_none = len(self.voices) == before and all(map(self._is_short, mine))
        if told_none and self._report(sentence, self.text, mine):
            return
        if settled is None:
            self._introduce(sentence)

    def _introduce(self, sentence: _Sentence) -> None:
        stretch = slice(sentence.start, sentence.end)
        self.memory.introduce(self.folded[stretch], self.masked[stretch])

    @staticmethod
    def _holds(told: Attribution, sentence: _Sentence, term: Quote) -> bool:
        start, end = sentence.start + told.start, sentence.start + told.end
        return start <= term.outer and term.outer_end <= end

    def _is_short(self, quote: Quote) -> bool:
        words = re.findall(r"\w+", self.text[quote.start : quote.end])
        return not quote.dashed and len(words) <= MAX_WORDS_TERM

    def _is_speech(
        self, quote: Quote, told: Attribution | None, sentence: _Sentence, settled: bool
    ) -> bool:
        said = self.text[quote.start : quote.end]
        size = len(re.findall(r"\w+", said))
        before = self.folded[max(quote.outer - 40, sentence.start) : quote.outer]
        if size < 6 and _TERM.search(before):
            return False
        if told is not None and told.closing:
            return size > 0
        if _NAMING.search(before) is None and (
            _BEARER.search(before) or (size <= MAX_WORDS_TERM and self._is_term(quote, before))
        ):  # "dénonce des « ratés » et…" is somebody's word for it
            return False
        if told is not None or settled:
            return size > 2 or said[-1:] in "!?…." or _NAMING.search(before) is not None
        whole = said.rstrip()[-1:] in ".!?…" or quote.outer == sentence.start
        if self.memory.here is not None and quote.outer == sentence.start and said[-1:] in ".!?…":
            return size > 1
        return size >= MIN_WORDS_ALONE and (whole or said[:1].isupper())

    def _is_term(self, quote: Quote, before: str) -> bool:
        """Whether quotation marks set a noun apart: "le « virage numérique » épuise…"."""
        goes_on = self.text[quote.outer_end :].lstrip(_SPACES)[:1].isalpha()
        open_ended = self.text[quote.end - 1] not in ".!?…"
        return goes_on and open_ended and _OWN_NOUN.search(before) is not None

    def _around(self, index: int, quote: Quote) -> Role:
        """Who speaks where the sentence does not say: the last speaker, or the next one named."""
        sentence = self.sentences[index]
        if self.memory.here is not None:
            return self.memory.here
        if index + 1 < len(self.sentences):
            after = self.sentences[index + 1]
            if after.paragraph == sentence.paragraph:
                cased = self.masked[after.start : after.end]
                ahead = self.memory.subject(self.folded[after.start : after.end], cased)
                if ahead is not None:
                    return ahead
        return self.memory.last or "unknown"

    def _split(self, quote: Quote) -> bool:
        """« A, dit-elle, B »: the incise is nobody's words, what stands around it is hers."""
        line = self.text[quote.start : quote.end]
        told = attribute_incise(fold_in_place(line), line, self.memory)
        if told is None or told.start < 2:
            return False
        self.memory.speak(told)
        role = told.role or "unknown"
        for start, end in ((0, told.start), (told.end, len(line))):
            part = line[start:end]
            lead = len(part) - len(part.lstrip(" ,.;\u00a0\n"))
            said = part[lead:].rstrip(" ,\u00a0\n")
            if len(said) > 1:
                first = quote.start + start + lead
                self.voices.append(Voice(first, first + len(said), role, True))
        return True

    def _dialogue(self, quote: Quote) -> None:
        """A dashed line is speech when an incise says so, or it goes on with a dialogue."""
        line = self.text[quote.start : quote.end]
        folded = fold_in_place(line)
        told = attribute_incise(folded, line, self.memory)
        if told is None and self.memory.dialogue != self.memory.paragraph - 1:
            return
        if told is not None:
            self.memory.speak(told)
        self.memory.dialogue = self.memory.paragraph
        end = quote.start + told.start if told and told.closing else quote.end
        said = self.text[quote.start : end].rstrip(" ,\u00a0")
        role = (told.role if told else None) or "unknown"
        self.voices.append(Voice(quote.start, quote.start + len(said), role, True))

    def _report(self, sentence: _Sentence, shown: str, terms: list[Quote]) -> bool:
        """Find reported speech: "Selon la FIQ, les dossiers « orphelins » sont légion."

        :param shown: the text with its quotes, or without them.
        :param terms: quotes that must be part of what is reported.
        """
        cased = shown[sentence.start : sentence.end]
        folded = fold_in_place(cased)
        told = reported(folded, cased, self.memory)
        if told is None or any(not self._holds(told, sentence, term) for term in terms):
            return False
        self.memory.speak(told)
        for start, end in _joined(folded, told.start, told.end):
            first, last = sentence.start + start, sentence.start + end
            if len(re.findall(r"\w+", self.text[first:last])) >= 2:
                self.voices.append(Voice(first, last, told.role or "unknown", False))
        return True


_AND_THAT = re.compile(r"(?:,|(?<![\s,]))\s+(?:and\s+that|et\s+que|et\s+qu)\s+")


def _joined(folded: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What is reported, cut at its "and that"."""
    for cut in _AND_THAT.finditer(folded, start, end):
        if (
            len(folded[start : cut.start()].split()) >= 3
            and len(folded[cut.end() : end].split()) > 2
        ):
            yield start, cut.start()
            start = cut.end()
    yield start, end


def _mask(text: str, quotes: list[Quote]) -> str:
    """Hide what is quoted, and end the sentence where the quote ends it."""
    parts, at = [], 0
    for quote in quotes:
        parts.append(text[at : quote.outer])
        width = quote.outer_end - quote.outer
        said = text[quote.start : quote.end].rstrip()
        ends = said[-1:] in tuple(".!?…") and _starts_anew(text, quote.outer_end, said[-1:])
        parts.append("\x01" * (width - 1) + ("." if ends and width else "\x01" * min(width, 1)))
        at = quote.outer_end
    return "".join([*parts, text[at:]])


_SAID = re.compile(
    r"\s*[A-Z][\w.’'-]*(?:\s+[\w.’'-]+){0,4}?\s+(?:said|says|asked|asks|added|wrote|told|replied|wondered|recalled|quipped|joked)\b"
)


def _starts_anew(text: str, at: int, mark: str) -> bool:
    """Whether what follows a quote is a new sentence and not its attribution."""
    rest = text[at : at + 90]
    if not rest.strip():
        return True
    stripped = rest.lstrip(" \u00a0\u202f")
    if stripped[:1] in "\n":
        return True
    if not (stripped[:1].isupper() or stripped[:1] in '«“"'):
        return False
    return mark == "." or not _SAID.match(rest)


def _sentences(masked: str) -> list[_Sentence]:
    found: list[_Sentence] = []
    start = paragraph = 0
    for match in _END.finditer(masked):
        last_word = max(start, match.end() - LONGEST_ABBREVIATION)
        if "\n" not in match[0] and _ABBREVIATION.search(masked, last_word, match.end()):
            continue
        found.extend(_pieces(masked, start, match.end(), paragraph))
        paragraph += "\n" in match[0]
        start = match.end()
    found.extend(_pieces(masked, start, len(masked), paragraph))
    return found


def _pieces(masked: str, start: int, end: int, paragraph: int) -> Iterator[_Sentence]:
    """A sentence without the white space before it; one without end is cut, outside quotes."""
    while start < end and masked[start].isspace():
        start += 1
    while end - start > MAX_SENTENCE:
        cut = masked.find(" ", start + MAX_SENTENCE, end)
        if cut < 0:
            break
        yield _Sentence(start, cut, paragraph)
        start = cut + 1
    if masked[start:end].strip():
        yield _Sentence(start, end, paragraph)
