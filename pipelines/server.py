"""A Prefect server on this machine, for schedules where none is configured."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.settings import PREFECT_API_URL, temporary_settings

from dsn_nlp.errors import DsnNlpError

HOST, PORT = "127.0.0.1", 4200
START_SECONDS = 120


class ServerError(DsnNlpError):
    """The Prefect server did not start."""


@contextmanager
def prefect_server(port: int = PORT) -> Iterator[str]:
    """Give the address of the configured server, or of one started for as long as this lasts.

    Prefect cannot schedule on the temporary server that a single flow run makes do with.

    :raises ServerError: when it does not answer within two minutes.
    """
    configured = PREFECT_API_URL.value()
    if configured:
        yield str(configured)
        return
    address = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start"]
    server = subprocess.Popen([*command, "--host", HOST, "--port", str(port)])
    try:
        _wait(server, address)
        with temporary_settings({PREFECT_API_URL: address}):
            yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait(server: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise ServerError(
        f"{address}: the Prefect server did not start; is the port taken? "
        "Set PREFECT_API_URL to use another server"
    )
