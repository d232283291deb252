"""Float weights back from a shipped int8 network, so that training can go on from a model folder.

The float network of a release is not kept in git (153 MB); its int8 copy is. Each weight is at most
half a quantization step away from what it was, less than one epoch of training moves it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dsn_nlp.errors import TrainingError
from dsn_nlp.label.folder import NETWORK

# A classifier's network is traced inside a wrapper, a tagger's as it is.
_PREFIX = "network."
_OURS = (_PREFIX, "encoder.", "head.")
FloatArray = npt.NDArray[np.float32]


def thaw(folder: Path) -> dict[str, torch.Tensor]:
    """Read the weights of a model folder as float32, by the names of its network.

    :param folder: a classifier's (``LabelNetwork``) or a tagger's (``TagNetwork``).

    :raises TrainingError: when the folder holds no network, or one that was not exported here.
    """
    import onnx

    weights: dict[str, torch.Tensor] = {}
    try:
        for path in (folder / NETWORK, *sorted(folder.glob("network.*.onnx"))):
            weights |= _thaw(onnx.load(str(path), load_external_data=False).graph)
    except Exception as error:
        raise TrainingError(
            f"{folder}: no network to start from ({type(error).__name__}); give a model folder "
            "such as models/dsn-camembert/1.1.0"
        ) from None
    return weights


def _thaw(graph: Any) -> dict[str, torch.Tensor]:
    import onnx

    arrays = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    weights = {
        name.removeprefix(_PREFIX): array
        for name, array in arrays.items()
        if name.startswith(_OURS)
        and array.dtype == np.float32
        and not name.endswith(("_scale", ".scale"))
    }
    weights |= dict(_tables(arrays)) | dict(_matrices(graph, arrays))
    return {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}


def _tables(arrays: dict[str, Any]) -> Iterator[tuple[str, FloatArray]]:
    """Embeddings, quantized as they stand: ``(rows, hidden)``."""
    for name, array in arrays.items():
        stem = name.removesuffix("_quantized")
        ours = stem.removeprefix(_PREFIX)
        if stem != name and ours.startswith("encoder.embeddings"):
            yield ours, _float(arrays, stem, array)


def _matrices(graph: Any, arrays: dict[str, Any]) -> Iterator[tuple[str, FloatArray]]:
    """Linear layers, which ONNX holds transposed: ``(in, out)``, one scale an output."""
    for node in graph.node:
        if node.op_type == "MatMulIntegerToFloat":
            quantized, scale = arrays[node.input[1]], arrays[node.input[3]]
            place = node.input[1].split(".")[:-2]
            yield ".".join([*place, "weight"]), (quantized * scale).astype(np.float32).T
        elif node.op_type == "MatMulInteger":  # models before 1.2.0
            quantized = node.input[1]
            stem = quantized.removesuffix("_quantized")
            place = node.name.strip("/").split("/")[:-1]
            yield ".".join([*place, "weight"]), _float(arrays, stem, arrays[quantized]).T


def _float(arrays: dict[str, Any], stem: str, quantized: npt.NDArray[Any]) -> FloatArray:
    zero = arrays[f"{stem}_zero_point"].astype(np.int32)
    found = (quantized.astype(np.int32) - zero) * arrays[f"{stem}_scale"].astype(np.float32)
    return np.asarray(found, np.float32)
