"""The speed of the whole: nights of growing size, beside the bare classifier on the same passages.

``python -m tests.measure.speed [--sizes 1000 10000] [--cold 5] [--json FILE]``

Each size is a file of invented comments: two labelled passages each, one word of which is moved
whenever the passage comes again, since a night scores equal texts once. It is taken in,
de-identified, stored, labelled and published by a night without Prefect, in a process and a store
of its own; then the bare classifier scores the stored passages in the same process, and the share
is its time over the night's. Then the same night again, with nothing new, and ``dsn-nlp label`` on
one text from a cold start. Wall and processor time are both told: the one is the user's, the other
is what a busy machine does not change.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.measure.comments_throughput import HEADER, SETTINGS, labelled

HEAVY = ("onnxruntime", "spacy", "torch", "sklearn", "presidio_analyzer")
COPIES = 4  # how often each comment of the file of copies comes


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, processor seconds of this process, and what came out."""
    wall, used = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - used, found


def night(folder: Path) -> dict[str, Any]:
    """Run one night on a folder in this process, which does nothing else."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import run_night

    settings = load_settings(folder / "dsn.toml")
    stages: dict[str, float] = {}
    wall, used, counts = timed(
        lambda: run_night(settings, lambda tally: stages.update({tally.stage: tally.seconds}))
    )
    return {
        "counts": counts,
        "wall": wall,
        "processor": used,
        "stages": {name: round(seconds, 2) for name, seconds in stages.items()},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "loaded": [name for name in HEAVY if name in sys.modules],
        "store_mb": sum(path.stat().st_size for path in folder.glob("dsn.db*")) / 1e6,
    }


def bare(folder: Path) -> dict[str, Any]:
    """Score the stored passages by the classifier alone, all in memory, on as many threads."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.label.classifier import Classifier
    from dsn_nlp.label.folder import serving_folder
    from dsn_nlp.store import run_query

    settings = load_settings(folder / "dsn.toml")
    url = settings.store.url.get_secret_value()
    texts = [str(text) for (text,) in run_query(url, "SELECT text FROM passages")[1]]
    classifier = Classifier.load(serving_folder(settings.labelling.models))
    classifier.score(texts[:64])
    wall, used, _ = timed(
        lambda: [classifier.score(texts[at : at + 512]) for at in range(0, len(texts), 512)]
    )
    return {"passages": len(texts), "different": len(set(texts)), "wall": wall, "processor": used}


def child(what: str, folder: Path) -> dict[str, Any]:
    """Do one thing in a fresh process."""
    words = [sys.executable, "-m", "tests.measure.speed", "--child", what, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def write_apart(path: Path, count: int) -> None:
    """Write comments whose passages are hardly ever alike, though there are few to choose from."""
    chance, uses = random.Random(5), Counter[str]()
    passages = labelled()

    def another() -> str:
        passage = chance.choice(passages)
        words = passage.split()
        at, uses[passage] = uses[passage], uses[passage] + 1
        first, last = at % len(words), at // len(words) % len(words)
        words.insert(last, words.pop(first))
        return " ".join(words)

    with path.open("w", encoding="utf-8", newline="") as rows:
        writer = csv.writer(rows)
        writer.writerow(HEADER)
        for number in range(count):
            text = f"{another()} {another()}"
            writer.writerow([number, "2026-05-09 04:41", "CHUM", "Infirmière", text])


def install(folder: Path, comments: int, copies: int = 1) -> None:
    """Write a file of comments, and settings that take it in."""
    write_apart(folder / "a.csv", comments // copies)
    if copies > 1:
        head, *rows = (folder / "a.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        again = [f"{n}0{row}" for n in range(copies) for row in rows]
        (folder / "a.csv").write_text(head + "".join(again), encoding="utf-8")
    text = SETTINGS.format(name="a.csv") + f'[labelling]\nmodels = "{ROOT}/models"\n'
    (folder / "dsn.toml").write_text(text, encoding="utf-8")


def size(comments: int, copies: int = 1) -> dict[str, Any]:
    """Measure a size: the night, the bare classifier, and the night again with nothing new."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(folder, comments, copies)
        first, alone = child("night", folder), child("bare", folder)
        again = child("night", folder)
    return {
        "comments": comments,
        "copies": copies,
        "passages": alone["passages"],
        "different": alone["different"],
        "night": first,
        "bare": alone,
        "share_of_bare": round(alone["wall"] / first["wall"], 3),
        "share_of_bare_processor": round(alone["processor"] / first["processor"], 3),
        "nothing_new": again,
    }


def cold_label(times: int) -> dict[str, float]:
    """``dsn-nlp label`` on one text, each from the start of a process; medians and the best."""
    text = json.dumps({"text": "Vingt-trois clics pour une aspirine, bravo."})
    walls, used = [], []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        words = [sys.executable, "-m", "dsn_nlp", "label", "-"]
        subprocess.run(words, input=text, text=True, capture_output=True, check=True, cwd=ROOT)
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "wall": statistics.median(walls),
        "best_wall": min(walls),
        "processor": statistics.median(used),
    }


def table(found: dict[str, Any]) -> str:
    """Format as Markdown."""
    lines = [
        "| comments | passages (different) | night, s | processor, s | bare classifier, s | "
        "share of bare rate | of processor | peak, MB | store, MB | again, nothing new, s |",
        "| ---: " * 10 + "|",
    ]
    for row in found["sizes"]:
        first, again = row["night"], row["nothing_new"]
        often = f" (each {row['copies']} times)" if row["copies"] > 1 else ""
        lines.append(
            f"| {row['comments']:,}{often} "
            f"| {row['passages']:,} ({row['different']:,}) | {first['wall']:.1f} "
            f"| {first['processor']:.1f} | {row['bare']['wall']:.1f} | {row['share_of_bare']:.0%} "
            f"| {row['share_of_bare_processor']:.0%} | {first['peak_mb']:.0f} "
            f"| {first['store_mb']:.1f} | {again['wall']:.1f} ({again['processor']:.1f}) |"
        )
    cold = found["cold_label"]
    lines += [
        "",
        f"`dsn-nlp label` on one text, cold: median {cold['wall']:.2f} s, best "
        f"{cold['best_wall']:.2f} s, {cold['processor']:.2f} s of processor.",
        f"Load of the machine: {found['load']}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure every size asked for, and print JSON and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--copies", type=int, nargs="*", default=[1000])
    parser.add_argument("--cold", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2)
    given = parser.parse_args()
    if given.child:
        # spaCy and Presidio load torch and transformers where they find them; operators have none.
        sys.modules |= dict.fromkeys(("torch", "transformers"))  # type: ignore[arg-type]
        what, folder = given.child
        print(json.dumps({"night": night, "bare": bare}[what](Path(folder))))
        return
    found: dict[str, Any] = {"sizes": []}
    for comments, copies in [(n, 1) for n in given.sizes] + [(n, COPIES) for n in given.copies]:
        found["sizes"].append(size(comments, copies))
        print(json.dumps(found["sizes"][-1]), file=sys.stderr, flush=True)
    found["cold_label"] = cold_label(given.cold)
    found["load"] = [round(each, 1) for each in os.getloadavg()]
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
