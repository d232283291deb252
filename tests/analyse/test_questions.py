"""Questions on an invented store: shares meet the truth, changes are told where they are."""

from datetime import date, timedelta

import pytest

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.changes import compare, what_changed
from dsn_nlp.analyse.curve import adaptation
from dsn_nlp.analyse.display import shown
from dsn_nlp.analyse.invent import AFTER, BEFORE, GOLIVE, MOODS, SHARES, SITES, TURN
from dsn_nlp.analyse.press import press_against_staff, voices_divide
from dsn_nlp.analyse.reading import passages, representative
from dsn_nlp.analyse.scope import Scope, read_scope
from dsn_nlp.analyse.shares import shares
from dsn_nlp.analyse.sheets import to_bytes
from dsn_nlp.analyse.themes import themes
from dsn_nlp.analyse.together import co_occurrence
from dsn_nlp.analyse.wording import curve_sentences
from dsn_nlp.analyse.words import bearing_words
from dsn_nlp.errors import InputError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS


def test_corrected_shares_hold_the_truth_and_counts_do_not(desk):
    table = shares(desk, Scope(sites=SITES[1:]))
    rows = {row.label: row for row in table.rows}
    truth = dict(zip((*COMPLAINTS, *SENTIMENTS), (*SHARES, *MOODS), strict=True))
    found = {label: rows[label].share for label in truth}
    held = [found[label].low <= true <= found[label].high for label, true in truth.items()]
    assert sum(held) >= len(held) - 1
    errors = [
        (abs(rows[label].share.value - true), abs(rows[label].counted - true))
        for label, true in truth.items()
    ]
    assert sum(e[0] for e in errors) < sum(e[1] for e in errors) / 2
    assert table.about.corrected
    assert table.about.model == "invented@1"


def test_groups_add_up_to_their_total(desk):
    table = shares(desk, by=("week", "site"), labels=("training",))
    parts = [row for row in table.rows if TOTAL not in row.group]
    total = next(row for row in table.rows if row.group == (TOTAL, TOTAL))
    assert len(parts) == 17 * 7
    assert sum(row.passages for row in parts) == total.passages == len(desk.frame())
    assert sum(row.told for row in parts) == total.told


def test_one_label_asked_alone_is_told_as_among_all(desk):
    alone = [
        shares(desk, by=("week",), labels=(label,)).rows for label in ("security", "net", "neutral")
    ]
    every = shares(desk, by=("week",)).rows
    for rows in alone:
        assert rows == tuple(row for row in every if row.label == rows[0].label)


def test_weeks_since_golive_start_at_nought(desk):
    table = shares(desk, by=("since_golive",), labels=("net",))
    weeks = [row.group[0] for row in table.rows]
    assert weeks == [*map(str, range(16)), TOTAL]
    assert all(-1 <= row.share.low <= row.share.value <= row.share.high <= 1 for row in table.rows)


def test_curve_finds_the_turn_and_says_so(desk):
    curves = adaptation(desk, labels=("training", "security"))
    assert [(c.site, c.label) for c in curves][:2] == [(None, "training"), (None, "security")]
    changed = {(c.site, c.label): c for c in curves if c.changes}
    assert (SITES[0], "training") in changed
    # Over 14 curves one false alarm may come through, hardly two.
    assert len(set(changed) - {(SITES[0], "training"), (None, "training")}) <= 1
    curve = changed[SITES[0], "training"]
    (change,) = curve.changes
    assert abs(change.week - TURN) <= 1
    assert change.verdict == "falls"
    assert change.before.share.low <= BEFORE <= change.before.share.high
    assert change.after.share.low <= AFTER <= change.after.share.high
    assert curve.day_of(2) == GOLIVE + timedelta(weeks=2)
    (french,) = curve_sentences(curve, "fr")
    assert french.startswith("À Jean-Talon, les plaintes de formation reculent depuis la semaine")
    (english,) = curve_sentences(curve, "en")
    assert english.startswith("At Jean-Talon, training complaints are down since week")
    steady = next(c for c in curves if c.label == "security" and not c.changes)
    assert "aucun changement démontré" in curve_sentences(steady, "fr")[0]


