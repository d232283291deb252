"""The objectives that training can add, against values worked out by hand or by torch."""

import pytest
import torch

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.finetune import Recipe, changed
from dsn_nlp.modelling.losses import (
    COMPLAINT_WEIGHT,
    Objective,
    asymmetric_loss,
    contrastive_loss,
    disagreement,
    labelling_loss,
)

LOGITS = torch.tensor([[2.0, -1, 0, 3, -2, 1, 0, -1], [0.5, 0, -3, -1, 1, -1, 2, 0]])
GOLD = torch.tensor([[1.0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
MOODS = torch.tensor([0, 1])


def test_plain_loss_is_torchs() -> None:
    told = labelling_loss(LOGITS, GOLD, MOODS, Objective(smoothing=0.0))
    first = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS[:, :5], GOLD)
    second = torch.nn.functional.cross_entropy(LOGITS[:, 5:], MOODS)
    assert torch.isclose(told, COMPLAINT_WEIGHT * first + second)


def test_sure_and_right_loses_less_by_every_loss() -> None:
    right = torch.cat([(GOLD * 2 - 1) * 8, torch.eye(3)[MOODS] * 16 - 8], dim=1)
    for loss in ("plain", "weighted", "asymmetric"):
        objective = Objective(loss=loss, smoothing=0.0)  # type: ignore[arg-type]
        assert labelling_loss(right, GOLD, MOODS, objective) < 0.01
        assert labelling_loss(-right, GOLD, MOODS, objective) > 5


def test_weights_make_a_missed_complaint_dearer_than_a_false_one() -> None:
    missed, false = torch.full((1, 8), -2.0), torch.full((1, 8), 2.0)
    one, none = torch.ones(1, 5), torch.zeros(1, 5)
    goal = Objective(loss="weighted", smoothing=0.0)
    mood = torch.tensor([0])
    assert labelling_loss(missed, one, mood, goal) > 2 * labelling_loss(false, none, mood, goal)


def test_asymmetric_loss_forgets_easy_absences() -> None:
    none = torch.zeros(1, 5)
    assert asymmetric_loss(torch.full((1, 5), -4.0), none) == 0
    assert asymmetric_loss(torch.full((1, 5), 2.0), none) > 1


def test_disagreement_is_symmetric_and_zero_on_itself() -> None:
    assert torch.isclose(disagreement(LOGITS, LOGITS), torch.tensor(0.0), atol=1e-6)
    there, back = disagreement(LOGITS, -LOGITS), disagreement(-LOGITS, LOGITS)
    assert torch.isclose(there, back)
    assert there > 0.5


def test_contrast_prefers_equal_labels_together() -> None:
    gold = torch.tensor([[1.0, 0, 0, 0, 0]] * 2 + [[0, 1.0, 0, 0, 0]] * 2)
    moods = torch.zeros(4, dtype=torch.long)
    near = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    mixed = near[[0, 2, 1, 3]]
    assert contrastive_loss(near, gold, moods) < contrastive_loss(mixed, gold, moods)
    assert contrastive_loss(near[:1], gold[:1], moods[:1]) == 0


def test_settings_change_a_recipe() -> None:
    recipe = changed(Recipe(base="b"), ["agreement=0.5", "pooling=mean", "batch=32", "layers=6"])
    assert recipe.objective.agreement == 0.5
    assert (recipe.pooling, recipe.batch, recipe.layers) == ("mean", 32, 6)


@pytest.mark.parametrize("setting", ["speed=3", "pooling=max", "batch=many", "objective=x"])
def test_unknown_settings_are_refused(setting: str) -> None:
    with pytest.raises(TrainingError, match=setting.split("=")[0]):
        changed(Recipe(base="b"), [setting])
