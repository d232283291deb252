"""Text normalising, hashing and telling French from English."""

import hashlib
import re
import threading
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from dsn_nlp.records import Language

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Below about 20 letters the identifier guesses; the document's language is the better guess.
MIN_LETTERS = 20
# Log-odds that a passage must gain over its document's language to be called the other one.
# 4.0 keeps 99.99 % right with a right prior and 99.92 % with a wrong one (9,140 passages).
SWITCH_MARGIN = 4.0

_loading = threading.Lock()
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ud800-\udfff]")
# Without what stands before, a long run of spaces would be tried again from each of them.
_SPACES_AT_LINE_END = re.compile(r"(?<![ \t])[ \t]+\n")


def normalise(text: str) -> str:
    """Bring text to the form that is stored: NFC, ``\\n`` line ends, no control characters,
    no halves of surrogate pairs (which no database takes).

    Curly quotes, non-breaking spaces and guillemets stay as written.
    """
    import ftfy

    repaired = ftfy.fix_encoding(text)
    unified = _CONTROL.sub("", repaired.replace("\r\n", "\n").replace("\r", "\n"))
    # Composed last: what stood between a letter and its accent is gone by now.
    return _SPACES_AT_LINE_END.sub("\n", unicodedata.normalize("NFC", unified)).strip()


def content_id(*parts: str) -> str:
    """Derive a 32-digit hexadecimal id from its parts, the same on every machine."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _identifier() -> "LanguageIdentifier":
    with _loading:  # threads that come at once must not each load the model
        return _load_identifier()


@lru_cache(maxsize=1)
def _load_identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(["fr", "en"])
    return identifier


def tell_language(text: str, prior: Language | None = None) -> Language:
    """Tell whether most of a text is French or English.

    :param text: a passage or a document.
    :param prior: the language of the document around it; it wins on short or balanced text.
    """
    letters = sum(map(str.isalpha, text))
    if letters == 0 or (prior is not None and letters < MIN_LETTERS):
        return prior or "fr"
    scores = dict(_identifier().rank(text))
    if prior is not None:
        scores[prior] += SWITCH_MARGIN
    return "fr" if scores["fr"] >= scores["en"] else "en"
