"""Structured identifiers: patterns and announced values, read from ``deid_patterns.toml``."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from dsn_nlp.prepare.deid_checks import CHECKS, is_street
from dsn_nlp.prepare.deid_lexicon import lexicon, read_list, read_set
from dsn_nlp.prepare.deid_text import key

REACH = 60  # characters after an announcer in which its value must start
_TOKEN = re.compile(r"[^\s:=,;.()\[\]\"#/-]+")


class Found(NamedTuple):
    """A stretch of folded text that is an identifier."""

    start: int
    end: int
    type: str
    score: float


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
        r"(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}(?!\d)"
        r"|\d{1,2}[-/. ]\d{1,2}[-/. ](?:(?:19|20)\d\d|\d\d)(?!\d)"
        rf"|{day} (?:de |of )?(?:{names})\b\.?,?(?: (?:{year})(?![\d:h]))?"
        rf"|(?:{names})\b\.?(?: {day}(?![\d:h]))?,?(?: (?:{year})(?![\d:h]))?"
        rf"|{day}-(?:{names})-(?:{year})|(?:19|20)\d{{6}}(?!\d)|(?:19\d\d|200\d|201[0-5])(?![\d-])"
    )


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Read and compile the rules once per process."""
    lists = read_list("deid_patterns")
    words = lists["words"]
    special = {
        "@date": _date(words["months"]),
        "@login": r"[a-z][\w.\\-]{1,30}\w|\d{5,8}(?!\d)",
    }
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
                trimmed = _street_trimmed(match, pattern)
                found = trimmed or Found(*match.span(group), pattern.type, pattern.score)
                yield _wider(text, _with_door(text, found))
    for rule in every.announced:
        gone_on: set[int] = set()
        for match in rule.announce.finditer(text):
            for found in _with_word(_values(text, match.end(), rule, gone_on), match, rule):
                yield _wider(text, found)


def _with_word(values: Iterator[Found], match: re.Match[str], rule: Announced) -> Iterator[Found]:
    """Let an extension or a pager take the word right before it along: "poste 4521"."""
    for found in values:
        between = match.string[match.end() : found.start]
        joined = rule.type == "PHONE" and len(between) < 4 and not between.strip(" .:#")
        yield (
            found._replace(start=match.start()) if joined and _SHORT.match(match.group()) else found
        )


_SHORT = re.compile(r"(?:post|ext|pag[ei]|t[ée]l[ée]av|beep|bip|loc|vocera|local)", re.I)


def _street_trimmed(match: re.Match[str], pattern: Pattern) -> Found | None:
    """End a street's name before the first word that is no part of it."""
    if pattern.check is not is_street:
        return None
    start, end = match.span("name")
    proper = any(part[:1].isupper() for part in match.group("name").split())
    limit, capital_met = start, False
    for word in re.finditer(r"[^\s]+", match.string[start:end]):
        text = word.group()
        small = text[:1].islower()
        joins = key(text.strip(".'")) in lexicon().particles | _DIRECTIONS or "'" in text
        if (
            limit > start
            and small
            and not joins
            and (proper or limit > start)
            and (capital_met or not proper)
        ):
            break
        capital_met = capital_met or not small
        limit = (
            start + word.end()
            if not (small and joins and capital_met and key(text) not in _DIRECTIONS)
            else limit
        )
        if text.endswith((".", ",")) and len(text) > 4:
            break
    limit = start + len(match.string[start:limit].rstrip(".,-' "))
    return Found(match.start(), max(limit, start), pattern.type, pattern.score)


def _wider(text: str, found: Found) -> Found:
    """Take along what clings to a number: "#31774", "x7719", "1903366-P"."""
    start, end = found.start, found.end
    if found.type == "ADDRESS":
        before = _DOOR_BEFORE.search(text, max(0, start - 24), start)
        after = _SIDE.match(text, end) or _STOP.match(text, max(0, end - 2))
        return found._replace(
            start=before.start() if before else start, end=after.end() if after else end
        )
    if found.type not in _CLINGING:
        return found
    mark = text[start - 1 : start]
    if mark in ("#", "*") or (mark in ("x", "X") and not text[start - 2 : start - 1].isalnum()):
        start -= 1
    tail = _TAIL.match(text, end)
    return found._replace(start=start, end=tail.end() if tail else end)


_CLINGING = frozenset({"PHONE", "RECORD_NUMBER", "LICENCE_NUMBER"})
_TAIL = re.compile(r"-[a-z0-9]{1,2}(?!\w)", re.I)
_STOP = re.compile(r" [eonsw]\.", re.I)
_SIDE = re.compile(r" (?:[ensw]|ouest|est|nord|sud|o)\b\.?(?!')", re.I)
_DOOR_BEFORE = re.compile(
    r"\b(?:app(?:artement|t)?|apt|apartment|suite|unit|unité|c\. ?p|casier|p\.? ?o\.? ?box"
    r"|bureau|bur)\.? ?(?:#?\d{1,5}[a-z]?, ?)?$",
    re.I,
)


