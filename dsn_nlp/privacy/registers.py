"""The registers the law asks for, and who is at the keyboard.

* communications: Act respecting health and social services information (R-22.1), s. 265.
* incidents: Regulation respecting confidentiality incidents (R-22.1, r. 1, s. 15): eight elements.
* anonymisation: Regulation respecting the anonymization of personal information (A-2.1, r. 0.1),
  s. 9. Nothing this pipeline writes is anonymised; the register is for whoever goes that far.
* processing: written from the settings and the store, never by hand.
"""

import os
from datetime import UTC, datetime
from typing import Any

from dsn_nlp.config import Settings
from dsn_nlp.errors import InputError
from dsn_nlp.privacy.retention import months_kept
from dsn_nlp.store import Store

# Name → (French, English) of every field an entry must have.
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "communication": {
        "date": ("date de la communication", "date of the communication"),
        "nature": ("nature des renseignements", "nature of the information"),
        "recipient": ("destinataire", "recipient"),
        "purpose": ("fin poursuivie", "purpose"),
    },
    "incident": {
        "what": ("renseignements visés", "information concerned"),
        "circumstances": ("circonstances", "circumstances"),
        "occurred": ("date ou période", "date or period"),
        "discovered": ("date de prise de connaissance", "date it became known"),
        "persons": ("nombre de personnes visées", "number of persons concerned"),
        "risk": ("éléments d'évaluation du risque", "elements of the risk assessment"),
        "notices": ("dates des avis transmis", "dates of notices given"),
        "measures": ("mesures prises", "measures taken"),
    },
    "anonymisation": {
        "what": ("renseignements visés", "information concerned"),
        "purposes": ("fins poursuivies", "purposes"),
        "techniques": ("techniques et mesures de protection", "techniques and protection measures"),
        "assessed": ("date de l'analyse de risque", "date of the risk analysis"),
    },
}


def account() -> str:
    """Name the account at the keyboard, as the system knows it and not as it says."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else os.environ.get("USERNAME", "?")


def checked_fields(kind: str, given: list[str]) -> dict[str, str]:
    """Read ``name=value`` pairs of an entry.

    :raises InputError: when the kind is unknown, or a field is unknown, missing or empty.
    """
    if kind not in FIELDS:
        raise InputError(f"no register of '{kind}'; there are {', '.join(FIELDS)}")
    fields: dict[str, str] = {}
    for pair in given:
        name, _, value = pair.partition("=")
        if name not in FIELDS[kind]:
            raise InputError(f"--field {name}: not of this register; {', '.join(FIELDS[kind])}")
        fields[name] = value.strip()
    missing = [name for name in FIELDS[kind] if not fields.get(name)]
    if missing:
        raise InputError(f"these fields are missing: {', '.join(missing)}; add --field NAME=VALUE")
    return fields


def processing(settings: Settings, store: Store) -> list[dict[str, Any]]:
    """Describe what is processed, source by source: what, why, how long, how much there is."""
    counts = store.source_counts()
    articles = {source.name for source in settings.news}
    rows = []
    for source, months in months_kept(settings):
        news = source in articles
        rows.append(
            {
                "source": source,
                "information": "public articles" if news else "staff comments, de-identified",
                "purpose": "study of complaints and sentiment on the Dossier santé numérique",
                "lawful_basis": "public" if news else "A-2.1 s. 65.1 (de-identified; to confirm)",
                "months_kept": months,
                "documents": counts.get(source, 0),
                "automated_decisions": "none",
                "as_of": datetime.now(UTC).date().isoformat(),
            }
        )
    return rows
