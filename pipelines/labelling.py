"""Labelling in flows: one task here, or one task a range on the workers of a Dask cluster.

Through Prefect go the path of the settings, ids, a digest and counts; workers read and write the
store themselves.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prefect import flow, get_run_logger, task
from prefect.settings import PREFECT_API_URL, temporary_settings

from dsn_nlp import labelling, stages
from dsn_nlp.bounds import StageError
from dsn_nlp.config import Settings, load_settings
from dsn_nlp.config_scale import ScaleSettings
from dsn_nlp.errors import ConfigError, MissingExtraError
from dsn_nlp.labelling import PassageRange, Shares, check_scale, kept_lease
from dsn_nlp.records import Tally
from pipelines.policy import POLICY
from pipelines.vault import open_vault

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@task(task_run_name="label", timeout_seconds=6 * 3600, **POLICY)
def label(config: str, run_id: str) -> Tally:
    """Label here what the serving model has not labelled yet."""
    logger = get_run_logger()

    def tell(done: int, total: int) -> None:
        logger.info("labelled %d of %d passages", done, total)

    return stages.label_passages(load_settings(Path(config)), run_id, tell)


@task(task_run_name="share-out", timeout_seconds=6 * 3600, **POLICY)
def share_out(config: str, run_id: str) -> Shares:
    """Cut what is to be labelled into ranges."""
    return labelling.share_out(load_settings(Path(config)), run_id)


@task(task_run_name="label-from-{first}", **POLICY)
def label_range(config: str, run_id: str, digest: str, first: str, until: str | None) -> int:
    """Label one range, on a worker; asked again, it goes on where it stopped."""
    open_vault()
    part = PassageRange(first, until)
    return labelling.label_range(load_settings(Path(config)), run_id, digest, part)


def check_cluster(settings: Settings) -> None:
    """Make sure, before a night begins, that its labelling can be shared out as it is to be.

    :raises ConfigError: when the store is not one that several can write to, or when workers on
        other machines would have no Prefect server to tell how they fare.
    :raises MissingExtraError: when prefect-dask is not installed.
    """
    if settings.scale.task_runner == "here":
        return
    check_scale(settings)
    _runner(settings.scale)
    address = settings.scale.address
    away = address is not None and urlsplit(address).hostname not in LOOPBACK
    if away and not PREFECT_API_URL.value():
        raise ConfigError(
            "scale.address: workers on other machines report to a Prefect server; set "
            "PREFECT_API_URL to the address of one that they reach"
        )


def label_stored(config: str, run_id: str) -> Tally:
    """Label what is stored, wherever the settings say.

    :raises DsnNlpError: as :func:`dsn_nlp.stages.label_passages`.
    """
    settings = load_settings(Path(config))
    if settings.scale.task_runner == "here":
        return label(config, run_id)
    began = time.monotonic()
    shares = share_out(config, run_id)
    if shares.ranges:
        spread = label_ranges.with_options(task_runner=_runner(settings.scale))
        with kept_lease(settings, run_id), _known_server():
            spread(config, run_id, shares.digest, shares.ranges)
    counts = {"labelled": shares.passages}
    return Tally("label", counts, time.monotonic() - began, datetime.now(UTC))


@flow(
    name="label-ranges",
    flow_run_name="label-ranges-{run_id}",
    persist_result=False,
    log_prints=False,
    timeout_seconds=24 * 3600,
)
def label_ranges(config: str, run_id: str, digest: str, ranges: Sequence[PassageRange]) -> None:
    """Label ranges on the workers of a cluster; one that dies costs the range it was at.

    :raises StageError: when the cluster gives a range up: whoever took it died, again and again.
    """
    from distributed import KilledWorker

    logger = get_run_logger()
    begun = [label_range.submit(config, run_id, digest, part.first, part.until) for part in ranges]
    for count, future in enumerate(begun, 1):
        try:
            future.result()
        except KilledWorker:
            raise StageError(
                "labelling: every worker that took one of the ranges died; look at their logs and "
                "memory, then run the night again: it goes on from here"
            ) from None
        logger.info("%d of %d ranges labelled", count, len(begun))


def _runner(scale: ScaleSettings) -> Any:
    """Make the task runner that the settings describe."""
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise MissingExtraError("scale", 'scale.task_runner = "dask"') from None
    # What its parts tell each other is for those who mend it.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    if scale.address is not None:
        return DaskTaskRunner(address=scale.address)
    # One range at a time a worker; how many texts run at once within it is the classifier's.
    here = {"n_workers": scale.workers, "threads_per_worker": 1, "host": "127.0.0.1"}
    return DaskTaskRunner(
        cluster_kwargs={**here, "dashboard_address": "127.0.0.1:0", "memory_limit": None}
    )


def _known_server() -> AbstractContextManager[Any]:
    """Tell workers on this machine of the temporary server, or each would start one of its own."""
    if PREFECT_API_URL.value():
        return nullcontext()
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    server.start()
    return temporary_settings({PREFECT_API_URL: server.api_url})
