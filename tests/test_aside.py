"""Labelling beside the preparation changes nothing but the time a night takes."""

import shutil
import time
from pathlib import Path

import pytest

from dsn_nlp.aside import MOST_WAITING, Aside, labelled_aside
from dsn_nlp.config import Settings, comment_key, load_settings
from dsn_nlp.errors import ModelError
from dsn_nlp.gather.respondents import respondent_key
from dsn_nlp.label.folder import serving_folder
from dsn_nlp.label.routing import read_serving
from dsn_nlp.stages import label_passages, open_store, run_night
from dsn_nlp.store import Store
from tests.conftest import ROOT
from tests.measure.stored import fill, write_settings

DOCUMENTS, BATCH = 30, 16


def install(folder: Path, batch: int, **scale: object) -> Settings:
    folder.mkdir()
    path = write_settings(folder, f"sqlite:///{folder}/dsn.db", **scale)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("batch_passages = 64", f"batch_passages = {batch}"), "utf-8")
    return load_settings(path)


def wait(aside: Aside, labelled: int) -> None:
    deadline = time.monotonic() + 120
    while aside.labelled < labelled and time.monotonic() < deadline:
        time.sleep(0.02)


def test_what_is_labelled_aside_is_labelled_the_same(tmp_path: Path) -> None:
    one, other = install(tmp_path / "a", BATCH), install(tmp_path / "b", 1000)
    run_id, other_id = (fill(s.store.url.get_secret_value(), DOCUMENTS) for s in (one, other))
    model = read_serving(one.labelling).model
    with open_store(one) as store:
        passages = store.unlabelled(model, 1000)
        whole = len(passages) // BATCH * BATCH
        with labelled_aside(store, one, run_id) as aside:
            for begin in range(0, len(passages), 5):
                aside.offer(passages[begin : begin + 5])
            wait(aside, whole)
        assert aside.labelled == whole > BATCH
        assert label_passages(one, run_id).counts["labelled"] == len(passages) - whole
        label_passages(other, other_id)
        with open_store(other) as expected:
            assert store.digest() == expected.digest()


def test_there_is_room_for_so_many_and_others_wait_in_the_store(tmp_path: Path) -> None:
    settings = install(tmp_path / "a", MOST_WAITING * 2)
    run_id = fill(settings.store.url.get_secret_value(), 2)
    with open_store(settings) as store, labelled_aside(store, settings, run_id) as aside:
        passages = store.unlabelled("none@1", 10)
        for _ in range(MOST_WAITING):
            aside.offer(passages)
        assert MOST_WAITING - len(passages) < len(aside._waiting) <= MOST_WAITING
    assert not aside._waiting


def test_a_broken_model_stops_the_labelling_of_the_night_alone(tmp_path: Path) -> None:
    settings = install(tmp_path / "a", BATCH)
    serving = serving_folder(ROOT / "models")
    models = tmp_path / "models"
    shutil.copytree(serving, models / serving.relative_to(ROOT / "models"))
    shutil.copy(ROOT / "models" / "current.toml", models)
    (models / serving.relative_to(ROOT / "models") / "network.onnx").write_bytes(b"broken")
    labelling = settings.labelling.model_copy(update={"models": models, "threads": 3})
    settings = settings.model_copy(update={"labelling": labelling})
    run_id = fill(settings.store.url.get_secret_value(), DOCUMENTS)
    with open_store(settings) as store, labelled_aside(store, settings, run_id) as aside:
        aside.offer(store.unlabelled("none@1", 1000))
        aside._thread.join(60)
        assert not aside._thread.is_alive()
        aside.offer(store.unlabelled("none@1", 1000))
    assert aside.labelled == 0
    with pytest.raises(ModelError):
        label_passages(settings, run_id)


def test_where_workers_label_nothing_is_labelled_aside(tmp_path: Path) -> None:
    settings = install(tmp_path / "a", 1, task_runner="dask")
    run_id = fill(settings.store.url.get_secret_value(), 2)
    with open_store(settings) as store, labelled_aside(store, settings, run_id) as aside:
        aside.offer(store.unlabelled("none@1", 10))
        assert aside._thread.ident is None


def test_a_night_counts_what_it_labelled_aside(tmp_path: Path) -> None:
    """Whenever the labelling of the night comes, all new passages are counted as labelled."""
    settings = install(tmp_path / "a", 4)
    rows = [f"{n};L'écran numéro {n} gèle chaque matin, et personne ne répond." for n in range(80)]
    (tmp_path / "a" / "c.csv").write_text("id;texte\n" + "\n".join(rows) + "\n", "utf-8")
    with (tmp_path / "a" / "dsn.toml").open("a", encoding="utf-8") as file:
        file.write('[[comments]]\nname = "c"\npath = "c.csv"\nlang = "fr"\n')
        file.write('[comments.columns]\nresponse_id = "id"\ntext = ["texte"]\n')
    counts = run_night(load_settings(tmp_path / "a" / "dsn.toml"))
    assert counts["labelled"] == counts["passages"] == 80
    with Store.open(settings.store.url.get_secret_value()) as store:
        assert store.counts()["labels"] == 80


def test_an_erased_person_s_comments_are_neither_counted_nor_labelled_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = install(tmp_path / "a", 4)
    rows = [f"{n};{n % 2};L'écran numéro {n} gèle, et personne ne répond." for n in range(40)]
    file = tmp_path / "a" / "c.csv"
    file.write_text("id;qui;texte\n" + "\n".join(rows) + "\n", "utf-8")
    with (tmp_path / "a" / "dsn.toml").open("a", encoding="utf-8") as more:
        more.write('[[comments]]\nname = "c"\npath = "c.csv"\nlang = "fr"\n')
        more.write('[comments.columns]\nresponse_id = "id"\nrespondent = "qui"\ntext = ["texte"]\n')
    settings = load_settings(tmp_path / "a" / "dsn.toml")
    run_night(settings)
    person = respondent_key(settings.comments[0], comment_key(settings), "1")
    with open_store(settings) as store:
        assert store.erase("respondent", person).counts["documents"] == 20
    more_rows = [f"1{n};1;L'écran numéro {n} gèle, encore et encore." for n in range(40, 60)]
    file.write_text("\n".join(["id;qui;texte", *rows, *more_rows, "70;0;Il gèle."]), "utf-8")
    with caplog.at_level("INFO"):
        counts = run_night(settings)
    assert (counts["documents"], counts["passages"], counts["labelled"]) == (1, 1, 1)
    assert "labelling aside ended" not in caplog.text
    with open_store(settings) as store:
        assert store.counts()["labels"] == store.counts()["passages"] == 21
