"""The arithmetic of a report: shares with their uncertainty, medians, quartiles. No rule about privacy is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

PERCENT_FROM = 20
"""Below so many, a share is told in counts and not in percent."""
INTERVAL_BELOW = 30
"""Below so many, a percentage comes with its interval."""
Z = 1.959963984540054
"""The quantile of the normal distribution for 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `total`. Percentages are whole numbers, None where there are too few for them."""

    count: int
    total: int
    percent: int | None
    interval: tuple[int, int] | None
    """The Wilson interval (95 %), in percent."""


def share(count: int, total: int) -> Share:
    """A share with what may be said of it. Raises ValueError where `count` is none of `total`."""
    if not 0 <= count <= total:
        raise ValueError(f"{count} is no part of {total}")
    if total < PERCENT_FROM:
        return Share(count, total, None, None)
    interval = None
    if total < INTERVAL_BELOW:
        low, high = wilson(count, total)
        interval = round(low * 100), round(high * 100)
    return Share(count, total, round(count / total * 100), interval)


def wilson(count: int, total: int) -> tuple[float, float]:
    """The Wilson score interval of a share, at 95 % (Wilson 1927); `total` is at least 1."""
    p = count / total
    middle = (p + Z * Z / (2 * total)) / (1 + Z * Z / total)
    spread = Z / (1 + Z * Z / total) * sqrt(p * (1 - p) / total + Z * Z / (4 * total * total))
    return max(0.0, middle - spread), min(1.0, middle + spread)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of `n` numbers."""

    n: int
    low: float
    median: float
    high: float


def spread(numbers: Sequence[float]) -> Spread | None:
    """Median and quartiles, by linear interpolation between ranks; None of nothing."""
    ordered = sorted(numbers)
    if not ordered:
        return None
    return Spread(len(ordered), _quantile(ordered, 0.25), _quantile(ordered, 0.5), _quantile(ordered, 0.75))


def _quantile(ordered: Sequence[float], which: float) -> float:
    at = which * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)
