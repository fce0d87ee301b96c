"""One mentorship, from the invitation to the follow-up: wait for the next due moment or an event, let the core
decide, carry it out, show where things stand. For up to a year and longer, without anyone minding it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.messages import CARRY_OUT, CarriedOut
    from lifecycle.advance import advance, next_moment
    from lifecycle.batch import batch, next_step, snapshot
    from lifecycle.commands import Batch, Command, Refuse
    from lifecycle.events import Event, cause_of
    from lifecycle.local_time import local_date
    from lifecycle.refusals import refusal
    from lifecycle.saved_state import save, unanswered_questions
    from lifecycle.state import SCHEMA, State
    from workflows import options, search_attributes, versions
    from workflows.cancellation import DeclinesCancellation
    from workflows.inputs import MentorshipInput
    from workflows.ui_card import card, waits_for
    from workflows.updates import Updates


EVERY_EVENT = "every-event-is-recorded"
"""Patch: an event that changes only what is remembered (a sign of life, another zone) is a turn in SQL too."""
CATCHES_UP = "catches-up-after-a-reset"
"""Patch: after a reset the workflow asks the database at once whether it is behind."""


@workflow.defn(name="mentorship")
class MentorshipWorkflow(DeclinesCancellation, Updates):
    """Carries one mentorship through its life. Where the database is ahead of it, it continues from the database."""

    instead = "A mentorship ends by `mentorship end`, or by its own dates."

    @workflow.init
    def __init__(self, start: MentorshipInput) -> None:
        self.start = start
        self.state = start.begin()
        self.clock = start.pace.clock
        self.inbox: deque[Event] = deque()
        self.outcomes: dict[str, str] = {}
        self.recorded = snapshot(self.state) if start.state else None
        self.shown = search_attributes.AT_START
        self.alarm: asyncio.Task[None] | None = None
        self.alarm_at: datetime | None = None
        self.was_reset = False
        self.loop = asyncio.get_running_loop()
        workflow.register_random_seed_callback(self.reset)

    @workflow.run
    async def run(self, start: MentorshipInput) -> str:
        """Live until nothing is left to do; returns the ending."""
        await self.take_turn(None, unanswered_questions(self.state, self.now))
        while not await self.all_is_said_and_done():
            await self.something_happens()
            if self.was_reset:
                await self.catch_up()
            await self.take_turn(self.inbox.popleft() if self.inbox else None)
            if self.time_to_start_afresh():
                await self.start_afresh()
        return self.state.ending

    async def all_is_said_and_done(self) -> bool:
        """Show where things stand; whether nothing is left to do, and each sender of an event has heard of it.

        An event may have come in together with the one that ended it all: it has its turn too, if only to be refused.
        """
        self.show()
        if not self.state.finished:
            return False
        await self.wait_until(lambda: bool(self.inbox) or workflow.all_handlers_finished())
        return not self.inbox

    # -- a turn: the core decides, the world follows -------------------------------------------------------------

    async def take_turn(self, event: Event | None, first: Iterable[Command] = ()) -> None:
        """Let everything due happen, and this event; carry out what follows, until nothing more follows.

        An event may ask nothing of the world and still change what is due next, or what is remembered: that is put on
        the record too. `first` are commands that come before all others.
        """
        known = event is None or event.id in self.state.seen
        commands: list[Command] = [*first, *advance(self.state, event, self.now)]
        outcome = _refusal(commands)
        while self.to_be_recorded(commands) or (not known and not outcome and workflow.patched(EVERY_EVENT)):
            known = True
            carried_out = await self.carry_out(commands, event)
            commands = []
            if carried_out.state is not None:
                self.continue_from(carried_out.state)
                known = event is None or event.id in self.state.seen
                commands = [*unanswered_questions(self.state, self.now), *advance(self.state, event, self.now)]
                outcome = _refusal(commands)
            for assessed in carried_out.assessed:
                commands += advance(self.state, assessed, self.now)
        if event is not None:
            # Its sender hears of it when it is on the record, so that what they look up next shows it.
            self.outcomes[event.id] = outcome or "done"

    def to_be_recorded(self, commands: list[Command]) -> bool:
        """Whether commands ask anything of the world, or the record shows the mentorship otherwise than it is."""
        return any(not isinstance(one, Refuse) for one in commands) or self.recorded != snapshot(self.state)

    def continue_from(self, state: State) -> None:
        """The database holds later turns than this workflow took: what it remembered is replaced."""
        self.state = state
        self.recorded = snapshot(state)
        self.was_reset = False

    def reset(self, _seed: int) -> None:
        """Called when an operator reset this workflow: it may be behind the database."""
        self.was_reset = True
        # The SDK calls this between the steps of its loop, and looks at conditions only after a step.
        self.loop.call_soon(lambda: None)

    async def catch_up(self) -> None:
        """Ask the database whether it holds later turns; it answers with its state, or nothing is changed by it."""
        before = self.recorded
        carried_out = await self.carry_out([], None, only_asks=True)
        if carried_out.state is not None:
            self.continue_from(carried_out.state)
            await self.take_turn(None, unanswered_questions(self.state, self.now))
        else:
            self.state.turn -= 1
            self.recorded = before

    async def carry_out(self, commands: list[Command], event: Event | None, *, only_asks: bool = False) -> CarriedOut:
        """One transaction in SQL for the whole turn: tried at once, and for as long as it takes if need be."""
        turn = batch(self.state, commands, self.now, cause=cause_of(event))
        turn.state, turn.only_asks = save(self.state), only_asks
        self.was_reset = False  # the database answers this turn with its state, should it hold later ones
        self.recorded = turn.snapshot
        summary = _summary(turn)
        try:
            at_once = workflow.start_local_activity(
                CARRY_OUT,
                turn,
                result_type=CarriedOut,
                schedule_to_close_timeout=options.AT_ONCE_WITHIN,
                retry_policy=options.TRY_AT_ONCE,
                summary=summary,
            )
            return await self.finished(at_once)
        except FailureError as failure:
            # A local activity fails with what went wrong itself, not wrapped in an ActivityError.
            if is_cancelled_exception(failure):
                raise
            later = workflow.start_activity(
                CARRY_OUT,
                turn,
                result_type=CarriedOut,
                start_to_close_timeout=options.ONE_TURN,
                retry_policy=options.UNTIL_IT_WORKS,
                summary=summary,
            )
            return await self.finished(later)

    # -- waiting -------------------------------------------------------------------------------------------------

    async def something_happens(self) -> None:
        """Return when an event has come in, when the next due moment has come, or after a reset."""
        self.set_alarm(next_moment(self.state))
        while True:
            await self.wait_until(
                lambda: bool(self.inbox) or self.was_reset or (self.alarm is not None and self.alarm.done())
            )
            if not self.was_reset or workflow.patched(CATCHES_UP):
                break
            self.was_reset = False
        if self.alarm is not None and self.alarm.done():
            self.alarm, self.alarm_at = None, None

    def set_alarm(self, moment: datetime | None) -> None:
        """One timer, for the next due moment; it is only set again when that moment changes."""
        if moment == self.alarm_at:
            return
        if self.alarm is not None:
            self.alarm.cancel()
        self.alarm, self.alarm_at = None, moment
        if moment is not None:
            # Carrying out a turn takes a moment, in which the next one may have fallen due.
            span = max(self.clock.real_span(moment - self.now), options.SHORTEST_TIMER)
            self.alarm = asyncio.create_task(workflow.sleep(span, summary=waits_for(self.state)))

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.clock.program(workflow.now())

    # -- events from outside -------------------------------------------------------------------------------------

    def check(self, event: Event) -> None:
        """Refuse an event that makes no sense now, with the reason.

        Before the first turn nothing is refused here: after a reset to the start, what is remembered is not yet
        what the database holds. The turn refuses what makes no sense.
        """
        if event.id in self.state.seen or self.recorded is None:
            return
        why = refusal(self.state, event, local_date(self.now, self.state.zone))
        if why:
            raise ApplicationError(why, type=options.REFUSED, non_retryable=True)

    async def happen(self, event: Event) -> str:
        """Queue the event and wait until its turn has been taken; `done`, or why it was refused after all."""
        if event.id in self.state.seen:
            return "done"
        self.inbox.append(event)
        await workflow.wait_condition(lambda: event.id in self.outcomes)
        return self.outcomes.pop(event.id)

    @workflow.query(name="state")
    def whole_state(self) -> State:
        """Everything that is remembered, in ids and dates: what a dry run of a change is computed from."""
        return self.state

    # -- what ops see --------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Search attributes (only what changed) and the card."""
        upcoming = next_step(self.state)
        next_step_at = self.state.begins(upcoming.opens) if upcoming else None
        shown = search_attributes.shown(snapshot(self.state), next_step_at)
        changed = search_attributes.changes(self.shown, shown)
        if changed:
            workflow.upsert_search_attributes(changed)  # pyright: ignore[reportUnknownMemberType]
        self.shown = shown
        workflow.set_current_details(card(self.state, self.declined))

    def cancellation_requested(self) -> None:
        """Show that a cancellation was declined."""
        workflow.set_current_details(card(self.state, self.declined))

    # -- a year is long ------------------------------------------------------------------------------------------

    def time_to_start_afresh(self) -> bool:
        """At a quiet moment, when the history has grown long or a newer worker version is current."""
        return versions.long_enough() and not self.inbox and not self.state.finished

    async def start_afresh(self) -> None:
        """Continue as new with everything that is known; handlers have their answers before."""
        await self.wait_until(lambda: bool(self.inbox) or workflow.all_handlers_finished())
        if self.inbox:
            return
        # The next run takes over the search attributes, and tells changes from what a mentorship starts with. It has
        # a history of its own, so it can live by the newest rules.
        self.show()
        self.state.schema = self.start.schema = SCHEMA
        self.start.state = self.state
        versions.start_afresh(self.start)


def _refusal(commands: Iterable[Command]) -> str:
    """Why the event was refused; empty where it was not."""
    return next((command.reason for command in commands if isinstance(command, Refuse)), "")


def _summary(turn: Batch) -> str:
    """What a turn does, in words for the Temporal UI."""
    parts = [f"assess {ask.ask} {ask.number}" for ask in turn.assess]
    parts += sorted({f"{post.kind} {post.name} {post.number}" for post in turn.posts})
    parts += [f"task {task.kind}" for task in turn.open_tasks]
    parts += [f"decided {task.decision}" for task in turn.close_tasks]
    if turn.finish:
        parts.append(turn.finish.ending)
    parts = parts or [note.name for note in turn.notes] or ["record"]
    return ", ".join(parts)[:200]
