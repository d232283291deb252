"""Which voice a commenter's role, as given in a survey, speaks with."""

import re
from functools import lru_cache

from dsn_nlp.prepare.voice_roles import fold_in_place, role_of

# The two sides of the divide index.
CARE = ("care_staff", "physician")
DIRECTION = ("management", "ministry")
_DOCTOR = re.compile(r"physician|medecin|doctor|omnipraticien")


@lru_cache(maxsize=4096)
def trade_of(role: str | None) -> str | None:
    """Tell the voice of a role as given: ``Infirmière`` and ``Nurse`` are ``care_staff``.

    :return: one of ``dsn_nlp.prepare.voice_roles.ROLES``; ``None`` where there is no role,
        ``unknown`` where the lexicon does not know it.
    """
    if not role:
        return None
    folded = fold_in_place(role)
    told = role_of(folded) or "unknown"
    # "Family physician": in a survey of staff nobody answers as a relative.
    return "physician" if told == "patient_or_family" and _DOCTOR.search(folded) else told
