"""Read an attribution: the verb of saying, who its subject is, and what is reported."""

import re
from dataclasses import replace
from functools import lru_cache

from dsn_nlp.prepare.voice_memory import Attribution, Memory
from dsn_nlp.prepare.voice_roles import alternation, hits, names_in, words

SUBJECT = 170
_NOT_NOUN = "".join(
    rf"(?<!\b{word}\s)"
    for word in ("la", "une", "cette", "sa", "leur", "en", "de", "des", "les", "un", "ce", "aux",
                 "du", "au", "chaque", "toute", "quelques", "the", "a", "her", "his", "their", "of",
                 "no", "its", "any", "to", "sur", "par", "d", "many", "some", "these", "those",
                 "your", "our", "my", "votre", "vos", "notre", "nos")
)  # fmt: skip
_ADVERB = (
    r"(?:(?:\w+ment|aussi|egalement|ensuite|toutefois|par\s+ailleurs|deja|d\s+abord|enfin|meme|"
    r"plutot|encore|alors|pour\s+sa\s+part|de\s+son\s+cote|a\s+son\s+tour|en\s+outre|y|lui|leur|"
    r"nous|notamment|recemment|tout\s+de\s+meme|quant\s+a\s+(?:lui|elle)|t\s+il|t\s+elle|t\s+ils|"
    r"t\s+elles|elle|il|tristement|vite)\s+)"
)
_PARTICIPLES = (
    "disant",
    "affirmant",
    "ajoutant",
    "denoncant",
    "deplorant",
    "expliquant",
    "soulignant",
    "precisant",
    "rappelant",
    "evoquant",
    "parlant",
    "qualifiant",
    "jugeant",
    "estimant",
    "craignant",
    "assurant",
    "promettant",
    "reclamant",
    "plaidant",
    "martelant",
)


@lru_cache(maxsize=1)
def _verb() -> re.Pattern[str]:
    table = words()["verbs"]
    past = alternation(f"{verb}(?:e|s|es)?" for verb in {*table["fr_past"], *table["fr"]})
    present = alternation([*table["fr"], *_PARTICIPLES])
    english = alternation(table["en"])
    pronoun = r"(?:\s+(?P<inverted>(?:t\s+)?(?:il|elle|ils|elles|on)|je))?"
    return re.compile(
        rf"{_NOT_NOUN}\b(?:(?:a|ont|avait|avaient|aurait|auraient|ayant)\s+{_ADVERB}{{0,2}}(?:{past})"
        rf"|(?:{present})|(?:{english})){pronoun}\b"
    )


@lru_cache(maxsize=1)
def _source() -> re.Pattern[str]:
    table = words()["sources"]
    return re.compile(rf"\b(?:{alternation([*table['fr'], *table['en']])})\s+")


_OPEN_POST = re.compile(rf"[\s,;–—\x01.!?]*(?:{_ADVERB}|(?:s|se|me|m|nous)\s+|l\s+|le\s+){{0,2}}")
_SUBJECT_FIRST = re.compile(r"[\s,;–—]*(?P<subject>[^\x01;:]{2,90}?)\s+$")
_LAST_CLAUSE = re.compile(r"[;:\x01]|\s(?:tandis que|alors que|pendant que|mais|but|while)\s")
_THAT = re.compile(r"[^.;:\x01]{0,70}?(?:,?\s+(?:que|qu|that)\s+)")
_NOT_SOURCE = re.compile(
    r"^(?:nos|our|les informations|ce que|toute|le (?:plan|calendrier|document|rapport)|"
    r"the (?:plan|document|report|schedule)|lequel|laquelle)\b"
)
_STRONG = re.compile(
    r"\b(?:invit|urg|report|denonc|deplor|critiqu|reclam|crai[ng]|redout|exig|demand|s?inquiet|"
    r"plai(?:nt|gn)|regrett|"
    r"dement|ni(?:e|ent)\b|salu|promet|promis|recommand|decri|denounc|deplor|decr|critici|fear|"
    r"worr|complain|blam|prais|welcom|urg|lament|promis|vow|den(?:y|ie)|accus|met|souhait|esper|"
    r"se di|dit\b|disent|assur|reconna|admet|annonc|voiced|express|warn|call|evoqu|hop|"
    r"vant|propos|suggest|sugger|signal|rapport|confirm|parl)"
)
# A clause that can stand alone has a verb; "Le chef du parti, Jean Roy," has none.
_FINITE = re.compile(
    r"\b(?:est|sont|a|ont|va|vont|sera|seront|serait|fut|faut|peut|peuvent|doit|doivent|n|ne|se|s|"
    r"\w{2,}(?:ait|aient|era|eront|erait|eraient|ra|ront|rait|raient|ent|ons|ez)|tient|vient|permet|"
    r"reste|manque|fonctionne|marche|coute|plante|tombe|arrive|is|are|was|were|will|would|has|have|"
    r"had|can|could|may|might|must|should|do|does|did|\w{3,}ed|needs?|works?|remains?|takes?)\b"
)


