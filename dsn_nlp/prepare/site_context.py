"""What stands around a name: words that claim it for a street or a person, words of health care."""

import re
import tomllib
from pathlib import Path

from dsn_nlp.prepare.site_names import Word, fold_word
from dsn_nlp.records import Kind

NEARBY_CHARACTERS = 160
_WORDS = tomllib.loads(Path(__file__).with_name("site_words.toml").read_text(encoding="utf-8"))
# Just before a name, or just after it, they make it something else.
_BEFORE, _AFTER = frozenset(_WORDS["before"].split()), frozenset(_WORDS["after"].split())
_FACILITY = r"hopita(?:l|ux)|hospitals?|urgences?|emergency|clsc|chsld|ciusss|cisss"
_HEALTH = re.compile(
    rf"\b(?:{_FACILITY}|infirmi\w+|nurses?|nursing|medecins?|doctors?|physicians?|chirurg\w+|"
    r"surg\w+|patients?|soins|soignant\w*|clinicians?|dsn|dossier sante|digital health|epic|"
    r"bloc operatoire|etages?|civieres?|stretchers?|lits?|beds?|unites? de|units?|wards?|charts?|"
    r"prepose\w*|orderl\w+|quart|shift|triage|pharmac\w+|radiolog\w+|laborato\w+|cardio\w*|"
    r"pediatri\w+|psychiatr\w+|urgentologues?|clinique\w*|clinics?|icu|usi|obstetri\w+|maternite|"
    r"dialyse|dialysis|oncolog\w+|sante|health|staff|employes|ordonnances?|prescri\w+|medica\w+|"
    r"ambulanc\w+|paramedi\w+|reseau de la sante|etablissements?|er|resident\w*|pannes?|outages?|"
    r"logiciels?|software|deploi\w+|deploye\w*|rollout|crash\w*|plante\w*)\b"
)
_POSSESSIVE = frozenset(("mon", "ton", "son", "ma", "ta", "sa", "un", "my", "his", "her", "ex"))
_FRIEND = frozenset(("chum", "chums"))


def claimed_otherwise(text: str, words: list[Word], first: int, last: int) -> bool:
    """Whether the neighbours of ``words[first:last]`` make it a street, a person, a school…"""
    if first and words[first].key in _FRIEND and words[first - 1].key in _POSSESSIVE:
        return True
    if _word_before(words, first) in _BEFORE and not _ends_between(text, words, first):
        return True
    if last < len(words):
        gap = text[words[last - 1].end : words[last].start]
        if gap.strip(" -‑’'") == "" and fold_word(words[last].written) in _AFTER:
            return True
    return _named_like_a_person(text, words, first, last)


def speaks_of_health(text: str, start: int, end: int, kind: Kind) -> bool:
    """Whether words of health care stand near ``text[start:end]``."""
    if kind == "comment" and len(text) < 2 * NEARBY_CHARACTERS and _placed(text, start):
        return True
    around = text[max(start - NEARBY_CHARACTERS, 0) : start] + " … "
    around += text[end : end + NEARBY_CHARACTERS]
    return _HEALTH.search(" ".join(map(fold_word, around.split()))) is not None


def _placed(text: str, start: int) -> bool:
    before = text[max(start - 12, 0) : start].lower()
    return (
        start == 0 or re.search(r"(?:\b(?:à|a|at|de|from|chez|ici)\s+|d['’])$", before) is not None
    )


def _word_before(words: list[Word], first: int) -> str:
    at = first - 1
    while (
        at >= 0 and first - at <= 3 and words[at].key in ("de", "du", "la", "l", "d", "le", "des")
    ):
        at -= 1
    return fold_word(words[at].written) if at >= 0 else ""


def _ends_between(text: str, words: list[Word], first: int) -> bool:
    before = words[first - 1]
    gap = text[before.end : words[first].start]
    return any(mark in gap for mark in "!?;:\n") or ("." in gap and len(before.key) > 4)


def _named_like_a_person(text: str, words: list[Word], first: int, last: int) -> bool:
    """ "Julie Fleury", "Fleury Martin": a capitalised neighbour with only a space between."""
    from dsn_nlp.prepare.deid_lexicon import lexicon

    if not words[first].written[:1].isupper():
        return False
    if first:
        before = words[first - 1]
        apart = text[before.end : words[first].start]
        given = before.key in lexicon().first or (len(before.written) == 1 and "." in apart)
        if given and apart in (" ", "\u00a0", ". ", "-") and before.written[:1].isupper():
            return True
    return False
