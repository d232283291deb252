"""From a fine-tuned network to float ONNX, and its tokenizer to one file."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.network import LabelNetwork
from dsn_nlp.modelling.quiet import quiet

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
    trace(_Logits(network), path, network.padding_id, {0: "passages"})


def trace(network: nn.Module, path: Path, padding_id: int, told: dict[int, str]) -> None:
    """Write a network of ids and mask as ONNX.

    :param told: names of the free axes of its logits.
    :raises TrainingError: when the network cannot be traced.
    """
    # A padded row, or the tracer would leave the attention mask out of the graph.
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, padding_id]])
    example = (ids, torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]))
    axes = {0: told[0], 1: "tokens"}
    try:
        with quiet():
            torch.onnx.export(
                network, example, str(path), dynamo=False, opset_version=OPSET,
                input_names=["input_ids", "attention_mask"], output_names=["logits"],
                dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": told},
            )  # fmt: skip
    except Exception as error:
        raise TrainingError(f"{path.name}: export failed ({type(error).__name__})") from error


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
