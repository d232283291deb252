"""Which addresses may be asked: the web's public ones, and nothing inside the hospital.

Feeds and redirects are written by strangers. Without this gate, a feed could make the server
that runs the pipeline read the hospital's own network and store what it finds as an article.
"""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from dsn_nlp.errors import FetchError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1"})
_WEB_PORTS = frozenset({None, 80, 443})
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$")

# Only this block of IPv6 is given out to the public; mapped IPv4, NAT64, unique-local,
# link-local and multicast addresses all lie outside it.
_IPV6_PUBLIC = IPv6Network("2000::/3")
# Inside it, or inside what ``ipaddress`` calls global, these still lead elsewhere.
_DETOURS = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds any IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in _IPV6_PUBLIC:
        return False
    if any(address.version == block.version and address in block for block in _DETOURS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def show(url: object) -> str:
    """Make any URL fit for a one-line message: no user and password, no controls, not long."""
    printable = "".join(c if c.isprintable() else "?" for c in str(url))
    without_user = re.sub(r"^(\w+:)?//[^/?#]*@", r"\1//", printable)
    return without_user if len(without_user) <= 200 else without_user[:199] + "…"


def check_url(url: str | httpx.URL, allow_loopback: bool = False) -> httpx.URL:
    """Refuse a URL that is not a plain web address, before anything is asked of its host.

    :raises FetchError: when scheme, user, port, host spelling or numeric address is refused.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise FetchError(f"{show(url)}: not a valid web address; correct it") from None
    reason = _refusal(parsed, allow_loopback)
    if reason:
        raise FetchError(f"{show(url)}: {reason}")
    return parsed


def _refusal(url: httpx.URL, allow_loopback: bool) -> str | None:
    if url.scheme not in ("http", "https"):
        return "only http:// and https:// addresses are fetched"
    if url.userinfo:
        return "addresses with a user name or password are refused; remove it"
    if allow_loopback and url.host in LOOPBACK_HOSTS:
        return None
    if url.port not in _WEB_PORTS:
        return f"port {url.port} is refused; only 80 and 443 are asked"
    return _host_refusal(url.raw_host.decode("ascii", "replace"))


def _host_refusal(host: str) -> str | None:
    try:
        address = ip_address(host)
    except ValueError:
        # "0x7f.1", "2130706433" and "0177.0.0.1" are all 127.0.0.1 to the resolver.
        if not _HOST_NAME.fullmatch(host) or _ENDS_IN_NUMBER.search(host):
            return "the host name is not written as one; correct it"
        return None
    return None if is_public(address) else f"{address} is not a public address and is refused"


def resolve(host: str, port: int, allow_loopback: bool = False) -> list[str]:
    """Resolve a host, once, to addresses that are all allowed.

    One forbidden address among several refuses the host: an honest site never mixes them.

    :raises OSError: when the name cannot be resolved.
    :raises FetchError: when any address is not public.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        loopback = host in LOOPBACK_HOSTS and address in _LOOPBACK_ADDRESSES
        if not (is_public(ip_address(address)) or (allow_loopback and loopback)):
            raise FetchError(f"the host leads to {address}, which is not a public address")
    return addresses
