"""Settings of the work that may be shared out: over several machines."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScaleSettings(_Strict):
    """Who labels: this process, or the workers of a Dask cluster (extra ``scale``)."""

    task_runner: Literal["here", "dask"] = Field(
        "here", description="'dask': ranges of passages go to the workers of a cluster"
    )
    address: str | None = Field(
        None,
        pattern=r"^(tcp|tls)://[^/\s]+$",
        description="scheduler of a running cluster; without it one is started on this machine",
    )
    workers: int = Field(2, ge=1, le=256, description="processes of the cluster started here")
    threads: int = Field(1, ge=1, le=256, description="texts that one worker labels at once")
    range_passages: int = Field(5000, ge=1, description="passages that a dying worker may cost")

    @model_validator(mode="after")
    def _is_used(self) -> Self:
        if self.address is not None and self.task_runner != "dask":
            raise ValueError('address is of a Dask cluster; set task_runner = "dask", too')
        return self
