"""What a reader would see of a bit of HTML."""

import re
from html.parser import HTMLParser

from dsn_nlp.text import normalise

_UNSEEN = frozenset({"script", "style", "noscript", "template"})
MAX_CHARACTERS = 20_000


class _Stripper(HTMLParser):
    """Keeps what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        self.seen.append(" " if tag in ("br", "p", "div", "li") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSEEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


def plain(markup: str, most: int = MAX_CHARACTERS) -> str:
    """Turn a bit of HTML into one line of plain text; what is past ``most`` characters is cut."""
    stripper = _Stripper()
    stripper.feed(markup[:most])
    stripper.close()
    return re.sub(r"\s*\n\s*|[ \t]+", " ", normalise("".join(stripper.seen)))
