"""What the columns of tables are called and mean, in French and English."""

from collections.abc import Sequence
from dataclasses import dataclass

from dsn_nlp.analyse.tables import About
from dsn_nlp.label.names import LABEL_NAMES
from dsn_nlp.records import Language


@dataclass(frozen=True, slots=True)
class Heading:
    """Name and meaning of a column in both languages."""

    fr: str
    en: str
    meaning_fr: str
    meaning_en: str

    def name(self, lang: Language) -> str:
        """What stands above the column."""
        return self.fr if lang == "fr" else self.en

    def meaning(self, lang: Language) -> str:
        """What stands in it."""
        return self.meaning_fr if lang == "fr" else self.meaning_en


_LOW = ("borne basse de l'intervalle à 95 %", "lower end of the 95% interval")
_HIGH = ("borne haute de l'intervalle à 95 %", "upper end of the 95% interval")
_Q = (
    "taux de fausses découvertes auquel l'écart est tenu pour réel (Benjamini-Hochberg)",
    "false discovery rate at which the difference is told (Benjamini-Hochberg)",
)
HEADINGS: dict[str, Heading] = {
    "day": Heading("jour", "day", "jour, heure du Québec", "day, Québec time"),
    "week": Heading("semaine", "week", "lundi de la semaine", "Monday of the week"),
    "month": Heading("mois", "month", "premier jour du mois", "first day of the month"),
    "since_golive": Heading(
        "semaine depuis la mise en service", "week since go-live",
        "semaines entières depuis la mise en service du site, à partir de 0",
        "whole weeks since the site's go-live, from 0",
    ),
    "site": Heading("établissement", "site", "établissement de santé", "health establishment"),
    "role": Heading("rôle", "role", "rôle tel que donné au sondage", "role as given in a survey"),
    "source": Heading("source", "source", "source configurée", "source as configured"),
    "kind": Heading("nature", "kind", "article ou commentaire", "article or comment"),
    "lang": Heading("langue", "language", "fr ou en, du passage", "fr or en, of the passage"),
    "voice": Heading(
        "voix", "voice", "qui parle : voix citée, ou métier de qui commente",
        "who speaks: a voice quoted, or the trade of who comments",
    ),
    "group": Heading("groupe", "group", "groupe", "group"),
    "label": Heading(
        "étiquette", "label", "plainte ou ton ; « net » : positif moins négatif",
        "complaint or sentiment; net: positive less negative",
    ),
    "passages": Heading(
        "passages", "passages", "passages, quasi-copies comptées une fois",
        "passages, near-copies counted once",
    ),
    "documents": Heading("documents", "documents", "documents distincts", "distinct documents"),
    "respondents": Heading(
        "répondants", "respondents", "personnes distinctes derrière les commentaires",
        "distinct people behind the comments",
    ),
    "told": Heading(
        "repérés", "told", "passages auxquels le modèle donne l'étiquette",
        "passages that the model gives the label",
    ),
    "counted": Heading(
        "part brute", "counted share", "part comptée, biaisée par les erreurs du modèle",
        "plain share, biased by the model's errors",
    ),
    "share": Heading(
        "part corrigée", "corrected share", "part corrigée des erreurs mesurées du modèle",
        "share corrected for the model's measured errors",
    ),
    "share_low": Heading("part, bas", "share, low", *_LOW),
    "share_high": Heading("part, haut", "share, high", *_HIGH),
    "first": Heading("premier", "first", "part dans le premier groupe", "share in the first"),
    "first_low": Heading("premier, bas", "first, low", *_LOW),
    "first_high": Heading("premier, haut", "first, high", *_HIGH),
    "second": Heading("second", "second", "part dans le second groupe", "share in the second"),
    "second_low": Heading("second, bas", "second, low", *_LOW),
    "second_high": Heading("second, haut", "second, high", *_HIGH),
    "difference": Heading("écart", "difference", "second moins premier", "second less first"),
    "difference_low": Heading("écart, bas", "difference, low", *_LOW),
    "difference_high": Heading("écart, haut", "difference, high", *_HIGH),
    "q": Heading("q", "q", *_Q),
    "verdict": Heading(
        "verdict", "verdict",
        "rises (hausse), falls (recul), new (nouveau) ou steady (rien de démontré)",
        "rises, falls, new or steady (nothing demonstrated)",
    ),
    "other": Heading("avec", "with", "autre plainte", "other complaint"),
    "both": Heading("ensemble", "both", "passages avec les deux", "passages with both"),
    "expected": Heading(
        "attendu", "expected", "passages attendus si les deux étaient indépendantes",
        "passages expected were both independent",
    ),
    "lift": Heading("rapport", "lift", "ensemble / attendu", "both / expected"),
    "words": Heading("mots", "words", "mots", "words"),
    "elsewhere": Heading("ailleurs", "elsewhere", "passages sans l'étiquette", "without the label"),
    "z": Heading(
        "z", "z", "rapport de cotes pondéré, en erreurs types (Monroe et al. 2008)",
        "weighted log-odds, in standard errors (Monroe et al. 2008)",
    ),
    "days": Heading(
        "jours d'avance", "days ahead",
        "avance de la presse sur le personnel, négative quand il la précède ; vide : non démontrée",
        "lead of the press over the staff, negative where they precede it; empty: not demonstrated",
    ),
    "correlation": Heading("corrélation", "correlation", "à cette avance", "at that lead"),
    "recent": Heading("récemment", "recent", "part, derniers jours", "share, last days"),
    "earlier": Heading("avant", "earlier", "part auparavant", "share before"),
    "passage_id": Heading("passage", "passage", "identifiant du passage", "the passage's id"),
    "document_id": Heading("document", "document", "identifiant", "the document's id"),
    "complaints": Heading("plaintes", "complaints", "plaintes repérées", "complaints told"),
    "sentiment": Heading("ton", "sentiment", "ton repéré", "sentiment told"),
    "score": Heading("probabilité", "probability", "selon le modèle", "according to the model"),
    "text": Heading("texte", "text", "texte dépersonnalisé", "de-identified text"),
    "subject": Heading("objet", "subject", "site, source ou modèle", "site, source or model"),
    "since": Heading("du", "from", "premier jour", "first day"),
    "until": Heading("au", "to", "dernier jour", "last day"),
    "before": Heading("auparavant", "before", "niveau auparavant", "level before"),
    "before_low": Heading("auparavant, bas", "before, low", *_LOW),
    "before_high": Heading("auparavant, haut", "before, high", *_HIGH),
    "now": Heading("maintenant", "now", "niveau maintenant", "level now"),
    "now_low": Heading("maintenant, bas", "now, low", *_LOW),
    "now_high": Heading("maintenant, haut", "now, high", *_HIGH),
}  # fmt: skip


