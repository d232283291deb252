"""transformers' Trainer with the additions of :class:`Objective`."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Trainer

from dsn_nlp.modelling.losses import (
    Objective,
    contrastive_loss,
    disagreement,
    early_loss,
    labelling_loss,
)
from dsn_nlp.modelling.network import LabelNetwork
from dsn_nlp.records import COMPLAINTS


class LabelTrainer(Trainer):
    """Trains a :class:`LabelNetwork` on an objective; with a plain one, an ordinary Trainer."""

    def __init__(self, objective: Objective, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.objective = objective

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Any:
        """Loss of a batch; evaluation always reads the plain one."""
        del num_items_in_batch
        if return_outputs or not model.training:
            outputs = model(**inputs)
            return (outputs["loss"], outputs) if return_outputs else outputs["loss"]
        return self._loss(_network_of(model), inputs)

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | None = None
    ) -> Tensor:
        """One pass back; under attack, a second one from the shifted word embeddings."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.objective.attack:
            self._withstand(model, inputs)
        return loss

    def _loss(self, network: LabelNetwork, inputs: dict[str, Tensor]) -> Tensor:
        objective, (complaints, sentiment) = self.objective, _targets(inputs, self.objective)
        first = network.read(inputs["input_ids"], inputs["attention_mask"])
        logits = first.logits.float()
        loss = labelling_loss(logits, complaints, sentiment, objective)
        if objective.agreement:
            other = network.logits(inputs["input_ids"], inputs["attention_mask"]).float()
            second = labelling_loss(other, complaints, sentiment, objective)
            loss = (loss + second) / 2 + objective.agreement * disagreement(logits, other)
        if first.early:
            sooner = early_loss(first.early, logits, complaints, sentiment, objective)
            loss = loss + objective.early * sooner
        if objective.contrast:
            gold = inputs["complaints"], inputs["sentiment"]
            loss = loss + objective.contrast * contrastive_loss(first.mean, *gold)
        return loss

    def _withstand(self, model: nn.Module, inputs: dict[str, Any]) -> None:
        words = _network_of(model).encoder.get_input_embeddings().weight
        if words.grad is None:
            return
        length = words.grad.norm()
        if not torch.isfinite(length) or length == 0:
            return
        step = self.objective.attack * words.grad / length
        words.data.add_(step)
        super().training_step(model, inputs)
        words.data.sub_(step)


def _targets(inputs: dict[str, Tensor], objective: Objective) -> tuple[Tensor, Tensor]:
    """Gold labels, mixed with the teacher's scores when there is one."""
    complaints, sentiment = inputs["complaints"], inputs["sentiment"]
    if not objective.teaching or "teacher" not in inputs:
        return complaints, sentiment
    share, cut, told = objective.teaching, len(COMPLAINTS), inputs["teacher"]
    moods = functional.one_hot(sentiment, 3).to(told.dtype)
    return (
        (1 - share) * complaints + share * told[:, :cut],
        (1 - share) * moods + share * told[:, cut:],
    )


def _network_of(model: nn.Module) -> LabelNetwork:
    inner = getattr(model, "module", model)
    assert isinstance(inner, LabelNetwork)
    return inner
