"""A night's measures for Prometheus, as a file for the node exporter's textfile collector."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import StoreError
from dsn_nlp.watch.gauges import gauges_of

FILE = "dsn_nlp.prom"


def write_metrics(
    folder: Path, measures: Mapping[str, Any], counts: Mapping[str, int], finished: datetime
) -> Path:
    """Write ``dsn_nlp.prom``, replacing the last one whole.

    :param counts: of the published night, by name.
    :raises StoreError: when the folder cannot be written.
    """
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()
    for one in gauges_of(measures, counts, finished):
        labels = [one.by] if one.by else []
        made = Gauge(f"dsn_nlp_night_{one.name}", one.told, labels, registry=registry)
        for label, value in one.values.items():
            (made.labels(label) if one.by else made).set(value)
    target = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(target), registry)
        target.chmod(0o644)  # counts alone, and the collector is another user
    except OSError as error:
        raise StoreError(
            f"{folder}: metrics cannot be written there ({error.strerror}); see watch.metrics"
        ) from None
    return target
