"""What all tasks share: nothing is persisted or cached, only transient failures are retried."""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from dsn_nlp.errors import TransientFetchError, TransientStoreError

TRANSIENT = (TransientFetchError, TransientStoreError)
RETRIES = 2


def is_transient(task: Any, task_run: Any, state: Any) -> bool:
    """Whether asking again may help; a wrong file or an altered model stays wrong."""
    del task, task_run
    error = state.result(raise_on_failure=False)
    return isinstance(error, TRANSIENT)


POLICY: dict[str, Any] = {
    "persist_result": False,
    "cache_policy": NO_CACHE,
    "retries": RETRIES,
    "retry_delay_seconds": exponential_backoff(backoff_factor=10),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
    "log_prints": False,
}
