"""Nights as child processes of a parent that has loaded the languages once.

A child is forked, so that it starts at once, and then runs the command line as anyone would.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
Before = Callable[[], None]


def warm() -> None:
    """Load what costs a child seconds and holds no state: modules and spaCy's languages."""
    import gc

    import alembic.command  # noqa: F401
    import onnxruntime  # noqa: F401
    import rich.progress  # noqa: F401
    import sklearn.feature_extraction.text  # noqa: F401
    import trafilatura  # noqa: F401

    import dsn_nlp.cli
    import dsn_nlp.stages  # noqa: F401
    from dsn_nlp.prepare.deidentify import deidentifier
    from dsn_nlp.prepare.passages import split_document
    from dsn_nlp.records import Comment, Document

    for text, lang in (("L'écran de Nadia gèle.", "fr"), ("The screen froze for Nadia.", "en")):
        list(deidentifier().deidentify([Comment("c", "s", "p", text)]))
        split_document(Document("d", "comment", "s", text, lang), 90)
    gc.collect()
    gc.freeze()  # a child that collects would else copy all of it


class Child:
    """One run of the command line."""

    def __init__(self, folder: Path, words: list[str], before: Before | None = None) -> None:
        self.log = folder / f"{time.monotonic_ns()}.log"
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _run(self.log, folder, words, before)

    def cpu_seconds(self) -> float:
        """Processor time used so far; 0 once it has ended."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill_after(self, cpu_seconds: float) -> bool:
        """Kill it once it has used that much processor time; false when it ended before."""
        while self.poll() is None:
            if self.cpu_seconds() >= cpu_seconds:
                self.send(signal.SIGKILL)
                self.wait()
                return self.returncode == -signal.SIGKILL
            time.sleep(0.002)
        return False

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, seconds: float = 180) -> int:
        """Wait for its end, and end it when it hangs."""
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                deadline += 5
            time.sleep(0.005)
        assert self.returncode is not None
        return self.returncode

    def said(self) -> str:
        """What it wrote on both outputs."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def _run(log: Path, folder: Path, words: list[str], before: Before | None) -> None:
    """Be the command line; never returns."""
    code = 99
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(target, 1)
        os.dup2(target, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(folder)
        sys.argv = ["dsn-nlp", *words]
        if before is not None:
            before()
        from dsn_nlp.cli import main

        main()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
