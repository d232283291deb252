"""The demonstration: the same story every time, in a folder of its own."""

from pathlib import Path

import pytest

from dsn_nlp.demo.build import build_demo
from dsn_nlp.demo.story import NIGHTS, SCARE_SITE, SITES, is_scare, last_day, tell_story
from dsn_nlp.errors import InputError
from tests.conftest import ROOT

CORPUS = ROOT / "corpora" / "labelled"


def test_the_story_is_half_a_year_and_always_the_same() -> None:
    told = tell_story(CORPUS)
    assert len(told) == NIGHTS == 182
    assert told == tell_story(CORPUS)
    pieces = [piece for night in told for piece in night]
    assert {piece.site for piece in pieces} == {None, *(site for site, *_ in SITES)}
    golive = {site: day for site, day, *_ in SITES}
    assert all(piece.site is None or piece.day >= golive[piece.site] for piece in pieces)
    assert {piece.kind for piece in pieces} == {"article", "comment"}
    assert all(piece.source.startswith("demo-") for piece in pieces)
    assert is_scare(SCARE_SITE, last_day())
    assert len({e.key for piece in pieces for e in piece.examples}) < 9000


def test_it_never_overwrites_something_else(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(InputError, match="holds something else"):
        build_demo(tmp_path, ROOT / "models", CORPUS, 1)
    assert (tmp_path / "precious").exists()
