"""Add whose answer a comment is, which files were read, and rows set aside, sealed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.add_column("documents", sa.Column("respondent", ID))
    op.add_column("documents", sa.Column("content_key", sa.String()))
    op.create_index("ix_documents_respondent", "documents", ["respondent"])
    op.add_column("rejected", _required("code", sa.String(), server_default="other"))
    op.add_column("rejected", sa.Column("settled_at", TIME))
    op.create_table(
        "deliveries",
        _required("source", ID),
        _required("content_key", ID),
        _required("reading", sa.String()),
        _required("name", sa.Text()),
        _required("state", sa.String()),
        sa.Column("notes", sa.Text()),
        _required("read_at", TIME),
        sa.PrimaryKeyConstraint("source", "content_key", name=op.f("pk_deliveries")),
    )
    op.create_table(
        "sealed_rows",
        _required("rejected_id", ID),
        _required("sealed", sa.LargeBinary()),
        sa.Column("respondent", ID),
        _required("kept_at", TIME),
        sa.PrimaryKeyConstraint("rejected_id", name=op.f("pk_sealed_rows")),
        sa.ForeignKeyConstraint(
            ["rejected_id"],
            ["rejected.rejected_id"],
            name=op.f("fk_sealed_rows_rejected_id"),
            ondelete="CASCADE",
        ),
    )
    for column in ("respondent", "kept_at"):
        op.create_index(f"ix_sealed_rows_{column}", "sealed_rows", [column])


def downgrade() -> None:
    op.drop_table("sealed_rows")
    op.drop_table("deliveries")
    op.drop_column("rejected", "settled_at")
    op.drop_column("rejected", "code")
    op.drop_index("ix_documents_respondent", table_name="documents")
    op.drop_column("documents", "content_key")
    op.drop_column("documents", "respondent")


def _required(
    name: str, kind: sa.types.TypeEngine[Any], server_default: str | None = None
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=server_default)
