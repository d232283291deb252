"""Figures as sentences, in French and English. A verb of change stands only where a test holds."""

from collections.abc import Sequence

from dsn_nlp.analyse.alerts import COLLAPSE, SURGE, Alert
from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.curve import Curve, LevelChange
from dsn_nlp.analyse.days import day, period
from dsn_nlp.analyse.estimates import NET
from dsn_nlp.analyse.headings import label_name
from dsn_nlp.analyse.tables import ChangeRow, Estimate
from dsn_nlp.records import Language

# What is spoken of, and whether it takes a plural verb.
_FRENCH = {
    "training": ("les plaintes de formation", True),
    "security": ("les plaintes de sécurité", True),
    "administrative_burden": ("les plaintes de fardeau administratif", True),
    "technical_failure": ("les plaintes de défaillance technique", True),
    "patient_care": ("les plaintes touchant les soins", True),
    "negative": ("les passages négatifs", True),
    "neutral": ("les passages neutres", True),
    "positive": ("les passages positifs", True),
    NET: ("le ton net", False),
}
_ENGLISH = {
    "training": ("training complaints", True),
    "security": ("security complaints", True),
    "administrative_burden": ("administrative burden complaints", True),
    "technical_failure": ("technical failure complaints", True),
    "patient_care": ("patient care complaints", True),
    "negative": ("negative passages", True),
    "neutral": ("neutral passages", True),
    "positive": ("positive passages", True),
    NET: ("net sentiment", False),
}
_VERBS = {
    ("fr", "falls"): ("reculent", "recule"),
    ("fr", "rises"): ("augmentent", "augmente"),
    ("en", "falls"): ("are down", "is down"),
    ("en", "rises"): ("are up", "is up"),
}
_PAST = {
    ("fr", "falls"): ("ont reculé", "a reculé"),
    ("fr", "rises"): ("ont augmenté", "a augmenté"),
    ("en", "falls"): ("fell", "fell"),
    ("en", "rises"): ("rose", "rose"),
}
_ELIDED = ("Hôpital", "Hôtel", "Institut", "Établissement")
_MASCULINE = ("CLSC", "CHSLD", "CIUSSS", "CISSS", "CHU", "CHUM", "CUSM", "Centre", "Pavillon")


def curve_sentences(curve: Curve, lang: Language) -> list[str]:
    """Say what a curve shows: its changes that hold, the last one first, or that there is none.

    :return: none where nothing may be shown.
    """
    if not curve.levels:
        return []
    if not curve.changes:
        return [_unchanged(curve, lang)]
    last, *earlier = reversed(curve.changes)
    return [
        _changed(curve, last, lang, _VERBS),
        *(_changed(curve, c, lang, _PAST) for c in earlier),
    ]


def change_sentence(row: ChangeRow, lang: Language, place: str | None = None) -> str | None:
    """Say that a share rises or falls from one period to the next; ``None`` where it does not.

    :param place: a site; the whole of what was asked about by default.
    """
    if row.verdict not in ("rises", "falls") or row.first is None or row.second is None:
        return None
    subject, verb = _subject(row.label, lang, _VERBS, row.verdict)
    first, second = share(row.first, row.label, lang), share(row.second, row.label, lang)
    where = at(place, lang)
    if lang == "fr":
        return f"{where}, {subject} {verb} : de {first} à {second}."
    return f"{where}, {subject} {verb}: from {first} to {second}."


def share(estimate: Estimate, label: str, lang: Language) -> str:
    """Write a share with its interval: ``31 % [27–35]``; net sentiment as points, signed."""
    numbers = [round(100 * v) for v in (estimate.value, estimate.low, estimate.high)]
    if label == NET:
        value, low, high = (f"{n:+d}".replace("-", "−") if n else "0" for n in numbers)
        return f"{value} [{low} à {high}]" if lang == "fr" else f"{value} [{low} to {high}]"
    value, low, high = map(str, numbers)
    # A no-break space before the sign in French, none in English.
    sign = "\u00a0%" if lang == "fr" else "%"
    return f"{value}{sign} [{low}–{high}]"


