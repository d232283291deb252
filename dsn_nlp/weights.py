"""Opening ONNX networks whose files were checked, and running texts of one length together."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dsn_nlp.errors import ModelError

# An entry ("location", …) of TensorProto.external_data, as protobuf writes it.
EXTERNAL = b"\n\x08location\x12"
# Fusions whose kernels are slower than what they replace, measured with onnxruntime 1.32.
SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Check files of a model folder against their SHA-256, before anything is loaded from them.

    :raises ModelError: when one is missing or altered.
    """
    for name, expected in sums.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise ModelError(f"{path}: missing; restore the model folder (git checkout, backup)")
        if sha256_of(path) != expected:
            raise ModelError(
                f"{path}: checksum differs from the manifest; restore the file, do not use it"
            )


def open_session(path: Path) -> Any:
    """Open a network on one thread.

    :raises ModelError: when its weights are in another file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    content = path.read_bytes()
    if EXTERNAL in content:
        # Checksums cover this file alone, and the runtime would look for the other one anywhere.
        raise ModelError(f"{path}: keeps its weights in another file; export the model whole")
    return onnxruntime.InferenceSession(
        content,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=SLOW_FUSIONS,
    )


def equal_lengths(rows: Sequence[Sequence[int]], tokens: int) -> Iterator[list[int]]:
    """Group rows of one length, so many that a group has at most ``tokens`` tokens; longest first.

    :returns: indices into ``rows``; a row longer than ``tokens`` is a group by itself.
    """
    by_length: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        by_length.setdefault(len(row), []).append(index)
    for length in sorted(by_length, reverse=True):
        size = max(1, tokens // max(1, length))
        members = by_length[length]
        yield from (members[begin : begin + size] for begin in range(0, len(members), size))
