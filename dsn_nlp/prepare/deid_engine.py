"""Presidio as the frame: the tagger and recognizers of our own, and no network, no logs."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from dsn_nlp.prepare.deid_merge import believed, unprotected, votes_of
from dsn_nlp.prepare.deid_patterns import find_structured, rules
from dsn_nlp.prepare.deid_persons import find_persons
from dsn_nlp.prepare.deid_tagger import Reading, Tagger
from dsn_nlp.prepare.deid_types import TYPES

LANGUAGES = ("fr", "en")
# Texts that the tagger reads together: enough for most to have others of their length beside
# them, and so few characters that what is told of them stays small in memory.
BATCH_TEXTS, BATCH_CHARACTERS = 512, 400_000


def silence() -> None:
    """Keep Presidio's loggers, which may show text, from saying anything below a warning."""
    for name in ("presidio-analyzer", "decision_process", "presidio_analyzer"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("decision_process").propagate = False


class Read(NlpArtifacts):
    """A text that the tagger has read.

    :ivar reading: the probabilities of its words; ``None`` where rules stand alone.
    :ivar votes: stretches that may be persons; rules believe one that agrees with them.
    """

    def __init__(
        self,
        reading: Reading | None,
        votes: list[tuple[int, int]],
        engine: NlpEngine,
        language: str,
    ) -> None:
        super().__init__([], None, [], [], engine, language, [])
        self.reading, self.votes = reading, votes


class TaggerEngine(NlpEngine):
    """Reads texts by the tagger, many at once, the same for both languages."""

    engine_name = "dsn-nlp"
    is_available = True

    def __init__(self, tagger: Tagger | None) -> None:
        self.tagger = tagger

    def load(self) -> None:
        """Do nothing: the tagger was loaded before."""

    def is_loaded(self) -> bool:
        """Tell Presidio that there is nothing to wait for."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Read one text."""
        return next(self.process_batch([text], language))[1]

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = BATCH_TEXTS, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Read many texts.

        :raises ModelError: when the network gives no numbers.
        """
        for batch in _bounded(texts, batch_size, BATCH_CHARACTERS):
            yield from zip(batch, self._read(batch, language), strict=True)

    def _read(self, texts: Sequence[str], language: str) -> Iterator[Read]:
        if self.tagger is None:
            yield from (Read(None, [], self, language) for _ in texts)
            return
        for reading in self.tagger.read(texts):
            yield Read(reading, votes_of(reading), self, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """Say no: stop words play no part here."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Say no: punctuation plays no part here."""
        return False

    def get_supported_entities(self) -> list[str]:
        """Name the types."""
        return list(TYPES)

    def get_supported_languages(self) -> list[str]:
        """Name the languages."""
        return list(LANGUAGES)


def _bounded(texts: Iterable[str], most: int, characters: int) -> Iterator[list[str]]:
    """Cut a stream into lists of so many texts, and so many characters if there are several."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == most or size + len(text) > characters):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


class PatternRecognizer(EntityRecognizer):
    """Structured identifiers, told by patterns and by the words that announce them."""

    def load(self) -> None:
        """Compile the patterns."""
        rules()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Find structured identifiers in folded text."""
        return [RecognizerResult(f.type, f.start, f.end, f.score) for f in find_structured(text)]


class PersonRecognizer(EntityRecognizer):
    """Names of persons, told by lists and by context, where the tagger does not doubt them."""

    def __init__(self, doubts: float, language: str) -> None:
        self.doubts = doubts
        super().__init__(["PERSON"], name=f"persons-{language}", supported_language=language)

    def load(self) -> None:
        """Do nothing: the lists are read when first used."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Find names of persons in folded text."""
        read = nlp_artifacts if isinstance(nlp_artifacts, Read) else None
        votes = read.votes if read else []
        found = find_persons(text, votes, self.supported_language)
        return [
            RecognizerResult("PERSON", *span)
            for span in found
            if read is None or read.reading is None or believed(read.reading, span, self.doubts)
        ]


class TaggerRecognizer(EntityRecognizer):
    """Identifiers of every type that the tagger is sure of."""

    def __init__(self, tagger: Tagger, language: str) -> None:
        self.tagger = tagger
        super().__init__(list(TYPES), name=f"tagger-{language}", supported_language=language)

    def load(self) -> None:
        """Do nothing: the tagger was loaded before."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Find identifiers in folded text that the engine has read."""
        reading = nlp_artifacts.reading if isinstance(nlp_artifacts, Read) else None
        if reading is None:
            return []
        spans = self.tagger.spans(text, reading)
        return [RecognizerResult(s.type, s.start, s.end, s.score) for s in unprotected(text, spans)]


class _NoEnhancer(ContextAwareEnhancer):
    """Leaves scores alone: context is already part of our rules."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
    ) -> list[RecognizerResult]:
        """Give the results as they are."""
        return raw_results


def build_analyzer(tagger: Tagger | None) -> tuple[AnalyzerEngine, TaggerEngine]:
    """Put Presidio together with our engine and recognizers and nothing else.

    :param tagger: ``None`` leaves the rules alone, to be measured.
    """
    silence()
    engine = TaggerEngine(tagger)
    doubts = tagger.manifest.doubts if tagger is not None else 0.0
    registry = RecognizerRegistry(supported_languages=list(LANGUAGES))
    for language in LANGUAGES:
        kinds = list(TYPES[1:])
        registry.add_recognizer(
            PatternRecognizer(kinds, name=f"patterns-{language}", supported_language=language)
        )
        registry.add_recognizer(PersonRecognizer(doubts, language))
        if tagger is not None:
            registry.add_recognizer(TaggerRecognizer(tagger, language))
    analyzer = AnalyzerEngine(
        registry=registry,
        nlp_engine=engine,
        log_decision_process=False,
        supported_languages=list(LANGUAGES),
        context_aware_enhancer=_NoEnhancer(),
    )
    return analyzer, engine
