"""Structured identifiers: patterns and announced values, read from ``deid_patterns.toml``."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from dsn_nlp.prepare.deid_lexicon import lexicon, read_list
from dsn_nlp.prepare.deid_text import key

REACH = 60  # characters after an announcer in which its value must start
_TOKEN = re.compile(r"[^\s:=,;.()\[\]\"#/-]+")
_BEFORE_VERSION = re.compile(r"(?:\bversion|\bver\.?|\bv\.?|\bbuild|\brelease|\bmaj) ?:?$", re.I)
_BEFORE_NOT_AGE = re.compile(
    r"(?:\bdepuis|\bpendant|\bdurant|\bles|\bses|\bfor|\bpast|\bover|\bplus de|\bof|\bil y a|\bdes|\bunder|\bafter"
    r"|\baux|\bto|\bfor the|\bthan|\bmoins de|\bentre|\bà|-) ?$",
    re.I,
)
_AFTER_NOT_AGE = re.compile(r"^ ?(?:et plus|et\+|\+|and over|and older|or older|ou plus|d'h|d'exist|of history|plus\b)", re.I)
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")


class Found(NamedTuple):
    """A stretch of folded text that is an identifier."""

    start: int
    end: int
    type: str
    score: float


def luhn(digits: str) -> bool:
    """Tell whether a row of digits satisfies the Luhn sum."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _nam(match: re.Match[str]) -> bool:
    """Letters, then year, month (+50 for women) and day of birth, then two digits."""
    text = match.group()
    letters, digits = text[:4], "".join(filter(str.isdigit, text))
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (month % 50 in range(1, 13) and month < 63 and 1 <= day <= 31):
        return False
    spaced_word = text[4:5] == " " and letters.islower()
    return not (spaced_word and lexicon().is_word(key(letters)))


def _sin(match: re.Match[str]) -> bool:
    digits = "".join(filter(str.isdigit, match.group()))
    return digits[0] not in "08" and luhn(digits)


def _ip(match: re.Match[str]) -> bool:
    parts = [int(part) for part in match.group().split(".")]
    if _BEFORE_VERSION.search(match.string[max(0, match.start() - 12) : match.start()]):
        return False
    return all(part <= 255 for part in parts) and parts[0] > 0


def _has_digit(match: re.Match[str]) -> bool:
    return any(map(str.isdigit, match.group()))


def _own_age(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 10) : match.start()]
    after = match.string[match.end() : match.end() + 14]
    return not (_BEFORE_NOT_AGE.search(before) or _AFTER_NOT_AGE.search(after))


def _plain_number(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 14) : match.start()].lower()
    return not re.search(r"(?:formulaire|form|lot|billet|ticket|erreur|error|code|lit|bed|note) ?#?$", before)


def _name_url(match: re.Match[str]) -> bool:
    path = match.group().split("//")[-1]
    parts = [key(part) for part in _SEPARATORS.split(path)[1:]]
    words = lexicon()
    firsts = sum(part in words.first and part not in words.never for part in parts)
    lasts = sum(part in words.last and part not in words.never for part in parts)
    return firsts > 0 and lasts > 0 and firsts + lasts > 1


def _name_login(match: re.Match[str]) -> bool:
    """An initial and a surname, or two names with a dot, written as one login."""
    text = key(match.group())
    words, stem = lexicon(), text.rstrip("0123456789")
    halves = re.split(r"[._]", stem)
    if len(halves) == 2:
        known = [words.is_name(half) and half not in words.never for half in halves]
        return all(known) or (any(known) and (len(halves[0]) == 1 or text != stem))
    if words.is_word(stem) or words.is_name(stem) or len(stem) < 6 or match.group()[0].isupper():
        return False
    name = stem[1:]
    strong = name in words.last and name not in words.words and not words.is_word(name)
    return strong and name not in words.more and not words.resembles_name(stem)


def _street(match: re.Match[str]) -> bool:
    name = match.group("name")
    first = name.split()[-1] if name else ""
    proper = any(part[:1].isupper() for part in re.split(r"[ '-]", name))
    number = re.match(r"\d+", match.group())
    return bool(first) and (proper or (number is not None and int(number.group()) > 12))


