"""The tagger: exact offsets under any Unicode, the same told alone or together, checked files."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from dsn_nlp.errors import ModelError
from dsn_nlp.prepare import deid_folder as files
from dsn_nlp.prepare.deid_tagger import Tagger
from dsn_nlp.prepare.deid_types import TYPES
from dsn_nlp.prepare.deidentify import deidentifier

ODD = ["😀", "👩🏽\u200d⚕️", "e\u0301", "\u00a0", "𝒜", "𐍈", "ﬁ", "\u200b", "①", "İ", "ß", "¨"]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.load(files.tagger_folder(None), TYPES)


@pytest.mark.parametrize("seed", range(12))
def test_offsets_are_exact_between_odd_letters(seed):
    drawn = random.Random(seed)
    noise = [" ".join(drawn.choices(ODD, k=drawn.randint(1, 5))) for _ in range(2)]
    text = f"{noise[0]} Demandez à Mme Nadia Benali, elle le sait. {noise[1]}"
    start = text.index("Nadia")
    found = [(s.start, s.end) for s in deidentifier().find(text, "fr") if s.type == "PERSON"]
    assert (start, start + len("Nadia Benali")) in found


def test_alone_or_together_is_the_same(tagger):
    texts = ["merci kevin", "Oumou sait comment faire.", "mon code est tremj04", ""]
    together = tagger.read(texts)
    for text, reading in zip(texts, together, strict=True):
        alone = tagger.read([text])[0]
        assert alone.words == reading.words
        assert np.array_equal(alone.probabilities, reading.probabilities)


def test_long_text_is_read_to_its_end(tagger):
    text = "Le dossier est lent ce matin. " * 200 + "J'ai parlé à Nadia Benali hier."
    spans = tagger.spans(text, tagger.read([text])[0])
    assert [text[s.start : s.end] for s in spans if s.type == "PERSON"] == ["Nadia Benali"]


@pytest.mark.parametrize("name", files.FILES)
def test_altered_file_is_refused(tmp_path, name):
    folder = Path(shutil.copytree(files.tagger_folder(None), tmp_path / "tagger"))
    with (folder / name).open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(ModelError, match="checksum differs"):
        Tagger.load(folder, TYPES)


def test_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(ModelError, match="no de-identification model here") as told:
        Tagger.load(tmp_path / "none", TYPES)
    assert "\n" not in str(told.value)
