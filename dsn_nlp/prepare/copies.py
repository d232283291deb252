"""Near-copies: wire stories republished with small edits, comments pasted again.

Texts are sets of 3-word shingles. MinHash signatures cut into bands (locality-sensitive hashing:
Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, ch. 3) find the few texts worth
comparing; the true Jaccard similarity then decides. Groups are the connected parts of what is
similar, so the order in which copies arrive does not matter.
"""

import hashlib
from functools import lru_cache

from dsn_nlp.prepare.screen import fold
from dsn_nlp.records import Kind

SHINGLE_WORDS = 3
# 40 bands of 3 rows: texts of similarity 0.45 meet with probability 0.98, of 0.2 with 0.27.
BANDS, ROWS = 40, 3
# Below it, texts are about the same event and not the same text: see copies_score.
SIMILARITY = 0.4
# Shorter texts ("rien à signaler") are alike without being copies.
MIN_WORDS = 10
MAX_CHARACTERS = 50_000
# Named, so that a later datasketch goes on hashing as what is stored was hashed.
_SCHEME = "affine32"


def shingles(text: str) -> frozenset[str]:
    """The set of a text's 3-word sequences, folded; the first 50,000 characters are read."""
    words = fold(text[:MAX_CHARACTERS]).split()
    last = max(len(words) - SHINGLE_WORDS + 1, 1)
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in range(last))


def text_key(kind: Kind, text: str) -> str:
    """A key that texts of one kind share when they differ in case, accents and marks only."""
    folded = fold(text[:MAX_CHARACTERS])
    return hashlib.sha256(f"{kind}\x1f{folded}".encode()).hexdigest()[:32]


def long_enough(text: str) -> bool:
    """Whether a text has enough words for its likeness to mean anything."""
    return len(fold(text[:2000]).split()) >= MIN_WORDS


def bands(kind: Kind, text: str) -> list[str]:
    """The band keys of a text; texts that share one are worth comparing."""
    from datasketch import MinHash

    sketch = MinHash(num_perm=BANDS * ROWS, permutations=_permutations(), scheme=_SCHEME)
    sketch.update_batch([shingle.encode() for shingle in shingles(text)])
    rows = sketch.hashvalues.reshape(BANDS, ROWS)
    return [
        hashlib.blake2b(f"{kind}{band}".encode() + row.tobytes(), digest_size=8).hexdigest()
        for band, row in enumerate(rows)
    ]


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity of two sets of shingles, in [0, 1]."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


@lru_cache(maxsize=1)
def _permutations() -> object:
    """Made once: making them costs more than a signature."""
    from datasketch import MinHash

    return MinHash(num_perm=BANDS * ROWS, seed=1, scheme=_SCHEME).permutations
