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
from temporalio.client import WorkflowExecutionStatus

from lifecycle.events import End, Extend, Leave, Moved, Nudge, Pause, Resume, Seen
from lifecycle.saved_state import load
from lifecycle.state import State
from operations.applications import open_call
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
from testing.cohorts.cases import Case
from testing.environments.dev_server_env import DevServerEnv, EarlyServer, run_on_dev_server, until
from testing.environments.open_call import loaded_call
from testing.seasons.operator_actions import card_of, reset
from testing.servers.dev_server import Address, cleared, free_port
from workflows.ids import cohort_id, mentorship_id, postmaster_id

PAIR = Case("pair", "clock")
IN_A_MONTH = datetime.now(UTC).date() + timedelta(days=30)


@pytest.fixture
async def env(early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path):
    """A pair, launched."""
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR) as found:
        await found.launch()
        yield found


def ids(env: DevServerEnv) -> list[str]:
    return [mentorship_id(env.cohort, "pair"), cohort_id(env.cohort), postmaster_id(0)]


async def saved(env: DevServerEnv) -> State:
    async with env.database.session() as session:
        row = select(MentorshipRow.workflow_state).where(MentorshipRow.cohort == env.cohort)
        return load(await session.scalar(row) or "")


async def items(env: DevServerEnv) -> set[str]:
    async with env.database.session() as session:
        return set(await session.scalars(select(ItemRow.key)))


async def test_a_cancellation_is_declined_and_the_card_says_so(env: DevServerEnv) -> None:
    await env.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    for workflow_id in ids(env):
        handle = env.client.get_workflow_handle(workflow_id)
        await handle.cancel()

        async def says_so(workflow_id: str = workflow_id) -> bool:
            return "Cancellation" in await card_of(env.client, workflow_id)

        await until(says_so)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert "declined. A mentorship ends by `mentorship end`" in await card_of(
        env.client, mentorship_id(env.cohort, "pair")
    )
    assert await env.send("pair", Resume("op/resume", "c1")) == "done", "it goes on as if nothing had been asked"
    before = len(env.sink.received)
    await env.send("pair", Nudge("op/nudge", "c1"))
    assert len(env.sink.received) >= before


async def test_a_cancellation_leaves_a_turn_under_way_alone(env: DevServerEnv) -> None:
    """The database refuses the turn for a while, so that it is under way when the request comes in."""
    async with env.database.begin() as session:
        await session.execute(
            text("CREATE TRIGGER busy BEFORE UPDATE ON mentorships BEGIN SELECT RAISE(ABORT, 'busy'); END")
        )
    pause = asyncio.create_task(env.send("pair", Pause("op/pause", IN_A_MONTH, "c1")))
    handle = env.workflow("pair")

    async def is_tried() -> bool:
        description = await handle.describe()
        return bool(description.raw_description.pending_activities)

    await until(is_tried)
    await handle.cancel()

    async def says_so() -> bool:
        return "Cancellation" in await env.card("pair")

    await until(says_so)
    async with env.database.begin() as session:
        await session.execute(text("DROP TRIGGER busy"))
    assert await pause == "done"
    assert (await env.noted("pair")).count("paused") == 1


async def test_the_database_holds_all_that_a_mentorship_remembers(env: DevServerEnv) -> None:
    quiet = (Seen("op/seen", "pair-mentor"), Moved("op/moved", "pair-mentor", "Asia/Tokyo"))
    for event in (Pause("op/pause", IN_A_MONTH, "c1"), Resume("op/resume", "c1"), *quiet):
        assert await env.send("pair", event) == "done"
        assert await saved(env) == await env.workflow("pair").query("state", result_type=State), event


@pytest.mark.parametrize("forget_updates", [True, False])
@pytest.mark.parametrize("task", [0, 1], ids=["to the start", "to the middle"])
async def test_a_mentorship_that_is_reset_continues_from_the_database(
    env: DevServerEnv, task: int, forget_updates: bool
) -> None:
    events = (Pause("op/pause", IN_A_MONTH, "c1"), Resume("op/resume", "c1"), Nudge("op/nudge", "c1"))
    for event in events:
        await env.send("pair", event)
    before, queued, noted = await saved(env), await items(env), await env.noted("pair")
    await reset(env.client, mentorship_id(env.cohort, "pair"), task=task, forget_updates=forget_updates)

    async def caught_up() -> bool:
        state = await env.workflow("pair").query("state", result_type=State)
        return state == before == await saved(env)

    await until(caught_up)
    # In the middle, the server sends `Resume` again before the reset is noticed, and the old state refuses it. The
    # server answers to such an update with an internal error from then on.
    for event in events if task == 0 or forget_updates else (events[0], events[2]):
        assert await env.send("pair", event) == "done", "it is known, and not done twice"
    assert (await items(env), await env.noted("pair")) == (queued, noted)


