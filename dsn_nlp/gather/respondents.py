"""Keyed hashes that stand for people and for texts: findable with the key, and only with it."""

import hashlib
import hmac

from dsn_nlp.config import CommentSource
from dsn_nlp.text import normalise


def keyed(key: bytes, *parts: str) -> bytes:
    """Hash parts under the comments key (HMAC-SHA256, 32 bytes)."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest()


def respondent_key(source: CommentSource, key: bytes, written: str) -> str:
    """Name a respondent by the identifier that stands in an export.

    The same person has the same name in every source that shares ``respondents``; case and
    spaces do not count. This is how one person's answers are found again, to be erased.

    :param written: what stands in the respondent column, or without one in ``response_id``.
    :return: 32 hexadecimal digits.
    """
    space = source.respondents or source.name
    same = " ".join(normalise(written).casefold().split())
    return keyed(key, "respondent", space, same).hex()[:32]
