"""Two read-only PostgreSQL roles: analysts see views but for their text; text readers, all of it.

A role here cannot log in; a database administrator grants it to people. Neither may touch a table:
views read with their owner's rights. Both may add to the access log, and not read it.
"""

from collections.abc import Iterator

from dsn_nlp.errors import ConfigError
from dsn_nlp.store.engine import describe, parse_url, writing_engine
from dsn_nlp.store.failures import translated

ANALYST, TEXT_READER = "dsn_analyst", "dsn_text_reader"
# Columns of views that analysts may not read: words of people, and who they are.
TEXT_COLUMNS = ("text", "quote", "respondent", "content_key")
_GRANT_VIEWS = f"""
DO $$
DECLARE found record; open_columns text;
BEGIN
  FOR found IN SELECT c.oid, c.oid::regclass AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname = current_schema() LOOP
    SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
      WHERE a.attrelid = found.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname NOT IN ({", ".join(f"'{name}'" for name in TEXT_COLUMNS)}) INTO open_columns;
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, {ANALYST}, {TEXT_READER}', found.name);
    EXECUTE format('GRANT SELECT ON %s TO {TEXT_READER}', found.name);
    EXECUTE format('GRANT SELECT (%s) ON %s TO {ANALYST}', open_columns, found.name);
  END LOOP;
END $$"""


def statements() -> list[str]:
    """Write the SQL; running it twice changes nothing, and it is run again after upgrades."""
    return [*_make_roles(), *_grants()]


def grant(url: str) -> None:
    """Make the roles and grant them what they may read, in one transaction.

    :param url: of the store, as its owner, who may create roles.
    :raises ConfigError: when the store is not on PostgreSQL.
    :raises StoreError: when the database refuses.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ConfigError("roles are PostgreSQL's; an SQLite store is always opened read-only")
    engine = writing_engine(parsed)
    try:
        with translated(describe(parsed)), engine.begin() as connection:
            for statement in statements():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    finally:
        engine.dispose()


def _make_roles() -> Iterator[str]:
    for role in (ANALYST, TEXT_READER):
        yield (
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    yield f"GRANT {ANALYST} TO {TEXT_READER}"


def _grants() -> Iterator[str]:
    both = f"{ANALYST}, {TEXT_READER}"
    yield (
        "DO $$ BEGIN EXECUTE format("
        f"'REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM PUBLIC, {both}', current_schema()); "
        f"EXECUTE format('GRANT USAGE ON SCHEMA %I TO {both}', current_schema()); END $$"
    )
    yield f"GRANT INSERT ON accesses TO {both}"
    yield _GRANT_VIEWS.strip()
