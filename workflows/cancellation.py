"""Declines a cancellation that an operator requested ("Request cancellation" in the Temporal UI).

A mentorship, a cohort and a postmaster end by what happens in them, never by a button of the UI. Waits and activities
continue, and the card says what to do instead. A workflow can't decline to be terminated: see
`operations.health.missing_workflows`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

T = TypeVar("T")


class DeclinesCancellation:
    """Mixed into a workflow: waits that outlast a cancellation. Says in the card how the workflow ends instead."""

    instead: str = ""
    """What to do instead of cancelling; for the card."""
    cancellation_declined: bool = False
    """Whether somebody requested the cancellation of this run."""

    @property
    def declined(self) -> list[tuple[str, str]]:
        """The row of the card about a requested cancellation; none where nobody requested it."""
        return [("Cancellation", f"declined. {self.instead}")] if self.cancellation_declined else []

    def cancellation_requested(self) -> None:
        """Called once for each request that is declined; shows the card."""
        raise NotImplementedError

    async def wait_until(
        self, holds: Callable[[], bool], *, timeout: timedelta | None = None, timeout_summary: str | None = None
    ) -> None:
        """As `workflow.wait_condition`. Raises TimeoutError after `timeout` (real time)."""
        ends = workflow.now() + timeout if timeout is not None else None
        while True:
            left = max(ends - workflow.now(), timedelta(milliseconds=1)) if ends is not None else None
            try:
                return await workflow.wait_condition(holds, timeout=left, timeout_summary=timeout_summary)
            except asyncio.CancelledError:
                self._decline()

    async def finished(self, activity: asyncio.Task[T]) -> T:
        """The result of an activity, which a cancellation does not reach. Raises what the activity raises."""
        while True:
            try:
                return await asyncio.shield(activity)
            except asyncio.CancelledError:
                if activity.done():
                    raise  # the workflow leaves the cache
                self._decline()

    def _decline(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        self.cancellation_declined = True
        self.cancellation_requested()
