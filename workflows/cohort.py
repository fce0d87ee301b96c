"""One cohort: its mentorships are started, page by page, and the cohort is over when the last of them is."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.messages import (
        COHORT_PROGRESS,
        GATHER,
        START_MENTORSHIPS,
        CohortProgress,
        CohortQuestion,
        Gathered,
        Started,
    )
    from workflows import options, versions
    from workflows.cancellation import DeclinesCancellation
    from workflows.inputs import CohortInput
    from workflows.ui_card import gathering_rows, table

LOOK_EVERY = timedelta(days=7)
"""Program time between two looks at how many mentorships still run."""

LOOK_AGAIN = timedelta(days=1)
"""Program time between two looks at an open call: its card says how many have applied."""
SHORTEST = timedelta(minutes=1)
"""Program time: what is due this very moment is looked at once more."""
WAITS_FOR = {
    "invite": "the opening of the call",
    "remind_invited": "the reminder to those who are invited",
    "last_call": "the last call",
    "close": "the close of the call",
    "ask_wishes": "the time for wishes",
    "match": "the end of the wishes",
    "match_repeated": "the due date of the task to match",
    "match_to_deputy": "the day on which the deputies are asked",
}
"""What comes next in a gathering, in the words of a timer."""


@workflow.defn(name="cohort")
class CohortWorkflow(DeclinesCancellation):
    """Gathers a cohort's people where it has an open call, starts its mentorships, and waits for the last to end."""

    instead = "A cohort ends with its last mentorship; `mentorship cancel` stops all of it."

    @workflow.init
    def __init__(self, start: CohortInput) -> None:
        self.start = start
        self.clock = start.pace.clock
        self.launched_again = False
        self.counted: list[tuple[str, object]] = []

    @workflow.run
    async def run(self, start: CohortInput) -> str:
        """Start what is planned; look weekly; end with the last mentorship."""
        while True:
            self.launched_again = False
            await self.start_mentorships()
            while not self.launched_again:
                progress = await self.progress()
                if progress.gathering:
                    await self.gather()
                    break  # the pairs are published: there are mentorships to start
                if progress.running == 0 and progress.planned == 0 and not self.launched_again:
                    return f"{progress.over} mentorships over"
                if versions.long_enough() and not self.launched_again:
                    versions.start_afresh(self.start)
                await self.sleep(LOOK_EVERY)

    @workflow.signal
    def launch(self) -> None:
        """The cohort was launched again: there may be mentorships to start."""
        self.launched_again = True

    async def start_mentorships(self) -> Started:
        """Start every mentorship that is planned and not yet started."""
        starting = workflow.start_activity(
            START_MENTORSHIPS,
            CohortQuestion(self.start.cohort, self.now),
            result_type=Started,
            start_to_close_timeout=options.ONE_LAUNCH,
            heartbeat_timeout=options.LAUNCH_HEARTBEAT,
            retry_policy=options.UNTIL_IT_WORKS,
            summary="start the mentorships that are planned",
        )
        return await self.finished(starting)

    async def progress(self) -> CohortProgress:
        """How many mentorships are planned, running, over; an empty cohort is marked as over."""
        counting = workflow.start_activity(
            COHORT_PROGRESS,
            CohortQuestion(self.start.cohort, self.now),
            result_type=CohortProgress,
            start_to_close_timeout=options.ONE_TURN,
            retry_policy=options.UNTIL_IT_WORKS,
            summary="count what still runs",
        )
        progress = await self.finished(counting)
        self.counted = [("Running", progress.running), ("Over", progress.over), ("Not yet started", progress.planned)]
        self.show()
        return progress

    async def gather(self) -> None:
        """Carry the cohort through its open call until the pairs are published, or it no longer runs."""
        while True:
            self.launched_again = False
            gathering = workflow.start_activity(
                GATHER,
                CohortQuestion(self.start.cohort, self.now),
                result_type=Gathered,
                start_to_close_timeout=options.ONE_GATHERING,
                retry_policy=options.UNTIL_IT_WORKS,
                summary="do what is due in the open call",
            )
            gathered = await self.finished(gathering)
            self.counted = gathering_rows(gathered)
            self.show()
            if gathered.stage in ("published", "over"):
                return
            if versions.long_enough() and not self.launched_again:
                versions.start_afresh(self.start)
            ahead = gathered.next_at - self.now if gathered.next_at is not None else LOOK_AGAIN
            what = WAITS_FOR.get(gathered.next_name, "the pairs to be published")
            await self.sleep(max(min(ahead, LOOK_AGAIN), SHORTEST), what)

    def show(self) -> None:
        """A small card: how many mentorships are where."""
        workflow.set_current_details(table([*self.counted, *self.declined]))

    def cancellation_requested(self) -> None:
        """Show that a cancellation was declined."""
        self.show()

    async def sleep(self, span: timedelta, what: str = "the next weekly look") -> None:
        """Sleep for a span of program time, or until the cohort is launched again, or its pairs are published."""
        try:
            await self.wait_until(
                lambda: self.launched_again,
                timeout=self.clock.real_span(span),
                timeout_summary=what,
            )
        except TimeoutError:
            return

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.clock.program(workflow.now())
