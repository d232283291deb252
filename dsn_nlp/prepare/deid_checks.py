"""Checks that a match of a pattern must pass: sums, dates, context, names in it."""

import re
from collections.abc import Callable
from functools import lru_cache

from dsn_nlp.prepare.deid_lexicon import lexicon, read_set
from dsn_nlp.prepare.deid_text import key

_BEFORE_VERSION = re.compile(r"(?:\bversion|\bver\.?|\bv\.?|\bbuild|\brelease|\bmaj) ?:?$", re.I)
_BEFORE_NOT_AGE = re.compile(
    r"(?:\bdepuis|\bpendant|\bdurant|\bles|\bfor|\bpast|\bover|\bplus de"
    r"|\bof|\bil y a|\bdes|\bunder|\bafter"
    r"|\baux|\bto|\bfor the|\bthan|\bmoins de|\bentre|\bà|-) ?$",
    re.I,
)
_AFTER_NOT_AGE = re.compile(
    r"^ ?(?:et plus|et\+|\+|and over|and older|or older|ou plus|d'h|d'exist|of history|plus\b)",
    re.I,
)
_FORM = re.compile(
    r"\b(?:formulaires?|forms?|mod[eè]les?|model|gabarits?|version)\b[^.!?]{0,80}$", re.I
)
# Words before a number that make it the number of a thing: a lot, a ticket, an error.
_THING = re.compile(
    rf"(?:\b(?:{'|'.join(sorted(read_set('numbered')))})|\$)"
    r" ?(?:no|num[ée]ro|number|num|id|tag|n°|#)?\.? ?[:#]? ?$",
    re.I,
)
_MACHINES = read_set("machines")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")


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
    return luhn(digits)


def _ip(match: re.Match[str]) -> bool:
    parts = [int(part) for part in match.group().split(":")[0].split(".")]
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
    return not re.search(
        r"(?:formulaire|form|lot|billet|ticket|erreur|error|code|lit|bed|note) ?#?$", before
    )


def _plain_code(match: re.Match[str]) -> bool:
    """Refuse codes of forms and models: "le formulaire DT9216"."""
    before = match.string[max(0, match.start() - 90) : match.start()]
    return not _FORM.search(before)


def _plain_serial(match: re.Match[str]) -> bool:
    """Refuse numbers of things: lots, tickets, errors, orders of supplies, models, policies."""
    before = match.string[max(0, match.start() - 32) : match.start()]
    return not (_THING.search(before) or _FORM.search(before))


def _plain_host(match: re.Match[str]) -> bool:
    """Names with two hyphens and a digit, in capitals or with a machine's word in them."""
    name = match.group()
    digits = any(map(str.isdigit, name)) and any(map(str.isalpha, name))
    parts = [key(part) for part in name.split("-")]
    machine = any(part.rstrip("0123456789") in _MACHINES for part in parts)
    capitals = name == name.upper() and len(name) > 6
    coded = parts[0] in _NO_LOGIN or parts[0] in ("ah", "dt", "icd", "cim", "iso", "covid", "sars")
    return digits and (capitals or machine) and not coded and _plain_serial(match)


def _odd_login(match: re.Match[str]) -> bool:
    """Refuse names of files and fields made of ordinary words: "mot_de_passe"."""
    parts = re.split(r"[_-]", key(match.group()))
    words = lexicon()
    return match.group().isupper() or not all(
        words.is_word(part.rstrip("0123456789")) for part in parts if part
    )


def _name_url(match: re.Match[str]) -> bool:
    path = match.group().split("//")[-1]
    parts = [key(part) for part in _SEPARATORS.split(path)[1:]]
    words = lexicon()
    firsts = sum(part in words.first and part not in words.never for part in parts)
    lasts = sum(part in words.last and part not in words.never for part in parts)
    return firsts > 0 and lasts > 0 and firsts + lasts > 1


def _private_url(match: re.Match[str]) -> bool:
    """Any link but one to the public pages of a government or a well-known site."""
    host = match.group().split("//")[-1].split("/")[0].lower().removeprefix("www.")
    return not any(host == public or host.endswith("." + public) for public in _PUBLIC)


def _code_login(match: re.Match[str]) -> bool:
    """A cut surname and digits, as networks name their users: "tremk042"."""
    text = key(match.group())
    stem = text.rstrip("0123456789")
    words = lexicon()
    year = len(text) - len(stem) == 4 and text[len(stem) :][:2] in ("19", "20")
    known = words.is_word(stem) or stem in words.kept or stem in words.never
    return not (known or year or stem in _NO_LOGIN)


def _name_login(match: re.Match[str]) -> bool:
    """An initial and a surname, or two names with a dot, written as one login."""
    return _is_name_login(match.group())


@lru_cache(maxsize=2**14)  # nearly every word of every text is asked about
def _is_name_login(word: str) -> bool:
    text = key(word)
    words, stem = lexicon(), text.rstrip("0123456789")
    halves = re.split(r"[._]", stem)
    if len(halves) == 2:
        known = [words.is_name(half) and half not in words.never for half in halves]
        return all(known) or (any(known) and (len(halves[0]) == 1 or text != stem))
    if words.is_word(stem) or words.is_name(stem) or len(stem) < 6 or word[0].isupper():
        return False
    name = stem[1:]
    strong = name in words.last and name not in words.words and not words.is_word(name)
    return strong and name not in words.more and not words.resembles_name(stem)


def is_street(match: re.Match[str]) -> bool:
    """Tell whether a street has a proper name, or a civic number too high to count things."""
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


_NO_STREET = read_set("no_street")
_PUBLIC = read_set("public_hosts")
_NO_LOGIN = read_set("no_login")
CHECKS: dict[str, Callable[[re.Match[str]], bool]] = {
    "nam": _nam,
    "sin": _sin,
    "ip": _ip,
    "has_digit": _has_digit,
    "own_age": _own_age,
    "plain_number": _plain_number,
    "plain_code": _plain_code,
    "plain_serial": _plain_serial,
    "plain_host": _plain_host,
    "odd_login": _odd_login,
    "name_url": _name_url,
    "private_url": _private_url,
    "code_login": _code_login,
    "name_login": _name_login,
    "street": is_street,
    "street_en": _street_en,
}
