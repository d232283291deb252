"""The network: one encoder pass, five complaint logits and three sentiment logits.

Each logit is the mean of two readings of the token states: mean pooling with a linear head, and
label-wise attention (Mullenbach et al. 2018, arXiv 1802.05695), a query a label. They err
differently, and the attention says which tokens bear a label.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from dsn_nlp.errors import TrainingError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

OUTPUTS = len(COMPLAINTS) + len(SENTIMENTS)
# Complaints weigh as much as sentiment once summed over labels, not averaged.
COMPLAINT_WEIGHT = 3.0
FAMILIES = ("camembert", "camembertv2", "xlm-roberta", "roberta", "deberta", "deberta-v2")


class LabelNetwork(nn.Module):
    """A Hugging Face encoder with the two heads.

    :param encoder: any model whose output has ``last_hidden_state`` ``(n, tokens, hidden)``.
    """

    def __init__(self, encoder: nn.Module, dropout: float = 0.1, smoothing: float = 0.0) -> None:
        super().__init__()
        hidden = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.mean_head = nn.Linear(hidden, OUTPUTS)
        self.queries = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_head = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_bias = nn.Parameter(torch.zeros(OUTPUTS))
        self.smoothing = smoothing
        self.padding_id = int(encoder.config.pad_token_id or 0)

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return ``(n, 8)`` logits: complaints in order, then sentiments."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        tokens = self.dropout(states.last_hidden_state)
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1)
        weights = torch.einsum("lh,nth->nlt", self.queries, tokens)
        weights = weights.masked_fill(attention_mask.unsqueeze(1) == 0, -1e4).softmax(-1)
        attended = torch.einsum("nlt,nth->nlh", weights, tokens)
        by_label = (attended * self.label_head).sum(-1) + self.label_bias
        return (self.mean_head(mean) + by_label) / 2

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        complaints: Tensor | None = None,
        sentiment: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return ``logits`` and, when gold labels are given, ``loss``."""
        logits = self.logits(input_ids, attention_mask).float()
        if complaints is None or sentiment is None:
            return {"logits": logits}
        soft = complaints * (1 - self.smoothing) + self.smoothing / 2
        first = nn.functional.binary_cross_entropy_with_logits(logits[:, : len(COMPLAINTS)], soft)
        second = nn.functional.cross_entropy(
            logits[:, len(COMPLAINTS) :], sentiment, label_smoothing=self.smoothing
        )
        return {"loss": COMPLAINT_WEIGHT * first + second, "logits": logits}


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


def load_network(network: LabelNetwork, path: Path) -> None:
    """Read weights that :func:`save_network` wrote into a network of the same shape.

    :raises TrainingError: when the file is missing or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(str(path)))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"{path}: does not fit this base ({type(error).__name__}); start from the base instead"
        ) from None
