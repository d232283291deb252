"""Labels passages with the shipped model: one int8 encoder pass stacked with n-grams."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import ModelError
from dsn_nlp.label import folder as files
from dsn_nlp.label.folder import Calibration, Manifest
from dsn_nlp.label.memory import ScoreMemory
from dsn_nlp.label.ngrams import NgramModel
from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Label, Passage
from dsn_nlp.weights import equal_lengths, open_session

FloatArray = npt.NDArray[np.float32]
LOGITS = len(COMPLAINTS) + len(SENTIMENTS)
# What runs together stays in a core's cache; more tokens gain nothing (see the benchmark).
BATCH_TOKENS = 384


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
        self,
        manifest: Manifest,
        session: Any,
        tokenizer: Any,
        ngrams: NgramModel,
        threads: int = 0,
        remember: int = 0,
    ) -> None:
        self.manifest = manifest
        self._session, self._tokenizer, self._ngrams = session, tokenizer, ngrams
        self._batch_tokens = BATCH_TOKENS if manifest.activations == "token" else 1
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1, "classifier")
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
            session = open_session(folder / files.NETWORK)
            tokenizer = _open_tokenizer(folder / files.TOKENIZER, manifest.max_tokens)
            ngrams = NgramModel.load(folder / files.NGRAMS)
        except ModelError:
            raise
        except Exception as error:  # the engines raise bare exceptions of many types
            raise ModelError(f"{folder}: cannot be loaded ({type(error).__name__})") from error
        return cls(manifest, session, tokenizer, ngrams, threads, remember)

    @property
    def model(self) -> str:
        """The identity that label rows carry, ``name@version``."""
        return self.manifest.model

    def network_logits(self, texts: Sequence[str]) -> FloatArray:
        """Raw logits of the encoder, shape ``(n, 8)``: complaints, then sentiments.

        Texts of one length run together, unpadded, so that a score never depends on neighbours
        and a resumed night equals an undisturbed one. A model whose int8 activations share one
        scale a batch runs each text alone. Batches run side by side, one a thread.
        """
        rows = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        logits = np.zeros((len(rows), LOGITS), np.float32)
        batches = list(equal_lengths(rows, self._batch_tokens))
        found = self._threads.map(self._run, ([rows[i] for i in batch] for batch in batches))
        for batch, scores in zip(batches, found, strict=True):
            logits[batch] = scores
        return logits

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the network reads of each text."""
        return [len(e.ids) for e in self._tokenizer.encode_batch(list(texts))]

    def ngram_logits(self, texts: Sequence[str]) -> FloatArray:
        """Raw logits of the n-gram companion, shape ``(n, 8)``."""
        return self._ngrams.logits(texts)

    def score(self, texts: Sequence[str]) -> Scores:
        """Score texts; equal texts are scored once.

        :raises ModelError: when the network gives no numbers.
        """
        unique = list(dict.fromkeys(texts))
        where = {text: index for index, text in enumerate(unique)}
        rows = np.array([where[text] for text in texts], dtype=np.int64)
        if not unique:
            return calibrate(
                self.manifest.calibration, np.zeros((0, LOGITS)), np.zeros((0, LOGITS))
            )
        both = self._logits(unique)[rows]
        return calibrate(self.manifest.calibration, both[:, :LOGITS], both[:, LOGITS:])

    def _logits(self, texts: Sequence[str]) -> FloatArray:
        """Logits of network and n-grams side by side, shape ``(n, 16)``, of different texts."""
        known = self._memory.recall(texts)
        new = [text for text, row in zip(texts, known, strict=True) if row is None]
        if new:
            network = self.network_logits(new)
            if not np.isfinite(network).all():
                raise ModelError(f"{self.model}: the network gave no numbers; restore the model")
            found = np.hstack([network, self.ngram_logits(new)])
            self._memory.keep(new, found)
            fresh = iter(found)
        return np.stack([next(fresh) if row is None else row for row in known])

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

    def _run(self, rows: list[list[int]]) -> FloatArray:
        tokens = np.array(rows, np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        return np.asarray(self._session.run(None, feed)[0], np.float32)


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


def _open_tokenizer(path: Path, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer
