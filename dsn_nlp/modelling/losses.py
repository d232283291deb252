"""What training minimises: the plain loss of both heads, and the additions that were tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from dsn_nlp.records import COMPLAINTS

Loss = Literal["plain", "weighted", "asymmetric"]
# Complaints weigh as much as sentiment once summed over labels, not averaged.
COMPLAINT_WEIGHT = 3.0
# How much a told complaint outweighs an absent one under "weighted": about √(absent / told).
TOLD_WEIGHT = 2.2
_CUT = len(COMPLAINTS)


@dataclass(frozen=True)
class Objective:
    """Which loss, and how much of each addition.

    :ivar loss: ``plain`` cross-entropy, ``weighted`` by class, or ``asymmetric`` for complaints
        (Ridnik et al. 2021, arXiv 2009.14119).
    :ivar smoothing: share of a target that is spread over the other answers.
    :ivar agreement: weight of R-Drop, two passes under dropout that must agree (Liang et al.
        2021, arXiv 2106.14448).
    :ivar contrast: weight of the supervised contrastive loss (Gunel et al. 2021, arXiv
        2011.01403) over passages with exactly the same labels.
    :ivar attack: length of the step along the gradient of the word embeddings that a second
        pass must withstand (Miyato et al. 2017, arXiv 1605.07725).
    :ivar teaching: share of a teacher's scores in the targets (Hinton et al. 2015, arXiv
        1503.02531).
    :ivar early: weight of each early reading's loss; half of its target is what the last layer
        says (self-distillation: Zhang et al. 2019, arXiv 1905.08094).
    """

    loss: Loss = "plain"
    smoothing: float = 0.02
    agreement: float = 0.0
    contrast: float = 0.0
    attack: float = 0.0
    teaching: float = 0.0
    early: float = 0.3


def labelling_loss(
    logits: Tensor, complaints: Tensor, sentiment: Tensor, objective: Objective
) -> Tensor:
    """Loss of both heads.

    :param logits: shape ``(n, 8)``.
    :param complaints: targets in [0, 1], shape ``(n, 5)``.
    :param sentiment: class indices ``(n,)`` or probabilities ``(n, 3)``.
    """
    first = _complaint_loss(logits[:, :_CUT], complaints, objective)
    second = functional.cross_entropy(
        logits[:, _CUT:], sentiment, label_smoothing=objective.smoothing
    )
    return COMPLAINT_WEIGHT * first + second


def _complaint_loss(logits: Tensor, gold: Tensor, objective: Objective) -> Tensor:
    soft = gold * (1 - objective.smoothing) + objective.smoothing / 2
    if objective.loss == "asymmetric":
        return asymmetric_loss(logits, gold)
    weight = torch.tensor(TOLD_WEIGHT) if objective.loss == "weighted" else None
    return functional.binary_cross_entropy_with_logits(logits, soft, pos_weight=weight)


def asymmetric_loss(
    logits: Tensor, gold: Tensor, focus: float = 2.0, margin: float = 0.05
) -> Tensor:
    """Asymmetric loss (arXiv 2009.14119): easy absent labels hardly count.

    :param focus: exponent for absent labels; told ones are not focused.
    :param margin: absent labels scored below it count for nothing.
    """
    told = torch.sigmoid(logits)
    absent = (1 - told + margin).clamp(max=1.0)
    positive = gold * torch.log(told.clamp(min=1e-7))
    negative = (1 - gold) * (1 - absent) ** focus * torch.log(absent.clamp(min=1e-7))
    return -(positive + negative).mean()


def early_loss(
    early: Sequence[Tensor], last: Tensor, complaints: Tensor, sentiment: Tensor, goal: Objective
) -> Tensor:
    """Summed loss of early readings against targets that are half gold, half the last layer's.

    :param early: logits ``(n, 8)`` of each.
    :param last: logits ``(n, 8)`` of the last layer, which learns nothing from this.
    """
    told = last.detach()
    moods = sentiment if sentiment.ndim == 2 else functional.one_hot(sentiment, 3).to(told.dtype)
    first = (complaints + torch.sigmoid(told[:, :_CUT])) / 2
    second = (moods + functional.softmax(told[:, _CUT:], -1)) / 2
    losses = [labelling_loss(logits.float(), first, second, goal) for logits in early]
    return torch.stack(losses).sum()


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Symmetric Kullback–Leibler divergence of two passes' answers, each ``(n, 8)`` logits."""
    return (_divergence(first, second) + _divergence(second, first)) / 2


def _divergence(first: Tensor, second: Tensor) -> Tensor:
    p, q = torch.sigmoid(first[:, :_CUT]), torch.sigmoid(second[:, :_CUT])
    p, q = p.clamp(1e-6, 1 - 1e-6), q.clamp(1e-6, 1 - 1e-6)
    binary = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    moods = functional.kl_div(
        functional.log_softmax(second[:, _CUT:], -1),
        functional.log_softmax(first[:, _CUT:], -1),
        reduction="batchmean",
        log_target=True,
    )
    return COMPLAINT_WEIGHT * binary.mean() + moods


def contrastive_loss(
    vectors: Tensor, complaints: Tensor, sentiment: Tensor, temperature: float = 0.1
) -> Tensor:
    """Pull passages with the same labels together, push others apart.

    :param vectors: one vector a passage, shape ``(n, hidden)``.
    """
    unit = functional.normalize(vectors.float(), dim=-1)
    alone = torch.eye(len(unit), dtype=torch.bool)
    similar = (unit @ unit.T / temperature).masked_fill(alone, -1e4)
    same = (complaints.unsqueeze(1) == complaints.unsqueeze(0)).all(-1)
    same = same & (sentiment.unsqueeze(1) == sentiment.unsqueeze(0)) & ~alone
    partners = same.sum(1)
    if not partners.any():
        return vectors.sum() * 0.0
    logs = functional.log_softmax(similar, dim=-1)
    each = -(logs * same).sum(1) / partners.clamp(min=1)
    return each[partners > 0].mean()
