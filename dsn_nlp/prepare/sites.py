"""Links to establishments: which hospitals, CLSC, CHSLD and authorities a text names.

The tree of names is walked once from each word, so the cost is linear. A word that is in no name
may stand for one at a small edit distance. A name that is also a street's, a market's, a town's or
a person's is linked where its neighbours say so, and else left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dsn_nlp.prepare.site_context import claimed_otherwise, speaks_of_health
from dsn_nlp.prepare.site_names import (
    ALSO,
    AUTHORITY,
    CLASSES,
    HOSPITAL,
    LINKING,
    Alias,
    Node,
    Site,
    Word,
    gazetteer,
    words_of,
)
from dsn_nlp.records import Kind

MAX_CHARACTERS = 200_000
# Nobody enumerates more establishments than that; without a bound hostile text takes square time.
LONGEST_LIST = 40
# Words of a name that may be misspelt, and letters each may be off.
_SHORTEST_FUZZY, _LONG = 5, 9
_MAX_COST = 2
_GAP = re.compile(r"[^\S\n]*\n?[^\S\n]*|[\s.'’ʼ´`\-‐‑‒–—/­]{1,4}")
_CHAIN = re.compile(
    r"(?:[\s,;/+&’'()-]|\b(?:et|and|ou|or|de|du|des|la|le|les|l|d|a|the|of|at|in|comme|celui|celle|"
    r"ceux|celles|one)\b)*"
)
# "carnet santé Québec" is an application, as is "Dossier santé Québec".
_PRODUCTS = frozenset(("carnet", "dossier", "vous"))
_DOTTED = frozenset(("st", HOSPITAL, "ch", "dr"))


@dataclass(frozen=True, slots=True)
class Mention:
    """A place of a text that names a site; ``[start, end)`` are its characters."""

    start: int
    end: int
    site: str
    authority: str


@dataclass(frozen=True, slots=True)
class _Found:
    first: int
    last: int
    aliases: tuple[Alias, ...]


def link_sites(text: str, kind: Kind = "article", near: tuple[str, ...] = ()) -> list[Mention]:
    """Find the establishments that a text names, in its order.

    :param text: the first 200,000 characters are read.
    :param kind: in a staff comment a bare "Jean-Talon" is more likely the workplace.
    :param near: official names known to be at hand, as the site of a comment's author.
    """
    words = words_of(text[:MAX_CHARACTERS])
    found = list(_walk(text, words))
    return _Resolver(text, words, found, kind, near).resolve()


def resolve_site(name: str | None) -> str | None:
    """The official name of the one site that a form's field names; ``None`` when it is unclear."""
    if not name or not name.strip():
        return None
    words = words_of(name[:500])
    found = list(_walk(name, words))
    exact = [f for f in found if f.first == 0 and f.last == len(words)]
    sites = {alias.site.name for f in exact for alias in f.aliases}
    if len(sites) == 1:
        return sites.pop()
    linked = link_sites(name, "comment")
    # A second name that is left open makes the first one doubtful.
    one = len({m.site for m in linked}) == 1 and len(linked) == len(found)
    return linked[0].site if one else None


def _walk(text: str, words: list[Word]) -> Iterator[_Found]:
    """Leftmost, longest names."""
    root, at = gazetteer().root, 0
    while at < len(words):
        best = _longest(text, words, at, root)
        if best is None:
            at += 1
            continue
        yield best
        at = best.last


def _longest(text: str, words: list[Word], first: int, root: Node) -> _Found | None:
    best: tuple[int, int, tuple[Alias, ...]] | None = None
    paths = [(root, first, 0, 0)]
    while paths:
        node, at, cost, letters = paths.pop()
        if at > first and node.aliases and not _small_word(text, words[first:at]):
            aliases = _fitting(words, first, at, node.aliases, cost, letters)
            if aliases and (best is None or (at, -cost) > best[:2]):
                best = (at, -cost, aliases)
        follow = _skip_linking(text, words, at, first)
        if follow is None:
            continue
        for key, price in _readings(words[follow].key):
            after = node.after.get(key)
            if after is not None and cost + price <= _MAX_COST:
                paths.append((after, follow + 1, cost + price, letters + len(key)))
    return _Found(first, best[0], best[2]) if best else None


