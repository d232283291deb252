"""Trying again what was set aside: sealed rows at once, refused files and articles by a visit."""

from collections.abc import Sequence
from functools import partial

from dsn_nlp.bounds import contained
from dsn_nlp.config import CommentSource, Settings, comment_key
from dsn_nlp.receiving import only_new
from dsn_nlp.records import Comment, Rejection, Tally
from dsn_nlp.stages import (
    add_up,
    comment_source,
    deidentified,
    label_passages,
    open_night,
    open_store,
    publish_night,
    store_all,
    take_sources,
)
from dsn_nlp.store import Store


def retry_night(settings: Settings, names: Sequence[str]) -> dict[str, int]:
    """Try again what some sources were refused for, label what is new, and publish it.

    :param names: of sources.
    :return: the counts of the night, with ``settled``.
    :raises DsnNlpError: as the stages.
    """
    with open_night(settings) as run_id:
        tallies = [retry_rejected(settings, run_id, name) for name in names]
        tallies += take_sources(settings, run_id, list(names))
        tallies.append(label_passages(settings, run_id))
        return publish_night(settings, run_id, tallies, watched=False)


@contained
def retry_rejected(settings: Settings, run_id: str, source_name: str) -> Tally:
    """Read again the sealed rows of a source, and let its refused files be tried again.

    Rows that can be read now are stored, and their rejections settled.

    :return: counts, ``settled`` and ``asked`` (files and articles that the source may try) too.
    """
    with open_store(settings) as store:
        asked = store.ask_again(run_id, source_name)
        if source_name not in {s.name for s in settings.comments}:
            return Tally(source_name, {**add_up([]), "settled": 0, "asked": asked})
        source = comment_source(settings, source_name)
        found, settled = _read_again(settings, store, source)
        tally = store_all(
            store, settings, run_id, source_name, found, partial(deidentified, settings)
        )
        counts = {**tally.counts, "settled": store.settle(run_id, settled), "asked": asked}
    return Tally(source_name, counts)


def _read_again(
    settings: Settings, store: Store, source: CommentSource
) -> tuple[list[Comment | Rejection], list[str]]:
    """Read sealed rows: what is new in them, and the rejections that are thereby settled."""
    from dsn_nlp.gather.sealing import Sealer
    from dsn_nlp.gather.trying import read_sealed

    key = comment_key(settings)
    found: list[Comment | Rejection] = []
    settled = []
    rows = store.sealed_rows(source.name)
    for rejected_id, reason, told in read_sealed(source, key, Sealer(key), rows):
        new = list(only_new(store, told))
        same = any(isinstance(one, Rejection) and one.reason == reason for one in new)
        if told and not same:
            found += new
            settled.append(rejected_id)
    return found, settled
