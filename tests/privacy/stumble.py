"""Runs the command line with one function of one stage made to fail, its message full of text.

``stumble.py MODULE:NAME dsn-nlp-words…``: the function raises what it was given, as a foreign
library would that quotes its input. Nothing of ours is replaced, but that it fails.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stumbling(place: str) -> Iterator[list[str]]:
    """Make ``module:Class.method`` or ``module:function`` raise with its arguments' text.

    :return: the messages of the failures there were.
    """
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    told: list[str] = []

    def stumble(*args: object, **kwargs: object) -> None:
        heard = [_words(value) for value in (*args, *kwargs.values())]
        told.append(f"cannot cope with {heard} in {name}")
        raise RuntimeError(told[-1])

    right = getattr(owner, name)
    setattr(owner, name, stumble)
    try:
        yield told
    finally:
        setattr(owner, name, right)


def _words(value: object, depth: int = 3) -> object:
    """All text in reach of a value, as a careless library would print it."""
    if isinstance(value, str | bytes | int | float) or value is None or not depth:
        return value
    if isinstance(value, list | tuple | set):
        return [_words(one, depth - 1) for one in list(value)[:50]]
    names = getattr(type(value), "__slots__", None) or getattr(value, "__dict__", {})
    return [_words(getattr(value, str(name), None), depth - 1) for name in list(names)[:30]]


if __name__ == "__main__":
    with stumbling(sys.argv[1]):
        sys.argv = ["dsn-nlp", *sys.argv[2:]]
        from dsn_nlp.cli import main

        main()
