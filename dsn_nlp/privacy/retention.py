"""Retention by source, enforced each night: what has served its time is erased, and logged."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dsn_nlp.config import Settings
from dsn_nlp.privacy.erasure import remove_files
from dsn_nlp.store import Store

logger = logging.getLogger(__name__)


def months_kept(settings: Settings) -> Iterator[tuple[str, int | None]]:
    """Tell for how many months each source's documents are kept; ``None``: for ever."""
    own = settings.privacy
    for kind, default in (
        (settings.news, own.articles_months),
        (settings.comments, own.comments_months),
    ):
        for source in kind:
            yield source.name, own.months.get(source.name, default)


def enforce(store: Store, settings: Settings, now: datetime | None = None) -> dict[str, int]:
    """Erase every document, and every sealed row, that came in longer ago than it is kept.

    Sources that are no longer configured go by ``privacy.months``, else by the default for their
    kind of document: taking a source out of the settings frees nothing. Sealed rows of all
    sources, those included, go after ``quarantine.keep_days``.

    :param now: the present, to test the future with.
    :return: documents erased, by source; sources without any are left out.
    """
    now = now or datetime.now(UTC)
    known = dict(months_kept(settings))
    own = settings.privacy
    default = {"article": own.articles_months, "comment": own.comments_months}
    erased: dict[str, int] = {}
    for source, kind in store.sources():
        months = known.get(source, own.months.get(source, default[kind]))
        if months is None:
            continue
        removed = store.expire(source, months_before(now, months))
        remove_files(removed)
        gone = removed.counts["documents"]
        if gone:
            erased[source] = gone
    rows = store.forget_sealed_rows(now - timedelta(days=settings.quarantine.keep_days))
    if rows:
        logger.info("%d sealed rows erased, their time was up", rows)
    if erased or rows:
        store.scrub()
    return erased


def months_before(moment: datetime, months: int) -> datetime:
    """Go back whole months; a day that the month lacks becomes its last."""
    index = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(index, 12)
    for day in range(moment.day, moment.day - 4, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError("no such month")