# Of a model that carries no error profile: nothing is called corrected that is not.
_AS_COUNTED = Heading(
    "part (non corrigée)", "share (not corrected)",
    "part comptée : le modèle n'a pas de profil d'erreurs pour la corriger",
    "counted share: the model has no error profile to correct it with",
)  # fmt: skip


# What a comparison sets side by side.
_SIDES = {
    "press": ("presse", "press"),
    "staff": ("personnel", "staff"),
    "care_staff": ("personnel soignant", "care staff"),
    "management": ("direction", "management"),
    "before": ("avant", "before"),
    "recent_days": ("derniers jours", "last days"),
}


def heading(column: str, *, corrected: bool = True, sides: Sequence[str] = ()) -> Heading:
    """Name and meaning of a column; its own name where none is written down.

    :param corrected: whether the table's shares are corrected for the model's errors.
    :param sides: of the table, for the columns ``first`` and ``second``.
    """
    which, _, end = column.partition("_")
    if sides and which in ("first", "second"):
        return _of_side(sides[which == "second"], end)
    if column == "share" and not corrected:
        return _AS_COUNTED
    return HEADINGS.get(column, Heading(column, column, column, column))


def _of_side(side: str, end: str) -> Heading:
    """One side's share, or an end of its interval."""
    fr, en = _SIDES[side]
    if not end:
        return Heading(fr, en, f"part : {fr}", f"share: {en}")
    low = end == "low"
    return Heading(f"{fr}, {'bas' if low else 'haut'}", f"{en}, {end}", *(_LOW if low else _HIGH))


def label_name(label: str, lang: Language) -> str:
    """What a label is called on screen."""
    names = LABEL_NAMES | {"net": ("ton net", "net sentiment")}
    return names[label][0 if lang == "fr" else 1] if label in names else label


def about_lines(about: About, lang: Language) -> list[tuple[str, str]]:
    """Say where a table is from, line by line."""
    french = lang == "fr"
    no, yes = ("non", "oui") if french else ("no", "yes")
    rule = (
        f"aucun groupe de moins de {about.respondents} personnes, ni par soustraction"
        if french
        else f"no group of fewer than {about.respondents} people, nor by subtraction"
    )
    published = about.published_at.isoformat(" ", "minutes") if about.published_at else "—"
    period = f"{about.since or '—'} … {about.until or '—'}"
    thresholds = [
        f"{label_name(name, lang)} {value:.2f}".replace(".", "," if french else ".")
        for name, value in about.thresholds
    ]
    return [
        ("Exécution" if french else "Run", about.run_id or "—"),
        ("Publiée (UTC)" if french else "Published (UTC)", published),
        ("Modèle" if french else "Model", about.model or "—"),
        ("Seuils" if french else "Thresholds", "; ".join(thresholds) or "—"),
        ("Parts corrigées" if french else "Corrected shares", yes if about.corrected else no),
        ("Suppression", rule),
        ("Passages", f"{about.passages}"),
        ("Période" if french else "Period", period),
        (
            "Protection",
            "dépersonnalisé, non anonymisé" if french else "de-identified, not anonymised",
        ),
    ]
