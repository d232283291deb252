"""The companion of the encoder: a linear model over hashed word and character n-grams.

It errs differently from the encoder (spelling, rare objects), so the two are stacked. Weights are
plain arrays in safetensors; hashing needs no vocabulary file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WORD_FEATURES = 2**17
CHARACTER_FEATURES = 2**18
FEATURES = WORD_FEATURES + CHARACTER_FEATURES


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
        """Score texts, shape ``(n, 8)``."""
        return np.asarray(features(texts, self.idf) @ self.weights + self.bias, np.float32)

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


@lru_cache(maxsize=1)
def _vectorizers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(
        n_features=WORD_FEATURES, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[?!]",
        alternate_sign=False, norm=None, strip_accents="unicode", dtype=np.float32,
    )  # fmt: skip
    characters = HashingVectorizer(
        n_features=CHARACTER_FEATURES, ngram_range=(2, 5), analyzer="char_wb",
        alternate_sign=False, norm=None, strip_accents="unicode", dtype=np.float32,
    )  # fmt: skip
    return words, characters


def counts(texts: Sequence[str]) -> "csr_matrix":
    """Sublinear counts of hashed n-grams, sparse ``(n, FEATURES)``."""
    from scipy.sparse import hstack

    words, characters = _vectorizers()
    matrix = hstack([words.transform(texts), characters.transform(texts)], format="csr")
    matrix.data = 1 + np.log(matrix.data)
    return matrix


def features(texts: Sequence[str], idf: npt.NDArray[np.float32]) -> "csr_matrix":
    """TF-IDF rows of unit length, sparse ``(n, FEATURES)``."""
    return weigh(counts(texts), idf)


def weigh(matrix: "csr_matrix", idf: npt.NDArray[np.float32]) -> "csr_matrix":
    """Apply inverse document frequencies and bring rows to unit length, in place."""
    matrix.data *= idf[matrix.indices]
    squared = np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1])
    lengths = np.diff(matrix.indptr)
    norms = np.sqrt(np.where(lengths > 0, squared, 1)).clip(min=1e-9)
    matrix.data /= np.repeat(norms, lengths).astype(np.float32)
    return matrix
