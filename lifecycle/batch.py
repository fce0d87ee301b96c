"""One turn for the world: the commands of a turn sorted into one batch, with a snapshot to look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lifecycle.advance import next_moment
from lifecycle.commands import (
    Assess,
    Batch,
    CloseTask,
    Command,
    EndRequest,
    Finish,
    GrowTask,
    MemberRecord,
    MoveRequest,
    Note,
    OpenRequest,
    OpenTask,
    Post,
    Redeliver,
    Refuse,
    Snapshot,
    StepRecord,
    Withhold,
)
from lifecycle.local_time import local_date
from lifecycle.state import State, Step

CANCELLED = "cancelled"
"""The ending of a mentorship whose cohort is cancelled."""


def batch(state: State, commands: list[Command], now: datetime, cause: str = "") -> Batch:
    """Number this turn of the mentorship and sort its commands. `now` is program time (UTC), `cause` the id of the
    operation behind it."""
    state.turn += 1
    asks = [command for command in commands if isinstance(command, Assess)]
    # What the answers mean comes at once, as a turn of its own; until then this one is not over.
    shown = snapshot(state, next_at=now if asks else None)
    found = Batch(state.cohort, state.key, state.turn, now, shown, assess=asks, cause=cause, version=state.version)
    steps: dict[tuple[str, int], StepRecord] = {}
    for command in commands:
        match command:
            # The most frequent first: each case is tried in turn.
            case StepRecord():
                steps[(command.name, command.number)] = command
            case Post():
                found.posts.append(command)
            case OpenRequest():
                found.open_requests.append(command)
            case MoveRequest():
                found.move_requests.append(command)
            case EndRequest():
                found.end_requests.append(command)
            case Redeliver():
                found.redeliver.append(command)
            case OpenTask():
                found.open_tasks.append(command)
            case GrowTask():
                found.grow_tasks.append(command)
            case CloseTask():
                found.close_tasks.append(command)
            case Note():
                found.notes.append(command)
            case MemberRecord():
                found.members.append(command)
            case Finish():
                found.finish = command
            case Withhold():
                found.withhold = True
            case Assess() | Refuse():  # pragma: no branch
                pass  # those are collected already; this was for the sender of the event, not for the world
    found.steps = list(steps.values())
    return found


def snapshot(state: State, next_at: datetime | None = None) -> Snapshot:
    """The mentorship at a glance. Something happens at `next_at` (UTC), or where it is left out when the next thing
    falls due."""
    upcoming = next_step(state)
    moment = next_moment(state)
    return Snapshot(
        phase=state.phase,
        health=health(state),
        next_step=f"{upcoming.name} {upcoming.number}" if upcoming else "",
        next_on=upcoming.opens if upcoming else (local_date(moment, state.zone) if moment else None),
        next_at=next_at or moment,
        awaited=tuple(awaited(state)),
        open_tasks=len(state.tasks),
        paused_until=state.paused_until,
        pause_ahead=state.pause_ahead.words if state.pause_ahead else "",
        held=state.held,
        over=state.closed,
        start=state.start,
        midpoint=state.midpoint,
        end=state.end,
        ending=state.end_decided,
        last_life=state.last_life if state.schema >= 2 else None,
        agreement_open=state.agreement_open,
        agreement_in_force=state.agreement.concluded,
    )


def silenced(turn: Batch) -> Batch:
    """A turn of a cancelled cohort's mentorship, as far as it is carried out: the record, what a coordinator must
    still decide, and the receipt for what somebody just did."""
    told = [post for post in turn.posts if post.task or post.kind == "receipt"]
    finish = turn.finish if turn.finish and turn.finish.ending == CANCELLED else None
    return replace(turn, open_requests=[], redeliver=[], posts=told, finish=finish)


def next_step(state: State) -> Step | None:
    """The planned step that comes next."""
    found: Step | None = None
    for step in state.steps:
        if step.state == "planned" and (found is None or step.opens < found.opens):
            found = step
    return found


def health(state: State) -> str:
    """`over`, `trouble` (a safety report), `attention` (a task is open), `quiet` (silence), or `good`."""
    if state.held:
        return "trouble"
    if state.closed:
        return "over"
    if state.tasks:
        return "attention"
    return "quiet" if state.silent_before else "good"


def awaited(state: State) -> list[str]:
    """Ids of those whose answer is awaited now."""
    found: dict[str, None] = {}
    for step in state.open_asks():
        people = state.agreement.turns if step.name == "agreement" else step.asked
        for person in people:
            if step.name == "agreement" or person not in step.answered:
                found[person] = None
    return list(found)
