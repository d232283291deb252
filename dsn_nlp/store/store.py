"""The store: what the stages of a night read and write, each call one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from dsn_nlp.records import (
    Candidate,
    Cursor,
    Document,
    DocumentContext,
    Label,
    Passage,
    Postponed,
    Rejection,
    Remembered,
    Review,
)
from dsn_nlp.store import content, contexts, digest, gathering, intake, runs, schema
from dsn_nlp.store import reviews as reviewing
from dsn_nlp.store.engine import describe, make_place, parse_url, writing_engine
from dsn_nlp.store.migrate import migrate
from dsn_nlp.store.watching import Watching


class Store(Watching):
    """Documents, labels and runs in SQLite or PostgreSQL.

    Writing anything twice changes nothing. Readers see a run's rows once it is published, all at
    once. Every method may raise ``TransientStoreError`` (locked, connection lost) and
    ``StoreError``; neither holds stored text nor a password. Safe to share between threads.
    """

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a store, make it where there is none, and bring its schema forward.

        :param url: ``sqlite:///path``, ``postgresql://…`` or ``postgresql+psycopg://…``.
        :raises StoreError: when it cannot be made, or was written by a newer dsn-nlp.
        """
        parsed = parse_url(url)
        make_place(parsed)
        migrate(parsed)
        return cls(writing_engine(parsed), describe(parsed))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._place})"

    def begin_run(self, version: str, lease: timedelta) -> str:
        """Start a run and take over the unpublished rows of dead, expired and failed ones.

        :param version: of dsn-nlp.
        :param lease: how long other runs stay away unless it is renewed.
        :return: the run's id.
        :raises RunInProgressError: when a living run holds an unexpired lease.
        """
        with self._writing() as connection:
            return runs.begin(connection, version, lease)

    def renew_lease(self, run_id: str) -> None:
        """Extend a run's lease from now, by as long as it was taken for.

        :raises RunInProgressError: when another run has taken over.
        """
        with self._writing() as connection:
            runs.renew(connection, run_id)

    def fail_run(self, run_id: str) -> None:
        """End a run unpublished; the next one takes its rows over.

        :raises RunInProgressError: when another run has taken over.
        """
        with self._writing() as connection:
            runs.fail(connection, run_id)

    def publish(self, run_id: str, counts: Mapping[str, int], model: str) -> None:
        """Show a run's rows, and this model's labels, to all readers at once.

        :param counts: the night's counts, kept with the run.
        :param model: ``name@version``, registered before.
        :raises RunInProgressError: when another run has taken over.
        :raises StoreError: when the model is not registered.
        """
        with self._writing() as connection:
            runs.publish(connection, run_id, counts, model)
            contexts.regroup(connection)

    def known_documents(self, ids: Iterable[str]) -> set[str]:
        """Tell which of these document ids are stored, published or not."""
        with self._reading() as connection:
            return content.known_documents(connection, ids)

    def known_contents(self, ids: Iterable[str]) -> dict[str, str | None]:
        """Give the stored documents among these ids, with the keyed hash of what was received."""
        with self._reading() as connection:
            return content.known_contents(connection, ids)

    def known_deliveries(self, source: str) -> dict[str, str]:
        """Give the files a source has delivered: keyed hash of each, and of the settings then."""
        with self._reading() as connection:
            return intake.known_deliveries(connection, source)

    def add_delivery(self, run_id: str, delivery: intake.DeliveryRow) -> None:
        """Remember a file as read to its end, or as refused.

        :raises RunInProgressError: when another run has taken over.
        """
        with self._writing(run_id) as connection:
            intake.add_delivery(connection, delivery)

    def sealed_rows(self, source: str) -> list[tuple[str, str, bytes]]:
        """Give the sealed rows of a source: id and reason of the rejection, and the row."""
        with self._reading() as connection:
            return intake.read_sealed_rows(connection, source)

    def settle(self, run_id: str, ids: Iterable[str]) -> int:
        """Close rejections whose input was read after all; their sealed rows are erased.

        :return: how many were open.
        """
        given = list(ids)
        with self._writing(run_id) as connection:
            return intake.settle(connection, given)

    def ask_again(self, run_id: str, source: str) -> int:
        """Let what a source has refused as a whole be tried again: files, and screened articles.

        :return: how many files and articles.
        """
        with self._writing(run_id) as connection:
            return intake.ask_again(connection, source)

    def forget_sealed_rows(self, before: datetime) -> int:
        """Erase the sealed rows kept since before a moment; why they were refused stays.

        :return: how many.
        """
        with self._writing() as connection:
            return intake.forget_sealed_rows(connection, before)

    def known_among(self, source: str, urls: Sequence[str]) -> set[str]:
        """Tell which addresses need no fetching: stored by any source, erased, or refused for good.

        :param urls: canonical addresses.
        """
        with self._reading() as connection:
            return gathering.known_among(connection, source, urls)

    def recall(self, source: str, url: str) -> Remembered | None:
        """Read what a server said of an address when it was last asked for a source."""
        with self._reading() as connection:
            return gathering.recall(connection, source, url)

    def postponed(self, source: str) -> list[Postponed]:
        """Read the pages of a source that are to be asked again, by address."""
        with self._reading() as connection:
            return gathering.put_off_before(connection, source)

    def postpone(self, source: str, links: Iterable[str]) -> None:
        """Ask for these pages again on the next night, even if their feed has not changed."""
        given = list(links)
        with self._writing() as connection:
            gathering.put_off_more(connection, source, given)

    def cursor(self, source: str) -> Cursor | None:
        """Read where a news source stands; ``None`` before it was first asked."""
        with self._reading() as connection:
            return gathering.read_cursor(connection, source)

    def end_visit(
        self,
        run_id: str,
        source: str,
        newest_at: datetime | None,
        postponed: Iterable[Postponed],
        learnt: Mapping[str, Sequence[Remembered]],
    ) -> None:
        """Keep what a whole visit to a news source has taught, once its articles are stored.

        :param newest_at: the newest publication seen.
        :param postponed: all pages to ask again, in place of those kept before.
        :param learnt: what servers said, by source.
        :raises RunInProgressError: when another run has taken over.
        """
        given = list(postponed)
        with self._writing(run_id) as connection:
            gathering.note_answer(connection, source, newest_at)
            gathering.put_off(connection, source, given)
            for owner, answers in learnt.items():
                gathering.remember(connection, owner, answers)

    def note_failure(self, run_id: str, source: str) -> None:
        """Note that a source did not answer tonight."""
        with self._writing(run_id) as connection:
            gathering.note_failure(connection, source)

    def note_covered(self, run_id: str, source: str, since: datetime, until: datetime) -> None:
        """Note which time a backfill of a source went through, ``until`` exclusive.

        The cursor keeps one stretch without a gap: the last backfill's, with those it touches.
        """
        with self._writing(run_id) as connection:
            gathering.note_covered(connection, source, since, until)

    def add_documents(
        self, run_id: str, pairs: Iterable[tuple[Document, Sequence[Passage]]]
    ) -> list[str]:
        """Store documents with their passages, all of them or none.

        A document that is there already stays as it is, with the passages it has; one that was
        erased, or is of a respondent who was, stays away.

        :return: ids of the documents that were new.
        :raises RunInProgressError: when another run has taken over.
        """
        given = list(pairs)  # a slow generator must not hold the write lock
        with self._writing(run_id) as connection:
            return content.add_documents(connection, run_id, given)

    def add_rejections(self, run_id: str, rejections: Iterable[Rejection]) -> int:
        """Store what could not be taken in.

        :return: how many were new.
        :raises RunInProgressError: when another run has taken over.
        """
        given = list(rejections)
        with self._writing(run_id) as connection:
            return content.add_rejections(connection, run_id, given)

    def unlabelled(
        self,
        model: str,
        limit: int,
        run_id: str | None = None,
        after: str = "",
        first: str = "",
        until: str | None = None,
    ) -> list[Passage]:
        """Read passages without a label of a model, ordered by passage id.

        :param model: ``name@version``.
        :param limit: how many at most.
        :param run_id: only passages of this run's documents.
        :param after: only ids past this one: the last seen, which spares the store a rescan.
        :param first: only ids from this one on.
        :param until: only ids before this one.
        """
        with self._reading() as connection:
            return content.unlabelled(connection, model, limit, run_id, (after, first, until))

    def cut_unlabelled(self, model: str, size: int) -> list[str]:
        """Read every ``size``-th id of the passages without a label of a model, from the first."""
        with self._reading() as connection:
            return content.cut_unlabelled(connection, model, size)

    def count_unlabelled(self, model: str) -> int:
        """Count passages without a label of a model."""
        with self._reading() as connection:
            return content.count_unlabelled(connection, model)

    def add_labels(self, run_id: str, labels: Iterable[Label]) -> int:
        """Store labels; a model's row on a passage is never overwritten.

        :return: how many were new.
        :raises RunInProgressError: when another run has taken over.
        :raises StoreError: when a passage or model is unknown, or scores are out of shape.
        """
        given = list(labels)
        with self._writing(run_id) as connection:
            return content.add_labels(connection, run_id, given)

    def without_context(
        self, preparation: str, limit: int, after: str = ""
    ) -> list[tuple[Document, list[Passage]]]:
        """Read documents, with their passages, that a version of the rules has not looked at.

        :param after: only ids past this one: the last seen, which spares the store a rescan.
        """
        with self._reading() as connection:
            return contexts.without_context(connection, preparation, limit, after)

    def same_texts(self, preparation: str, keys: Iterable[str]) -> dict[str, str]:
        """Name the first document, by id, of each of these texts that a version has told."""
        with self._reading() as connection:
            return contexts.same_texts(connection, preparation, keys)

    def in_bands(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """Name the first documents, by id, of each of these bands, one more than counts."""
        with self._reading() as connection:
            return contexts.in_bands(connection, keys)

    def texts_of(self, ids: Iterable[str]) -> dict[str, str]:
        """Read the texts of documents."""
        with self._reading() as connection:
            return contexts.texts_of(connection, ids)

    def add_contexts(self, run_id: str, given: Iterable[DocumentContext]) -> int:
        """Store contexts of documents, in place of those of earlier rules.

        :return: how many.
        :raises RunInProgressError: when another run has taken over.
        """
        told = list(given)
        with self._writing(run_id) as connection:
            return contexts.add_contexts(connection, told)

    def register_model(
        self, model: str, name: str, version: str, manifest: dict[str, Any], corpus_digest: str
    ) -> None:
        """Store a model version, once; it serves only after a run is published with it.

        :param model: ``name@version``.
        :raises StoreError: when the version is there with another manifest or corpus.
        """
        row: dict[str, Any] = {
            "model": model,
            "name": name,
            "version": version,
            "manifest": manifest,
            "corpus_digest": corpus_digest,
        }
        with self._writing() as connection:
            content.register_model(connection, row)

    def serving_model(self) -> str | None:
        """Name the model whose labels readers see; ``None`` before the first published run."""
        query = sa.select(schema.models.c.model).where(schema.models.c.serving)
        with self._reading() as connection:
            return connection.scalar(query)

    def candidates(self, annotator: str | None = None) -> list[Candidate]:
        """Read published passages with the serving model's labels that nobody has reviewed.

        :param annotator: only leave out what this person has reviewed, for a second reading.
        """
        with self._reading() as connection:
            return reviewing.candidates(connection, annotator)

    def known_passages(self, ids: Iterable[str]) -> set[str]:
        """Tell which of these passage ids are stored."""
        with self._reading() as connection:
            return reviewing.known_passages(connection, ids)

    def add_reviews(self, given: Iterable[Review]) -> int:
        """Store reviews; a later one of the same person on a passage replaces the earlier.

        :return: how many were new or changed.
        """
        reviews = list(given)
        with self._writing() as connection:
            return reviewing.add_reviews(connection, reviews)

    def reviews(self) -> list[tuple[Review, str, str, str]]:
        """Read every review with its passage's text, language and document kind."""
        with self._reading() as connection:
            return reviewing.read_reviews(connection)

    def runs(self, limit: int) -> list[dict[str, Any]]:
        """Read the newest runs first, a dictionary of all columns each."""
        table = schema.runs
        return self._newest(sa.select(table), (table.c.started_at, table.c.run_id), limit)

    def rejected(
        self,
        limit: int,
        source: str | None = None,
        *,
        settled: bool = True,
        code: str | None = None,
    ) -> list[dict[str, Any]]:
        """Read the newest rejections first, a dictionary of all columns each.

        :param settled: with those whose input was read after all.
        :param code: only those refused for this reason.
        """
        table = schema.rejected
        query = sa.select(table)
        if source is not None:
            query = query.where(table.c.source == source)
        if code is not None:
            query = query.where(table.c.code == code)
        if not settled:
            query = query.where(table.c.settled_at.is_(None))
        return self._newest(query, (table.c.first_seen_at, table.c.rejected_id), limit)

    def counts(self) -> dict[str, int]:
        """Count published documents and passages, labels shown, and all rejections."""
        with self._reading() as connection:
            return content.counts(connection)

    def digest(self) -> str:
        """Hash all content, apart from runs; equal content hashes equal on any database.

        :return: 64 hexadecimal digits (SHA-256).
        """
        with self._reading() as connection:
            return digest.digest(connection)

    def _newest(
        self,
        query: sa.Select[tuple[Any, ...]],
        order: tuple[sa.ColumnElement[Any], ...],
        limit: int,
    ) -> list[dict[str, Any]]:
        ordered = query.order_by(*(column.desc() for column in order)).limit(limit)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(ordered).mappings()]
