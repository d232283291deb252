"""Labelled passages: reading, checking, and splitting by similarity group.

Contrast pairs differ by one fact. Were they spread at random, the test split would hold what was
trained on; so passages are grouped by similarity first, and a whole group goes to one split.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import CorpusError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Split = Literal["train", "development", "test", "excluded"]
SPLITS: tuple[Split, ...] = ("train", "development", "test", "excluded")
SPLIT_FILE = "splits.json"
SHARES = {"test": 0.10, "development": 0.10}
# Two passages anywhere this similar (cosine of character n-grams) are one group …
FAR_SIMILARITY = 0.45
# … and so are two of one file, this near in its order, that share this much (contrast pairs).
# Of random pairs, one in 200 shares this much.
NEAR_SIMILARITY = 0.15
NEAR_ROWS = 6


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled passage of the corpus."""

    example_id: str
    lang: str
    kind: str
    text: str = field(repr=False)
    complaints: tuple[str, ...]
    sentiment: str
    file: str = ""


def parse_example(row: Any, place: str) -> Example:
    """Check one JSON object against the corpus format.

    :param place: file and row, named in the error.
    :raises CorpusError: when a key is missing or a label is not of the guideline.
    """
    if not isinstance(row, dict):
        raise CorpusError(f"{place}: not a JSON object; write one object a line")
    text, sentiment = row.get("text"), row.get("sentiment")
    complaints = row.get("complaints")
    if not isinstance(text, str) or not text.strip():
        raise CorpusError(f"{place}: 'text' is missing or empty")
    if not isinstance(complaints, list) or not set(map(str, complaints)) <= set(COMPLAINTS):
        raise CorpusError(f"{place}: 'complaints' must be a list of {', '.join(COMPLAINTS)}")
    if sentiment not in SENTIMENTS:
        raise CorpusError(f"{place}: 'sentiment' must be one of {', '.join(SENTIMENTS)}")
    ordered = tuple(label for label in COMPLAINTS if label in complaints)
    name = str(row.get("id", place))
    return Example(
        name, str(row.get("lang", "")), str(row.get("kind", "")), text, ordered, sentiment,
        place.rsplit(":", 1)[0],
    )  # fmt: skip


def read_examples(path: Path) -> Iterator[Example]:
    """Read one JSONL file.

    :raises CorpusError: with file and row, at the first row that breaks the format.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read ({type(error).__name__})") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(f"{path.name}:{number}: not JSON ({error.msg})") from None
        yield parse_example(row, f"{path.name}:{number}")


def read_corpus(folder: Path) -> list[Example]:
    """Read every JSONL file of a folder, in name order.

    :raises CorpusError: when there is none, a row is wrong, or an id occurs twice.
    """
    examples = [e for path in sorted(folder.glob("*.jsonl")) for e in read_examples(path)]
    if not examples:
        raise CorpusError(f"{folder}: no labelled *.jsonl here; see corpora/labelled")
    repeated = [name for name, n in Counter(e.example_id for e in examples).items() if n > 1]
    if repeated:
        raise CorpusError(f"{folder}: the id {repeated[0]} occurs more than once")
    return examples


def digest(examples: Iterable[Example]) -> str:
    """Fingerprint examples by content, whatever their order (12 hexadecimal digits)."""
    rows = sorted(
        json.dumps([e.example_id, e.lang, e.kind, e.text, e.complaints, e.sentiment])
        for e in examples
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]


def similarity_groups(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """Group similar passages: connected components of the similarity graph.

    :returns: for each example the index of its group's first member, shape ``(n_examples,)``.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = np.array(list(_similar_pairs(examples)), dtype=np.int64).reshape(-1, 2)
    size = len(examples)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    first: dict[int, int] = {}
    return np.array([first.setdefault(int(c), i) for i, c in enumerate(component)], dtype=np.int64)


def _similar_pairs(examples: Sequence[Example]) -> Iterator[tuple[int, int]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float32)
    vectors = vectorizer.fit_transform([e.text for e in examples])
    for begin in range(0, len(examples), 500):
        near = (vectors[begin : begin + 500] @ vectors.T).tocoo()
        for row, column, score in zip(near.row + begin, near.col, near.data, strict=True):
            if row >= column:
                continue
            adjacent = column - row <= NEAR_ROWS and examples[row].file == examples[column].file
            if score >= (NEAR_SIMILARITY if adjacent else FAR_SIMILARITY):
                yield int(row), int(column)


def _draw(example_id: str) -> Split:
    """Draw a split from the id alone: the same on every machine, for ever."""
    point = int(hashlib.sha256(example_id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    if point < SHARES["test"]:
        return "test"
    return "development" if point < SHARES["test"] + SHARES["development"] else "train"


def assign_splits(
    examples: Sequence[Example], frozen: Mapping[str, Split] | None = None
) -> dict[str, Split]:
    """Give every example a split; those that have one keep it.

    A new passage that resembles an old one follows it when the old ones are all in ``train``.
    When they are in development or test it is ``excluded``: to train on it would spoil them,
    to add it would move them.
    """
    frozen = frozen or {}
    groups = similarity_groups(examples)
    known: dict[int, set[Split]] = {}
    for example, group in zip(examples, groups, strict=True):
        if example.example_id in frozen:
            known.setdefault(int(group), set()).add(frozen[example.example_id])
    splits: dict[str, Split] = {}
    for example, group in zip(examples, groups, strict=True):
        if example.example_id in frozen:
            splits[example.example_id] = frozen[example.example_id]
        elif old := known.get(int(group)):
            splits[example.example_id] = "train" if old == {"train"} else "excluded"
        else:
            splits[example.example_id] = _draw(examples[int(group)].example_id)
    return splits


def read_splits(folder: Path) -> dict[str, Split]:
    """Read the committed splits of a corpus folder; empty when there are none yet."""
    path = folder / SPLIT_FILE
    if not path.exists():
        return {}
    written = json.loads(path.read_text(encoding="utf-8"))
    return {example_id: split for split in SPLITS for example_id in written.get(split, [])}


def write_splits(folder: Path, splits: Mapping[str, Split]) -> None:
    """Write splits where ``read_splits`` finds them, sorted so that changes read well."""
    table = {s: sorted(i for i, of in splits.items() if of == s) for s in SPLITS}
    text = json.dumps(table, indent=0)
    (folder / SPLIT_FILE).write_text(text + "\n", encoding="utf-8")


def split_corpus(folder: Path) -> dict[Split, list[Example]]:
    """Read a corpus in its splits, drawing and committing splits for what is new.

    :raises CorpusError: as :func:`read_corpus`.
    """
    examples = read_corpus(folder)
    splits = read_splits(folder)
    if any(e.example_id not in splits for e in examples):
        splits = assign_splits(examples, splits)
        write_splits(folder, splits)
    return {s: [e for e in examples if splits[e.example_id] == s] for s in SPLITS}


def complaint_matrix(examples: Sequence[Example]) -> npt.NDArray[np.float32]:
    """Gold complaints as 0/1, shape ``(n_examples, 5)`` in the order of ``COMPLAINTS``."""
    rows = [[float(label in e.complaints) for label in COMPLAINTS] for e in examples]
    return np.array(rows, dtype=np.float32).reshape(-1, len(COMPLAINTS))


def sentiment_vector(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """Gold sentiment as an index into ``SENTIMENTS``, shape ``(n_examples,)``."""
    return np.array([SENTIMENTS.index(e.sentiment) for e in examples], dtype=np.int64)
