"""The companion of the encoder: a linear model over hashed word and character n-grams.

It errs differently from the encoder (spelling, rare objects), so the two are stacked. Weights are
plain arrays in safetensors; hashing needs no vocabulary file.

N-grams and hashes are those of scikit-learn's ``HashingVectorizer``, which fitted the models before
1.3.0; loading it would cost ``dsn-nlp label`` more time than all the rest.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WORD_FEATURES = 2**17
CHARACTER_FEATURES = 2**18
FEATURES = WORD_FEATURES + CHARACTER_FEATURES
SHORTEST, LONGEST = 2, 5  # of the characters of an n-gram
_WORD = re.compile(r"\b\w+\b|[?!]")


@dataclass(frozen=True)
class NgramModel:
    """Linear scores of n-grams.

    :ivar idf: inverse document frequencies, shape ``(FEATURES,)``.
    :ivar weights: shape ``(FEATURES, 8)``: complaints in order, then sentiments.
    :ivar bias: shape ``(8,)``.
    """

    idf: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Score texts, shape ``(n, 8)``; a score does not depend on the texts beside it."""
        found = np.empty((len(texts), len(self.bias)), np.float32)
        for row, text in enumerate(texts):
            places, values = _sublinear(text)
            values *= self.idf[places]
            values /= max(float(np.sqrt(values @ values)), 1e-9)
            found[row] = values @ self.weights[places] + self.bias
        return found

    def save(self, path: Path) -> None:
        """Write as safetensors, at half precision."""
        from safetensors.numpy import save_file

        half = {"idf": self.idf, "weights": self.weights, "bias": self.bias}
        save_file({name: array.astype(np.float16) for name, array in half.items()}, str(path))

    @classmethod
    def load(cls, path: Path) -> "NgramModel":
        """Read what :meth:`save` wrote."""
        from safetensors.numpy import load_file

        arrays = {name: array.astype(np.float32) for name, array in load_file(str(path)).items()}
        return cls(**arrays)


def _plain(text: str) -> str:
    lower = text.lower()
    if lower.isascii():
        return lower
    # No mark that combines comes before U+0300.
    apart = unicodedata.normalize("NFKD", lower)
    return "".join([c for c in apart if c < "\u0300" or not unicodedata.combining(c)])


def _sublinear(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Places of a text's n-grams, rising, and one plus the logarithm of how often each is there."""
    from murmurhash.mrmr import hash_unicode

    plain = _plain(text)
    words = _WORD.findall(plain)
    whole = [*words, *(f"{one} {other}" for one, other in pairwise(words))]
    first = np.array([abs(hash_unicode(one)) % WORD_FEATURES for one in whole], np.int64)
    every = np.concatenate([first, *map(_characters, plain.split())])
    places, often = np.unique(every, return_counts=True)
    return places, 1 + np.log(often.astype(np.float32))


@lru_cache(maxsize=2**14)
def _characters(word: str) -> npt.NDArray[np.int64]:
    """Places of the character n-grams of a word with its edges; most words come again."""
    from murmurhash.mrmr import hash_unicode

    edged = f" {word} "
    # A word shorter than an n-gram counts once, whole.
    longest = next((n for n in range(SHORTEST, LONGEST) if n >= len(edged)), LONGEST)
    ngrams = [
        edged[begin : begin + size]
        for size in range(SHORTEST, longest + 1)
        for begin in range(max(len(edged) - size, 0) + 1)
    ]
    places = [WORD_FEATURES + abs(hash_unicode(one)) % CHARACTER_FEATURES for one in ngrams]
    return np.array(places, np.int64)


def counts(texts: Sequence[str]) -> "csr_matrix":
    """Sublinear counts of hashed n-grams, sparse ``(n, FEATURES)``."""
    from scipy.sparse import csr_matrix

    rows = [_sublinear(text) for text in texts]
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows]) if rows else np.zeros(0, np.int64)
    values = np.concatenate([values for _, values in rows]) if rows else np.zeros(0, np.float32)
    return csr_matrix((values, places, starts), shape=(len(rows), FEATURES))


def weigh(matrix: "csr_matrix", idf: npt.NDArray[np.float32]) -> "csr_matrix":
    """Apply inverse document frequencies and bring rows to unit length, in place."""
    matrix.data *= idf[matrix.indices]
    squared = np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1])
    lengths = np.diff(matrix.indptr)
    norms = np.sqrt(np.where(lengths > 0, squared, 1)).clip(min=1e-9)
    matrix.data /= np.repeat(norms, lengths).astype(np.float32)
    return matrix
