"""Words that set passages with a label apart from the others."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.reading import read_texts, told
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.tables import Table, WordRow
from dsn_nlp.analyse.together import people

Rows = npt.NDArray[np.intp]
# Texts read on a side; words that matter show in fewer.
_MOST_TEXTS = 8000
_SEED = 20260509
_FEWEST_PASSAGES = 5
# Words of prior on each side: rare words must earn their place.
_PRIOR_WORDS = 500.0
_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACEHOLDER = re.compile(r"\[[A-Z_]+\]")


@dataclass
class WordCounts:
    """In how many passages a word or pair is, and which people wrote it (few are kept)."""

    enough: int
    passages: Counter[str] = field(default_factory=Counter)
    people: dict[str, set[int]] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)

    def add(self, terms: Iterable[str], respondent: int) -> None:
        """Count the terms of one passage; ``respondent`` is -1 for articles."""
        for term in terms:
            self.passages[term] += 1
            if respondent < 0:
                self.public.add(term)
                continue
            known = self.people.setdefault(term, set())
            if len(known) < self.enough:
                known.add(respondent)

    def may_show(self, term: str) -> bool:
        """Whether a term is of enough people, or printed in an article."""
        return term in self.public or len(self.people.get(term, ())) >= self.enough


def bearing_words(
    desk: Desk, label: str, scope: Scope | None = None, lang: str = "fr", top: int = 20
) -> Table[WordRow]:
    """Find words and pairs of words that passages told to have a label hold more than others.

    Weighted log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn, Political
    Analysis 16(4), 2008), over up to 8,000 passages a side. A word that fewer people wrote than
    may be shown is left out.

    :param lang: words of one language at a time.
    :raises InputError: when there is no such label.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    rows = frame.chosen((scope or Scope()).but(langs=(lang,)))
    with_label = told(frame, rows, label)
    about = desk.about(frame, rows)
    if 0 < people(frame, rows[with_label]) < desk.respondents:
        return Table((), about, (), 1)
    mine = count_words(desk, frame, rows[with_label])
    others = count_words(desk, frame, rows[~with_label])
    weights = log_odds(mine.passages, others.passages)
    found = [
        WordRow(term, lang, mine.passages[term], others.passages[term], round(z, 2))
        for term, z in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
        if z > 0 and mine.passages[term] >= _FEWEST_PASSAGES and mine.may_show(term)
    ]
    return Table(tuple(_without_repeats(found, top)), about)


def count_words(desk: Desk, frame: Frame, rows: Rows) -> WordCounts:
    """Count the words and pairs of some passages; of a sample where there are many.

    :raises StoreError: when the store cannot be read.
    """
    if len(rows) > _MOST_TEXTS:
        rows = np.sort(np.random.default_rng(_SEED).choice(rows, _MOST_TEXTS, replace=False))
    counts = WordCounts(desk.respondents)
    for text, respondent in zip(read_texts(desk, frame, rows), frame.respondent[rows], strict=True):
        counts.add(terms_of(text), int(respondent))
    return counts


def terms_of(text: str) -> set[str]:
    """Words and pairs of neighbours of a text, in lower case; no placeholders or common words."""
    plain = _PLACEHOLDER.sub(" . ", text).lower().replace("’", "'")
    common = common_words()
    found: set[str] = set()
    for part in re.split(r"[.!?;:,()«»\"]", plain):
        words = _WORD.findall(part)
        found.update(word for word in words if len(word) > 2 and word not in common)
        found.update(
            f"{one} {other}" for one, other in pairwise(words) if not common & {one, other}
        )
    return found


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Words that name nothing, in both languages."""
    path = Path(__file__).with_name("common_words.toml")
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return frozenset(word for words in tables.values() for word in words.split())


def log_odds(mine: Counter[str], others: Counter[str]) -> dict[str, float]:
    """Weigh every term of ``mine`` by how much more it is used there, in standard errors."""
    terms = list(mine)
    first = np.array([mine[t] for t in terms], np.float64)
    second = np.array([others[t] for t in terms], np.float64)
    both, total = first + second, float(sum(mine.values()) + sum(others.values()))
    prior = both / max(total, 1.0) * _PRIOR_WORDS
    sizes = float(sum(mine.values())), float(sum(others.values()))
    odds = [
        np.log((count + prior) / (size + _PRIOR_WORDS - count - prior))
        for count, size in zip((first, second), sizes, strict=True)
    ]
    z = (odds[0] - odds[1]) / np.sqrt(1 / (first + prior) + 1 / (second + prior))
    return dict(zip(terms, map(float, z), strict=True))


def _without_repeats(rows: Sequence[WordRow], top: int) -> list[WordRow]:
    """Leave out a word that stands in a stronger pair, and a pair of a stronger word's."""
    kept: list[WordRow] = []
    for row in rows:
        words = set(row.words.split())
        if not any(words & set(other.words.split()) for other in kept):
            kept.append(row)
        if len(kept) == top:
            break
    return kept
