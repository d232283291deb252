"""How fast the served model labels, beside other ways to run the same network, in one run.

``dsn-nlp bench`` times every system on the same
passages, round by round in turn, so that what else the machine does falls on all alike. Only the
ratios mean anything elsewhere; they are medians over rounds.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dsn_nlp.errors import TrainingError
from dsn_nlp.label.classifier import Classifier
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.modelling.corpus import split_corpus
from dsn_nlp.modelling.export import export_float
from dsn_nlp.modelling.finetune import Collator
from dsn_nlp.modelling.network import LabelNetwork, load_base, load_network
from dsn_nlp.modelling.thaw import thaw

System = Callable[[Sequence[str]], Any]
PIPELINE = "transformers.pipeline, float32, batches of 32"
OURS = "dsn-nlp, whole classifier"
NETWORK = "dsn-nlp, network alone, to its last layer"
FIGURES = ("passages_per_second", "against_pipeline", "processor_against_pipeline")
# Multiplications and additions of one square integer product, for the machine's peak.
_SIDE = 1024


def systems(folder: Path, base: str, threads: int) -> dict[str, System]:
    """Build each way to run the network of a model folder, by name.

    :param folder: the model folder; its weights are read back to float for the others.
    :param base: the base that it was fine-tuned from, for the tokenizer and the shape.
    :param threads: threads that each may use.
    :raises TrainingError: when the base is missing or of another shape.
    """
    encoder, tokenizer = load_base(base)
    network = LabelNetwork(encoder).eval()
    load_network(network, folder)
    classifier = Classifier.load(folder, threads)
    return {
        OURS: classifier.score,
        NETWORK: classifier.network_logits,
        PIPELINE: _pipeline(network, tokenizer),
        "torch, bfloat16, sorted batches of 32": _torch(network, tokenizer),
        "ONNX Runtime, float32, batches of 32": _onnx_float(network, tokenizer, threads),
    }


def _pipeline(network: LabelNetwork, tokenizer: Any) -> System:
    """What a user of transformers writes first."""
    from transformers import AutoModelForSequenceClassification, TextClassificationPipeline

    config = network.encoder.config
    config.num_labels = 8
    model = AutoModelForSequenceClassification.from_config(config).eval()
    model.base_model.load_state_dict(network.encoder.state_dict(), strict=False)
    run = TextClassificationPipeline(
        model=model, tokenizer=tokenizer, top_k=None, function_to_apply="none", device=-1
    )
    return lambda texts: run(list(texts), batch_size=32, truncation=True, max_length=160)


def _batches(texts: Sequence[str], tokenizer: Any, ordered: bool) -> list[Any]:
    rows = tokenizer(list(texts), truncation=True, max_length=160)["input_ids"]
    if ordered:
        rows = sorted(rows, key=len)
    collate = Collator(tokenizer)
    return [collate.pad_ids(rows[begin : begin + 32]) for begin in range(0, len(rows), 32)]


def _torch(network: LabelNetwork, tokenizer: Any) -> System:
    def run(texts: Sequence[str]) -> list[Any]:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return [network.logits(*batch) for batch in _batches(texts, tokenizer, True)]

    return run


def _onnx_float(network: LabelNetwork, tokenizer: Any, threads: int) -> System:
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        export_float(network, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path.read_bytes(), options)

    def run(texts: Sequence[str]) -> list[Any]:
        return [
            session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
            for ids, mask in _batches(texts, tokenizer, False)
        ]

    return run


def integer_peak(threads: int, rounds: int = 20) -> float:
    """Integer operations a second of large int8 products on all threads: the machine's peak."""
    import onnxruntime
    from onnx import TensorProto, helper

    kinds = {"a": TensorProto.UINT8, "b": TensorProto.INT8}
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])], "peak",
        [helper.make_tensor_value_info(n, k, [_SIDE, _SIDE]) for n, k in kinds.items()],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [_SIDE, _SIDE])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    draw = np.random.default_rng(0)
    feed = {
        "a": draw.integers(0, 255, (_SIDE, _SIDE)).astype(np.uint8),
        "b": draw.integers(-127, 127, (_SIDE, _SIDE)).astype(np.int8),
    }
    seconds = [_seconds(lambda: session.run(None, feed)) for _ in range(rounds)]
    return 2.0 * _SIDE * _SIDE * _SIDE / min(seconds)


