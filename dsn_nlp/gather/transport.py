"""An httpx transport that dials only vetted addresses and keeps one deadline over everything."""

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import httpcore
import httpx

from dsn_nlp.gather.addresses import resolve


class Deadline:
    """The moment at which one ``get`` gives up, whatever it is doing.

    Timeouts of sockets start anew at each byte, so that a server that drips never meets them.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Give the full time again."""
        self._end = time.monotonic() + self.seconds

    def extend(self, seconds: float) -> None:
        """Add time that was spent being polite."""
        self._end += seconds

    def remaining(self) -> float:
        """Return the seconds left; zero or less when the time is up."""
        return self._end - time.monotonic()


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def _limit(self, timeout: float | None) -> float:
        left = self._deadline.remaining()
        if left <= 0:
            raise httpcore.ReadTimeout("deadline")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._limit(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._limit(timeout))
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Dialler(httpcore.NetworkBackend):
    """Resolves a host once, vets the addresses, and dials those very addresses.

    Resolving here, and not before, leaves no moment between check and use in which the name
    could change its mind (DNS rebinding). Host header and TLS name stay those of the URL.
    """

    def __init__(self, deadline: Deadline, allow_loopback: bool) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses(host, port):
            left = self._deadline.remaining()
            if left <= 0:
                raise httpcore.ConnectTimeout("deadline")
            try:
                wait = left if timeout is None else min(timeout, left)
                stream = self._inner.connect_tcp(address, port, wait, local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return resolve(host, port, self._allow_loopback)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the host name cannot be resolved") from None


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class PinnedTransport(httpx.BaseTransport):
    """The way to the real network: no proxy, no environment, vetted addresses only."""

    def __init__(self, deadline: Deadline, allow_loopback: bool = False) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=4,
            keepalive_expiry=15.0,
            network_backend=_Dialler(deadline, allow_loopback),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; failures are those of httpcore, mapped by the client."""
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
