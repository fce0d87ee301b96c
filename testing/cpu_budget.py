"""Whether something takes no more CPU than it may, on a machine of any speed: a test that holds a budget must fail
for what the code does, and not for a slow processor, or for one that works for somebody else at the same time.
"""

from __future__ import annotations

import sys
import time

LOOKS, ROUNDS = 5, 200_000
USUAL = 0.02
"""CPU seconds of so many rounds of a loop on the machine for which budgets are written."""
FOLLOWED = 6.0
"""Times as long as usual that code takes of which coverage follows each branch (`make coverage`)."""


def within(seconds: float, budget: float) -> bool:
    """Whether CPU seconds are within a budget, in seconds of the usual machine."""
    return seconds <= budget or seconds <= budget * slower()


def slower() -> float:
    """How many times as long this machine takes now as the usual one; at least 1. The fastest of a few
    looks: a burst of other work does not widen a budget."""
    return min(_look() for _ in range(LOOKS)) / USUAL * (FOLLOWED if _followed() else 1)


def _followed() -> bool:
    coverage = sys.modules.get("coverage")
    return coverage is not None and coverage.Coverage.current() is not None


def _look() -> float:
    began, total = time.thread_time(), 0
    for number in range(ROUNDS):
        total += number * number % 7
    return max(time.thread_time() - began, USUAL)
