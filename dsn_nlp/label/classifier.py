"""Labels passages with the shipped model: one int8 encoder pass stacked with n-grams."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import ModelError
from dsn_nlp.label import folder as files
from dsn_nlp.label.folder import Calibration, Manifest
from dsn_nlp.label.memory import ScoreMemory
from dsn_nlp.label.network import LOGITS, FloatArray, IntArray, StagedNetwork, Sure
from dsn_nlp.label.ngrams import NgramModel
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Label, Passage


@dataclass(frozen=True)
class Scores:
    """Calibrated probabilities of ``n`` texts.

    :ivar complaints: shape ``(n, 5)``, order of ``COMPLAINTS``.
    :ivar sentiment: shape ``(n, 3)``, order of ``SENTIMENTS``; rows sum to 1.
    :ivar risk: probability that at least one label of the text is wrong, shape ``(n,)``.
    """

    complaints: FloatArray
    sentiment: FloatArray
    risk: FloatArray


class Classifier:
    """A loaded, verified model folder."""

    def __init__(
        self, manifest: Manifest, network: StagedNetwork, ngrams: NgramModel, remember: int = 0
    ) -> None:
        self.manifest = manifest
        self._network, self._ngrams = network, ngrams
        self._memory = ScoreMemory(remember)
        self._thresholds = np.array([manifest.thresholds[c] for c in COMPLAINTS], np.float32)

    @classmethod
    def load(cls, folder: Path, threads: int = 0, remember: int = 0) -> "Classifier":
        """Verify and load a model folder.

        :param threads: texts that run at once; 0 takes one a core.
        :param remember: texts whose scores are kept, for when they come again.
        :raises ModelError: when a file is missing, altered, or cannot be loaded.
        """
        manifest = files.read_manifest(folder)
        files.verify(folder, manifest)
        try:
            network = StagedNetwork.load(folder, manifest, threads)
            ngrams = NgramModel.load(folder / files.NGRAMS)
        except ModelError:
            raise
        except Exception as error:  # the engines raise bare exceptions of many types
            raise ModelError(f"{folder}: cannot be loaded ({type(error).__name__})") from error
        return cls(manifest, network, ngrams, remember)

    @property
    def model(self) -> str:
        """The identity that label rows carry, ``name@version``."""
        return self.manifest.model

    def network_logits(self, texts: Sequence[str]) -> FloatArray:
        """Raw logits of the encoder at its full depth, ``(n, 8)``: complaints, then sentiments."""
        return self._network.read(texts).logits

    def readings(self, texts: Sequence[str]) -> FloatArray:
        """Raw logits after each part of the network, all run, shape ``(parts, n, 8)``."""
        return self._network.read(texts).readings

    def depths(self, texts: Sequence[str]) -> IntArray:
        """After how many parts of the network each text is told, from 1; shape ``(n,)``."""
        if not self.manifest.exits:
            return np.ones(len(texts), np.int64)
        return self._network.read(texts, self._sure(self.ngram_logits(texts))).parts + 1

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the network reads of each text."""
        return self._network.token_counts(texts)

    def ngram_logits(self, texts: Sequence[str]) -> FloatArray:
        """Raw logits of the n-gram companion, shape ``(n, 8)``."""
        return self._ngrams.logits(texts)

    def score(self, texts: Sequence[str], *, deep: bool = False) -> Scores:
        """Score texts; equal texts are scored once.

        :param deep: read every text to the last layer, so that scores of texts that differ in a
            word can be compared.
        :raises ModelError: when the network gives no numbers.
        """
        unique = list(dict.fromkeys(texts))
        where = {text: index for index, text in enumerate(unique)}
        rows = np.array([where[text] for text in texts], dtype=np.int64)
        if not unique:
            return calibrate(
                self.manifest.calibration, np.zeros((0, LOGITS)), np.zeros((0, LOGITS))
            )
        both = (self._deep_logits if deep else self._logits)(unique)[rows]
        return calibrate(self.manifest.calibration, both[:, :LOGITS], both[:, LOGITS:])

    def _logits(self, texts: Sequence[str]) -> FloatArray:
        """Logits of network and n-grams side by side, shape ``(n, 16)``, of different texts."""
        known = self._memory.recall(texts)
        new = [text for text, row in zip(texts, known, strict=True) if row is None]
        if new:
            ngrams = self.ngram_logits(new)
            network = self._network.read(new, self._sure(ngrams)).logits
            if not np.isfinite(network).all():
                raise ModelError(f"{self.model}: the network gave no numbers; restore the model")
            found = np.hstack([network, ngrams])
            self._memory.keep(new, found)
            fresh = iter(found)
        return np.stack([next(fresh) if row is None else row for row in known])

    def _deep_logits(self, texts: Sequence[str]) -> FloatArray:
        return np.hstack([self.network_logits(texts), self.ngram_logits(texts)])

    def _sure(self, ngrams: FloatArray) -> Sure | None:
        """Decide by the calibrated risk of error whether texts with these n-grams may leave."""
        if not self.manifest.exits:
            return None

        def sure(rows: IntArray, network: FloatArray) -> npt.NDArray[np.bool_]:
            scores = calibrate(self.manifest.calibration, network, ngrams[rows])
            return np.asarray(scores.risk <= self.manifest.exit_risk)

        return sure

    def label(self, passages: Sequence[Passage], model: str | None = None) -> list[Label]:
        """Label passages, in order.

        :param model: identity the labels carry, where it is not this model's own.
        """
        scores, model = self.score([p.text for p in passages]), model or self.model
        return [self._to_label(p.passage_id, model, scores, i) for i, p in enumerate(passages)]

    def decide(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """Which complaints are told, shape ``(n, 5)``: score at or above the label's threshold."""
        return np.asarray(scores.complaints >= self._thresholds)

    def _to_label(self, passage_id: str, model: str, scores: Scores, row: int) -> Label:
        told = scores.complaints[row] >= self._thresholds
        return Label(
            passage_id=passage_id,
            model=model,
            complaints=tuple(c for c, yes in zip(COMPLAINTS, told, strict=True) if yes),
            complaint_scores=tuple(float(s) for s in scores.complaints[row]),
            sentiment=SENTIMENTS[int(scores.sentiment[row].argmax())],
            sentiment_scores=tuple(float(s) for s in scores.sentiment[row]),
            needs_review=bool(scores.risk[row] > self.manifest.review_risk),
        )


def calibrate(fit: Calibration, network: npt.ArrayLike, ngrams: npt.ArrayLike) -> Scores:
    """Turn the logits of both parts, each ``(n, 8)``, into calibrated probabilities."""
    cut = len(COMPLAINTS)
    first, second = np.asarray(network, np.float64), np.asarray(ngrams, np.float64)
    weights = np.array(fit.complaint_weights)
    raw = first[:, :cut] * weights[:, 0] + second[:, :cut] * weights[:, 1] + fit.complaint_biases
    complaints = 1 / (1 + np.exp(-np.clip(raw, -30, 30)))
    both = np.hstack([first[:, cut:], second[:, cut:]])
    sentiment = _softmax(both @ np.array(fit.sentiment_weights).T + fit.sentiment_biases)
    right = np.maximum(complaints, 1 - complaints).prod(axis=1) * sentiment.max(axis=1, initial=0)
    return Scores(
        complaints.astype(np.float32), sentiment.astype(np.float32), (1 - right).astype(np.float32)
    )


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    grown = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-1e9))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))
