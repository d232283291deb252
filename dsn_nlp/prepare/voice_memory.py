"""Who has been introduced so far in an article, for pronouns and surnames to refer to."""

import re
from dataclasses import dataclass, field

from dsn_nlp.prepare.voice_roles import (
    Role,
    fold_in_place,
    hits,
    known_person,
    names_in,
    role_of,
    words,
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who speaks, as written, and in what role; ``[start, end)`` is what is reported, if known."""

    role: Role | None
    subject: str
    start: int = 0
    end: int = 0
    closing: bool = False


_PRONOUN = re.compile(
    r"^\W*(?:" + "|".join(
        word.replace(" ", r"\s+")
        for number in ("singular", "plural")
        for word in words()["pronouns"][number]
    ) + r")\b"
)  # fmt: skip
# What follows the speaker and is not about who speaks.
_TAIL = re.compile(
    r"\s(?:au sujet|a propos|lors|en entrevue|en entretien|devant|apres|a nos confreres|"
    r"en reaction|"
    r"avant|pendant|quand|lorsque|when|in an interview|during|after|at a news|in a statement|"
    r"par voie de|dans (?:un|une|sa|son|la|le|les|nos)|sur (?:les ondes|x|facebook)|concernant|"
    r"as the|who (?:has|had|was|is)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)|en parlant|a la suite|about|"
    r"whose|dont|while|because|since|pour (?:qui|expliquer|justifier))\b"
)
# "Asked about a delay, the minister": what stands before the speaker.
_ASKED = re.compile(r"\W*(?:asked|pressed|questioned|reached|contacted)\b[^,]{0,80},\s*")
# A name with an age and no trade is somebody who was cared for, in news on health care.
_AGED = re.compile(r"\b\d\d ans\b|\b\d\d year old\b|, \d\d(?:,|$)")
_CARED_FOR = re.compile(
    r"\b(?:whose|dont)\s+(?:\w+\s+){0,3}?(?:surger\w+|operations?|appointments?|biops\w+|treatments?|"
    r"chemo\w*|scans?|hip|knee|mri|mother|father|son|daughter|husband|wife|chirurgies?|"
    r"rendez\s+vous|traitements?|examens?|biopsies?|mere|pere|fils|fille|mari|conjointe?|hanche|"
    r"genou|accouchement)\b"
)
_HEADS = ("physician", "care_staff", "expert", "patient_or_family")


@dataclass
class Memory:
    """Names with their roles, and the speaker that a pronoun would mean."""

    names: dict[str, Role] = field(default_factory=dict)
    last: Role | None = None
    here: Role | None = None
    paragraph: int = -1
    dialogue: int = -10

    def enter(self, paragraph: int) -> None:
        """Go on to a sentence; a new paragraph forgets who was speaking just now."""
        if paragraph != self.paragraph:
            self.paragraph, self.here = paragraph, None

    def speak(self, told: Attribution) -> None:
        """Remember a speaker."""
        if told.role is not None:
            self.last = self.here = told.role
            self._register(told.subject, told.role)
        elif told.subject and not _PRONOUN.match(fold_in_place(told.subject)):
            self.last = self.here = "unknown"

    def introduce(self, folded: str, cased: str) -> None:
        """Remember whom a sentence that quotes nobody speaks of."""
        named = None
        for start, end, name in names_in(cased):
            if " " not in name:
                continue
            own = _named_role(folded, start, end) or role_of(fold_in_place(name))
            if own:
                self._register(name, own)
                named = named or own
        role = self.subject(folded, cased) or named
        if role is not None and role != "unknown":
            self.last = self.here = role

    def subject(self, folded: str, cased: str) -> Role | None:
        """The role of a sentence's subject, where its first words give one."""
        head = folded[:110]
        found = hits(head)
        if found and found[0].start <= 45 and not _after_preposition(head, found[0].start):
            return role_of(_until_verb(head))
        named = [(s, e, n) for s, e, n in names_in(cased[:80]) if s < 40]
        for _, _, name in named:
            if role := self.recall(name):
                return role
        return None

    def resolve(self, folded: str, cased: str) -> Role | None:
        """The role of a subject phrase: a pronoun, a trade, an organisation or a name."""
        asked = _ASKED.match(folded)
        if asked:
            folded, cased = folded[asked.end() :], cased[asked.end() :]
        cared = _AGED.search(folded) or _CARED_FOR.search(folded)
        cut = _TAIL.search(folded)
        if cut and cut.start() > 3:
            folded, cased = folded[: cut.start()], cased[: cut.start()]
        if _PRONOUN.match(folded):
            return self.here or self.last
        head, *appositions = folded.split(",")
        known = self.recall(cased[: len(head)])
        role = role_of(head)
        if role is None and known is None:
            role = role_of(",".join(appositions[:3]))
        elif role in _HEADS and appositions:
            role = role_of(",".join([head, *appositions[:2]])) or role
        if known is not None and role in (None, "physician"):
            return known
        if role is None and any(hit.kind == "rank" for hit in hits(head)):
            role = self.here  # "la présidente du comité", of the committee just spoken of
        aged: Role | None = "patient_or_family" if cared else None
        return role or known_person(folded) or aged

    def recall(self, cased: str) -> Role | None:
        """The role of a name met before."""
        for _, _, name in names_in(cased):
            for word in reversed(re.findall(r"[\w’'‑-]+", name)):
                if role := self.names.get(fold_in_place(word)):
                    return role
        return None

    def _register(self, cased: str, role: Role) -> None:
        for parts in people_in(cased):
            self.names[fold_in_place(parts[-1])] = role
            if len(parts) > 1:
                self.names.setdefault(fold_in_place(parts[0]), role)


def people_in(cased: str) -> list[list[str]]:
    """The names of people in a phrase, by words: no articles, titles, ranks or organisations."""
    found = []
    for _, _, name in names_in(cased):
        parts = re.findall(r"[\w’'‑-]+", name)
        while parts and (parts[0] in _NOT_NAMES or parts[0].isupper() or hits(_folded(parts[:1]))):
            parts = parts[1:]
        if parts and len(parts[-1]) > 2 and not hits(_folded(parts)):
            found.append(parts)
    return found


def _folded(parts: list[str]) -> str:
    return fold_in_place(" ".join(parts))


_NOT_NAMES = frozenset(
    ("La", "Le", "Les", "L", "Un", "Une", "The", "A", "An", "Hôpital", "CLSC", "CHSLD", "Dr", "Dre",
     "Mme", "Mr", "Mrs", "Ms", "Santé", "Québec", "Quebec", "Montréal", "Montreal", "Dans", "Selon",
     "Pour", "Interrogé", "Interrogée", "But", "Mais", "Et", "And", "Health", "Liberal")
)  # fmt: skip
_VERB_START = re.compile(
    r"\s(?:a|ont|est|sont|n|ne|se|s|has|have|is|are|was|were|had|avait|avaient|etait|etaient|"
    r"can|could|does|did|knows?|still|sait|voit|vit|travaille|works?)\s"
)


def _until_verb(head: str) -> str:
    found = _VERB_START.search(head, 4)
    return head[: found.start()] if found else head


def _after_preposition(head: str, start: int) -> bool:
    before = head[:start].split()
    if before[:1] in (["pour"], ["for"], ["selon"]):  # "Pour la présidente, le problème est…"
        before = before[1:]
    return any(
        w in ("pour", "aux", "chez", "avec", "sans", "for", "with", "to", "among", "parmi", "par",
              "dans", "in", "at", "sous", "contre")
        for w in before
    )  # fmt: skip


def _named_role(folded: str, start: int, end: int) -> Role | None:
    """The role that a name's apposition, or the words just before it, give."""
    after = folded[end : end + 120]
    if after.startswith(",") and (found := hits(after[:45])) and found[0].start <= 25:
        return role_of(",".join(after.split(",")[1:3]))
    before = folded[max(start - 45, 0) : start]
    before = re.split(r"[,.;:]", before)[-1]
    close = hits(before)
    return role_of(before) if close and len(before) - close[-1].end < 25 else None
