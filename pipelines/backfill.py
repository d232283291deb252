"""The backfill flow: the articles of past days, source by source, labelled and published."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.client.schemas import State
from prefect.states import Completed, Failed

from dsn_nlp import stages
from dsn_nlp.backfill import backfill_sources, make_window, take_past
from dsn_nlp.config import load_settings
from dsn_nlp.errors import DsnNlpError, TransientFetchError
from dsn_nlp.gather.indexes import Window
from dsn_nlp.records import Tally
from pipelines.labelling import check_cluster, label_stored
from pipelines.nightly import publish
from pipelines.policy import POLICY
from pipelines.vault import open_vault


@task(task_run_name="past-of-{source}", timeout_seconds=24 * 3600, **POLICY)
def gather_past(config: str, run_id: str, source: str, since: date, until: date) -> Tally:
    """Gather the past of one source into the store."""
    return take_past(load_settings(Path(config)), run_id, source, Window(since, until))


@flow(
    name="backfill",
    flow_run_name="backfill-{since}-{until}",
    persist_result=False,
    log_prints=False,
    timeout_seconds=48 * 3600,
)
def backfill(
    since: date, until: date, sources: list[str] | None = None, config: str = "dsn.toml"
) -> Any:
    """Gather past days once; run again, it goes on where it stopped.

    :param since: first day, in Québec.
    :param until: last day, included.
    :param sources: names of news sources; all without any.
    :param config: path of the settings file.
    """
    try:
        open_vault()
        settings = load_settings(Path(config))
        check_cluster(settings)
        window = make_window(since, until)
        names = backfill_sources(settings, sources or [])
        with stages.open_night(settings) as run_id:
            tallies = [_take_or_set_aside(config, run_id, name, window) for name in names]
            tallies.append(label_stored(config, run_id))
            counts = publish(config, run_id, tallies, watched=False)
    except DsnNlpError as error:
        return Failed(message=str(error), data=error)
    return Completed(message=", ".join(f"{n} {c}" for n, c in counts.items()), data=counts)


def _take_or_set_aside(config: str, run_id: str, source: str, window: Window) -> Tally:
    try:
        tally = gather_past(config, run_id, source, window.since, window.until)
    except TransientFetchError as error:
        settings = load_settings(Path(config))
        return stages.set_source_aside(settings, run_id, source, f"transient: {error}")
    get_run_logger().info("%s: %s", source, tally.counts)
    return tally


def run_backfill_flow(config: str, window: Window, sources: list[str]) -> dict[str, int]:
    """Run the flow in this process, without any server, and return its counts.

    :raises DsnNlpError: the failure that ended it.
    """
    state: State[Any] = backfill(window.since, window.until, sources, config, return_state=True)  # type: ignore[assignment]
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, BaseException):
        raise outcome
    return dict(outcome)
