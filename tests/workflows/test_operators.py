"""What an operator does in the Temporal UI: cancelling is declined, a reset workflow continues from the database, and
what was terminated is found and started again, here or on another Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from lifecycle.events import End, Extend, Leave, Moved, Nudge, Pause, Resume, Seen
from lifecycle.saved_state import load
from lifecycle.state import State
from operations.health.missing_workflows import Missing, check, check_forever, find
from operations.health.restore import start_what_is_missing
from operations.mentorships.change import carry_out, nudge, orders
from operations.mentorships.not_running import LOST
from runtime.outbox_relay import relay_once
from runtime.temporal import RefusedChange, Teller
from store import workflow_outbox
from store.reports.metrics import Totals, count_all
from store.tables import ItemRow, MentorshipRow
from store.workflow_outbox import OutboxEvent
from testing.cases import Case
from testing.dev_server import Address, cleared, free_port
from testing.dev_server_env import EarlyServer, Stage, stage, until
from workflows.ids import cohort_id, mentorship_id, postmaster_id

PAIR = Case("pair", "clock")
IN_A_MONTH = datetime.now(UTC).date() + timedelta(days=30)


@pytest.fixture
async def here(early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path):
    """A pair, launched."""
    async with stage(early_server, new_sqlite(), tmp_path, PAIR) as found:
        await found.launch()
        yield found


def ids(here: Stage) -> list[str]:
    return [mentorship_id(here.cohort, "pair"), cohort_id(here.cohort), postmaster_id(0)]


async def card(here: Stage, workflow_id: str) -> str:
    handle = here.client.get_workflow_handle(workflow_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details.replace("\N{EM SPACE}", "")


async def reset_to_the_start(here: Stage, workflow_id: str, *, forget_updates: bool) -> None:
    """As the UI's "Reset", to the end of the first workflow task."""
    history = await here.client.get_workflow_handle(workflow_id).fetch_history()
    first = next(one.event_id for one in history.events
                 if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)  # fmt: skip
    await here.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=here.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_task_finish_event_id=first,
            request_id=f"reset {workflow_id}",
            reset_reapply_exclude_types=(
                [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE] if forget_updates else []
            ),
        )
    )


async def saved(here: Stage) -> State:
    async with here.database.session() as session:
        row = select(MentorshipRow.workflow_state).where(MentorshipRow.cohort == here.cohort)
        return load(await session.scalar(row) or "")


async def items(here: Stage) -> set[str]:
    async with here.database.session() as session:
        return set(await session.scalars(select(ItemRow.key)))


async def test_a_cancellation_is_declined_and_the_card_says_so(here: Stage) -> None:
    await here.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    for workflow_id in ids(here):
        handle = here.client.get_workflow_handle(workflow_id)
        await handle.cancel()

        async def says_so(workflow_id: str = workflow_id) -> bool:
            return "Cancellation" in await card(here, workflow_id)

        await until(says_so)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert "declined. A mentorship ends by `mentorship end`" in await card(here, mentorship_id(here.cohort, "pair"))
    assert await here.send("pair", Resume("op/resume", "c1")) == "done", "it goes on as if nothing had been asked"
    before = len(here.sink.received)
    await here.send("pair", Nudge("op/nudge", "c1"))
    assert len(here.sink.received) >= before


async def test_a_cancellation_leaves_a_turn_under_way_alone(here: Stage) -> None:
    """The database refuses the turn for a while, so that it is under way when the request comes in."""
    async with here.database.begin() as session:
        await session.execute(
            text("CREATE TRIGGER busy BEFORE UPDATE ON mentorships BEGIN SELECT RAISE(ABORT, 'busy'); END")
        )
    pause = asyncio.create_task(here.send("pair", Pause("op/pause", IN_A_MONTH, "c1")))
    handle = here.workflow("pair")

    async def is_tried() -> bool:
        description = await handle.describe()
        return bool(description.raw_description.pending_activities)

    await until(is_tried)
    await handle.cancel()

    async def says_so() -> bool:
        return "Cancellation" in await here.card("pair")

    await until(says_so)
    async with here.database.begin() as session:
        await session.execute(text("DROP TRIGGER busy"))
    assert await pause == "done"
    assert (await here.noted("pair")).count("paused") == 1


