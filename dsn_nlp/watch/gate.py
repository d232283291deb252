"""May this night be shown? What a night measured, against the last 28.

Alarms together are held to at most one false one in thirty normal nights (the limits below are
chosen with ``tests/measure/false_alarms.py``, which measures it).
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, median, pvariance
from typing import Any

from dsn_nlp.records import COMPLAINTS
from dsn_nlp.watch.alerts import Alert
from dsn_nlp.watch.drift import MIN_NIGHTS, MIN_PASSAGES, drift_between_nights, rate_chance

Measures = Mapping[str, Any]
NIGHTS = 28
COLLAPSE = 0.2  # share of the median below which a source has collapsed
MIN_MEDIAN = 5  # documents a night below which nothing is said of a source
GROWTH = 2.0  # times the usual share, as measured tonight: three times in truth is rarely less
VOLUME_CHANCE = 0.002  # a test of each source
ALARM_CHANCE = 0.01  # a test of each of five complaints and of languages
DRIFT_CHANCE = 0.005  # a test of each of eight scores
UNIFORM = 0.98  # share of one sentiment in a night that a working model never gave


def judge(tonight: Measures, nights: Sequence[Measures]) -> list[Alert]:
    """Look for what a person should know before, or soon after, a night is shown.

    :param tonight: what the night measured, as ``Store.take_stock`` gives it.
    :param nights: the same of the last published nights, newest first.
    """
    past = nights[:NIGHTS]
    return [
        *_volumes(tonight, past),
        *_sources_away(tonight),
        *_rejections(tonight, past),
        *_rates(tonight, past),
        *_one_sentiment(tonight, past),
        *_languages(tonight, past),
        *_drifts(tonight, past),
    ]


def _volumes(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    for source in sorted({name for night in past for name in night.get("volumes", {})}):
        if source not in tonight.get("sources", [source]):
            continue  # taken out of the settings
        before = [int(night.get("volumes", {}).get(source, 0)) for night in past]
        usual, now = median(before), int(tonight.get("volumes", {}).get(source, 0))
        known = len(before) >= MIN_NIGHTS and usual >= MIN_MEDIAN
        if known and now <= COLLAPSE * usual and few_chance(now, before) < VOLUME_CHANCE:
            numbers = {"tonight": now, "usual": int(usual)}
            yield Alert("volume", "alarm", source, numbers)


def _sources_away(tonight: Measures) -> Iterator[Alert]:
    for source, reason in sorted(tonight.get("away", {}).items()):
        yield Alert("source-away", "notice", source, {"reason": reason})


def _rejections(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    for source, reasons in sorted(tonight.get("rejected", {}).items()):
        now, taken = sum(reasons.values()), int(tonight.get("volumes", {}).get(source, 0))
        before = [_rejected_share(night, source) for night in past]
        shares = [share for share in before if share is not None]
        enough = len(shares) >= MIN_NIGHTS and now >= MIN_MEDIAN
        if enough and now / (now + taken) > max(0.5, GROWTH * median(shares), *shares):
            yield Alert("rejections", "alarm", source, {"tonight": now, "taken": taken})


def _rejected_share(night: Measures, source: str) -> float | None:
    rejected = sum(night.get("rejected", {}).get(source, {}).values())
    taken = int(night.get("volumes", {}).get(source, 0))
    return rejected / (rejected + taken) if rejected + taken else None


def _rates(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    size = _size(tonight)
    for seed, name in enumerate(COMPLAINTS):
        now = int(tonight.get("complaints", {}).get(name, 0))
        before = [(int(night.get("complaints", {}).get(name, 0)), _size(night)) for night in past]
        found = rate_chance((now, size), before, seed)
        if found and found[0] >= GROWTH and found[1] < ALARM_CHANCE:
            yield Alert("rate", "alarm", name, {"tonight": now / size, "ratio": found[0]})


def _one_sentiment(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    size = _size(tonight)
    for name, count in tonight.get("sentiments", {}).items():
        usual = [night["sentiments"].get(name, 0) / _size(night) for night in past if _size(night)]
        if size >= MIN_PASSAGES and count / size >= UNIFORM and median([*usual, 0.0]) < UNIFORM:
            yield Alert("one-sentiment", "alarm", name, {"share": count / size})


def _languages(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    def french(night: Measures) -> tuple[int, int]:
        counts = night.get("languages", {})
        return int(counts.get("fr", 0)), sum(counts.values())

    now, before = french(tonight), [french(night) for night in past]
    found = rate_chance(now, before)
    if found is None:
        return
    usual = sum(told for told, _ in before) / sum(size for _, size in before)
    share = now[0] / now[1]
    if found[1] < ALARM_CHANCE and abs(share - usual) >= 0.3:
        yield Alert("languages", "alarm", "", {"tonight": share, "usual": usual})


def _drifts(tonight: Measures, past: Sequence[Measures]) -> Iterator[Alert]:
    for seed, (name, counts) in enumerate(sorted(tonight.get("scores", {}).items())):
        before = [night["scores"][name] for night in past if name in night.get("scores", {})]
        found = drift_between_nights(coarse(counts), [coarse(each) for each in before], seed)
        if found and found.chance < DRIFT_CHANCE:
            numbers = {"psi": found.psi, "chance": found.chance}
            yield Alert("drift-nights", "notice", name, numbers)


def few_chance(now: int, before: Sequence[int]) -> float:
    """Chance of so few documents or fewer, as sources publish: in bursts.

    A negative binomial with the mean and the variance of past nights (at least Poisson's).
    """
    centre = mean(before)
    spread = max(pvariance(before, centre), centre * 1.001)
    size, success = centre**2 / (spread - centre), centre / spread
    chance = total = float(success**size)
    for count in range(now):
        chance *= (count + size) / (count + 1) * (1 - success)
        total += chance
    return total


def coarse(counts: Sequence[float], bins: int = 5) -> list[float]:
    """Add up neighbouring bins, since a night has too few passages for twenty."""
    width = len(counts) // bins
    return [sum(counts[start : start + width]) for start in range(0, width * bins, width)]


def _size(night: Measures) -> int:
    return int(night.get("passages", {}).get("all", 0))
