"""Fuzz one reader of foreign bytes, guided by the lines that its inputs reach (atheris, libFuzzer).

``python -m tests.fuzz.run TARGET [libFuzzer options]``, such as ``feed -max_total_time=180``.
``all`` takes the target from an input's first byte. Inputs that reach something new are kept in
``work/fuzz/TARGET`` and read again by the next run; what breaks a reader is written to
``tests/fuzz/found/TARGET-…``, where the suite reads it from then on.
"""

import sys
import tempfile
from pathlib import Path

import atheris

# Before the readers are loaded: only what is imported in here is instrumented.
with atheris.instrument_imports(include=["dsn_nlp", "feedparser", "htmldate", "trafilatura"]):
    from tests.fuzz.targets import TARGETS, check, seeds, tokens

FOUND = Path(__file__).with_name("found")
KEPT = Path("work/fuzz")
LONGEST = 8192
# feedparser is slow under instruments: the longer the feed, the fewer are read.
LONGEST_FEED = 2048
# Of the clock, which neighbours on the machine stretch; ``check`` bounds processor time.
HANG_SECONDS = 60


def once(target: str, body: bytes) -> None:
    """Read one input."""
    if target == "all":
        if not body:
            return
        target, body = list(TARGETS)[body[0] % len(TARGETS)], body[1:]
    check(target, body)


def main(arguments: list[str]) -> None:
    """Run libFuzzer on a target; it ends the process by itself."""
    target, options = arguments[0], arguments[1:]
    if target not in (*TARGETS, "all"):
        raise SystemExit(f"{target}: choose {', '.join([*TARGETS, 'all'])}")
    kept, begun = KEPT / target, Path(tempfile.mkdtemp(prefix="fuzz-seeds-"))
    kept.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    for index, name in enumerate(TARGETS):
        for number, body in enumerate(seeds(name) if target in (name, "all") else ()):
            first = bytes([index]) if target == "all" else b""
            (begun / f"{name}-{number}").write_bytes(first + body)
    words = begun.with_suffix(".dict")
    quoted = ["".join(f"\\x{byte:02x}" for byte in token) for token in tokens()]
    words.write_text("".join(f'"{token}"\n' for token in quoted), encoding="utf-8")
    own = [
        f"-dict={words}",
        f"-max_len={LONGEST_FEED if target == 'feed' else LONGEST}",
        f"-timeout={HANG_SECONDS}",
        "-rss_limit_mb=3000",
    ]
    own += [f"-artifact_prefix={FOUND}/{target}-", str(kept), str(begun)]
    atheris.Setup([sys.argv[0], *options, *own], lambda body: once(target, body))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
