"""The language of screens: French first, English no less complete.

``DSN_NLP_LANG`` (``fr`` or ``en``) decides; without it the locale does; else French.
"""

import os
from functools import lru_cache

from dsn_nlp.records import Language


@lru_cache(maxsize=1)
def screen_language() -> Language:
    """Tell which language the terminal is spoken to in."""
    asked = os.environ.get("DSN_NLP_LANG", "").lower()[:2]
    if asked in ("fr", "en"):
        return "fr" if asked == "fr" else "en"
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    return "en" if locale.lower().startswith("en") else "fr"


def either(french: str, english: str) -> str:
    """Return the wording of the screen's language."""
    return french if screen_language() == "fr" else english
