"""From the words of an attribution to the role of who speaks; the words are in ``voices.toml``."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

Role = Literal[
    "care_staff",
    "physician",
    "union",
    "professional_order",
    "patient_or_family",
    "management",
    "ministry",
    "opposition",
    "expert",
    "unknown",
]
ROLES: tuple[Role, ...] = get_args(Role)
# What outranks a trade: "infirmière et présidente du syndicat" speaks for the union.
_OUTRANKS = frozenset(("union", "professional_order", "opposition", "ministry", "management",
                       "patient_or_family", "expert"))  # fmt: skip
# "Le Dr Roy, du Collège des médecins" speaks for the Collège; "…, du CHUM" does not.
_SPEAKING = frozenset(("union", "professional_order", "opposition", "ministry"))
_DOCTOR = re.compile(r"\b(?:dre?s?|docteure?s?|doctors?)\b\.?\s+(?:\w\.\s*)?(?=[a-z])")
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w’'‑-]*\.?(?:\s+(?:(?:de|du|la|le|van|von|El|Al|Ben)\s+)?"
    r"[A-ZÀ-ÖØ-Þ][\w’'‑-]+\.?){0,5}"
)
_FORMER = re.compile(r"\b(?:ex|ancien(?:ne)?s?|former)\s+$")


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of the lexicon at ``[start, end)`` of a segment; a rank has no role of its own."""

    start: int
    end: int
    kind: Literal["person", "rank", "organisation"]
    role: str | None


_KINDS: dict[str, Literal["person", "organisation"]] = {
    "person": "person",
    "organisation": "organisation",
}


def fold_in_place(text: str) -> str:
    """Fold accents, case, hyphens and apostrophes without moving any character."""
    return "".join(_fold_character(c) for c in text)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in "-‐‑'’ʼ\u00a0\u202f\u2009":
        return " "
    base = unicodedata.normalize("NFD", character)[0].lower()
    return base if len(base) == 1 else character


