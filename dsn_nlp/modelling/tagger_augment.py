"""Other tellings of a tagged comment: other names and numbers, other writing, names put in."""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from dsn_nlp.modelling.tagger_codes import Codes
from dsn_nlp.modelling.tagger_corpus import Sample
from dsn_nlp.modelling.tagger_names import NamePool
from dsn_nlp.prepare.deid_lexicon import lexicon, read_list
from dsn_nlp.prepare.deid_text import key
from dsn_nlp.records import Language

Span = tuple[int, int, str]
# A role that a name can stand for, or beside: "ma collègue a dit" -> "Nadia a dit".
_ROLES = {
    "fr": re.compile(
        r"\b(?P<own>ma|mon|notre|la|le|une|un|l'|cette|ce) ?"
        r"(?P<role>coll[eè]gues?|gestionnaire"
        r"|chef|cheffe|supérieure?|superviseure?|boss|infirmière|infirmier|préposée?|médecin|commis"
        r"|patiente?|pharmacienne?|formatrice|formateur|secrétaire|coordonnatrice|coordonnateur"
        r"|conseillère|stagiaire|résidente?|adjointe|technicienne?|technologue|usag[eè]re?|dame"
        r"|monsieur|inhalothérapeute|ergothérapeute|physio|nutritionniste|archiviste|directrice"
        r"|superutilisatrice|superutilisateur|assistante?|AIC|ASI|équipe)\b(?!-)",
        re.I,
    ),
    "en": re.compile(
        r"\b(?P<own>my|our|the|a|an|this|one) "
        r"(?P<role>colleague|coworker|co-worker|manager|nurse|supervisor"
        r"|boss|clerk|patient|doctor|physician|pharmacist|trainer|charge nurse|secretary"
        r"|coordinator|resident|orderly|tech|technician|technologist|super user|superuser|therapist"
        r"|dietitian|social worker|assistant|intern|student|team|director|unit clerk)\b(?!['’-])",
        re.I,
    ),
}
_BEFORE = {
    "fr": ("Merci {}! ", "{} : ", "{}, ", "Bonjour {}, ", "Selon {}, ", "{} pis moi, ", "cc {} ",
           "Demandez à {}. ", "Parlé avec {} : ", "{} dit : ", "Pour {}. "),
    "en": ("Thanks {}! ", "{}: ", "{}, ", "Hi {}, ", "Per {}, ", "{} and I agree. ", "cc {} ",
           "Ask {}. ", "Spoke with {}: ", "{} says: ", "For {}. "),
}  # fmt: skip
_AFTER = {
    "fr": (" — {}", " - {}, labo", " ({})", " Merci {}.", " Demandé à {}.", " {} le sait.",
           " C'est {} qui l'a dit.", " vu avec {}", " {} m'a aidé.", " merci {}", " dixit {}",
           " {}", " Signé {}", " {} aussi.", " On a besoin de {}.", " comme {}"),
    "en": (" — {}", " - {}, lab", " ({})", " Thanks {}.", " Asked {}.", " {} knows.",
           " It was {} who said so.", " checked with {}", " {} helped me.", " thanks {}",
           " per {}", " {}", " Signed {}", " {} too.", " We need {} back.", " just like {}"),
}  # fmt: skip


_DECOYS = (
    "{}? ", "{}. ", "{}, {}, {} : ", "{} : ", "{}! ", "{}, {} et {}. ", "« {} » ", "({}) ", "{} - ",
    "{} and {}. ", "{} vs {}? ", "{}… ", "{} {} {}. ", "{}, {}: ", '"{}" ', "{} / {}. ",
)  # fmt: skip


