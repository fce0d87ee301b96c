"""How the terminal names what the engine calls by an id: steps, phases, tasks, endings, what happened."""

from __future__ import annotations

_STEPS = {
    "invitation": "Invitation",
    "introduction": "Introduction",
    "agreement": "Agreement",
    "fit_check": "Fit check",
    "check_in": "Check-in",
    "midpoint": "Midpoint",
    "winding_down": "Winding down",
    "closure": "Closure form",
    "farewell": "Farewell",
    "follow_up": "Follow-up",
}
_NUMBERED = ("check_in", "winding_down")


def step_words(name: str, number: int = 1) -> str:
    """A step or item as a coordinator calls it: `Check-in 2`, `Agreement`."""
    words = _STEPS.get(name) or in_words(name)
    return f"{words} {number}" if name in _NUMBERED or number > 1 else words


def in_words(name: str) -> str:
    """An id as words: `seat_empty` is `Seat empty`."""
    return name.replace("_", " ").replace(".", " ").capitalize()
