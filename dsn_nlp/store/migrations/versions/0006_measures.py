"""Add ``measures``: what a night counted and how its labels were spread, by run and name."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "measures",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", ID, nullable=False),
        _required("counts", sa.JSON()),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_measures")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_measures_run_id")),
    )


def downgrade() -> None:
    op.drop_table("measures")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
