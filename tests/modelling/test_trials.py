"""The bench of trials, on a tiny random model: every change trains, every result is kept."""

import json
from pathlib import Path

import pytest

from dsn_nlp.modelling import trials
from dsn_nlp.modelling.corpus import read_corpus, split_corpus
from tests.conftest import ROOT
from tests.modelling.tiny import save_tiny_camembert

ASKED = [
    "recipe", "R-Drop", "adversarial embeddings", "contrastive loss beside",
    "queries from label descriptions", "mean of three seeds", "three seeds distilled into one",
    "masked-language pre-training first", "contrastive stage first",
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("trials")
    corpus = folder / "corpus"
    corpus.mkdir()
    source = (ROOT / "corpora/labelled/w3_fr_plain.jsonl").read_text(encoding="utf-8")
    (corpus / "slice.jsonl").write_text("\n".join(source.splitlines()[:200]), encoding="utf-8")
    base = save_tiny_camembert(folder / "tiny", [e.text for e in read_corpus(corpus)])
    words = [
        "--corpus", str(corpus), "--base", str(base), "--work", str(folder / "work"),
        "--results", str(folder / "trials.json"), "--passages", "60", "--epochs", "1",
    ]  # fmt: skip
    trials.main([*words, "--only", *ASKED])
    return folder, words


def test_every_trial_is_measured_on_development(bench: tuple[Path, list[str]]) -> None:
    folder, _ = bench
    kept = json.loads((folder / "trials.json").read_text(encoding="utf-8"))
    assert list(kept["trials"]) == ASKED
    development = split_corpus(folder / "corpus")["development"]
    assert kept["setting"]["development"][0] == len(development)
    for row in kept["trials"].values():
        assert all(0 <= f1 <= 1 for f1 in (*row["network"], *row["stack"]))
    for name in ASKED:
        assert f"| {name} |" in trials.table(kept)


def test_what_has_a_result_is_not_run_again(bench: tuple[Path, list[str]]) -> None:
    folder, words = bench
    before = (folder / "trials.json").read_bytes()
    words = [*words[:2], "--base", "no such base", *words[4:]]
    trials.main([*words, "--only", *ASKED])
    assert (folder / "trials.json").read_bytes() == before


def test_samples_hold_whole_groups() -> None:
    train = split_corpus(ROOT / "corpora/labelled")["train"][:800]
    chosen = trials.sample(train, 200)
    assert 200 <= len(chosen) < 300
    groups = dict(zip((e.example_id for e in train), trials.similarity_groups(train), strict=True))
    inside = {groups[e.example_id] for e in chosen}
    assert sum(groups[e.example_id] in inside for e in train) == len(chosen)
