"""The names of establishments as a tree of words: what ``corpora/sites.toml`` says, spelt out.

Words are compared folded: no accents, case or marks; Saint, Sainte, St and Ste are one word, so
are hôpital, hospital and their short forms. Small linking words are left out of names.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from dsn_nlp.errors import CorpusError

SITES_FILE = Path(__file__).parents[2] / "corpora" / "sites.toml"
Strength = Literal["sure", "acronym", "hint", "shy"]
LINKING = frozenset(["de", "du", "des", "la", "le", "les", "l", "d", "the", "of", "s"])
ALSO = frozenset(("et", "and"))
HOSPITAL, LOCAL_CENTRE, CARE_HOME, AUTHORITY, CENTRE = (
    "hopital",
    "clsc",
    "chsld",
    "ciusss",
    "centre",
)
CLASSES = frozenset((HOSPITAL, LOCAL_CENTRE, CARE_HOME, AUTHORITY))
_SAME = {
    "saint": "st", "sainte": "st", "ste": "st", "saints": "st", "sts": "st", "hopitaux": HOSPITAL,
    "hospital": HOSPITAL, "hospitals": HOSPITAL, "hosp": HOSPITAL, "hop": HOSPITAL,
    "hosto": HOSPITAL,
    "hopitals": HOSPITAL, "mtl": "montreal", "qc": "quebec",
    "cisss": AUTHORITY, "ciss": AUTHORITY, "ciuss": AUTHORITY, "ciusss": AUTHORITY,
    "cissss": AUTHORITY, "ciussss": AUTHORITY, "ciusses": AUTHORITY, "csss": AUTHORITY,
    "center": CENTRE, "ctre": CENTRE, "clscs": LOCAL_CENTRE, "chslds": CARE_HOME,
    "centres": CENTRE, "et": "&", "and": "&", "emergency": "urgence", "urgences": "urgence",
    "er": "urgence",
}  # fmt: skip
# A combining mark or a soft hyphen belongs to the word it stands in.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f\u00ad]*(?:[\u0300-\u036f\u00ad][^\W_]*)*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, folded; ``[start, end)`` are its characters in the text."""

    key: str
    start: int
    end: int
    written: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """An establishment by its official French name, and the authority that runs it."""

    name: str
    authority: str
    kind: str
    towns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """What a name of several words stands for; ``postposed`` is "X Hospital"."""

    site: Site
    strength: Strength
    postposed: bool = False
    bare: bool = False


@dataclass(slots=True)
class Node:
    """A place in the tree of words."""

    after: dict[str, "Node"] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)


@dataclass(frozen=True)
class Gazetteer:
    """All sites, the tree of their names, and the words that names are made of."""

    sites: tuple[Site, ...]
    root: Node
    vocabulary: frozenset[str]


@lru_cache(maxsize=2**14)
def fold_word(word: str) -> str:
    """Fold one word: no accents, case, ligatures or soft hyphens."""
    plain = word.lower().replace("œ", "oe").replace("æ", "ae").replace("\u00ad", "")
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def words_of(text: str) -> list[Word]:
    """Cut a text into folded words."""
    found = []
    for match in _WORD.finditer(text):
        key = fold_word(match[0])
        found.append(Word(_SAME.get(key, key), match.start(), match.end(), match[0]))
    return found


