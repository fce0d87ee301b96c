"""One cohort: its mentorships are started, page by page, and the cohort is over when the last of them is."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.messages import COHORT_PROGRESS, START_MENTORSHIPS, CohortProgress, CohortQuestion, Started
    from workflows import options, versions
    from workflows.cancellation import DeclinesCancellation
    from workflows.inputs import CohortInput
    from workflows.ui_card import table

LOOK_EVERY = timedelta(days=7)
"""Program time between two looks at how many mentorships still run."""


@workflow.defn(name="cohort")
class CohortWorkflow(DeclinesCancellation):
    """Starts a cohort's mentorships and waits for the end of the last one."""

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
                to_come = progress.planned or progress.gathering
                if progress.running == 0 and not to_come and not self.launched_again:
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

    def show(self) -> None:
        """A small card: how many mentorships are where."""
        workflow.set_current_details(table([*self.counted, *self.declined]))

    def cancellation_requested(self) -> None:
        """Show that a cancellation was declined."""
        self.show()

    async def sleep(self, span: timedelta) -> None:
        """Sleep for a span of program time, or until the cohort is launched again."""
        try:
            await self.wait_until(
                lambda: self.launched_again,
                timeout=self.clock.real_span(span),
                timeout_summary="the next weekly look",
            )
        except TimeoutError:
            return

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.clock.program(workflow.now())
