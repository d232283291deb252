"""Who is at the dashboard: sessions in memory, passwords, and the header of a reverse proxy."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from dsn_nlp.config import Settings
from dsn_nlp.errors import ConfigError
from dsn_nlp.passwords import check, proxied_name, read_passwords

COOKIE = "dsn_session"
OPEN_NAME = "local"
_FAILURES, _PAUSE = 5, 60.0
_MOST_SESSIONS = 5000


@dataclass
class Session:
    """One browser's session.

    :ivar purpose: why comments are opened, as stated once.
    """

    token: str = field(repr=False)
    name: str
    ends: float
    purpose: str | None = None


@dataclass
class Door:
    """Lets people in. Safe to share between threads.

    :ivar open_: nobody need sign in; only for an address of this machine.
    """

    settings: Settings
    open_: bool = False
    _people: Mapping[str, str] = field(default_factory=dict, repr=False)
    _sessions: dict[str, Session] = field(default_factory=dict, repr=False)
    _failed: dict[str, list[float]] = field(default_factory=dict, repr=False)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    # Each check takes 128 MB: two at a time at most, whoever knocks.
    _hashing: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(2), repr=False
    )

    def __post_init__(self) -> None:
        given = self.settings.dashboard
        if given.passwords:
            self._people = read_passwords(given.passwords)
        if not self.open_ and not self._people and not given.proxy_header:
            raise ConfigError(
                "nobody could sign in: set dashboard.passwords (dsn-nlp privacy password FILE NAME)"
                " or dashboard.proxy_header, or bind to 127.0.0.1 with --open"
            )
        if given.proxy_header and not given.proxies:
            raise ConfigError("dashboard.proxies: name the addresses that proxy_header comes from")

    @property
    def by_password(self) -> bool:
        """Whether there is a page to sign in."""
        return bool(self._people) and not self.open_

    @property
    def secure(self) -> bool:
        """Whether cookies travel by HTTPS only."""
        return self.settings.dashboard.secure_cookies and not self.open_

    def session_of(self, request: Request) -> tuple[Session | None, bool]:
        """Find or, for who comes in without signing in, make the session of a request.

        :return: the session, ``None`` for a stranger; and whether its cookie is to be set.
        """
        known = self._known(request.cookies.get(COOKIE, ""))
        if self.open_:
            return (known, False) if known else (self._begin(OPEN_NAME), True)
        name = self._proxied(request)
        if name is not None:
            if known and known.name == name:
                return known, False
            return self._begin(name), True
        return known, False

    def sign_in(self, peer: str, name: str, password: str) -> Session | None:
        """Check a password; ``None`` where it is wrong, or where too many were tried."""
        if self.must_wait(peer, name):
            return None
        with self._hashing:
            if self.must_wait(peer, name):  # guesses that came while this one stood in line count
                return None
            right = check(self._people, name, password)
            if not right:
                self._note_failure(peer, name)
                return None
        return self._begin(name)

    def _note_failure(self, peer: str, name: str) -> None:
        with self._lock:
            for key in (f"name {name[:80]}", f"peer {peer}"):
                self._failed.setdefault(key, []).append(time.monotonic())

    def must_wait(self, peer: str, name: str) -> bool:
        """Whether a name or an address has failed too often in the last minute."""
        since = time.monotonic() - _PAUSE
        with self._lock:
            recent = {k: [t for t in times if t > since] for k, times in self._failed.items()}
            self._failed = {key: times for key, times in recent.items() if times}
            keys = (f"name {name[:80]}", f"peer {peer}")
            return any(len(self._failed.get(key, ())) >= _FAILURES for key in keys)

    def sign_out(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session.token, None)

    def hand_over(self, response: Response, session: Session) -> None:
        """Give the browser its session."""
        response.set_cookie(
            COOKIE, session.token, httponly=True, samesite="lax", secure=self.secure
        )

    def csrf(self, session: Session) -> str:
        """The token that every form of a session carries."""
        return hmac.new(self._secret, session.token.encode(), hashlib.sha256).hexdigest()

    def is_own(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf(session).encode(), token.encode())

    def _known(self, token: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(token)
            if session is not None and session.ends < time.monotonic():
                del self._sessions[token]
                return None
            return session

    def _proxied(self, request: Request) -> str | None:
        given = self.settings.dashboard
        if not given.proxy_header or request.client is None:
            return None
        headers = request.headers.items()
        return proxied_name(request.client.host, headers, given.proxy_header, given.proxies)

    def _begin(self, name: str) -> Session:
        ends = time.monotonic() + 3600 * self.settings.dashboard.hours
        session = Session(secrets.token_urlsafe(32), name, ends)
        with self._lock:
            while len(self._sessions) >= _MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[session.token] = session
        return session