def _street_en(match: re.Match[str]) -> bool:
    names = match.group("name").split()
    words = lexicon()
    if key(names[0]) in _NO_STREET or any(key(name) in _NO_STREET for name in names):
        return False
    shut = any(name.endswith((".", ",")) and len(name) > 4 for name in names)
    known = all(key(name) in words.common for name in names)
    return not shut and (any(name[0].isupper() for name in names) or not known)


_NO_STREET = frozenset(
    "the of in on at to a an and for from with clicks minutes patients hours days beds clic minute hour day mg ml pm am times "
    "patient people screens steps pages notes staff nurses in is was are were we i they our their ans h x de du la le les".split()
)
CHECKS: dict[str, Callable[[re.Match[str]], bool]] = {
    "nam": _nam,
    "sin": _sin,
    "ip": _ip,
    "has_digit": _has_digit,
    "own_age": _own_age,
    "plain_number": _plain_number,
    "name_url": _name_url,
    "name_login": _name_login,
    "street": _street,
    "street_en": _street_en,
}


class Pattern(NamedTuple):
    """A pattern that alone tells an identifier, and the check that it must pass."""

    type: str
    score: float
    regex: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] | None


class Announced(NamedTuple):
    """A word that announces an identifier, and what the identifier looks like."""

    type: str
    score: float
    announce: re.Pattern[str]
    value: re.Pattern[str]
    gap: int
    refuse: str


class Rules(NamedTuple):
    """All rules for structured identifiers and the words between announcer and value."""

    patterns: tuple[Pattern, ...]
    announced: tuple[Announced, ...]
    filler: frozenset[str]
    measure: frozenset[str]
    login_stop: frozenset[str]


def _date(months: str) -> str:
    names = "|".join(sorted(months.split(), key=len, reverse=True))
    day, year = r"\d{1,2}(?:er|st|nd|rd|th)?", r"(?:19|20)\d\d|'?\d\d"
    return (
        r"(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}(?!\d)|\d{1,2}[-/. ]\d{1,2}[-/. ](?:(?:19|20)\d\d|\d\d)(?!\d)"
        rf"|{day} (?:de |of )?(?:{names})\b\.?,?(?: (?:{year})(?![\d:h]))?"
        rf"|(?:{names})\b\.?(?: {day}(?![\d:h]))?,?(?: (?:{year})(?![\d:h]))?"
        rf"|{day}-(?:{names})-(?:{year})|(?:19|20)\d{{6}}(?!\d)|(?:19\d\d|200\d|201[0-5])(?![\d-])"
    )


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Read and compile the rules once per process."""
    lists = read_list("deid_patterns")
    words = lists["words"]
    special = {"@date": _date(words["months"]), "@login": r"[a-z0-9][\w.\\-]{1,30}\w|[a-z]{2,4}\d{2,6}"}
    patterns = tuple(
        Pattern(p["type"], p["score"], re.compile(p["regex"], re.I), CHECKS.get(p.get("check", "")))
        for p in lists["pattern"]
    )
    announced = tuple(
        Announced(
            a["type"],
            a["score"],
            re.compile(a["announce"], re.I),
            re.compile(special.get(a["value"], a["value"]), re.I),
            a["gap"],
            a.get("refuse", ""),
        )
        for a in lists["announced"]
    )
    sets = (frozenset(words[name].split()) for name in ("filler", "measure", "login_stop"))
    return Rules(patterns, announced, *sets)


def find_structured(text: str) -> Iterator[Found]:
    """Find identifiers that patterns tell, in folded text."""
    every = rules()
    for pattern in every.patterns:
        for match in pattern.regex.finditer(text):
            if pattern.check is None or pattern.check(match):
                group = "id" if "id" in pattern.regex.groupindex else 0
                yield _street_trimmed(match, pattern) or Found(
                    *match.span(group), pattern.type, pattern.score
                )
    for rule in every.announced:
        for match in rule.announce.finditer(text):
            yield from _values(text, match.end(), rule)


def _street_trimmed(match: re.Match[str], pattern: Pattern) -> Found | None:
    """End a street's name before the first word that is no part of it."""
    if pattern.check is not _street:
        return None
    start, end = match.span("name")
    proper = any(part[:1].isupper() for part in match.group("name").split())
    limit, capital_met = start, False
    for word in re.finditer(r"[^\s]+", match.string[start:end]):
        text = word.group()
        small = text[:1].islower()
        joins = key(text.strip(".'")) in lexicon().particles | _DIRECTIONS or "'" in text
        if limit > start and small and not joins and (proper or limit > start) and (capital_met or not proper):
            break
        capital_met = capital_met or not small
        limit = start + word.end() if not (small and joins and capital_met and key(text) not in _DIRECTIONS) else limit
        if text.endswith((".", ",")) and len(text) > 4:
            break
    limit = start + len(match.string[start:limit].rstrip(".,-' "))
    return Found(match.start(), max(limit, start), pattern.type, pattern.score)


