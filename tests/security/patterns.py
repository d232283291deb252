"""Collects every regular expression of the package and tries each on strings meant to hang it.

As a program it prints one JSON line a pattern that took more than ``SECONDS`` of processor time on
some string of 100,000 characters, and at the end how many patterns and strings were tried.
"""

import ast
import importlib
import json
import pkgutil
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import dsn_nlp

LENGTH = 100_000
SECONDS = 3.0
PACKAGE = Path(dsn_nlp.__file__).parent
# Atoms that, repeated, make loops within loops meet.
ATOMS = ("a", "1", " ", "\n", ".", "-", "a@", "a.", "a ", "1 ", "a-", "A. ", "a'a ", "http://a")
# Patterns that are only ever applied at one place cannot start over at each character.
ANCHORED = {"match", "fullmatch"}


class _TooSlow(Exception):
    pass


@dataclass
class Found:
    """One pattern: where it was met, and by which methods it is applied."""

    place: str
    methods: set[str] = field(default_factory=set)

    @property
    def anchored(self) -> bool:
        return bool(self.methods) and self.methods <= ANCHORED


def collected() -> dict[tuple[str, int], Found]:
    """Every pattern and its flags: written out, built from word lists, or read from TOML."""
    found: dict[tuple[str, int], Found] = {}
    compile_ = re._compile  # type: ignore[attr-defined]

    def listen(pattern: object, flags: int) -> object:
        frame, called = sys._getframe(1), ""
        while frame.f_code.co_filename == re.__file__ and frame.f_back:
            frame, called = frame.f_back, frame.f_code.co_name
        place = Path(frame.f_code.co_filename)
        if isinstance(pattern, str) and PACKAGE in place.parents:
            own = found.setdefault((pattern, int(flags)), Found(str(place.relative_to(PACKAGE))))
            own.methods |= _uses(place, frame.f_lineno) if called == "compile" else {called}
        return compile_(pattern, flags)

    re._compile = listen  # type: ignore[attr-defined]
    try:
        _import_all()
        _build_all()
    finally:
        re._compile = compile_  # type: ignore[attr-defined]
    for path in PACKAGE.rglob("*.py"):
        for pattern, method in _written(path):
            if method != "compile":
                own = found.setdefault((pattern, 0), Found(str(path.relative_to(PACKAGE))))
                own.methods.add(method)
    return found


@lru_cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _uses(path: Path, line: int) -> set[str]:
    """By which methods the name that is given a pattern on a line is used in its module."""
    names = {
        target.id
        for node in _tree(path).body
        if isinstance(node, ast.Assign) and node.lineno <= line <= (node.end_lineno or line)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    methods = {
        node.attr
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
    }
    return methods or {"unknown"}


def _import_all() -> None:
    elsewhere = (".modelling", ".migrations", ".__main__")
    for module in pkgutil.walk_packages([str(PACKAGE)], "dsn_nlp."):
        if not any(part in module.name for part in elsewhere):
            importlib.import_module(module.name)


def _build_all() -> None:
    """Use what builds its patterns from word lists when it is first used."""
    from typer.testing import CliRunner

    from dsn_nlp.cli import app
    from dsn_nlp.prepare.deidentify import deidentifier

    deidentifier().redact("Demandez à Mme Tremblay, poste 4521, née le 3 mai 1960.", "fr")
    deidentifier().redact("Ask Dr. Smith, ext. 4521.", "en")
    text = json.dumps(
        {"text": "Selon la docteure Roy, du CHUM, « le DSN gèle ».", "kind": "article"}
    )
    CliRunner().invoke(app, ["prepare", "-"], input=text + "\n")


def _written(path: Path) -> Iterator[tuple[str, str]]:
    """Literals given to functions of ``re``, called or not, and which function."""
    for node in ast.walk(_tree(path)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.args[0].value, node.func.attr


def strings(pattern: str) -> list[str]:
    """Strings to try: each atom over and over, and the pattern's own words over and over."""
    words = re.findall(r"[^\W_]{2,}", re.sub(r"\\.", " ", pattern))[:400]
    own = [" ".join(words) + " ", "".join(words[:8]), *words[:2]]
    every = [*ATOMS, *(piece for piece in own if piece.strip())]
    return [(atom * (LENGTH // len(atom) + 1))[:LENGTH] for atom in every]


def slowest(pattern: re.Pattern[str], anchored: bool) -> tuple[float, str, int]:
    """Processor seconds of the worst string, its start, and how many were tried."""

    def stop(*_: object) -> None:
        raise _TooSlow

    worst, where, tried = 0.0, "", 0
    signal.signal(signal.SIGVTALRM, stop)
    for text in strings(pattern.pattern):
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            pattern.fullmatch(text)
            pattern.match(text)
            for _ in () if anchored else pattern.finditer(text):
                pass
        except _TooSlow:
            return SECONDS, text[:20], tried + 1
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        tried += 1
        took = time.process_time() - started
        if took > worst:
            worst, where = took, text[:20]
    return worst, where, tried


def main() -> None:
    patterns = collected()
    tried, worst = 0, 0.0
    for (source, flags), own in sorted(patterns.items(), key=lambda found: found[1].place):
        if sys.argv[1:] and own.place not in sys.argv[1:]:
            continue
        took, where, count = slowest(re.compile(source, flags), own.anchored)
        tried += count
        if took >= SECONDS:
            print(json.dumps({"place": own.place, "pattern": source, "on": where}), flush=True)
        else:
            worst = max(worst, took)
    print(json.dumps({"patterns": len(patterns), "tried": tried, "worst": round(worst, 3)}))


if __name__ == "__main__":
    main()
