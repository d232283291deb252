"""What servers said when they were last asked: their validators make a second night cheap."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dsn_nlp.records import Remembered

# Kept under a name that no source can have: hosts' rules are the same for all sources.
ROBOTS = "robots.txt"
MAX_VALIDATOR = 1_000
MAX_BODY = 2_000_000


class Memory:
    """Recalls what was kept of earlier nights, and collects what this one teaches.

    Nothing is written here: what is learnt is kept once the visit has come to its end, so that
    a night that is killed never skips what it has not stored.

    :param source: name of the news source that asks.
    :param recall: reads what is kept of an address for a source, or for ``ROBOTS``.
    """

    def __init__(
        self,
        source: str = "",
        recall: Callable[[str, str], Remembered | None] = lambda source, url: None,
    ) -> None:
        self.source = source
        self._recall = recall
        self._learnt: dict[str, dict[str, Remembered]] = {}

    def recall(self, url: str, robots: bool = False) -> Remembered | None:
        """Return what is known of an address."""
        owner = ROBOTS if robots else self.source
        return self._learnt.get(owner, {}).get(url) or self._recall(owner, url)

    def learn(
        self, url: str, etag: str | None, modified: str | None, body: bytes, robots: bool = False
    ) -> None:
        """Note the validators of an answer; one without any teaches nothing.

        :param body: the answer itself, kept of robots.txt only.
        """
        etag, modified = _short(etag), _short(modified)
        if etag or modified:
            owner = ROBOTS if robots else self.source
            kept = Remembered(url, etag, modified, body if robots else b"")
            self._learnt.setdefault(owner, {})[url] = kept

    def keep_body(self, url: str, body: bytes) -> None:
        """Keep an answer itself, too: a sitemap index that has not changed must still be walked.

        One that is too large to keep is not remembered, and asked for in full.
        """
        known = self._learnt.get(self.source, {})
        if url in known and len(body) <= MAX_BODY:
            known[url] = replace(known[url], body=body)
        else:
            known.pop(url, None)

    def learnt(self, whole: bool = True) -> dict[str, Sequence[Remembered]]:
        """Return what to keep, by owner.

        :param whole: whether all that the source announced was taken up; if not, it must be
            asked in full again, and only robots.txt is kept.
        """
        return {
            owner: list(answers.values())
            for owner, answers in self._learnt.items()
            if whole or owner == ROBOTS
        }


def _short(validator: str | None) -> str | None:
    return validator if validator and len(validator) <= MAX_VALIDATOR else None
