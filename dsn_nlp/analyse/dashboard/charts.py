"""Charts as SVG, drawn here: shares with their 95 % intervals, readable without scripts or colour.

Presentation attributes only, no ``style``: a strict content security policy lets them through, and
the same picture stands alone as a file. Every text is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dsn_nlp.analyse.display import number
from dsn_nlp.analyse.tables import Estimate
from dsn_nlp.records import Language

BLUE, ORANGE, INK, QUIET, RULE = "#095797", "#b4460f", "#223654", "#4a5a72", "#d5dce6"
_FONT = 'font-family="Open Sans, Segoe UI, Helvetica, Arial, sans-serif"'
_LONGEST_NAME = 34
_ROOM = 2.0
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Point:
    """One share: what it is of, and its estimate; ``None`` where it is withheld."""

    name: str
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind, and what they are called in the legend."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is worded and how large it is, in units of the view box.

    :ivar key: unique on its page.
    :ivar net: net sentiment, signed points, in place of shares.
    """

    key: str
    title: str
    description: str
    lang: Language
    net: bool = False
    width: int = 720
    height: int = 300


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float, start: float, end: float) -> float:
        """Where a value stands between two ends."""
        inside = min(max(value, self.low), self.high)
        return start + (inside - self.low) / (self.high - self.low) * (end - start)


def line_chart(series: Series, look: Look) -> Markup:
    """Draw shares over time as a line in its band; withheld moments are gaps.

    :return: an ``svg`` element with title and description.
    """
    left, right, top, bottom = 58, look.width - 16, 18, look.height - 34
    axis = _axis([p.share for p in series.points], look.net)
    places = _spread(len(series.points), left, right)
    parts = [_rules(axis, look, left, right, bottom, top)]
    for run in _runs(series.points):
        at = [(places[i], series.points[i].share) for i in run]
        known = [(x, s) for x, s in at if s is not None]
        highs = [f"{x:.1f},{axis.place(s.high, bottom, top):.1f}" for x, s in known]
        lows = [f"{x:.1f},{axis.place(s.low, bottom, top):.1f}" for x, s in reversed(known)]
        middle = [f"{x:.1f},{axis.place(s.value, bottom, top):.1f}" for x, s in known]
        parts.append(
            Markup('<polygon points="{}" fill="{}" fill-opacity="0.18"/>').format(
                " ".join([*highs, *lows]), BLUE
            )
        )
        parts.append(
            Markup(
                '<polyline points="{}" fill="none" stroke="{}" stroke-width="2.5"'
                ' stroke-linejoin="round"/>'
            ).format(" ".join(middle), BLUE)
        )
        parts += [_dot(x, axis.place(s.value, bottom, top), 0, 3.2) for x, s in known]
    parts.append(_moments(series.points, places, look, bottom))
    return _svg(look, look.height, parts)


def dot_chart(series: Sequence[Series], look: Look) -> Markup:
    """Draw shares of groups as dots in their intervals, a line a group.

    :param series: one or two of the same groups; the second has squares.
    :return: an ``svg`` element with title and description.
    """
    names = [point.name for point in series[0].points]
    left = 20 + min(_LONGEST_NAME, max(map(len, names), default=0)) * 7.0
    right, top = look.width - 70.0, 14.0 + (22 if len(series) > 1 else 0)
    step = 30 if len(series) == 1 else 40
    bottom = top + step * max(len(names), 1)
    axis = _axis([p.share for one in series for p in one.points], look.net)
    parts = [_columns(axis, look, left, right, top, bottom)]
    if len(series) > 1:
        parts.append(_legend(series, left))
    for line, name in enumerate(names):
        middle = top + step * (line + 0.5)
        parts.append(_text(left - 10, middle + 4.5, _shortened(name), "end", INK))
        for place, one in enumerate(series):
            level = middle + (0 if len(series) == 1 else (-7 if place == 0 else 7))
            parts.append(_interval(one.points[line].share, axis, look, (left, right, level), place))
    return _svg(look, int(bottom + 34), parts)


def _interval(
    share: Estimate | None,
    axis: _Axis,
    look: Look,
    at: tuple[float, float, float],
    place: int,
) -> Markup:
    left, right, level = at
    if share is None:
        withheld = "trop peu de personnes" if look.lang == "fr" else "too few people"
        return _text(left + 6, level + 4.5, withheld, "start", QUIET, italic=True)
    low, high = (axis.place(v, left, right) for v in (share.low, share.high))
    value = axis.place(share.value, left, right)
    colour = (BLUE, ORANGE)[place]
    bar = Markup(
        '<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="6"'
        ' stroke-opacity="0.3" stroke-linecap="round"/>'
    ).format(low, high, level, level, colour)
    told = _text(high + 10, level + 4.5, _percent(share.value, look), "start", INK)
    return bar + _dot(value, level, place, 5) + told