def _finite(folded: str, cased: str, end: int, start: int = 0) -> bool:
    """Whether there is a verb in ``[start, end)``; "Rodriguez" is none."""
    return any(cased[m.start()].islower() for m in _FINITE.finditer(folded, start, end))


# "froze", "ralentit": no list of endings tells every verb. What opens like a sentence, and has
# nothing behind its attribution that could be what is reported, is taken for one.
_OPENS_CLAUSE = re.compile(
    r"(?:l|le|la|les|un|une|des|ce|cette|ces|nos|leurs?|ses|son|sa|on|il|elle|ils|elles|nous|tout|"
    r"rien|aucune?|personne|the|an?|this|these|their|its|his|her|it|they|we|no|nobody|nothing|"
    r"most|some|many|every\w*|all)\s+(?!(?:\d+|semaine|mois|jour\w*|week|month|day|morning|night)\b)"
)


def _stands(folded: str, cased: str, end: int) -> bool:
    """Whether ``[0, end)`` can be what an attribution that closes the sentence reports."""
    if _finite(folded, cased, end):
        return True
    if "," in folded[:end].rstrip(" ,"):
        return False  # "Le chef du parti, Jean Roy," is a subject
    comma = folded.find(",", end + 1)
    if comma >= 0 and _finite(folded, cased, len(folded), comma):
        return False
    return _OPENS_CLAUSE.match(folded) is not None and len(folded[:end].split()) >= 4


_ENDING = re.compile(
    r"(?P<subject>[^,]{2,80}?)\s+(?:said|says?|adds?|added|explain(?:s|ed)?|not(?:es?|ed)|"
    r"warn(?:s|ed)?|told\s+\w+|argued?s?|confirm(?:s|ed)?|insist(?:s|ed)?|report(?:s|ed)?|wrote|"
    r"recall(?:s|ed)?|complain(?:s|ed)?|admit(?:s|ted)?|claim(?:s|ed)?)\b[^,]{0,40}\.?\s*$"
)
# Somebody without a trade or a name: "one person wrote".
_SOMEBODY = re.compile(r"\s*(?:one|another|an?|some)\s+[a-z]+(?:\s+[a-z]+)?\s*$")


def attribute_quote(
    folded: str, cased: str, start: int, end: int, memory: Memory
) -> Attribution | None:
    """Find who says the quote at ``[start, end)`` of a masked sentence."""
    after = _after(folded, cased, end, memory)
    if after is not None:
        return replace(after, closing=True)
    return _before(folded, cased, start, memory) or _colon(folded, cased, start, memory)


