"""Views on SQLite ask only for what is read of them; their columns and rows stay the same.

SQLite works out every join of a view, a rank over all documents among them, whichever columns are
asked for. Here what a passage takes from elsewhere is a scalar subquery, run where its column is
read and only then. A document's counts come as one packed row from ``json_each``, since a table
function, other than a subquery that groups, lets SQLite walk documents in the order of an index:
the ten newest are ten documents read. What counts whole stores goes through documents first, so
that what is true of a document is asked once and not for each passage.

PostgreSQL leaves out joins that are not read, and keeps its views.
"""

from importlib import import_module
from typing import Any

from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None

_0007: Any = import_module("dsn_nlp.store.migrations.versions.0007_contexts")
_0008: Any = import_module("dsn_nlp.store.migrations.versions.0008_views")
_0009: Any = import_module("dsn_nlp.store.migrations.versions.0009_quebec_days")

PUBLISHED = "(SELECT run_id FROM runs WHERE status = 'published')"
SERVING = "(SELECT model FROM models WHERE serving)"
SHOWN = f"l.model = {SERVING} AND l.run_id IN {PUBLISHED}"
# A plus keeps SQLite from starting at an index of few values: what a reader asks for is rarer.
LABELLED = f"+l.model = {SERVING} AND +l.run_id IN {PUBLISHED} AND +d.run_id IN {PUBLISHED}"


def _of_passage(column: str) -> str:
    return f"(SELECT pc.{column} FROM passage_contexts AS pc WHERE pc.passage_id = p.passage_id)"


SITE = f"COALESCE(c.site, d.site, {_of_passage('site')})"
CONTEXT = "LEFT JOIN contexts AS c ON c.document_id = d.document_id"
# Of what is published in its group none is earlier; what has no date comes last.
REPRESENTATIVE = """NOT EXISTS (
    SELECT 1
    FROM contexts AS other
    JOIN documents AS o ON o.document_id = other.document_id
    JOIN runs AS r ON r.run_id = o.run_id AND r.status = 'published'
    WHERE other.group_id = c.group_id AND other.document_id <> d.document_id
      AND (o.published_at IS NULL, COALESCE(o.published_at, ''), o.document_id)
        < (d.published_at IS NULL, COALESCE(d.published_at, ''), d.document_id)
  )"""
LABELLED_PASSAGES = f"""
CREATE VIEW labelled_passages AS
SELECT p.passage_id, p.document_id, d.kind, p.lang, d.source, {SITE} AS site, d.published_at,
       {_0007.LABELS}, {_of_passage("voice_role")} AS voice_role,
       {REPRESENTATIVE} AS representative, c.group_id, c.relevance_score, p.text, d.day
FROM labels AS l
JOIN passages AS p ON p.passage_id = l.passage_id
JOIN documents AS d ON d.document_id = p.document_id
{CONTEXT}
WHERE {LABELLED}
"""
COUNTED = {
    "passages": "COUNT(*)",
    **{name: f"MAX(l.{name})" for name in _0008.COMPLAINTS},
    **{n: f"COUNT(CASE WHEN l.sentiment = '{n}' THEN 1 END)" for n in _0008.SENTIMENTS},
    "needs_review": "COUNT(CASE WHEN l.needs_review THEN 1 END)",
}
UNPACKED = {name: f"json_extract(t.value, '$[{n}]')" for n, name in enumerate(COUNTED)}
PACKED = f"""json_each(json_array((
    SELECT json_array({", ".join(COUNTED.values())})
    FROM passages AS p CROSS JOIN labels AS l ON l.passage_id = p.passage_id
    WHERE p.document_id = d.document_id AND {SHOWN}
  ))) AS t"""
FIRST_SITE = f"""(
    SELECT MIN(pc.site)
    FROM passages AS p
    CROSS JOIN labels AS l ON l.passage_id = p.passage_id
    CROSS JOIN passage_contexts AS pc ON pc.passage_id = p.passage_id
    WHERE p.document_id = d.document_id AND {SHOWN}
  )"""


def _unpacked(name: str) -> str:
    told = " = 1" if name in _0008.COMPLAINTS else ""
    return f"{UNPACKED[name]}{told} AS {name}"


