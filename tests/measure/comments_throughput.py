"""Comments a second and memory: reading, de-identifying and storing files of growing size.

``python -m tests.measure.comments_throughput [--sizes 100 10000] [--read 100 10000 100000]``

Every size runs in a process of its own, on a fresh store, with the models warm: what is loaded
once is loaded before the clock starts. ``--read`` sizes are read alone (CSV, JSON Lines, XLSX),
without de-identifying or storing. Processor time is what a busy machine does not change; memory is
the most this process held, and in brackets what the file added (a workbook's child not counted,
which may hold 300 MB at most).
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HEADER = ["id", "date", "site", "role", "texte"]
SETTINGS = """
key_file = "key"
[store]
url = "sqlite:///dsn.db"
[[comments]]
name = "s"
path = "{name}"
lang = "fr"
[comments.columns]
response_id = "id"
date = "date"
site = "site"
role = "role"
text = ["texte"]
"""


def labelled() -> list[str]:
    """Read the labelled passages of French comments."""
    passages: list[str] = []
    for path in sorted((ROOT / "corpora" / "labelled").glob("staff_fr_*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        passages += [json.loads(line)["text"] for line in lines if line.strip()]
    return passages


def comments(count: int) -> Iterator[list[str]]:
    """Give as many different comments, made of labelled passages, in turn."""
    chance, passages = random.Random(5), labelled()
    for number in range(count):
        text = f"{chance.choice(passages)} {chance.choice(passages)}"
        yield [str(number), "2026-05-09 04:41", "CHUM", "Infirmière", text]


def write(path: Path, count: int) -> None:
    """Write a file of comments, of the kind its name tells."""
    import csv

    rows = comments(count)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([HEADER, *rows])
    elif path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as handle:
            for row in rows:
                handle.write(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n")
    else:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in [HEADER, *rows]:
            sheet.append(row)
        book.save(path)


def measure(folder: Path, name: str, whole: bool) -> dict[str, Any]:
    """Take one file in; this process does nothing else."""
    from dsn_nlp.config import comment_key, load_settings
    from dsn_nlp.gather.deliveries import read_comments
    from dsn_nlp.text import normalise, tell_language

    settings_file = folder / f"{name}.toml"
    labelling = f'[labelling]\nmodels = "{ROOT}/models"\n'
    settings_file.write_text(SETTINGS.format(name=name) + labelling, encoding="utf-8")
    settings = load_settings(settings_file)
    tell_language(normalise("Une première lecture, « à blanc », pour charger le modèle."))
    if whole:
        from dsn_nlp.prepare.deidentify import deidentifier
        from dsn_nlp.stages import begin_night, take_comments

        for lang in ("fr", "en"):
            deidentifier().redact("Une lecture à blanc.", lang)
        run_id = begin_night(settings)
        before, started, used = _memory(), time.monotonic(), _processor()
        count = take_comments(settings, run_id, "s").counts["documents"]
    else:
        key = comment_key(settings)
        before, started, used = _memory(), time.monotonic(), _processor()
        count = sum(1 for _ in read_comments(settings.comments[0], key))
    seconds = time.monotonic() - started
    return {
        "comments": count,
        "seconds": seconds,
        "processor": _processor() - used,
        "before": before,
        "peak": _memory(),
    }


def _processor() -> float:
    """Processor seconds of this process and of the children it has waited for."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _memory() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name: str, size: int, whole: bool) -> dict[str, Any]:
    """Measure in a fresh process and folder."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name, size)
        orders = [sys.executable, "-m", "tests.measure.comments_throughput", "--child", folder]
        orders += [name, "whole" if whole else "read"]
        done = subprocess.run(orders, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure every size asked for, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 10_000])
    parser.add_argument("--read", type=int, nargs="*", default=[100, 10_000, 100_000])
    parser.add_argument("--child", nargs=3)
    given = parser.parse_args()
    if given.child:
        folder, name, what = given.child
        print(json.dumps(measure(Path(folder), name, what == "whole")))
        return
    print("| file | what | comments | time | processor time | a processor second | memory |")
    kinds = ("a.csv", "a.jsonl", "a.xlsx")
    asked = [(name, size, False) for size in given.read for name in kinds]
    for name, size, whole in asked + [("a.csv", size, True) for size in given.sizes]:
        got = measured(name, size, whole)
        what = "read, de-identified, stored" if whole else "read"
        print(
            f"| {name[2:]} | {what} | {got['comments']:,} | {got['seconds']:.1f} s | "
            f"{got['processor']:.1f} s | {got['comments'] / got['processor']:,.0f} | "
            f"{got['peak']:.0f} MB (+{got['peak'] - got['before']:.0f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