def attribute_incise(folded: str, cased: str, memory: Memory) -> Attribution | None:
    """Find the incise of a line of dialogue: ", dit l'infirmière"."""
    for mark in re.finditer(r"[,!?…]", folded):
        verb = _verb().match(folded, _OPEN_POST.match(folded, mark.end()).end())  # type: ignore[union-attr]
        if verb is None:
            continue
        limit = _incise_end(folded, verb.end(), bool(verb["inverted"]))
        subject = (verb.end(), limit)
        if verb["inverted"]:
            return Attribution(
                memory.here or memory.last, "", mark.start(), limit, limit > len(folded) - 3
            )
        role = memory.resolve(folded[slice(*subject)], cased[slice(*subject)])
        if role or names_in(cased[slice(*subject)]):
            at = mark.start() + (folded[mark.start()] != ",")
            return Attribution(role, cased[slice(*subject)], at, limit, limit >= len(folded) - 3)
    return None


def _incise_end(folded: str, at: int, pronoun: bool) -> int:
    """Where an incise ends: at its next mark, or after the apposition behind that mark."""
    stop = re.search(r"[,.;!?]", folded[at:])
    if stop is None:
        return len(folded)
    limit = at + stop.start()
    if pronoun or stop[0] != ",":
        return limit
    after = re.match(r",([^,.;!?]{3,80})[,.;!?]", folded[limit:])
    found = hits(after[1]) if after else []
    return limit + len(after[0]) - 1 if after and found and found[0].start <= 14 else limit


def _after(folded: str, cased: str, end: int, memory: Memory) -> Attribution | None:
    stop = folded.find("\x01", end)
    stop = len(folded) if stop < 0 else stop
    opening = _OPEN_POST.match(folded, end, stop)
    at = opening.end() if opening else end
    skipped = _skip(folded, end, stop)
    source = _source().match(folded, skipped, stop)
    if source:
        return _told(folded, cased, source.end(), stop, memory)
    verb = _verb().match(folded, at, stop) or _verb().match(folded, skipped, stop)
    if verb:
        if _means_last(verb):
            return Attribution(memory.here or memory.last, "")
        told = _told(folded, cased, verb.end(), stop, memory)
        named = any(map(str.isalpha, told.subject))
        return told if told.role or named else Attribution(memory.here or memory.last, "")
    return _subject_first(folded, cased, end, stop, memory)


def _means_last(verb: re.Match[str]) -> bool:
    """Whether a verb carries a pronoun: "affirme-t-elle", "a-t-il dit"."""
    return bool(verb["inverted"]) or re.search(r"\bt\s+(?:il|elle)s?\b", verb[0]) is not None


def _subject_first(
    folded: str, cased: str, end: int, stop: int, memory: Memory
) -> Attribution | None:
    """English order: "…," Dr. Roy said; also « … », la ministre l'a répété."""
    verb = _verb().search(folded, end, min(stop, end + 130))
    if verb is None:
        return None
    subject = _SUBJECT_FIRST.match(folded, end, verb.start())
    if subject is None:
        return None
    first, last = subject.span("subject")
    role = memory.resolve(folded[first:last], cased[first:last])
    somebody = _SOMEBODY.match(folded[first:last])
    if role is None and not somebody and not names_in(cased[first:last]):
        return None
    # "said Roy, a nurse": what stands behind the verb may be the apposition.
    if role is None:
        role = memory.resolve(folded[verb.end() : stop], cased[verb.end() : stop])
    return Attribution(role, cased[first:last])


def _before(folded: str, cased: str, start: int, memory: Memory) -> Attribution | None:
    begin = folded.rfind("\x01", 0, start) + 1
    segment = folded[begin:start]
    source = list(_source().finditer(segment))
    if source:
        told = _told(folded, cased, begin + source[-1].end(), start, memory)
        if told.role or told.subject.strip():
            return told
    verbs = list(_verb().finditer(segment))
    for verb in reversed(verbs):
        if _means_last(verb):
            return Attribution(memory.here or memory.last, "")
        clause = _clause(segment, verb.start())
        first, last = begin + clause, begin + verb.start()
        role = memory.resolve(folded[first:last], cased[first:last])
        if role is not None or names_in(cased[first:last]):
            return Attribution(role, cased[first:last])
    if verbs and (role := memory.resolve(segment, cased[begin:start])):
        return Attribution(role, cased[begin:start])
    return None