LABELLED_DOCUMENTS = f"""
CREATE VIEW labelled_documents AS
SELECT d.document_id, d.kind, d.lang, d.source,
       COALESCE(c.site, d.site, {FIRST_SITE}) AS site, d.published_at,
       {", ".join(map(_unpacked, COUNTED))},
       {REPRESENTATIVE} AS representative, {SERVING} AS model, d.day
FROM documents AS d
{CONTEXT}
JOIN {PACKED}
WHERE +d.run_id IN {PUBLISHED} AND {UNPACKED["passages"]} > 0
"""
DOCUMENTS_FIRST = f"""
  FROM documents AS d
  {CONTEXT}
  CROSS JOIN passages AS p ON p.document_id = d.document_id
  CROSS JOIN labels AS l ON l.passage_id = p.passage_id
  WHERE d.run_id IN {PUBLISHED} AND {SHOWN}"""
MEASURED = (
    "COUNT(*) AS passages",
    "COUNT(DISTINCT d.document_id) AS documents",
    "COUNT(DISTINCT CASE WHEN d.kind = 'comment' THEN COALESCE(d.respondent, d.document_id) END)"
    " AS respondents",
    *(f"COUNT(CASE WHEN l.{name} THEN 1 END) AS {name}" for name in _0008.COMPLAINTS),
    *(f"{COUNTED[name]} AS {name}" for name in _0008.SENTIMENTS),
)


def _counted(name: str, keys: dict[str, str], known: str) -> str:
    """Counts by some keys, without those of fewer than five people."""
    chosen = ", ".join(f"{expression} AS {key}" for key, expression in keys.items())
    return f"""
CREATE VIEW {name} AS
SELECT {", ".join(keys)}, {_0008.FEW} AS withheld, {_0008.WITHHELD}
FROM (
  SELECT {chosen}, {", ".join(MEASURED)} {DOCUMENTS_FIRST} AND {REPRESENTATIVE} AND {known}
  GROUP BY {", ".join(keys.values())}
) AS counted
"""


BY_DAY = {"day": "d.day", "kind": "d.kind", "source": "d.source", "lang": "p.lang"}
BY_WEEK = {"site": SITE, "week": "date(d.day, 'weekday 0', '-6 days')", "kind": "d.kind"}
DAILY_COUNTS = _counted("daily_counts", BY_DAY, "d.day IS NOT NULL")
SITE_WEEKS = _counted("site_weeks", BY_WEEK, f"d.day IS NOT NULL AND {SITE} IS NOT NULL")
BY_SOURCE = f"""
  SELECT source, kind, COUNT(*) AS documents, SUM(passages) AS passages,
         SUM(CASE WHEN published_at IS NULL THEN passages ELSE 0 END) AS undated,
         SUM(siteless) AS siteless,
         SUM(CASE WHEN representative THEN 0 ELSE passages END) AS copies,
         SUM(needs_review) AS needs_review,
         MIN(published_at) AS first_at, MAX(published_at) AS last_at
  FROM (
    SELECT d.source, d.kind, d.published_at, COUNT(*) AS passages,
           COUNT(CASE WHEN {SITE} IS NULL THEN 1 END) AS siteless,
           COUNT(CASE WHEN l.needs_review THEN 1 END) AS needs_review,
           {REPRESENTATIVE} AS representative {DOCUMENTS_FIRST}
    GROUP BY d.document_id
  )
  GROUP BY source, kind
"""
_BEFORE, _, _REST = _0008.DATA_QUALITY.partition("LEFT JOIN (\n")
DATA_QUALITY = f"{_BEFORE}LEFT JOIN ({BY_SOURCE}{_REST[_REST.index(') AS q') :]}"
MADE = (LABELLED_PASSAGES, LABELLED_DOCUMENTS, DAILY_COUNTS, SITE_WEEKS, DATA_QUALITY)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _replace(MADE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        by_day = {key: f"p.{key}" for key in BY_DAY}
        week = BY_WEEK["week"].replace("d.day", "p.day")
        by_week = {"site": "p.site", "week": week, "kind": "p.kind"}
        known = "p.day IS NOT NULL AND p.site IS NOT NULL"
        _replace((
            _0009.LABELLED_PASSAGES,
            _0009.LABELLED_DOCUMENTS,
            _0008._counted("daily_counts", by_day, "p.day IS NOT NULL"),
            _0008._counted("site_weeks", by_week, known),
            _0008.DATA_QUALITY,
        ))  # fmt: skip


def _replace(made: tuple[str, ...]) -> None:
    for view in reversed(_0009.VIEWS):
        op.execute(f"DROP VIEW {view}")
    for sql in made:
        op.execute(sql)
