"""Whether an article is about Québec's Dossier santé numérique, and not another "DSN".

Patterns are in ``screen_words.toml``, linear, and matched on text without accents, case or
typographic marks. Three questions are asked in turn: is the record named; is it Québec's, and not
another DSN, another country's record or the older Dossier santé Québec; is the article about it,
or does it only name it on the way?
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

THRESHOLD = 0.5
MAX_CHARACTERS = 50_000
NEARBY_CHARACTERS = 400
MAX_ACRONYMS = 200
# The beginning of an article says what it is about; what comes later may be background.
LEAD_CHARACTERS = 700
# A text that long is an article, and is judged as a whole where it names the record in passing.
LONG_CHARACTERS = 800
LEAST_TOPIC_WORDS = 4
# Words that begin alike count once: "écran" and "écrans", "training" and "trainer".
STEM = 5
_EPIC = re.compile(
    r"\bEpic(?:\s+Systems|['’]s|\s+(?:rollout|go-live|executives|au|wins|nears|software|system))\b"
    r"|(?:[a-zà-ÿ,:;»]|\bd[’'])\s*\bEpic\b(?!\s+(?:Games|Records))|\bEpic\s*[,.:?!]"
)


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether an article is kept, how sure that is in [0, 1], and why in a few words."""

    relevant: bool
    score: float
    reason: str


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