def _small_word(text: str, name: list[Word]) -> bool:
    """Whether a name has "at" or "ça" in it, and not the abbreviation "AT" or "CA"."""
    return any(
        "ç" in word.written.lower()[:1]
        or (word.written == "at" and text[max(word.start - 1, 0)] not in "-‐‑–")
        for word in name
    )


def _fitting(
    words: list[Word], first: int, last: int, aliases: list[Alias], cost: int, letters: int
) -> tuple[Alias, ...]:
    """Leave out what the spelling does not bear."""
    kept = []
    for alias in aliases:
        adjoined = last - first < 2 or words[last - 2].key not in LINKING
        if alias.postposed and not adjoined:
            continue
        if alias.strength == "acronym" and (cost or not _in_capitals(words, first)):
            continue
        if cost and letters < (9 if alias.bare or last - first == 1 else 8):
            continue
        if cost > 1 and (alias.bare or letters < 11):
            continue
        kept.append(alias)
    return tuple(kept)


def _in_capitals(words: list[Word], at: int) -> bool:
    if words[at].written.isupper():
        return True
    before = words[at - 1].key if at else ""
    return before in {"au", "du", "the", "at", "le"} and words[at].written.islower()


def _skip_linking(text: str, words: list[Word], at: int, first: int) -> int | None:
    """The next word that counts, or ``None`` where a mark ends the name."""
    skipped = 0
    while at < len(words):
        if at > first and not _may_follow(text, words[at - 1], words[at]):
            return None
        if at == first or words[at].key not in LINKING:
            return at
        at, skipped = at + 1, skipped + 1
        if skipped > 3:
            return None
    return None


def _may_follow(text: str, before: Word, after: Word) -> bool:
    gap = text[before.end : after.start]
    if "." in gap and before.key not in _DOTTED and len(before.key) > 1:
        return False
    return _GAP.fullmatch(gap) is not None


@lru_cache(maxsize=50_000)
def _readings(key: str) -> tuple[tuple[str, int], ...]:
    """The words of names that a written word may stand for, with their edit distance."""
    vocabulary = gazetteer().vocabulary
    if key in vocabulary:
        return ((key, 0),)
    if key.endswith("s") and key[:-1] in vocabulary:
        return ((key[:-1], 0),)
    if len(key) < _SHORTEST_FUZZY or not key.isalpha():
        return ()
    # An ordinary word may be a slip ("hôpital Fleurie"), if all the rest is as it should be.
    ordinary = int(_is_word(key))
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = 2 if len(key) >= _LONG and not ordinary else 1
    near = process.extract(key, _spellable(), scorer=OSA.distance, score_cutoff=most, limit=4)
    same_start = [(w, int(c)) for w, c, _ in near if w[0] == key[0] or len(key) >= 8]
    return tuple((word, cost + ordinary) for word, cost in same_start)


@lru_cache(maxsize=1)
def _spellable() -> tuple[str, ...]:
    return tuple(sorted(w for w in gazetteer().vocabulary if len(w) >= _SHORTEST_FUZZY - 1))


def _is_word(key: str) -> bool:
    from dsn_nlp.prepare.deid_lexicon import lexicon

    return lexicon().is_word(key)


