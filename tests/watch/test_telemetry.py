"""A night's metrics and trace reach a collector, and one that is away undoes nothing."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dsn_nlp.config import Settings, load_settings
from dsn_nlp.errors import ConfigError
from dsn_nlp.stages import run_night
from dsn_nlp.store import Store
from tests.measure.stored import fill, write_settings


class Collector:
    """An HTTP collector on this machine that keeps what it is sent."""

    def __init__(self, answer: int = 200) -> None:
        self.got: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.got[self.path] = body
                collector.headers |= dict(self.headers)
                self.send_response(answer)
                self.end_headers()

            def log_message(self, *_args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def settings_for(folder: Path, otlp: str) -> Settings:
    path = write_settings(folder, f"sqlite:///{folder}/dsn.db")
    with path.open("a", encoding="utf-8") as file:
        file.write(f'[watch]\notlp = "{otlp}"\n')
    return load_settings(path)


def night(settings: Settings) -> str:
    url = settings.store.url.get_secret_value()
    run_id = fill(url, 3)
    with Store.open(url) as store:
        store.fail_run(run_id)
    run_night(settings)
    with Store.open(url) as store:
        newest = store.runs(1)[0]
        assert newest["status"] == "published"
        return str(newest["run_id"])


def test_metrics_and_spans_of_a_night_arrive(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=abc")
    settings = settings_for(tmp_path, collector.address)
    run_id = night(settings)
    assert set(collector.got) == {"/v1/metrics", "/v1/traces"}
    assert {k.lower(): v for k, v in collector.headers.items()}["x-token"] == "abc"
    metrics = ExportMetricsServiceRequest.FromString(collector.got["/v1/metrics"])
    (resource,) = metrics.resource_metrics
    attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert attributes["service.name"] == "dsn-nlp"
    by_name = {m.name: m.gauge.data_points for m in resource.scope_metrics[0].metrics}
    counts = {p.attributes[0].value.string_value: p.as_int for p in by_name["dsn_nlp.night.count"]}
    assert counts["labelled"] >= 3
    assert by_name["dsn_nlp.night.finished_seconds"][0].as_double > 1.7e9
    trace = ExportTraceServiceRequest.FromString(collector.got["/v1/traces"])
    spans = {s.name: s for s in trace.resource_spans[0].scope_spans[0].spans}
    assert set(spans) == {"night", "retention", "label"}
    whole, label = spans["night"], spans["label"]
    assert {a.key: a.value.string_value for a in whole.attributes} == {"dsn_nlp.run": run_id}
    assert label.parent_span_id == whole.span_id
    assert whole.start_time_unix_nano <= label.start_time_unix_nano
    assert label.start_time_unix_nano < label.end_time_unix_nano <= whole.end_time_unix_nano
    assert {a.key: a.value.int_value for a in label.attributes}["dsn_nlp.labelled"] >= 3


@pytest.mark.parametrize("answer", [None, 403])
def test_a_collector_that_is_away_or_refuses_undoes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: int | None
) -> None:
    refusing = Collector(answer) if answer else None
    address = refusing.address if refusing else "http://127.0.0.1:9"
    with caplog.at_level(logging.WARNING, "dsn_nlp"):
        night(settings_for(tmp_path, address))
    if refusing:
        refusing.close()
    said = [r.getMessage() for r in caplog.records if r.name.startswith("dsn_nlp")]
    assert [line for line in said if f"{address}: the collector did not take" in line]


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"watch\.otlp"):
        settings_for(tmp_path, "collector:4318")
