"""Days are Québec's: each document keeps its day, and the views show and count by it."""

from datetime import datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None

ZONE = "America/Toronto"
_0007: Any = import_module("dsn_nlp.store.migrations.versions.0007_contexts")
_0008: Any = import_module("dsn_nlp.store.migrations.versions.0008_views")
# In the order of what stands on what.
VIEWS = ("labelled_passages", "labelled_documents", "daily_counts", "site_weeks", "data_quality")
LABELLED_PASSAGES = _0007.VIEW.replace("p.text\n", "p.text, d.day\n")
LABELLED_DOCUMENTS = _0008.LABELLED_DOCUMENTS.replace(
    "MIN(p.model) AS model\n", "MIN(p.model) AS model, MIN(p.day) AS day\n"
)


def upgrade() -> None:
    op.add_column("documents", sa.Column("day", sa.Date()))
    on_postgres = op.get_bind().dialect.name == "postgresql"
    if on_postgres:
        moment = f"published_at AT TIME ZONE '{ZONE}'"
        op.execute(f"UPDATE documents SET day = CAST({moment} AS date)")
    else:
        driver: Any = op.get_bind().connection.driver_connection
        driver.create_function("quebec_day", 1, _quebec_day, deterministic=True)
        op.execute("UPDATE documents SET day = quebec_day(published_at)")
        for view in reversed(VIEWS):
            op.execute(f"DROP VIEW {view}")
    week = "CAST(date_trunc('week', p.day) AS date)"
    if not on_postgres:
        week = "date(p.day, 'weekday 0', '-6 days')"
    by_day = {"day": "p.day", "kind": "p.kind", "source": "p.source", "lang": "p.lang"}
    by_week = {"site": "p.site", "week": week, "kind": "p.kind"}
    known = "p.day IS NOT NULL AND p.site IS NOT NULL"
    for sql in (
        LABELLED_PASSAGES,
        LABELLED_DOCUMENTS,
        _0008._counted("daily_counts", by_day, "p.day IS NOT NULL"),
        _0008._counted("site_weeks", by_week, known),
        _0008.DATA_QUALITY,
    ):
        # Replaced, not dropped, a view of PostgreSQL keeps who may read it.
        op.execute(sql.replace("CREATE VIEW", "CREATE OR REPLACE VIEW") if on_postgres else sql)


def downgrade() -> None:
    for view in ("model_versions", *reversed(VIEWS)):
        op.execute(f"DROP VIEW {view}")
    op.execute(_0007.VIEW)
    _0008.upgrade()
    op.drop_column("documents", "day")


def _quebec_day(moment: str | None) -> str | None:
    """The day in Québec of a moment as SQLite keeps it: ISO, UTC."""
    if moment is None:
        return None
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(ZONE)).date().isoformat()
