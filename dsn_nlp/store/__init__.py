"""One SQL store, SQLite or PostgreSQL: idempotent writes, nights published whole, read-only SQL."""

from dsn_nlp.store.query import read_only_engine, run_query
from dsn_nlp.store.store import Store

__all__ = ["Store", "read_only_engine", "run_query"]
