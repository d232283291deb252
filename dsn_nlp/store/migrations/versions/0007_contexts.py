"""Add relevance, sites, voices and groups of near-copies, and show them in the view."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
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
LABELS = f"""{", ".join(f"l.{name}, l.{name}_score" for name in COMPLAINTS)},
       l.sentiment, l.sentiment_score, l.needs_review, l.model"""
PUBLISHED = """
FROM models AS m
JOIN labels AS l ON l.model = m.model
JOIN runs AS label_run ON label_run.run_id = l.run_id AND label_run.status = 'published'
JOIN passages AS p ON p.passage_id = l.passage_id
JOIN documents AS d ON d.document_id = p.document_id
JOIN runs AS document_run
  ON document_run.run_id = d.run_id AND document_run.status = 'published'
"""
BEFORE = f"""
CREATE VIEW labelled_passages AS
SELECT p.passage_id, p.document_id, d.kind, p.lang, d.source, d.site, d.published_at,
       {LABELS}, p.text
{PUBLISHED}
WHERE m.serving
"""
# The first of each group among what is published, so that a night shows whole or not at all.
VIEW = f"""
CREATE VIEW labelled_passages AS
SELECT p.passage_id, p.document_id, d.kind, p.lang, d.source,
       COALESCE(c.site, d.site, pc.site) AS site, d.published_at,
       {LABELS}, pc.voice_role, COALESCE(c.place = 1, true) AS representative,
       c.group_id, c.relevance_score, p.text
{PUBLISHED}
LEFT JOIN passage_contexts AS pc ON pc.passage_id = p.passage_id
LEFT JOIN (
  SELECT c.document_id, c.site, c.group_id, c.relevance_score,
         row_number() OVER (
           PARTITION BY COALESCE(c.group_id, c.document_id)
           ORDER BY CASE WHEN d.published_at IS NULL THEN 1 ELSE 0 END, d.published_at,
                    d.document_id
         ) AS place
  FROM contexts AS c
  JOIN documents AS d ON d.document_id = c.document_id
  JOIN runs AS r ON r.run_id = d.run_id AND r.status = 'published'
) AS c ON c.document_id = d.document_id
WHERE m.serving
"""


def upgrade() -> None:
    _create_contexts()
    _create_places()
    _create_copies()
    op.execute("DROP VIEW labelled_passages")
    op.execute(VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW labelled_passages")
    for table in ("near_copies", "bands", "passage_contexts", "voices", "mentions", "contexts"):
        op.drop_table(table)
    op.execute(BEFORE)


def _create_contexts() -> None:
    op.create_table(
        "contexts",
        _required("document_id", ID),
        _required("preparation", sa.String()),
        sa.Column("site", sa.String()),
        _required("relevance_score", sa.Double()),
        _required("relevance_reason", sa.String()),
        _required("text_key", ID),
        sa.Column("group_id", ID),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_contexts")),
        _foreign("contexts", "document_id", "documents"),
    )
    for column in ("text_key", "group_id"):
        op.create_index(op.f(f"ix_contexts_{column}"), "contexts", [column])


def _create_places() -> None:
    op.create_table(
        "mentions",
        _required("document_id", ID),
        _required("start_offset", sa.Integer()),
        _required("end_offset", sa.Integer()),
        _required("site", sa.String()),
        sa.PrimaryKeyConstraint("document_id", "start_offset", name=op.f("pk_mentions")),
        _foreign("mentions", "document_id", "documents"),
    )
    op.create_index(op.f("ix_mentions_site"), "mentions", ["site"])
    op.create_table(
        "voices",
        _required("document_id", ID),
        _required("start_offset", sa.Integer()),
        _required("end_offset", sa.Integer()),
        _required("role", sa.String()),
        _required("direct", sa.Boolean()),
        sa.PrimaryKeyConstraint(
            "document_id", "start_offset", "end_offset", name=op.f("pk_voices")
        ),
        _foreign("voices", "document_id", "documents"),
    )
    op.create_table(
        "passage_contexts",
        _required("passage_id", ID),
        sa.Column("site", sa.String()),
        sa.Column("voice_role", sa.String()),
        sa.PrimaryKeyConstraint("passage_id", name=op.f("pk_passage_contexts")),
        _foreign("passage_contexts", "passage_id", "passages"),
    )


def _create_copies() -> None:
    op.create_table(
        "bands",
        _required("band_key", ID),
        _required("document_id", ID),
        sa.PrimaryKeyConstraint("band_key", "document_id", name=op.f("pk_bands")),
        _foreign("bands", "document_id", "documents"),
    )
    op.create_index(op.f("ix_bands_document_id"), "bands", ["document_id"])
    op.create_table(
        "near_copies",
        _required("document_id", ID),
        _required("other_id", ID),
        sa.PrimaryKeyConstraint("document_id", "other_id", name=op.f("pk_near_copies")),
        _foreign("near_copies", "document_id", "documents"),
        _foreign("near_copies", "other_id", "documents"),
    )
    op.create_index(op.f("ix_near_copies_other_id"), "near_copies", ["other_id"])


def _foreign(table: str, column: str, there: str) -> sa.ForeignKeyConstraint:
    key = "passage_id" if there == "passages" else "document_id"
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{there}.{key}"], name=name, ondelete="CASCADE")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
