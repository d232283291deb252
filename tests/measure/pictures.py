"""The pictures of the README: ``python -m tests.measure.pictures FOLDER`` of a demonstration.

``dsn-nlp demo --folder FOLDER`` makes it first.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from dsn_nlp.config import load_settings
from tests.conftest import ROOT
from tests.dashboard.conftest import Server


def take(folder: Path, since: str, target: Path) -> list[Path]:
    """Take a picture of the dashboard's first page and of the newest report, in French."""
    server = Server(load_settings(folder / "dsn.toml"))
    report = max((folder / "reports").glob("*.fr.html"))
    try:
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--lang=fr-CA"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1330}, locale="fr-CA")
            made = [
                _shoot(page, f"{server.address}/?since={since}", target / "dashboard.png"),
                _shoot(page, report.resolve().as_uri(), target / "report.png", 1000, 1240),
            ]
            browser.close()
    finally:
        server.stop()
    return made


def _shoot(page: Any, address: str, path: Path, width: int = 1280, height: int = 1330) -> Path:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address, timeout=120_000)
    page.screenshot(path=path)
    return path


def main() -> None:
    """Take both and say how large they are."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--since", default="2026-05-11", help="first day shown")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    given = parser.parse_args()
    for path in take(given.folder, given.since, given.output):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
