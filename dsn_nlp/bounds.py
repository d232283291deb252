"""What every stage of a night keeps to: only our own errors leave it, and it is asked again."""

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import stamina

from dsn_nlp.errors import DsnNlpError, TransientStoreError
from dsn_nlp.records import Tally

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
# A store that is restarted is back within the sum of these waits: 1 s, then 4 s, then 16 s.
ATTEMPTS = 4
WAITING = {"wait_initial": 1.0, "wait_max": 20.0, "wait_jitter": 1.0, "wait_exp_base": 4.0}


class StageError(DsnNlpError):
    """A stage failed for a reason that is not ours; its message holds no foreign text."""


def contained(stage: Callable[P, R]) -> Callable[P, R]:
    """Let only our own errors out of a stage, and note how long it took in its tally."""

    @functools.wraps(stage)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        began = time.monotonic()
        try:
            found = stage(*args, **kwargs)
        except DsnNlpError:
            raise
        except Exception as error:
            raise StageError(
                f"{stage.__name__}: {type(error).__name__} in {_last_frame(error)}; "
                "please report this, without the inputs"
            ) from None
        if isinstance(found, Tally):
            found = cast(
                R, replace(found, seconds=time.monotonic() - began, ended=datetime.now(UTC))
            )
        return found

    return run


def patiently(stage: Callable[[], T]) -> T:
    """Ask a stage again while the store does not answer; what it stored before is not redone."""
    for attempt in stamina.retry_context(
        on=TransientStoreError, attempts=ATTEMPTS, timeout=None, **WAITING
    ):
        with attempt:
            return stage()
    raise AssertionError("unreachable")


def _last_frame(error: BaseException) -> str:
    """Name module and line where an error came from; positions are not text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
