"""Which model labels which language: one for both, or one each (``[labelling] fr = …, en = …``).

Two models that serve together have one identity, so that the store relabels when either changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsn_nlp.config import LabellingSettings
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import Manifest, read_manifest, serving_folder
from dsn_nlp.records import Label, Language, Passage

LANGUAGES: tuple[Language, ...] = ("fr", "en")


@dataclass(frozen=True)
class Serving:
    """The models that serve, by language; often the same one twice.

    :ivar folders: model folder of each language.
    :ivar manifests: what each folder says of itself.
    """

    folders: Mapping[Language, Path]
    manifests: Mapping[Language, Manifest]

    @property
    def model(self) -> str:
        """The identity that label rows carry: ``name@version``, or ``fr:…+en:…`` for two."""
        french, english = (self.manifests[lang].model for lang in LANGUAGES)
        return french if french == english else f"fr:{french}+en:{english}"

    @property
    def name(self) -> str:
        """Name of the model, or of both."""
        return "+".join(dict.fromkeys(m.name for m in self.manifests.values()))

    @property
    def version(self) -> str:
        """Version of the model, or of both."""
        return "+".join(dict.fromkeys(m.version for m in self.manifests.values()))

    @property
    def corpus_digest(self) -> str:
        """Digest of the training corpus, or of both."""
        digests = (m.corpus.get("train", {}).get("digest", "") for m in self.manifests.values())
        return "+".join(dict.fromkeys(map(str, digests)))

    @property
    def record(self) -> dict[str, Any]:
        """The manifest, or both by language, as written: a key that came later is not in it."""
        written: dict[str, Any] = {
            lang: manifest.model_dump(mode="json", exclude_unset=True)
            for lang, manifest in self.manifests.items()
        }
        one: dict[str, Any] = written["fr"]
        return one if one == written["en"] else written

    def load(self, threads: int = 0, remember: int = 0) -> "Router":
        """Verify and load what serves; one model that serves both languages is loaded once.

        :param threads: texts that run at once; 0 takes one a core.
        :param remember: texts whose scores are kept, for when they come again.
        :raises ModelError: when a model is missing, altered, or cannot be loaded.
        """
        folders = dict.fromkeys(self.folders.values())
        loaded = {f: Classifier.load(f, threads, remember) for f in folders}
        return Router(self.model, {lang: loaded[f] for lang, f in self.folders.items()})


@dataclass(frozen=True)
class Router:
    """Labels each passage with the model of its language, under one identity."""

    model: str
    classifiers: Mapping[Language, Classifier]

    def label(self, passages: Sequence[Passage]) -> list[Label]:
        """Label passages, in order."""
        found: dict[str, Label] = {}
        for classifier in dict.fromkeys(self.classifiers.values()):
            mine = [p for p in passages if self.classifiers[p.lang] is classifier]
            found |= {label.passage_id: label for label in classifier.label(mine, self.model)}
        return [found[p.passage_id] for p in passages]


def read_serving(settings: LabellingSettings) -> Serving:
    """Find what serves each language; the model of ``current.toml`` where no other is named.

    :raises ModelError: when a folder that is named holds no model.
    """
    named: dict[Language, str | None] = {"fr": settings.fr, "en": settings.en}
    folders = {lang: _folder(settings.models, reference) for lang, reference in named.items()}
    return Serving(folders, {lang: read_manifest(f) for lang, f in folders.items()})


def _folder(models: Path, reference: str | None) -> Path:
    return models / reference if reference else serving_folder(models)
