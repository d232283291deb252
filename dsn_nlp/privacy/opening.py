"""Opening text of comments: allowed with its record, refused without."""

from dsn_nlp.config import Settings
from dsn_nlp.errors import InputError
from dsn_nlp.privacy.registers import account
from dsn_nlp.store import Store, run_query
from dsn_nlp.store.opened import reads_text
from dsn_nlp.store.query import Rows


def query_recorded(settings: Settings, sql: str, purpose: str | None) -> tuple[list[str], Rows]:
    """Answer a query; one that reads text is recorded before its rows are given.

    :raises InputError: when the settings ask for a purpose and none is given.
    :raises QueryError: when the query is refused or wrong.
    :raises StoreError: when the store cannot be read, or the access not recorded.
    """
    url = settings.store.url.get_secret_value()
    columns, rows = run_query(url, sql)
    if rows and reads_text(url, sql):
        require_purpose(settings, purpose)
        with Store.open(url) as store:
            store.record_access(account(), "query", purpose, len(rows))
    return columns, rows


def require_purpose(settings: Settings, purpose: str | None) -> None:
    """Make sure that a purpose is stated where the settings ask for one.

    :raises InputError: when it is not.
    """
    if settings.privacy.purpose_required and not (purpose or "").strip():
        raise InputError("this reads text of comments: say why with --purpose")
