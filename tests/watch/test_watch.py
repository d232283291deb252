"""The watch: its statistics on simulated nights, its words, and a night that is held."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_nlp.store import run_query
from dsn_nlp.watch.alerts import WORDS, Alert, read_alert
from dsn_nlp.watch.drift import drift_between_nights, rate_chance, stability_index
from dsn_nlp.watch.gate import few_chance, judge
from tests.conftest import Installation
from tests.measure.false_alarms import FAULTS, measure, simulate


def test_index_of_equal_shares_is_zero() -> None:
    assert stability_index([10, 20, 30], [10, 20, 30]) == pytest.approx(0)
    near, far = stability_index([[12, 18, 30], [60, 0, 0]], [10, 20, 30])
    assert 0 < near < far


@given(st.lists(st.integers(0, 500), min_size=2, max_size=20), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_index_is_never_negative(counts: list[int], seed: int) -> None:
    other = np.random.default_rng(seed).integers(0, 500, len(counts))
    assert stability_index(counts, other) >= 0


def test_too_little_is_no_drift() -> None:
    assert drift_between_nights([20, 20], [[20, 20]] * 6) is None
    assert drift_between_nights([5, 5], [[20, 20]] * 10) is None
    assert rate_chance((1, 10), [(1, 10)] * 20) is None


def test_drift_is_seen_and_chance_is_not() -> None:
    nights = [[50 + n % 7, 50 - n % 5, 20] for n in range(20)]
    usual = drift_between_nights([52, 49, 21], nights)
    moved = drift_between_nights([20, 49, 51], nights)
    assert usual is not None
    assert moved is not None
    assert usual.chance > 0.2
    assert moved.chance < 0.01


def test_bursty_sources_are_let_be_and_silent_ones_are_not() -> None:
    bursty, steady = [0, 14, 1, 9, 0, 22, 3, 0, 11, 8], [10, 11, 9, 10, 12, 8, 10, 11, 9, 10]
    assert few_chance(0, bursty) > 0.05
    assert few_chance(1, steady) < 0.001


def test_normal_nights_raise_few_alarms_and_faults_are_heard() -> None:
    """A small size of ``python -m tests.measure.false_alarms``."""
    found = measure(nights=30)
    assert found["false alarms"] <= 2
    heard = found["heard"]
    assert heard.pop("label rate x3.5") >= 0.5
    assert set(heard.values()) == {1.0}


def test_every_fault_has_words_in_both_languages() -> None:
    chance = np.random.default_rng(3)
    history = [simulate(chance) for _ in range(28)]
    told = {a.code for fault in FAULTS.values() for a in judge(fault(history[0], chance), history)}
    assert {"volume", "rejections", "one-sentiment", "languages"} <= told <= set(WORDS)
    for fault in FAULTS.values():
        for alert in judge(fault(history[0], chance), history):
            assert read_alert(json.loads(json.dumps(alert.record()))) == alert
            assert alert.line("fr") != alert.line("en")
            assert "\n" not in alert.line("fr") + alert.line("en")


def test_words_name_what_to_do() -> None:
    away = Alert("source-away", "notice", "sondage", {"reason": "c.csv: no such file"})
    assert away.line("fr").startswith("source sondage : illisible cette nuit")
    assert "look at its rejections" in away.line("en")


HISTORY = {
    "volumes": {"c": 12}, "languages": {"en": 40}, "passages": {"all": 40}, "rejected": {},
    "sentiments": {"negative": 20, "neutral": 10, "positive": 10},
    "complaints": {"training": 4}, "scores": {},
}  # fmt: skip
SETTINGS = """
[watch]
gate = "{gate}"
metrics = "metrics"
report_url = "https://rapports.example/{{run}}"
[labelling]
models = "{models}"
[[comments]]
name = "c"
path = "c.csv"
[comments.columns]
response_id = "id"
text = ["texte"]
"""


def install(installation: Installation, gate: str) -> None:
    """An installation with ten nights of history, and a source that dries up tonight."""
    from dsn_nlp.store import Store
    from tests.conftest import ROOT

    installation.config.write_text(SETTINGS.format(gate=gate, models=ROOT / "models"), "utf-8")
    (installation.folder / "c.csv").write_text("id;texte\n1;L'écran gèle.\n", "utf-8")
    with Store.open(installation.url) as store:
        from datetime import timedelta

        store.register_model("toy@1", "toy", "1", {}, "")
        for _ in range(10):
            run_id = store.begin_run("0", timedelta(minutes=1))
            store.note_measures(run_id, HISTORY)
            store.publish(run_id, {}, "toy@1")


def test_a_held_night_leaves_the_one_before_and_can_be_released(installation: Installation) -> None:
    install(installation, "hold")
    shown = "select count(*) from labelled_passages"
    held = installation.run("run", "--no-prefect")
    assert held.returncode == 1
    assert "is held: source c: 1 documents where 12 are usual" in held.stderr
    assert held.stderr.count("dsn-nlp: ") == 1
    assert run_query(installation.url, shown)[1] == [(0,)]
    listed = json.loads(installation.run("runs", "list", "--json").stdout)
    assert (listed[0]["status"], listed[0]["alerts"]) == ("held", 1)
    released = installation.run("run", "--no-prefect", "--release", DSN_NLP_LANG="fr")
    assert released.returncode == 0, released.stderr
    assert "! source c : 1 documents, contre 12 d'habitude" in released.stdout
    told = json.loads(installation.run("runs", "show", "--json").stdout)
    assert told["status"] == "published"
    assert told["measures"]["gate"] == {"held": False, "released": True}
    assert {"c", "label"} <= set(told["measures"]["seconds"])
    metrics = (installation.folder / "metrics" / "dsn_nlp.prom").read_text("utf-8")
    assert 'dsn_nlp_night_documents{source="c"} 1.0' in metrics
    shown_fr = installation.run("runs", "show", listed[0]["run"], DSN_NLP_LANG="fr")
    assert "retenue" in shown_fr.stdout
    assert installation.run("runs", "show", "zz").returncode == 2


def test_a_banner_is_kept_with_the_night(installation: Installation) -> None:
    from dsn_nlp.store import Store
    from dsn_nlp.watch.night import banner

    install(installation, "banner")
    done = installation.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    assert "! source c: 1 documents where 12 are usual" in done.stdout
    with Store.open(installation.url) as store:
        assert [alert.code for alert in banner(store)] == ["volume"]
