"""Why an event makes no sense now, in words for the person who sent it: what is wrong, and what would work."""

from __future__ import annotations

from datetime import date

from lifecycle.closure import EARLY_REASONS
from lifecycle.decisions import task_of
from lifecycle.events import (
    Add,
    Answered,
    Assessed,
    Bounced,
    Cancel,
    Decided,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    Release,
    Remove,
    Replace,
    Resume,
    Seen,
)
from lifecycle.state import State
from lifecycle.tasks import KINDS


def refusal(state: State, event: Event, today: date) -> str:
    """The reason to refuse an event in this state, or an empty string. `today` is the cohort's date."""
    if isinstance(event, Assessed | Moved | Seen | Bounced):
        return ""
    if isinstance(event, Answered):
        return _answer(state, event)
    if isinstance(event, Decided):
        return _decision(state, event, today)
    if isinstance(event, Release) and state.held:
        return ""
    if state.closed:
        return f"the mentorship is closed ({state.ending}); its record is final"
    match event:
        case Pause():
            return _pause(event.until, today)
        case Resume():
            return "" if state.paused else "the mentorship is not paused"
        case Extend():
            if state.early:
                return "the mentorship is ending early; it can't be made longer"
            return "" if event.weeks > 0 else "write how many weeks longer, 1 or more"
        case End():
            if event.reason not in EARLY_REASONS:
                return f"{event.reason!r} is no reason to end early; write one of {', '.join(EARLY_REASONS)}"
            if state.early:
                return f"the mentorship is ending early already ({state.reason})"
            return ""
        case Replace():
            return _leaving(state, event.person) or _joining(state, event.newcomer)
        case Add():
            if state.format != "group":
                return f"a {state.format} mentorship takes no further member; use replace"
            return _joining(state, event.person)
        case Remove():
            if state.format != "group":
                return f"a {state.format} mentorship can't lose a member and go on; use replace or end"
            return _leaving(state, event.person)
        case Leave():
            return _leaving(state, event.person)
        case Nudge():
            if state.paused:
                return "the mentorship is paused; resume it first"
            return ""
        case Release():
            return "nothing is held"
        case Cancel():
            return ""


def _answer(state: State, event: Answered) -> str:
    member = state.member(event.person)
    if member is None or member.standing == "out":
        return "this person takes no part in the mentorship"
    if state.closed and event.ask != "follow_up" and not event.signals.safety:
        return f"the mentorship is closed ({state.ending}); its record is final"
    return ""


def _decision(state: State, event: Decided, today: date) -> str:
    task = task_of(state, event.task)
    if task is None:
        return "this task is not open: somebody has decided it, or it lapsed; see `mentorship tasks`"
    decisions = KINDS[task.kind][1]
    if event.decision not in decisions:
        return f"a task of kind {task.kind} can be decided {', '.join(decisions)}; not {event.decision!r}"
    if event.decision == "end" and state.early:
        return "" if task.kind == "safety" else f"the mentorship is ending early already ({state.reason})"
    if event.decision in ("pause", "replace", "reopen_agreement", "end") and state.closed:
        return f"the mentorship is closed ({state.ending}); decide {decisions[0]}"
    if event.decision == "pause":
        return _pause(event.until, today)
    if event.decision == "replace":
        if not event.newcomer:
            return "say who takes the seat: --with ID"
        if not event.person and not task.about:
            return "say whose seat is taken: --person ID"
        return _joining(state, event.newcomer)
    return ""


def _pause(until: date | None, today: date) -> str:
    if until is not None and until <= today:
        return f"a pause must end after today ({today}); {until} is not"
    return ""


def _leaving(state: State, person: str) -> str:
    member = state.member(person)
    if member is None or member.standing == "out":
        seats = ", ".join(seat.person for seat in state.seats())
        return f"{person} has no seat in this mentorship; those who have: {seats}"
    return ""


def _joining(state: State, person: str) -> str:
    member = state.member(person)
    if member is not None and member.standing != "out":
        return f"{person} has a seat in this mentorship already"
    if member is not None:
        return f"{person} has left this mentorship and can't come back under the same id"
    return ""