@lru_cache(maxsize=2)
def gazetteer(path: Path = SITES_FILE) -> Gazetteer:
    """Read the establishments.

    :raises CorpusError: when the file is missing or is not what it should be.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["authority"]
        entries = [entry for table in tables for entry in _entries(table)]
    except (OSError, KeyError, TypeError, AttributeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path}: not a list of sites ({type(error).__name__})") from None
    root = Node()
    vocabulary: set[str] = set()
    for keys, alias in entries:
        _add(root, keys, alias)
        vocabulary.update(keys)
    sites = dict.fromkeys(alias.site for _, alias in entries)
    return Gazetteer(tuple(sites), root, frozenset(vocabulary))


def _add(root: Node, keys: tuple[str, ...], alias: Alias) -> None:
    node = root
    for key in keys:
        node = node.after.setdefault(key, Node())
    if alias.site not in {known.site for known in node.aliases}:
        node.aliases.append(alias)


def _entries(table: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Alias]]:
    towns = tuple(table.get("towns", ()))
    authority = Site(table["name"], table["name"], _kind(table["name"]), towns)
    yield from _names(authority, table)
    for written in table["sites"]:
        site = Site(written["name"], table["name"], _kind(written["name"]), (written["town"],))
        yield from _names(site, written)


def _kind(name: str) -> str:
    keys = [word.key for word in words_of(name)]
    if keys[0] in CLASSES:
        return keys[0]
    return HOSPITAL if keys[:2] in (["centre", "hospitalier"], ["hotel", "dieu"]) else CENTRE


def _names(site: Site, written: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Alias]]:
    """Spell out every name; sure ones first, for they win over the shy ones of the same words."""
    sure = [written["name"], *written.get("aliases", ())]
    shy: list[tuple[str, ...]] = []
    for name in sure:
        keys = _keys(name)
        core = _core(keys)
        acronym = len(keys) == 1 and name.isupper()
        bare = not acronym and core == keys and site.kind != CENTRE
        yield from _variants(keys, Alias(site, "acronym" if acronym else "sure", bare=bare))
        if core != keys and core and site.kind in CLASSES | {CENTRE}:
            yield from _with_class(core, site, keys)
            shy.append(core)
    for name in written.get("hints", ()):
        yield from _variants(_keys(name), Alias(site, "hint", bare=True))
        yield from _with_class(_keys(name), site, (site.kind,))
    shy += [_keys(name) for name in written.get("shy", ())]
    for core in shy:
        yield from _variants(core, Alias(site, "shy", bare=True))


def _with_class(
    core: tuple[str, ...], site: Site, keys: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Alias]]:
    """ "Hôpital X", "X Hospital", "CH X"; "CLSC X"; "CHSLD X", "centre d'hébergement X"."""
    kind = keys[0] if keys[0] in CLASSES else keys[-1] if keys[-1] in CLASSES else site.kind
    heads: dict[str, list[tuple[str, ...]]] = {
        HOSPITAL: [(HOSPITAL,), ("centre", "hospitalier"), ("ch",)],
        CARE_HOME: [(CARE_HOME,), ("centre", "hebergement"), ("residence",), ("foyer",)],
        LOCAL_CENTRE: [(LOCAL_CENTRE,)],
        AUTHORITY: [(AUTHORITY,)],
        CENTRE: [("centre", "services"), ("centre", "multiservices")],
    }
    tails: dict[str, list[tuple[str, ...]]] = {
        HOSPITAL: [(HOSPITAL,), (HOSPITAL, "centre")],
        LOCAL_CENTRE: [(LOCAL_CENTRE,)],
        AUTHORITY: [(AUTHORITY,)],
        CARE_HOME: [(CARE_HOME,), ("residence",), ("long", "term", "care")],
        CENTRE: [("service", "centre"), ("services", "centre")],
    }
    for words in heads[kind]:
        yield from _variants((*words, *core), Alias(site, "sure"))
    for words in tails[kind]:
        yield from _variants((*core, *words), Alias(site, "sure", postposed=True))


def _keys(name: str) -> tuple[str, ...]:
    return tuple(word.key for word in words_of(name) if word.key not in LINKING)


def _core(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Take the class off a name: "Hôpital en santé mentale X" and "X Hospital" give "X"."""
    heads = (
        (HOSPITAL, "en", "sante", "mentale"), (HOSPITAL, "regional"), ("centre", "hospitalier"),
        ("centre", "services"), ("centre", "multiservices"), ("centre", "hebergement"), (HOSPITAL,),
        (LOCAL_CENTRE,), (CARE_HOME,), (AUTHORITY,),
    )  # fmt: skip
    for head in heads:
        if keys[: len(head)] == head:
            return keys[len(head) :]
    return keys[:-1] if keys and keys[-1] in CLASSES else keys


def _variants(keys: tuple[str, ...], alias: Alias) -> Iterator[tuple[tuple[str, ...], Alias]]:
    """The words as they are, without "et", and with two neighbours written as one."""
    if not keys:
        return
    yield keys, alias
    if "&" in keys:
        yield tuple(key for key in keys if key != "&"), alias
    for at in range(len(keys) - 1):
        pair = keys[at : at + 2]
        plain = not set(pair) & (CLASSES | {"&", CENTRE}) and len("".join(pair)) > 4
        if plain:
            for first in ("st", "saint", "ste") if pair[0] == "st" else (pair[0],):
                yield (*keys[:at], first + pair[1], *keys[at + 2 :]), alias
