"""Pages are read in child processes: one that hangs or swells is ended, and the night goes on.

A hundred ways through three parsers of strangers' HTML were not foreseen by any of them; a
deadline in another process stops them all. A child is ``python -m dsn_nlp.gather.reader``; it is
given one page a frame on its standard input, and ends when that closes.
"""

import atexit
import json
import os
import queue
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import IO, Any

from dsn_nlp.config import GatherSettings
from dsn_nlp.errors import ExtractionError
from dsn_nlp.gather.dates import Moment
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.pages import MAX_BYTES, Page, PaywallError, extract_page

# A page of two megabytes takes under 400 MB; what needs more is built to do harm.
MAX_MEMORY = 2_000_000_000
# Caches of the parsers grow with pages; a fresh child starts small again.
PAGES_A_CHILD = 500
START_SECONDS = 60.0
MAX_ANSWER = 16_000_000
_LENGTH = struct.Struct(">I")


class _ChildGoneError(Exception):
    """The child died, or did not answer in time."""


class _Child:
    """One process that reads pages."""

    def __init__(self) -> None:
        # Isolated from the terminal's Ctrl-C: the parent decides when it ends.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dsn_nlp.gather.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.pages = 0

    def ask(self, frame: bytes, seconds: float) -> dict[str, Any]:
        """Have one page read.

        :raises _ChildGoneError: when the child dies or takes longer.
        """
        assert self._process.stdin
        if not self.pages:
            self._answer(START_SECONDS)  # it says that it is ready
        self.pages += 1
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
        except OSError:
            raise _ChildGoneError("it ended") from None
        return self._answer(seconds)

    def _answer(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, end))
        if length > MAX_ANSWER:
            raise _ChildGoneError("its answer is too long")
        answer = json.loads(self._read(length, end))
        assert isinstance(answer, dict)
        return answer

    def _read(self, count: int, end: float) -> bytes:
        assert self._process.stdout
        descriptor, got = self._process.stdout.fileno(), b""
        while len(got) < count:
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise _ChildGoneError("it took too long")
            piece = os.read(descriptor, count - len(got))
            if not piece:
                raise _ChildGoneError("it ended")
            got += piece
        return got

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe and pipe.close()
        self._process.wait()


class Readers:
    """A few children that read pages; safe to share between threads.

    :param count: children at most; one is started when it is needed.
    :param seconds: for one page.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(count):
            self._places.put(None)
        self._count = count
        self._closing = threading.Lock()

    def read(self, response: Response) -> Page:
        """Read the article out of a page, as :func:`extract_page` does.

        :raises ExtractionError: when there is no article, or it takes too long or too much.
        """
        if len(response.body) > MAX_BYTES:
            raise ExtractionError(f"the page is larger than {MAX_BYTES} bytes")
        child = self._places.get()
        kept: _Child | None = None
        try:
            child = child or _Child()
            answer = child.ask(_frame(response), self._seconds)
            kept = child if child.pages < PAGES_A_CHILD else None
        except (_ChildGoneError, ValueError) as error:
            why = str(error) if isinstance(error, _ChildGoneError) else "its answer is damaged"
            raise ExtractionError(
                f"the page cannot be read within {self._seconds:g} s and "
                f"{MAX_MEMORY // 1_000_000} MB ({why})"
            ) from None
        finally:
            if child is not None and kept is None:
                child.end()
            self._places.put(kept)
        return _page(answer)

    def close(self) -> None:
        """End all children."""
        with self._closing:
            for _ in range(self._count):
                try:
                    child = self._places.get(timeout=self._seconds)
                except queue.Empty:
                    return
                if child is not None:
                    child.end()
            for _ in range(self._count):
                self._places.put(None)


@lru_cache(maxsize=2)
def shared_readers(settings: GatherSettings) -> Readers:
    """Return the children of this process, which end with it."""
    readers = Readers(settings.readers or os.cpu_count() or 1, settings.reader_seconds)
    atexit.register(readers.close)
    return readers


def _frame(response: Response) -> bytes:
    head = json.dumps([response.url, response.content_type, response.charset]).encode()
    return _LENGTH.pack(len(head)) + head + _LENGTH.pack(len(response.body)) + response.body


def _page(answer: dict[str, Any]) -> Page:
    if "paywall" in answer:
        raise PaywallError(int(answer["paywall"]))
    if "reason" in answer:
        raise ExtractionError(str(answer["reason"]))
    moment = answer.pop("moment")
    at = Moment(datetime.fromisoformat(moment[0]), moment[1]) if moment else None
    authors = tuple(answer.pop("authors"))
    return Page(**answer, moment=at, authors=authors)


def _answer(response: Response) -> dict[str, Any]:
    try:
        page = extract_page(response)
    except PaywallError as error:
        return {"paywall": error.characters}
    except ExtractionError as error:
        return {"reason": str(error)}
    except (MemoryError, RecursionError) as error:
        return {"reason": f"the page cannot be read ({type(error).__name__})"}
    except Exception as error:
        # Strangers' HTML finds ways through three parsers that none of them foresaw.
        return {"reason": f"the page cannot be read ({type(error).__name__})"}
    told = page.moment
    moment = [told.at.isoformat(), told.precision] if told else None
    return asdict(page) | {"moment": moment, "authors": list(page.authors)}


def _take(stream: IO[bytes]) -> bytes | None:
    prefix = stream.read(_LENGTH.size)
    return stream.read(_LENGTH.unpack(prefix)[0]) if len(prefix) == _LENGTH.size else None


def _tell(stream: IO[bytes], answer: dict[str, Any]) -> None:
    told = json.dumps(answer).encode()
    stream.write(_LENGTH.pack(len(told)) + told)
    stream.flush()


def main() -> None:
    """Read pages from standard input until it closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # what libraries print is no answer
    _tell(answers, {})
    while (head := _take(sys.stdin.buffer)) is not None:
        body = _take(sys.stdin.buffer)
        if body is None:
            return
        url, content_type, charset = json.loads(head)
        _tell(answers, _answer(Response(url, 200, content_type, charset, body)))


if __name__ == "__main__":
    main()
