"""From a fine-tuned network to the files that ``label`` reads: ONNX, then int8."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.network import LabelNetwork

OPSET = 17


class _Logits(nn.Module):
    """The exported face of the network: ids and mask in, ``(n, 8)`` logits out."""

    def __init__(self, network: LabelNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.network.logits(input_ids, attention_mask)


def export_float(network: LabelNetwork, path: Path) -> None:
    """Write the network as float32 ONNX with free batch and token axes.

    :raises TrainingError: when the network cannot be traced.
    """
    network = network.float().eval()
    # A padded row, or the tracer would leave the attention mask out of the graph.
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, network.padding_id]])
    example = (ids, torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]))
    axes = {0: "passages", 1: "tokens"}
    try:
        with _quiet():
            torch.onnx.export(
                _Logits(network), example, str(path), dynamo=False, opset_version=OPSET,
                input_names=["input_ids", "attention_mask"], output_names=["logits"],
                dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "passages"}},
            )  # fmt: skip
    except Exception as error:
        raise TrainingError(f"{path.name}: export failed ({type(error).__name__})") from error


def quantize(source: Path, target: Path) -> None:
    """Quantize the weights to int8, one scale a channel; activations are scaled on the fly.

    :raises TrainingError: when ONNX Runtime cannot quantize the graph.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared = Path(folder) / "prepared.onnx"
        try:
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantize_dynamic(
                str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True,
                op_types_to_quantize=["MatMul", "Gemm", "Gather"],
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )  # fmt: skip
        except Exception as error:
            raise TrainingError(
                f"{source.name}: quantization failed ({type(error).__name__}: {error})"
            ) from error


def save_tokenizer(tokenizer: Any, path: Path) -> None:
    """Write a fast tokenizer as one ``tokenizer.json``.

    :raises TrainingError: when the base has no fast tokenizer.
    """
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise TrainingError("the base model has no fast tokenizer; convert it with transformers")
    fast.no_padding()
    fast.no_truncation()
    fast.save(str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporter and quantizer talk a lot; errors still come as exceptions."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
