"""Tables of the store and the view analysts read, with a comment on each column.

Ids sort bytewise on both databases, times are aware UTC, scores are probabilities in [0, 1].
The migrations create what is declared here; a test holds the two equal.
"""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from dsn_nlp.records import COMPLAINTS

QUEBEC = ZoneInfo("America/Toronto")
RUNNING, PUBLISHED, FAILED, INTERRUPTED = "running", "published", "failed", "interrupted"


class UtcTime(sa.TypeDecorator[datetime]):
    """Aware times: ``timestamptz`` on PostgreSQL, sortable ISO text with ``+00:00`` on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text on SQLite, which has no type for times."""
        on_sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(sa.Text() if on_sqlite else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """Bring a time to UTC.

        :raises ValueError: when the time is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        # Fixed width, so that comparing the texts compares the times.
        return moment.isoformat(" ", "microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.astimezone(UTC)


# Without it PostgreSQL would sort ids by locale, and differ from SQLite.
ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _column(
    name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], comment: str
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)


def _optional(
    name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], comment: str
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=comment)


def quebec_day(moment: datetime | None) -> date | None:
    """The day of a moment in Québec; ``None`` for none."""
    return None if moment is None else moment.astimezone(QUEBEC).date()


def _quebec_day(context: Any) -> date | None:
    return quebec_day(context.get_current_parameters().get("published_at"))


def _run_id() -> sa.Column[Any]:
    return sa.Column(
        "run_id",
        ID,
        sa.ForeignKey("runs.run_id"),
        nullable=False,
        index=True,
        comment="the run that answers for this row; rows show once it is published",
    )


def _complaint_columns() -> list[sa.Column[Any]]:
    columns = []
    for name in COMPLAINTS:
        columns.append(_column(name, sa.Boolean(), f"whether the passage complains of {name}"))
        columns.append(_column(f"{name}_score", sa.Double(), f"probability of {name}, in [0, 1]"))
    return columns


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", ID, primary_key=True, comment="UTC start and a random part"),
    _column("started_at", UtcTime(), "when the run began, UTC"),
    _optional("finished_at", UtcTime(), "when it was published, failed or was found dead, UTC"),
    _column("status", sa.String(), "running, published, failed or interrupted"),
    _column("owner", sa.String(), "host:pid:process start time"),
    _optional("lease_expires_at", UtcTime(), "until when no other run may start, UTC"),
    _column("lease_seconds", sa.Double(), "by how much a renewal extends the lease"),
    _optional("counts", sa.JSON(), "counts of the published run by name"),
    _column("version", sa.String(), "version of dsn-nlp that ran"),
    _optional("model", ID, "model version that served once the run was published"),
    sa.CheckConstraint(
        "status IN ('running', 'published', 'failed', 'interrupted')", name="status"
    ),
)
# The database itself holds "one run at a time" and "one serving model".
sa.Index(
    "ux_runs_running",
    runs.c.status,
    unique=True,
    sqlite_where=sa.text("status = 'running'"),
    postgresql_where=sa.text("status = 'running'"),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("document_id", ID, primary_key=True, comment="derived from content or position"),
    _column("kind", sa.String(), "article or comment"),
    sa.Column("source", sa.String(), nullable=False, index=True, comment="source as configured"),
    _optional("url", sa.Text(), "address of an article"),
    _optional("title", sa.Text(), "headline of an article"),
    _column("text", sa.Text(), "article text, or a comment once de-identified"),
    _column("lang", sa.String(), "fr or en, of the document as a whole"),
    sa.Column("published_at", UtcTime(), index=True, comment="published or written, UTC"),
    _optional("site", sa.String(), "health establishment"),
    _optional("unit", sa.String(), "unit of the establishment, as given"),
    _optional("role", sa.String(), "role of the commenter, as given"),
    sa.Column("respondent", ID, index=True, comment="keyed hash of who wrote a comment"),
    _optional("content_key", sa.String(), "keyed hash of a comment as received"),
    sa.Column("link", sa.Text(), index=True, comment="announced address, where not the url"),
    _optional("outlet", sa.String(), "newspaper or station of an article"),
    _optional("authors", sa.Text(), "authors of an article, separated by '; '"),
    _optional("section", sa.String(), "section of the outlet"),
    _optional("access", sa.String(), "full, or lead when the rest is behind a paywall"),
    _optional("dated_by", sa.String(), "where published_at is from: page, source, day, gathered"),
    _run_id(),
    sa.Column(
        "day",
        sa.Date(),
        nullable=True,
        default=_quebec_day,
        comment="day of published_at, Québec time",
    ),
)

passages = sa.Table(
    "passages",
    metadata,
    sa.Column("passage_id", ID, primary_key=True, comment="derived from document and offsets"),
    sa.Column(
        "document_id",
        ID,
        sa.ForeignKey("documents.document_id", ondelete="CASCADE"),
        nullable=False,
        comment="the document it is cut from",
    ),
    _column("position", sa.Integer(), "rank in the document, from 0"),
    _column("start_offset", sa.Integer(), "first character in the document's text"),
    _column("end_offset", sa.Integer(), "character after the last one"),
    _column("text", sa.Text(), "the passage itself"),
    _column("lang", sa.String(), "fr or en, of this passage"),
    sa.UniqueConstraint("document_id", "position"),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("model", ID, primary_key=True, comment="name@version"),
    _column("name", sa.String(), "name of the model"),
    _column("version", sa.String(), "version of the model"),
    _column("manifest", sa.JSON(), "the model folder's manifest"),
    _column("corpus_digest", sa.String(), "digest of the corpus it was trained on"),
    _column("registered_at", UtcTime(), "when it was first seen here, UTC"),
    _column("serving", sa.Boolean(), "whether the view shows this model's labels"),
)
sa.Index(
    "ux_models_serving",
    models.c.serving,
    unique=True,
    sqlite_where=sa.text("serving"),
    postgresql_where=sa.text("serving"),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column(
        "passage_id",
        ID,
        sa.ForeignKey("passages.passage_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the labelled passage",
    ),
    sa.Column(
        "model",
        ID,
        sa.ForeignKey("models.model"),
        primary_key=True,
        index=True,
        comment="the model version that says so",
    ),
    *_complaint_columns(),
    _column("sentiment", sa.String(), "negative, neutral or positive"),
    _column("sentiment_score", sa.Double(), "probability of that sentiment, in [0, 1]"),
    _column("negative_score", sa.Double(), "probability of negative, in [0, 1]"),
    _column("neutral_score", sa.Double(), "probability of neutral, in [0, 1]"),
    _column("positive_score", sa.Double(), "probability of positive, in [0, 1]"),
    _column("needs_review", sa.Boolean(), "whether a person should look at it"),
    _run_id(),
)

rejected = sa.Table(
    "rejected",
    metadata,
    sa.Column("rejected_id", ID, primary_key=True, comment="hash of the four columns below"),
    _column("source", sa.String(), "source as configured"),
    _column("place", sa.Text(), "URL, or file and row; never text"),
    _column("stage", sa.String(), "stage that refused it"),
    _column("reason", sa.String(), "why, in one line"),
    _column("first_seen_at", UtcTime(), "when it was first refused, UTC"),
    _run_id(),
    sa.Column(
        "code", sa.String(), nullable=False, server_default="other", comment="why, in one word"
    ),
    _optional("settled_at", UtcTime(), "when it was read after all, UTC"),
    sa.Index(None, "source", "stage"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("source", ID, primary_key=True, comment="source as configured"),
    sa.Column("content_key", ID, primary_key=True, comment="keyed hash of the file's bytes"),
    _column("reading", sa.String(), "hash of the settings it was read with"),
    _column("name", sa.Text(), "name under which it came last"),
    _column("state", sa.String(), "read, or refused as a whole"),
    _optional("notes", sa.Text(), "what was odd about it, in one line"),
    _column("read_at", UtcTime(), "when it was read to its end or refused, UTC"),
)

sealed_rows = sa.Table(
    "sealed_rows",
    metadata,
    sa.Column(
        "rejected_id",
        ID,
        sa.ForeignKey("rejected.rejected_id", ondelete="CASCADE"),
        primary_key=True,
        comment="why the row is here",
    ),
    _column("sealed", sa.LargeBinary(), "the raw row, encrypted under the comments key"),
    sa.Column("respondent", ID, index=True, comment="keyed hash of who wrote it, where known"),
    sa.Column("kept_at", UtcTime(), nullable=False, index=True, comment="kept since, UTC"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("source", ID, primary_key=True, comment="news source as configured"),
    _column("asked_at", UtcTime(), "when it was last asked, UTC"),
    _optional("answered_at", UtcTime(), "when it last answered, UTC"),
    _optional("newest_at", UtcTime(), "newest publication seen in it, UTC"),
    _column("failures", sa.Integer(), "nights in a row without an answer"),
    _optional("covered_since", UtcTime(), "where the last backfill began, or one it touches, UTC"),
    _optional("covered_until", UtcTime(), "where it ended, exclusive, UTC; no gap between"),
)

remembered = sa.Table(
    "remembered",
    metadata,
    sa.Column("source", ID, primary_key=True, comment="news source, or robots.txt for all"),
    sa.Column("url", sa.Text(), primary_key=True, comment="address that was asked"),
    _optional("etag", sa.Text(), "ETag of its last answer"),
    _optional("last_modified", sa.Text(), "Last-Modified of its last answer"),
    _column("body", sa.LargeBinary(), "the last answer itself, of robots.txt only"),
)

postponed = sa.Table(
    "postponed",
    metadata,
    sa.Column("source", ID, primary_key=True, comment="news source as configured"),
    sa.Column("link", sa.Text(), primary_key=True, comment="address to ask another night"),
    _column("title", sa.Text(), "headline as announced"),
    _optional("published_at", UtcTime(), "as announced, UTC"),
    _column("attempts", sa.Integer(), "nights it was asked in vain"),
)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column(
        "passage_id",
        ID,
        sa.ForeignKey("passages.passage_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the reviewed passage",
    ),
    sa.Column("annotator", ID, primary_key=True, comment="who reviewed it, as they chose to sign"),
    _column("reviewed_at", UtcTime(), "when it was reviewed, UTC"),
    *(_column(name, sa.Boolean(), f"whether it complains of {name}") for name in COMPLAINTS),
    _column("sentiment", sa.String(), "negative, neutral or positive"),
)


def _of_document(**options: Any) -> sa.Column[Any]:
    return sa.Column(
        "document_id",
        ID,
        sa.ForeignKey("documents.document_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the document",
        **options,
    )


contexts = sa.Table(
    "contexts",
    metadata,
    _of_document(),
    _column("preparation", sa.String(), "version of the rules that say so"),
    _optional("site", sa.String(), "official name of a comment's own site"),
    _column("relevance_score", sa.Double(), "how sure it is about the DSN, in [0, 1]"),
    _column("relevance_reason", sa.String(), "why, in a few words"),
    sa.Column("text_key", ID, nullable=False, index=True, comment="hash of the folded text"),
    sa.Column("group_id", ID, index=True, comment="smallest id among its near-copies and itself"),
)

mentions = sa.Table(
    "mentions",
    metadata,
    _of_document(),
    sa.Column("start_offset", sa.Integer(), primary_key=True, comment="first character"),
    _column("end_offset", sa.Integer(), "character after the last one"),
    sa.Column("site", sa.String(), nullable=False, index=True, comment="official French name"),
)

voices = sa.Table(
    "voices",
    metadata,
    _of_document(),
    sa.Column("start_offset", sa.Integer(), primary_key=True, comment="first character said"),
    sa.Column("end_offset", sa.Integer(), primary_key=True, comment="character after the last"),
    _column("role", sa.String(), "care_staff, physician, union, management, ministry …"),
    _column("direct", sa.Boolean(), "whether it is quoted word for word"),
)

passage_contexts = sa.Table(
    "passage_contexts",
    metadata,
    sa.Column(
        "passage_id",
        ID,
        sa.ForeignKey("passages.passage_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the passage",
    ),
    _optional("site", sa.String(), "first establishment that it names, official name"),
    _optional("voice_role", sa.String(), "role of who speaks in it, where somebody does"),
)

bands = sa.Table(
    "bands",
    metadata,
    sa.Column("band_key", ID, primary_key=True, comment="what near-copies are likely to share"),
    _of_document(index=True),
)

near_copies = sa.Table(
    "near_copies",
    metadata,
    _of_document(),
    sa.Column(
        "other_id",
        ID,
        sa.ForeignKey("documents.document_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
        comment="a document of nearly the same text, of a greater id",
    ),
)

views = sa.MetaData()
labelled_passages = sa.Table(
    "labelled_passages",
    views,
    _column("passage_id", ID, "the passage"),
    _column("document_id", ID, "its document"),
    _column("kind", sa.String(), "article or comment"),
    _column("lang", sa.String(), "fr or en, of the passage"),
    _column("source", sa.String(), "source as configured"),
    _optional("site", sa.String(), "establishment: official name, or as given where unknown"),
    _optional("published_at", UtcTime(), "when the document was published or written, UTC"),
    *_complaint_columns(),
    _column("sentiment", sa.String(), "negative, neutral or positive"),
    _column("sentiment_score", sa.Double(), "probability of that sentiment, in [0, 1]"),
    _column("needs_review", sa.Boolean(), "whether a person should look at it"),
    _column("model", ID, "the serving model, name@version"),
    _optional("voice_role", sa.String(), "who speaks in a passage of an article"),
    _column("representative", sa.Boolean(), "true for one document of each group of near-copies"),
    _optional("group_id", ID, "near-copies share it"),
    _optional("relevance_score", sa.Double(), "how sure the document is about the DSN"),
    _column("text", sa.Text(), "the passage itself"),
    _optional("day", sa.Date(), "day of publication or writing, Québec time"),
    comment="one row a passage: published runs only, labels of the serving model",
)
