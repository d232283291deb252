"""The watch of one night: measure it, judge it, and keep both with the run."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dsn_nlp.config import Settings
from dsn_nlp.errors import DsnNlpError, HeldError, ModelError, StoreError
from dsn_nlp.label.routing import Serving
from dsn_nlp.records import Tally
from dsn_nlp.speech import screen_language
from dsn_nlp.store import Store
from dsn_nlp.store.watching import BINS
from dsn_nlp.watch.alerts import Alert, read_alert
from dsn_nlp.watch.drift import drift_between_nights, drift_from_training
from dsn_nlp.watch.gate import DRIFT_CHANCE, NIGHTS, coarse, judge
from dsn_nlp.watch.gauges import gauges_of
from dsn_nlp.watch.reference import reference_histograms

logger = logging.getLogger(__name__)
FAR = 0.25  # index from which a drift from training is worth a line: news always differ a little


def watch_night(
    settings: Settings,
    store: Store,
    run_id: str,
    tallies: Sequence[Tally],
    serving: Serving,
    release: bool = False,
) -> list[Alert]:
    """Measure a night that is about to be published, and judge it against the last 28.

    :param release: publish it whatever the watch says; a person has looked.
    :return: what is to be told beside the night.
    :raises HeldError: when an alarm was raised and ``watch.gate`` is ``hold``.
    """
    measures = store.take_stock(run_id, serving.model)
    measures["sources"] = settings.source_names()
    measures["seconds"] = _seconds(tallies)
    measures["alike"] = {t.stage: t.counts["alike"] for t in tallies if t.counts.get("alike")}
    past = store.past_measures(NIGHTS)
    measures["drift"], alerts = _drift(measures, past, serving)
    if settings.watch.gate != "off":
        alerts = [*judge(measures, past), *alerts]
    held = settings.watch.gate == "hold" and not release and any(map(_is_alarm, alerts))
    measures["alerts"] = [alert.record() for alert in alerts]
    measures["gate"] = {"held": held, "released": release}
    store.note_measures(run_id, measures)
    if held:
        raise HeldError(run_id, [a.line(screen_language()) for a in alerts if _is_alarm(a)])
    return alerts


def export_metrics(
    settings: Settings,
    store: Store,
    run_id: str,
    counts: Mapping[str, int],
    tallies: Sequence[Tally] = (),
) -> None:
    """Tell monitoring what a published night measured, where that is wanted.

    A folder that cannot be written, or a collector that does not answer, must not undo the night.
    """
    if settings.watch.metrics is None and settings.watch.otlp is None:
        return
    measures, finished = store.measures_of([run_id])[run_id], datetime.now(UTC)
    if settings.watch.metrics is not None:
        from dsn_nlp.watch.metrics import write_metrics

        try:
            write_metrics(settings.watch.metrics, measures, counts, finished)
        except StoreError as error:
            logger.warning("run %s: %s", run_id, error)
    if settings.watch.otlp is not None:
        from dsn_nlp.watch.telemetry import send_night

        try:
            gauges = gauges_of(measures, counts, finished)
            send_night(settings.watch.otlp, run_id, gauges, tallies, finished)
        except DsnNlpError as error:
            logger.warning("run %s: %s", run_id, error)


def alerts_of(store: Store, run_id: str) -> list[Alert]:
    """Read what the watch of a run said."""
    records = store.measures_of([run_id])[run_id].get("alerts", [])
    return [read_alert(record) for record in records]


def banner(store: Store) -> list[Alert]:
    """Read the alarms of the night that readers see now; none when all was well."""
    newest = store.past_measures(1)
    records = newest[0].get("alerts", []) if newest else []
    return [alert for alert in map(read_alert, records) if _is_alarm(alert)]


def _is_alarm(alert: Alert) -> bool:
    return alert.level == "alarm"


def _seconds(tallies: Sequence[Tally]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for tally in tallies:
        seconds[tally.stage] = round(seconds.get(tally.stage, 0.0) + tally.seconds, 2)
    return seconds


def _drift(
    measures: Mapping[str, Any], past: Sequence[Mapping[str, Any]], serving: Serving
) -> tuple[dict[str, Any], list[Alert]]:
    """Drift of each score from training and from other nights; a far one is told."""
    told: dict[str, Any] = {}
    alerts = []
    reference = _reference(measures, serving)
    for seed, (name, counts) in enumerate(sorted(measures["scores"].items())):
        now = coarse(counts)
        before = [
            coarse(night["scores"][name]) for night in past if name in night.get("scores", {})
        ]
        nights = drift_between_nights(now, before, seed)
        training = drift_from_training(now, coarse(reference[name]), seed) if reference else None
        told[name] = {
            "nights": [nights.psi, nights.chance] if nights else None,
            "training": [training.psi, training.chance] if training else None,
        }
        if training and training.psi >= FAR and training.chance < DRIFT_CHANCE:
            numbers = {"psi": training.psi, "chance": training.chance}
            alerts.append(Alert("drift-training", "notice", name, numbers))
    return told, alerts


def _reference(measures: Mapping[str, Any], serving: Serving) -> dict[str, list[float]] | None:
    folders = set(serving.folders.values())
    if len(folders) != 1:
        return None  # two models, each with its own language's profile
    try:
        return reference_histograms(folders.pop(), measures["strata"], BINS)
    except ModelError as error:
        logger.warning("no drift from training: %s", error)
        return None
