"""How coordinators read what the engine calls by an id: steps, phases, tasks, endings, what happened."""

from __future__ import annotations

import re

from lifecycle.state import PlannedPause
from store.reports.timeline import TimelineEntry

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
_STEP_KEY = re.compile(r"\b([a-z][a-z_]*)#(\d+)")
_NUMBERED = ("check_in", "winding_down")


def step_name(name: str) -> str:
    """A step, or what it asks, without its number: `Check-in`."""
    return _STEPS.get(name) or in_words(name)


def step_words(name: str, number: int = 1) -> str:
    """A step or item as a coordinator calls it: `Check-in 2`, `Agreement`."""
    words = step_name(name)
    return f"{words} {number}" if name in _NUMBERED or number > 1 else words


def next_words(next_step: str) -> str:
    """The next step of a status line, `check_in 2`, as a coordinator calls it."""
    name, _, number = next_step.partition(" ")
    return step_words(name, int(number or 1)) if name else ""


def in_words(name: str) -> str:
    """An id as words: `seat_empty` is `Seat empty`, the phase `check_ins` is `Check-ins`."""
    return phrase(name).capitalize()


def phrase(name: str) -> str:
    """The same within a sentence. The number of a step that comes only once is left out: `closure 1` is `closure`."""
    once = name if name.startswith(_NUMBERED) else name.removesuffix(" 1")
    return once.replace("check_in", "check-in").replace("follow_up", "follow-up").replace("_", " ").replace(".", " ")


def detail_words(detail: str) -> str:
    """A detail of the record, with the steps in it as people call them: `check_in#1` is `check-in 1`."""
    return _STEP_KEY.sub(lambda step: step_words(step[1], int(step[2])).lower(), detail)


def planned_words(pause_ahead: str) -> str:
    """A pause that begins later, as the store writes it: `pause from 2027-03-01 until 2027-03-15`."""
    planned = PlannedPause.of(pause_ahead)
    return f"pause from {planned.on}" + (f" until {planned.until}" if planned.until else "")


_EVENTS = {
    "onboarded": "Everybody has accepted",
    "accepted": "Accepted the invitation",
    "declined": "Declined the invitation",
    "joined": "Was offered the seat",
    "adopted": "Goes by another version of its program",
    "held": "Mail of this mentorship is held back after a report",
    "released": "Mail of this mentorship is released",
    "withheld": "What was held back of its mail is never sent",
    "agreement_given_up": "The agreement went back and forth too often",
    "left": "Has left",
    "pause_planned": "A pause is planned",
    "pause_taken_back": "A planned pause is taken back",
    "concern_raised": "Has raised a concern",
    "asks_for_erase": "Asks to be erased",
    "asks_for_address": "Asks for another address",
    "link_misused": "Says that somebody else has used a link of theirs",
    "address_asked": "Wants another address, which both have to confirm",
    "address_confirmed": "Has confirmed the new address from one of the two",
    "address_denied": "Was asked about a new address, and said that it is not wanted",
    "address_withdrawn": "Wants no other address after all",
    "address_refused": "The new address refuses mail: the old one stays",
    "address_taken": "Both have confirmed the new address, but somebody else has it",
    "seen_differently": "Partners see it differently",
    "one_silent": "One side did not answer",
}


def happening_words(entry: TimelineEntry) -> str:
    """What happened, on one line."""
    detail = f" ({detail_words(entry.detail)})" if entry.detail else ""
    match entry.what:
        case "mail":
            kind = {"reminder": "Reminder", "request": "Request"}.get(entry.kind, "Mail")
            return f"{kind}: {step_words(entry.name, entry.number)}{detail}"
        case "dropped":
            return f"Not sent any more: {step_words(entry.name, entry.number)}{detail}"
        case "answer":
            return f"Answer: {step_words(entry.name, entry.number)}{detail}"
        case "task_opened":
            return f"Task: {in_words(entry.name).lower()}{detail}"
        case "task_closed":
            return f"Decided: {in_words(entry.name).lower()}{detail}"
        case _:
            return f"{_EVENTS.get(entry.name) or in_words(entry.name)}{detail}"
