"""How far annotators agree: Cohen's kappa a label."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Told = tuple[tuple[str, ...], str]


def read_readings(path: Path) -> list[tuple[Told, Told]]:
    """Read JSONL whose rows hold ``first`` and ``second``, each ``[complaints, sentiment]``.

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
            found.append(((tuple(a), str(b)), (tuple(c), str(d))))
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
    found = {
        name: cohen_kappa([name in a[0] for a, _ in pairs], [name in b[0] for _, b in pairs])
        for name in COMPLAINTS
    }
    for mood in SENTIMENTS:
        told = [a[1] == mood for a, _ in pairs], [b[1] == mood for _, b in pairs]
        found[mood] = cohen_kappa(*told)
    found["sentiment"] = cohen_kappa([a[1] for a, _ in pairs], [b[1] for _, b in pairs])
    return {name: round(value, 3) for name, value in found.items()}
