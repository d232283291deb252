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


class _Parts(nn.Module):
    """What the parts give on the way: logits and states after each early layer, then the last."""

    def __init__(self, network: LabelNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        read = self.network.read(input_ids, None)
        early = [value for pair in zip(read.early, read.states, strict=True) for value in pair]
        return (*early, read.logits)


def export_parts(network: LabelNetwork, folder: Path) -> list[Path]:
    """Write the network as float32 ONNX for unpadded passages, cut after each early reading.

    Every part takes ``input_ids``, all but the first the ``states`` of the one before; every
    part gives logits ``(n, 8)``, all but the last its states.

    :returns: ``network.float.onnx`` and ``network.<layer>.float.onnx`` for each further part.
    :raises TrainingError: when the network cannot be traced.
    """
    from onnx.utils import extract_model

    network = network.float().eval()
    ends = [(f"logits.{k}", f"states.{k}") for k in network.exits]
    outputs = [*(name for pair in ends for name in pair), "logits"]
    whole = folder / "whole.float.onnx"
    axes = {name: {0: "passages", 1: "tokens"} for name in ("input_ids", *(s for _, s in ends))}
    axes |= {name: {0: "passages"} for name in outputs if name.startswith("logits")}
    _trace(_Parts(network), (torch.tensor([[0, 5, 6, 2]] * 2),), whole, outputs, axes)
    paths = [folder / "network.float.onnx"]
    paths += [folder / f"network.{k}.float.onnx" for k in network.exits]
    starts = [[], *([states] for _, states in ends)]
    try:
        for path, start, end in zip(paths, starts, [*map(list, ends), ["logits"]], strict=True):
            extract_model(str(whole), str(path), ["input_ids", *start], end)
    except Exception as error:
        raise TrainingError(f"{whole.name}: export failed ({type(error).__name__})") from error
    whole.unlink()
    return paths


def trace(network: nn.Module, path: Path, padding_id: int, told: dict[int, str]) -> None:
    """Write a network of ids and mask as ONNX.

    :param told: names of the free axes of its logits.
    :raises TrainingError: when the network cannot be traced.
    """
    # A padded row, or the tracer would leave the attention mask out of the graph.
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, padding_id]])
    example = (ids, torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]))
    rows = {0: told[0], 1: "tokens"}
    axes = {"input_ids": rows, "attention_mask": rows, "logits": told}
    _trace(network, example, path, ["logits"], axes)


def _trace(
    network: nn.Module,
    example: tuple[torch.Tensor, ...],
    path: Path,
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    inputs = ["input_ids", "attention_mask"][: len(example)]
    try:
        with quiet():
            torch.onnx.export(
                network, example, str(path), dynamo=False, opset_version=OPSET,
                input_names=inputs, output_names=outputs, dynamic_axes=axes,
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
