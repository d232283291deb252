"""The store's side of watching nights: what a run took in and how it labelled, and its history."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store import runs as running
from dsn_nlp.store.duties import Duties
from dsn_nlp.store.schema import PUBLISHED, RUNNING, documents, labels, passages, rejected, runs
from dsn_nlp.store.schema_watch import measures

BINS = 20  # of a score histogram over [0, 1]
Measures = dict[str, Any]


class Watching(Duties):
    """Calls that watch nights."""

    def take_stock(self, run_id: str, model: str) -> Measures:
        """Count what a run took in, unpublished as it is, and how a model labelled it.

        :return: ``volumes`` (documents by source), ``languages`` and ``sentiments`` (passages),
            ``complaints`` (passages told of each), ``scores`` (by label, a list of ``BINS``
            counts over [0, 1]), ``away`` (why a whole source could not be read),
            ``strata`` (passages by kind and language), ``rejected`` (by
            source, then by code) and ``passages`` (how many in all).
        """
        with self._reading() as connection:
            return {
                "volumes": _volumes(connection, run_id),
                "rejected": _rejections(connection, run_id),
                "away": _away(connection, run_id),
                **_labelled(connection, run_id, model),
            }

    def note_measures(self, run_id: str, given: Measures) -> None:
        """Keep what a run measured; a second time replaces it.

        :raises RunInProgressError: when another run has taken over.
        """
        rows = [{"run_id": run_id, "name": name, "counts": given[name]} for name in given]
        with self._writing(run_id) as connection:
            where = sa.and_(measures.c.run_id == run_id, measures.c.name.in_(list(given)))
            connection.execute(measures.delete().where(where))
            if rows:
                connection.execute(measures.insert(), rows)

    def measures_of(self, run_ids: Sequence[str]) -> dict[str, Measures]:
        """Read what some runs measured, by run."""
        found: dict[str, Measures] = {run_id: {} for run_id in run_ids}
        query = sa.select(measures).where(measures.c.run_id.in_(list(run_ids)))
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                found[row["run_id"]][row["name"]] = row["counts"]
        return found

    def past_measures(self, nights: int) -> list[Measures]:
        """Read what the last published nights measured, newest first."""
        query = sa.select(runs.c.run_id).where(runs.c.status == PUBLISHED)
        newest = query.order_by(runs.c.finished_at.desc(), runs.c.run_id.desc()).limit(nights)
        with self._reading() as connection:
            run_ids = [str(run_id) for run_id in connection.scalars(newest)]
        by_run = self.measures_of(run_ids)
        return [by_run[run_id] for run_id in run_ids if by_run[run_id]]

    def find_run(self, start: str) -> dict[str, Any] | None:
        """Read the newest run whose id begins so; ``None`` where there is none."""
        query = sa.select(runs).where(runs.c.run_id.startswith(start, autoescape=True))
        newest = query.order_by(runs.c.started_at.desc(), runs.c.run_id.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(newest).mappings()
            row = found.one_or_none()
        return None if row is None else dict(row)

    def fail_own_run(self) -> None:
        """End the run that this process began, unpublished; do nothing where there is none."""
        mine = sa.select(runs.c.run_id).where(
            runs.c.status == RUNNING, runs.c.owner == running.this_owner()
        )
        with self._writing() as connection:
            for run_id in connection.scalars(mine).all():
                running.fail(connection, str(run_id))

    def reopen_source(self, run_id: str, source: str, reason: str) -> None:
        """Note that a source is away again, for a reason that was noted and closed before."""
        with self._writing(run_id) as connection:
            connection.execute(
                rejected.update()
                .where(rejected.c.source == source, rejected.c.stage == "source")
                .where(rejected.c.reason == reason)
                .values(settled_at=None, run_id=run_id)
            )

    def settle_source(self, run_id: str, source: str) -> int:
        """Close what was noted of a source, or of pages of it, while it was away for a moment.

        A page's note is closed once the page is stored, or refused for good.

        :return: how many notes were closed.
        """
        passing = rejected.c.reason.startswith("transient:")
        others = rejected.alias()
        known = sa.union_all(
            sa.select(documents.c.url).where(documents.c.source == source),
            sa.select(documents.c.link).where(documents.c.source == source),
            sa.select(others.c.place).where(
                others.c.source == source, ~others.c.reason.startswith("transient:")
            ),
        ).subquery()
        answered = sa.select(known.c[0]).where(known.c[0].is_not(None))
        with self._writing(run_id) as connection:
            closed = connection.execute(
                rejected.update()
                .where(rejected.c.source == source, rejected.c.settled_at.is_(None), passing)
                .where((rejected.c.stage == "source") | rejected.c.place.in_(answered))
                .values(settled_at=datetime.now(UTC))
            )
        return int(closed.rowcount)


def _volumes(connection: sa.Connection, run_id: str) -> dict[str, int]:
    query = sa.select(documents.c.source, sa.func.count()).where(documents.c.run_id == run_id)
    return {str(name): int(n) for name, n in connection.execute(query.group_by(documents.c.source))}


def _rejections(connection: sa.Connection, run_id: str) -> dict[str, dict[str, int]]:
    columns = (rejected.c.source, rejected.c.stage, rejected.c.code)
    query = sa.select(*columns, sa.func.count()).where(rejected.c.run_id == run_id)
    found: dict[str, dict[str, int]] = {}
    for source, stage, code, count in connection.execute(query.group_by(*columns)):
        reason = stage if code == "other" else code
        by_reason = found.setdefault(str(source), {})
        by_reason[reason] = by_reason.get(reason, 0) + int(count)
    return found


def _away(connection: sa.Connection, run_id: str) -> dict[str, str]:
    query = sa.select(rejected.c.source, rejected.c.reason).where(
        rejected.c.run_id == run_id, rejected.c.stage == "source", rejected.c.settled_at.is_(None)
    )
    return {str(source): str(reason) for source, reason in connection.execute(query)}


def _labelled(connection: sa.Connection, run_id: str, model: str) -> Measures:
    """Count labels of the passages of a run's documents."""
    joined = passages.join(documents).join(labels, labels.c.passage_id == passages.c.passage_id)
    where = sa.and_(documents.c.run_id == run_id, labels.c.model == model)

    def tally(*columns: sa.ColumnElement[Any]) -> list[tuple[Any, ...]]:
        query = sa.select(*columns, sa.func.count()).select_from(joined).where(where)
        return [tuple(row) for row in connection.execute(query.group_by(*columns))]

    strata = {
        f"{kind}-{lang}": int(n) for kind, lang, n in tally(documents.c.kind, passages.c.lang)
    }
    sentiments = {str(mood): int(n) for mood, n in tally(labels.c.sentiment)}
    told = {name: {bool(yes): int(n) for yes, n in tally(labels.c[name])} for name in COMPLAINTS}
    scores = {}
    for name in (*COMPLAINTS, *SENTIMENTS):
        counts = [0] * BINS
        for place, count in tally(_bin(connection, labels.c[f"{name}_score"])):
            counts[min(max(int(place), 0), BINS - 1)] += int(count)
        scores[name] = counts
    languages: dict[str, int] = {}
    for stratum, count in strata.items():
        lang = stratum.partition("-")[2]
        languages[lang] = languages.get(lang, 0) + count
    return {
        "passages": {"all": sum(strata.values())},
        "strata": strata,
        "languages": languages,
        "sentiments": {mood: sentiments.get(mood, 0) for mood in SENTIMENTS},
        "complaints": {name: told[name].get(True, 0) for name in COMPLAINTS},
        "scores": scores,
    }


def _bin(connection: sa.Connection, score: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    scaled = score * BINS
    # SQLite cuts towards zero, PostgreSQL would round.
    if connection.dialect.name == "postgresql":
        scaled = sa.func.floor(scaled)
    return sa.cast(scaled, sa.Integer)
