"""Add what was erased, who opened comments, what went out, and registers nobody can rewrite."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
APPEND_ONLY = ("deletions", "accesses", "register_entries")
TABLES = ("tombstones", "deletions", "accesses", "exports", "register_entries")
REFUSE = "this register takes new rows only"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("tombstone", ID, primary_key=True),
        _required("source", sa.String()),
        sa.Column("url", sa.Text()),
        _required("erased_at", TIME),
    )
    op.create_index("ix_tombstones_source", "tombstones", ["source"])
    op.create_table(
        "deletions",
        sa.Column("deletion_id", ID, primary_key=True),
        _required("deleted_at", TIME),
        *(_required(name, sa.String()) for name in ("cause", "scope", "subject")),
        _required("counts", sa.JSON()),
    )
    op.create_table(
        "accesses",
        sa.Column("access_id", ID, primary_key=True),
        _required("accessed_at", TIME),
        _required("who", sa.String()),
        _required("door", sa.String()),
        sa.Column("purpose", sa.Text()),
        _required("passages", sa.Integer()),
    )
    op.create_table(
        "exports",
        sa.Column("export_id", ID, primary_key=True),
        _required("path", sa.Text()),
        _required("door", sa.String()),
        _required("exported_at", TIME),
        _required("rows", sa.Integer()),
        _required("has_text", sa.Boolean()),
        _required("sha256", sa.String()),
        sa.Column("withdrawn_at", TIME),
    )
    op.create_table(
        "register_entries",
        sa.Column("entry_id", ID, primary_key=True),
        _required("recorded_at", TIME),
        _required("recorded_by", sa.String()),
        _required("kind", sa.String()),
        _required("fields", sa.JSON()),
    )
    _protect()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION dsn_append_only()")


def _protect() -> None:
    """Let the database refuse to rewrite a register; triggers go with their table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION dsn_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSE}'; END $$"
        )
        for table in APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION dsn_append_only()"
            )
        return
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END"
            )


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
