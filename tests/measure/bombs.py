"""Resident memory while bombs are read, each in a process of its own.

``python -m tests.measure.bombs`` prints a table; with ``KIND PATH`` it reads one and prints its
end and by how many MB the process, and the largest of its children, grew (``VmHWM``, reset once
a good input of the kind has been read).
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dsn_nlp.config import CommentSource
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.gather.body import gunzip
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.gather.fetch import Response
from dsn_nlp.gather.pages import MAX_TAGS, extract_page
from dsn_nlp.gather.saved import read_saved
from dsn_nlp.gather.sitemaps import parse_sitemap
from tests.gather import workbooks
from tests.measure.archives import make_warc
from tests.measure.world import article

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 400
LIMIT = 5_000_000
# What a bomb may cost beyond a good input, in MB of resident memory.
ALLOWED = 160
CHUNK = b" " * 4_000_000


def make(kind: str, path: Path) -> Path:
    """Write a bomb that unpacks to 400 MB (a workbook: 190 MB, a page: as many tags as fit)."""
    if kind in ("gz", "body"):
        path.write_bytes(_packed())
    elif kind == "zip":
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("a.html", "w") as page,
        ):
            for _ in range(MEGABYTES // 4):
                page.write(CHUNK)
    elif kind == "warc":
        plain = gzip.decompress(make_warc(1)).replace(b"Content-Length", b"X-Length")
        head, tail = plain.split(b"</article>", 1)
        path.write_bytes(_packed(head, b"</article>" + tail))
    elif kind == "xlsx":
        workbooks.huge(path, 190)
    else:
        path.write_bytes(b"<html><body>" + b"<b>" * (MAX_TAGS - 10) + b"x " * 800_000)
    return path


def _packed(head: bytes = b"", tail: bytes = b"") -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    middle = [packer.compress(CHUNK) for _ in range(MEGABYTES // 4)]
    return packer.compress(head) + b"".join(middle) + packer.compress(tail) + packer.flush()


def _workbook(path: Path) -> object:
    fields = {"name": "s", "path": path, "columns": {"text": ["Commentaire"]}, "settle_seconds": 0}
    return list(read_comments(CommentSource.model_validate(fields), b"a key of the measures"))


READERS: dict[str, Callable[[Path], object]] = {
    "body": lambda path: gunzip(iter([path.read_bytes()]), LIMIT),
    "gz": lambda path: parse_sitemap(
        Response("https://j.ca/s", 200, "", None, path.read_bytes()), LIMIT
    ),
    "zip": lambda path: list(read_saved(path, path.parent)),
    "warc": lambda path: list(read_saved(path, path.parent)),
    "xlsx": _workbook,
    "html": lambda path: extract_page(
        Response("https://j.ca/x", 200, "text/html", None, path.read_bytes())
    ),
}
SUFFIX = {"body": ".gz", "gz": ".gz", "zip": ".zip", "warc": ".warc.gz", "xlsx": ".xlsx"}


def _good(kind: str, folder: Path) -> Path:
    path = folder / f"good{SUFFIX.get(kind, '.html')}"
    page = article(1).encode()
    if kind == "xlsx":
        workbooks.good(path)
    elif kind == "warc":
        path.write_bytes(make_warc(1))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.html", page)
    else:
        path.write_bytes(page if kind == "html" else gzip.compress(b"<urlset></urlset>"))
    return path


def measure(kind: str, path: Path) -> dict[str, object]:
    """Read a bomb here; say how it ended and what it cost in MB."""
    with tempfile.TemporaryDirectory() as folder:
        _end(kind, _good(kind, Path(folder)))
    # 5 sets the high-water mark back to what is resident now (proc(5)).
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, children, done = _peak("self"), [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(children, done))
    watch.start()
    end = _end(kind, path)
    done.set()
    watch.join()
    return {"end": end, "grown": (_peak("self") - before) // 1024, "child": children[0] // 1024}


def _end(kind: str, path: Path) -> str:
    try:
        found = READERS[kind](path)
    except DsnNlpError as error:
        return f"refused: {error}".replace(str(path), path.name)[:90]
    if not isinstance(found, list):
        return f"read: {type(found).__name__}"
    return "read: " + (", ".join(sorted({type(one).__name__ for one in found})) or "nothing")


def _peak(process: str) -> int:
    """High-water mark of resident memory, in kB; 0 for a process that is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(marks[0]) if marks else 0


def _watch(highest: list[int], done: threading.Event) -> None:
    while not done.wait(0.01):
        highest[0] = max([highest[0], *(_peak(child) for child in _children())])


def _children() -> Iterator[str]:
    for task in Path("/proc/self/task").iterdir():
        try:
            for child in (task / "children").read_text(encoding="ascii").split():
                # A fork that has not yet become the reader shows its parent's memory.
                if b"sheet_child" in Path(f"/proc/{child}/cmdline").read_bytes():
                    yield child
        except OSError:
            continue


def in_a_child(kind: str, path: Path) -> dict[str, object]:
    """Measure a bomb in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.measure.bombs", kind, str(path)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print one measure, or the table of all."""
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
        return
    print("| bomb | file | end | grown | largest child |\n| --- | ---: | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for kind in READERS:
            path = make(kind, Path(folder) / f"b{SUFFIX.get(kind, '.html')}")
            found = in_a_child(kind, path)
            size = path.stat().st_size / 1e6
            cells = (kind, f"{size:.1f} MB", found["end"], f"{found['grown']} MB")
            print(f"| {' | '.join(map(str, cells))} | {found['child']} MB |")


if __name__ == "__main__":
    main()
