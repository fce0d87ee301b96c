"""Why an event makes no sense now, in words for the person who sent it: what is wrong, and what would work."""

from __future__ import annotations

from datetime import date, timedelta

from lifecycle.changes import LONGEST_PAUSE, adopted_end
from lifecycle.decisions import seat_of, task_of
from lifecycle.events import (
    Add,
    Adopt,
    Answered,
    Assessed,
    Bounced,
    Cancel,
    Corrected,
    Decided,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    ProposeEnd,
    Release,
    Remove,
    Replace,
    Resume,
    Seen,
    Staffed,
)
from lifecycle.local_time import is_zone
from lifecycle.pauses import touches
from lifecycle.phases.closure import EARLY_REASONS, forms_out
from lifecycle.phases.onboarding import last_wait
from lifecycle.state import State, Task
from lifecycle.tasks import SAFETY, decisions_of, of_kind
from program.models import Program, Role

PROPOSED_REASONS = ("no_fault", "goals_reached")
"""Reasons with which a participant can propose to end."""
NEVER_REFUSED = (Assessed, Seen, Bounced, Corrected, Staffed)
"""What has happened and can't be taken back."""
MOST_WEEKS = 520
"""More weeks than these at once are a slip of the keyboard."""


def refusal(state: State, event: Event, today: date) -> str:
    """The reason to refuse an event in this state, or an empty string. `today` is the cohort's date."""
    if isinstance(event, NEVER_REFUSED):
        return ""
    stale = _stale(state, getattr(event, "based_on", None))
    if stale:
        return stale
    if isinstance(event, Answered):
        return _answer(state, event)
    if isinstance(event, Moved):
        return _zone(event.zone)
    if isinstance(event, Decided):
        return _decision(state, event, today)
    if isinstance(event, Leave):
        return _leaving(state, event.person)
    if isinstance(event, Release) and state.held:
        return _releasing(state)
    if state.closed:
        return f"the mentorship is closed ({state.ending}); its record is final"
    match event:
        case Pause():
            return _ending(state) or _pausing(state, event, today)
        case Resume():
            paused = state.paused or state.pause_ahead is not None
            return "" if paused else "the mentorship is not paused; there is nothing to resume"
        case Extend():
            return _ending(state) or _extending(state, event.weeks, today)
        case Adopt():
            return _ending(state) or _adopting(state, event, today)
        case End():
            if event.reason not in EARLY_REASONS:
                return f"{event.reason!r} is no reason to end early; write one of {', '.join(EARLY_REASONS)}"
            return _ending(state)
        case ProposeEnd():
            return _proposing(state, event)
        case Replace():
            return _leaving(state, event.person) or _joining(state, event.newcomer, event.zone)
        case Add():
            return _adding(state, event)
        case Remove():
            if state.format != "group":
                return f"a {state.format} mentorship can't lose a member and go on; use replace or end"
            return _leaving(state, event.person)
        case Nudge():
            return _nudge(state)
        case Release():
            return "nothing is held; there is nothing to release"
        case Cancel():  # pragma: no branch
            return ""


def _releasing(state: State) -> str:
    reports = of_kind(state, SAFETY)
    if len(reports) < 2 or state.schema < 2:
        return ""
    return f"several reports are open; decide each of them: {', '.join(task.key for task in reports)}"


def _stale(state: State, based_on: int | None) -> str:
    """The person who gave this change had seen another mentorship than the one that it would now change."""
    if based_on is None or based_on == state.changes:
        return ""
    return f"it was changed meanwhile ({state.last_change}); look again before you decide"


def _proposing(state: State, event: ProposeEnd) -> str:
    if event.reason not in PROPOSED_REASONS:
        return f"{event.reason!r} is no reason to propose; write one of {', '.join(PROPOSED_REASONS)}"
    if not state.running:
        return "the mentorship has not begun; leave it instead"
    member = state.member(event.person)
    if member is not None and member.standing in ("invited", "declined", "silent"):
        return "you have not taken your seat; decline the invitation instead"
    return _leaving(state, event.person) or _ending(state)


def _answer(state: State, event: Answered) -> str:
    member = state.member(event.person)
    if member is None or member.standing == "out":
        return "this person takes no part in the mentorship; nobody waits for an answer"
    if state.closed and event.ask != "follow_up" and not event.signals.safety:
        return f"the mentorship is closed ({state.ending}); its record is final"
    return ""


def _decision(state: State, event: Decided, today: date) -> str:
    task = task_of(state, event.task)
    if task is None:
        return "this task is not open: somebody has decided it, or it lapsed"
    decisions = decisions_of(state, task.kind)
    if event.decision not in decisions:
        return f"a task of kind {task.kind} can be decided {', '.join(decisions)}; not {event.decision!r}"
    if event.decision in ("noted", "continue", "correct", "release", "withhold"):
        return ""
    if state.closed:
        return f"the mentorship is closed ({state.ending}); decide {decisions[0]}"
    match event.decision:
        case "nudge":
            return _nudge(state)
        case "wait":
            return _wait(state, today)
        case "pause":
            return _ending(state) or _pause(event.until, today)
        case "replace":
            return _replacing(state, task, event)
        case "end" if task.kind == "safety":
            return ""
        case _:
            return _ending(state)


