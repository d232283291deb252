"""Add the documented views beside ``labelled_passages``, on which they stand."""

from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None

COMPLAINTS = (
    "training",
    "security",
    "administrative_burden",
    "technical_failure",
    "patient_care",
)
SENTIMENTS = ("negative", "neutral", "positive")
VIEWS = ("labelled_documents", "daily_counts", "site_weeks", "model_versions", "data_quality")
FEWEST = 5


def _sum(condition: str, name: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END) AS {name}"


def _any(name: str) -> str:
    return f"MAX(CASE WHEN p.{name} THEN 1 ELSE 0 END) = 1 AS {name}"


MOODS = ", ".join(_sum(f"p.sentiment = '{name}'", name) for name in SENTIMENTS)
LABELLED_DOCUMENTS = f"""
CREATE VIEW labelled_documents AS
SELECT p.document_id, MIN(p.kind) AS kind, MIN(d.lang) AS lang, MIN(p.source) AS source,
       MIN(p.site) AS site, MIN(p.published_at) AS published_at, COUNT(*) AS passages,
       {", ".join(map(_any, COMPLAINTS))}, {MOODS}, {_sum("p.needs_review", "needs_review")},
       {_any("representative")}, MIN(p.model) AS model
FROM labelled_passages AS p
JOIN documents AS d ON d.document_id = p.document_id
GROUP BY p.document_id
"""
MEASURED = (
    "COUNT(*) AS passages",
    "COUNT(DISTINCT p.document_id) AS documents",
    "COUNT(DISTINCT CASE WHEN p.kind = 'comment' THEN COALESCE(d.respondent, d.document_id) END)"
    " AS respondents",
    *(_sum(f"p.{name}", name) for name in COMPLAINTS),
    MOODS,
)
FIGURES = ("passages", "documents", "respondents", *COMPLAINTS, *SENTIMENTS)
FEW = f"kind = 'comment' AND respondents < {FEWEST}"
WITHHELD = ", ".join(f"CASE WHEN {FEW} THEN NULL ELSE {name} END AS {name}" for name in FIGURES)


def _counted(name: str, keys: dict[str, str], known: str) -> str:
    """Counts by some keys, without those of fewer than five people."""
    chosen = ", ".join(f"{expression} AS {key}" for key, expression in keys.items())
    return f"""
CREATE VIEW {name} AS
SELECT {", ".join(keys)}, {FEW} AS withheld, {WITHHELD}
FROM (
  SELECT {chosen}, {", ".join(MEASURED)}
  FROM labelled_passages AS p
  JOIN documents AS d ON d.document_id = p.document_id
  WHERE p.representative AND {known}
  GROUP BY {", ".join(keys.values())}
) AS counted
"""


MODEL_VERSIONS = """
CREATE VIEW model_versions AS
SELECT m.model, m.name, m.version, m.serving, m.registered_at, m.corpus_digest,
       (SELECT COUNT(*) FROM labels AS l WHERE l.model = m.model) AS labelled
FROM models AS m
"""
DATA_QUALITY = f"""
CREATE VIEW data_quality AS
SELECT s.source, q.kind, COALESCE(q.documents, 0) AS documents,
       COALESCE(q.passages, 0) AS passages, COALESCE(q.undated, 0) AS undated,
       COALESCE(q.siteless, 0) AS siteless, COALESCE(q.copies, 0) AS copies,
       COALESCE(q.needs_review, 0) AS needs_review, COALESCE(r.rejected, 0) AS rejected,
       q.first_at, q.last_at
FROM (SELECT source FROM documents UNION SELECT source FROM rejected) AS s
LEFT JOIN (
  SELECT p.source, p.kind, COUNT(DISTINCT p.document_id) AS documents, COUNT(*) AS passages,
         {_sum("p.published_at IS NULL", "undated")}, {_sum("p.site IS NULL", "siteless")},
         {_sum("NOT p.representative", "copies")}, {_sum("p.needs_review", "needs_review")},
         MIN(p.published_at) AS first_at, MAX(p.published_at) AS last_at
  FROM labelled_passages AS p
  GROUP BY p.source, p.kind
) AS q ON q.source = s.source
LEFT JOIN (
  SELECT source, COUNT(*) AS rejected FROM rejected WHERE settled_at IS NULL GROUP BY source
) AS r ON r.source = s.source
"""


def upgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    moment = "(p.published_at AT TIME ZONE 'UTC')" if on_postgres else "p.published_at"
    day = f"CAST({moment} AS date)" if on_postgres else f"substr({moment}, 1, 10)"
    week = (
        f"CAST(date_trunc('week', {moment}) AS date)"
        if on_postgres
        else f"date({moment}, 'weekday 0', '-6 days')"
    )
    op.execute(LABELLED_DOCUMENTS)
    by_day = {"day": day, "kind": "p.kind", "source": "p.source", "lang": "p.lang"}
    op.execute(_counted("daily_counts", by_day, "p.published_at IS NOT NULL"))
    by_week = {"site": "p.site", "week": week, "kind": "p.kind"}
    known = "p.published_at IS NOT NULL AND p.site IS NOT NULL"
    op.execute(_counted("site_weeks", by_week, known))
    op.execute(MODEL_VERSIONS)
    op.execute(DATA_QUALITY)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
