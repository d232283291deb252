"""Settings of the watch of nights, and of what monitoring is told."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WatchSettings(_Strict):
    """What is done about a night that is unlike others."""

    gate: Literal["banner", "hold", "off"] = Field(
        "banner", description="on an alarm: publish it with a banner, hold it, or do not look"
    )
    metrics: Path | None = Field(None, description="folder for Prometheus's textfile collector")
    otlp: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+(/\S*)?$",
        description="address of an OpenTelemetry collector (OTLP over HTTP), extra 'telemetry'",
    )
    report_url: str | None = Field(
        None, description="address of the night's report, linked from Prefect; {run} is its id"
    )