async def test_a_cohort_and_a_postmaster_can_be_reset(env: DevServerEnv) -> None:
    before, started = await items(env), await env.noted("pair")
    for workflow_id in ids(env)[1:]:
        await reset(env.client, workflow_id, forget_updates=False)
    await env.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    assert await items(env) == before
    assert await env.noted("pair") == [*started, "paused"]
    for workflow_id in ids(env)[1:]:
        handle = env.client.get_workflow_handle(workflow_id)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


# -- terminated and lost ---------------------------------------------------------------------------------------------


async def started_again(env: DevServerEnv, *, fix: bool = True) -> list[tuple[str, str, bool]]:
    asked = start_what_is_missing(env.database, env.client, env.settings, env.now, fix=fix)
    return [(one.kind, one.what, one.fixed) async for one in asked]


async def numbers(env: DevServerEnv) -> Totals:
    async with env.database.session() as session:
        return await count_all(session, env.now)


async def is_found(env: DevServerEnv) -> bool:
    """Visibility is written a moment after a workflow has ended."""
    return bool(await find(env.database, env.client))


async def tell_all(env: DevServerEnv) -> int:
    return await relay_once(env.database, Teller(env.client), env.now + timedelta(hours=1))


async def test_a_terminated_mentorship_is_found_and_started_again_from_the_database(env: DevServerEnv) -> None:
    await env.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before, queued = await saved(env), await items(env)
    assert await find(env.database, env.client) == []
    await env.workflow("pair").terminate()
    await until(lambda: is_found(env))
    assert await find(env.database, env.client) == [Missing(env.cohort, "pair", "terminated")]
    await check(env.database, env.client, env.settings)
    assert (await numbers(env)).lost == 1

    # What people do meanwhile waits; a change is refused, and not as if the mentorship were over.
    resume = OutboxEvent("op/resume", env.cohort, "pair", "Resume", {"id": "op/resume", "by": "c1"})
    async with env.database.begin() as session:
        await workflow_outbox.put(session, resume, env.now)
    assert await tell_all(env) == 0
    order = (await orders(env.database, [(env.cohort, "pair")], nudge(), env.now, by="c1"))[0]
    [outcome] = await carry_out(env.database, env.client, [order], env.now)
    assert outcome.reason == LOST

    assert await started_again(env, fix=False) == [("lost", f"{env.cohort}/pair", True)]
    assert (await numbers(env)).lost == 1, "a dry run starts nothing"
    assert await started_again(env) == [("lost", f"{env.cohort}/pair", True)]
    assert (await numbers(env)).lost == 0
    assert await env.workflow("pair").query("state", result_type=State) == before
    assert await tell_all(env) == 1
    await until(lambda: has(env, "resumed"))
    assert await items(env) == queued, "nobody is asked twice"
    assert await started_again(env) == [], "what runs is left alone"


async def has(env: DevServerEnv, noted: str) -> bool:
    return noted in await env.noted("pair")


async def test_a_mentorship_that_ended_by_itself_is_not_begun_again(env: DevServerEnv) -> None:
    await env.send("pair", End("op/end", "transferred", "c1"))
    await env.workflow("pair").result()
    assert await find(env.database, env.client) == []
    async with env.database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="running"))
    await until(lambda: is_found(env))
    assert await started_again(env) == [("lost", f"{env.cohort}/pair", False)], "the database is of another time"


async def test_a_mentorship_of_an_older_release_is_started_again_from_its_history(env: DevServerEnv) -> None:
    await env.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before = await saved(env)
    async with env.database.begin() as session:
        await session.execute(update(MentorshipRow).values(workflow_state=None))
    await env.workflow("pair").terminate()
    await until(lambda: is_found(env))
    assert await started_again(env) == [("lost", f"{env.cohort}/pair", True)]
    assert await env.workflow("pair").query("state", result_type=State) == before