def test_no_change_is_told_where_there_is_none(desk):
    table = what_changed(desk, Scope(sites=SITES[1:]), days=28)
    told = [row for row in table.rows if row.verdict != "steady"]
    assert len(table.rows) == 6 * 9
    assert len(told) <= 1


def test_periods_apart_differ(desk):
    turn = GOLIVE + timedelta(weeks=TURN)
    site = Scope(sites=SITES[:1])
    before = site.but(until=turn - timedelta(days=1))
    table = compare(desk, before, site.but(since=turn), labels=("training", "security"))
    assert [row.verdict for row in table.rows] == ["falls", "steady"]
    assert table.rows[0].difference.high < 0


@pytest.mark.parametrize("question", [press_against_staff, voices_divide])
def test_sides_that_speak_alike_are_not_told_apart(desk, question):
    table = question(desk, Scope(sites=()))
    # Training differs by construction: the first site's staff fall, the press does not.
    told = [row.label for row in table.rows if row.verdict != "steady" and row.label != "training"]
    assert told == []


def test_what_is_compared_is_named(desk):
    """Not "first" and "second" where the question says which is which."""
    table = press_against_staff(desk)
    assert shown(table, "fr")[0][1:4] == ["presse", "personnel", "écart"]
    assert shown(table, "en")[0][1:4] == ["press", "staff", "difference"]
    assert shown(what_changed(desk), "fr")[0][2:4] == ["avant", "derniers jours"]
    sheet = to_bytes(voices_divide(desk), "csv-fr").decode()
    assert "personnel soignant, bas" in sheet
    assert "direction, haut" in sheet


def test_independent_complaints_do_not_attract(desk):
    table = co_occurrence(desk)
    assert len(table.rows) == 10
    assert all(0.8 < row.lift < 1.3 for row in table.rows)


def test_words_of_a_label_that_has_none(desk):
    assert all(row.z < 4 for row in bearing_words(desk, "security").rows)


def test_passages_are_read_from_the_store(desk):
    table = passages(desk, Scope(sites=SITES[:1]), "security", limit=7)
    assert len(table.rows) == 7
    assert all("security" in row.complaints and row.site == SITES[0] for row in table.rows)
    scores = [row.score for row in table.rows]
    assert scores == sorted(scores, reverse=True)
    telling = representative(desk, label="security", top=3)
    assert len({row.text for row in telling.rows}) == 3


def test_themes_have_words_and_no_false_news(desk):
    table = themes(desk, "negative")
    assert table.rows
    assert all(row.words for row in table.rows)
    assert all(row.verdict == "steady" for row in table.rows)


def test_small_groups_are_withheld_from_every_door(desk):
    few = Scope(since=GOLIVE, until=GOLIVE, sites=SITES[:1], roles=("Manager",), langs=("en",))
    rows = desk.frame().chosen(few)
    assert 0 < len(set(desk.frame().respondent[rows])) < 5
    assert all(row.hidden for row in shares(desk, few).rows)
    assert passages(desk, few).rows == ()
    assert passages(desk, few).hidden == 1
    assert all(row.difference is None for row in compare(desk, few, Scope()).rows)
    assert bearing_words(desk, "negative", few).rows == ()


def test_scopes_are_read_from_text():
    given = {"since": "2026-05-09", "sites": ["A", "B"], "kinds": "comment", "until": ""}
    scope = read_scope(given)
    assert scope == Scope(since=date(2026, 5, 9), sites=("A", "B"), kinds=("comment",))
    with pytest.raises(InputError, match="no filter is named 'siets'"):
        read_scope({"siets": "A"})
    with pytest.raises(InputError, match="is not a day"):
        read_scope({"since": "9 mai"})


@pytest.mark.parametrize("by", [("colour",), ("site", "site"), ("site", "week", "kind")])
def test_impossible_cuts_are_refused(desk, by):
    with pytest.raises(InputError):
        shares(desk, by=by)