async def test_the_database_holds_all_that_a_mentorship_remembers(here: Stage) -> None:
    quiet = (Seen("op/seen", "pair-mentor"), Moved("op/moved", "pair-mentor", "Asia/Tokyo"))
    for event in (Pause("op/pause", IN_A_MONTH, "c1"), Resume("op/resume", "c1"), *quiet):
        assert await here.send("pair", event) == "done"
        assert await saved(here) == await here.workflow("pair").query("state", result_type=State), event


@pytest.mark.parametrize("forget_updates", [True, False])
async def test_a_mentorship_that_is_reset_continues_from_the_database(here: Stage, forget_updates: bool) -> None:
    events = (Pause("op/pause", IN_A_MONTH, "c1"), Resume("op/resume", "c1"), Nudge("op/nudge", "c1"))
    for event in events:
        await here.send("pair", event)
    before, queued, noted = await saved(here), await items(here), await here.noted("pair")
    await reset_to_the_start(here, mentorship_id(here.cohort, "pair"), forget_updates=forget_updates)

    async def caught_up() -> bool:
        state = await here.workflow("pair").query("state", result_type=State)
        return state == before == await saved(here)

    await until(caught_up)
    for event in events:
        assert await here.send("pair", event) == "done", "it is known, and not done twice"
    assert (await items(here), await here.noted("pair")) == (queued, noted)


async def test_a_cohort_and_a_postmaster_can_be_reset(here: Stage) -> None:
    before, started = await items(here), await here.noted("pair")
    for workflow_id in ids(here)[1:]:
        await reset_to_the_start(here, workflow_id, forget_updates=False)
    await here.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    assert await items(here) == before
    assert await here.noted("pair") == [*started, "paused"]
    for workflow_id in ids(here)[1:]:
        handle = here.client.get_workflow_handle(workflow_id)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


# -- terminated and lost ---------------------------------------------------------------------------------------------


async def started_again(here: Stage, *, mend: bool = True) -> list[tuple[str, str, bool]]:
    asked = start_what_is_missing(here.database, here.client, here.settings, here.now, mend=mend)
    return [(one.kind, one.what, one.mended) async for one in asked]


async def numbers(here: Stage) -> Totals:
    async with here.database.session() as session:
        return await count_all(session, here.now)


async def is_found(here: Stage) -> bool:
    """Visibility is written a moment after a workflow has ended."""
    return bool(await find(here.database, here.client))


async def tell_all(here: Stage) -> int:
    return await relay_once(here.database, Teller(here.client), here.now + timedelta(hours=1))


async def test_a_terminated_mentorship_is_found_and_started_again_from_the_database(here: Stage) -> None:
    await here.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before, queued = await saved(here), await items(here)
    assert await find(here.database, here.client) == []
    await here.workflow("pair").terminate()
    await until(lambda: is_found(here))
    assert await find(here.database, here.client) == [Missing(here.cohort, "pair", "terminated")]
    await check(here.database, here.client, here.settings)
    assert (await numbers(here)).lost == 1

    # What people do meanwhile waits; a change is refused, and not as if the mentorship were over.
    resume = OutboxEvent("op/resume", here.cohort, "pair", "Resume", {"id": "op/resume", "by": "c1"})
    async with here.database.begin() as session:
        await workflow_outbox.put(session, resume, here.now)
    assert await tell_all(here) == 0
    order = (await orders(here.database, [(here.cohort, "pair")], nudge(), here.now, by="c1"))[0]
    [outcome] = await carry_out(here.database, here.client, [order], here.now)
    assert outcome.reason == LOST

    assert await started_again(here, mend=False) == [("lost", f"{here.cohort}/pair", True)]
    assert (await numbers(here)).lost == 1, "a dry run starts nothing"
    assert await started_again(here) == [("lost", f"{here.cohort}/pair", True)]
    assert (await numbers(here)).lost == 0
    assert await here.workflow("pair").query("state", result_type=State) == before
    assert await tell_all(here) == 1
    await until(lambda: has(here, "resumed"))
    assert await items(here) == queued, "nobody is asked twice"
    assert await started_again(here) == [], "what runs is left alone"


