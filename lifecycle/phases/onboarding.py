"""Onboarding: everyone is invited; every seat must be taken before anything else happens (lifecycle 4)."""

from __future__ import annotations

from datetime import date, timedelta

from lifecycle import plan, tasks
from lifecycle.commands import MoveRequest
from lifecycle.findings import Findings
from lifecycle.phases import closure, expectations
from lifecycle.state import Member, State, Step, Task
from lifecycle.turn import Turn


def steps(state: State) -> list[Step]:
    """The invitation, at its date or on the launch date where that is later."""
    window = state.program.phases.onboarding.invitation
    opens = max(plan.raw_date(state, window.opens), state.launched_on)
    return [plan.ask(state, "invitation", "onboarding", 1, window, opens)]


def answered(turn: Turn, member: Member, accepted: bool) -> None:
    """Somebody accepts or declines, at that moment. Nobody else is told who.

    Late is not too late: while the seat is empty, an acceptance takes it.
    """
    state = turn.state
    standing = "accepted" if accepted else "declined"
    if member.standing == standing:
        return
    if member.standing == "accepted":
        state.onboarded = False
    member.standing = standing
    turn.record_member(member)
    turn.note(standing, member.person)
    if not accepted:
        tasks.open_task(turn, "seat_empty", "Somebody declined the invitation.", [member.person])
    elif state.running:
        expectations.welcomed(turn, member.person)


def settled(turn: Turn, step: Step, findings: Findings) -> None:
    """The invitation closed: a person who did not answer leaves a seat empty."""
    state = turn.state
    asked = [member for member in state.seats() if member.person in step.asked]
    for member in asked:
        if member.standing == "invited" and member.person in findings.accepted + findings.declined:
            answered(turn, member, member.person in findings.accepted)
    silent = [member for member in asked if member.standing == "invited"]
    for member in silent:
        member.standing = "silent"
        turn.record_member(member)
    if silent:
        people = [member.person for member in silent]
        tasks.open_task(turn, "seat_empty", "Somebody did not answer the invitation.", people)


# -- empty seats -----------------------------------------------------------------------------------------------


def empty_seats(state: State) -> list[str]:
    """Ids of those whose seat waits for a coordinator's decision; before the start also of who left it last."""
    found = [member.person for member in state.members if member.standing in ("declined", "silent")]
    if not found and not state.running and not state.complete("accepted", "invited"):
        return [member.person for member in state.members if member.standing == "out"][-1:]
    return found


def seats_checked(turn: Turn) -> None:
    """Everyone accepted: the mentorship waits for its start. A seat that stays empty is never without a task."""
    state = turn.state
    if state.closed or state.early:
        return
    empty = empty_seats(state)
    taken = not empty and "invited" not in [member.standing for member in state.members]
    if not empty and state.complete("accepted", "invited"):
        state.seat_wait_until = None
        tasks.close_task(turn, "seat_empty", "filled" if taken else "replaced")
    elif (empty or not state.running) and state.seat_wait_until is None and "seat_empty" not in state.tasks:
        tasks.open_task(turn, "seat_empty", "A seat is empty.", empty)
    if taken and not state.onboarded and state.complete():
        state.onboarded = True
        turn.note("onboarded")


def wait(turn: Turn) -> None:
    """The decision to wait: the request stays open for some more days, without further mail."""
    turn.state.seat_wait_until = turn.counts_from + timedelta(days=turn.state.program.phases.onboarding.wait)
    keep_open(turn)


def keep_open(turn: Turn) -> None:
    """The requests of empty seats stay open for as long as the decision to wait says."""
    state = turn.state
    for step, person in _unanswered(state):
        assert state.seat_wait_until is not None
        assert step.closes is not None
        closes = max(state.seat_wait_until, step.closes)
        turn.do(MoveRequest(state.request(step, person), closes, state.ended(closes), reopen=True))


def waited(turn: Turn) -> None:
    """The days of waiting are over, and the task comes again."""
    turn.state.seat_wait_until = None
    for step, person in _unanswered(turn.state):
        turn.end_request(step, person, "closed")
    seats_checked(turn)


def _unanswered(state: State) -> list[tuple[Step, str]]:
    """The invitation and id of everyone who has a seat and does not take it."""
    return [
        (step, person)
        for step in state.steps
        if step.name == "invitation"
        for person in step.asked
        if (member := state.member(person)) is not None and member.standing in ("declined", "silent")
    ]


def begin_afresh(turn: Turn, step: Step) -> None:
    """The engine was away while everybody should have been invited: the window counts from today."""
    window = turn.state.program.phases.onboarding.invitation
    fresh = plan.ask(turn.state, "invitation", "onboarding", step.number, window, turn.today)
    step.opens, step.reminders, step.closes = fresh.opens, fresh.reminders, fresh.closes


def invite(turn: Turn, newcomer: Member) -> None:
    """Somebody who comes later gets the invitation with a fresh window; together with the others where theirs is yet
    to open."""
    state = turn.state
    turn.record_member(newcomer)
    if any(step.name == "invitation" and step.state == "planned" for step in state.steps):
        return
    window = state.program.phases.onboarding.invitation
    number = state.last_number("invitation") + 1
    step = plan.ask(state, "invitation", "onboarding", number, window, turn.counts_from)
    step.opens = turn.today
    step.state = "open"
    step.asked = [newcomer.person]
    state.steps.append(step)
    turn.record(step)
    turn.ask_one(step, newcomer.person)


def give_up(turn: Turn) -> None:
    """No decision about an empty seat in time: the mentorship never starts; those who accepted are told."""
    closure.never_started(turn, "no_decision")


def last_wait(state: State) -> date:
    """The last date on which a coordinator may decide to wait for a seat that is empty before the start."""
    return state.moved(plan.raw_date(state, state.program.phases.onboarding.give_up))


def give_up_on(state: State, task: Task) -> date:
    """The date at whose end an undecided `seat_empty` closes a mentorship that has not started.

    A task that comes after that date has until its own due date, so that it can be decided at all.
    """
    limit = last_wait(state)
    return limit if task.opened <= limit else state.postponed(task.due, since=task.opened)
