"""Create the first tables and the view ``labelled_passages``.

Written out, not taken from ``schema.py``, so that it stays what it was when the schema moves on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None

COMPLAINTS = (
    "training",
    "security",
    "administrative_burden",
    "technical_failure",
    "patient_care",
)
ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
VIEW = f"""
CREATE VIEW labelled_passages AS
SELECT p.passage_id, p.document_id, d.kind, p.lang, d.source, d.site, d.published_at,
       {", ".join(f"l.{name}, l.{name}_score" for name in COMPLAINTS)},
       l.sentiment, l.sentiment_score, l.needs_review, l.model, p.text
FROM models AS m
JOIN labels AS l ON l.model = m.model
JOIN runs AS label_run ON label_run.run_id = l.run_id AND label_run.status = 'published'
JOIN passages AS p ON p.passage_id = l.passage_id
JOIN documents AS d ON d.document_id = p.document_id
JOIN runs AS document_run
  ON document_run.run_id = d.run_id AND document_run.status = 'published'
WHERE m.serving
"""


def upgrade() -> None:
    _create_runs_and_models()
    _create_documents_and_passages()
    _create_labels()
    _create_rejected()
    op.execute(VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW labelled_passages")
    for table in ("rejected", "labels", "passages", "documents", "models", "runs"):
        op.drop_table(table)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _create_runs_and_models() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", ID, primary_key=True),
        _required("started_at", TIME),
        sa.Column("finished_at", TIME),
        _required("status", sa.String()),
        _required("owner", sa.String()),
        sa.Column("lease_expires_at", TIME),
        _required("lease_seconds", sa.Double()),
        sa.Column("counts", sa.JSON()),
        _required("version", sa.String()),
        sa.Column("model", ID),
        sa.CheckConstraint(
            "status IN ('running', 'published', 'failed', 'interrupted')",
            name=op.f("ck_runs_status"),
        ),
    )
    _create_partial_index("ux_runs_running", "runs", "status", "status = 'running'")
    op.create_table(
        "models",
        sa.Column("model", ID, primary_key=True),
        _required("name", sa.String()),
        _required("version", sa.String()),
        _required("manifest", sa.JSON()),
        _required("corpus_digest", sa.String()),
        _required("registered_at", TIME),
        _required("serving", sa.Boolean()),
    )
    _create_partial_index("ux_models_serving", "models", "serving", "serving")


def _create_partial_index(name: str, table: str, column: str, where: str) -> None:
    op.create_index(
        name,
        table,
        [column],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _create_documents_and_passages() -> None:
    op.create_table(
        "documents",
        sa.Column("document_id", ID, primary_key=True),
        _required("kind", sa.String()),
        _required("source", sa.String()),
        sa.Column("url", sa.Text()),
        sa.Column("title", sa.Text()),
        _required("text", sa.Text()),
        _required("lang", sa.String()),
        sa.Column("published_at", TIME),
        sa.Column("site", sa.String()),
        sa.Column("unit", sa.String()),
        sa.Column("role", sa.String()),
        _required("run_id", ID),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
    )
    for column in ("source", "published_at", "run_id"):
        op.create_index(f"ix_documents_{column}", "documents", [column])
    op.create_table(
        "passages",
        sa.Column("passage_id", ID, primary_key=True),
        _required("document_id", ID),
        _required("position", sa.Integer()),
        _required("start_offset", sa.Integer()),
        _required("end_offset", sa.Integer()),
        _required("text", sa.Text()),
        _required("lang", sa.String()),
        sa.ForeignKeyConstraint(["document_id"], ["documents.document_id"], ondelete="CASCADE"),
        sa.UniqueConstraint("document_id", "position"),
    )


def _create_labels() -> None:
    complaints = []
    for name in COMPLAINTS:
        complaints += [_required(name, sa.Boolean()), _required(f"{name}_score", sa.Double())]
    op.create_table(
        "labels",
        _required("passage_id", ID),
        _required("model", ID),
        *complaints,
        _required("sentiment", sa.String()),
        _required("sentiment_score", sa.Double()),
        _required("negative_score", sa.Double()),
        _required("neutral_score", sa.Double()),
        _required("positive_score", sa.Double()),
        _required("needs_review", sa.Boolean()),
        _required("run_id", ID),
        sa.PrimaryKeyConstraint("passage_id", "model"),
        sa.ForeignKeyConstraint(["passage_id"], ["passages.passage_id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["model"], ["models.model"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
    )
    for column in ("model", "run_id"):
        op.create_index(f"ix_labels_{column}", "labels", [column])


def _create_rejected() -> None:
    op.create_table(
        "rejected",
        sa.Column("rejected_id", ID, primary_key=True),
        _required("source", sa.String()),
        _required("place", sa.Text()),
        _required("stage", sa.String()),
        _required("reason", sa.String()),
        _required("first_seen_at", TIME),
        _required("run_id", ID),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
    )
    op.create_index("ix_rejected_source_stage", "rejected", ["source", "stage"])
    op.create_index("ix_rejected_run_id", "rejected", ["run_id"])