class Teller:
    """Tells samples anew, another way at each call."""

    def __init__(self, names: NamePool, seed: int) -> None:
        self._names, self._random = names, random.Random(seed)
        self._codes = Codes(names, seed)

    def tell(self, sample: Sample) -> Sample:
        """Give another telling of a sample."""
        chance = self._random.random
        if not sample.spans and chance() < 0.45:
            sample = self._peopled(sample)
        if chance() < (0.1 if sample.spans else 0.2):
            sample = self._decoyed(sample)
        if chance() < (0.06 if sample.spans else 0.3):
            sample = self._numbered(sample)
        sample = self._swapped(sample)
        return self._written(sample)

    def _peopled(self, sample: Sample) -> Sample:
        """Put a name into a text without identifiers."""
        roles = list(_ROLES[sample.lang].finditer(sample.text))
        if roles and self._random.random() < 0.75:
            return self._for_role(sample, self._random.choice(roles))
        name = self._name()
        if self._random.random() < 0.4:
            frame = self._random.choice(_BEFORE[sample.lang])
            start = frame.index("{}")
            rest = sample.text if self._random.random() < 0.5 else _lowered(sample.text)
            return Sample(frame.format(name) + rest, sample.lang, _person(start, name))
        frame = self._random.choice(_AFTER[sample.lang])
        start = len(sample.text) + frame.index("{}")
        return Sample(sample.text + frame.format(name), sample.lang, _person(start, name))

    def _decoyed(self, sample: Sample) -> Sample:
        """Put words that are no names where names stand: a product, a place, an odd beginning."""
        frames, kept = (_DECOYS, 0.45) if self._random.random() < 0.8 else (_AFTER[sample.lang], 0)
        drawn = [decoy(sample.lang, self._random, kept) for _ in range(3)]
        phrase = self._random.choice(frames).format(*drawn)
        if frames is not _DECOYS or self._random.random() < 0.3:
            return replace(sample, text=f"{sample.text} {phrase.strip()}")
        shift = len(phrase)
        moved = tuple((a + shift, b + shift, kind) for a, b, kind in sample.spans)
        return Sample(phrase + sample.text, sample.lang, moved)

    def _numbered(self, sample: Sample) -> Sample:
        """Add an identifier with its cue, or a number that identifies nobody."""
        if self._random.random() < 0.3:
            phrase, found = self._codes.harmless(), tuple[Span, ...]()
        else:
            phrase, start, end, kind = self._codes.announced()
            found = ((start, end, kind),)
        text, roll = sample.text, self._random.random()
        if roll < 0.35:
            joint = self._random.choice((", ", ". ", " : ", " - ", " "))
            shift = len(phrase) + len(joint)
            moved = [(a + shift, b + shift, kind) for a, b, kind in sample.spans]
            return Sample(phrase + joint + text, sample.lang, (*found, *moved))
        joint = self._random.choice((" ", ", ", " (", " : ", " - "))
        last = max((end for _, end, _ in sample.spans), default=0)
        if self._random.random() < 0.5:
            text = text[:last] + text[last:].rstrip(".")
        shift = len(text) + len(joint)
        added = [(a + shift, b + shift, kind) for a, b, kind in found]
        closed = ")" if joint == " (" else self._random.choice(("", "."))
        return Sample(text + joint + phrase + closed, sample.lang, (*sample.spans, *added))

    def _name(self) -> str:
        return self._names.like("Ab" if self._random.random() < 0.55 else "Ab Cd", "")

    def _for_role(self, sample: Sample, role: re.Match[str]) -> Sample:
        """Put a name in place of a role, or beside it."""
        text, name, roll = sample.text, self._name(), self._random.random()
        if roll < 0.55:
            start, end = role.span()
        elif roll < 0.8:
            start = end = role.end()
            text, start, end = text[:end] + " " + text[end:], end + 1, end + 1
        else:
            start, end = role.start("role"), role.end("role")
            if role.group("own").lower() not in ("ma", "mon", "notre", "my", "our"):
                start = role.start()
        changed = text[:start] + name + text[end:]
        return Sample(changed, sample.lang, _person(start, name))

    def _swapped(self, sample: Sample) -> Sample:
        """Swap names for others and digits for others."""
        text, spans, shift, known = sample.text, [], 0, {}
        for start, end, kind in sorted(sample.spans):
            begin = start + shift
            old = text[begin : end + shift]
            if old not in known:
                known[old] = self._other(old, kind, text[:begin])
            new = known[old]
            text = text[:begin] + new + text[end + shift :]
            spans.append((begin, begin + len(new), kind))
            shift += len(new) - len(old)
        return Sample(text, sample.lang, tuple(spans))

    def _other(self, old: str, kind: str, before: str) -> str:
        roll = self._random.random()
        if kind == "PERSON":
            return self._names.like(old, before) if roll < 0.65 else old
        if roll < 0.4:
            return old
        if roll < 0.65:
            return self._codes.draw(kind)
        if kind in ("AGE", "DATE_OF_BIRTH"):
            return old
        codes = kind in ("HEALTH_INSURANCE_NUMBER", "RECORD_NUMBER", "LICENCE_NUMBER")
        return "".join(self._mark(mark, codes) for mark in old)

    def _mark(self, mark: str, codes: bool) -> str:
        if mark.isdigit():
            return str(self._random.randrange(10)) if mark != "0" or codes else mark
        if codes and mark.isascii() and mark.isalpha():
            letter = chr(self._random.randrange(26) + ord("a"))
            return letter.upper() if mark.isupper() else letter
        return mark

    def _written(self, sample: Sample) -> Sample:
        """Write a whole text in small letters, in capitals, without accents or last full stop."""
        roll, text = self._random.random(), sample.text
        if roll < 0.16:
            text = _same_length(text, str.lower)
        elif roll < 0.19:
            text = _same_length(text, str.upper)
        if self._random.random() < 0.12:
            text = _same_length(text, _bare)
        spans: Sequence[Span] = sample.spans
        last = max((end for _, end, _ in spans), default=0)
        if self._random.random() < 0.2 and len(text) > last and text.endswith((".", "!")):
            text = text[:-1]
        return replace(sample, text=text)


@lru_cache(maxsize=2)
def _words(lang: Language) -> tuple[list[str], list[str]]:
    """Give what must stay, as written, and ordinary words of a language."""
    kept = [p.strip() for text in read_list("deid_keep").values() for p in re.split(r"[|\n]", text)]
    lists = lexicon()
    seen = {word for word in read_list("deid_vocabulary")[lang].split() if len(word) > 2}
    return [p for p in kept if p], sorted(w for w in seen if not lists.is_name(key(w)))


def decoy(lang: Language, drawn: random.Random, share: float) -> str:
    """Draw what is no name: a product, a place, a disease, or an ordinary word in any case.

    :param share: of what the lists of products, places and eponyms hold.
    """
    kept, words = _words(lang)
    if drawn.random() < share:
        return drawn.choice(kept)
    word, roll = drawn.choice(words), drawn.random()
    return word.capitalize() if roll < 0.7 else word.upper() if roll < 0.8 else word


def _person(start: int, name: str) -> tuple[Span, ...]:
    return ((start, start + len(name), "PERSON"),)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def _same_length(text: str, change: Callable[[str], str]) -> str:
    """Change each letter that stays one letter, so that places stay."""
    changed = (change(letter) for letter in text)
    return "".join(new if len(new) == 1 else old for old, new in zip(text, changed, strict=True))
