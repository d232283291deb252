"""The network: one encoder, read after its last layer and, for easy passages, earlier.

A passage that an early reading is sure of needs no deeper layer (Schwartz et al. 2020, arXiv
2004.07453); which one that is, the classifier decides when it labels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.losses import Objective, labelling_loss
from dsn_nlp.modelling.reading import Pooling, Reading
from dsn_nlp.modelling.thaw import thaw

FAMILIES = ("camembert", "camembertv2", "xlm-roberta", "roberta", "deberta", "deberta-v2")
_EARLY, _LAST = "early.", "reading."
# Names of the last reading's weights before there were early ones.
_ONCE = ("mean_head.", "queries", "label_head", "label_bias")


class Read(NamedTuple):
    """What the network reads in ``n`` passages.

    :ivar logits: after the last layer, shape ``(n, 8)``: complaints in order, then sentiments.
    :ivar mean: mean state of the last layer, shape ``(n, hidden)``.
    :ivar early: logits after each of the earlier layers that are read, in order.
    :ivar states: states after those layers, each of shape ``(n, tokens, hidden)``.
    """

    logits: Tensor
    mean: Tensor
    early: list[Tensor]
    states: list[Tensor]


class LabelNetwork(nn.Module):
    """A Hugging Face encoder with its readings.

    :param encoder: any model whose output has ``last_hidden_state`` ``(n, tokens, hidden)``.
    :param pooling: how states are read, see :class:`Reading`.
    :param smoothing: label smoothing of the loss that :meth:`forward` reports.
    :param exits: after which layers there is an early reading; those below the depth count.
    """

    def __init__(
        self,
        encoder: nn.Module,
        dropout: float = 0.1,
        smoothing: float = 0.0,
        pooling: Pooling = "both",
        exits: Sequence[int] = (),
    ) -> None:
        super().__init__()
        hidden, depth = int(encoder.config.hidden_size), int(encoder.config.num_hidden_layers)
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.exits = tuple(sorted({k for k in exits if 0 < k < depth}))
        self.reading = Reading(hidden, pooling)
        self.early = nn.ModuleDict({str(k): Reading(hidden, pooling) for k in self.exits})
        self.plain = Objective(smoothing=smoothing)
        self.padding_id = int(encoder.config.pad_token_id or 0)

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return ``(n, 8)`` logits: complaints in order, then sentiments."""
        return self.read(input_ids, attention_mask).logits

    def read(self, input_ids: Tensor, attention_mask: Tensor | None) -> Read:
        """Read passages after the last layer and after the earlier ones.

        :param attention_mask: ``None`` where no passage is padded.
        """
        found = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=bool(self.exits),
        )
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        logits, mean = self.reading(self.dropout(found.last_hidden_state), mask)
        states = [found.hidden_states[k] for k in self.exits]
        readings = zip(self.early.values(), states, strict=True)
        early = [reading(self.dropout(tokens), mask)[0] for reading, tokens in readings]
        return Read(logits, mean, early, states)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        complaints: Tensor | None = None,
        sentiment: Tensor | None = None,
        **_: Tensor,
    ) -> dict[str, Tensor]:
        """Return ``logits`` and, when gold labels are given, ``loss``."""
        logits = self.logits(input_ids, attention_mask).float()
        if complaints is None or sentiment is None:
            return {"logits": logits}
        loss = labelling_loss(logits, complaints, sentiment, self.plain)
        return {"loss": loss, "logits": logits}


def load_base(base: str) -> tuple[nn.Module, Any]:
    """Load an encoder and its tokenizer by Hugging Face id or local folder.

    :raises TrainingError: when it cannot be found, or is of a family not provided for.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        encoder = AutoModel.from_pretrained(base, **_without_pooler(base))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TrainingError(
            f"{base}: no such base model ({reason}); give a folder made by 'dsn-nlp make-base' "
            "or a Hugging Face id that this machine can reach"
        ) from None
    family = encoder.config.model_type
    if family not in FAMILIES:
        raise TrainingError(f"{base}: family '{family}' is not one of {', '.join(FAMILIES)}")
    return encoder, tokenizer


def keep_layers(encoder: nn.Module, count: int) -> None:
    """Keep ``count`` layers, evenly spread from the first to the last: a shallower student.

    :raises TrainingError: when the encoder has fewer.
    """
    layers = encoder.encoder.layer
    if not 1 <= count <= len(layers):
        raise TrainingError(f"layers={count}: the base has {len(layers)}; choose 1 to that")
    chosen = torch.linspace(0, len(layers) - 1, count).round().int().tolist()
    encoder.encoder.layer = nn.ModuleList([layers[index] for index in chosen])
    encoder.config.num_hidden_layers = count


def describe_queries(network: LabelNetwork, tokenizer: Any, descriptions: Sequence[str]) -> None:
    """Start each label's query from the encoder's own reading of the label's description.

    :param descriptions: one text a label, complaints in order, then sentiments.
    """
    network.eval()
    with torch.no_grad():
        batch = tokenizer(list(descriptions), padding=True, return_tensors="pt")
        pooled = network.read(batch["input_ids"], batch["attention_mask"]).mean
        queries = network.reading.queries
        scale = queries.norm(dim=-1, keepdim=True)
        queries.copy_(nn.functional.normalize(pooled, dim=-1) * scale)


def positions_of(encoder: nn.Module) -> int:
    """How many tokens an encoder reads; the RoBERTa family counts them from pad id + 1."""
    config = encoder.config
    positions = int(config.max_position_embeddings)
    if "deberta" in config.model_type:
        return positions
    return positions - int(config.pad_token_id) - 1


def _without_pooler(base: str) -> dict[str, bool]:
    """The pooler is unused weight; DeBERTa has none to leave out."""
    from transformers import AutoConfig

    family = AutoConfig.from_pretrained(base).model_type
    return {"add_pooling_layer": False} if "deberta" not in family else {}


def save_network(network: LabelNetwork, folder: Path) -> None:
    """Write all weights as safetensors."""
    from safetensors.torch import save_file

    state = {n: t.detach().contiguous().clone() for n, t in network.state_dict().items()}
    save_file(state, str(folder / "network.safetensors"))


def load_network(network: LabelNetwork, *paths: Path) -> None:
    """Read weights that :func:`save_network` wrote into a network of the same shape.

    :param paths: one file or model folder (its int8 weights are read), or several whose mean is
        taken.
    :raises TrainingError: when a file is missing or of another shape.
    """
    total: dict[str, Tensor] = {}
    for path in paths:
        for name, weights in _read_weights(network, path).items():
            total[name] = total[name] + weights if name in total else weights
    network.load_state_dict({name: weights / len(paths) for name, weights in total.items()})


def _read_weights(network: LabelNetwork, path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = _fitted(network, thaw(path) if path.is_dir() else load_file(str(path)))
        network.load_state_dict(found)
        return found
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"{path}: does not fit this base ({type(error).__name__}); start from the base instead"
        ) from None


def _fitted(network: LabelNetwork, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights under today's names; an early reading that is missing starts as the last one."""
    named = {_LAST + n if n.startswith(_ONCE) else n: w for n, w in found.items()}
    for name in network.state_dict():
        if name.startswith(_EARLY) and name not in named:
            last = _LAST + name.split(".", 2)[2]
            named |= {name: named[last].clone()} if last in named else {}
    there = {n: w for n, w in named.items() if not n.startswith(_EARLY)}
    return there | {n: named[n] for n in network.state_dict() if n in named}
