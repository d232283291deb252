"""Between what sources of comments deliver and the store: what is new, and what is remembered."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from dsn_nlp.config import Settings
from dsn_nlp.gather.deliveries import Delivery, Intake
from dsn_nlp.gather.sealing import Sealer
from dsn_nlp.records import Comment, Rejection
from dsn_nlp.store import Store
from dsn_nlp.store.intake import DeliveryRow

BATCH = 500


def sealer_of(settings: Settings, key: bytes) -> Sealer | None:
    """Give what seals rows, unless the settings keep none."""
    return Sealer(key) if settings.quarantine.rows == "sealed" else None


def remembered(intake: Intake, delivery: Delivery) -> DeliveryRow:
    """Write what the store remembers of a delivery."""
    return {
        "source": intake.source.name,
        "content_key": delivery.content_key,
        "reading": intake.reading,
        "name": delivery.name,
        "state": delivery.state,
        "notes": delivery.notes,
    }


def only_new(
    store: Store, found: Iterable[Comment | Rejection], left_out: Counter[str] | None = None
) -> Iterator[Comment | Rejection]:
    """Leave out comments that are stored already, before any work is spent on them.

    One that is stored with another text is told, not left out.

    :param left_out: counts those left out as ``known``, and as ``alike`` too where nothing but
        their words says that they came before.
    """
    counts = Counter[str]() if left_out is None else left_out
    waiting = iter(found)
    while batch := list(islice(waiting, BATCH)):
        ids = [c.comment_id for c in batch if isinstance(c, Comment)]
        known = store.known_contents(ids)
        for one in batch:
            if isinstance(one, Rejection) or one.comment_id not in known:
                yield one
            elif known[one.comment_id] not in (None, one.content_key):
                yield _changed(one)
            else:
                counts["known"] += 1
                counts["alike"] += not one.told_apart


def _changed(comment: Comment) -> Rejection:
    return Rejection(
        comment.source,
        comment.place,
        "read",
        "response id seen before",
        "response-twice",
        comment.content_key or "",
    )
