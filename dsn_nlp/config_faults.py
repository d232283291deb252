"""What is wrong with a settings file, in one line."""

import re
from pathlib import Path

from pydantic import ValidationError


def explain(path: Path, error: ValidationError) -> str:
    """Name the file, the line where it can be told, the key, and what is wrong with it."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
    line = _line_of(path, str(first["loc"][-1])) if first["loc"] else None
    where = f"{path}:{line}" if line else str(path)
    what = {
        "extra_forbidden": "unknown key; see dsn.example.toml for the keys there are",
        "missing": "this key is required",
    }.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{where}: {place.lstrip('.')}: {what}"


def _line_of(path: Path, key: str) -> int | None:
    pattern = re.compile(rf"^\s*(\[+\s*)?([\w.-]+\.)?{re.escape(key)}\s*(=|\]|\.)")
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, start=1) if pattern.match(line)]
    return found[0] if len(found) == 1 else None