_DIRECTIONS = frozenset("ouest est nord sud west east north south o e n s".split())


def _values(text: str, start: int, rule: Announced) -> Iterator[Found]:
    """Find the value that an announcer promises, and those listed after it."""
    position, gap, first = start, rule.gap, True
    while True:
        value = _next_value(text, position, gap, rule)
        if value is None:
            return
        if rule.refuse and _measured(text, value, rule):
            return
        yield Found(value.start(), value.end(), rule.type, rule.score)
        position, gap, first = value.end(), 1, False
        listed = re.match(r" ?(?:,|et|and|ou|or|/|&|puis) ?", text[position : position + 8])
        if listed is None or rule.type in ("USERNAME", "DATE_OF_BIRTH"):
            return
        position += listed.end()


def _next_value(text: str, position: int, gap: int, rule: Announced) -> re.Match[str] | None:
    """Step over at most ``gap`` filler words from ``position`` to a value."""
    filler, limit = rules().filler, position + REACH
    for _ in range(gap + 1):
        while position < min(len(text), limit) and text[position] in " :=#.(°\"'-,?)":
            if text[position] == "." and text[position : position + 2] == ". " and rule.type == "USERNAME":
                return None
            position += 1
        value = rule.value.match(text, position)
        if value is not None and _believed(text, value, rule):
            return value
        word = _TOKEN.match(text, position)
        if word is None or key(word.group()) not in filler and word.group().lower() not in filler:
            return None
        position = word.end()
    return None


def _believed(text: str, value: re.Match[str], rule: Announced) -> bool:
    if value.end() < len(text) and value.group()[-1].isdigit() and text[value.end()].isalnum():
        return False
    if rule.type == "DATE_OF_BIRTH":
        return any(map(str.isdigit, value.group()))
    if rule.type != "USERNAME":
        return True
    word, stops = value.group(), rules().login_stop
    if any(map(str.isdigit, word)):
        return any(map(str.isalpha, word)) or len(word) >= 5
    plain = key(word)
    stays = plain in lexicon().kept or plain in stops or plain in rules().filler
    if stays or lexicon().is_word(plain) or plain in lexicon().never or word.isupper():
        return False
    if any(mark in word for mark in "._\\"):
        return True
    return word.islower() and len(word) >= 4 and "-" not in word and not lexicon().is_name(plain)


def _measured(text: str, value: re.Match[str], rule: Announced) -> bool:
    """Tell whether a number counts or dates something, and so identifies nobody."""
    after = re.match(r" ?([^\s.,;:!?()]+)", text[value.end() : value.end() + 24])
    if after is not None and after.group(1).lower() in rules().measure:
        return True
    digits = "".join(filter(str.isdigit, value.group()))
    year = len(digits) == 4 and digits[:2] in ("19", "20") and value.group().isdigit()
    if rule.refuse == "record":
        return year or len(digits) < 4
    return year and rule.type == "RECORD_NUMBER"
