"""The invented half-year: who writes, where, on which day, and of what.

Texts are examples of ``corpora/labelled``; dates, sites, roles and people are drawn at random from
one seed. Five sites go live in three waves; training and technical complaints fade as people adapt,
and in the last week confidentiality is in question at one hospital.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from dsn_nlp.errors import CorpusError
from dsn_nlp.records import Kind, Language

FIRST, NIGHTS, SEED = date(2026, 5, 4), 182, 20260509
SCARE_SITE, SCARE_DAYS = "Hôpital Fleury", 7
# Site, its invented go-live, comments on a usual day, share of English, and how fast it adapts.
SITES = (
    ("Hôpital Jean-Talon", date(2026, 5, 9), 9.0, 0.25, 6.0),
    ("Hôpital du Sacré-Cœur-de-Montréal", date(2026, 5, 9), 11.0, 0.30, 9.0),
    ("Hôpital Fleury", date(2026, 5, 9), 8.0, 0.25, 8.0),
    ("Hôpital Sainte-Croix", date(2026, 6, 13), 8.0, 0.10, 5.0),
    ("Hôtel-Dieu d'Arthabaska", date(2026, 9, 12), 7.0, 0.10, 7.0),
)
# Role in French and English, share, and by how much it leans to praise.
ROLES = (
    ("Infirmière", "Nurse", 0.38, 1.0),
    ("Médecin", "Physician", 0.16, 0.8),
    ("Préposée aux bénéficiaires", "Orderly", 0.14, 1.0),
    ("Pharmacienne", "Pharmacist", 0.08, 1.0),
    ("Agente administrative", "Clerk", 0.12, 0.9),
    ("Gestionnaire", "Manager", 0.12, 3.0),
)
SOURCES = {"fr": "demo-sondage", "en": "demo-survey"}
PAPERS = {"fr": "demo-courrier-du-nord", "en": "demo-st-maurice-gazette"}
POSITIVE, NEUTRAL = "positive", "neutral"
_PLACE = re.compile(r"h[ôo]pital (?:d|[A-ZS])|hôtel-dieu|hospital|CLSC|CHSLD|CIUSSS|CISSS", re.I)
_PEOPLE_A_SITE = 220


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled example of the corpora."""

    key: str
    lang: Language
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One invented document: a comment of one example, or an article of several."""

    number: int
    kind: Kind
    source: str
    lang: Language
    day: date
    examples: tuple[Example, ...]
    site: str | None = None
    role: str | None = None
    person: str | None = None


class Pools:
    """Examples by kind, language and what they complain of, each dealt once before any again."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self._rng = rng
        self._pools: dict[tuple[str, str, str], list[Example]] = defaultdict(list)
        self._dealt: dict[tuple[str, str, str], int] = defaultdict(int)
        for key, example in _read(folder):
            self._pools[key].append(example)
        for pool in self._pools.values():
            rng.shuffle(pool)

    def deal(self, kind: str, lang: str, theme: str) -> Example:
        """Give the next example."""
        key = (kind, lang, theme)
        pool = self._pools[key]
        self._dealt[key] += 1
        return pool[(self._dealt[key] - 1) % len(pool)]


def tell_story(folder: Path, nights: int = NIGHTS, scale: float = 1.0) -> list[list[Piece]]:
    """Invent what each night brings, in order; the same every time.

    :param folder: of labelled examples.
    :param nights: the last so many of the half-year.
    :param scale: how much is written, in shares of the usual.
    :raises CorpusError: when there are no examples.
    """
    rng = np.random.default_rng(SEED)
    pools = Pools(folder, rng)
    number, told = 0, []
    for night in range(NIGHTS - nights, NIGHTS):
        day = FIRST + timedelta(days=night)
        pieces = [*_comments(rng, pools, day, scale), *_articles(rng, pools, day, scale)]
        told.append([_numbered(piece, number + i) for i, piece in enumerate(pieces)])
        number += len(pieces)
    return told


