"""Weights to int8, one scale an output channel; activations to int8, one scale a token.

ONNX Runtime's own dynamic quantization takes one scale for all that runs together, so that a
text's scores depend on its neighbours, and the large values of the first token coarsen all others.
Here each token is scaled by itself (Yao et al. 2022, ZeroQuant, arXiv 2206.01861): scores do not
depend on the batch, so that texts can run side by side.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.quiet import quiet

_HALF = 127.0
_ZERO = 128
# GELU is nowhere below -0.17: its largest value alone gives the scale.
_GELU_LEAST = 0.17


def quantize(source: Path, target: Path) -> None:
    """Quantize a float ONNX network: linear layers and embeddings.

    :raises TrainingError: when ONNX Runtime cannot quantize the graph.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, quiet():
        prepared, linear = Path(folder) / "prepared.onnx", Path(folder) / "linear.onnx"
        try:
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            model = onnx.load(str(prepared))
            _Surgery(model.graph).operate()
            model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
            onnx.save(model, str(linear))
            quantize_dynamic(
                str(linear), str(target), weight_type=QuantType.QInt8,
                op_types_to_quantize=["Gather"],
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )  # fmt: skip
        except Exception as error:
            raise TrainingError(
                f"{source.name}: quantization failed ({type(error).__name__}: {error})"
            ) from error


@dataclass
class _Surgery:
    """Replaces each product with constant weights by an integer product."""

    graph: Any
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    quantized: dict[str, tuple[str, str]] = field(default_factory=dict)

    def operate(self) -> None:
        weights = {i.name: i for i in self.graph.initializer}
        self._constant("quantize.one", np.float32(1))
        self._constant("quantize.zero", np.uint8(_ZERO))
        self._constant("quantize.step", np.float32(1 / _HALF))
        self._constant("quantize.least", np.float32(_GELU_LEAST))
        self._constant("quantize.tiny", np.float32(1e-9))
        makers = {output: node for node in self.graph.node for output in node.output}
        replaced = set()
        for node in self.graph.node:
            held = weights.get(node.input[1]) if node.op_type in ("MatMul", "Gemm") else None
            if held is None or len(held.dims) != 2:
                self.nodes.append(node)
                continue
            self._multiply(node, _matrix(node, held), _ends_gelu(node.input[0], makers))
            replaced.add(held.name)
        kept = [i for i in self.graph.initializer if i.name not in replaced]
        _refill(self.graph.initializer, [*kept, *self.constants])
        _refill(self.graph.node, self.nodes)

    def _multiply(self, node: Any, matrix: npt.NDArray[np.float32], after_gelu: bool) -> None:
        """Integer product, then the scales: one an output channel, one a token."""
        name, out = node.name.strip("/").replace("/", "."), node.output[0]
        scale = np.maximum(np.abs(matrix).max(0), 1e-9) / _HALF
        self._constant(f"{name}.scale", scale.astype(np.float32))
        self._constant(f"{name}.weight", np.round(matrix / scale).astype(np.int8))
        tokens, steps = self._quantize(node.input[0], after_gelu)
        self._add(
            "MatMulIntegerToFloat",
            [tokens, f"{name}.weight", "quantize.one", f"{name}.scale", "quantize.zero"],
            f"{out}.whole",
            domain="com.microsoft",
        )
        if node.op_type == "MatMul":
            self._add("Mul", [f"{out}.whole", steps], out)
        else:
            self._add("Mul", [f"{out}.whole", steps], f"{out}.product")
            self._add("Add", [f"{out}.product", node.input[2]], out)

    def _quantize(self, source: str, after_gelu: bool) -> tuple[str, str]:
        """Quantize tokens to uint8 around 128, once for all that read them; also their scales."""
        if source not in self.quantized:
            name = f"quantize.{len(self.quantized)}"
            self._add("ReduceMax", [source], f"{name}.top", axes=[-1], keepdims=1)
            if after_gelu:
                self._add("Max", [f"{name}.top", "quantize.least"], f"{name}.reach")
            else:
                self._add("ReduceMin", [source], f"{name}.bottom", axes=[-1], keepdims=1)
                self._add("Neg", [f"{name}.bottom"], f"{name}.depth")
                sides = [f"{name}.top", f"{name}.depth", "quantize.tiny"]
                self._add("Max", sides, f"{name}.reach")
            self._add("Mul", [f"{name}.reach", "quantize.step"], f"{name}.scale")
            self._add("Div", [source, f"{name}.scale"], f"{name}.scaled")
            zero = ["quantize.one", "quantize.zero"]
            self._add("QuantizeLinear", [f"{name}.scaled", *zero], f"{name}.tokens")
            self.quantized[source] = f"{name}.tokens", f"{name}.scale"
        return self.quantized[source]

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _constant(self, name: str, value: Any) -> None:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value), name))


def _matrix(node: Any, held: Any) -> npt.NDArray[np.float32]:
    """Weights as ``(in, out)``; a Gemm may hold them the other way round."""
    from onnx import numpy_helper

    matrix = np.asarray(numpy_helper.to_array(held), np.float32)
    turned = any(a.name == "transB" and a.i for a in node.attribute)
    return matrix.T if turned else matrix


def _ends_gelu(name: str, makers: Mapping[str, Any], steps: int = 4) -> bool:
    """Whether a value comes out of products and sums with an error function: exact GELU."""
    maker = makers.get(name)
    if maker is None or steps == 0 or maker.op_type not in ("Mul", "Add", "Erf"):
        return False
    return maker.op_type == "Erf" or any(_ends_gelu(i, makers, steps - 1) for i in maker.input)


def _refill(field_: Any, values: list[Any]) -> None:
    del field_[:]
    field_.extend(values)