@lru_cache(maxsize=1)
def words() -> dict[str, dict[str, list[str]]]:
    """The lexicon as it is written."""
    path = Path(__file__).with_name("voices.toml")
    tables: dict[str, dict[str, list[str]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return tables


def alternation(patterns: Iterable[str]) -> str:
    """Join patterns, the longest first; their spaces match any run of white space."""
    spelt = sorted(patterns, key=len, reverse=True)
    return "|".join(p.replace(" ", r"\s+").replace("oe", "(?:oe|œ)") for p in spelt)


@lru_cache(maxsize=1)
def _lexicon() -> tuple[tuple[str, str | None, re.Pattern[str]], ...]:
    tables: list[tuple[str, str | None, re.Pattern[str]]] = []
    for kind in ("person", "rank", "organisation"):
        for role, patterns in words()[kind].items():
            compiled = re.compile(rf"\b(?:{alternation(patterns)})\b")
            tables.append((kind, None if role == "none" else role, compiled))
    return tuple(tables)


def hits(segment: str) -> list[Hit]:
    """Find the lexicon's words in a folded segment: leftmost, then longest, without overlap."""
    found: list[Hit] = []
    for kind, role, pattern in _lexicon():
        for match in pattern.finditer(segment):
            if _FORMER.search(segment, 0, match.start()):
                continue
            ranked = kind == "person" and _MANAGERS.match(match[0])
            found.append(
                Hit(match.start(), match.end(), "rank", None)
                if ranked or kind == "rank"
                else Hit(match.start(), match.end(), _KINDS[kind], role)
            )
    # At one place the longest says most; a rank with a default role of its own comes as both.
    found.sort(key=lambda h: (h.start, -h.end, h.kind != "rank"))
    kept: list[Hit] = []
    for hit in found:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def role_of(segment: str) -> Role | None:
    """Tell the role that a folded noun phrase with its appositions gives, if it gives any."""
    found = _placed(segment, hits(segment))
    doctor = _DOCTOR.search(segment)
    role = _first_role(segment, found)
    if doctor and (not found or doctor.start() <= found[0].start):
        return _outranking(segment, found, doctor.end()) or "physician"
    if role in ("physician", "care_staff", "expert", "patient_or_family") and found:
        return _outranking(segment, found, found[0].end) or role
    return role


def _placed(segment: str, found: list[Hit]) -> list[Hit]:
    """A bare "Québec" speaks only as the subject; elsewhere it is a place."""
    loose = {"quebec", "urgence", "department", "departement", "province", "etat", "solidaires"}
    kept = []
    for hit in found:
        word = segment[hit.start : hit.end]
        at_start = len(segment[: hit.start].split()) <= 1
        alone = re.match(r"\s*(?:,|$)", segment[hit.end :]) is not None
        if word not in loose or (at_start and (alone or word != "quebec")):
            kept.append(hit)
    return kept


def _first_role(segment: str, found: list[Hit]) -> Role | None:
    spoken_for = False
    for index, hit in enumerate(found):
        if hit.kind != "rank":
            return _known(hit.role)
        stop = segment.find(",", hit.end)
        stop = len(segment) if stop < 0 else stop
        bodies = [h for h in found[index + 1 :] if h.start < stop and h.kind == "organisation"]
        own = _default(segment[hit.start : hit.end])
        for body in bodies:
            if own is None or body.role in _OUTRANKS - {"management"}:
                return _known(body.role)
        if own:
            return own
        spoken_for = spoken_for or _SPOKES.match(segment, hit.start) is not None
    # Whoever speaks for nobody named speaks for the establishment.
    return "management" if spoken_for else None


def _outranking(segment: str, found: list[Hit], after: int) -> Role | None:
    """An apposition or an "et …" that leads with a rank and names what it is a rank of."""
    for index, hit in enumerate(found):
        if hit.start < after:
            continue
        lead = segment[after : hit.start]
        if hit.kind == "organisation":
            if hit.role in _SPEAKING and re.search(
                r",\s*(?:de|du|of|from|with)\b[^,]{0,12}$", lead
            ):
                return _known(hit.role)
            continue
        joined = re.search(r",|\b(?:et|and|est|is|devenue?)\b", lead)
        if not joined or len(lead) - joined.end() > 25:
            continue
        if hit.kind == "rank":
            role = _first_role(segment, found[index:])
            return role if role in _OUTRANKS else None
        if hit.role in ("union", "opposition", "ministry"):
            return _known(hit.role)
    return None


_SPOKES = re.compile(r"(?:porte\s+parole|spokes|relationniste)")
_MANAGERS = re.compile(r"(?:direct|pdg|ceo|dirigeant|coordonnat|executive)")
_MEMBERS = re.compile(r"(?:deput|mna)")


def _default(rank: str) -> Role | None:
    if _MANAGERS.match(rank):
        return "management"
    if _MEMBERS.match(rank):
        return "opposition"
    return "expert" if re.match(r"(?:avocat|lawyer|commissa|commissioner)", rank) else None


def _known(role: str | None) -> Role | None:
    if role == "journalist":
        return "unknown"
    return next((known for known in ROLES if known == role), None)


def names_in(segment: str) -> list[tuple[int, int, str]]:
    """Find capitalised names: their places and the words as written."""
    return [(m.start(), m.end(), m[0]) for m in _NAME.finditer(segment)]


@lru_cache(maxsize=1)
def _people() -> dict[str, Role]:
    named = words()["people"]
    return {name: role for role in ROLES for name in named.get(role, ())}


def known_person(segment: str) -> Role | None:
    """The role of a public figure that a folded segment names in full, or by title and surname."""
    spaced = " ".join(re.findall(r"\w+", segment))
    for name, role in _people().items():
        titled = re.search(rf"\b(?:m|mme|mr|ms|mrs|dr|dre) {name.split()[-1]}\b", spaced)
        if name in spaced or titled:
            return role
    return None
