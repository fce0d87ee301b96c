"""One line of the verdict on a season that was played."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: whether it was kept, and what was counted."""

    kept: bool
    promise: str
    counted: str
    speed: bool = False
    """Broken by a machine that is too slow for so fast a clock, rather than by us."""
    waits: bool = False
    """Neither kept nor broken: it waits for a decision of the person who took over the coordinator."""
