"""The password file and the reverse proxy's header."""

import stat
from pathlib import Path

import pytest

from dsn_nlp.errors import ConfigError, InputError
from dsn_nlp.passwords import (
    check,
    hash_password,
    matches,
    proxied_name,
    read_passwords,
    set_password,
)

GOOD = "Douze-caractères et plus"


def test_a_person_comes_in_and_others_do_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "people"
    set_password(path, "marie", GOOD)
    set_password(path, "luc", GOOD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert GOOD not in path.read_text(encoding="utf-8")
    people = read_passwords(path)
    assert people["marie"] != people["luc"], "a salt each"
    assert check(people, "marie", GOOD)
    assert not check(people, "marie", GOOD + " ")
    assert not check(people, "anne", GOOD)
    set_password(path, "marie", GOOD + "!")
    assert read_passwords(path)["marie"] != people["marie"]
    assert read_passwords(path)["luc"] == people["luc"]


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_poor_passwords_are_refused(password: str) -> None:
    with pytest.raises(InputError, match="characters"):
        hash_password(password)


@pytest.mark.parametrize(
    "hashed",
    [
        "", "scrypt", GOOD, "scrypt$2$8$1$AAAA$AAAA", "scrypt$1073741824$8$1$AAAA$AAAA",
        "md5$131072$8$1$AAAA$AAAA", "scrypt$131072$8$1$é$AAAA", "scrypt$131072$8$1$AAAA$",
    ],
)  # fmt: skip
def test_odd_hashes_match_nothing(hashed: str) -> None:
    assert not matches(GOOD, hashed)


def test_odd_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people"
    with pytest.raises(ConfigError, match="dsn-nlp privacy password"):
        read_passwords(path)
    path.write_text("marie:plain words\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_passwords(path)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"people:1"):
        read_passwords(path)
    with pytest.raises(InputError, match="a name has"):
        set_password(tmp_path / "other", "ma:rie", GOOD)


@pytest.mark.parametrize(
    ("peer", "headers", "name"),
    [
        ("127.0.0.1", [("X-Remote-User", "marie")], "marie"),
        ("10.1.2.3", [("x-remote-user", "marie")], "marie"),
        ("192.0.2.9", [("X-Remote-User", "marie")], None),
        ("unix", [("X-Remote-User", "marie")], None),
        ("127.0.0.1", [], None),
        ("127.0.0.1", [("X-Remote-User", "")], None),
        ("127.0.0.1", [("X-Remote-User", "marie"), ("X-Remote-User", "admin")], None),
        ("127.0.0.1", [("X-Remote-User", "marie"), ("X_Remote_User", "admin")], None),
        ("127.0.0.1", [("X-Remote-User", "marie\r\nx: y")], None),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    peer: str, headers: list[tuple[str, str]], name: str | None
) -> None:
    assert proxied_name(peer, headers, "X-Remote-User", ["127.0.0.1", "10.0.0.0/8"]) == name
