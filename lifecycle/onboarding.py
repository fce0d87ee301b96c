"""Onboarding: everyone is invited; every seat must be taken before anything else happens (lifecycle 4)."""

from __future__ import annotations

from datetime import date, timedelta

from lifecycle import closure, plan, tasks
from lifecycle.commands import MoveRequest
from lifecycle.findings import Findings
from lifecycle.keys import request_key
from lifecycle.state import Member, State, Step, Task
from lifecycle.turn import Turn


def steps(state: State) -> list[Step]:
    """The invitation, at its date or on the launch date where that is later."""
    window = state.program.phases.onboarding.invitation
    opens = max(plan.raw_date(state, window.opens), state.launched_on)
    return [plan.ask(state, "invitation", "onboarding", 1, window, opens)]


def answered(turn: Turn, member: Member, accepted: bool) -> None:
    """Somebody accepts or declines, at that moment. Nobody else is told who."""
    if member.standing not in ("invited", "declined", "silent", "accepted"):
        return
    was = member.standing
    member.standing = "accepted" if accepted else "declined"
    if was == member.standing:
        return
    turn.record_member(member)
    turn.note("accepted" if accepted else "declined", member.person)
    if accepted:
        seats_checked(turn)
    else:
        turn.state.onboarded = turn.state.onboarded and turn.state.start <= turn.today
        tasks.open_task(turn, "seat_empty", "Somebody declined the invitation.", [member.person])


def settled(turn: Turn, step: Step, findings: Findings) -> None:
    """The invitation closed, or everybody has answered."""
    state = turn.state
    for person in findings.accepted + findings.declined:
        member = state.member(person)
        if member is not None and member.standing in ("invited", "silent"):
            answered(turn, member, person in findings.accepted)
    for person in step.asked:
        member = state.member(person)
        if member is not None and member.standing == "invited":
            member.standing = "silent"
            turn.record_member(member)
    if state.seat_wait_until is None:
        seats_missing(turn)


def seats_missing(turn: Turn) -> None:
    """If somebody did not answer, a coordinator must say what becomes of the seat."""
    silent = [member.person for member in turn.state.seats() if member.standing == "silent"]
    declined = [member.person for member in turn.state.seats() if member.standing == "declined"]
    if silent:
        tasks.open_task(turn, "seat_empty", "Somebody did not answer the invitation.", silent)
    elif declined and "seat_empty" not in turn.state.tasks:
        tasks.open_task(turn, "seat_empty", "Somebody declined the invitation.", declined)


def seats_checked(turn: Turn) -> None:
    """Everyone accepted: the seat is no longer empty, and the mentorship waits for its start."""
    state = turn.state
    if not all(member.standing == "accepted" for member in state.seats()) or not state.complete():
        return
    tasks.close_task(turn, "seat_empty", "filled")
    state.seat_wait_until = None
    if not state.onboarded:
        state.onboarded = True
        turn.note("onboarded")


def wait(turn: Turn) -> None:
    """The decision to wait: the request stays open for some more days, without further mail."""
    state = turn.state
    until = turn.today + timedelta(days=state.program.phases.onboarding.wait)
    state.seat_wait_until = until
    for member in state.seats():
        if member.standing == "accepted":
            continue
        invitation = last_invitation(state, member.person)
        if invitation is not None and invitation.closes is not None:
            closes = max(until, invitation.closes)
            key = request_key(state.cohort, state.key, "invitation", invitation.number, member.person)
            turn.do(MoveRequest(key, closes, state.ended(closes), reopen=True))


def waited(turn: Turn) -> None:
    """The days of waiting are over, and the task comes again."""
    turn.state.seat_wait_until = None
    seats_missing(turn)


def last_invitation(state: State, person: str) -> Step | None:
    """The invitation that this person got last."""
    mine = [step for step in state.steps if step.name == "invitation" and person in step.asked]
    return max(mine, key=lambda step: step.number, default=None)


def invite(turn: Turn, newcomer: Member) -> None:
    """Somebody who comes later gets the invitation with a fresh window."""
    state = turn.state
    window = state.program.phases.onboarding.invitation
    step = plan.ask(
        state, "invitation", "onboarding", state.last_number("invitation") + 1, window, turn.today
    )
    step.state = "open"
    step.asked = [newcomer.person]
    state.steps.append(step)
    turn.record_member(newcomer)
    turn.record(step)
    turn.ask_one(step, newcomer.person)


def give_up(turn: Turn) -> None:
    """No decision about an empty seat in time: the mentorship never starts; whoever accepted is told."""
    closure.never_started(turn, "no decision about the empty seat")


def give_up_on(state: State, task: Task) -> date:
    """The date at whose end an undecided `seat_empty` closes a mentorship that has not started.

    A task that comes after that date has until its own due date, so that it can be decided at all.
    """
    limit = state.moved(plan.raw_date(state, state.program.phases.onboarding.give_up))
    return limit if task.opened <= limit else task.due