class _Resolver:
    """Decides which found names are links."""

    def __init__(
        self, text: str, words: list[Word], found: list[_Found], kind: Kind, near: tuple[str, ...]
    ) -> None:
        self.text, self.words, self.found, self.kind = text, words, found, kind
        self.near = set(near)
        self.chosen: dict[int, Site] = {}
        self.here: set[Site] = set()
        self.keys = {word.key for word in words}

    def resolve(self) -> list[Mention]:
        """Sure names first; then what leans on them."""
        for index, found in enumerate(self.found):
            if site := self._sure(found):
                self._choose(index, site)
        for _ in range(2):
            for index in range(len(self.found)):
                if index not in self.chosen and (site := self._leaning(index)):
                    self._choose(index, site)
        return [self._mention(i) for i in sorted(self.chosen)]

    def _choose(self, index: int, site: Site) -> None:
        self.chosen[index] = site
        self.here.add(site)

    def _mention(self, index: int) -> Mention:
        found, site = self.found[index], self.chosen[index]
        start, end = self._span(found)
        return Mention(start, end, site.name, site.authority)

    def _span(self, found: _Found) -> tuple[int, int]:
        return self.words[found.first].start, self.words[found.last - 1].end

    def _sure(self, found: _Found) -> Site | None:
        sure = [a for a in found.aliases if a.strength in ("sure", "acronym")]
        if not sure or (any(a.bare for a in sure) and self._claimed(found)):
            return None
        if self._is_product(found):
            return None
        sites = {a.site for a in sure}
        return sites.pop() if len(sites) == 1 else self._by_town(sites)

    def _is_product(self, found: _Found) -> bool:
        """Whether a word before "santé Québec" makes it the name of an application."""
        first = self.words[found.first]
        if not found.first or first.key != "sante":
            return False
        before = self.words[found.first - 1]
        apart = self.text[before.end : first.start]
        return before.key in _PRODUCTS and apart.isspace() and first.written.islower()

    def _claimed(self, found: _Found) -> bool:
        return claimed_otherwise(self.text, self.words, found.first, found.last)

    def _leaning(self, index: int) -> Site | None:
        found = self.found[index]
        sites = {a.site for a in found.aliases}
        if self._claimed(found):
            return None
        kind = self._chain(index, -1) or self._chain(index, 1)
        if kind and (chained := {s for s in sites if s.kind == kind}):
            return chained.pop() if len(chained) == 1 else self._by_town(chained)
        if kind and len(spelt := self._spelt_with(kind, found)) == 1:
            return spelt.pop()
        here = self.here & sites or {s for s in sites if s.name in self.near}
        if len(here) == 1:
            return here.pop()
        hinted = {a.site for a in found.aliases if a.strength == "hint"}
        if len(hinted) == 1 and speaks_of_health(self.text, *self._span(found), self.kind):
            return hinted.pop()
        sure = {a.site for a in found.aliases if a.strength == "sure"}
        return self._by_town(sure) if len(sure) > 1 else None

    def _by_town(self, sites: set[Site]) -> Site | None:
        """The one whose town or authority is spoken of."""
        authorities = {s.authority for s in self.here}
        names = {s.name for s in self.here}

        def towns(site: Site) -> bool:
            return any(
                {w.key for w in words_of(t) if w.key not in LINKING} <= self.keys
                for t in site.towns
            )

        for likely in (
            {s for s in sites if s.name in names | self.near},
            {s for s in sites if s.authority in authorities | self.near},
            {s for s in sites if towns(s)},
        ):
            if len(likely) == 1:
                return likely.pop()
        return None

    def _chain(self, index: int, step: int) -> str | None:
        """The class that an enumeration lends: "hôpitaux Jean-Talon et **Fleury**"."""
        at = index
        while 0 <= at + step < len(self.found) and abs(at - index) < LONGEST_LIST:
            left, right = (at + step, at) if step < 0 else (at, at + step)
            between = self.text[self._span(self.found[left])[1] : self._span(self.found[right])[0]]
            if len(between) > 40 or not _CHAIN.fullmatch(between.lower().replace("à", "a")):
                break
            at += step
            if kind := self._class_written(self.found[at]):
                return kind
        return self._class_beside(self.found[at], step)

    def _spelt_with(self, kind: str, found: _Found) -> set[Site]:
        """What the name means with the class that it is lent: "hôpital de (La Tuque)"."""
        node = gazetteer().root.after.get(kind)
        for word in self.words[found.first : found.last]:
            if node is not None and word.key not in LINKING:
                node = node.after.get(word.key)
        return {a.site for a in node.aliases if a.strength == "sure"} if node else set()

    def _class_written(self, found: _Found) -> str | None:
        keys = {w.key for w in self.words[found.first : found.last]} & CLASSES
        if not keys and any(a.strength == "acronym" for a in found.aliases):
            return None
        return keys.pop() if len(keys) == 1 else None

    def _class_beside(self, found: _Found, step: int) -> str | None:
        """ "hôpitaux de …" before, "… hospitals" after, a few small words apart."""
        at = found.first - 1 if step < 0 else found.last
        for _ in range(3):
            if not 0 <= at < len(self.words):
                return None
            key = self.words[at].key
            if key in CLASSES:
                return key if step < 0 or key in (HOSPITAL, AUTHORITY) else None
            if key not in LINKING | ALSO | {"&", "a", "at", "in"} or step > 0:
                return None
            at += step
        return None
