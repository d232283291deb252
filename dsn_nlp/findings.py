"""What a check of ``dsn-nlp doctor`` found, on one line."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]
MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    level: Level
    subject: str
    message: str

    def line(self) -> str:
        """Write it on one line."""
        return f"{MARKS[self.level]} {self.subject}: {self.message}"
