"""Check-ins: regular, short, and the rules that run over their answers (lifecycle 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lifecycle import plan, tasks
from lifecycle.findings import Findings, Signals
from lifecycle.local_time import local_date
from lifecycle.phases import closure, expectations
from lifecycle.state import State, Step
from lifecycle.turn import Turn
from program.durations import StepDate
from program.models import Window


def steps(state: State, since: date | None = None) -> list[Step]:
    """Check-in n opens at S + n × every; those too near to the midpoint or the end are left out.

    Where the plan is rebuilt, so is what would have had to open before `since` and did not. By a version of the
    program that was taken up on the way they go on where those of the one before ended.
    """
    rhythm = state.program.phases.check_ins
    if rhythm is None or rhythm.every == 0:
        return []
    has_midpoint = state.program.phases.midpoint is not None
    asked, first = state.check_ins_before, state.check_ins_from
    begun = {step.number for step in state.steps if step.name == "check_in" and step.state != "planned"}
    found: list[Step] = []
    days = rhythm.every
    while (opens := state.raw_start + timedelta(days=days)) < state.raw_end:
        days += rhythm.every
        near_midpoint = has_midpoint and abs((opens - state.raw_midpoint).days) <= rhythm.clear_of_midpoint
        near_end = (state.raw_end - opens).days <= rhythm.clear_of_end
        if near_midpoint or near_end or (first is not None and opens < first):
            continue
        number = asked + len(found) + 1
        if since is not None and state.moved(opens) < since and number not in begun:
            continue
        if rhythm.at_most is not None and number > rhythm.at_most:
            break
        window = Window(opens=StepDate(anchor="start"), reminders=rhythm.reminders, closes=rhythm.closes)
        found.append(plan.ask(state, "check_in", "check_ins", number, window, opens))
    return found


def adopted(state: State, reached: date) -> None:
    """Another version of the program holds from the date `reached`: its check-ins count on from the last one, and
    none opens while that one is open, or before half of the new rhythm is over."""
    last = max(
        (step for step in state.steps if step.name == "check_in" and step.state != "planned"),
        key=lambda step: step.number,
        default=None,
    )
    state.check_ins_before = last.number if last else 0
    state.check_ins_from = state.unmoved(reached)
    rhythm = state.program.phases.check_ins
    if last is not None and rhythm is not None:
        apart = timedelta(days=max(min(rhythm.every, rhythm.closes), rhythm.every // 2))
        state.check_ins_from = max(state.check_ins_from, state.unmoved(last.opens) + apart)


def settled(turn: Turn, step: Step, findings: Findings) -> None:
    """The rules, from the top; the first that matches wins, except that D and N1 don't stop the rest.

    S and H have acted when their answer arrived.
    """
    state = turn.state
    silent, silent_before = not step.answered, state.silent_before
    no_meeting, no_meeting_before = findings.no_meeting, state.no_meeting_before
    if findings.silent_before is not None:
        silent_before = silent_before and findings.silent_before
    if findings.no_meeting_before is not None:
        no_meeting_before = findings.no_meeting_before
    state.silent_before, state.no_meeting_before = silent, no_meeting
    state.checked_in = step.number

    if findings.low:  # L
        return low_score(turn, findings.concerned)
    if no_meeting and no_meeting_before:  # Z2
        return tasks.open_task(
            turn, "stalled", "No meeting since the last check-in and none booked, for the second time."
        )
    if no_meeting:  # Z1
        return expectations.get_going(turn)
    if findings.differ:  # D
        turn.note("seen_differently", detail=f"check_in#{step.number}")
    if silent and silent_before:  # N3
        state.silence_armed = True
        return tasks.open_task(turn, "silent", "Nobody answered this check-in, nor the one before.")
    if silent:  # N2
        return expectations.are_you_there(turn)
    for person in step.asked:
        if person not in step.answered:  # N1
            turn.note("one_silent", person, f"check_in#{step.number}")
    changers = [person for person in findings.goal_changed if person in state.active()]
    if changers:  # G
        return expectations.reopen(turn, changers)
    return None  # OK: the page has said thank you


def low_score(turn: Turn, people: Iterable[str]) -> None:
    """Rule L: a coordinator hears that a question about the relationship was answered low."""
    tasks.open_task(turn, "low_score", "A question about the relationship was answered low.", people)


def late(turn: Turn, step: Step, person: str, signals: Signals) -> None:
    """An answer came after its check-in was assessed: a low one is told at once, and nobody was silent before."""
    state = turn.state
    if signals.low and not state.closed:
        low_score(turn, [person])
    if step.number == state.checked_in and state.schema >= 2:
        state.silent_before = False


# -- after an N3 -----------------------------------------------------------------------------------------------


def silence_date(state: State) -> date | None:
    """The date on which the last call goes out, if nobody shows a sign of life before.

    Once the closure form is out there is none: that form asks the same, and ends the mentorship by itself.
    """
    if not state.silence_armed or state.silence_told is not None or state.last_life is None:
        return None
    if state.early or closure.forms_out(state):
        return None
    last = local_date(state.last_life, state.zone)
    return state.postponed(last + timedelta(days=state.program.rules.silence), since=last)


def last_call(turn: Turn) -> None:
    """Long silence: everyone is told that the mentorship will be closed, and how to say otherwise."""
    exact = turn.state.schema >= 2
    turn.state.silence_told = turn.begun if exact else turn.today
    turn.note("closing_for_silence")
    expectations.are_you_there(turn, "closing_for_silence", on=turn.begun if exact else None)


def inactive_date(state: State) -> date | None:
    """The date at whose end a mentorship that stayed silent after the last call ends as `inactive`."""
    told = state.silence_told
    if told is None:
        return None
    return state.postponed(told + timedelta(days=state.program.rules.last_call), since=told)


def alive(turn: Turn) -> None:
    """A sign of life from anyone takes the last call back and restarts the days of silence."""
    turn.state.last_life = turn.now
    turn.state.silence_told = None
