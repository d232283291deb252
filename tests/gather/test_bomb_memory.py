"""Resident memory of bombs, each read in a process of its own."""

import pytest

from tests.measure import bombs


@pytest.mark.parametrize("kind", bombs.READERS)
def test_a_bomb_takes_little_resident_memory(kind, tmp_path):
    path = bombs.make(kind, tmp_path / f"b{bombs.SUFFIX.get(kind, '.html')}")
    assert path.stat().st_size < 5_000_000
    found = bombs.in_a_child(kind, path)
    assert found["grown"] < bombs.ALLOWED
    assert found["child"] < bombs.ALLOWED


def test_the_measure_sees_memory_that_is_taken(tmp_path, monkeypatch):
    path = tmp_path / "b.html"
    path.write_bytes(b"x")
    monkeypatch.setitem(bombs.READERS, "html", lambda path: [bytearray(b"x" * 300_000_000)])
    assert bombs.measure("html", path)["grown"] > bombs.ALLOWED
