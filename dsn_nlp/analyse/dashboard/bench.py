"""How long pages take on a store: ``python -m dsn_nlp.analyse.dashboard.bench URL``.

A start; each page once, and again; the pages with filters are such as nobody has asked for.
Shares of a store of ``dsn_nlp.analyse.bench`` are corrected with the profile of its invented model.
"""

import argparse
import json
import time
from statistics import median
from typing import Any

from starlette.testclient import TestClient

from dsn_nlp.analyse.dashboard.app import make_app
from dsn_nlp.analyse.invent import MODEL, invented_profile
from dsn_nlp.config import Settings, StoreSettings

PAGES = (
    "/", "/?label=training", "/?kind=comment&lang=fr", "/?role=M%C3%A9decin&label=training",
    "/?by=day", "/adaptation?label=training", "/adaptation?lang=fr", "/press", "/press?lang=en",
    "/words?label=training", "/words?kind=comment", "/passages?label=training", "/api/sites",
)  # fmt: skip


def measure(settings: Settings, again: int = 5) -> list[dict[str, Any]]:
    """Time a start, then each page: first and later, in seconds."""
    began = time.perf_counter()
    rows: list[dict[str, Any]] = []
    app = make_app(settings, open_=True)
    if app.state.desk.edition().model == MODEL:
        app.state.desk.profile = invented_profile()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        rows.append({"page": "start", "first": round(time.perf_counter() - began, 2)})
        rows.append({"page": "/ as soon as started", "first": round(_timed(client, "/"), 3)})
        app.state.warmer.ready.wait()
        took = round(time.perf_counter() - began, 1)
        rows.append({"page": "all pages without filters answered ahead", "first": took})
        for page in PAGES:
            first, *later = [_timed(client, page) for _ in range(1 + again)]
            rows.append({"page": page, "first": round(first, 3), "again": round(median(later), 3)})
    return rows


def _timed(client: TestClient, page: str) -> float:
    began = time.perf_counter()
    client.get(page).raise_for_status()
    return time.perf_counter() - began


def main() -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="sqlite:///… or postgresql://… of a filled store")
    given = parser.parse_args()
    settings = Settings(store=StoreSettings(url=given.url))
    print(json.dumps(measure(settings), indent=1))


if __name__ == "__main__":
    main()
