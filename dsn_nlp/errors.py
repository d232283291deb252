"""The tree of failures. Every message is one line that says where, what, and the way out.

No message ever holds text written by staff: places are file names, row numbers, URLs and ids.
"""

from collections.abc import Sequence
from typing import Any


class DsnNlpError(Exception):
    """Root of all failures this library raises on purpose."""


class ConfigError(DsnNlpError):
    """Settings are missing, unreadable or not understood."""


class InputError(DsnNlpError):
    """A file or stream given by the user cannot be read as what it should be.

    ``code`` is the reason in one word, for lists of what was set aside.
    """

    def __init__(self, message: str = "", code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class FetchError(DsnNlpError):
    """A URL could not be brought here; asking again will not help."""


class TransientFetchError(FetchError):
    """A URL could not be brought here for now; asking again may help."""


class ExtractionError(DsnNlpError):
    """Bytes arrived, and no article or feed can be read out of them."""


class ModelError(DsnNlpError):
    """A model folder is missing, incomplete, altered or of another make."""


class StoreError(DsnNlpError):
    """The store cannot be opened, migrated, read or written."""


class TransientStoreError(StoreError):
    """The store did not answer for now (locked, connection lost); asking again may help."""


class RunInProgressError(StoreError):
    """Another night holds the store's lease."""


class AlreadyRunningError(RunInProgressError):
    """A night is at work: what was asked for can be asked again once it has ended."""


class HeldError(StoreError):
    """The watch holds a night back: what readers see stays the night before."""

    def __init__(self, run_id: str, lines: Sequence[str]) -> None:
        super().__init__(
            f"run {run_id} is held: {' | '.join(lines)} | "
            "dsn-nlp run --release publishes it all the same"
        )
        self.run_id, self.lines = run_id, list(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.run_id, self.lines))


class QueryError(StoreError):
    """A query was refused or is not valid SQL."""


class CorpusError(DsnNlpError):
    """Labelled examples break the corpus format or the annotation guideline's label set."""


class TrainingError(DsnNlpError):
    """A model could not be built or trained from what was given."""


class MissingExtraError(DsnNlpError):
    """An optional dependency is needed for this command and is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra '{extra}'; install it with: "
            f"pip install -c constraints.txt 'dsn-nlp[{extra}]'"
        )
