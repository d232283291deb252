"""Fine-tunes the tagger: an encoder and one linear layer that tells each word's class."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.network import load_base
from dsn_nlp.modelling.tagger_augment import Teller
from dsn_nlp.modelling.tagger_corpus import CLASSES, Sample, classes_of
from dsn_nlp.modelling.tagger_names import NamePool
from dsn_nlp.modelling.thaw import thaw
from dsn_nlp.prepare.deid_words import first_tokens

_IGNORED = -100
_CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class TaggerRecipe:
    """How to fine-tune the tagger.

    :ivar start: a classifier's folder, whose encoder is gone on from in place of the base's, or a
        tagger's, whose whole network is.
    :ivar layers: the first so many layers of the base are kept: names are told low down.
    :ivar rate: learning rate of the encoder; the linear layer's is ``head`` times that.
    :ivar free: identifier-free passages an epoch, drawn anew; half of them are given a name.
    :ivar weight: of a word that is part of an identifier, against 1 of any other.
    """

    base: str
    start: str | None = None
    layers: int = 6
    epochs: int = 11
    batch: int = 16
    rate: float = 2e-4
    head: float = 8.0
    warmup: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    free: int = 1500
    weight: float = 1.5
    max_tokens: int = 160
    seed: int = 17


class TagNetwork(nn.Module):
    """An encoder whose token states ``(n, tokens, hidden)`` give ``(n, tokens, classes)``."""

    def __init__(self, encoder: nn.Module, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), CLASSES)
        self.padding_id = int(encoder.config.pad_token_id or 0)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits ``(n, tokens, classes)``."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits: Tensor = self.head(self.dropout(states.last_hidden_state))
        return logits


@dataclass(frozen=True)
class TrainedTagger:
    """A fine-tuned tagger, its tokenizer and the record of the run."""

    network: TagNetwork
    tokenizer: Any
    record: dict[str, Any]


def open_network(recipe: TaggerRecipe) -> tuple[TagNetwork, Any]:
    """Load the base, cut to its first layers.

    :raises TrainingError: when it cannot be loaded, or has fewer layers.
    """
    encoder, tokenizer = load_base(recipe.base)
    layers = encoder.encoder.layer
    if not 1 <= recipe.layers <= len(layers):
        raise TrainingError(f"layers={recipe.layers}: the base has {len(layers)}")
    encoder.encoder.layer = nn.ModuleList(layers[: recipe.layers])
    encoder.config.num_hidden_layers = recipe.layers
    network = TagNetwork(encoder, recipe.dropout)
    if recipe.start:
        _go_on_from(network, Path(recipe.start))
    return network, tokenizer


def _go_on_from(network: TagNetwork, folder: Path) -> None:
    """Read what a folder's network shares with this one: as many layers as this one has."""
    known = network.state_dict()
    found = {n: w for n, w in thaw(folder).items() if n in known and w.shape == known[n].shape}
    absent = [n for n in known if n.startswith("encoder") and n not in found]
    if any("position_ids" not in name and "token_type_ids" not in name for name in absent):
        raise TrainingError(f"{folder}: does not fit this base; start from the base instead")
    try:
        network.load_state_dict({**known, **found})
    except RuntimeError as error:
        raise TrainingError(f"{folder}: does not fit this base ({type(error).__name__})") from None


