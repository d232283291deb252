"""Names of persons in folded text: seeds, grown to full names."""

from collections.abc import Iterable

from dsn_nlp.prepare.deid_lexicon import held, read_set
from dsn_nlp.prepare.deid_seeds import Seeds
from dsn_nlp.prepare.deid_tokens import Token

_AFTER_HYPHEN_NEVER = read_set("after_hyphen_never")
_SHORT_SURNAMES = read_set("short_surnames")
_NICK, _BYNAMES = read_set("nick_joined"), read_set("nicknames")
_MONTHS = read_set("months_names")


def find_persons(
    text: str, votes: Iterable[tuple[int, int]], lang: str = ""
) -> list[tuple[int, int, float]]:
    """Find names of persons in folded text.

    :param text: folded text.
    :param votes: stretches that spaCy calls persons; a vote alone is never enough.
    :param lang: the language of most of it; both, if not told.
    :return: start, end and score, sorted and apart.
    """
    reader = _Names(text, list(votes), lang)
    spans: list[tuple[int, int, float]] = []
    index = 0
    while index < len(reader.tokens):
        score = reader.seed(index)
        if score == 0.0:
            index += 1
            continue
        first, last = reader.grow(index)
        start, end = reader.tokens[first].start, reader.end_of(last)
        if spans and start < spans[-1][1]:
            start = spans.pop()[0]
        if spans and reader.inverted(spans[-1], first):
            start = spans.pop()[0]
        spans.append((start, end, score))
        index = last + 1
    return spans