def _axis(shares: Sequence[Estimate | None], net: bool) -> _Axis:
    known = [share for share in shares if share is not None]
    high = max([share.high for share in known], default=0.1)
    low = min([share.low for share in known], default=0.0) if net else 0.0
    if not net and known:  # one interval of few passages must not flatten all others
        high = min(high, _ROOM * max(share.value for share in known))
    high, low = (max(high, 0.0), min(low, 0.0)) if net else (max(high, 0.02), 0.0)
    step = next((s for s in _STEPS if (high - low) / s <= 5.5), _STEPS[-1])
    first, last = int(low // step), int(-(-high // step))
    last = max(last, first + 1)
    ticks = tuple(step * n for n in range(first, last + 1))
    return _Axis(ticks[0], ticks[-1], ticks)


def _rules(axis: _Axis, look: Look, left: float, right: float, bottom: float, top: float) -> Markup:
    parts = []
    for tick in axis.ticks:
        y = axis.place(tick, bottom, top)
        parts.append(_line(left, y, right, y, QUIET if abs(tick) < 1e-9 else RULE))
        parts.append(_text(left - 8, y + 4.5, _percent(tick, look), "end", QUIET))
    return Markup("").join(parts)


def _columns(
    axis: _Axis, look: Look, left: float, right: float, top: float, bottom: float
) -> Markup:
    parts = []
    for tick in axis.ticks:
        x = axis.place(tick, left, right)
        parts.append(_line(x, top, x, bottom, QUIET if abs(tick) < 1e-9 else RULE))
        parts.append(_text(x, bottom + 20, _percent(tick, look), "middle", QUIET))
    return Markup("").join(parts)


def _moments(points: Sequence[Point], places: Sequence[float], look: Look, bottom: float) -> Markup:
    """Names under the line, as many as there is room for."""
    room = max(1, look.width // 95)
    every = max(1, -(-len(points) // room))
    return Markup("").join(
        _text(places[i], bottom + 21, points[i].name, "middle", QUIET)
        for i in range(0, len(points), every)
    )


def _legend(series: Sequence[Series], left: float) -> Markup:
    parts, x = [], left
    for place, one in enumerate(series):
        parts += [_dot(x + 5, 12, place, 5), _text(x + 17, 16.5, one.name, "start", INK)]
        x += 40 + 7.2 * len(one.name)
    return Markup("").join(parts)


def _runs(points: Sequence[Point]) -> list[list[int]]:
    """Stretches of moments that are all shown."""
    runs: list[list[int]] = [[]]
    for index, point in enumerate(points):
        if point.share is not None:
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _spread(count: int, left: float, right: float) -> list[float]:
    inset = 24.0
    step = (right - left - 2 * inset) / max(count - 1, 1)
    return [left + inset + step * index for index in range(count)]


def _percent(value: float, look: Look) -> str:
    if look.net:
        points = round(100 * value)
        return f"{points:+d}".replace("-", "−") if points else "0"
    return number(100 * value, look.lang) + ("\u00a0%" if look.lang == "fr" else "%")


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _dot(x: float, y: float, place: int, size: float) -> Markup:
    if place == 0:
        return Markup(
            '<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}" stroke="#fff" stroke-width="1"/>'
        ).format(x, y, size, BLUE)
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{}" height="{}" fill="{}" stroke="#fff"/>'
    ).format(x - size, y - size, 2 * size, 2 * size, ORANGE)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Markup:
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="1"/>'
    ).format(x1, y1, x2, y2, colour)


def _text(
    x: float, y: float, words: str, anchor: str, colour: str, *, italic: bool = False
) -> Markup:
    slant = Markup(' font-style="italic"') if italic else ""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}"{}>{}</text>').format(
        x, y, anchor, colour, slant, words
    )


def _svg(look: Look, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}"'
        ' role="img" aria-labelledby="{k}-title {k}-desc" font-size="13" {}>'
        '<title id="{k}-title">{}</title><desc id="{k}-desc">{}</desc>{}</svg>'
    ).format(
        look.width, height, look.width, height, Markup(_FONT), look.title, look.description,
        Markup("").join(parts), k=look.key,
    )  # fmt: skip