def _wait(state: State, today: date) -> str:
    """Waiting must end somewhere: without an end there would be a mentorship that never starts and never ends."""
    last = last_wait(state)
    if not state.onboarded and state.reached(today) > last:
        return f"waiting was possible until {last}; decide replace or end"
    return ""


def _replacing(state: State, task: Task, event: Decided) -> str:
    if not event.newcomer:
        return "say who takes the seat"
    person = seat_of(task, event)
    if not person:
        return "say whose seat is taken"
    member = state.member(person)
    if member is None:
        return _leaving(state, person)
    if member.standing == "out" and _taken(state, member.role):
        return f"the seat of {person} is taken already; name somebody who has one: {_seated(state)}"
    return _joining(state, event.newcomer, event.newcomer_zone)


def _taken(state: State, role: Role) -> bool:
    """Whether all seats of a role are taken; a group has room for any number of mentees."""
    seats = sum(seat.role == role for seat in state.seats())
    if state.format == "group" and role == "mentee":
        return False
    return seats >= (2 if role == "peer" else 1)


def _ending(state: State) -> str:
    if not state.early:
        return ""
    return f"the mentorship is ending early already ({state.reason}); it closes by itself"


def _nudge(state: State) -> str:
    return "the mentorship is paused; resume it first" if state.paused else ""


def _pausing(state: State, event: Pause, today: date) -> str:
    on, until, planned = event.begins, event.until, state.pause_ahead
    if on is None or on == today:
        return _pause(until, today)
    if on < today:
        return f"a pause can't begin in the past ({on}); write {today} or a later day"
    if until is not None and until <= on:
        return f"a pause must end after the day on which it begins ({on}); {until} is not"
    paused = state.pause
    if on >= state.end and not (paused is not None and paused.until is None):
        return f"the mentorship ends on {state.end}, before the pause would begin; extend it first"
    if planned is not None and not touches(planned, on, until):
        said = f"until {planned.until}" if planned.until else "without an end"
        return f"a pause from {planned.on} {said} is planned already, and there can be one; resume takes it back"
    return _pause(until, today) or _near(on, today)


def _near(on: date, today: date) -> str:
    return f"{on} is more than ten years away; write an earlier day" if on > today + LONGEST_PAUSE else ""


def _pause(until: date | None, today: date) -> str:
    if until is not None and until <= today:
        return f"a pause must end after today ({today}); {until} is not"
    if until is not None and until > today + LONGEST_PAUSE:
        return f"{until} is more than ten years away; leave the date out for a pause without end"
    return ""


def _extending(state: State, weeks: int, today: date) -> str:
    if not 0 < weeks <= MOST_WEEKS:
        return f"write how many weeks longer, 1 to {MOST_WEEKS}"
    end = state.moved(state.raw_end + timedelta(weeks=weeks))
    if end < state.reached(today):
        enough = -(-(today - end).days // 7) + weeks
        return f"its end would be {end}, which is past; write {enough} weeks or more"
    return ""


def _adopting(state: State, event: Adopt, today: date) -> str:
    try:
        program = Program.model_validate(event.program)
    except ValueError:
        return "the workers don't understand this version of the program; bring them up to date first"
    own = state.program
    if program.program != own.program:
        return f"it runs on the program {own.program!r}; write a version of that one, {program.program!r} is another"
    if program.format != own.format:
        return f"it is {own.format}; write a version of that format, {program.format} is another"
    end = adopted_end(state, program)
    reached = state.reached(today)
    if end < state.raw_end and state.moved(end) < reached:
        return f"its end would be {state.moved(end)}, which is past; write a longer `length`, or end it"
    return ""


def _leaving(state: State, person: str) -> str:
    member = state.member(person)
    if member is None or member.standing == "out":
        return f"{person} has no seat in this mentorship; those who have: {_seated(state)}"
    return ""


def _seated(state: State) -> str:
    return ", ".join(seat.person for seat in state.seats()) or "nobody"


def _adding(state: State, event: Add) -> str:
    if state.format != "group":
        return f"a {state.format} mentorship takes no further member; use replace"
    if event.role == "peer":
        return "a group has a mentor and mentees, no peers; add a mentee"
    if _taken(state, event.role):
        return "the group has its mentor already; add a mentee, or use replace"
    return _joining(state, event.person, event.zone)


def _joining(state: State, person: str, zone: str) -> str:
    member = state.member(person)
    if member is not None and member.standing != "out":
        return f"{person} has a seat in this mentorship already; name somebody else"
    if member is not None:
        return f"{person} has left this mentorship and can't come back under the same id; name somebody else"
    if forms_out(state):
        return "the closure form is out already; extend the mentorship first"
    return _ending(state) or (_zone(zone) if zone else "")


def _zone(zone: str) -> str:
    return "" if is_zone(zone) else f"{zone!r} is no zone; write one such as Europe/Berlin"
