"""How far annotators agree: Cohen's kappa a label."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Told = tuple[tuple[str, ...], str]


DRAWS = 2000


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa with its 95 % interval."""

    value: float
    low: float
    high: float


def read_readings(path: Path) -> list[tuple[Told, Told]]:
    """Read JSONL whose rows hold ``first`` and ``second``, each ``[complaints, sentiment]``.

    :raises InputError: as :func:`read_named_readings`.
    """
    return [pair for _, pair in read_named_readings(path)]


def read_named_readings(path: Path) -> list[tuple[str, tuple[Told, Told]]]:
    """Read double readings, each with the ``id`` of its passage (empty where it has none).

    :raises InputError: with file and row, when one is not of that form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__})") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            (a, b), (c, d) = row["first"], row["second"]
            pair = ((tuple(a), str(b)), (tuple(c), str(d)))
            found.append((str(row.get("id", "")), pair))
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}:{number}: not a double reading") from None
    return found


def cohen_kappa(first: Sequence[object], second: Sequence[object]) -> float:
    """Cohen's kappa of two readings (Cohen 1960): agreement beyond chance, 1 at most.

    Two readings that both use a single answer agree wholly: 1.
    """
    left, right = np.array(list(map(str, first))), np.array(list(map(str, second)))
    seen = float((left == right).mean())
    chance = sum(float((left == a).mean() * (right == a).mean()) for a in set(left) | set(right))
    return 1.0 if chance >= 1 else (seen - chance) / (1 - chance)


def kappas(pairs: Sequence[tuple[Told, Told]]) -> dict[str, float]:
    """Kappa of each complaint, of each sentiment against the rest, and of sentiment whole.

    :param pairs: what the two said of each passage, ``(complaints, sentiment)`` each.
    """
    if not pairs:
        return {}
    return {name: round(cohen_kappa(*told), 3) for name, told in _questions(pairs).items()}


def kappa_intervals(pairs: Sequence[tuple[Told, Told]], seed: int = 17) -> dict[str, Kappa]:
    """Give :func:`kappas` with percentile bootstrap intervals over passages.

    Bootstrap rather than the normal approximation, which leaves [-1, 1] near perfect agreement
    (Efron & Tibshirani 1993, chapter 13).
    """
    if not pairs:
        return {}
    generator = np.random.default_rng(seed)
    found = {}
    for name, (first, second) in _questions(pairs).items():
        answers = sorted({*first, *second}, key=str)
        table = np.zeros((len(answers), len(answers)))
        for a, b in zip(first, second, strict=True):
            table[answers.index(a), answers.index(b)] += 1
        drawn = generator.multinomial(len(pairs), table.ravel() / len(pairs), DRAWS)
        low, high = np.percentile(
            _kappas_of(drawn.reshape(DRAWS, *table.shape).astype(float)), [2.5, 97.5]
        )
        value = float(_kappas_of(table[None])[0])
        found[name] = Kappa(round(value, 3), round(float(low), 3), round(float(high), 3))
    return found


def _questions(
    pairs: Sequence[tuple[Told, Told]],
) -> dict[str, tuple[list[object], list[object]]]:
    """What each of the two answered to each question: a label there or not, or the sentiment."""
    asked: dict[str, tuple[list[object], list[object]]] = {
        name: ([name in a[0] for a, _ in pairs], [name in b[0] for _, b in pairs])
        for name in COMPLAINTS
    }
    for mood in SENTIMENTS:
        asked[mood] = ([a[1] == mood for a, _ in pairs], [b[1] == mood for _, b in pairs])
    asked["sentiment"] = ([a[1] for a, _ in pairs], [b[1] for _, b in pairs])
    return asked


def _kappas_of(tables: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Kappa of each contingency table, shape ``(n, answers, answers)``; 1 where chance decides."""
    shares = tables / tables.sum(axis=(1, 2), keepdims=True)
    seen = np.trace(shares, axis1=1, axis2=2)
    chance = (shares.sum(1) * shares.sum(2)).sum(-1)
    sure = chance >= 1
    return np.where(sure, 1.0, (seen - chance) / np.where(sure, 1.0, 1 - chance))
