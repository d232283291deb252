"""The dashboard: server-rendered pages and a read-only JSON API over the analyst's questions."""
