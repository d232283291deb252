"""After a promotion the next night relabels, beside the old rows; the view follows what serves."""

import json
import shutil
from pathlib import Path

from dsn_nlp.label.folder import serving_folder, set_serving
from dsn_nlp.store import run_query
from tests.conftest import ROOT, Installation

ROWS = [f"{i};2026-05-1{i};Personne ne nous a formés à l'écran {i}." for i in range(1, 8)]
SETTINGS = """
[[comments]]
name = "c"
path = "c.csv"
[comments.columns]
response_id = "id"
date = "date"
text = ["texte"]
"""


def install(folder: Path) -> Installation:
    (folder / "c.csv").write_text("id;date;texte\n" + "\n".join(ROWS) + "\n", encoding="utf-8")
    for version in ("1", "2"):
        target = folder / "models/m" / version
        shutil.copytree(serving_folder(ROOT / "models"), target)
        path = target / "manifest.json"
        written = json.loads(path.read_text(encoding="utf-8"))
        written |= {"name": "m", "version": version}
        if version == "2":
            written["thresholds"]["training"] = 1.1
        path.write_text(json.dumps(written), encoding="utf-8")
    set_serving(folder / "models", "m/1")
    return Installation(folder, SETTINGS)


def rows(made: Installation, sql: str) -> list[tuple[object, ...]]:
    return run_query(made.url, sql)[1]


def night(made: Installation) -> None:
    done = made.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr


def test_promotion_relabels_and_roll_back_shows_the_old_labels(tmp_path: Path) -> None:
    made = install(tmp_path)
    night(made)
    first = rows(made, "select * from labels order by passage_id")
    shown = "select model, sum(training), count(*) from labelled_passages group by model"
    assert rows(made, shown) == [("m@1", 7, 7)]

    set_serving(tmp_path / "models", "m/2")
    night(made)
    assert rows(made, "select * from labels where model = 'm@1' order by passage_id") == first
    assert rows(made, "select count(*) from labels where model = 'm@2'") == [(7,)]
    assert rows(made, shown) == [("m@2", 0, 7)]

    set_serving(tmp_path / "models", "m/1")
    night(made)
    assert rows(made, shown) == [("m@1", 7, 7)]
    assert rows(made, "select count(*) from labels") == [(14,)]


def test_a_model_for_each_language_labels_the_night(tmp_path: Path) -> None:
    made = install(tmp_path)
    made.config.write_text(f'[labelling]\nfr = "m/2"\n{SETTINGS}', encoding="utf-8")
    night(made)
    assert rows(made, "select model, sum(training) from labelled_passages group by model") == [
        ("fr:m@2+en:m@1", 0)
    ]