def train_tagger(
    tagged: Sequence[Sample], free: Sequence[Sample], recipe: TaggerRecipe, folder: Path
) -> TrainedTagger:
    """Fine-tune on tagged comments, told anew each epoch, and identifier-free passages.

    A checkpoint is written after each epoch and gone on from where ``folder`` holds one.
    """
    torch.manual_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    network, tokenizer = open_network(recipe)
    places = int(network.encoder.config.max_position_embeddings) - 2  # two are kept for padding
    recipe = replace(recipe, max_tokens=min(recipe.max_tokens, places))
    optimizer = torch.optim.AdamW(_groups(network, recipe), fused=True)
    steps = recipe.epochs * -(-(len(tagged) + min(recipe.free, len(free))) // recipe.batch)
    plan = torch.optim.lr_scheduler.LambdaLR(optimizer, _slope(steps, recipe.warmup))
    done = _resume(folder, network, optimizer, plan)
    started, losses = time.monotonic(), []
    for epoch in range(done, recipe.epochs):
        torch.manual_seed(recipe.seed * 1000 + epoch)  # a resumed run draws what a whole one does
        losses.append(
            _epoch(network, tokenizer, optimizer, plan, _told(tagged, free, recipe, epoch), recipe)
        )
        _keep(folder, network, optimizer, plan, epoch + 1)
        print(
            f"epoch {epoch + 1}: loss {losses[-1]:.4f}, {time.monotonic() - started:.0f} s",
            flush=True,
        )
    network.eval()
    record = {
        "recipe": asdict(recipe),
        "seconds": round(time.monotonic() - started),
        "tagged": len(tagged),
        "free": len(free),
        "losses": [round(loss, 4) for loss in losses],
    }
    (folder / "run.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return TrainedTagger(network, tokenizer, record)


def _told(
    tagged: Sequence[Sample], free: Sequence[Sample], recipe: TaggerRecipe, epoch: int
) -> list[Sample]:
    """Tell this epoch's samples anew; the last epoch's tagged ones in part as written."""
    seed = recipe.seed * 1000 + epoch
    drawn = random.Random(seed)
    names = NamePool((s.text[a:b] for s in tagged for a, b, k in s.spans if k == "PERSON"), seed)
    teller = Teller(names, seed)
    chosen = drawn.sample(list(free), min(recipe.free, len(free)))
    told = [teller.tell(s) if drawn.random() < 0.8 else s for s in (*tagged, *chosen)]
    drawn.shuffle(told)
    return told


def _epoch(
    network: TagNetwork,
    tokenizer: Any,
    optimizer: torch.optim.Optimizer,
    plan: Any,
    samples: list[Sample],
    recipe: TaggerRecipe,
) -> float:
    network.train()
    weights = torch.full((CLASSES,), recipe.weight)
    weights[0] = 1.0
    losses = []
    for ids, mask, places, gold in batches(samples, tokenizer, recipe):
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(ids, mask)
        at = logits.float().gather(1, places.unsqueeze(-1).expand(-1, -1, CLASSES))
        loss = nn.functional.cross_entropy(
            at.flatten(0, 1), gold.flatten(), weights, ignore_index=_IGNORED
        )
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        plan.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return sum(losses) / max(1, len(losses))


def batches(
    samples: Sequence[Sample], tokenizer: Any, recipe: TaggerRecipe
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Batch samples of like length.

    :returns: ids and mask ``(n, tokens)``; the token of each word and its class ``(n, words)``.
    """
    rows = [_row(sample, tokenizer.backend_tokenizer, recipe.max_tokens) for sample in samples]
    pool = recipe.batch * 32
    for begin in range(0, len(rows), pool):
        near = sorted(rows[begin : begin + pool], key=lambda row: len(row[0]))
        groups = [near[i : i + recipe.batch] for i in range(0, len(near), recipe.batch)]
        random.Random(recipe.seed + begin).shuffle(groups)
        for group in groups:
            ids, places, gold = zip(*group, strict=True)
            mask = _padded([[1] * len(row) for row in ids], 0)
            yield _padded(ids, 1), mask, _padded(places, 0), _padded(gold, _IGNORED)


def _row(sample: Sample, tokenizer: Any, limit: int) -> tuple[list[int], list[int], list[int]]:
    encoding = tokenizer.encode(sample.text)
    words, told = classes_of(sample)
    tokens = first_tokens(sample.text, words, encoding.offsets)
    kept = [(t, c) for t, c in zip(tokens, told, strict=True) if 0 <= t < limit]
    return encoding.ids[:limit], [t for t, _ in kept], [c for _, c in kept]


def _padded(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    width = max(1, *map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])


def _slope(steps: int, warmup: float) -> Any:
    rise = max(1, int(steps * warmup))
    return lambda step: min(step / rise, max(0.0, (steps - step) / max(1, steps - rise)))


def _groups(network: TagNetwork, recipe: TaggerRecipe) -> list[dict[str, Any]]:
    groups = []
    for name, parameter in network.named_parameters():
        rate = recipe.rate * (recipe.head if name.startswith("head") else 1.0)
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return groups


def _keep(folder: Path, network: TagNetwork, optimizer: Any, plan: Any, epoch: int) -> None:
    """Write a checkpoint as safetensors: tensors, and the rest as JSON in its header."""
    kept = optimizer.state_dict()
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for place, of in kept["state"].items():
        tensors |= {f"optimizer.{place}.{name}": tensor for name, tensor in of.items()}
    rest = {"epoch": epoch, "groups": kept["param_groups"], "plan": plan.state_dict()}
    new = folder / "checkpoint.new"
    save_file({n: t.clone() for n, t in tensors.items()}, new, {"rest": json.dumps(rest)})
    new.replace(folder / _CHECKPOINT)


def _resume(folder: Path, network: TagNetwork, optimizer: Any, plan: Any) -> int:
    path = folder / _CHECKPOINT
    if not path.is_file():
        return 0
    weights: dict[str, Tensor] = {}
    state: dict[int, dict[str, Tensor]] = {}
    with safe_open(path, framework="pt") as kept:
        rest = json.loads(kept.metadata()["rest"])
        for key in kept.keys():  # noqa: SIM118 - not a dict
            part, _, name = key.partition(".")
            if part == "network":
                weights[name] = kept.get_tensor(key)
            else:
                place, _, moment = name.partition(".")
                state.setdefault(int(place), {})[moment] = kept.get_tensor(key)
    network.load_state_dict(weights)
    optimizer.load_state_dict({"state": state, "param_groups": rest["groups"]})
    plan.load_state_dict(rest["plan"])
    return int(rest["epoch"])
