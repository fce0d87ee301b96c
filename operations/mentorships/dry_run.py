"""What a change does to a mentorship, worked out by the core that then does it. Nothing is sent, nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from lifecycle import pauses
from lifecycle.advance import advance
from lifecycle.commands import CloseTask, Command, EndRequest, Finish, OpenTask, Post, Redeliver, Refuse
from lifecycle.delivery.holds import Standstill, fate_of
from lifecycle.delivery.postbox import FAST
from lifecycle.events import Event, Resume
from lifecycle.state import PlannedPause, State, Step
from store.postbox import WaitingItem
from workflows.ids import mentorship_id


@dataclass(frozen=True, slots=True)
class MovedDate:
    """A date that is another one afterwards: of a step, or `start`, `midpoint`, `end`."""

    name: str
    number: int
    opens: tuple[date, date]
    """Before and after."""
    closes: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class StepAhead:
    """A step that comes, or comes no more."""

    name: str
    number: int
    opens: date
    closes: date | None


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody is told in consequence."""

    person: str
    name: str
    number: int
    on: date
    """Not before this date begins where they live."""
    when: str
    """`at once`, `next letterbox`, or `when mail goes again` where a pause or a hold keeps it back."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A mail that waits and is sent no more."""

    person: str
    name: str
    number: int
    kind: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What one change does to one mentorship. With `refused`, nothing."""

    based_on: int
    """How many changes there had been: what was looked at."""
    end_before: date
    refused: str = ""
    moved: tuple[MovedDate, ...] = ()
    comes: tuple[StepAhead, ...] = ()
    """Steps that the plan had not."""
    left_out: tuple[StepAhead, ...] = ()
    """Steps that lay ahead, or whose form is open, and go no further."""
    told: tuple[Told, ...] = ()
    tasks: tuple[tuple[str, date], ...] = ()
    """Tasks that are opened, and when each is due."""
    decided: tuple[str, ...] = ()
    """Keys of tasks that are closed."""
    ending: str = ""
    """Where the mentorship is over with it: how it ended."""
    closed_requests: frozenset[str] = frozenset()
    """Keys of forms that take no more answers."""
    out: frozenset[str] = frozenset()
    """Ids of those who have no seat any more."""
    pauses: bool = False
    pause_ahead: PlannedPause | None = None
    """The pause that is planned with it; what it will move is among `moved` already."""
    taken_back: PlannedPause | None = None
    """The planned pause that does not come."""


async def state_of(client: Client, cohort: str, key: str) -> State | None:
    """What a mentorship remembers; None where none runs."""
    handle = client.get_workflow_handle(mentorship_id(cohort, key))
    try:
        return await handle.query("state", result_type=State)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def foresee(state: State, event: Event, now: datetime) -> tuple[State, DryRun]:
    """The state after an event, and what is otherwise by it; `state` stays as it is. `now` is program time (UTC)."""
    before = deepcopy(state)
    advance(before, None, now)
    reached = deepcopy(before)
    commands = advance(reached, event, now)
    refused = next((command.reason for command in commands if isinstance(command, Refuse)), "")
    if refused:
        return before, DryRun(state.changes, before.end, refused)
    planned = reached.pause_ahead if reached.pause_ahead != before.pause_ahead else None
    after = pauses.as_begun(reached) if planned else reached
    was = {(step.name, step.number): step for step in _ahead(before)}
    now_ahead = {(step.name, step.number): step for step in _ahead(after)}
    return reached, DryRun(
        based_on=state.changes,
        end_before=before.end,
        moved=(*_anchors(before, after), *_moved(was, now_ahead)),
        comes=tuple(_shown(step) for which, step in now_ahead.items() if which not in was),
        left_out=tuple(
            _shown(step) for which, step in was.items() if which not in now_ahead and not _settled(after, *which)
        ),
        told=tuple(_told(before, reached, commands)),
        tasks=tuple((command.kind, command.due) for command in commands if isinstance(command, OpenTask)),
        decided=tuple(command.key for command in commands if isinstance(command, CloseTask)),
        ending=next((command.ending for command in commands if isinstance(command, Finish)), ""),
        closed_requests=frozenset(command.key for command in commands if isinstance(command, EndRequest)),
        out=frozenset(_seated(before) - _seated(after)),
        pauses=reached.paused,
        pause_ahead=planned,
        taken_back=before.pause_ahead if reached.pause_ahead is None and isinstance(event, Resume) else None,
    )


def withdrawn(outlook: DryRun, items: Iterable[WaitingItem]) -> tuple[Withdrawn, ...]:
    """Of the mails that wait for this mentorship, those that are not true any more after the change."""
    return tuple(
        Withdrawn(item.person, item.name, item.number, item.kind) for item in items if _is_void(outlook, item)
    )


def _is_void(outlook: DryRun, item: WaitingItem) -> bool:
    if item.task:
        return item.task in outlook.decided
    return (
        item.request in outlook.closed_requests
        or item.person in outlook.out
        or (bool(outlook.ending) and not item.after_end)
        or (outlook.pauses and item.kind == "reminder")
    )


# -- the parts -------------------------------------------------------------------------------------------------


def _ahead(state: State) -> Sequence[Step]:
    return [step for step in state.steps if step.state in ("planned", "open")]


def _settled(state: State, name: str, number: int) -> bool:
    step = state.step(name, number)
    return step is not None and step.state == "settled"


def _shown(step: Step) -> StepAhead:
    return StepAhead(step.name, step.number, step.opens, step.closes)


def _seated(state: State) -> set[str]:
    return {member.person for member in state.seats()}


def _anchors(before: State, after: State) -> Iterable[MovedDate]:
    for name in ("start", "midpoint", "end"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now and not after.ending:
            yield MovedDate(name, 1, (was, now))


def _moved(was: dict[tuple[str, int], Step], now_ahead: dict[tuple[str, int], Step]) -> Iterable[MovedDate]:
    for which, step in now_ahead.items():
        old = was.get(which)
        if old is None or (old.opens, old.closes) == (step.opens, step.closes):
            continue
        closes = (old.closes, step.closes) if old.closes and step.closes else None
        yield MovedDate(*which, (old.opens, step.opens), closes)


def _told(before: State, after: State, commands: Iterable[Command]) -> Iterable[Told]:
    still = Standstill(after.held, after.paused)
    asked = {
        key: (person, step.name, step.number)
        for step in (*before.open_asks(), *after.open_asks())
        for key, person in _requests(after, step)
    }
    for command in commands:
        if isinstance(command, Post):
            kept = fate_of(command.kind, command.name, command.task, still) != "queued"
            when = "when mail goes again" if kept else "at once" if command.kind in FAST else "next letterbox"
            yield Told(command.person, command.name, command.number, command.date, when)
        elif isinstance(command, Redeliver):
            when = "when mail goes again" if still else "next letterbox"
            for key in command.requests:
                yield Told(*asked[key], command.date, when)


def _requests(state: State, step: Step) -> Iterable[tuple[str, str]]:
    if step.name == "agreement":
        return [(state.request(step, person, number), person) for person, number in state.agreement.turns.items()]
    return [(state.request(step, person), person) for person in step.asked]