def _clause(segment: str, verb: int) -> int:
    """Where the clause of a verb begins; a clause without a subject takes the one before it."""
    begin = 0
    for mark in _LAST_CLAUSE.finditer(segment, 0, verb):
        if len(segment[mark.end() : verb].split()) >= 1 and hits(segment[mark.end() : verb]):
            begin = mark.end()
    return begin


def _colon(folded: str, cased: str, start: int, memory: Memory) -> Attribution | None:
    """ "Réaction de la FIQ : « … »", "Pour Julie, infirmière, c'est « … »"."""
    segment = folded[:start].rstrip()
    if "\x01" in segment or not segment or len(segment) > 220:
        return None
    lead = re.match(r"(?:pour|chez|cote|du cote de|a|for)\s", segment)
    if not segment.endswith((":", "—", "–")) and not lead:
        return None
    role = memory.resolve(segment.removesuffix(":"), cased[: len(segment)])
    return Attribution(role, cased[: len(segment)]) if role else None


def _told(folded: str, cased: str, first: int, stop: int, memory: Memory) -> Attribution:
    last = min(stop, first + SUBJECT)
    role = memory.resolve(folded[first:last], cased[first:last])
    return Attribution(role, cased[first:last])


def _skip(folded: str, at: int, stop: int) -> int:
    while at < stop and folded[at] in " ,;–—\x01.!?\n":
        at += 1
    return at


def reported(folded: str, cased: str, memory: Memory) -> Attribution | None:
    """Find reported speech in a sentence without quotes; offsets are of the sentence."""
    return (
        _source_first(folded, cased, memory)
        or _source_last(folded, cased, memory)
        or _verb_last(folded, cased, memory)
        or _verb_inside(folded, cased, memory)
    )


def _source_first(folded: str, cased: str, memory: Memory) -> Attribution | None:
    opening = re.match(r"(?:\w+,\s+|(?:mais|et|or|toujours|encore|but|and|still)\s+)?", folded)
    source = _source().match(folded, opening.end() if opening else 0)
    if source is None or _NOT_SOURCE.match(folded, source.end()):
        return None
    comma = _last_apposition(folded, cased, source.end())
    if comma is None:
        return None
    told = _told(folded, cased, source.end(), comma, memory)
    if told.role is None and not names_in(told.subject):
        return None
    return _said(folded, told, comma + 1, len(folded))


def _last_apposition(folded: str, cased: str, at: int) -> int | None:
    """The comma that ends a source; appositions of a few words are part of it."""
    commas = [m.start() for m in re.finditer(",", folded[:260]) if m.start() > at]
    for index, comma in enumerate(commas):
        following = commas[index + 1] if index + 1 < len(commas) else None
        piece = folded[comma + 1 : following] if following else ""
        found = hits(piece) if following and len(piece) < 110 else []
        named = names_in(cased[comma + 1 : following]) if following and len(piece) < 60 else []
        if named and sum(e - s for s, e, _ in named) >= len(piece.strip()):
            continue
        if not found or found[0].start > 14 or re.match(r"\s*(?:les|des|the|nos|leurs)\s", piece):
            return comma
    return commas[-1] if commas else None


def _source_last(folded: str, cased: str, memory: Memory) -> Attribution | None:
    for source in _source().finditer(folded, 12):
        if _NOT_SOURCE.match(folded, source.end()):
            continue
        told = _told(folded, cased, source.end(), len(folded), memory)
        if told.role is None and not names_in(told.subject):
            continue
        closed = folded[: source.start()].rstrip().endswith(",")
        if (_stands if closed else _finite)(folded, cased, source.start()):
            return _said(folded, told, 0, source.start())
        comma = _last_apposition(folded, cased, source.end())
        return _said(folded, told, comma + 1, len(folded)) if comma else None
    return None