def _with_door(text: str, found: Found) -> Found:
    """Add the number of a flat or an office to an address."""
    door = _DOOR.match(text, found.end) if found.type == "ADDRESS" else None
    return found if door is None else found._replace(end=door.end())


_DOOR = re.compile(
    r",? {0,2}(?:appartement|app|apt|apartment|suite|unit|unité|logement|log|bur|étage"
    r"|bureau|porte|local|#)\.? ?#? ?(?:\d{1,5}(?:-?[a-z])?|[a-h])\b(?!')|,? \d{1,2}e étage",
    re.I,
)
_DIRECTIONS = read_set("directions")


def _values(text: str, start: int, rule: Announced, gone_on: set[int]) -> Iterator[Found]:
    """Find the value that an announcer promises, and those listed after it.

    :param gone_on: where lists of this rule went on already: what follows was found from there.
    """
    position, gap = start, rule.gap
    while True:
        value = _next_value(text, position, gap, rule)
        if value is None:
            return
        if rule.refuse and _measured(text, value, rule):
            return
        yield Found(value.start(), value.end(), rule.type, rule.score)
        position, gap = value.end(), 1
        listed = re.match(r" ?(?:,|et|and|ou|or|/|&|puis) ?", text[position : position + 8])
        if listed is None or rule.type in ("USERNAME", "DATE_OF_BIRTH", "HEALTH_INSURANCE_NUMBER"):
            return
        position += listed.end()
        if position in gone_on:
            return
        gone_on.add(position)


def _next_value(text: str, position: int, gap: int, rule: Announced) -> re.Match[str] | None:
    """Step over at most ``gap`` filler words from ``position`` to a value."""
    filler, limit = rules().filler, position + REACH
    for _ in range(gap + 1):
        skipped = " :=#.(°\"'-)" + (
            "" if rule.type in ("PHONE", "USERNAME", "WORKSTATION") else ",?"
        )
        while position < min(len(text), limit) and text[position] in skipped:
            if (
                text[position] == "."
                and text[position : position + 2] == ". "
                and rule.type == "USERNAME"
            ):
                return None
            position += 1
        value = rule.value.match(text, position)
        if value is not None and _believed(text, value, rule):
            return value
        word = _TOKEN.match(text, position)
        if word is None or (key(word.group()) not in filler and word.group().lower() not in filler):
            return None
        position = word.end()
    return None


def _believed(text: str, value: re.Match[str], rule: Announced) -> bool:
    if value.end() < len(text) and value.group()[-1].isdigit() and text[value.end()].isalnum():
        return False
    if rule.type == "DATE_OF_BIRTH":
        return any(map(str.isdigit, value.group()))
    return rule.type != "USERNAME" or _login(text, value)


def _login(text: str, value: re.Match[str]) -> bool:
    """Tell whether a word announced as a login looks like one."""
    word, stops = value.group(), rules().login_stop
    if any(map(str.isdigit, word)):
        return any(map(str.isalpha, word)) or len(word) >= 5
    plain = key(word)
    stays = plain in lexicon().kept or plain in stops or plain in rules().filler
    if stays or lexicon().is_word(plain) or plain in lexicon().never or word.isupper():
        return False
    if any(mark in word for mark in "._\\"):
        return True
    if "-" in word and any(part[1:] in lexicon().last for part in plain.split("-")):
        return True
    if plain[1:] in lexicon().last or plain[:-1] in lexicon().last:
        return True
    if ":" not in text[max(0, value.start() - 3) : value.start()] and plain.endswith(
        ("er", "ez", "ir", "ing", "ed", "ent", "s")
    ):
        return False
    return word.islower() and len(word) >= 4 and "-" not in word and not lexicon().is_name(plain)


def _measured(text: str, value: re.Match[str], rule: Announced) -> bool:
    """Tell whether a number counts or dates something, and so identifies nobody."""
    after = re.match(r" ?([^\s.,;:!?()]+)", text[value.end() : value.end() + 24])
    if after is not None and after.group(1).lower() in rules().measure:
        return True
    if re.fullmatch(r"20\d\d-20\d\d", value.group()):
        return True
    digits = "".join(filter(str.isdigit, value.group()))
    year = len(digits) == 4 and digits[:2] in ("19", "20") and value.group().isdigit()
    if rule.refuse == "record":
        return year or len(digits) < 4
    return year and rule.type == "RECORD_NUMBER"
