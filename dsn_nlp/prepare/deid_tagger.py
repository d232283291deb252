"""The tagger: an int8 encoder that tells, word by word, which type of identifier each is part of.

No torch here: ONNX Runtime and the tokenizer alone, from a folder whose files are checked first.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dsn_nlp.errors import ModelError
from dsn_nlp.prepare import deid_folder as files
from dsn_nlp.prepare.deid_folder import TaggerManifest
from dsn_nlp.prepare.deid_words import (
    FloatArray,
    Tagging,
    first_tokens,
    softmax,
    spans_of,
    word_spans,
)
from dsn_nlp.weights import equal_lengths, open_session

# What runs together stays in a core's cache; more tokens gain nothing.
BATCH_TOKENS = 384
# Tokens on both sides of a window's edge that are read twice, so that each word has context.
MARGIN = 24
# Longer rows without a space hold no names, and cost much to cut into tokens.
_ROW = re.compile(r"\S{201,}")
_NONE: FloatArray = np.zeros((0, 0), np.float32)


class Reading:
    """What the tagger makes of one text.

    :ivar words: start and end of each word.
    :ivar probabilities: ``(words, 1 + 2 types)``.
    """

    __slots__ = ("_ends", "_starts", "probabilities", "words")

    def __init__(self, words: list[tuple[int, int]], probabilities: FloatArray) -> None:
        self.words, self.probabilities = words, probabilities
        self._starts, self._ends = [start for start, _ in words], [end for _, end in words]

    def __repr__(self) -> str:
        return f"Reading({len(self.words)} words)"

    def rows(self, start: int, end: int) -> slice:
        """Give the rows of the words that a stretch touches; words are in order and apart."""
        return slice(bisect_right(self._ends, start), bisect_left(self._starts, end))


class Tagger:
    """A loaded, verified folder."""

    def __init__(self, manifest: TaggerManifest, session: Any, tokenizer: Any) -> None:
        self.manifest = manifest
        self._session, self._tokenizer = session, tokenizer
        self._limits = [manifest.thresholds[kind] for kind in manifest.types]
        self._start, self._end = (tokenizer.token_to_id(mark) for mark in ("<s>", "</s>"))

    @classmethod
    def load(cls, folder: Path, types: tuple[str, ...]) -> "Tagger":
        """Verify and load a folder.

        :raises ModelError: when a file is missing, altered, or cannot be loaded.
        """
        manifest = files.read_tagger_manifest(folder, types)
        files.verify_tagger(folder, manifest)
        try:
            from tokenizers import Tokenizer

            session = open_session(folder / files.NETWORK)
            tokenizer = Tokenizer.from_file(str(folder / files.TOKENIZER))
            tokenizer.no_truncation()
            tokenizer.no_padding()
        except ModelError:
            raise
        except Exception as error:  # the engines raise bare exceptions of many types
            raise ModelError(f"{folder}: cannot be loaded ({type(error).__name__})") from error
        return cls(manifest, session, tokenizer)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Read texts; what one is told does not depend on the others.

        :raises ModelError: when the network gives no numbers.
        """
        plain = [_ROW.sub(lambda row: " " * len(row.group()), text) for text in texts]
        cut = self._tokenizer.encode_batch(plain, add_special_tokens=False)
        rows, owners = [], []
        for place, encoding in enumerate(cut):
            for begin, end in self._windows(len(encoding.ids)):
                rows.append([self._start, *encoding.ids[begin:end], self._end])
                owners.append((place, begin, end))
        told = self._run(rows)
        tokens = [
            np.zeros((len(encoding.ids), 1 + 2 * len(self.manifest.types)), np.float32)
            for encoding in cut
        ]
        for (place, begin, end), found in zip(owners, told, strict=True):
            # The first half of what two windows share is told by the earlier one.
            keep = begin + (MARGIN if begin else 0)
            tokens[place][keep:end] = found[1 + keep - begin : 1 + end - begin]
        return [
            _reading(text, encoding.offsets, rows_of)
            for text, encoding, rows_of in zip(plain, cut, tokens, strict=True)
        ]

    def spans(self, text: str, reading: Reading) -> list[Tagging]:
        """Give the identifiers of a text that was read."""
        manifest = self.manifest
        return spans_of(text, reading.words, reading.probabilities, manifest.types, self._limits)

    def _windows(self, tokens: int) -> Iterator[tuple[int, int]]:
        """Cut a row of tokens into windows that share twice ``MARGIN`` tokens."""
        size, begin = self.manifest.max_tokens - 2, 0
        while tokens - begin > size:
            yield begin, begin + size
            begin += max(1, size - 2 * MARGIN)
        if tokens:
            yield begin, tokens

    def _run(self, rows: list[list[int]]) -> list[FloatArray]:
        """Give the probabilities of each row: ``(tokens, classes)``; rows alike are read once."""
        found: dict[tuple[int, ...], FloatArray] = dict.fromkeys(map(tuple, rows), _NONE)
        each = list(found)
        for batch in equal_lengths(each, BATCH_TOKENS):
            tokens = np.array([each[index] for index in batch], np.int64)
            feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
            logits = np.asarray(self._session.run(None, feed)[0], np.float32)
            if not np.isfinite(logits).all():
                raise ModelError(
                    f"{self.manifest.name}@{self.manifest.version}: the network gave no numbers; "
                    "restore the model"
                )
            for index, told in zip(batch, softmax(logits), strict=True):
                found[each[index]] = told
        return [found[tuple(row)] for row in rows]


def _reading(text: str, offsets: list[tuple[int, int]], tokens: FloatArray) -> Reading:
    words = word_spans(text)
    speakers = np.array(first_tokens(text, words, offsets), np.int64)
    told = np.zeros((len(words), tokens.shape[1]), np.float32)
    told[:, 0] = 1.0
    told[speakers >= 0] = tokens[speakers[speakers >= 0]]
    return Reading(words, told)
