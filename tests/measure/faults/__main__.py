"""Run the bench: ``python -m tests.measure.faults [--runs 50] [--only NAME] [--output FOLDER]``."""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

os.environ["DSN_NLP_LANG"] = "en"
os.environ.setdefault("DSN_NLP_KEY", "a key for the fault bench, 32 characters")

from tests.measure.faults.bench import Bench, Row
from tests.measure.faults.children import warm
from tests.measure.faults.plan import PLAN
from tests.postgres import Postgres, UnavailableError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.measure.faults")
    parser.add_argument("--share", type=float, default=1.0, help="share of the planned runs")
    parser.add_argument("--runs", type=int, help="of each case, in place of the plan's")
    parser.add_argument("--set", action="append", default=[], help="NAME-STORE=RUNS of one case")
    parser.add_argument("--only", action="append", help="cases by the start of their name")
    parser.add_argument("--small", action="store_true", help="two articles and eight comments")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--output", type=Path, help="folder for faults.json and faults.md")
    chosen = parser.parse_args()
    own = {name: int(count) for name, count in (each.split("=") for each in chosen.set)}

    def how_often(name: str, planned: int) -> int:
        return own.get(name, chosen.runs or max(1, round(planned * chosen.share)))

    size = (2, 8) if chosen.small else (6, 18)
    rows = run(how_often, chosen.only, chosen.seed, chosen.output, size)
    print(table(rows))
    raise SystemExit(any(row.lost or row.duplicated or row.wrong for row in rows))


def run(
    how_often: Callable[[str, int], int],
    only: list[str] | None,
    seed: int,
    output: Path | None,
    size: tuple[int, int],
) -> list[Row]:
    try:
        postgres: Postgres | None = Postgres()
    except UnavailableError as error:
        print(f"PostgreSQL left out: {error}")
        postgres = None
    warm()
    rows = []
    with tempfile.TemporaryDirectory(prefix="dsnfault") as folder:
        bench = Bench(Path(folder), seed, postgres, size)
        print(f"undisturbed: {bench.cpu_seconds:.2f} s of processor, {bench.shown} passages")
        try:
            for name, case, store, runs in PLAN:
                full = f"{name}-{store}"
                if only and not any(full.startswith(one) for one in only):
                    continue
                if store == "postgresql" and postgres is None:
                    continue
                began = time.monotonic()
                row = case(bench, store, how_often(full, runs))
                row.name = full
                rows.append(row)
                if output:
                    keep(output, row)
                print(f"{row} ({time.monotonic() - began:.0f} s)", flush=True)
        finally:
            bench.close()
    return rows


def keep(folder: Path, row: Row) -> None:
    """Write a case at once, in place of what an earlier run of it measured."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "faults.json"
    written = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    by_name = {each["name"]: Row(**each) for each in written} | {row.name: row}
    names = [f"{name}-{store}" for name, _, store, _ in PLAN]
    rows = [by_name[name] for name in names if name in by_name]
    text = json.dumps([asdict(each) for each in rows], ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    (folder / "faults.md").write_text(table(rows), encoding="utf-8")


def table(rows: list[Row]) -> str:
    lines = ["| case | store | runs | lost | duplicated | broken promises |",
             "| --- | --- | ---: | ---: | ---: | --- |"]  # fmt: skip
    for row in rows:
        wrong = f"{len(row.wrong)}: {row.wrong[0]}" if row.wrong else "0"
        lines.append(
            f"| {row.case} | {row.store} | {row.runs} | {row.lost} | {row.duplicated} | {wrong} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
