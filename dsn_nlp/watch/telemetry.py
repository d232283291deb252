"""A night's metrics and trace for an OpenTelemetry collector: counts, durations, ids, no text.

Sent once, when the night is published, by OTLP over HTTP; headers such as a token come from
``OTEL_EXPORTER_OTLP_HEADERS``, certificates from ``OTEL_EXPORTER_OTLP_CERTIFICATE``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dsn_nlp import __version__
from dsn_nlp.errors import DsnNlpError, MissingExtraError
from dsn_nlp.records import Tally
from dsn_nlp.watch.gauges import NightGauge

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

PREFIX = "dsn_nlp.night"
SECONDS = 5.0


class TelemetryError(DsnNlpError):
    """A collector did not take what it was sent."""


def send_night(
    address: str,
    run_id: str,
    gauges: Sequence[NightGauge],
    tallies: Sequence[Tally],
    finished: datetime,
) -> None:
    """Send the metrics and the trace of a night.

    :param address: of the collector, without ``/v1/…``.
    :param tallies: of the night's stages; each that tells when it ended becomes a span.
    :raises TelemetryError: when the collector does not answer in time, or refuses.
    :raises MissingExtraError: when the extra ``telemetry`` is not installed.
    """
    try:
        from opentelemetry.sdk.resources import Resource
    except ImportError:
        raise MissingExtraError("telemetry", "watch.otlp") from None
    whose = Resource.create({"service.name": "dsn-nlp", "service.version": __version__})
    _send_metrics(address, whose, gauges)
    _send_trace(address, whose, run_id, tallies, finished)


def _send_metrics(address: str, whose: "Resource", gauges: Sequence[NightGauge]) -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=whose)
    meter = provider.get_meter("dsn_nlp", __version__)
    for one in gauges:
        made = meter.create_gauge(f"{PREFIX}.{one.name}", description=one.told)
        for label, value in one.values.items():
            made.set(value, {one.by: label} if one.by else {})
    collected = reader.get_metrics_data()
    exporter = OTLPMetricExporter(endpoint=_endpoint(address, "metrics"), timeout=SECONDS)
    _deliver(address, exporter, collected)
    provider.shutdown()


def _send_trace(
    address: str, whose: "Resource", run_id: str, tallies: Sequence[Tally], finished: datetime
) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=whose, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("dsn_nlp", __version__)
    spans = [(each, each.ended - timedelta(seconds=each.seconds), each.ended)
             for each in tallies if each.ended is not None]  # fmt: skip
    began = min((begin for _, begin, _ in spans), default=finished)
    whole = tracer.start_span("night", start_time=_nanoseconds(began))
    whole.set_attribute("dsn_nlp.run", run_id)
    within = trace.set_span_in_context(whole)
    for tally, begin, end in spans:
        span = tracer.start_span(tally.stage, context=within, start_time=_nanoseconds(begin))
        span.set_attributes({f"dsn_nlp.{name}": count for name, count in tally.counts.items()})
        span.end(_nanoseconds(end))
    whole.end(_nanoseconds(finished))
    exporter = OTLPSpanExporter(endpoint=_endpoint(address, "traces"), timeout=SECONDS)
    _deliver(address, exporter, kept.get_finished_spans())
    provider.shutdown()


def _deliver(address: str, exporter: Any, what: Any) -> None:
    try:
        result = exporter.export(what)
    finally:
        exporter.shutdown()
    if result.name != "SUCCESS":
        raise TelemetryError(
            f"{address}: the collector did not take this night's telemetry; see watch.otlp"
        )


def _endpoint(address: str, signal: str) -> str:
    return f"{address.rstrip('/')}/v1/{signal}"


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
