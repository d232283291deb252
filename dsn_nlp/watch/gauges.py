"""What a night tells monitoring: one list of gauges, whichever way they go out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NightGauge:
    """A gauge of one night.

    :ivar by: what its values are told apart by; ``None`` for a single one.
    :ivar values: by that; one under the empty string when there is nothing to tell apart.
    """

    name: str
    told: str
    by: str | None
    values: Mapping[str, float]


def gauges_of(
    measures: Mapping[str, Any], counts: Mapping[str, int], finished: datetime
) -> list[NightGauge]:
    """List what a published night measured: counts, durations and names of settings, no text.

    :param counts: of the night, by name.
    :param finished: when it was published, aware.
    """
    rejected = {s: sum(r.values()) for s, r in measures.get("rejected", {}).items()}
    drift = {n: d["nights"][0] for n, d in measures.get("drift", {}).items() if d.get("nights")}
    levels = [alert["level"] for alert in measures.get("alerts", [])]
    alerts = {level: levels.count(level) for level in ("notice", "alarm")}
    return [
        NightGauge("finished_seconds", "When the last night was published (Unix time)", None,
                   {"": finished.timestamp()}),
        NightGauge("count", "Counts of the last night", "name", counts),
        NightGauge("stage_seconds", "Duration of each stage", "stage",
                   measures.get("seconds", {})),
        NightGauge("documents", "New documents by source", "source", measures.get("volumes", {})),
        NightGauge("rejected", "Rejections by source", "source", rejected),
        NightGauge("complaints", "Passages told of each complaint", "label",
                   measures.get("complaints", {})),
        NightGauge("sentiments", "Passages of each sentiment", "label",
                   measures.get("sentiments", {})),
        NightGauge("drift", "Stability index from the last 28 nights", "label", drift),
        NightGauge("alerts", "What the watch has to say", "level", alerts),
    ]  # fmt: skip
