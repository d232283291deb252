"""Corrected shares, their intervals, change points and alerts, on what is known to be true."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from dsn_nlp.analyse.alerts import COLLAPSE, SURGE, find_alerts, stability_index
from dsn_nlp.analyse.changepoints import change_points
from dsn_nlp.analyse.changes import false_discovery
from dsn_nlp.analyse.curve import Curve, CurvePoint, Level, LevelChange
from dsn_nlp.analyse.days import period
from dsn_nlp.analyse.golive import read_golive
from dsn_nlp.analyse.histograms import BLOCKS, draw_histograms
from dsn_nlp.analyse.invent import GOLIVE, SITES, SURGE_SHARE, invent, invented_profile
from dsn_nlp.analyse.prevalence import FEWEST, interval, make_corrector
from dsn_nlp.analyse.simulate import change_alarms, simulate, summarise
from dsn_nlp.analyse.tables import Estimate
from dsn_nlp.analyse.wording import alert_sentence, at, curve_sentences, share
from dsn_nlp.config import AlertSettings
from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS
from tests.analyse.conftest import desk_on

HALF = dict.fromkeys(COMPLAINTS, 0.5)


def test_simulation_covers_and_halves_the_error():
    trials = simulate(invented_profile(1500, 21), HALF, splits=4, sizes=(200, 400), draws=200)
    of_all = {row["of"]: row for row in summarise(trials) if row["by"] == "all"}
    # 0.95 less what chance may take from 280 and 168 targets that share four calibrations.
    assert of_all["complaints"]["coverage"] >= 0.92
    assert of_all["sentiment"]["coverage"] >= 0.89
    assert of_all["complaints"]["ratio"] <= 0.6
    assert of_all["sentiment"]["ratio"] <= 0.6
    assert {trial.prevalence for trial in trials} == {0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.6}


def test_rare_labels_fall_back_to_counting_probabilities():
    profile = invented_profile(400)
    profile.complaints[:, 0] = 0
    profile.complaints[: FEWEST - 5, 0] = 1
    corrector = make_corrector(profile, draws=20)
    assert corrector.complaints[0].centres is not None
    assert corrector.complaints[1].centres is None


def test_documents_are_drawn_whole():
    """Ten documents of a hundred equal passages are as uncertain as ten passages."""
    told = np.repeat(np.arange(10) % 2, 100)[:, None]
    whole = np.repeat(np.arange(10), 100)
    alone = np.arange(1000)
    cell = np.zeros(1000, int)
    spreads = [
        draw_histograms(cell, owner, told, [2], 1, 400).part(0)[0, 1:, 1].std()
        for owner in (whole, alone)
    ]
    assert spreads[0] == pytest.approx(np.sqrt(0.25 / 10), rel=0.15)
    assert spreads[1] == pytest.approx(np.sqrt(0.25 / 1000), rel=0.15)


def test_large_groups_are_drawn_in_blocks_with_the_same_spread():
    rng = np.random.default_rng(3)
    size = 3 * BLOCKS + 7
    told = (rng.random(size) < 0.1).astype(int)[:, None]
    drawn = draw_histograms(np.zeros(size, int), np.arange(size), told, [2], 1, 2000).part(0)
    share_ = told.mean()
    assert drawn[0, 0, 1] == pytest.approx(share_)
    assert drawn[0, 1:, 1].std() == pytest.approx(np.sqrt(share_ * (1 - share_) / size), rel=0.1)


def test_interval_ends():
    draws = np.concatenate([[[0.5]], np.linspace(0, 1, 1001)[None]], axis=1)
    low, high = interval(draws)
    assert (low[0], high[0]) == pytest.approx((0.025, 0.975))


def test_benjamini_hochberg():
    assert false_discovery([]).size == 0
    assert false_discovery([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.16 / 3, 0.16 / 3, 0.5]
    )


def test_change_points_raise_few_false_alarms():
    found = change_alarms(series=150, weeks=20)
    assert found["flat"] <= 0.05
    assert found["restless"] <= 0.15
    assert found["step"] >= 0.95
    assert change_points([0.2] * 5, [0.01] * 5) == []


SURGING = date.fromordinal(GOLIVE.toordinal() + 7 * 12 - 1)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """The last week brings a surge of security complaints at one site, and one source is silent."""
    url = f"sqlite:///{tmp_path_factory.mktemp('troubled')}/dsn.db"
    invent(url, 6000, weeks=12, trouble=True)
    return desk_on(url)


def test_alerts_are_raised_where_there_is_trouble(troubled, desk):
    found = find_alerts(troubled, AlertSettings())
    keys = {alert.key for alert in found}
    assert (SURGE, SITES[1], "security") in keys
    assert {key[1] for key in keys if key[0] == COLLAPSE} == {"invented-survey"}
    assert not [key for key in keys if key[0] == SURGE and key[1] not in (SITES[1], "∑")]
    surge = next(a for a in found if a.key == (SURGE, SITES[1], "security"))
    assert surge.now.low <= SURGE_SHARE <= surge.now.high
    french = alert_sentence(surge, "fr")
    assert "À Fleury, les plaintes de sécurité montent du 25 juillet au 31 juillet 2026 :" in french
    assert "At Fleury, security complaints surge" in alert_sentence(surge, "en")
    silence = next(a for a in found if a.kind == COLLAPSE)
    assert "se tait" in alert_sentence(silence, "fr")
    # Invented scores are the same from the first week to the last.
    assert find_alerts(desk, AlertSettings()) == []


def row_by_row(cell, document, bins, widths, cells, draws):
    """The draws as they are defined: a row a document, blocks of rows, rows drawn anew."""
    rng, made = np.random.default_rng(0), []
    for one in range(cells):
        inside = cell == one
        rows = []
        for owner in np.unique(document[inside]):
            mine = bins[inside & (document == owner)]
            rows.append(
                np.concatenate(
                    [np.bincount(c, minlength=w) for c, w in zip(mine.T, widths, strict=True)]
                )
            )
        counts = np.array(rows, float)
        if len(counts) > BLOCKS:
            counts = counts[rng.permutation(len(counts))]
            starts = np.linspace(0, len(counts), BLOCKS, endpoint=False).astype(int)
            counts = np.add.reduceat(counts, starts, axis=0)
        units = rng.integers(0, len(counts), size=(draws, len(counts)), dtype=np.int32)
        drawn = np.array([np.bincount(row, minlength=len(counts)) for row in units])
        made.append(np.vstack([counts.sum(axis=0), drawn @ counts]))
    return np.array(made)


def test_draws_of_grouped_counts_are_those_of_rows():
    rng = np.random.default_rng(3)
    size, widths = 4000, [4, 3]
    cell, document = rng.integers(0, 3, size), rng.integers(0, 1700, size)
    cell[document > 600] = 2
    bins = np.stack([rng.integers(0, width, size) for width in widths], axis=1)
    found = draw_histograms(cell, document, bins, widths, 3, 50)
    expected = row_by_row(cell, document, bins, widths, 3, 50)
    assert len(np.unique(document[cell == 2])) > BLOCKS
    for column, part in enumerate(np.split(expected, [4], axis=2)):
        assert np.array_equal(found.part(column), part / part.sum(axis=2, keepdims=True))
    first = draw_histograms(cell, document, bins[:, :1], widths[:1], 3, 50)
    assert np.array_equal(first.part(0), found.part(0))


def test_periods_are_written_out():
    new_year = date(2025, 12, 29), date(2026, 1, 4)
    assert period(*new_year, "fr") == "du 29 décembre 2025 au 4 janvier 2026"
    assert period(*new_year, "en") == "from December 29, 2025 to January 4, 2026"
    assert period(date(2026, 6, 3), date(2026, 6, 9), "en") == "from June 3 to June 9, 2026"


def test_drift_is_seen_and_chance_is_not():
    rng = np.random.default_rng(5)
    one, other = rng.beta(1, 6, 3000), rng.beta(1, 6, 3000)
    assert stability_index(one, other) < 0.02
    assert stability_index(one, rng.beta(2, 6, 3000)) > 0.2


def level(first: int, last: int, *share_: float) -> Level:
    return Level(first, last, 400, Estimate(*share_))


def curve(site: str | None, label: str, *levels: Level) -> Curve:
    changes = tuple(
        LevelChange(b.first, a, b, 0.001, "falls" if b.share.value < a.share.value else "rises")
        for a, b in pairwise(levels)
    )
    points = tuple(CurvePoint(week, 50, levels[0].share) for week in range(levels[-1].last + 1))
    return Curve(site, label, GOLIVE, points, levels, changes, None)


def test_the_sentence_of_the_issue():
    told = curve(
        "Hôpital Jean-Talon", "training",
        level(0, 5, 0.31, 0.27, 0.35), level(6, 20, 0.18, 0.15, 0.22),
    )  # fmt: skip
    assert curve_sentences(told, "fr") == [
        "À Jean-Talon, les plaintes de formation reculent depuis la semaine 6 : "
        "de 31\u00a0% [27–35] à 18\u00a0% [15–22]."
    ]
    assert curve_sentences(told, "en") == [
        "At Jean-Talon, training complaints are down since week 6: from 31% [27–35] to 18% [15–22]."
    ]


def test_no_verb_of_change_without_a_test():
    told = curve(None, "net", level(0, 9, -0.2, -0.31, -0.11))
    assert curve_sentences(told, "fr") == [
        "Dans l'ensemble, aucun changement démontré pour le ton net : "
        "−20 [−31 à −11] sur 10 semaines."
    ]
    assert curve_sentences(told, "en") == [
        "Overall, no demonstrated change in net sentiment: −20 [−31 to −11] over 10 weeks."
    ]


@pytest.mark.parametrize(
    ("site", "french"),
    [
        ("Hôpital Fleury", "À Fleury"),
        ("Hôpital du Sacré-Cœur-de-Montréal", "À l'Hôpital du Sacré-Cœur-de-Montréal"),
        ("Hôtel-Dieu d'Arthabaska", "À l'Hôtel-Dieu d'Arthabaska"),
        ("CLSC d'Ahuntsic", "Au CLSC d'Ahuntsic"),
        (None, "Dans l'ensemble"),
    ],
)
def test_at_a_place(site, french):
    assert at(site, "fr") == french


def test_shares_in_words():
    assert share(Estimate(0.314, 0.27, 0.35), "training", "fr") == "31\u00a0% [27–35]"
    assert share(Estimate(0.05, 0.0, 0.1), "net", "en") == "+5 [0 to +10]"


def test_golive_days_are_read(tmp_path):
    known = read_golive()
    assert known.of("Hôpital Jean-Talon") == date(2026, 5, 9)
    assert known.of("CHUM") is None
    path = tmp_path / "golive.toml"
    path.write_text(
        '[[golive]]\nname = "Hôpital Fleury"\ndate = 2026-06-01\n'
        '[[golive]]\nname = "CIUSSS du Nord-de-l\'Île-de-Montréal"\ndate = 2026-05-09\n',
        encoding="utf-8",
    )
    own = read_golive(path)
    assert own.of("Hôpital Fleury") - own.of("Hôpital Jean-Talon") == timedelta(days=23)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[[golive]]\nname = "A"\ndate = "2026-05-09"\n', "number 1: date must be a day"),
        ("[[golive]]\ndate = 2026-05-09\n", "number 1: name must be"),
        ('[[golive]]\nname = "A"\ndate = 2026-05-09\nsite = 1\n', "unknown key 'site'"),
        ('[[golive]]\nname = "A"\ndate = 2026-05-09\n' * 2, "'A' is there twice"),
        ("golive = [", "not valid TOML"),
    ],
)
def test_wrong_golive_days_are_told(tmp_path, written, told):
    path = tmp_path / "golive.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(InputError, match=r"golive\.toml") as caught:
        read_golive(path)
    assert told in str(caught.value)
