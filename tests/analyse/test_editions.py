"""Two nights' figures, subtracted: what moves is the answers of nobody, or of five people."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from dsn_nlp.analyse.alerts import COLLAPSE, find_alerts
from dsn_nlp.analyse.cells import TOTAL, lines_of
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.golive import GoLive
from dsn_nlp.analyse.questions import breakdown
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import cut_by, shares
from dsn_nlp.analyse.together import co_occurrence
from dsn_nlp.config import AlertSettings
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.engine import parse_url, writing_engine
from dsn_nlp.store.schema import QUEBEC, metadata

FIRST = date(2026, 5, 4)
K = 5
VIEWS = [
    ((), Scope()),
    (("site",), Scope()),
    (("week",), Scope()),
    (("site", "week"), Scope()),
    (("site",), Scope(langs=("fr",))),
    ((), Scope(sites=("A",))),
]


class House:
    """A store that grows night by night; every comment is one passage."""

    def __init__(self, url: str) -> None:
        self.url, self.comments = url, 0
        self.now = datetime(2026, 6, 1, 9, tzinfo=UTC)
        Store.open(url).close()
        self.people: dict[str, str] = {}
        model = {
            "model": "m@1", "name": "m", "version": "1", "manifest": {}, "corpus_digest": "",
            "registered_at": datetime(2026, 1, 1, tzinfo=UTC), "serving": True,
        }  # fmt: skip
        self._write({"models": [model]})

    def night(self, answers: list[tuple[str, str, str, date, bool]]) -> None:
        """Publish one night: who, site, language, day, and whether of training."""
        self.now += timedelta(minutes=1)
        moment = self.now
        run_id = f"{moment:%Y%m%dT%H%M%SZ}-test"
        run = {
            "run_id": run_id, "started_at": moment, "finished_at": moment, "status": "published",
            "owner": "", "lease_seconds": 0.0, "version": "0",
        }  # fmt: skip
        rows = {name: [] for name in ("documents", "contexts", "passages", "labels")}
        for who, site, lang, day, training in answers:
            self.comments += 1
            key = f"d{self.comments:05d}"
            self.people[key] = who
            noon = datetime(day.year, day.month, day.day, 16, tzinfo=UTC)
            written = day if isinstance(day, datetime) else noon
            rows["documents"].append(
                {"document_id": key, "kind": "comment", "source": "s", "text": "…", "lang": lang,
                 "published_at": written, "site": site, "respondent": who, "run_id": run_id}
            )  # fmt: skip
            rows["contexts"].append(
                {"document_id": key, "preparation": "p", "site": site, "relevance_score": 1.0,
                 "relevance_reason": "", "text_key": key, "group_id": key}
            )  # fmt: skip
            rows["passages"].append(
                {"passage_id": key, "document_id": key, "position": 0, "start_offset": 0,
                 "end_offset": 1, "text": "…", "lang": lang}
            )  # fmt: skip
            told = {name: name == "training" and training for name in COMPLAINTS}
            rows["labels"].append(
                {"passage_id": key, "model": "m@1", "run_id": run_id, **told,
                 **{f"{name}_score": float(yes) for name, yes in told.items()},
                 **{f"{mood}_score": float(mood == "neutral") for mood in SENTIMENTS},
                 "sentiment": "neutral", "sentiment_score": 1.0, "needs_review": False}
            )  # fmt: skip
        self._write({"runs": [run]} | rows)

    def desk(self) -> Desk:
        return Desk(self.url, Path("models"), GoLive({}), draws=20)

    def _write(self, tables: dict[str, list[dict[str, object]]]) -> None:
        engine = writing_engine(parse_url(self.url))
        with engine.execution_options(writing=True).begin() as connection:
            for name, rows in tables.items():
                if rows:
                    connection.execute(metadata.tables[name].insert(), rows)
        engine.dispose()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(f"sqlite:///{tmp_path}/dsn.db")


def answers(rng: np.random.Generator, size: int, night: int) -> list[tuple]:
    """Mostly of this week, some late; people come back."""
    return [
        (
            f"p{rng.integers(70)}",
            str(rng.choice(list("ABCD"), p=[0.5, 0.3, 0.15, 0.05])),
            str(rng.choice(["fr", "en"], p=[0.7, 0.3])),
            FIRST + timedelta(days=int(max(0, 3 * night - rng.exponential(3)))),
            bool(rng.random() < 0.3),
        )
        for _ in range(size)
    ]


def published(desk: Desk, by: tuple[str, ...], scope: Scope) -> dict[tuple[str, ...], set[str]]:
    """Passages behind each figure that shows."""
    frame = desk.frame()
    cut = cut_by(desk, frame, frame.chosen(scope), by)
    return {
        key: {name.decode() for name in frame.passage[cut.rows[members]]}
        for key, members in zip(cut.keys, cut.members, strict=True)
        if key not in cut.hidden
    }


def everything(desk: Desk, by: tuple[str, ...], scope: Scope) -> dict[tuple[str, ...], int]:
    """What a table without this guard would show."""
    frame = desk.frame()
    rows = frame.chosen(scope)
    names = [np.array(frame.columns["site"].names)[frame.columns["site"].codes[rows]]]
    found = {(TOTAL,): len(rows)}
    return found | {(str(v),): int((names[0] == v).sum()) for v in np.unique(names[0])}


@pytest.mark.parametrize("seed", range(3))
def test_two_nights_tell_nobodys_answers(house: House, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before: dict[int, dict] = {}
    small = shown = 0
    for night in range(6):
        house.night(answers(rng, 60 if night == 0 else int(rng.integers(1, 25)), night))
        desk = house.desk()
        for number, (by, scope) in enumerate(VIEWS):
            now = published(desk, by, scope)
            last = before.get(number, {})
            moved = {key: now[key] ^ last[key] for key in now.keys() & last.keys()}
            for key, passages in moved.items():
                people = {house.people[one] for one in passages}
                assert not 0 < len(people) < K, (night, by, scope, key)
                shown += bool(people)
            for line in lines_of(now.keys() | last.keys()):
                both = [key for key in line.parts if key in moved]
                if line.total in moved and len(both) == len(line.parts):
                    rest = moved[line.total] ^ set().union(*(moved[key] for key in both))
                    people = {house.people[one] for one in rest}
                    assert not 0 < len(people) < K, (night, by, scope, line)
            if by == ("site",) and not scope.langs:
                raw = everything(desk, by, scope)
                small += (
                    sum(0 < n - before["raw"].get(k, n) < K for k, n in raw.items())
                    if ("raw" in before)
                    else 0
                )
                before["raw"] = raw
            before[number] = now
    assert small > 5, "a table without the guard would have told"
    assert shown > 20, "and the guarded one still moves"


def test_an_answer_too_few_waits_for_others(house: House) -> None:
    day = FIRST
    house.night([(f"p{n}", "A" if n % 2 else "B", "fr", day, n < 8) for n in range(30)])
    first = rows_of(house)
    house.night([("late", "A", "fr", day, True)])
    assert rows_of(house) == first, "one person's answer moves no figure"
    house.night([("late", "A", "fr", day, True), ("p1", "A", "fr", day, True)])
    assert rows_of(house) == first, "nor do three answers of two people"
    house.night([(f"q{n}", "A", "fr", day, False) for n in range(3)])
    later = rows_of(house)
    assert later["A"] == (first["A"][0] + 6, first["A"][1] + 3)
    assert later["B"] == first["B"]
    assert later[TOTAL] == (first[TOTAL][0] + 6, first[TOTAL][1] + 3)


def test_pairs_of_complaints_wait_too(house: House) -> None:
    house.night([(f"p{n}", "A", "fr", FIRST, True) for n in range(30)])
    first = co_occurrence(house.desk()).rows
    house.night([("late", "A", "fr", FIRST, True)])
    assert co_occurrence(house.desk()).rows == first


def rows_of(house: House) -> dict[str, tuple[int, int]]:
    table = shares(house.desk(), by=("site",), labels=("training",))
    return {row.group[0]: (row.passages, row.told) for row in table.rows}


def test_nights_that_bring_enough_are_shown_at_once(house: House) -> None:
    for night in range(4):
        house.night([(f"p{night}-{n}", "AB"[n % 2], "fr", FIRST, False) for n in range(20)])
        assert rows_of(house)[TOTAL] == (20 * (night + 1), 0)
    with sa.create_engine(house.url).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM documents")) == 80


def test_filters_cannot_be_subtracted_within_a_night(house: House) -> None:
    """B is of two people and hidden; so is C, which a sum would give away."""
    sizes = {"A": 30, "B": 2, "C": 9}
    house.night(
        [(f"{site}{n}", site, "fr", FIRST, n == 0) for site, k in sizes.items() for n in range(k)]
    )
    desk = house.desk()

    def shown(*sites: str) -> int | None:
        return shares(desk, Scope(sites=sites), labels=("training",)).rows[0].passages

    assert shown() == 41
    assert shown("A") == 30
    assert shown("B", "C") == 11
    # Each of these, taken from one above, would leave B's two.
    assert [shown(*s) for s in [("A", "B"), ("A", "C"), ("C",), ("B",)]] == [None] * 4
    by_site = shares(desk, by=("site",), labels=("training",)).rows
    assert {row.group[0]: row.passages for row in by_site} == {
        "A": 30, "B": None, "C": None, TOTAL: 41,
    }  # fmt: skip


def test_the_only_source_that_falls_silent_is_told(house: House) -> None:
    """No newer comment says what day it is; the edition does."""
    for week in range(10):
        day = FIRST + timedelta(weeks=week)
        house.now = datetime(day.year, day.month, day.day, 22, tzinfo=UTC)
        house.night([(f"p{week}-{n}", "A", "fr", day, False) for n in range(20)])
    assert find_alerts(house.desk(), AlertSettings()) == []
    house.now = datetime(2026, 7, 20, 9, tzinfo=UTC)  # two weeks after the last comment
    house.night([])
    (alert,) = find_alerts(house.desk(), AlertSettings())
    assert (alert.kind, alert.subject, alert.now.value) == (COLLAPSE, "s", 0)
    assert alert.until == date(2026, 7, 20)
    house.now = datetime(2026, 12, 1, 9, tzinfo=UTC)
    house.night([])
    assert find_alerts(house.desk(), AlertSettings()) == [], "a source long gone is news no more"


def test_what_one_night_read_at_once_is_no_silence(house: House) -> None:
    house.now = datetime(2026, 7, 20, 9, tzinfo=UTC)
    days = [FIRST + timedelta(weeks=week) for week in range(10)]
    house.night([(f"p{d}-{n}", "A", "fr", d, False) for d in days for n in range(20)])
    assert find_alerts(house.desk(), AlertSettings()) == []


def test_the_summary_of_a_night_withholds_small_groups(house: House) -> None:
    house.night([(f"p{n}", "A", "fr", FIRST, True) for n in range(30)])
    house.night([(f"q{n}", "A", "en", FIRST, True) for n in range(2)])
    english, french, every = breakdown(house.url)
    assert (english.lang, french.lang, every.lang) == ("en", "fr", None)
    # With the total shown, one subtraction would give the two away: both parts are hidden.
    assert english.passages is french.passages is None
    assert set(french.complaints) == {None}
    assert every.passages == 32
    house.night([(f"q{n}", "A", "en", FIRST, True) for n in range(5)])
    assert [part.passages for part in breakdown(house.url)] == [7, 30, 37]


def test_days_of_the_views_are_those_of_the_dashboard(house: House) -> None:
    """A comment of the evening shift is of the day it was written on in Québec."""
    late = datetime.combine(FIRST, time(20, 30), QUEBEC)
    house.night([(f"p{n}", "A", "fr", late, True) for n in range(9)])
    _, rows = run_query(house.url, "SELECT day, passages FROM daily_counts")
    asked = shares(house.desk(), by=("day",), labels=("training",)).rows
    assert [(str(day), count) for day, count in rows] == [(FIRST.isoformat(), 9)]
    assert (asked[0].group[0], asked[0].passages) == (FIRST.isoformat(), 9)
    _, weeks = run_query(house.url, "SELECT week FROM site_weeks")
    assert [str(week) for (week,) in weeks] == [FIRST.isoformat()]
