"""What each event does: answers, what they mean, decisions, changes. Whether it makes sense was asked before."""

from __future__ import annotations

from lifecycle import changes, pauses, steps, tasks
from lifecycle.decisions import decide
from lifecycle.delivery.holds import MAY_CONTACT
from lifecycle.events import (
    CHANGES,
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
from lifecycle.findings import PersonalRequest, Signals
from lifecycle.local_time import is_zone
from lifecycle.phases import check_ins, closure, expectations, onboarding
from lifecycle.state import State, Step
from lifecycle.turn import Turn
from program.models import Program

WISHES: dict[PersonalRequest, str] = {
    "": "Somebody asks you to get in touch.",
    "erase": "Somebody asks to be erased.",
    "address": "Somebody has a new address, and asks you to take it over.",
    "not_me": "A stranger has used somebody's link to ask for another address. Nothing was changed, and their "
    "links so far open nothing any more; please have a word with them.",
}
"""Why a `help` task is opened, by what the person asks for."""


NO_SIGNS_OF_LIFE = (Assessed, Bounced, Staffed)
"""What happens without anybody in the mentorship doing something."""


def happen(turn: Turn, event: Event) -> None:
    """Let an event happen that was not refused, and look after what depends on everything."""
    state = turn.state
    turn.by = getattr(event, "by", "")
    zones = state.zones()
    if not isinstance(event, NO_SIGNS_OF_LIFE):
        check_ins.alive(turn)
    _take(turn, event)
    if isinstance(event, CHANGES):
        state.changes += 1
        by = turn.by or getattr(event, "person", "")
        state.last_change = f"{type(event).__name__} on {turn.today}{f' by {by}' if by else ''}"
    for step in state.open_asks():
        steps.settle_if_complete(turn, step)
    onboarding.seats_checked(turn)
    now = state.zones()
    if now != zones and list(dict.fromkeys(now)) != list(dict.fromkeys(zones)):
        changes.move_windows(turn)
    turn.by = ""


def _take(turn: Turn, event: Event) -> None:
    state = turn.state
    match event:
        case Answered():
            _answered(turn, event)
        case Assessed():
            step = state.step(event.ask, event.number)
            if step is not None and step.assessing:
                steps.assessed(turn, step, event.findings)
        case Decided():
            decide(turn, event)
        case Pause():
            pauses.given(turn, event)
        case Resume():
            if state.paused:
                changes.resume(turn)
            else:
                pauses.take_back(turn)
        case Extend():
            changes.extend(turn, event.weeks)
        case Adopt():
            changes.adopt(turn, Program.model_validate(event.program), event.version)
        case End():
            closure.end_early(turn, event.reason, [event.person] if event.person else [])
        case ProposeEnd():
            changes.propose_end(turn, event.person, event.reason)
        case Replace():
            changes.replace(turn, event.person, event.newcomer, event.zone)
        case Add():
            changes.join(turn, event.person, event.role, event.zone)
        case Remove():
            changes.remove(turn, event.person)
        case Leave():
            changes.leave(turn, event.person)
        case Nudge():
            changes.nudge(turn)
        case Release():
            tasks.close_task(turn, "safety", "release", event.by)
            changes.release(turn)
        case Cancel():
            changes.cancel(turn)
        case Staffed():
            tasks.staffed(turn, event.coordinators, event.deputies, event.holidays)
        case Moved():
            _lives_in(state, event.person, event.zone)
        case Seen():
            pass  # a sign of life, nothing else
        case Bounced():
            _bounced(turn, event)
        case Corrected():  # pragma: no branch
            changes.corrected(turn, event.person, event.by)


def _lives_in(state: State, person: str, zone: str) -> None:
    for member in state.members:
        if member.person == person:
            member.zone = zone


def _bounced(turn: Turn, event: Bounced) -> None:
    turn.note("bounced", event.person, "soft" if event.soft else "")
    member = turn.state.member(event.person)
    if member is None or member.standing == "out" or turn.state.closed:
        return
    reason = "Mail to somebody comes back again and again." if event.soft else "Mail to somebody is refused for good."
    tasks.open_task(turn, "bounced", reason, [event.person])


def _answered(turn: Turn, event: Answered) -> None:
    """Signals act at once; an answer in time counts, and the ask settles when everyone has answered."""
    state = turn.state
    _signalled(turn, event.person, event.signals)
    step = state.step(event.ask, event.number)
    in_time = step is not None and step.state == "open"
    if event.ask == "agreement":
        return expectations.acted(turn, event.person, event.signals)
    if event.ask == "invitation":
        in_time = in_time or state.seat_wait_until is not None
        if event.signals.accepted is None:
            return None
        _invited(turn, event.person, event.signals.accepted)
    if step is None or event.person not in step.asked:
        return None
    if not in_time and step.name == "check_in" and not _was_read(step, event):
        check_ins.late(turn, step, event.person, event.signals)
    if event.person in step.answered:
        return None
    if not in_time:
        return turn.note("late_answer", event.person, f"{event.ask}#{event.number}")
    step.answered.append(event.person)
    return turn.record(step)


def _was_read(step: Step, event: Answered) -> bool:
    """Whether an answer counted when its ask was assessed, although the mentorship hears of it only now."""
    if step.assessed_at is None:
        return event.person in step.answered
    return event.at <= step.assessed_at


def _signalled(turn: Turn, person: str, signals: Signals) -> None:
    state = turn.state
    if signals.zone and is_zone(signals.zone):
        _lives_in(state, person, signals.zone)
    if signals.safety:
        _safety(turn, person, signals.not_to, contact=signals.contact)
    if signals.help:
        state.end_task = ""
        tasks.open_task(turn, "help", WISHES[signals.wish], [person])
    if state.closed:
        return
    if signals.fit:
        expectations.fit_doubted(turn, person)
    if signals.stopped:
        tasks.open_task(turn, "silent", "Somebody says that the mentorship has stopped.", [person])


def _invited(turn: Turn, person: str, accepted: bool) -> None:
    """A person who takes part and says no once it has begun leaves; when it is closing nobody joins."""
    state = turn.state
    member = state.member(person)
    if member is None or state.closed or state.early:
        return
    if state.running and member.standing == "accepted" and not accepted:
        changes.leave(turn, person)
    elif not closure.forms_out(state):
        onboarding.answered(turn, member, accepted)


def _safety(turn: Turn, reporter: str, not_to: tuple[str, ...], *, contact: bool) -> None:
    """A safety report: a coordinator hears at once, the pair's items are held, the partner is told nothing.

    The receipt promises a word only where `contact` was wished. A report about a coordinator goes to the others, or
    to the deputies; the receipt, which names a coordinator, stays out.
    """
    turn.state.held = True
    turn.note("held")
    tasks.open_task(turn, "safety", "A report about safety or conduct has come in.", [reporter], not_to)
    if not_to:
        return
    number = turn.count("safety_received")
    may = MAY_CONTACT if contact else ""
    turn.tell([reporter], "safety_received", number=number, kind="receipt", about=may, after_end=True)
