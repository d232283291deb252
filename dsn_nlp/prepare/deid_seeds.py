"""Which words of a comment start a name of a person: lists, titles, context and votes."""

from dsn_nlp.prepare.deid_context import Context
from dsn_nlp.prepare.deid_lexicon import held, read_set
from dsn_nlp.prepare.deid_tokens import Token

SURE, LIKELY, VOTED = 0.9, 0.75, 0.6
_PLACING = read_set("placing")
_FEASTS, _OWNERS = frozenset({"noel"}), read_set("owners")
_AND = frozenset({"et", "and", "pi", "pis"})
_THINGS, _NICK = read_set("things"), read_set("nick_joined")


class Seeds(Context):
    """Scores each word by the belief that a name starts there."""

    def seed(self, index: int) -> float:
        """Score the belief that a name starts at or about this word; 0 is disbelief."""
        token = self.tokens[index]
        if index in self.kept or any(mark.isdigit() or mark in "@_/\\#" for mark in token.gap[-1:]):
            return 0.0
        if self.text[token.end : token.end + 1] in tuple("0123456789_@/\\") and token.end < len(
            self.text
        ):
            return 0.0
        if self.titled(index):
            return SURE if self.after_title(index) else 0.0
        if token.key in self.lists.never or token.shape == "I" or len(token.key) < 2:
            return self.named_initial(index)
        if self.by_letters_or_nick(index):
            return LIKELY
        if self.lists.is_name(token.key):
            return self.listed(index)
        return LIKELY if self.strange_partner(index) else self.unlisted(index)

    def by_letters_or_nick(self, index: int) -> bool:
        """Tell whether this is "JP", or the name in "Ti-Guy"."""
        token = self.tokens[index]
        nick = token.gap == "-" and index > 0 and self.tokens[index - 1].key in _NICK
        letters = token.shape == "U" and self.letters_name(index)
        return letters or (nick and token.key in self.lists.first)

    def strange_partner(self, index: int) -> bool:
        """Believe an unknown word between "a name and" and a deed: "olivier pi meg ont fait"."""
        word, lists = self.tokens[index].key, self.lists
        known = word in lists.after or lists.is_word(word)
        if known or not self.joined(index):
            return False
        capital = self.tokens[index].shape == "T" and not held(word, lists.heads, lists.titles)
        return capital or self.acts(index)

    def after_title(self, index: int) -> bool:
        """Believe nearly any capitalised word, an initial, or an unknown word after a title."""
        token, lists = self.tokens[index], self.lists
        if token.key in lists.titles or (token.key in lists.roles and token.shape != "T"):
            return False
        if token.shape == "I" or (len(token.key) == 1 and token.shape == "l"):
            dotted = self.text[token.end : token.end + 1] == "."
            particle = self.text[token.end : token.end + 1] == "'" and token.key in "od"
            return (
                particle
                or (token.shape == "I" and (dotted or token.key not in "a"))
                or (dotted and token.key not in "ay")
            )
        if token.shape in "TU":
            return not held(token.key, lists.never, lists.roles) or (
                token.shape == "T" and token.key in lists.last
            )
        if token.key in lists.never:
            return False
        if token.key in lists.particles and not held(token.key, lists.common, lists.never):
            return True
        known = lists.is_name(token.key) and not (
            token.key in lists.common and token.key not in lists.words
        )
        return known or not lists.is_word(token.key)

    def named_initial(self, index: int) -> float:
        """Believe "J.-F." before a capitalised name and "Jean R." by their neighbour only."""
        token = self.tokens[index]
        if token.shape == "l" and len(token.key) == 1 and self.small_initial(index):
            return LIKELY
        if token.shape != "I" or token.key == "m" or self.text[token.end : token.end + 1] != ".":
            return 0.0
        after = self.near(index + 1, (". ", ".", ".-"))
        if after is not None and after.shape == "I":
            return LIKELY if self.two_initials(index) else self.named_initial(index + 1)
        known = after is not None and after.shape == "T" and index + 1 not in self.kept
        return LIKELY if known and after is not None and self.nameable(after) else 0.0

    def small_initial(self, index: int) -> bool:
        """Believe "d. macleod" where a surname and nothing else follows the initial."""
        after, lists = self.near(index + 1, (". ", ".")), self.lists
        if after is None or after.key in lists.never or len(after.key) < 4 or after.shape != "l":
            return False
        surname = after.key in lists.last or after.key in lists.wide_last
        return surname and not lists.is_word(after.key) and after.key not in lists.words

    def nameable(self, token: Token) -> bool:
        """Tell whether a word could be part of a name at all."""
        if token.key in self.lists.never:
            return False
        return self.lists.is_name(token.key) or not self.lists.is_word(token.key)

    def listed(self, index: int) -> float:
        """Judge a word that is in the lists of names."""
        token, lists = self.tokens[index], self.lists
        doubtful = token.key in lists.words or (
            token.key in lists.more and lists.is_word(token.key)
        )
        if token.shape == "U" and not self.flat:
            return LIKELY if self.believed_capitals(index, doubtful) else 0.0
        if self.beside_name(index):
            return SURE
        if token.shape == "T":
            return self.capitalised(index, doubtful)
        return self.small_letters(index, doubtful)

    def believed_capitals(self, index: int, doubtful: bool) -> bool:
        """Judge a listed name in capitals amid small letters: no acronym, or well announced."""
        token = self.tokens[index]
        if self.beside_name(index) or self.called(index):
            return token.key not in self.lists.common or len(token.key) > 3
        return not doubtful and len(token.key) > 3 and not self.lists.is_word(token.key)

    def capitalised(self, index: int, doubtful: bool) -> float:
        """Judge a listed name with a capital; at a sentence's start the capital tells nothing."""
        token, lists = self.tokens[index], self.lists
        common = token.key in lists.common
        after = self.near(index + 1, ("'",))
        if (
            self.names_things(index)
            or (after is not None and after.key == "t")
            or (token.key in _FEASTS and not self.acts(index))
        ):
            return 0.0
        if token.opens and self.title_row(index):
            return LIKELY
        if token.opens:
            if not doubtful and not common:
                return SURE
            told = self.acts(index) or (self.posted(index) and not common)
            return LIKELY if told or self.vocative(index) or self.pair(index) else 0.0
        if doubtful and token.key in lists.common and token.key not in lists.first:
            return LIKELY if self.called(index) or self.acts(index) else 0.0
        return SURE if not doubtful else LIKELY

    def names_things(self, index: int) -> bool:
        """Tell whether a word opens a list of things: "Jade, rubis, topaze"."""
        token, after = self.tokens[index], self.near(index + 1, (", ",))
        if (
            not token.opens
            or after is None
            or after.shape != "l"
            or not self.near(index + 2, (", ",))
        ):
            return False
        return self.lists.is_word(token.key) and self.lists.is_word(after.key)

    def title_row(self, index: int) -> bool:
        """Tell whether three capitalised words stand in a row, two of them names: "Li Na Zhang"."""
        row = [self.near(index + step) for step in (1, 2)]
        return all(
            token is not None and token.shape == "T" and self.nameable(token) for token in row
        ) and any(token is not None and self.lists.is_name(token.key) for token in row)

    def vocative(self, index: int) -> bool:
        """Tell whether a name stands alone before a comma, a bracket or the end."""
        token = self.tokens[index]
        if self.signs(index):
            return True
        rest = self.text[token.end : token.end + 2]
        sure = token.key in self.lists.first and token.key not in self.lists.common
        return (rest[:1] in (",", ")") or rest == "" or self.called(index)) and (
            sure or self.called(index)
        )

    def beside_name(self, index: int) -> bool:
        """Tell whether a surname follows a first name here, or this closes such a pair."""
        token, after = self.tokens[index], self.near(index + 1, (" ", "-", " - "))
        if after is None or after.key in self.lists.never or index + 1 in self.kept:
            return False
        if token.shape not in (after.shape, "l"):
            return False
        sure = self.lists.is_name(after.key) and after.key not in self.lists.common
        if token.shape == "l":
            first = token.key in self.lists.first and token.key not in self.lists.common
            doubtful = token.key in self.lists.words and after.key in self.lists.words
            return (
                first
                and sure
                and after.key in self.lists.last
                and not doubtful
                and not self.lists.is_word(after.key)
            )
        return token.key in self.lists.first and (
            sure or (after.shape == "T" and self.nameable(after))
        )

    def small_letters(self, index: int, doubtful: bool) -> float:
        """Judge a listed name in small letters, or in a text all in capitals."""
        token, lists = self.tokens[index], self.lists
        believed = token.key not in lists.common and len(token.key) > 2
        if not believed and token.key not in lists.words:
            return 0.0
        sure = token.key in lists.first or not lists.is_word(token.key)
        if not doubtful and sure and token.key not in lists.more:
            return LIKELY
        if token.opens and believed and token.key in lists.last and self.acts(index):
            return LIKELY
        first = token.key in lists.first - lists.more and token.key not in _THINGS
        if first and self.posted(index) and self.starts(index):
            return LIKELY
        if first and self.joined(index) and (not lists.is_word(token.key) or self.separate(index)):
            return LIKELY
        return LIKELY if self.word_as_name(index, believed) else 0.0

    def separate(self, index: int) -> bool:
        """Tell whether a word stands alone in a list: before a comma, a bracket, "and", the end."""
        token, after = self.tokens[index], self.near(index + 1)
        rest = self.text[token.end : token.end + 2]
        return (
            rest[:1] in (",", ".", ")")
            or rest in ("", " (")
            or (after is not None and after.key in _AND)
        )

    def starts(self, index: int) -> bool:
        """Tell whether a word opens a sentence, or follows "and"."""
        before = self.left(index)
        return self.tokens[index].opens or (before is not None and before.key in _AND)

    def word_as_name(self, index: int, believed: bool) -> bool:
        """Believe a first name that is also a word, in small letters, by what stands before."""
        token, lists, before = self.tokens[index], self.lists, self.left(index)
        if before is None or token.key not in lists.first - lists.more or token.key in _THINGS:
            return False
        free = not held(before.key, _PLACING, _OWNERS)
        if token.gap == " " and (
            (free and believed and self.acts(index))
            or before.key in lists.before_strong
            or (before.key == "a" and self.lang != "en" and self.called(index))
        ):
            return True
        role = before.key in lists.roles and token.gap == " " and not lists.common & {token.key}
        owned = before.key in lists.roles and index > 1 and self.tokens[index - 2].key in _OWNERS
        beside = before.key in ("avec", "with") and token.key not in lists.common
        return role or (owned and token.gap == " ") or beside

    def unlisted(self, index: int) -> float:
        """Judge a word that no list holds: context, spelling and spaCy must agree."""
        token, lists = self.tokens[index], self.lists
        if token.shape != "T" and not (token.shape == "l" and self.called(index)):
            return 0.0
        plain = token.key in lists.common or token.key in lists.dictionary
        if (plain if self.role_before(index) else lists.is_word(token.key)) or held(
            token.key, lists.titles, lists.roles, lists.heads
        ):
            return 0.0
        if token.shape == "l":
            return LIKELY if self.small_stranger(index) else 0.0
        if token.opens and token.key.endswith(("ez", "ons", "ent")):
            return 0.0
        before = self.left(index)
        placed = before is not None and token.gap in (" ", "'") and before.key in _PLACING
        if self.called(index) and not (placed and not lists.resembles_name(token.key)):
            return LIKELY
        if placed:
            return VOTED if self.owned_by(index) else 0.0
        similar, voted = (
            lists.resembles_name(token.key) or lists.is_wide(token.key),
            self.voted(index),
        )
        after = self.near(index + 1, (" ", "-"))
        followed = (
            after is not None
            and after.shape == "T"
            and after.key in lists.last
            and index + 1 not in self.kept
        )
        if token.opens:
            return (
                VOTED
                if (voted or similar or followed) and (self.acts(index) or followed or similar)
                else 0.0
            )
        return (
            VOTED if voted or similar or followed or self.acts(index) or self.posted(index) else 0.0
        )

    def small_stranger(self, index: int) -> bool:
        """Believe a word in small letters, unknown as a word, where a person is expected."""
        token, lists = self.tokens[index], self.lists
        if lists.is_wide(token.key) or token.key in lists.more:
            return self.expected(index) or self.acts_or_ends(index)
        if lists.resembles_name(token.key) and self.acts_or_ends(index):
            return True
        return self.in_company(index) and len(token.key) > 3 and not lists.resembles_word(token.key)

    def role_before(self, index: int) -> bool:
        """Tell whether "nurse", "patient", "collègue" stands right before a capitalised word."""
        before = self.left(index)
        token = self.tokens[index]
        return before is not None and before.key in self.lists.roles and token.shape == "T"

    def owned_by(self, index: int) -> bool:
        """Tell whether a first name of the wide lists follows "de" or "of", as places seldom do."""
        token, before = self.tokens[index], self.left(index)
        of = before is not None and before.key in ("de", "d", "of", "from")
        return of and token.key in self.lists.wide_first

    def acts_or_ends(self, index: int) -> bool:
        """Tell whether a deed follows, or the clause ends."""
        token = self.tokens[index]
        return self.acts(index) or self.text[token.end : token.end + 1] in ("", ".", ",", "!", "?")