def _read() -> dict[str, Any]:
    path = Path(__file__).with_name("screen_words.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


_WORDS = _read()
_FULL, _GENERIC = _any(_WORDS["full"]), _any(_WORDS["generic"])
_ACRONYM = re.compile(rf"\b{_WORDS['acronym']}\b")
_OTHERS, _HEALTH, _QUEBEC = (
    _any(_WORDS["other_records"]),
    _any(_WORDS["health"]),
    _any(_WORDS["quebec"]),
)
_OF_HEALTH = re.compile(r"sante|health|medica|patient|hospi|clini")
_HOMONYMS = {meaning: _any(patterns) for meaning, patterns in _WORDS["homonyms"].items()}
_PASSING = [re.compile(rf"\b{p.replace('DSN', 'dsn')}") for p in _WORDS["passing"]["marks"]]
_DESPITE = _any(p.replace("DSN", "dsn") for p in _WORDS["passing"]["despite"])
_COMPANY = _any(_WORDS["company"])
_ABOUT = _any(p.replace("DSN", "dsn") for p in _WORDS["passing"]["about"])
# "la DSN" is the déclaration, the direction…; the record is "le DSN".
_FEMININE = re.compile(r"\b(?:la|une|sa|ma|leur|votre|cette|quel|quelle) dsn\b")
_MASCULINE = re.compile(r"\b(?:le|du|au|un|ce|nouveau) dsn\b|\bthe dsn\b")
# Inside a relative or a concessive clause.
_ASIDE = re.compile(
    r"\b(?:qui|dont|who|whose|which|while|pendant que|alors que|tandis que|also|aussi|notamment|"
    r"once|naguere|jadis|comme|such as|like|outre|besides|dossiers en vue)\b(?: \w+){0,7} dsn\b"
)
# In a list of at least three things.
_LISTED = re.compile(
    r"(?:[^,.;:()]{2,60},){2,}\s*(?:et |and |puis |a line for )?(?:le |the |au |du |la )?dsn\b"
    r"|,\s*(?:(?:et|and) )?(?:le |the |a line for the )?dsn\s*(?:,|et |and |:)"
    r"|\(\s*(?:dont|including|y compris) (?:le |the )?dsn\s*\)|, the dsn among"
    r"|\bdsn(?:\s*,[^,.;:]{2,50}){2,}|\bdsn\s*,[^,.;:]{2,40}(?: et | and )"
)


@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """Take accents, case, punctuation and line ends off, for matching only.

    Several rules look at one text in turn, so the last ones are kept.
    """
    return re.sub(r"[\W_]+", " ", _bare(text)).strip()


def _bare(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe"))
    return "".join([c for c in decomposed if c < "\u0300" or not unicodedata.combining(c)]).lower()


def screen_comment(text: str, threshold: float = THRESHOLD) -> Screening:
    """Judge a staff comment: it is about the DSN unless it speaks of another "DSN"."""
    whole = fold(text[:MAX_CHARACTERS])
    named = _ACRONYM.search(whole) and not _FULL.search(whole) and not _HEALTH.search(whole)
    meaning = _homonym(whole) if named else None
    if meaning:
        return Screening(threshold <= 0.05, 0.05, f"DSN is {meaning} here")
    return Screening(threshold <= 0.9, 0.9, "a staff comment")


def screen(title: str, text: str, threshold: float = THRESHOLD) -> Screening:
    """Judge an article by its title and text.

    :param title: may be empty.
    :param text: the article, or its lead; its first 50,000 characters are read.
    :param threshold: the score from which it is kept.
    """
    score, reason = _Article(title, text[:MAX_CHARACTERS]).judge()
    return Screening(score >= threshold, score, reason)


def _homonym(whole: str) -> str | None:
    """The other meaning of DSN that most words of a text speak for."""
    counts = {name: len(set(mark.findall(whole))) for name, mark in _HOMONYMS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


class _Article:
    """One article, folded once."""

    def __init__(self, title: str, text: str) -> None:
        self.written = f"{title}\n{text}"
        self.bare = _shortened(_bare(text))
        self.title, self.text = _shortened(fold(title)), _shortened(fold(text))
        self.whole = f"{self.title} | {self.text}"
        self.record = _OTHERS.sub(" ", self.whole)

    def judge(self) -> tuple[float, str]:
        """The score and the reason."""
        full = len(_FULL.findall(fold(self.written)))
        acronyms = list(islice(_ACRONYM.finditer(self.whole), MAX_ACRONYMS))
        if full:
            return self._weigh(0.95, f"names the dossier santé numérique ({full})")
        if acronyms:
            return self._acronym(acronyms)
        if self._names_quebec_record():
            return self._weigh(0.7, "a digital health record in Québec")
        if self._names_epic():
            return self._weigh(0.7, "Epic in Québec's hospitals")
        if _OTHERS.search(self.whole):
            return 0.1, "another record or portal, not the dossier santé numérique"
        if _GENERIC.search(self.record) and _HEALTH.search(self.whole):
            return 0.15, "a health record, and nothing of Québec"
        return 0.0, "does not name the dossier santé numérique"

    def _names_quebec_record(self) -> bool:
        """Generic names count when both health care and Québec are in the article."""
        named = _GENERIC.search(self.record)
        of_health = named and (_OF_HEALTH.search(named[0]) or _HEALTH.search(self.record))
        return bool(of_health) and self._in_quebec()

    def _names_epic(self) -> bool:
        named = _EPIC.search(self.written) is not None
        return named and _HEALTH.search(self.whole) is not None and self._in_quebec()

    def _in_quebec(self) -> bool:
        if _QUEBEC.search(self.whole):
            return True
        from dsn_nlp.prepare.sites import link_sites

        return bool(link_sites(self.written[:LEAD_CHARACTERS]))

    def _acronym(self, acronyms: list[re.Match[str]]) -> tuple[float, str]:
        reach = NEARBY_CHARACTERS
        near = sum(
            bool(_HEALTH.search(self.whole, max(m.start() - reach, 0), m.end() + reach))
            for m in acronyms
        )
        meaning = _homonym(self.whole)
        feminine, masculine = _FEMININE.search(self.whole), _MASCULINE.search(self.whole)
        if meaning and not self._survives(near, bool(masculine)):
            return 0.05, f"DSN is {meaning} here"
        if feminine and not masculine:
            return 0.2, "« la DSN » is not the dossier"
        if not near:
            if self._names_quebec_record():
                return self._weigh(0.8, "DSN beside a digital health record in Québec")
            firm = _COMPANY.search(self.whole)
            usual = 0.6 if masculine or (self.title.startswith("dsn") and not firm) else 0.3
            return self._weigh(usual, "DSN without a word of health care near it")
        if self._in_quebec():
            return self._weigh(0.85, f"DSN near health care in Québec ({near})")
        return self._weigh(0.75, f"DSN near health care ({near})")

    def _survives(self, near: int, masculine: bool) -> bool:
        """Health care in Québec outweighs a stray word of another meaning."""
        if self._names_quebec_record():
            return True
        strong = any(mark.search(self.whole) for mark in _STRONG_HOMONYMS)
        return bool(near) and masculine and not strong and self._in_quebec()

    def _topic_words(self) -> int:
        """How many different words of record systems and of health care the text has."""
        spoken = (*_SYSTEMS.finditer(self.text), *_HEALTH.finditer(self.text))
        return len({found[0][:STEM] for found in spoken})

    def _weigh(self, score: float, reason: str) -> tuple[float, str]:
        """Lower the score of an article that names the record only on the way."""
        if _key(self.title):
            return score, reason
        if len(self.text) > LONG_CHARACTERS:
            return self._weigh_whole(score, reason)
        lead, later = self.text[:LEAD_CHARACTERS], self.text[LEAD_CHARACTERS:]
        if not _key(lead):
            mentions = len(_ACRONYM.findall(later)) + len(_GENERIC.findall(later))
            told = "names the record late, and seldom"
            return (score, reason) if mentions >= 3 else (0.35, told)
        used = _DESPITE.search(lead) and _HEALTH.search(lead)
        if used or len(_ACRONYM.findall(self.text)) >= 3:
            return score, reason
        if any(mark.search(lead) for mark in _PASSING):
            return 0.25, "names the record on the way"
        if _LISTED.search(self.bare[: 2 * LEAD_CHARACTERS]):
            return 0.3, "names the record in a list"
        if _ASIDE.search(lead) and not _ABOUT.search(lead):
            return 0.4, "names the record in an aside"
        return min(score, 0.85), reason

    def _weigh_whole(self, score: float, reason: str) -> tuple[float, str]:
        """An article about the record speaks of it, by its name or by what belongs to it."""
        mentions = len(_ACRONYM.findall(self.text)) + len(_GENERIC.findall(self.text))
        if mentions >= 3 or self._topic_words() >= LEAST_TOPIC_WORDS:
            return min(score, 0.85), reason
        return 0.3, "names the record on the way, and little that belongs to it"


_STRONG_HOMONYMS = [
    re.compile(rf"\b(?:{words})\b")
    for words in (
        "declarations? sociales? nominatives?|urssaf|nominative social|net entreprises",
        "data source names?|odbc|jdbc|deep space network|nasa|delivery status notification",
    )
]


# What an article about the record speaks of, even if it names it once.
_SYSTEMS = _any(_WORDS["systems"])


def _shortened(text: str) -> str:
    """Write the full name as the acronym, so that one set of patterns reads both."""
    return _FULL.sub("dsn", text)


def _key(text: str) -> bool:
    return bool(
        _ACRONYM.search(text) or _GENERIC.search(_OTHERS.sub(" ", text)) or "epic" in text.split()
    )
