"""Whether an article is about Québec's Dossier santé numérique, and not another "DSN".

Patterns are data, linear, and matched on text without accents, case or typographic marks.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

THRESHOLD = 0.5
MAX_CHARACTERS = 50_000
NEARBY_CHARACTERS = 400
MAX_ACRONYMS = 200

# The record by its full name in French.
FULL_NAMES = (r"dossiers? (de )?sante numeriques?",)
# These are also the names of other countries' records: Québec must be in the article.
GENERIC_NAMES = (
    r"dossiers? numeriques? de sante",
    r"digital health (care )?records?( system)?",
    r"electronic (health|medical|patient) records?",
    r"dossiers? (medica(l|ux)|cliniques?|patients?) (numeriques?|informatises?|electroniques?)",
    r"epic (systems?|software|platform|records?)",
    r"(logiciel|systeme|plateforme|fournisseur|editeur|geant|firme) (americaine? )?epic",
)
ACRONYM = r"dsn"
HEALTH = (
    r"hopita(l|ux)",
    r"hospitals?",
    r"infirmi(er|ere|eres|ers)",
    r"nurses?",
    r"medecins?",
    r"physicians?",
    r"doctors?",
    r"cliniques?",
    r"clinics?",
    r"urgences?",
    r"patients?",
    r"soins",
    r"soignant(e|es|s)?",
    r"pharmaciens?",
    r"pharmacists?",
    r"epic",
    r"reseau de la sante",
    r"health (network|agency|system)",
    r"ciuss?s",
    r"cisss",
    r"sante quebec",
)
QUEBEC = (
    r"quebec(ois|oise|oises)?",
    r"sante quebec",
    r"ciuss?s",
    r"cisss",
    r"montreal(ais|aise|aises)?",
    r"mauricie",
    r"centre du quebec",
    r"trois rivieres",
    r"drummondville",
    r"shawinigan",
    r"la tuque",
    r"laval",
    r"gatineau",
    r"sherbrooke",
    r"saguenay",
    r"chum",
    r"chuq?",
    r"muhc",
    r"cusm",
)
HOMONYMS = {
    "the déclaration sociale nominative": (
        r"declarations? sociales? nominatives?",
        r"net entreprises",
        r"urssaf",
        r"nominative social declaration",
    ),
    "a data source name": (r"data source names?", r"odbc", r"jdbc", r"connection strings?"),
    "the Deep Space Network": (r"deep space network", r"nasa", r"jpl", r"radiotelescopes?"),
}


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether an article is kept, how sure that is in [0, 1], and why in a few words."""

    relevant: bool
    score: float
    reason: str


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


_FULL = _any(FULL_NAMES)
_GENERIC = _any(GENERIC_NAMES)
_ACRONYM = _any((ACRONYM,))
_HEALTH = _any(HEALTH)
_QUEBEC = _any(QUEBEC)
_HOMONYMS = {meaning: _any(patterns) for meaning, patterns in HOMONYMS.items()}


def fold(text: str) -> str:
    """Take accents, case, punctuation and line ends off, for matching only."""
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe"))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", bare.lower()).strip()


def screen_comment(text: str, threshold: float = THRESHOLD) -> Screening:
    """Judge a staff comment: it is about the DSN unless it speaks of another "DSN"."""
    whole = fold(text[:MAX_CHARACTERS])
    meaning = next((name for name, mark in _HOMONYMS.items() if mark.search(whole)), None)
    if meaning and not _FULL.search(whole):
        return Screening(False, 0.05, f"DSN is {meaning} here")
    return Screening(threshold <= 0.9, 0.9, "a staff comment")


def screen(title: str, text: str, threshold: float = THRESHOLD) -> Screening:
    """Judge an article by its title and text.

    :param title: may be empty.
    :param text: the article; its first 50,000 characters are read.
    :param threshold: the score from which it is kept.
    """
    score, reason = _judge(title, text)
    return Screening(score >= threshold, score, reason)


def _judge(title: str, text: str) -> tuple[float, str]:
    heading, body = fold(title), fold(text[:MAX_CHARACTERS])
    whole = f"{heading} | {body}"
    full = len(_FULL.findall(whole))
    if full:
        score = 0.95 if full > 1 or _FULL.search(heading) else 0.8
        return (score, f"names the dossier santé numérique ({full})")
    acronyms = list(islice(_ACRONYM.finditer(whole), MAX_ACRONYMS))
    meaning = next((name for name, mark in _HOMONYMS.items() if mark.search(whole)), None)
    if acronyms and meaning and not _names_quebec_record(whole):
        return (0.05, f"DSN is {meaning} here")
    if acronyms:
        return _judge_acronym(whole, acronyms)
    if _names_quebec_record(whole):
        return (0.7, "a digital health record in Québec")
    return (0.0, "does not name the dossier santé numérique")


def _names_quebec_record(whole: str) -> bool:
    """Generic names count when both health care and Québec are in the article."""
    return all(mark.search(whole) for mark in (_GENERIC, _HEALTH, _QUEBEC))


def _judge_acronym(whole: str, acronyms: list[re.Match[str]]) -> tuple[float, str]:
    reach = NEARBY_CHARACTERS
    near = sum(
        bool(_HEALTH.search(whole, max(m.start() - reach, 0), m.end() + reach)) for m in acronyms
    )
    if not near:
        return (0.2, "DSN without a word of health care near it")
    if _QUEBEC.search(whole) or _names_quebec_record(whole):
        return (0.85, f"DSN near health care in Québec ({near})")
    return (0.6, f"DSN near health care ({near})")
