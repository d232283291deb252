"""Tables of rights and duties: what was erased, who opened comments, what went out, registers.

``deletions``, ``accesses`` and ``register_entries`` take new rows alone: the database itself
refuses to change or remove one.
"""

import sqlalchemy as sa

from dsn_nlp.store.schema import ID, UtcTime, _column, _optional, metadata

APPEND_ONLY = ("deletions", "accesses", "register_entries")

tombstones = sa.Table(
    "tombstones",
    metadata,
    sa.Column("tombstone", ID, primary_key=True, comment="SHA-256 of an erased id or respondent"),
    sa.Column("source", sa.String(), nullable=False, index=True, comment="source as configured"),
    _optional("url", sa.Text(), "address of an erased article, so that it is not fetched again"),
    _column("erased_at", UtcTime(), "when it was erased, UTC"),
)

deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("deletion_id", ID, primary_key=True, comment="UTC time and a random part"),
    _column("deleted_at", UtcTime(), "when, UTC"),
    _column("cause", sa.String(), "erasure (asked for) or retention (time was up)"),
    _column("scope", sa.String(), "document, respondent or source"),
    _column("subject", sa.String(), "source as configured, or a hash of the id that was given"),
    _column("counts", sa.JSON(), "rows that went, by table, and exports withdrawn"),
)

accesses = sa.Table(
    "accesses",
    metadata,
    sa.Column("access_id", ID, primary_key=True, comment="UTC time and a random part"),
    _column("accessed_at", UtcTime(), "when, UTC"),
    _column("who", sa.String(), "account of the person"),
    _column("door", sa.String(), "what was used: query, annotate, dashboard, export"),
    _optional("purpose", sa.Text(), "why, as stated"),
    _column("passages", sa.Integer(), "rows that may have shown comment text"),
)

exports = sa.Table(
    "exports",
    metadata,
    sa.Column("export_id", ID, primary_key=True, comment="hash of the path"),
    _column("path", sa.Text(), "where the file was written"),
    _column("door", sa.String(), "what wrote it: run, annotate, dashboard, report"),
    _column("exported_at", UtcTime(), "when it was last written, UTC"),
    _column("rows", sa.Integer(), "rows in it"),
    _column("has_text", sa.Boolean(), "whether text of comments is in it"),
    _column("sha256", sa.String(), "of the file as written"),
    _optional("withdrawn_at", UtcTime(), "when an erasure made it out of date, UTC"),
)

register_entries = sa.Table(
    "register_entries",
    metadata,
    sa.Column("entry_id", ID, primary_key=True, comment="UTC time and a random part"),
    _column("recorded_at", UtcTime(), "when, UTC"),
    _column("recorded_by", sa.String(), "account of the person"),
    _column("kind", sa.String(), "communication, incident or anonymisation"),
    _column("fields", sa.JSON(), "what the law asks of such an entry, by name"),
)