def operations(folder: Path, tokens: int) -> float:
    """Integer operations that so many tokens take in the network's linear layers."""
    held = thaw(folder)
    layers = [w.numel() for name, w in held.items() if ".layer." in name and w.ndim == 2]
    return 2.0 * float(sum(layers)) * tokens


def _seconds(run: Callable[[], Any]) -> float:
    return _both(run)[0]


def _both(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds."""
    started, used = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - started, time.process_time() - used


def measure(
    ways: dict[str, System], texts: Sequence[str], rounds: int
) -> dict[str, dict[str, float]]:
    """Time each way on the same texts, in turn.

    :returns: for each, median ``passages_per_second``, the median ratio ``against_pipeline``, and
        that of processor time, ``processor_against_pipeline``, which a busy machine bends less.
    """
    for run in ways.values():
        run(texts[:64])
    taken = {name: np.zeros((2, rounds)) for name in ways}
    for index in range(rounds):
        for name, run in ways.items():
            taken[name][:, index] = _both(lambda run=run: run(texts))  # type: ignore[misc]
    base = taken[PIPELINE]
    return {
        name: {
            "passages_per_second": round(float(len(texts) / np.median(seconds)), 1),
            "against_pipeline": round(float(np.median(base[0] / seconds)), 2),
            "processor_against_pipeline": round(float(np.median(base[1] / used)), 2),
        }
        for name, (seconds, used) in taken.items()
    }


def table(found: dict[str, Any]) -> str:
    """Format as Markdown."""
    lines = [
        "| way | passages a second | against transformers.pipeline | of processor time |",
        "| - | - | - | - |",
    ]
    for name, row in found["systems"].items():
        figures = (row[key] for key in FIGURES)
        lines.append(f"| {name} | {' | '.join(map(str, figures))} |")
    told = ", ".join(f"{share:.0%}" for share in found["told_by_part"])
    lines += ["", f"Told after each part of the network: {told}"]
    lines += [f"Share of the int8 peak of this machine: {found['share_of_peak']:.0%}"]
    return "\n".join(lines)


def bench(
    models: Path,
    corpus: Path,
    base: str,
    passages: int,
    rounds: int,
    texts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Run the whole benchmark.

    :param texts: what to time; passages of the development split, in corpus order, by default.
    :param passages: how many of them at most.
    :raises TrainingError: when the base is missing.
    """
    if not Path(base).exists():
        raise TrainingError(f"{base}: no base here; make it with 'dsn-nlp make-base' first")
    threads = len(os.sched_getaffinity(0))  # what taskset leaves to all alike
    torch.set_num_threads(threads)
    if texts is None:
        texts = [e.text for e in split_corpus(corpus)["development"]]
    texts = texts[:passages]
    folder = serving_folder(models)
    found = measure(systems(folder, base, threads), texts, rounds)
    classifier = Classifier.load(folder, threads)
    rate = found[NETWORK]["passages_per_second"] / len(texts)
    tokens = sum(classifier.token_counts(texts))
    depths = np.bincount(classifier.depths(texts))[1:]
    return {
        "model": classifier.model,
        "passages": len(texts),
        "tokens": tokens,
        "told_by_part": [round(float(n) / len(texts), 3) for n in depths],
        "rounds": rounds,
        "threads": threads,
        "systems": found,
        "share_of_peak": float(f"{operations(folder, tokens) * rate / integer_peak(threads):.3g}"),
    }
