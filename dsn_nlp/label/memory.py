"""What was scored of late: staff paste the same sentence many times, and copies cost nothing."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class ScoreMemory:
    """Rows of logits by a digest of their text, the least lately used let go. Thread-safe.

    :param texts: how many rows are kept; some 300 bytes each.
    """

    def __init__(self, texts: int) -> None:
        self._most = texts
        self._rows: OrderedDict[bytes, FloatArray] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, texts: Sequence[str]) -> list[FloatArray | None]:
        """Give the row of each text, or nothing."""
        keys = [_key(text) for text in texts]
        with self._lock:
            for key in keys:
                if key in self._rows:
                    self._rows.move_to_end(key)
            return [self._rows.get(key) for key in keys]

    def keep(self, texts: Sequence[str], rows: FloatArray) -> None:
        """Keep the rows, shape ``(n, k)``, of as many texts."""
        with self._lock:
            for text, row in zip(texts, rows, strict=True):
                self._rows[_key(text)] = row.copy()
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
