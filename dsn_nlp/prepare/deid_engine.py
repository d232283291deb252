"""Presidio as the frame: spaCy for names of persons, our recognizers, and no network, no logs."""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from dsn_nlp.prepare.deid_lexicon import SPACY_MODELS, model_folder
from dsn_nlp.prepare.deid_patterns import find_structured, rules
from dsn_nlp.prepare.deid_persons import find_persons
from dsn_nlp.prepare.deid_text import shouted

TYPES = (
    "PERSON",
    "PHONE",
    "EMAIL",
    "HEALTH_INSURANCE_NUMBER",
    "SIN",
    "RECORD_NUMBER",
    "LICENCE_NUMBER",
    "DATE_OF_BIRTH",
    "AGE",
    "ADDRESS",
    "POSTAL_CODE",
    "USERNAME",
    "URL",
    "WORKSTATION",
)
_ROW = re.compile(r"\S{201,}")
_EXCLUDED = ["parser", "lemmatizer", "tagger", "morphologizer", "attribute_ruler", "senter"]


def silence() -> None:
    """Keep Presidio's loggers, which may show text, from saying anything below a warning."""
    for name in ("presidio-analyzer", "decision_process", "presidio_analyzer"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("decision_process").propagate = False


class PersonEngine(NlpEngine):
    """Two spaCy pipelines with named entities alone, each loaded when first used."""

    engine_name = "dsn-nlp"
    is_available = True

    def __init__(self) -> None:
        self._pipelines: dict[str, Any] = {}

    def load(self) -> None:
        """Do nothing: a pipeline is loaded when its language is first met."""

    def is_loaded(self) -> bool:
        """Tell Presidio that there is nothing to wait for."""
        return True

    def pipeline(self, language: str) -> Any:
        """Give the spaCy pipeline of a language.

        :raises ModelError: if its model is not installed.
        """
        if language not in self._pipelines:
            import spacy

            folder = model_folder(SPACY_MODELS[language])
            self._pipelines[language] = spacy.load(folder, exclude=_EXCLUDED)
        return self._pipelines[language]

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Find the names that spaCy sees in one text."""
        return self._artifacts(self.pipeline(language)(truecased(text)), language)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 64, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Find the names that spaCy sees in many texts."""
        kept = list(texts)
        docs = self.pipeline(language).pipe(map(truecased, kept), batch_size=batch_size)
        for text, doc in zip(kept, docs, strict=True):
            yield text, self._artifacts(doc, language)

    def _artifacts(self, doc: Any, language: str) -> NlpArtifacts:
        return NlpArtifacts(
            entities=list(doc.ents),
            tokens=doc,
            tokens_indices=[],
            lemmas=[],
            nlp_engine=self,
            language=language,
            scores=[0.5] * len(doc.ents),
        )

    def is_stopword(self, word: str, language: str) -> bool:
        """Say no: stop words play no part here."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Say no: punctuation plays no part here."""
        return False

    def get_supported_entities(self) -> list[str]:
        """Name the one kind of entity that is asked of spaCy."""
        return ["PERSON"]

    def get_supported_languages(self) -> list[str]:
        """Name the languages."""
        return list(SPACY_MODELS)


def truecased(text: str) -> str:
    """Give text in capitals capitals at word beginnings only; the length stays the same.

    Rows of more than 200 characters without a space hold no names and are slow to tokenise: they
    become spaces.
    """
    text = _ROW.sub(lambda row: " " * len(row.group()), text)
    if not shouted(text):
        return text
    letters: list[str] = []
    for index, letter in enumerate(text):
        small = letter.lower()
        inside = index > 0 and text[index - 1].isalpha()
        letters.append(small if inside and len(small) == 1 else letter)
    return "".join(letters)


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
    """Names of persons, told by lists, by context, and by spaCy as one vote."""

    def load(self) -> None:
        """Do nothing: the lists are read when first used."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Find names of persons in folded text."""
        found = nlp_artifacts.entities if nlp_artifacts is not None else []
        votes = [(e.start_char, e.end_char) for e in found if e.label_ in ("PER", "PERSON")]
        lang = self.supported_language
        return [RecognizerResult("PERSON", *span) for span in find_persons(text, votes, lang)]


class _NoEnhancer(ContextAwareEnhancer):
    """Leaves scores alone: context is already part of our rules."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
    ) -> list[RecognizerResult]:
        """Give the results as they are."""
        return raw_results


def build_analyzer() -> tuple[AnalyzerEngine, PersonEngine]:
    """Put Presidio together with our engine and recognizers and nothing else."""
    silence()
    engine = PersonEngine()
    registry = RecognizerRegistry(supported_languages=list(SPACY_MODELS))
    for language in SPACY_MODELS:
        kinds = list(TYPES[1:])
        registry.add_recognizer(
            PatternRecognizer(kinds, name=f"patterns-{language}", supported_language=language)
        )
        registry.add_recognizer(
            PersonRecognizer(["PERSON"], name=f"persons-{language}", supported_language=language)
        )
    analyzer = AnalyzerEngine(
        registry=registry,
        nlp_engine=engine,
        log_decision_process=False,
        supported_languages=list(SPACY_MODELS),
        context_aware_enhancer=_NoEnhancer(),
    )
    return analyzer, engine
