"""A fresh store on SQLite and on a real PostgreSQL, whose server is started for the session."""

import secrets

import pytest

from dsn_nlp.store import Store
from tests.postgres import Postgres, UnavailableError


@pytest.fixture(scope="session")
def server():
    """Yield a running PostgreSQL server, or skip where none can run."""
    try:
        running = Postgres()
    except UnavailableError as error:
        pytest.skip(str(error))
    yield running
    running.close()


@pytest.fixture(scope="session")
def postgres(server):
    """Yield the socket folder of a running server, or skip where it cannot start."""
    return server.folder


@pytest.fixture
def make_url(request, tmp_path):
    """Give addresses of empty stores of a kind: ``make_url("sqlite")``."""
    made = []

    def make(kind):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/t{secrets.token_hex(6)}/dsn.db"
        server = request.getfixturevalue("server")
        made.append((server, server.make_database()))
        return made[-1][1]

    yield make
    for server, url in made:
        server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, make_url):
    """Address of an empty store."""
    return make_url(request.param)


@pytest.fixture
def store(url):
    """An open, empty store."""
    with Store.open(url) as opened:
        yield opened