def last_day() -> date:
    """The last day of the half-year."""
    return FIRST + timedelta(days=NIGHTS - 1)


def moods_of(weeks: float, pace: float, praise: float, scare: bool) -> dict[str, float]:
    """How likely a comment is of each theme, so many weeks after go-live; sums to 1."""
    fading = math.exp(-max(weeks, 0) / pace)
    odds = {
        "training": 0.30 * fading + 0.04,
        "technical_failure": 0.22 * fading + 0.08,
        "administrative_burden": 0.12 * fading + 0.15,
        "patient_care": 0.07 * fading + 0.05,
        "security": 0.45 if scare else 0.045,
        POSITIVE: (0.06 + 0.22 * (1 - fading)) * praise,
        NEUTRAL: 0.22,
    }
    total = sum(odds.values())
    return {theme: value / total for theme, value in odds.items()}


def is_scare(site: str | None, day: date) -> bool:
    """Whether confidentiality is in question there and then."""
    return site == SCARE_SITE and (last_day() - day).days < SCARE_DAYS


def _comments(rng: np.random.Generator, pools: Pools, day: date, scale: float) -> Iterator[Piece]:
    weekend = 0.45 if day.weekday() >= 5 else 1.0
    shares = [share for *_, share, _ in ROLES]
    for site, golive, usual, english, pace in SITES:
        weeks = (day - golive).days / 7
        if weeks < 0:
            continue
        scare = is_scare(site, day)
        busy = (1 + 0.8 * math.exp(-weeks / 4)) * weekend * (1.8 if scare else 1.0)
        for _ in range(int(rng.poisson(usual * busy * scale))):
            lang: Language = "en" if rng.random() < english else "fr"
            place = int(rng.choice(len(ROLES), p=shares))
            french, other, _, praise = ROLES[place]
            theme = _draw(rng, moods_of(weeks, pace, praise, scare))
            person = f"demo {site} {place} {int(rng.integers(int(_PEOPLE_A_SITE * shares[place])))}"
            example = pools.deal("comment", lang, theme)
            yield Piece(
                0, "comment", SOURCES[lang], lang, day, (example,), site,
                french if lang == "fr" else other, person,
            )  # fmt: skip


def _articles(rng: np.random.Generator, pools: Pools, day: date, scale: float) -> Iterator[Piece]:
    """The press tells what the staff tell, later and with less praise."""
    scare = is_scare(SCARE_SITE, day)
    weeks = (day - SITES[0][1]).days / 7 - 2
    for _ in range(int(rng.poisson((4.5 if scare else 2.4) * scale))):
        lang: Language = "en" if rng.random() < 0.4 else "fr"
        moods = moods_of(weeks, 10.0, 0.7, scare)
        size = int(rng.integers(2, 5))
        cut = tuple(pools.deal("news", lang, _draw(rng, moods)) for _ in range(size))
        yield Piece(0, "article", PAPERS[lang], lang, day, cut)


def _draw(rng: np.random.Generator, odds: dict[str, float]) -> str:
    return str(rng.choice(list(odds), p=list(odds.values())))


def _numbered(piece: Piece, number: int) -> Piece:
    from dataclasses import replace

    return replace(piece, number=number)


def _read(folder: Path) -> Iterator[tuple[tuple[str, str, str], Example]]:
    """Examples that name no establishment: they are about to be put in another."""
    files: Sequence[Path] = sorted(folder.glob("*.jsonl"))
    if not files:
        raise CorpusError(f"{folder}: no labelled examples there; the demonstration needs them")
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["kind"] == "comment" and _PLACE.search(row["text"]):
                continue
            theme = row["complaints"][0] if row["complaints"] else row["sentiment"]
            if theme == "negative":
                continue
            example = Example(row["id"], row["lang"], row["text"])
            yield (row["kind"], row["lang"], theme), example
