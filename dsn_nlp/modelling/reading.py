"""How token states become logits: mean pooling and label-wise attention, averaged.

They err differently, and the attention (Mullenbach et al. 2018, arXiv 1802.05695), a query a
label, says which tokens bear a label.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from dsn_nlp.records import COMPLAINTS, SENTIMENTS

OUTPUTS = len(COMPLAINTS) + len(SENTIMENTS)
Pooling = Literal["both", "mean", "attention"]


class Reading(nn.Module):
    """Reads five complaint logits and three sentiment logits off the states of one layer.

    :param hidden: size of a state.
    :param pooling: which of the two ways; ``both`` takes their mean.
    """

    def __init__(self, hidden: int, pooling: Pooling = "both") -> None:
        super().__init__()
        self.mean_head = nn.Linear(hidden, OUTPUTS)
        self.queries = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_head = nn.Parameter(torch.randn(OUTPUTS, hidden) * hidden**-0.5)
        self.label_bias = nn.Parameter(torch.zeros(OUTPUTS))
        self.pooling = pooling

    def forward(self, tokens: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``(n, 8)`` and the mean state ``(n, hidden)``.

        :param tokens: states, shape ``(n, tokens, hidden)``.
        """
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

    def scale(self, factors: Tensor, shifts: Tensor) -> None:
        """Change the logits to ``factors · logits + shifts``, each of shape ``(8,)``."""
        with torch.no_grad():
            self.mean_head.weight.mul_(factors.unsqueeze(1))
            self.mean_head.bias.mul_(factors).add_(shifts)
            self.label_head.mul_(factors.unsqueeze(1))
            self.label_bias.mul_(factors).add_(shifts)

    def _attend(self, tokens: Tensor, attention_mask: Tensor) -> Tensor:
        """Label-wise attention: ``(n, 8)`` logits from states ``(n, tokens, hidden)``."""
        weights = self.queries @ tokens.transpose(1, 2)
        weights = weights.masked_fill(attention_mask.unsqueeze(1) == 0, -1e4).softmax(-1)
        attended = weights @ tokens
        return (attended * self.label_head).sum(-1) + self.label_bias
