"""An invented store whose true shares are known, made once."""

import pytest

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.golive import GoLive
from dsn_nlp.analyse.invent import GOLIVE, SITES, invent, invented_profile


def desk_on(url: str, **options: object) -> Desk:
    golive = GoLive(dict.fromkeys(SITES, GOLIVE))
    return Desk(url, None, golive, draws=200, profile=invented_profile(), **options)


@pytest.fixture(scope="session")
def invented_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('invented')}/dsn.db"
    invent(url, 12_000, weeks=16)
    return url


@pytest.fixture(scope="session")
def desk(invented_url: str) -> Desk:
    """Tests only read it."""
    return desk_on(invented_url)
