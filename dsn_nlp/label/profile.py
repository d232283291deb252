"""What a model scored on the frozen test split, beside what is true: its error profile.

Counts of a classifier are biased by its errors. Whoever corrects them needs the errors, with
their own uncertainty; so a model folder carries the scores of each test passage, without text.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import ModelError
from dsn_nlp.label import folder as files
from dsn_nlp.weights import sha256_of


@dataclass(frozen=True)
class ErrorProfile:
    """Scores and gold labels of ``n`` test passages.

    :ivar complaint_scores: calibrated, float32 ``(n, 5)``, order of ``COMPLAINTS``.
    :ivar sentiment_scores: calibrated, float32 ``(n, 3)``, order of ``SENTIMENTS``.
    :ivar complaints: gold, 0/1 uint8 ``(n, 5)``.
    :ivar sentiment: gold, uint8 index into ``SENTIMENTS``, ``(n,)``.
    :ivar groups: similarity group of each passage, int32 ``(n,)``; resample whole groups.
    :ivar french: 1 for French, 0 for English, uint8 ``(n,)``.
    :ivar news: 1 for news, 0 for comments, uint8 ``(n,)``.
    """

    complaint_scores: npt.NDArray[np.float32]
    sentiment_scores: npt.NDArray[np.float32]
    complaints: npt.NDArray[np.uint8]
    sentiment: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.int32]
    french: npt.NDArray[np.uint8]
    news: npt.NDArray[np.uint8]

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        from safetensors.numpy import save_file

        arrays = {f.name: np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}
        save_file(arrays, str(path))


def read_profile(folder: Path) -> ErrorProfile | None:
    """Read the error profile of a verified model folder; ``None`` for a model without one.

    :raises ModelError: when the file differs from the manifest or is malformed.
    """
    from safetensors.numpy import load_file

    manifest = files.read_manifest(folder)
    if files.PROFILE not in manifest.files:
        return None
    path = folder / files.PROFILE
    if not path.is_file() or sha256_of(path) != manifest.files[files.PROFILE]:
        raise ModelError(f"{path}: missing or altered; restore the model folder")
    try:
        return ErrorProfile(**load_file(str(path)))
    except Exception as error:
        raise ModelError(f"{path}: not an error profile ({type(error).__name__})") from None
