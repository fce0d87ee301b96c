"""What operators do to workflows: cancel, terminate and reset them, and move the installation to another Temporal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio.client import WorkflowExecutionStatus

from operations.health.missing_workflows import find
from operations.health.restore import start_what_is_missing
from store.mentorships.missing_workflows import must_run
from testing.seasons.operator_actions import card_of, reset
from tools.faults.installation import Town
from workflows.ids import cohort_id, mentorship_id, postmaster_id

COHORT = "town"


async def operators(here: Town) -> int:
    """Each of the three acts on a mentorship, the cohort and the postmaster, in the middle of the season."""
    acts = [(act, kind) for act in (_cancel, _terminate, _reset) for kind in ("mentorship", "cohort", "postmaster")]
    here.chance.shuffle(acts)
    for act, kind in acts:
        await act(here, await _workflow(here, kind))
        await here.days(here.chance.uniform(0.5, 1.5))
    return len(acts)


async def fresh_temporal(here: Town) -> int:
    """Temporal is replaced by one that knows nothing, and everything is started again from the database."""
    await here.server.stop()
    await here.days(here.chance.uniform(1, 3))
    here.server.database = here.folder / "another-temporal.db"
    here.client = await here.server.start()
    asked = start_what_is_missing(here.database, here.client, here.settings, here.now(), fix=True)
    started = [one async for one in asked if one.kind == "lost"]
    assert all(one.fixed for one in started), started
    return len(started)


async def _workflow(here: Town, kind: str) -> str:
    if kind == "cohort":
        return cohort_id(COHORT)
    if kind == "postmaster":
        return postmaster_id(0)
    async with here.database.session() as session:
        return mentorship_id(*here.chance.choice(sorted(await must_run(session))))


async def _cancel(here: Town, workflow_id: str) -> None:
    """Declined: the card shows it."""
    await here.client.get_workflow_handle(workflow_id).cancel()

    async def declined() -> bool:
        return "Cancellation" in await card_of(here.client, workflow_id)

    await here.until(_or_ended(here, workflow_id, declined))


async def _terminate(here: Town, workflow_id: str) -> None:
    """A mentorship is found and started again by a command, the others by the workers."""
    await here.client.get_workflow_handle(workflow_id).terminate()
    if workflow_id.startswith("mentorship/"):

        async def found() -> bool:
            return bool(await find(here.database, here.client))

        await here.until(found)
        async for one in start_what_is_missing(here.database, here.client, here.settings, here.now(), fix=True):
            assert one.fixed, one
    await here.until(_or_ended(here, workflow_id, lambda: _runs(here, workflow_id)))


async def _reset(here: Town, workflow_id: str) -> None:
    """It has forgotten everything, and continues from the database."""
    await reset(here.client, workflow_id)


async def _runs(here: Town, workflow_id: str) -> bool:
    description = await here.client.get_workflow_handle(workflow_id).describe()
    return description.status is WorkflowExecutionStatus.RUNNING


def _or_ended(here: Town, workflow_id: str, holds: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """Whether something holds, or the workflow has come to its end meanwhile."""

    async def asked() -> bool:
        description = await here.client.get_workflow_handle(workflow_id).describe()
        return description.status is WorkflowExecutionStatus.COMPLETED or await holds()

    return asked