def at(site: str | None, lang: Language) -> str:
    """Write "at a site" as a sentence begins: ``À Jean-Talon``, ``Au CLSC d'Ahuntsic``."""
    if site is None:
        return "Dans l'ensemble" if lang == "fr" else "Overall"
    name = short_name(site)
    if lang == "en":
        return f"At {name}"
    if name.startswith(_ELIDED):
        return f"À l'{name}"
    return f"Au {name}" if name.split(" ", maxsplit=1)[0] in _MASCULINE else f"À {name}"


def short_name(site: str) -> str:
    """Leave out "Hôpital" where the rest is a proper name: Hôpital Jean-Talon, but not du …"""
    rest = site.removeprefix("Hôpital ")
    return rest if rest[:1].isupper() else site


def _changed(
    curve: Curve,
    change: LevelChange,
    lang: Language,
    verbs: dict[tuple[str, str], tuple[str, str]],
) -> str:
    subject, verb = _subject(curve.label, lang, verbs, change.verdict)
    before = share(change.before.share, curve.label, lang)
    after = share(change.after.share, curve.label, lang)
    where, now = at(curve.site, lang), verbs is _VERBS
    if lang == "fr":
        when = "depuis la semaine" if now else "à la semaine"
        return f"{where}, {subject} {verb} {when} {change.week} : de {before} à {after}."
    when = "since week" if now else "in week"
    return f"{where}, {subject} {verb} {when} {change.week}: from {before} to {after}."


def _unchanged(curve: Curve, lang: Language) -> str:
    shown = [p for p in curve.points if p.share is not None]
    where, subject = at(curve.site, lang), _subject(curve.label, lang, _VERBS, "rises")[0]
    figure = share(curve.levels[0].share, curve.label, lang)
    if lang == "fr":
        weeks = f"{len(shown)} semaine{'s' if len(shown) > 1 else ''}"
        return f"{where}, aucun changement démontré pour {subject} : {figure} sur {weeks}."
    weeks = f"{len(shown)} week{'s' if len(shown) > 1 else ''}"
    return f"{where}, no demonstrated change in {subject}: {figure} over {weeks}."


def _subject(
    label: str, lang: Language, verbs: dict[tuple[str, str], tuple[str, str]], verdict: str
) -> tuple[str, str]:
    subject, plural = (_FRENCH if lang == "fr" else _ENGLISH)[label]
    return subject, verbs[lang, verdict][0 if plural else 1]


def sentences(curves: Sequence[Curve], lang: Language) -> list[str]:
    """What a set of curves shows: changes first, then what has not changed."""
    changed = [curve for curve in curves if curve.changes]
    rest = [curve for curve in curves if not curve.changes]
    return [line for curve in (*changed, *rest) for line in curve_sentences(curve, lang)]


def alert_sentence(alert: Alert, lang: Language) -> str:
    """Say what stands out, where, and against what."""
    place = None if alert.subject == TOTAL else alert.subject
    when = period(alert.since, alert.until, lang)
    if alert.kind == SURGE:
        subject = (_FRENCH if lang == "fr" else _ENGLISH)[alert.label][0]
        before, now = share(alert.before, alert.label, lang), share(alert.now, alert.label, lang)
        if lang == "fr":
            return (
                f"{at(place, lang)}, {subject} montent {when} : {now}, contre {before} auparavant."
            )
        return f"{at(place, lang)}, {subject} surge {when}: {now}, against {before} before."
    if alert.kind == COLLAPSE:
        few, usual = f"{alert.now.value:.0f}", f"{alert.before.value:.0f}"
        if lang == "fr":
            return (
                f"La source « {alert.subject} » se tait : au plus {few} documents {when}, "
                f"contre {usual} par semaine d'habitude."
            )
        return (
            f"The source “{alert.subject}” falls silent: at most {few} documents "
            f"{when}, against {usual} a week as a rule."
        )
    index = f"{alert.now.value:.2f}"
    if lang == "fr":
        return (
            f"Les probabilités de « {label_name(alert.label, lang)} » dérivent depuis le "
            f"{day(alert.since, lang)} (indice de stabilité {index.replace('.', ',')}) : "
            "faire relire des passages récents."
        )
    return (
        f"Probabilities of “{label_name(alert.label, lang)}” drift since {day(alert.since, lang)} "
        f"(stability index {index}): have recent passages reviewed."
    )
