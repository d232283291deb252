"""The relabelling flow: what is stored is labelled by the serving model, without gathering."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.states import Completed, Failed

from dsn_nlp import stages
from dsn_nlp.config import load_settings
from dsn_nlp.errors import DsnNlpError
from pipelines.labelling import check_cluster, label_stored
from pipelines.nightly import HERE, publish
from pipelines.vault import open_vault


def _run_name() -> str:
    return f"relabel-{datetime.now(UTC).astimezone(HERE).date().isoformat()}"


@flow(
    name="relabel",
    flow_run_name=_run_name,
    persist_result=False,
    log_prints=False,
    timeout_seconds=24 * 3600,
)
def relabel(config: str = "dsn.toml") -> Any:
    """Label every passage that the serving model has not labelled, then show its labels.

    For use after a promotion, in the daytime; the next night would do it, too.

    :param config: path of the settings file.
    """
    try:
        open_vault()
        settings = load_settings(Path(config))
        check_cluster(settings)
        with stages.open_night(settings) as run_id:
            counts = publish(config, run_id, [label_stored(config, run_id)], watched=False)
    except DsnNlpError as error:
        return Failed(message=str(error), data=error)
    return Completed(message=", ".join(f"{n} {c}" for n, c in counts.items()), data=counts)
