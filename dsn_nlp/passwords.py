"""Who may come in: a password file with scrypt hashes, or the header of a trusted reverse proxy.

A line a person: ``name:scrypt$n$r$p$salt$hash``, salt and hash in base64. Parameters are OWASP's
(Password Storage Cheat Sheet: n = 2**17, r = 8, p = 1, 128 MB and about a third of a second).
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

from dsn_nlp.errors import ConfigError, InputError

N, R, P = 2**17, 8, 1
LEAST_CHARACTERS = 12
MOST_CHARACTERS = 1024
_NAME = re.compile(r"[\w.@+-]{1,80}")
_MAX_MEMORY = 256 * 1024 * 1024
# Checked when a name is unknown, so that time does not tell which names there are.
_NOBODY = f"scrypt${N}${R}${P}${'A' * 22}==${'A' * 43}="


def hash_password(password: str) -> str:
    """Hash a password under a fresh salt.

    :raises InputError: when it is too short or absurdly long.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InputError(f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters")
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, N, R, P)
    parts = (base64.b64encode(part).decode() for part in (salt, made))
    return f"scrypt${N}${R}${P}${'$'.join(parts)}"


def matches(password: str, hashed: str) -> bool:
    """Check a password against a hash, in constant time; a hash of another make matches nothing."""
    try:
        kind, n, r, p, salt, wanted = hashed.split("$")
        numbers = int(n), int(r), int(p)
        # A file that asks for less than we do, or for all memory, is not ours.
        if kind != "scrypt" or numbers != (N, R, P) or len(password) > MOST_CHARACTERS:
            return False
        found = _scrypt(password, base64.b64decode(salt, validate=True), *numbers)
        return hmac.compare_digest(found, base64.b64decode(wanted, validate=True))
    except ValueError:
        return False


def read_passwords(path: Path) -> dict[str, str]:
    """Read a password file.

    :return: name → hash.
    :raises ConfigError: when it is missing, malformed, or readable by others.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: others can read this password file; chmod 600 {path}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(
            f"{path}: the password file cannot be read ({error.strerror}); "
            f"make it with: dsn-nlp privacy password {path} NAME"
        ) from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        name, _, hashed = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not _NAME.fullmatch(name) or not hashed.startswith("scrypt$") or name in found:
            raise ConfigError(f"{path}:{number}: not a line of this file; set the password anew")
        found[name] = hashed
    return found


def set_password(path: Path, name: str, password: str) -> None:
    """Write a person's password into the file, made where it is missing, for its owner only.

    :raises InputError: when name or password will not do, or the file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise InputError("a name has letters, digits and . @ + - _ only, 80 at most")
    people = read_passwords(path) if path.exists() else {}
    people[name] = hash_password(password)
    text = "".join(f"{who}:{hashed}\n" for who, hashed in sorted(people.items()))
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(text)
        os.replace(unfinished, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def check(people: Mapping[str, str], name: str, password: str) -> bool:
    """Tell whether a person may come in; an unknown name takes as long as a wrong password."""
    known = people.get(name)
    right = matches(password, known or _NOBODY)
    return right and known is not None


def proxied_name(
    peer: str, headers: Iterable[tuple[str, str]], header: str, trusted: Iterable[str]
) -> str | None:
    """Name the person a reverse proxy has let in, or ``None``.

    :param peer: address the request came from; only ``trusted`` ones are believed.
    :param headers: all of the request, as they came; the header must be there exactly once.
    :param header: which one names the person, such as ``X-Remote-User``.
    :param trusted: addresses or networks of proxies.
    """
    try:
        address = ip_address(peer)
        believed = any(address in ip_network(one, strict=False) for one in trusted)
    except ValueError:
        return None
    values = [value for name, value in headers if name.lower() == header.lower()]
    # "X_Remote_User" becomes the same name behind some servers: its presence is an attack.
    alike = [n for n, _ in headers if n.lower().replace("_", "-") == header.lower()]
    if not believed or len(values) != 1 or len(alike) != 1 or not _NAME.fullmatch(values[0]):
        return None
    return values[0]


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)