def _verb_last(folded: str, cased: str, memory: Memory) -> Attribution | None:
    """ "Le système sera corrigé, a indiqué le CIUSSS." and "…, the union said."."""
    for comma in re.finditer(r",\s+", folded):
        if comma.start() < 12 or not _stands(folded, cased, comma.start()):
            continue
        verb = _verb().match(folded, comma.end())
        opened = _OPEN_POST.match(folded, comma.end())
        verb = verb or (_verb().match(folded, opened.end()) if opened else None)
        that = verb and re.match(r"\s+(?:que|qu|that)\b", folded[verb.end() :])
        if verb and not that and not verb[0].endswith("ant"):
            role = (memory.here or memory.last) if _means_last(verb) else None
            told = (
                Attribution(role, "")
                if role
                else _told(folded, cased, verb.end(), len(folded), memory)
            )
            if told.role is not None:
                return _said(folded, told, 0, comma.start())
        ending = _ENDING.match(folded[comma.end() :])
        if ending:
            first = comma.end() + ending.start("subject")
            last = comma.end() + ending.end("subject")
            role = memory.resolve(folded[first:last], cased[first:last])
            if role is not None or names_in(cased[first:last]):
                return _said(folded, Attribution(role, cased[first:last]), 0, comma.start())
    return None


def _verb_inside(folded: str, cased: str, memory: Memory) -> Attribution | None:
    for verb in _verb().finditer(folded):
        if verb.start() < 2 or verb["inverted"]:
            continue
        first = _own_clause(folded, _clause(folded, verb.start()), verb.start())
        subject = folded[first : verb.start()]
        if len(subject) > 200 or _RELATIVE.search(subject):
            continue
        role = memory.resolve(subject, cased[first : verb.start()])
        if role is None and not names_in(cased[first : verb.start()]):
            continue
        told = Attribution(role, cased[first : verb.start()])
        that = _THAT.match(folded, verb.end())
        # "says A and that B": what is said begins before the conjunction.
        if that and not re.search(r"\b(?:and|et)\s+(?:that|que|qu)\s+$", that[0]):
            return _said(folded, told, that.end(), len(folded))
        english = re.match(
            r"(?:said|says?|tells?|added|adds|believes?|thinks?|told\s+\w+|fears?|hopes?|feels?|worr\w+|argue\w*|insist\w*|claim\w*|warn\w*|explain\w*|note\w*)$",
            verb[0],
        )
        if (english or _STRONG.search(verb[0])) and len(folded) - verb.end() > 8 and role:
            return _said(folded, told, verb.end(), len(folded))
    return None


# A verb inside a relative clause is not the sentence's.
_RELATIVE = re.compile(
    r"\b(?:qui|who|dont|which|because|parce que)\b[^,]*$|\b(?:that|que|qu)\s+(?:\w+\s+)?$"
)
_BE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|could|will|would|can|est|sont|ont|sera|seront|etait|etaient|"
    r"peut|doit|va|vont)\b"
)


def _own_clause(folded: str, first: int, verb: int) -> int:
    """Leave out a clause that has its own verb and stands before the subject's."""
    spent = [m.end() for m in _BE.finditer(folded, first, verb)]
    if not spent:
        return first
    comma = folded.rfind(",", spent[-1], verb)
    if comma < 0:
        return verb
    rest = folded[comma + 1 : verb].strip()
    relative = re.search(r"\b(?:qui|who|dont|whose|que|which)\b", folded[first:verb])
    return first if not rest and relative else comma + 1


def _said(folded: str, told: Attribution, start: int, end: int) -> Attribution:
    while start < end and folded[start] in " ,:\n":
        start += 1
    while end > start and folded[end - 1] in " ,.;\n":
        end -= 1
    return Attribution(told.role, told.subject, start, end)
