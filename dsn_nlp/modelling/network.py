"""The network: one encoder pass, five complaint logits and three sentiment logits.

Each logit is the mean of two readings of the token states: mean pooling with a linear head, and
label-wise attention (Mullenbach et al. 2018, arXiv 1802.05695), a query a label. They err
differently, and the attention says which tokens bear a label.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.losses import Objective, labelling_loss
from dsn_nlp.modelling.thaw import thaw
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

OUTPUTS = len(COMPLAINTS) + len(SENTIMENTS)
Pooling = Literal["both", "mean", "attention"]
FAMILIES = ("camembert", "camembertv2", "xlm-roberta", "roberta", "deberta", "deberta-v2")


class LabelNetwork(nn.Module):
    """A Hugging Face encoder with the two heads.

    :param encoder: any model whose output has ``last_hidden_state`` ``(n, tokens, hidden)``.
    :param pooling: which of the two readings; ``both`` takes their mean.
    :param smoothing: label smoothing of the loss that :meth:`forward` reports.
    """

    def __init__(
        self,
        encoder: nn.Module,
        dropout: float = 0.1,
        smoothing: float = 0.0,
        pooling: Pooling = "both",
    ) -> None:
        super().__init__()
        hidden = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.mean_head = nn.Linear(hidden, OUTPUTS)
        self.queries = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_head = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_bias = nn.Parameter(torch.zeros(OUTPUTS))
        self.plain = Objective(smoothing=smoothing)
        self.pooling = pooling
        self.padding_id = int(encoder.config.pad_token_id or 0)

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return ``(n, 8)`` logits: complaints in order, then sentiments."""
        return self.read(input_ids, attention_mask)[0]

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``(n, 8)`` and mean-pooled token states ``(n, hidden)``."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        tokens = self.dropout(states.last_hidden_state)
        # Products a passage, not sums over a batch: a passage's numbers are then the same to the
        # last bit whatever runs beside it.
        mask = attention_mask.unsqueeze(1).to(tokens.dtype)
        mean = (mask @ tokens).squeeze(1) / mask.sum(-1)
        if self.pooling == "mean":
            return self.mean_head(mean), mean
        by_label = self._attend(tokens, attention_mask)
        if self.pooling == "attention":
            return by_label, mean
        return (self.mean_head(mean) + by_label) / 2, mean

    def _attend(self, tokens: Tensor, attention_mask: Tensor) -> Tensor:
        """Label-wise attention: ``(n, 8)`` logits from states ``(n, tokens, hidden)``."""
        weights = self.queries @ tokens.transpose(1, 2)
        weights = weights.masked_fill(attention_mask.unsqueeze(1) == 0, -1e4).softmax(-1)
        attended = weights @ tokens
        return (attended * self.label_head).sum(-1) + self.label_bias

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
        _, pooled = network.read(batch["input_ids"], batch["attention_mask"])
        scale = network.queries.norm(dim=-1, keepdim=True)
        network.queries.copy_(nn.functional.normalize(pooled, dim=-1) * scale)


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
        found: dict[str, Tensor] = thaw(path) if path.is_dir() else load_file(str(path))
        network.load_state_dict(found)
        return found
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"{path}: does not fit this base ({type(error).__name__}); start from the base instead"
        ) from None
