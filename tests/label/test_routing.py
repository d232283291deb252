"""One model for both languages, or one each."""

import json
import shutil
from pathlib import Path

import pytest

from dsn_nlp.config import LabellingSettings, load_settings
from dsn_nlp.errors import ConfigError, ModelError
from dsn_nlp.label.folder import serving_folder, set_serving
from dsn_nlp.label.routing import read_serving
from dsn_nlp.records import Passage
from tests.conftest import ROOT


def passage(name: str, text: str, lang: str) -> Passage:
    return Passage(name, "d", 0, 0, len(text), text, lang)  # type: ignore[arg-type]


PASSAGES = [
    passage("1", "Nobody trained us.", "en"),
    passage("2", "Personne ne nous a formés.", "fr"),
    passage("3", "The screen froze.", "en"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as ``dsn/1``, and ``fr/1``, which is the same but never tells training."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("dsn", "fr"):
        shutil.copytree(serving_folder(ROOT / "models"), folder / name / "1")
        manifest = folder / name / "1/manifest.json"
        written = json.loads(manifest.read_text(encoding="utf-8")) | {"name": name, "version": "1"}
        if name == "fr":
            written["thresholds"]["training"] = 1.1
        manifest.write_text(json.dumps(written), encoding="utf-8")
    set_serving(folder, "dsn/1")
    return folder


def settings(models: Path, **named: str) -> LabellingSettings:
    return LabellingSettings.model_validate({"models": models, **named})


def test_one_model_serves_both_languages(models: Path) -> None:
    serving = read_serving(settings(models))
    assert serving.model == "dsn@1"
    told = serving.load().label(PASSAGES)
    assert [label.passage_id for label in told] == ["1", "2", "3"]
    assert {label.model for label in told} == {"dsn@1"}
    assert told[0].complaints == told[1].complaints == ("training",)


def test_each_language_goes_to_its_model(models: Path) -> None:
    serving = read_serving(settings(models, fr="fr/1"))
    assert serving.model == "fr:fr@1+en:dsn@1"
    told = serving.load().label(PASSAGES)
    assert [label.passage_id for label in told] == ["1", "2", "3"]
    assert told[0].complaints == ("training",)
    assert told[1].complaints == ()
    assert {label.model for label in told} == {serving.model}
    assert set(serving.record) == {"fr", "en"}


def test_the_same_model_named_twice_is_one(models: Path) -> None:
    assert read_serving(settings(models, fr="fr/1", en="fr/1")).model == "fr@1"


def test_a_model_that_is_not_there_is_named(models: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        read_serving(settings(models, en="nowhere/1"))


def test_a_reference_outside_the_models_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dsn.toml").write_text('[labelling]\nfr = "../elsewhere/1"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"labelling\.fr"):
        load_settings(tmp_path / "dsn.toml")


def test_record_of_an_older_model_holds_what_its_manifest_says_and_no_more() -> None:
    """Else a store that knows the model would refuse it after an upgrade of the program."""
    import json

    from dsn_nlp.config import LabellingSettings
    from dsn_nlp.label.routing import read_serving
    from tests.conftest import ROOT

    older = "dsn-camembert/1.1.0"
    settings = LabellingSettings(
        models=ROOT / "models", fr=older, en=older, batch_passages=1, threads=1
    )
    written = (ROOT / "models" / older / "manifest.json").read_text(encoding="utf-8")
    assert read_serving(settings).record == json.loads(written)
