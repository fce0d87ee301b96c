"""Everything about delivering: sleeps until the next letterbox opens, or is woken, and has what is due delivered.

A relay that is down backs up here, visibly, and nowhere else.
"""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.messages import DELIVER, DeliverInput, DeliverResult
    from workflows import options, versions
    from workflows.cancellation import DeclinesCancellation
    from workflows.inputs import PostmasterInput
    from workflows.ui_card import table


@workflow.defn(name="postmaster")
class PostmasterWorkflow(DeclinesCancellation):
    """Delivers the mail of one shard of people, without end."""

    instead = "A postmaster never ends; to send no mail, stop the workers."

    @workflow.init
    def __init__(self, start: PostmasterInput) -> None:
        self.start = start
        self.clock = start.pace.clock
        self.woken = False
        self.delivered = 0
        self.last_round: list[tuple[str, object]] = []

    @workflow.run
    async def run(self, start: PostmasterInput) -> None:
        """Deliver, sleep, deliver."""
        while True:
            self.woken = False
            result = await self.deliver()
            self.show(result)
            if versions.long_enough() and not self.woken:
                versions.start_afresh(self.start)
            await self.sleep_until(result.next_at)

    @workflow.signal
    def wake(self) -> None:
        """Something was queued that is due earlier than this postmaster would look."""
        self.woken = True

    async def deliver(self) -> DeliverResult:
        """One round: everything that is due now."""
        delivering = workflow.start_activity(
            DELIVER,
            DeliverInput(shard=self.start.shard, now=self.now),
            result_type=DeliverResult,
            start_to_close_timeout=options.ONE_ROUND,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.UNTIL_IT_WORKS,
            summary=f"everything due at {self.now:%Y-%m-%d %H:%M} UTC",
        )
        return await self.finished(delivering)

    async def sleep_until(self, moment: datetime | None) -> None:
        """Sleep until this moment (program time), or until woken; without a moment, until woken."""
        if moment is None:
            await self.wait_until(lambda: self.woken)
            return
        span = max(self.clock.real_span(moment - self.now), options.SHORTEST_WAIT)
        try:
            await self.wait_until(
                lambda: self.woken,
                timeout=span,
                timeout_summary=f"the next letterbox at {moment:%Y-%m-%d %H:%M} UTC",
            )
        except TimeoutError:
            return

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.clock.program(workflow.now())

    def show(self, result: DeliverResult) -> None:
        """A small card: what was sent, what waits, what is in the way."""
        self.delivered += result.sent
        self.last_round = [
            ("Sent since this run began", self.delivered),
            ("Last round", f"{result.sent} sent, {result.deferred} deferred, {result.refused} refused"),
            ("Next look", f"{result.next_at:%Y-%m-%d %H:%M} UTC" if result.next_at else "when something is queued"),
        ]
        if result.trouble:
            self.last_round.append(("Trouble", result.trouble))
        workflow.set_current_details(table([*self.last_round, *self.declined]))

    def cancellation_requested(self) -> None:
        """Show that a cancellation was declined."""
        workflow.set_current_details(table([*self.last_round, *self.declined]))
