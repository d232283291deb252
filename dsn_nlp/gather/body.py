"""Reading a response body without trusting its size, its pace or its compression."""

import zlib
from collections.abc import Iterable, Iterator

import httpx

from dsn_nlp.errors import FetchError, TransientFetchError
from dsn_nlp.gather.transport import Deadline

_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")


def read_body(raw: httpx.Response, max_bytes: int, deadline: Deadline) -> bytes:
    """Read and unpack a streamed response, at most ``max_bytes`` before and after unpacking.

    :raises FetchError: when it is too large, or packed in a way that was not asked for.
    :raises TransientFetchError: when it breaks off or takes longer than the deadline.
    """
    declared = raw.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    chunks = _bounded(raw.iter_raw(), max_bytes, deadline)
    coding = raw.headers.get("content-encoding", "").strip().lower()
    if coding in _PLAIN:
        return b"".join(chunks)
    if coding in _GZIP:
        return gunzip(chunks, max_bytes)
    raise FetchError("the answer is packed in a way that was not asked for")


def _too_large(max_bytes: int) -> FetchError:
    return FetchError(f"larger than {max_bytes} bytes; raise gather.max_bytes if this is right")


def _bounded(chunks: Iterator[bytes], max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise _too_large(max_bytes)
        if deadline.remaining() <= 0:
            raise TransientFetchError(f"took longer than {deadline.seconds:g} s")
        yield chunk


def gunzip(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    """Unpack gzip; a few bytes may stand for gigabytes, so each step is bounded.

    :raises FetchError: when it is damaged, or larger than ``max_bytes`` unpacked.
    :raises TransientFetchError: when it breaks off.
    """
    unpacked = bytearray()
    member = zlib.decompressobj(wbits=31)
    empty = True
    for chunk in chunks:
        pending = chunk
        while pending:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            try:
                unpacked += member.decompress(pending, max_bytes + 1 - len(unpacked))
            except zlib.error:
                raise FetchError("the compressed answer is damaged") from None
            if len(unpacked) > max_bytes:
                raise _too_large(max_bytes)
            empty = False
            pending = member.unused_data or member.unconsumed_tail
    if not (member.eof or empty):
        raise TransientFetchError("the compressed answer breaks off")
    return bytes(unpacked)