class _Names(Seeds):
    """Extends seeds to whole names."""

    def grow(self, index: int) -> tuple[int, int]:
        """Extend a seed to the whole name, both ways."""
        last = index
        while last - index < 5 and (step := self.step_right(last)):
            last += step
        first = index
        while index - first < 4 and (step := self.step_left(first)):
            first -= step
        return first, last

    def inverted(self, before: tuple[int, int, float], first: int) -> bool:
        """Tell whether the name before is the surname of this one: "Tran, Minh Duc"."""
        token, surname = self.tokens[first], self.tokens[first - 1]
        if token.gap != ", " or (surname.start, surname.end) != before[:2]:
            return False
        pair = surname.key in self.lists.last and token.key in self.lists.first
        return pair and surname.key not in self.lists.first

    def step_right(self, last: int) -> int:
        """Count the words by which the name goes on: 0, 1, or 2 and 3 with particles."""
        for size in (1, 2, 3):
            place = last + size
            if place >= len(self.tokens) or (place in self.kept and not self.initialled(place)):
                return 0
            if self.odd_part(place) or self.continues(place, after_particle=size > 1):
                return size
            token = self.tokens[place]
            if token.key not in self.lists.particles or token.gap not in (" ", "-", "'", ". "):
                return 0
        return 0

    def initialled(self, place: int) -> bool:
        """Tell whether "Mrs A." stands before a surname that a disease or a place bears too."""
        before = self.tokens[place - 1]
        return before.shape == "I" and place > 1 and self.titled(place - 1)

    def continues(self, place: int, after_particle: bool) -> bool:
        """Tell whether the word at ``place`` belongs to the name before it."""
        token, before, lists = self.tokens[place], self.tokens[place - 1], self.lists
        if token.gap == ". " and len(before.key) == 1 and before.shape in "lI":
            large = token.shape in "TI" and self.nameable(token)
            return large if before.shape == "I" else self.small_initial(place - 1)
        if token.gap in ("-", ".-", "'", " - "):
            return self.hyphened(token, before, after_particle)
        if token.gap not in (" ", ". ") or (token.gap == ". " and before.key not in ("st", "ste")):
            return False
        if token.shape == "I":
            follows = self.text[token.end : token.end + 1]
            return before.shape == "T" and follows in (".", "", ",", " ") and token.key not in "aiy"
        if token.shape == "T":
            return (before.shape in "TI" or after_particle or before.gap == "'") and (
                self.nameable(token) or self.surname_word(token, before)
            )
        if token.shape == "U":
            return before.shape in "UT" and lists.is_name(token.key) and len(token.key) > 2
        if token.key in lists.never or (before.shape == "T" and not after_particle):
            return before.shape == "T" and self.small_after_capital(token, before)
        known = token.key in lists.last or (token.key in lists.first and before.key in lists.first)
        plain = held(token.key, lists.never, lists.after) if self.flat else self.ordinary(token)
        return known and not plain and len(token.key) > 2 - (before.key in lists.first)

    def small_after_capital(self, token: Token, before: Token) -> bool:
        """Believe a surname in small letters after a sure first name: "Maureen fitzpatrick"."""
        lists = self.lists
        first = before.key in lists.first and not held(before.key, lists.words, lists.common)
        known = token.key in lists.last or token.key in lists.wide_last
        return first and known and token.gap == " " and self.surname_only(token)

    def surname_only(self, token: Token) -> bool:
        """Tell whether no dictionary, role or deed knows a word."""
        lists = self.lists
        known = held(token.key, lists.never, lists.after, lists.before, lists.roles, lists.words)
        return not known and not lists.is_word(token.key) and token.key not in lists.particles

    def odd_part(self, place: int) -> bool:
        """Tell whether a further initial or an unknown surname stands here."""
        token, before = self.tokens[place], self.tokens[place - 1]
        if token.shape == before.shape == "I" and token.gap in (".", ".-", ". "):
            return self.text[token.end : token.end + 1] == "."
        return self.small_surname(place)

    def small_surname(self, place: int) -> bool:
        """Tell whether an unknown word stands between a first name in small letters and a deed."""
        token, before, lists = self.tokens[place], self.tokens[place - 1], self.lists
        first = before.key in lists.first and not held(before.key, lists.words, lists.common)
        odd = len(token.key) > 3 and not held(
            token.key, lists.common, lists.never, lists.dictionary
        )
        odd = odd and not held(token.key, lists.after, lists.roles, lists.titles)
        return first and odd and before.shape == "l" and token.gap == " " and self.acts(place)

    def ordinary(self, token: Token) -> bool:
        """Tell whether a word in small letters is likelier a word than a surname."""
        lists = self.lists
        if token.key in lists.common:
            return True
        return token.key not in lists.words and lists.is_word(token.key)

    def surname_word(self, token: Token, before: Token) -> bool:
        """Believe a surname that is a common word after a first name: "Rebecca Stone"."""
        if before.key in self.lists.first and held(token.key, self.lists.last, _SHORT_SURNAMES):
            return True
        if self.sure_first(before) and token.gap == " " and len(token.key) > 2:
            return not held(token.key, self.lists.never, self.lists.heads, self.lists.after)
        unusual = not held(token.key, self.lists.common, self.lists.never, self.lists.heads)
        return before.shape == "T" and unusual and len(token.key) > 3

    def hyphened(self, token: Token, before: Token, after_particle: bool) -> bool:
        if token.key in _AFTER_HYPHEN_NEVER or (token.gap == " - " and token.shape != "T"):
            return False
        if token.gap == "'" and len(token.key) > 2 and len(before.key) > 2 and token.shape == "l":
            strange = before.shape == "T" and not self.lists.is_word(before.key)
            return strange and not held(token.key, self.lists.after, self.lists.never)
        if token.gap == "'":
            return before.key in ("o", "d", "l", "n") and (
                token.shape != "l" or self.small or self.flat
            )
        if token.shape in "TUI":
            return token.gap != " - " or self.lists.is_name(token.key)
        return self.lists.is_name(token.key) or before.key in ("st", "ste", "saint", "sainte")

    def step_left(self, first: int) -> int:
        """Take an initial, a particle or an unknown first name that stands before."""
        if first == 0:
            return 0
        token, before = self.tokens[first], self.tokens[first - 1]
        if first - 1 in self.kept or (before.key in self.lists.titles and token.gap in (" ", ". ")):
            return 0
        if token.gap == "'" and before.key in ("o", "d", "l", "n", "m") and before.shape == "I":
            return 1
        if token.gap in ("-", ". ", ".-") and before.key in ("st", "ste", "saint", "sainte"):
            return 1
        initial = before.shape == "I" and token.gap in (". ", ".-", ".", "-")
        if before.shape == "l" and len(before.key) == 1 and token.gap == ". ":
            initial = self.small_initial(first - 1)
        if initial or self.byname(token, before):
            return 1
        if token.gap in ("-",) and before.shape == token.shape and self.nameable(before):
            return 1
        if token.gap == " " and before.shape == "T" and token.shape in "TI":
            return int(self.fore(first - 1))
        return 0

    def byname(self, token: Token, before: Token) -> bool:
        """Tell whether "ti-", "Big" or a first name in small letters belongs to a name."""
        if token.gap == "-" and before.key in _NICK:
            return True
        if token.gap == " " and before.key in _BYNAMES and before.shape == token.shape == "T":
            return token.key in self.lists.first and token.key not in self.lists.words
        if token.gap == " " and before.shape == "l" and token.shape == "T":
            near = before.key in self.lists.first or self.lists.resembles_name(before.key)
            known = held(before.key, self.lists.words, self.lists.common, self.lists.after)
            return near and not known and not self.lists.is_word(before.key)
        return False

    def fore(self, index: int) -> bool:
        """Tell whether a capitalised word is the first name, or a particle, of what follows."""
        token, lists = self.tokens[index], self.lists
        if token.key in lists.particles and token.key not in (
            "le",
            "la",
            "les",
            "the",
            "d",
            "l",
            "a",
        ):
            return not (token.opens and token.key in ("de", "du", "des"))
        if token.key in _MONTHS and index and self.tokens[index - 1].key in lists.roles:
            return True
        if held(token.key, lists.never, lists.before, lists.roles, lists.titles, lists.heads):
            return False
        if lists.is_name(token.key) and not (token.opens and token.key in lists.common):
            return True
        return not lists.is_word(token.key)