async def has(here: Stage, noted: str) -> bool:
    return noted in await here.noted("pair")


async def test_a_mentorship_that_ended_by_itself_is_not_begun_again(here: Stage) -> None:
    await here.send("pair", End("op/end", "transferred", "c1"))
    await here.workflow("pair").result()
    assert await find(here.database, here.client) == []
    async with here.database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="running"))
    await until(lambda: is_found(here))
    assert await started_again(here) == [("lost", f"{here.cohort}/pair", False)], "the database is of another time"


async def test_a_mentorship_of_an_older_release_is_started_again_from_its_history(here: Stage) -> None:
    await here.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before = await saved(here)
    async with here.database.begin() as session:
        await session.execute(update(MentorshipRow).values(workflow_state=None))
    await here.workflow("pair").terminate()
    await until(lambda: is_found(here))
    assert await started_again(here) == [("lost", f"{here.cohort}/pair", True)]
    assert await here.workflow("pair").query("state", result_type=State) == before


async def test_cohorts_and_postmasters_are_started_again_by_the_worker(here: Stage) -> None:
    services = ids(here)[1:]
    for workflow_id in services:
        await here.client.get_workflow_handle(workflow_id).terminate()
    stop = asyncio.Event()
    often = here.settings.model_copy(update={"check_workflows_seconds": 0.5})
    checks = asyncio.create_task(check_forever(here.database, here.client, often, stop))

    async def all_run() -> bool:
        described = [await here.client.get_workflow_handle(one).describe() for one in services]
        return all(one.status is WorkflowExecutionStatus.RUNNING for one in described)

    await until(all_run)
    stop.set()
    await checks


# -- another Temporal ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def on_another_temporal(here: Stage, folder: Path) -> AsyncIterator[Stage]:
    """The same installation, on a Temporal that has never known it."""
    server = EarlyServer(free_port(), free_port(), folder / "another.log")
    await server.start()
    try:
        client = await cleared(Address(server.address, server.ui))
        moved = replace(here, client=client, shift=AsyncExitStack())
        await moved.begin_work()
        try:
            yield moved
        finally:
            await moved.end_work()
    finally:
        await server.stop()


async def test_a_mentorship_moves_to_another_temporal(here: Stage, tmp_path: Path) -> None:
    await here.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before, queued = await saved(here), await items(here)
    await here.end_work()
    async with on_another_temporal(here, tmp_path) as moved:
        assert await started_again(moved) == [
            ("cohort", here.cohort, True), ("postmaster", "0", True), ("lost", f"{here.cohort}/pair", True),
        ]  # fmt: skip
        assert await moved.workflow("pair").query("state", result_type=State) == before
        assert await moved.send("pair", Pause("op/pause", IN_A_MONTH, "c1")) == "done", "what was seen is known"
        assert await moved.send("pair", Resume("op/resume", "c1")) == "done"
        assert await items(moved) == queued
        assert (await moved.noted("pair"))[-2:] == ["paused", "resumed"]


async def test_two_temporals_at_once_take_turns_on_one_database(here: Stage, tmp_path: Path) -> None:
    """Nobody should do this; and nobody is asked or mailed twice by it."""
    async with on_another_temporal(here, tmp_path) as moved:
        await started_again(moved)
        await here.send("pair", Pause("op/1", IN_A_MONTH, "c1"))
        with pytest.raises(RefusedChange, match="the mentorship is paused; resume it first"):
            await moved.send("pair", Nudge("op/2", "c1"))
        assert await moved.send("pair", Resume("op/3", "c1")) == "done"
        await here.send("pair", Leave("op/4", "pair-mentee"))
        await moved.send("pair", Extend("op/5", 2, "c1"))
        assert await saved(here) == await moved.workflow("pair").query("state", result_type=State)
        noted = [name for name in await here.noted("pair") if name in ("paused", "resumed", "left", "extended")]
        assert noted == ["paused", "resumed", "left", "extended"]
