"""Alembic scripts that bring a store from one schema to the next; see ``dsn_nlp.store.migrate``."""
