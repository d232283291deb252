"""The shipped encoder: parts that run one after the other, each with a reading of its own.

A text that an early reading is sure of goes no deeper (early exit: Schwartz et al. 2020, arXiv
2004.07453). Texts of one length run together, unpadded, so that a score never depends on
neighbours and a resumed night equals an undisturbed one; batches run side by side, one a thread.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsn_nlp.label import folder as files
from dsn_nlp.label.folder import Manifest
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.weights import equal_lengths, open_session

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
LOGITS = len(COMPLAINTS) + len(SENTIMENTS)
# What runs together stays in a core's cache; more tokens gain nothing (see the benchmark).
BATCH_TOKENS = 384
# States of so many tokens are held between two parts: 50 MB, and as much again as they are fed.
HELD_TOKENS = 32_768
# Given indices of texts and their logits ``(k, 8)`` after a part: which need no deeper one.
Sure = Callable[[IntArray, FloatArray], npt.NDArray[np.bool_]]


class Told(NamedTuple):
    """What the parts read in ``n`` texts.

    :ivar readings: logits after each part, complaints then sentiments, shape ``(parts, n, 8)``.
    :ivar parts: the last part that read each text, shape ``(n,)``; later readings mean nothing.
    """

    readings: FloatArray
    parts: IntArray

    @property
    def logits(self) -> FloatArray:
        """Logits of the last part that read each text, shape ``(n, 8)``."""
        return self.readings[self.parts, np.arange(len(self.parts))]


class StagedNetwork:
    """The parts of a model folder's network and its tokenizer.

    :param sessions: one a part; all but the last also give their states.
    :param batch_tokens: how many tokens run together; 1 runs each text alone.
    :param threads: batches that run at once; 0 takes one a core.
    """

    def __init__(
        self, sessions: Sequence[Any], tokenizer: Any, batch_tokens: int, threads: int
    ) -> None:
        self._sessions, self._tokenizer = sessions, tokenizer
        self._inputs = [{i.name for i in session.get_inputs()} for session in sessions]
        self._held = [names - {"input_ids", "attention_mask"} for names in self._inputs]
        self._batch_tokens = batch_tokens
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1, "classifier")

    @classmethod
    def load(cls, folder: Path, manifest: Manifest, threads: int = 0) -> "StagedNetwork":
        """Open the parts that a verified manifest lists.

        :raises ModelError: when the weights of one are in another file.
        """
        sessions = [open_session(folder / name) for name in manifest.parts]
        tokenizer = _open_tokenizer(folder / files.TOKENIZER, manifest.max_tokens)
        # A model whose int8 activations share one scale a batch runs each text alone.
        together = BATCH_TOKENS if manifest.activations == "token" else 1
        return cls(sessions, tokenizer, together, threads)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the network reads of each text."""
        return [len(e.ids) for e in self._tokenizer.encode_batch(list(texts))]

    def read(self, texts: Sequence[str], sure: Sure | None = None) -> Told:
        """Read texts to the last part, or until they are sure."""
        rows = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        shape = len(self._sessions), len(rows), LOGITS
        told = Told(np.zeros(shape, np.float32), np.zeros(len(rows), np.int64))
        for chunk in _chunks(rows):
            self._read_chunk(rows, chunk, told, sure)
        return told

    def _read_chunk(
        self, rows: Sequence[Sequence[int]], left: list[int], told: Told, sure: Sure | None
    ) -> None:
        states: dict[int, FloatArray] = {}
        for part in range(len(self._sessions)):
            groups = equal_lengths([rows[i] for i in left], self._batch_tokens)
            batches = [[left[i] for i in group] for group in groups]
            feeds = (self._feed(part, batch, rows, states) for batch in batches)
            found = self._threads.map(self._sessions[part].run, [None] * len(batches), feeds)
            for batch, outputs in zip(batches, found, strict=True):
                told.readings[part, batch] = outputs[0]
                states |= zip(batch, outputs[1], strict=True) if len(outputs) > 1 else ()
            told.parts[left] = part
            if sure is not None and part + 1 < len(self._sessions):
                indices = np.array(left, np.int64)
                left = indices[~sure(indices, told.readings[part, indices])].tolist()

    def _feed(
        self,
        part: int,
        batch: list[int],
        rows: Sequence[Sequence[int]],
        states: dict[int, FloatArray],
    ) -> dict[str, npt.NDArray[Any]]:
        tokens = np.array([rows[i] for i in batch], np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        given = {name: array for name, array in feed.items() if name in self._inputs[part]}
        held = {name: np.stack([states.pop(i) for i in batch]) for name in self._held[part]}
        return given | held


def _chunks(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indices of rows, those of one length side by side, at most ``HELD_TOKENS`` at once."""
    chunk: list[int] = []
    held = 0
    for index in sorted(range(len(rows)), key=lambda i: -len(rows[i])):
        if chunk and held + len(rows[index]) > HELD_TOKENS:
            yield chunk
            chunk, held = [], 0
        chunk.append(index)
        held += len(rows[index])
    if chunk:
        yield chunk


def _open_tokenizer(path: Path, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer
