"""Find what stands between quotation marks, or behind a dialogue dash, with exact offsets.

« », “ ”, " ", ‘ ’ and their nesting; a mark left open runs to the end of its paragraph, and one
that opens the next paragraph again goes on with the same quote.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PARAGRAPH = re.compile(r"[^\n]+")
_CLOSING = {"«": "»", "“": "”", "„": "”", "‹": "›", "‘": "’"}
_MARKS = re.compile(r"[«»“”„‹›\"]|(?<!\w)‘(?=\w)|(?<=[\w.,!?…])’(?!\w)|''|``")
_DASH = re.compile(r"[ \t]*[—–―][ \t\u00a0\u202f]*(?=\w|«|\"|“|…)")
_SPACE = " \t\u00a0\u202f\u2009"
MAX_QUOTE = 3_000


@dataclass(frozen=True, slots=True)
class Quote:
    """Characters ``[start, end)`` are what is said; ``[outer, outer_end)`` count its marks too."""

    start: int
    end: int
    outer: int
    outer_end: int
    dashed: bool = False


def find_quotes(text: str) -> list[Quote]:
    """Find quotes in a text, outermost only, in order and without overlap."""
    found: list[Quote] = []
    for paragraph in _PARAGRAPH.finditer(text):
        inside = list(_in_paragraph(text, paragraph.start(), paragraph.end()))
        if not inside:
            dash = _DASH.match(text, paragraph.start(), paragraph.end())
            if dash:
                found.append(_trimmed(text, dash.end(), paragraph.end(), dash.start(), True))
        found.extend(quote for quote in inside if quote.end > quote.start)
    return found


def _in_paragraph(text: str, begin: int, stop: int) -> Iterator[Quote]:
    opened: list[tuple[str, int]] = []
    for mark in _MARKS.finditer(text, begin, stop):
        sign, at = mark[0], mark.start()
        if sign in ('"', "''", "``"):
            sign = _straight(text, mark.start(), mark.end(), opened, begin, stop)
        if sign in _CLOSING:
            # A French mark that opens where one is open already goes on with it, unless it nests.
            opened.append((sign, at))
        elif opened and (depth := _opened_by(sign, opened)) is not None:
            first = opened[depth]
            del opened[depth:]
            if not opened:
                width = 2 if text[first[1] : first[1] + 2] in ("''", "``") else 1
                yield _trimmed(text, first[1] + width, at, first[1], False, mark.end())
    if opened and text[opened[0][1]] != "‘":
        yield _trimmed(text, opened[0][1] + 1, stop, opened[0][1], False, stop)


def _opened_by(sign: str, opened: list[tuple[str, int]]) -> int | None:
    """Which open mark a closing one closes: the nearest of its kind, if there is one."""
    for depth in range(len(opened) - 1, -1, -1):
        if _CLOSING[opened[depth][0]] == sign:
            return depth
    return None


def _straight(
    text: str, start: int, end: int, opened: list[tuple[str, int]], begin: int, stop: int
) -> str:
    """Tell which way a straight mark looks: it closes if one is open and a word is before it."""
    is_open = any(sign == "“" and text[at] in "\"'`" for sign, at in opened)
    before = text[start - 1] if start > begin else " "
    after = text[end] if end < stop else " "
    if is_open and not (
        before in _SPACE + "(" and after not in _SPACE + ".,;:!?)" and after.isalnum()
    ):
        return "”"
    if is_open and opened and before in _SPACE:
        return "“"
    if before.isdigit() and not is_open:
        return ""  # inches
    return "“"


def _trimmed(
    text: str, start: int, end: int, outer: int, dashed: bool, outer_end: int | None = None
) -> Quote:
    outer_end = end if outer_end is None else outer_end
    while start < end and (text[start].isspace() or text[start] in '«“"„'):
        start += 1
    while end > start and (text[end - 1].isspace()):
        end -= 1
    return Quote(start, min(end, start + MAX_QUOTE), outer, outer_end, dashed)
