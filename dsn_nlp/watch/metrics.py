"""A night's measures for Prometheus, as a file for the node exporter's textfile collector."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dsn_nlp.errors import StoreError

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

    def gauge(name: str, told: str, by: str | None, values: Mapping[str, float]) -> None:
        made = Gauge(f"dsn_nlp_night_{name}", told, [by] if by else [], registry=registry)
        for label, value in values.items():
            (made.labels(label) if by else made).set(value)

    gauge("finished_seconds", "When the last night was published (Unix time)", None,
          {"": finished.timestamp()})  # fmt: skip
    gauge("count", "Counts of the last night", "name", counts)
    gauge("stage_seconds", "Duration of each stage", "stage", measures.get("seconds", {}))
    gauge("documents", "New documents by source", "source", measures.get("volumes", {}))
    rejected = {s: sum(r.values()) for s, r in measures.get("rejected", {}).items()}
    gauge("rejected", "Rejections by source", "source", rejected)
    gauge("complaints", "Passages told of each complaint", "label", measures.get("complaints", {}))
    gauge("sentiments", "Passages of each sentiment", "label", measures.get("sentiments", {}))
    drift = {n: d["nights"][0] for n, d in measures.get("drift", {}).items() if d.get("nights")}
    gauge("drift", "Stability index from the last 28 nights", "label", drift)
    levels = [alert["level"] for alert in measures.get("alerts", [])]
    gauge("alerts", "What the watch has to say", "level",
          {level: levels.count(level) for level in ("notice", "alarm")})  # fmt: skip
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
