"""Add ``reviews``: what people say of passages, to check the model by and to train the next on."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
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


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("passage_id", ID, nullable=False),
        sa.Column("annotator", ID, nullable=False),
        _required("reviewed_at", TIME),
        *(_required(name, sa.Boolean()) for name in COMPLAINTS),
        _required("sentiment", sa.String()),
        sa.PrimaryKeyConstraint("passage_id", "annotator", name=op.f("pk_reviews")),
        sa.ForeignKeyConstraint(
            ["passage_id"],
            ["passages.passage_id"],
            name=op.f("fk_reviews_passage_id"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("reviews")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