async def test_cohorts_and_postmasters_are_started_again_by_the_worker(env: DevServerEnv) -> None:
    services = ids(env)[1:]
    for workflow_id in services:
        await env.client.get_workflow_handle(workflow_id).terminate()
    stop = asyncio.Event()
    often = env.settings.model_copy(update={"check_workflows_seconds": 0.5})
    checks = asyncio.create_task(check_forever(env.database, env.client, often, stop))

    async def all_run() -> bool:
        described = [await env.client.get_workflow_handle(one).describe() for one in services]
        return all(one.status is WorkflowExecutionStatus.RUNNING for one in described)

    await until(all_run)
    stop.set()
    await checks


async def test_a_cohort_in_its_open_call_is_started_again_and_mails_nobody_twice(env: DevServerEnv) -> None:
    today, handle = env.now.date(), env.client.get_workflow_handle(cohort_id(env.cohort))
    opens, closes = today - timedelta(days=2), today + timedelta(days=9)
    says = loaded_call(cohort=env.cohort, invited=["mo@example.org", "ella@example.org"], opens=opens, closes=closes)
    await open_call.put(env.database, says, env.now)
    await handle.signal("launch")

    async def invited() -> bool:
        return sum("application_invited" in key for key in await items(env)) == 2

    async def runs_again() -> bool:
        await check(env.database, env.client, env.settings)
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    await until(invited)
    before = await items(env)
    await handle.terminate()
    await until(runs_again)
    await until(lambda: _has_gathered(env))
    assert await items(env) == before


async def _has_gathered(env: DevServerEnv) -> bool:
    """Whether the run that runs now has looked at the call and waits."""
    history = await env.client.get_workflow_handle(cohort_id(env.cohort)).fetch_history()
    done = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    return "gather" in done and history.events[-1].HasField("timer_started_event_attributes")


# -- another Temporal ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def on_another_temporal(env: DevServerEnv, folder: Path) -> AsyncIterator[DevServerEnv]:
    """The same installation, on a Temporal that has never known it."""
    server = EarlyServer(free_port(), free_port(), folder / "another.log")
    await server.start()
    try:
        client = await cleared(Address(server.address, server.ui))
        moved = replace(env, client=client, shift=AsyncExitStack())
        await moved.begin_work()
        try:
            yield moved
        finally:
            await moved.end_work()
    finally:
        await server.stop()


async def test_a_mentorship_moves_to_another_temporal(env: DevServerEnv, tmp_path: Path) -> None:
    await env.send("pair", Pause("op/pause", IN_A_MONTH, "c1"))
    before, queued = await saved(env), await items(env)
    await env.end_work()
    async with on_another_temporal(env, tmp_path) as moved:
        assert await started_again(moved) == [
            ("cohort", env.cohort, True), ("postmaster", "0", True), ("lost", f"{env.cohort}/pair", True),
        ]  # fmt: skip
        assert await moved.workflow("pair").query("state", result_type=State) == before
        assert await moved.send("pair", Pause("op/pause", IN_A_MONTH, "c1")) == "done", "what was seen is known"
        assert await moved.send("pair", Resume("op/resume", "c1")) == "done"
        assert await items(moved) == queued
        assert (await moved.noted("pair"))[-2:] == ["paused", "resumed"]


async def test_two_temporals_at_once_take_turns_on_one_database(env: DevServerEnv, tmp_path: Path) -> None:
    """Nobody should do this; and nobody is asked or mailed twice by it."""
    async with on_another_temporal(env, tmp_path) as moved:
        await started_again(moved)
        await env.send("pair", Pause("op/1", IN_A_MONTH, "c1"))
        with pytest.raises(RefusedChange, match="the mentorship is paused; resume it first"):
            await moved.send("pair", Nudge("op/2", "c1"))
        assert await moved.send("pair", Resume("op/3", "c1")) == "done"
        await env.send("pair", Leave("op/4", "pair-mentee"))
        await moved.send("pair", Extend("op/5", 2, "c1"))
        assert await saved(env) == await moved.workflow("pair").query("state", result_type=State)
        noted = [name for name in await env.noted("pair") if name in ("paused", "resumed", "left", "extended")]
        assert noted == ["paused", "resumed", "left", "extended"]
