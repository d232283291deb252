"""One set of comments in every encoding, declared right, wrong and not at all.

Read right means: the text comes out as written, after normalising. What cannot be is listed.
"""

import itertools

import ftfy.badness
import pytest

from dsn_nlp.config import CommentSource
from dsn_nlp.gather.charsets import REPLACEMENT
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.records import Comment

KEY = b"a key of the tests only"
# Latin-1 has no œ, no curly quote and no euro: what it can hold is in the other texts.
LATIN = [
    "Le système est tombé à l'urgence, « encore » une fois, ça m'écoeure",
    "Très bien, ça marche là où c'était cassé ; merci à l'équipe",
    "Déjà 3 pannes cette semaine, dès 7 h 30, à Sept-Îles",
    "The screen froze again, café and naïve users alike",
]
RICH = [
    "Le cœur du problème : l’écran gèle, « encore », et ça coûte 1 000 €…",
    "J’ai dû tout refaire — deux fois — à l’unité, c’est “fini”",
    *LATIN,
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "mac_roman"]
DECLARED = [None, "utf-8", "cp1252", "utf-16", "mac_roman", "latin-1"]


def read_back(path, texts, encoding, declared):
    body = "texte\n" + "".join(f'"{text}"\n' for text in texts)
    path.write_bytes(body.encode(encoding))
    fields = {"name": "s", "path": path, "columns": {"text": ["texte"]}, "encoding": declared}
    found = list(read_comments(CommentSource.model_validate(fields), KEY))
    return [f.text if isinstance(f, Comment) else None for f in found]


def is_impossible(encoding, declared):
    """Whoever declares one of the two one-byte encodings wrongly is believed: bytes cannot tell."""
    single = {"cp1252", "latin-1"}
    return (encoding in single and declared == "mac_roman") or (
        encoding == "mac_roman" and declared in single
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_charsets(tmp_path, encoding):
    texts = LATIN if encoding == "latin-1" else RICH
    wrong = []
    for declared, size in itertools.product(DECLARED, (1, len(texts))):
        if is_impossible(encoding, declared):
            continue
        for first in range(len(texts) if size == 1 else 1):
            given = texts[first : first + size]
            got = read_back(tmp_path / "c.csv", given, encoding, declared)
            if got != given:
                wrong.append((declared, size, got))
            told = "".join(text or "" for text in got)
            assert REPLACEMENT not in told
            assert ftfy.badness.badness(told) == 0
    assert wrong == []


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_damage_done_before_is_repaired(tmp_path, encoding):
    damaged = [text.encode().decode("cp1252", "ignore") for text in LATIN[:2]]
    text = "L’équipe écoute — « enfin »".encode().decode("cp1252")
    got = read_back(tmp_path / "c.csv", [*damaged, text], encoding, None)
    assert got[2] == "L’équipe écoute — « enfin »"
    assert "Ã©" not in "".join(map(str, got))
