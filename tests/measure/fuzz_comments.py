"""Fuzz the readers of comments: mutated CSV, JSON Lines and workbooks, from seeds of each kind.

``python -m tests.measure.fuzz_comments [--inputs N] [--seed S] [--kind xlsx] [--seconds T]``
mutates N inputs of each kind, as far as T seconds reach, and prints how each ended. Only our own
errors may come out, none may quote a planted text, and none may take over 5 s of processor time.
Whatever breaks that is written to ``tests/gather/regressions/``, where the suite reads it from
then on.

Workbooks are read here in this process by the child's own function, since a process an input
would measure mostly the starting of Python; the suite sends some through a child as well.
"""

import argparse
import io
import logging
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.gather.archives import ArchiveError
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.gather.sheet_child import read_workbook
from dsn_nlp.records import Comment
from dsn_nlp.text import normalise, tell_language

KEY = b"a key of the measures only"
CANARY = "Gervaise Poirier-Lachance"
REGRESSIONS = Path(__file__).resolve().parents[1] / "gather" / "regressions"
SECONDS = 5.0
KINDS = ("csv", "jsonl", "xlsx")
COLUMNS = {
    "text": ["Commentaire", "Autre"], "response_id": "id", "date": "Date", "site": "Site",
    "lang": "Langue",
}  # fmt: skip
ROWS = [
    ["1", "2026-05-09 04:41", "CHUM", "fr", f"{CANARY} est là, « encore »", CANARY],
    ["2", "09/05/2026 4h41", "CLSC", "en", "The screen froze; \"again\"", ""],
    ["3", "", "", "", f"{CANARY} a tout refait\nsur deux lignes", "œuvre = €"],
]  # fmt: skip
HEADER = ["id", "Date", "Site", "Langue", "Commentaire", "Autre"]
# Bits that readers of such files have stumbled over somewhere.
NASTY = [
    b'"', b'""', b"'", b";", b",", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\0", b"\xff", b"\xfe\xff",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"{", b"}", b"[" * 3000, b"]", b":",
    b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"null", b"=cmd|' /C calc'!A0", b"sep=,\n",
    b"\xe2\x80\xae", b"A" * 70_000, b'"' * 999, b"<!DOCTYPE a>", b"&#x0;", b"&a;", b"<v>",
    b"</row>", b'r="XFD1048576"', b't="s"', b"99999999999", b"-1", b"<row>", b"2026-02-30",
    b"9999-12-31T23:59:59-14:00", b"0001-01-01", b"\xc3", b"\xf0\x9f\x98",
]  # fmt: skip


def seeds(kind: str) -> list[bytes]:
    """Write the good inputs that mutations start from."""
    if kind == "csv":
        texts = [_csv(delimiter) for delimiter in ";,\t"]
        encodings = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman")
        return [text.encode(encoding) for text in texts for encoding in encodings]
    if kind == "jsonl":
        import json

        objects = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
        lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in objects)
        return [lines.encode(), lines.encode("utf-16"), lines.replace("\n", "\r\n").encode()]
    return [_workbook()]


def _csv(delimiter: str) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    return "".join(delimiter.join(map(quoted, row)) + "\r\n" for row in [HEADER, *ROWS])


