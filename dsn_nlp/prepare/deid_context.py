"""What stands around a word of a comment: neighbours, titles, calls, deeds, signatures."""

from dsn_nlp.prepare.deid_lexicon import Lexicon, lexicon, read_set
from dsn_nlp.prepare.deid_text import shouted
from dsn_nlp.prepare.deid_tokens import Token, protected, tokens_of

_SIGNS = ("- ", "-", "— ", "– ", "-- ")
_WEAK = read_set("weak")


class Context:
    """One text while names are read from it."""

    def __init__(self, text: str, votes: list[tuple[int, int]]) -> None:
        self.text = text
        self.lists: Lexicon = lexicon()
        self.tokens: list[Token] = tokens_of(text)
        self.kept = protected(self.tokens, text)
        self.votes = votes
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
        if before.key in ("a", "de", "d", "to", "of") and index > 1 and gap in ("", "'"):
            return self.tokens[index - 2].key in self.lists.before | self.lists.roles
        return before.key in self.lists.before and (gap in ("", ",", ":") or before.key == "cc")

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
        if self.tokens[index].key in self.lists.common and after.key in _WEAK:
            return False
        return after.gap in (" ", "'") and after.key in self.lists.after and after.shape == "l"

    def voted(self, index: int) -> bool:
        """Tell whether spaCy calls this word a person."""
        token = self.tokens[index]
        return any(start <= token.start and token.end <= end for start, end in self.votes)

    def end_of(self, index: int) -> int:
        """Give the end of a name's last word, with the dot of an initial."""
        end = self.tokens[index].end
        initial = len(self.tokens[index].key) == 1
        return end + 1 if initial and self.text[end : end + 1] == "." else end
