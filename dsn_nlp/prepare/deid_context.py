"""What stands around a word of a comment: neighbours, titles, calls, deeds, signatures."""

from bisect import bisect_right

from dsn_nlp.prepare.deid_lexicon import Lexicon, held, lexicon, read_set
from dsn_nlp.prepare.deid_text import shouted
from dsn_nlp.prepare.deid_tokens import Token, protected, tokens_of

_SIGNS = ("- ", "-", "— ", "– ", "-- ")
_WEAK = read_set("weak")
_LETTERS_NAMES = read_set("letters_names")
_INITIAL_STOP = read_set("initial_stop")
_DEPARTMENTS = read_set("departments")
_LINKERS = frozenset({"de", "d", "to", "of"})
_LOOSE = frozenset(
    {"par", "pour", "et", "for", "by", "and", "from", "see", "voir", "per", "contact"}
)
_BEING = frozenset({"est", "etait", "is", "was"})
_COMPANY = frozenset({"avec", "with", "selon", "chez", "dixit"})
_AND = frozenset({"et", "and", "pi", "pis", "puis", "ou", "or"})


class Context:
    """One text while names are read from it."""

    def __init__(self, text: str, votes: list[tuple[int, int]], lang: str = "") -> None:
        self.text = text
        self.lang = lang
        self.lists: Lexicon = lexicon(lang)
        self.tokens: list[Token] = tokens_of(text)
        self.kept = protected(self.tokens, text)
        self.votes = sorted(votes)
        self.flat = shouted(text)
        self.small = not any(token.shape in "TI" for token in self.tokens)

    def __repr__(self) -> str:
        return f"Context({len(self.text)} characters)"

    def near(self, index: int, joints: tuple[str, ...] = (" ",)) -> Token | None:
        """Give the word at ``index`` if it exists and one of ``joints`` precedes it."""
        if 0 <= index < len(self.tokens) and self.tokens[index].gap in joints:
            return self.tokens[index]
        return None

    def left(self, index: int) -> Token | None:
        """Give the word before, if only a space, a dot, a comma or an apostrophe lies between."""
        gap = self.tokens[index].gap.strip()
        return self.tokens[index - 1] if index and gap in ("", ".", ",", ":", "(", "'") else None

    def titled(self, index: int) -> bool:
        """Tell whether a title stands before: "Dr", "Mme", "M."."""
        before = self.tokens[index - 1] if index else None
        if before is None or before.key not in self.lists.titles:
            return False
        gap = self.tokens[index].gap
        if gap[:1] == "." and len(before.key) > 4:
            return False
        if before.key in ("m", "mm", "mr", "mx", "pr") and before.shape == "l" and not self.flat:
            return gap == ". " or (before.key in ("mr", "mx") and gap in (" ", ". "))
        if before.key == "m" and gap != ". " and self.flat:
            return False
        return gap in (" ", ". ", "  ", ".")

    def called(self, index: int) -> bool:
        """Tell whether a role or a calling word stands before: "ma collègue", "avec", "merci"."""
        token, before = self.tokens[index], self.left(index)
        if before is None:
            return self.signs(index)
        gap = token.gap.strip()
        if before.key in self.lists.roles:
            return gap in ("", ",", "(", ":")
        if before.key in self.linkers() and index > 1 and gap in ("", "'"):
            return held(self.tokens[index - 2].key, self.lists.before, self.lists.roles)
        return before.key in self.lists.before and (gap in ("", ",", ":") or before.key == "cc")

    def linkers(self) -> frozenset[str]:
        """Give the small words that may stand between a calling word and a name."""
        return _LINKERS if self.lang == "en" else _LINKERS | {"a"}

    def expected(self, index: int) -> bool:
        """Tell whether what stands before can only be followed by a person: "demandé à", "with"."""
        before = self.left(index)
        if before is None or self.tokens[index].gap.strip():
            return False
        if before.key == "a" and index > 1:
            return self.tokens[index - 2].key in self.lists.before
        return (
            held(before.key, self.lists.before_strong, _COMPANY) or before.key in self.lists.roles
        )

    def in_company(self, index: int) -> bool:
        """Tell whether "avec", "with", "demander à" or "ask" stands right before."""
        before = self.left(index)
        if before is None or self.tokens[index].gap != " ":
            return False
        if before.key in ("a", "to") and index > 1:
            told = self.tokens[index - 2].key in self.lists.before - _LOOSE
            return told and (before.key == "to" or self.lang != "en")
        return held(before.key, self.lists.before_strong, _COMPANY)

    def signs(self, index: int) -> bool:
        """Tell whether a word opens a signature line: "— Caroline"."""
        token = self.tokens[index]
        line = token.gap.rsplit("\n", 1)[-1]
        alone = "\n" not in self.text[token.start :].strip() and len(self.text) - token.start < 45
        return (
            alone
            and line.lstrip() in _SIGNS
            and (index == 0 or "\n" in token.gap or "." in token.gap)
        )

    def acts(self, index: int) -> bool:
        """Tell whether what follows is what a person does: "a dit", "'s", "said"."""
        if index + 1 >= len(self.tokens):
            return False
        after = self.tokens[index + 1]
        if after.key == self.tokens[index].key and after.shape == "l" and after.gap == " ":
            return not self.flat
        if self.tokens[index].key in self.lists.common and after.key in _WEAK:
            return after.key in _BEING and self.holds_office(index + 1)
        return after.gap in (" ", "'") and after.key in self.lists.after and after.shape == "l"

    def holds_office(self, index: int) -> bool:
        """Tell whether a trade follows: "est super-utilisatrice", "is a nurse"."""
        after = [self.near(index + step, (" ", "-")) for step in (1, 2, 3)]
        return any(token is not None and token.key in self.lists.roles for token in after)

    def posted(self, index: int) -> bool:
        """Tell whether a place of work follows: "de la pharmacie", "from the lab"."""
        after = [self.near(index + step, (" ", "'")) for step in (1, 2, 3)]
        if after[0] is None or after[0].key not in ("de", "du", "from", "in"):
            return False
        return any(token is not None and token.key in _DEPARTMENTS for token in after[1:])

    def joined(self, index: int) -> bool:
        """Tell whether a sure name and "and" or a comma stand before: "Olivier, Ann et Meg"."""
        if (
            index > 2
            and self.tokens[index - 1].key in ("a", "to")
            and self.tokens[index].gap == " "
        ):
            index -= 1
        if index < 1:
            return False
        linked = self.tokens[index - 1].key in _AND and index > 1
        gap, other = self.tokens[index].gap, index - 1 - linked
        if linked:
            gap = self.tokens[index - 1].gap if gap == " " else "?"
        if gap.endswith("), ") or (linked and gap == ") "):
            opened = self.text.rfind("(", 0, self.tokens[other].end)
            while other > 0 and self.tokens[other].start > opened:
                other -= 1
            gap = ", "
        sure = self.sure_first(self.tokens[other])
        return sure and (gap == ", " or (linked and gap in (" ", ", ")))

    def sure_first(self, token: Token) -> bool:
        """Tell whether a word is a first name and nothing else."""
        name = token.key
        return name in self.lists.first and not held(name, self.lists.words, self.lists.common)

    def two_initials(self, index: int) -> bool:
        """Believe "S.B." and "J.-F." that are no known abbreviation where a person is expected."""
        token, after = self.tokens[index], self.tokens[index + 1]
        further = self.near(index + 2, (".", ". ", ".-"))
        dotted = self.text[after.end : after.end + 1] == "."
        if not dotted or token.key + after.key in _INITIAL_STOP:
            return False
        if further is not None and further.shape == "I" and after.gap != ".-":
            return False
        follows = self.tokens[index + 2] if index + 2 < len(self.tokens) else None
        acts = follows is not None and follows.gap == ". " and follows.key in self.lists.after
        bracketed = token.gap.endswith("(") and self.text[after.end + 1 : after.end + 2] == ")"
        joined = after.gap == ".-" and token.key == "j"
        if further is None and token.gap != "." and len(token.key + after.key) == 2:
            return not self.flat
        return acts or bracketed or joined or self.called(index)

    def letters_name(self, index: int) -> bool:
        """Believe "JP" and the like beside a person or before a deed."""
        return self.tokens[index].key in _LETTERS_NAMES and (
            self.called(index) or self.acts(index) or self.joined(index) or self.pair(index)
        )

    def pair(self, index: int) -> bool:
        """Tell whether "et Luc", "and Tom" or a surname follows."""
        after = self.near(index + 1)
        if after is None:
            return False
        if after.key in ("et", "and", "pis") and index + 2 < len(self.tokens):
            other = self.tokens[index + 2]
            return other.shape == "T" and self.lists.is_name(other.key)
        return False

    def voted(self, index: int) -> bool:
        """Tell whether spaCy calls this word a person."""
        token = self.tokens[index]
        # Votes lie apart, so that only the last one to begin by then can hold the word.
        last = bisect_right(self.votes, (token.start, len(self.text)))
        return last > 0 and token.end <= self.votes[last - 1][1]

    def end_of(self, index: int) -> int:
        """Give the end of a name's last word, with the dot of an initial."""
        end = self.tokens[index].end
        initial = len(self.tokens[index].key) == 1
        return end + 1 if initial and self.text[end : end + 1] == "." else end