def _workbook() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Change a few places: bits, bytes, runs, or something nasty put in."""
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(changed) + 1)
        what = chance.randrange(6)
        if what == 0 and changed:
            changed[min(at, len(changed) - 1)] ^= 1 << chance.randrange(8)
        elif what == 1:
            del changed[at : at + chance.choice((1, 2, 9, 80))]
        elif what == 2:
            changed[at:at] = changed[at : at + chance.choice((1, 5, 60))] * chance.choice((2, 9))
        elif what == 3:
            changed[at:at] = chance.randbytes(chance.choice((1, 4, 40)))
        else:
            changed[at:at] = chance.choice(NASTY)
    return bytes(changed)


def mutated_workbook(body: bytes, chance: random.Random) -> bytes:
    """Mutate a part and pack it well, or now and then the archive itself."""
    if chance.random() < 0.2:
        return mutated(body, chance)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        made_of = {name: archive.read(name) for name in archive.namelist()}
    for name in chance.sample(sorted(made_of), chance.choice((1, 1, 2))):
        made_of[name] = mutated(made_of[name], chance)
    if chance.random() < 0.1:
        del made_of[chance.choice(sorted(made_of))]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in made_of.items():
            archive.writestr(name, part)
    return written.getvalue()


def inputs(kind: str, count: int, seed: int) -> Iterator[bytes]:
    """Give mutated inputs, the same for the same seed."""
    chance = random.Random(f"{kind}-{seed}")
    mutate = mutated_workbook if kind == "xlsx" else mutated
    good = seeds(kind)
    for number in range(count):
        yield mutate(good[number % len(good)], chance)


def through_files(path: Path) -> str:
    """Read an input as a night does; say how it ended."""
    fields = {"name": "s", "path": path, "columns": COLUMNS, "settle_seconds": 0}
    try:
        found = list(read_comments(CommentSource.model_validate(fields), KEY))
    except DsnNlpError as error:
        if CANARY in str(error) or "\n" in str(error):
            raise AssertionError("a message quotes the input") from None
        return getattr(error, "code", type(error).__name__)
    assert CANARY not in repr(found)
    kept = sum(isinstance(one, Comment) for one in found)
    return "all read" if kept == len(found) else "some read" if kept else "none read"


def through_the_childs_function(path: Path) -> str:
    """Read a workbook as the child does, here."""
    try:
        with path.open("rb") as file:
            for _ in read_workbook(file, set(map(str.lower, HEADER)), None):
                pass
    except ArchiveError as error:
        return str(error)
    except MemoryError:
        raise
    except Exception as error:
        # The child answers any of them with "damaged".
        return f"damaged ({type(error).__name__})"
    return "read"


class _Listening(logging.Handler):
    """Hears what is logged meanwhile, for the planted text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Fail at a record that quotes it."""
        if CANARY in record.getMessage():
            raise AssertionError("a log quotes the input")


def attack(
    kind: str,
    count: int,
    seed: int,
    read: Callable[[Path], str],
    keep: Path | None,
    seconds: float = float("inf"),
) -> tuple[Counter[str], float]:
    """Read mutated inputs; what breaks the rules is kept and raised.

    :param seconds: after which no further input is read.
    :return: how many ended how, and the longest processor time of one, in seconds.
    """
    ends: Counter[str] = Counter()
    longest = 0.0
    # What is loaded at first use is not the input's fault.
    tell_language(normalise("Première « lecture »."))
    logger = logging.getLogger("dsn_nlp")
    logger.propagate, before = False, logger.propagate
    logger.addHandler(listening := _Listening())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        ends_at = time.monotonic() + seconds
        for body in inputs(kind, count, seed):
            if time.monotonic() > ends_at:
                break
            path.write_bytes(body)
            started = time.process_time()
            try:
                ends[read(path)] += 1
                longest = max(longest, time.process_time() - started)
                if longest > SECONDS:
                    raise AssertionError(f"{longest:.1f} s")
            except BaseException:
                if keep is not None:
                    keep.mkdir(exist_ok=True)
                    number = len(list(keep.iterdir()))
                    (keep / f"{number:03d}.{kind}").write_bytes(body)
                raise
    logger.removeHandler(listening)
    logger.propagate = before
    return ends, longest


def main() -> None:
    """Attack each reader and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=5000, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=KINDS, default=[])
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each kind")
    given = parser.parse_args()
    for kind in given.kind or KINDS:
        read = through_the_childs_function if kind == "xlsx" else through_files
        started = time.monotonic()
        ends, longest = attack(kind, given.inputs, given.seed, read, REGRESSIONS, given.seconds)
        told = ", ".join(f"{name} {count}" for name, count in ends.most_common(8))
        took = time.monotonic() - started
        print(f"{kind}: {ends.total()} inputs in {took:.0f} s, longest {longest:.2f} s: {told}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
