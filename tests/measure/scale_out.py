"""Two workers against one, on the same passages and cores, and what ten million would cost.

``python -m tests.measure.scale_out [--documents 1500] [--rounds 3]`` starts a PostgreSQL and a
Dask cluster here, labels the same store by one worker and by two, in turn, each with one thread and
the model loaded, through the same Prefect flow as a night, and tells the ratio. The costs on paper
follow from the rate of one worker and from how many label rows PostgreSQL takes in a second.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from dsn_nlp.config import Settings, load_settings
from dsn_nlp.label.routing import read_serving
from dsn_nlp.labelling import load_once, register, share_out
from dsn_nlp.store import Store
from tests.measure.stored import fill, write_settings
from tests.postgres import Postgres

MILLIONS = 10_000_000
MACHINES = (1, 8, 64)
CORES = 2  # of the machine on paper: as this one
BATCH = 512


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start workers of one thread each; give the scheduler's address."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=None,
    ) as started:
        yield started.scheduler_address


def empty(url: str) -> None:
    """Take all labels out again."""
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE labels")


def flow_seconds(config: Path, run_id: str, workers: int) -> float:
    """Label what is there by so many workers that have the model loaded."""
    from prefect_dask.task_runners import DaskTaskRunner

    from pipelines.labelling import label_ranges

    settings = load_settings(config)
    url = settings.store.url.get_secret_value()
    with cluster(workers) as address:
        spread = label_ranges.with_options(task_runner=DaskTaskRunner(address=address))
        shares = share_out(settings, run_id)
        spread(str(config), run_id, shares.digest, shares.ranges[: 2 * workers])
        empty(url)
        began = time.perf_counter()
        spread(str(config), run_id, shares.digest, shares.ranges)
        taken = time.perf_counter() - began
    with Store.open(url) as store:
        assert store.count_unlabelled(read_serving(settings.labelling).model) == 0
    empty(url)
    return taken


def store_seconds(settings: Settings, run_id: str) -> dict[str, float]:
    """Seconds a passage costs one process: read, scored by one thread, written; without Prefect."""
    serving = read_serving(settings.labelling)
    classifier = load_once(serving, 1)
    spent = {"read": 0.0, "score": 0.0, "write": 0.0}
    done, after = 0, ""
    with Store.open(settings.store.url.get_secret_value()) as store:
        register(store, serving)
        classifier.label(store.unlabelled(serving.model, 32))
        while True:
            began = time.perf_counter()
            passages = store.unlabelled(serving.model, BATCH, after=after)
            read = time.perf_counter()
            if not passages:
                break
            labels = classifier.label(passages)
            scored = time.perf_counter()
            store.add_labels(run_id, labels)
            spent["write"] += time.perf_counter() - scored
            spent["score"] += scored - read
            spent["read"] += read - began
            done, after = done + len(passages), passages[-1].passage_id
    empty(settings.store.url.get_secret_value())
    return {name: seconds / done for name, seconds in spent.items()}


def on_paper(one: dict[str, float]) -> list[dict[str, Any]]:
    """Hours that ten million passages take, by machines of two cores, one worker a core.

    Workers need nothing of each other; what they share is PostgreSQL, which is taken to write no
    more than one connection here writes: the hours are the larger of both.
    """
    rate = 1 / sum(one.values())
    limit = 1 / one["write"]
    rows = []
    for machines in MACHINES:
        asked = machines * CORES * rate
        rows.append({
            "machines": machines,
            "hours": round(MILLIONS / min(asked, limit) / 3600, 2),
            "bound_by": "workers" if asked <= limit else "PostgreSQL",
        })  # fmt: skip
    return rows


def measure(documents: int, rounds: int) -> dict[str, Any]:
    """Measure on a store of its own."""
    server = Postgres()
    try:
        url = server.make_database()
        run_id = fill(url, documents)
        with tempfile.TemporaryDirectory() as folder:
            os.environ.setdefault("PREFECT_HOME", f"{folder}/prefect")
            config = write_settings(Path(folder), url, task_runner="dask", range_passages=200)
            settings = load_settings(config)
            one = store_seconds(settings, run_id)
            with Store.open(url) as store:
                passages = store.count_unlabelled("none")
            taken: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(rounds):
                for workers, times in taken.items():
                    times.append(flow_seconds(config, run_id, workers))
    finally:
        server.close()
    ratios = [first / second for first, second in zip(*taken.values(), strict=True)]
    return {
        "passages": passages,
        "rounds": rounds,
        "load": [round(each, 1) for each in os.getloadavg()],
        "seconds": {str(n): [round(t, 2) for t in times] for n, times in taken.items()},
        "ratio": round(statistics.median(ratios), 2),
        "milliseconds_a_passage": {name: round(1000 * each, 3) for name, each in one.items()},
        "on_paper": on_paper(one),
    }


def table(found: dict[str, Any]) -> str:
    """Format as Markdown."""
    one, two = (statistics.median(found["seconds"][n]) for n in ("1", "2"))
    lines = [
        "| workers of one thread | passages | median seconds | passages a second |",
        "| ---: | ---: | ---: | ---: |",
        f"| 1 | {found['passages']} | {one:.1f} | {found['passages'] / one:.0f} |",
        f"| 2 | {found['passages']} | {two:.1f} | {found['passages'] / two:.0f} |",
        "",
        f"Ratio, median of {found['rounds']} rounds: {found['ratio']}",
        "",
        "| machines of two cores | hours for ten million passages | bound by |",
        "| ---: | ---: | --- |",
    ]
    lines += [f"| {r['machines']} | {r['hours']} | {r['bound_by']} |" for r in found["on_paper"]]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print JSON and tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = measure(given.documents, given.rounds)
    print(json.dumps(found, indent=1))
    print(table(found))


if __name__ == "__main__":
    main()
