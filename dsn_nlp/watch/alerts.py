"""What the watch of a night says: a code, numbers and one line in French and in English."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dsn_nlp.records import Language
from dsn_nlp.wordings import translated

Level = Literal["notice", "alarm"]

# One line each: what was seen, and what to do.
WORDS: dict[str, tuple[str, str]] = {
    "volume": (
        "source {subject} : {tonight} documents, contre {usual} d'habitude ; vérifiez l'adresse du "
        "fil ou le dépôt, puis relancez la nuit",
        "source {subject}: {tonight} documents where {usual} are usual; check the feed's address "
        "or the delivery, then run the night again",
    ),
    "source-away": (
        "source {subject} : illisible cette nuit ({reason}) ; voyez ses rejets et ses colonnes",
        "source {subject}: could not be read tonight ({reason}); look at its rejections and its "
        "columns",
    ),
    "rejections": (
        "source {subject} : {tonight} rejets pour {taken} documents, bien plus que d'habitude ; "
        "le format a peut-être changé",
        "source {subject}: {tonight} rejections for {taken} documents, far more than usual; its "
        "format may have changed",
    ),
    "rate": (
        "plainte {subject} : {tonight:.1%} des passages, soit {ratio:.1f} fois la part habituelle "
        "; relisez quelques passages avant de publier",
        "complaint {subject}: {tonight:.1%} of passages, {ratio:.1f} times the usual share; read "
        "some passages before publishing",
    ),
    "one-sentiment": (
        "{share:.0%} des passages sont « {subject} » : le modèle répond peut-être toujours la même "
        "chose ; dsn-nlp doctor, puis dsn-nlp models list",
        "{share:.0%} of passages are '{subject}': the model may give one answer to all; run "
        "dsn-nlp doctor, then dsn-nlp models list",
    ),
    "languages": (
        "langues : {tonight:.0%} de passages en français, contre {usual:.0%} d'habitude ; vérifiez "
        "la langue des sources",
        "languages: {tonight:.0%} of passages in French, where {usual:.0%} is usual; check the "
        "sources' language",
    ),
    "drift-nights": (
        "dérive de {subject} par rapport aux 28 dernières nuits (indice {psi:.2f}, hasard "
        "{chance:.1%})",
        "drift of {subject} from the last 28 nights (index {psi:.2f}, chance {chance:.1%})",
    ),
    "drift-training": (
        "dérive de {subject} par rapport à l'entraînement (indice {psi:.2f}, hasard {chance:.1%}) "
        "; annotez-en quelques passages",
        "drift of {subject} from training (index {psi:.2f}, chance {chance:.1%}); annotate some of "
        "its passages",
    ),
}


@dataclass(frozen=True)
class Alert:
    """One thing that the watch of a night has seen.

    :ivar code: key of ``WORDS``.
    :ivar level: an alarm may hold the night; a notice never does.
    :ivar subject: source, label or sentiment it is about.
    :ivar numbers: what the line quotes.
    """

    code: str
    level: Level
    subject: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def line(self, lang: Language) -> str:
        """Write it on one line."""
        wording = WORDS[self.code][0 if lang == "fr" else 1]
        numbers = {k: translated(v, lang) if k == "reason" else v for k, v in self.numbers.items()}
        return wording.format(subject=self.subject, **numbers)

    def record(self) -> dict[str, Any]:
        """Write it as the store keeps it."""
        return {**asdict(self), "numbers": dict(self.numbers)}


def read_alert(record: Mapping[str, Any]) -> Alert:
    """Read back what :meth:`Alert.record` wrote."""
    return Alert(record["code"], record["level"], record["subject"], record["numbers"])
