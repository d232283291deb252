"""The analyst's desk: a store, the serving model's error profile and the go-live days, opened once.

Every question is a function of a desk and a scope. What is read is kept until another night is
published or something is erased.
"""

import re
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from dsn_nlp.analyse.cells import THRESHOLD
from dsn_nlp.analyse.frame import Frame, read_frame
from dsn_nlp.analyse.golive import GoLive, read_golive
from dsn_nlp.analyse.prevalence import DRAWS, Corrector, make_corrector
from dsn_nlp.analyse.tables import About
from dsn_nlp.config import Settings
from dsn_nlp.label.profile import ErrorProfile, read_profile
from dsn_nlp.store import read_only_engine
from dsn_nlp.store.engine import describe, parse_url
from dsn_nlp.store.failures import translated
from dsn_nlp.store.schema import PUBLISHED, models, runs
from dsn_nlp.store.schema_privacy import deletions

Answer = TypeVar("Answer")
_REFERENCE = re.compile(r"([a-z0-9][a-z0-9._-]*)@([0-9A-Za-z][0-9A-Za-z._-]*)")
_KEPT_ANSWERS = 1024


@dataclass(frozen=True, slots=True)
class Edition:
    """What readers see now: the last published run, the serving model, the last erasure."""

    run_id: str | None
    published_at: datetime | None
    model: str | None
    deletion_id: str | None
    thresholds: tuple[tuple[str, float], ...] = ()


@dataclass
class Desk:
    """Answers questions about one store. Safe to share between threads.

    :param url: of the store.
    :param models: folder of models, where the serving one's error profile is looked for.
    :param respondents: fewest people a group may have and be shown.
    :param draws: bootstrap draws an interval is read from.
    :param profile: an error profile to use in place of the serving model's own.
    """

    url: str
    models: Path
    golive: GoLive
    respondents: int = THRESHOLD
    draws: int = DRAWS
    profile: ErrorProfile | None = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _edition: Edition | None = field(default=None, repr=False)
    _frame: Frame | None = field(default=None, repr=False)
    _answers: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _making: dict[Hashable, threading.RLock] = field(default_factory=dict, repr=False)

    def edition(self) -> Edition:
        """What the store shows now.

        :raises StoreError: when there is no store, or it cannot be read.
        """
        return read_edition(self.url)

    def frame(self) -> Frame:
        """All passages of the current edition.

        :raises StoreError: when the store cannot be read.
        """
        with self._lock:
            now = self.edition()
            if self._frame is None or now != self._edition:
                self._answers.clear()
                self._frame, self._edition = read_frame(self.url), now
            return self._frame

    def corrector(self) -> Corrector | None:
        """What corrects the serving model's shares; ``None`` where it carries no error profile.

        :raises ModelError: when the profile was altered.
        """
        model = (self._edition or self.edition()).model

        def make() -> Corrector | None:
            profile = self.profile or profile_of_model(self.models, model)
            return make_corrector(profile, self.draws) if profile is not None else None

        return self.remember(("corrector", model), make)

    def about(self, frame: Frame, rows: npt.NDArray[np.intp]) -> About:
        """Say where a table of some rows is from."""
        now = self._edition or self.edition()
        since, until = frame.days(rows)
        return About(
            run_id=now.run_id,
            published_at=now.published_at,
            model=now.model,
            corrected=self.corrector() is not None,
            respondents=self.respondents,
            passages=len(rows),
            since=since,
            until=until,
            thresholds=now.thresholds,
        )

    def forget(self) -> None:
        """Drop the answers that are kept; passages stay."""
        with self._lock:
            self._answers.clear()

    def knows(self, key: Hashable) -> bool:
        """Whether an answer is kept."""
        with self._lock:
            return key in self._answers

    def remember(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """Answer once per edition; who asks the same meanwhile waits, who asks another does not."""
        with self._lock:
            if key in self._answers:
                known: Answer = self._answers[key]
                return known
            edition, gate = self._edition, self._making.setdefault(key, threading.RLock())
        with gate:
            with self._lock:
                if key in self._answers and edition == self._edition:
                    made: Answer = self._answers[key]
                    return made
            try:
                answer = make()
            finally:
                self._making.pop(key, None)
            with self._lock:
                if edition == self._edition:  # else another night was published meanwhile
                    if len(self._answers) >= _KEPT_ANSWERS:
                        self._answers.pop(next(iter(self._answers)))
                    self._answers[key] = answer
            return answer


def open_desk(settings: Settings) -> Desk:
    """Open the desk of an installation.

    :raises InputError: when the go-live days cannot be read.
    """
    return Desk(
        url=settings.store.url.get_secret_value(),
        models=settings.labelling.models,
        golive=read_golive(settings.analyse.golive) if settings.analyse.golive else read_golive(),
        respondents=settings.analyse.respondents,
    )


def read_edition(url: str) -> Edition:
    """Read what a store shows now.

    :raises StoreError: when there is no store, or it cannot be read.
    """
    last = (
        sa.select(runs.c.run_id, runs.c.finished_at)
        .where(runs.c.status == PUBLISHED)
        .order_by(runs.c.finished_at.desc(), runs.c.run_id.desc())
        .limit(1)
    )
    engine = read_only_engine(url)
    with translated(describe(parse_url(url))), engine.connect() as connection, connection.begin():
        run = connection.execute(last).one_or_none()
        serving = sa.select(models.c.model, models.c.manifest).where(models.c.serving)
        model = connection.execute(serving).one_or_none()
        erased = connection.scalar(sa.select(sa.func.max(deletions.c.deletion_id)))
    run_id, published_at = (run.run_id, run.finished_at) if run else (None, None)
    thresholds = _thresholds(model.manifest) if model else ()
    return Edition(run_id, published_at, model.model if model else None, erased, thresholds)


def _thresholds(manifest: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    """From the manifest; of two models that serve together, by language."""
    if "thresholds" in manifest:
        return tuple((str(k), float(v)) for k, v in manifest["thresholds"].items())
    return tuple(
        (f"{lang} {name}", float(value))
        for lang, one in manifest.items()
        if isinstance(one, dict)
        for name, value in one.get("thresholds", {}).items()
    )


def profile_of_model(folder: Path, model: str | None) -> ErrorProfile | None:
    """Read the error profile of ``name@version``; of two models that serve together there is none.

    :raises ModelError: when it was altered.
    """
    found = _REFERENCE.fullmatch(model or "")
    place = folder / found[1] / found[2] if found else None
    return read_profile(place) if place is not None and place.is_dir() else None
