"""The nightly flow: gather each source, label, publish, and leave a summary without text."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger, task
from prefect.client.schemas import State
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from dsn_nlp import stages
from dsn_nlp.config import load_settings
from dsn_nlp.errors import DsnNlpError, HeldError, StoreError, TransientFetchError
from dsn_nlp.records import Tally
from dsn_nlp.reporting import report_night
from dsn_nlp.stages import batched
from pipelines.artifacts import leave_artifacts, tell_of
from pipelines.labelling import check_cluster, label_stored
from pipelines.policy import POLICY
from pipelines.server import prefect_server
from pipelines.vault import open_vault

logger = logging.getLogger(__name__)
HERE = ZoneInfo("America/Toronto")
SCHEDULE = Cron("0 4 * * *", timezone="America/Toronto")


@task(task_run_name="gather-{source}", **POLICY)
def gather(config: str, run_id: str, source: str) -> Tally:
    """Gather one source into the store."""
    return stages.take_source(load_settings(Path(config)), run_id, source)


@task(task_run_name="retention", timeout_seconds=3600, **POLICY)
def retention(config: str) -> Tally:
    """Erase what has been kept for as long as the settings allow."""
    return stages.enforce_retention(load_settings(Path(config)))


@task(task_run_name="publish", timeout_seconds=600, **POLICY)
def publish(
    config: str, run_id: str, tallies: list[Tally], release: bool = False, watched: bool = True
) -> dict[str, int]:
    """Show the night to readers, whole, if its watch has nothing against it."""
    return stages.publish_night(load_settings(Path(config)), run_id, tallies, release, watched)


@task(task_run_name="report", timeout_seconds=1800, **POLICY)
def report(config: str, run_id: str) -> int:
    """Write the night's reports; one that fails is logged and undoes nothing."""
    return len(report_night(load_settings(Path(config)), run_id))


def _run_name() -> str:
    """Name a night by Québec's date, which at 21:00 is not yet that of UTC."""
    started = flow_run.scheduled_start_time or datetime.now(UTC)
    return f"night-{started.astimezone(HERE).date().isoformat()}"


@flow(
    name="nightly",
    flow_run_name=_run_name,
    persist_result=False,
    log_prints=False,
    timeout_seconds=12 * 3600,
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]  # as many as sources_at_once may be
)
def nightly(config: str = "dsn.toml", release: bool = False) -> Any:
    """Run one night.

    :param config: path of the settings file; all else is read from there.
    :param release: publish whatever the watch of the night says; a person has looked.
    """
    try:
        open_vault()
        settings = load_settings(Path(config))
        check_cluster(settings)
        with stages.open_night(settings) as run_id:
            counts = _stages(config, run_id, settings.source_names(), release)
    except DsnNlpError as error:
        if isinstance(error, HeldError):
            tell_of(settings, run_id)
        return Failed(message=str(error), data=error)
    report(config, run_id)
    leave_artifacts(settings, run_id, counts)
    return Completed(message=", ".join(f"{n} {c}" for n, c in counts.items()), data=counts)


def _stages(config: str, run_id: str, sources: list[str], release: bool) -> dict[str, int]:
    logger = get_run_logger()
    tallies = [retention(config)]
    for source, tally in _gather_all(config, run_id, sources):
        tallies.append(tally)
        counts = tally.counts
        logger.info("%s: %s", source, ", ".join(f"{c} {n}" for n, c in counts.items()))
    tallies.append(label_stored(config, run_id))
    return publish(config, run_id, tallies, release)


def _gather_all(config: str, run_id: str, sources: list[str]) -> Iterator[tuple[str, Tally]]:
    """News sources side by side, some at a time, since they wait for others; then the rest."""
    settings = load_settings(Path(config))
    news = {source.name for source in settings.news}
    online = [name for name in sources if name in news]
    for some in batched(online, settings.gather.sources_at_once):
        begun = [gather.submit(config, run_id, name) for name in some]
        for name, future in zip(some, begun, strict=True):
            yield name, _result_or_set_aside(config, run_id, name, future.result)
    for name in sources:
        if name not in news:
            # In this thread a timeout can interrupt; visits to news keep their own deadlines.
            alone = gather.with_options(timeout_seconds=3600)
            take = partial(alone, config, run_id, name)
            yield name, _result_or_set_aside(config, run_id, name, take)


def _result_or_set_aside(
    config: str, run_id: str, source: str, result: Callable[[], Tally]
) -> Tally:
    """A source that stays away after all retries does not stop the others."""
    try:
        return result()
    except TransientFetchError as error:
        reason = f"transient: {error}"
        return stages.set_source_aside(load_settings(Path(config)), run_id, source, reason)


def run_nightly(config: str, release: bool = False) -> dict[str, int]:
    """Run the flow in this process and return its counts.

    A night does not need Prefect: when its server is away, or goes away and stays away, the night
    is run, or ended, without it; what was stored before is not done again.

    :raises DsnNlpError: the failure that ended the night, or that it was cancelled.
    """
    settings = load_settings(Path(config))
    try:
        state: State[Any] = nightly(config, release, return_state=True)  # type: ignore[assignment]
        stopped = state.is_cancelled()
        outcome = state.result(raise_on_failure=False)
    except Exception as error:
        stopped, outcome = False, error
    if stopped:  # somebody wanted it to end
        stages.abandon_own(settings)
        raise StoreError("the night was cancelled in Prefect; run it again to finish it")
    if isinstance(outcome, DsnNlpError):
        raise outcome
    if isinstance(outcome, BaseException):
        logger.warning("Prefect failed (%s); the night goes on without it", type(outcome).__name__)
        stages.abandon_own(settings)
        return stages.run_night(settings, release=release)
    return dict(outcome)


def serve_nightly(config: str) -> None:
    """Serve the schedule until stopped; a night that is late never overlaps the next."""
    with prefect_server():
        nightly.serve(
            name="nightly",
            schedule=SCHEDULE,
            parameters={"config": config},
            pause_on_shutdown=False,
            limit=1,
            tags=["dsn-nlp"],
        )
