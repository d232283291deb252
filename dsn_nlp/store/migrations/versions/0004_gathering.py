"""Create ``cursors``, ``remembered`` and ``postponed``; documents tell more of articles."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
ARTICLE_COLUMNS = (
    ("link", sa.Text()),
    ("outlet", sa.String()),
    ("authors", sa.Text()),
    ("section", sa.String()),
    ("access", sa.String()),
    ("dated_by", sa.String()),
)


def upgrade() -> None:
    for name, kind in ARTICLE_COLUMNS:
        op.add_column("documents", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_documents_link"), "documents", ["link"])
    op.create_table(
        "cursors",
        _required("source", ID),
        _required("asked_at", TIME),
        sa.Column("answered_at", TIME),
        sa.Column("newest_at", TIME),
        _required("failures", sa.Integer()),
        sa.Column("covered_since", TIME),
        sa.Column("covered_until", TIME),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_cursors")),
    )
    op.create_table(
        "remembered",
        _required("source", ID),
        _required("url", sa.Text()),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        _required("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("source", "url", name=op.f("pk_remembered")),
    )
    op.create_table(
        "postponed",
        _required("source", ID),
        _required("link", sa.Text()),
        _required("title", sa.Text()),
        sa.Column("published_at", TIME),
        _required("attempts", sa.Integer()),
        sa.PrimaryKeyConstraint("source", "link", name=op.f("pk_postponed")),
    )


def downgrade() -> None:
    for table in ("postponed", "remembered", "cursors"):
        op.drop_table(table)
    op.drop_index(op.f("ix_documents_link"), "documents")
    for name, _ in ARTICLE_COLUMNS:
        op.drop_column("documents", name)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
