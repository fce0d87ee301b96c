"""Mentorships on a real Temporal server: what senders hear, what ops see, what a long history does not lose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, insert, select
from sqlalchemy import text as sql_text
from sqlalchemy.engine import make_url
from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError, WorkflowUpdateStage
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import FailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import worker
from lifecycle.events import Add, Decided, End, Event, Extend, Leave, Moved, Nudge, Pause, Release, Remove, Resume
from operations.cohorts.launch import launch
from runtime import temporal
from runtime.temporal import NotTaken, RefusedChange
from store.database import Database
from store.tables import ItemRow, MessageRow, SuppressionRow
from testing.cohorts.all_cases import FAMILY, POST
from testing.cohorts.cases import Case
from testing.environments.dev_server_env import DevServerEnv, run_on_dev_server, until
from testing.servers.dev_server import Address, cleared
from testing.servers.postgresql import PostgreSQL
from workflows import search_attributes
from workflows.ids import mentorship_id

PAIR = Case("pair", "clock")
GROUP = Case("group", "clock_group", others=({},))
TODAY = datetime.now(UTC).date()
MONTH = timedelta(days=30)
SOON = 30
"""Times as fast as real time."""


@pytest.fixture
async def env(early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path):
    """A pair and a group, launched."""
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR, GROUP) as found:
        await found.launch()
        yield found


@pytest.fixture
async def soon(early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path):
    """The same, where half a minute passes in a second: mails that leave together leave soon."""
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR, GROUP, speed=SOON) as found:
        await found.launch()
        yield found


# -- what senders hear -----------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Event, str]] = [
    ("pair", Pause("x", TODAY - MONTH, "c1"), "a pause must end after today"),
    ("pair", Resume("x", "c1"), "the mentorship is not paused"),
    ("pair", Extend("x", 0, "c1"), "write how many weeks longer"),
    ("pair", End("x", "boredom", "c1"), "'boredom' is no reason to end early; write one of"),
    ("pair", Add("x", "new", "mentee", "", "c1"), "takes no further member; use replace"),
    ("pair", Remove("x", "pair-mentee", "c1"), "can't lose a member and go on"),
    ("group", Add("x", "new", "mentor", "", "c1"), "the group has its mentor already"),
    ("group", Add("x", "group-mentee", "mentee", "", "c1"), "has a seat in this mentorship already"),
    ("group", Remove("x", "nobody", "c1"), "nobody has no seat in this mentorship; those who have: group-mentor"),
    ("pair", Leave("x", "nobody"), "nobody has no seat in this mentorship"),
    ("pair", Moved("x", "pair-mentor", "Mars/Olympus"), "'Mars/Olympus' is no zone; write one such as"),
    ("pair", Decided("x", "task", "noted", "c1"), "this task is not open"),
    ("pair", Release("x", "c1"), "nothing is held"),
]


async def test_a_refusal_reaches_its_sender_in_words_and_leaves_no_trace(env: DevServerEnv) -> None:
    before = {key: len((await env.workflow(key).fetch_history()).events) for key in ("pair", "group")}
    for key, event, why in REFUSED:
        with pytest.raises(RefusedChange) as refused:
            await env.send(key, event)
        assert why in str(refused.value), f"{event} was refused with: {refused.value}"
    assert {key: len((await env.workflow(key).fetch_history()).events) for key in before} == before


async def test_what_is_sent_again_is_the_same_event(env: DevServerEnv) -> None:
    pause, resume = Pause("op/1", TODAY + MONTH, "c1"), Resume("op/2", "c1")
    assert await asyncio.gather(*(env.send("pair", pause) for _ in range(3))) == ["done"] * 3
    assert await env.send("pair", resume) == "done"
    assert await env.send("pair", pause) == "done"
    assert [name for name in await env.noted("pair") if name in ("paused", "resumed")] == ["paused", "resumed"]


async def test_where_no_worker_runs_the_sender_hears_that(
    early_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal, "AN_UPDATE", timedelta(seconds=1))
    client = await cleared(early_server)
    await client.start_workflow("mentorship", id=mentorship_id("nobody", "works"), task_queue="nobody-works-here")
    with pytest.raises(NotTaken, match="no worker has taken this within 1 seconds"):
        await temporal.send(client, "nobody", "works", Nudge("op/1", "c1"))


@workflow.defn(name="mentorship")
class OfAnOlderRelease:
    """A mentorship that knows no updates yet."""

    @workflow.run
    async def run(self) -> None:
        """Without end."""
        await workflow.wait_condition(lambda: False)


async def test_where_an_older_worker_does_not_know_a_change_the_sender_hears_that(early_server: Address) -> None:
    client = await cleared(early_server)
    await client.start_workflow("mentorship", id=mentorship_id("older", "one"), task_queue="older-release")
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="older-release", workflows=[OfAnOlderRelease], workflow_runner=runner):
        with pytest.raises(NotTaken, match="a worker of an older release came upon this and does not know Nudge"):
            await temporal.send(client, "older", "one", Nudge("op/1", "c1"))


@workflow.defn(name="mentorship")
class NotTakenAtOnce:
    """A mentorship whose first answer to an event the server refuses: it has an attribute that the server does not
    know, as for a moment after a server began."""

    tries = 0

    @workflow.run
    async def run(self) -> None:
        """Without end."""
        await workflow.wait_condition(lambda: False)

    @workflow.update(name="Nudge")
    async def nudge(self, _: dict[str, object]) -> str:
        """Done at the second try."""
        NotTakenAtOnce.tries += 1
        if NotTakenAtOnce.tries == 1:
            workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Unheard").value_set("of")])
        return "done"


@pytest.mark.parametrize("waits", [True, False])
async def test_an_event_that_the_server_drops_with_a_failed_task_is_sent_again(
    early_server: Address, waits: bool
) -> None:
    client = await cleared(early_server)
    NotTakenAtOnce.tries = 0
    await client.start_workflow("mentorship", id=mentorship_id("dropped", "one"), task_queue="drops-one")
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="drops-one", workflows=[NotTakenAtOnce], workflow_runner=runner):
        assert await temporal.send(client, "dropped", "one", Nudge("op/1", "c1"), wait=waits) == "done"
    assert NotTakenAtOnce.tries == 2


@activity.defn(name="breaks_a_row")
async def breaks_a_row(url: str) -> None:
    """Write the same address twice."""
    row = {"email": f"{FAMILY}@example.org", "person": "p", "reason": FAMILY, "at": datetime.now(UTC)}
    async with Database.open(url) as database, database.begin() as session:
        await session.execute(insert(SuppressionRow), [row])
        await session.execute(insert(SuppressionRow), [row])


@workflow.defn(name="breaks", sandboxed=False)
class Breaks:
    """Waits for an activity that fails once as itself and once beside it."""

    @workflow.run
    async def run(self, url: str) -> None:
        """Fails with what the activity failed with."""
        once = RetryPolicy(maximum_attempts=1)
        try:
            await workflow.execute_local_activity(
                breaks_a_row, url, retry_policy=once, start_to_close_timeout=timedelta(seconds=30)
            )
        except FailureError:
            await workflow.execute_activity(
                breaks_a_row, url, retry_policy=once, start_to_close_timeout=timedelta(seconds=30)
            )


async def test_a_row_that_the_database_refuses_reaches_no_history(early_server: Address, database_url: str) -> None:
    """PostgreSQL quotes the row in its DETAIL; a history would keep it, and the UI would show it."""
    client = await cleared(early_server)
    async with Worker(client, task_queue="breaks", workflows=[Breaks], activities=[breaks_a_row]):
        handle = await client.start_workflow("breaks", database_url, id=f"breaks-{uuid4()}", task_queue="breaks")
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    history = (await handle.fetch_history()).to_json()
    assert "IntegrityError" in history
    assert FAMILY not in history


async def test_whoever_comes_together_with_the_end_hears_of_it(env: DevServerEnv) -> None:
    """Several events are taken in one workflow task, and the first of them ends the mentorship for good."""
    await env.end_work()
    end = End("op/end", "transferred", "c1")
    later = [Nudge(f"op/nudge/{n}", "c1") for n in range(3)]
    sent: list[asyncio.Task[str]] = []
    for event in (end, *later):
        sent.append(asyncio.create_task(env.send("pair", event)))
        await asyncio.sleep(0.3)  # it waits at the server, before the next
    await env.begin_work()
    heard = await asyncio.wait_for(asyncio.gather(*sent, return_exceptions=True), 60)
    assert heard[0] == "done"
    # The server may hand them on in another order; whatever comes after the end is refused, and none is left waiting.
    final = "the mentorship is closed (transferred); its record is final"
    assert {str(one) for one in heard[1:]} <= {"done", final}
    assert final in {str(one) for one in heard[1:]}
    assert await asyncio.wait_for(env.workflow("pair").result(), 30) == "transferred"


# -- code that a worker must not run ---------------------------------------------------------------------------------


@workflow.defn(name="blocks")
class Blocks:
    """Code that waits without leaving the event loop, the first time that it runs."""

    runs = 0

    @workflow.run
    async def run(self) -> None:
        """Block for longer than the SDK allows."""
        Blocks.runs += 1
        if Blocks.runs == 1:
            time.sleep(2.5)


async def test_a_production_worker_fails_the_task_of_a_workflow_that_blocks(
    early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the sandbox too: the task fails with the reason, and the worker takes the next one."""
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path) as env:
        monkeypatch.setattr(worker, "WORKFLOWS", (*worker.WORKFLOWS, Blocks))
        settings = env.settings.model_copy(update={"task_queue": "blocks"})
        async with worker.make_worker(env.client, settings, env.database, env.transport):
            handle = await env.client.start_workflow("blocks", id=f"blocks-{uuid4()}", task_queue="blocks")
            await handle.result()
    failed = [event.workflow_task_failed_event_attributes for event in (await handle.fetch_history()).events]
    assert any("Potential deadlock detected" in each.failure.message for each in failed)


# -- what a long history does not lose -------------------------------------------------------------------------------


async def test_continuing_as_new_loses_no_event_and_takes_none_twice(env: DevServerEnv) -> None:
    await env.send("pair", Pause("op/pause", TODAY + MONTH, "c1"))
    await env.send("pair", Extend("op/extend", 2, "c1"))
    nudges = [Nudge(f"op/nudge/{n}", "c1") for n in range(40)]
    # Many at a time, so that some always wait while the workflow begins again; nudges of a paused one are refused.
    await env.send("pair", Resume("op/resume", "c1"))
    for several in (nudges[:20], nudges[20:]):
        assert await asyncio.gather(*(env.send("pair", event) for event in several)) == ["done"] * 20
    assert await env.runs("pair") > 2
    assert (await env.noted("pair")).count("nudged") == 40

    # The ids of events are remembered across runs, and so is everything else.
    for event in (nudges[0], nudges[-1], Extend("op/extend", 2, "c1"), Pause("op/pause", TODAY + MONTH, "c1")):
        assert await env.send("pair", event) == "done"
    assert (await env.noted("pair")).count("nudged") == 40
    assert (await env.noted("pair")).count("extended") == 1
    assert (await env.noted("pair")).count("paused") == 1


async def test_search_attributes_stay_true_when_a_run_begins_anew(env: DevServerEnv) -> None:
    for n in range(25):
        await env.send("pair", Pause(f"op/pause/{n}", TODAY + MONTH, "c1"))
        await env.send("pair", Resume(f"op/resume/{n}", "c1"))
        description = await env.workflow("pair").describe()
        assert description.typed_search_attributes[search_attributes.PAUSED] is False
    assert await env.runs("pair") > 2


# -- what ops see ----------------------------------------------------------------------------------------------------


async def test_what_ops_see_of_a_mentorship(env: DevServerEnv) -> None:
    await env.send("pair", Leave("op/leave", "pair-mentee"))
    description = await env.workflow("pair").describe()
    shown = description.typed_search_attributes
    assert shown[search_attributes.COHORT] == env.cohort
    assert shown[search_attributes.PROGRAM] == "clock"
    assert shown[search_attributes.PHASE] == "onboarding"
    assert shown[search_attributes.HEALTH] == "attention"
    assert shown[search_attributes.OPEN_TASKS] == 1
    assert shown[search_attributes.PAUSED] is False
    assert shown[search_attributes.NEXT_STEP_AT].date() == TODAY + timedelta(days=9)  # midnight in Berlin
    assert await description.static_summary() == f"pair of {env.cohort} (one_to_one, clock)"

    card = await env.card("pair")
    assert "| Phase | onboarding |" in card
    assert "| Awaited | pair-mentor |" in card
    assert "| Open tasks | seat_empty (due " in card
    assert f"| Next step | introduction 1 on {TODAY + timedelta(days=10)} |" in card


async def test_activities_and_timers_say_what_they_are_for(env: DevServerEnv) -> None:
    said: dict[str, list[str]] = {}

    async def read() -> bool:
        said.clear()
        for id_ in (f"mentorship/{env.cohort}/group", "postmaster/0", f"cohort/{env.cohort}"):
            history = await env.client.get_workflow_handle(id_).fetch_history()
            for event in history.events:
                kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
                if kind in ("TIMER_STARTED", "ACTIVITY_TASK_SCHEDULED"):
                    said.setdefault(kind, []).append(event.user_metadata.summary.data.decode())
        return any("the close of invitation 1" in text for text in said.get("TIMER_STARTED", []))

    await until(read)
    assert said["ACTIVITY_TASK_SCHEDULED"]
    assert all(text.strip('"') for texts in said.values() for text in texts)


async def test_ops_can_list_by_what_they_see(env: DevServerEnv) -> None:
    await env.send("group", Pause("op/pause", TODAY + MONTH, "c1"))

    async def found() -> bool:
        query = f"Cohort = '{env.cohort}' AND Paused = true AND ExecutionStatus = 'Running'"
        return [one.id async for one in env.client.list_workflows(query)] == [f"mentorship/{env.cohort}/group"]

    await until(found)


async def test_launching_twice_starts_nothing_and_mails_nobody(soon: DevServerEnv) -> None:
    await until(lambda: _sent(soon, 5))
    before = await _counts(soon)
    await launch(soon.database, soon.client, soon.settings, soon.loaded, soon.now)
    await soon.send("pair", Nudge("op/after", "c1"))  # whatever the launch had set off would be done by now
    assert await _counts(soon) == before


async def _counts(env: DevServerEnv) -> tuple[int, int, int]:
    workflows = [one.id async for one in env.client.list_workflows(f"Cohort = '{env.cohort}'")]
    async with env.database.session() as session:
        items = await session.scalar(select(func.count(ItemRow.key)).where(ItemRow.key.not_like("%nudge%")))
    return len(set(workflows)), items or 0, len({one.recipient for one in env.sink.received})


async def _sent(env: DevServerEnv, number: int) -> bool:
    async with env.database.session() as session:
        return await session.scalar(select(func.count(MessageRow.id)).where(MessageRow.state == "sent")) == number


# -- a database that is away -----------------------------------------------------------------------------------------


class Away:
    """Takes a database away from everybody, and gives it back."""

    def __init__(self, postgresql: PostgreSQL, url: str) -> None:
        self.conninfo, self.name = postgresql.conninfo("postgres"), str(make_url(url).database)

    def goes(self) -> None:
        self._say("ALTER DATABASE {} ALLOW_CONNECTIONS false")
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
            )

    def comes_back(self) -> None:
        self._say("ALTER DATABASE {} ALLOW_CONNECTIONS true")

    def _say(self, statement: LiteralString) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))


async def test_a_turn_waits_in_sight_for_a_database_that_is_away(
    early_server: Address, postgresql: PostgreSQL, postgresql_url: str, tmp_path: Path
) -> None:
    database = Away(postgresql, postgresql_url)
    async with run_on_dev_server(early_server, postgresql_url, tmp_path, PAIR) as env:
        await env.launch()
        database.goes()
        update = await env.workflow("pair").start_update(
            "Pause",
            Pause("op/pause", TODAY + MONTH, "c1"),
            id="op/pause",
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
        failures: list[str] = []

        async def in_sight() -> bool:
            asked = DescribeWorkflowExecutionRequest(
                namespace=env.client.namespace, execution=WorkflowExecution(workflow_id=env.workflow("pair").id)
            )
            pending = (await env.client.workflow_service.describe_workflow_execution(asked)).pending_activities
            failures[:] = [activity.last_failure.message for activity in pending if activity.attempt > 1]
            return bool(failures)

        try:
            await until(in_sight)
        finally:
            database.comes_back()
        assert await update.result() == "done"
        assert (await env.noted("pair")).count("paused") == 1
        assert not any(secret in failure for failure in failures for secret in (FAMILY, POST))


async def test_a_statement_that_fails_tells_temporal_nothing_of_what_it_held(
    early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path
) -> None:
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR, speed=8 * SOON) as env:
        async with env.database.begin() as session:
            # A mail can't be written down here: nothing that stands in it may be.
            await session.execute(
                sql_text(
                    "CREATE TRIGGER no_mail BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                )
            )
        await env.launch()
        postmaster = env.client.get_workflow_handle("postmaster/0")

        async def tried_again() -> bool:
            """One person's failure does not fail the round: the postmaster comes back to it."""
            history = await postmaster.fetch_history()
            rounds = [event for event in history.events if event.HasField("activity_task_completed_event_attributes")]
            return len(rounds) >= 2

        await until(tried_again)
        history = (await postmaster.fetch_history()).to_json()
        described = str((await postmaster.describe()).raw_description)
        assert not any(secret in text for text in (history, described) for secret in (FAMILY, POST))
        assert await _sent(env, 0)
        async with env.database.begin() as session:
            await session.execute(sql_text("DROP TRIGGER no_mail"))
        await until(lambda: _sent(env, 2))
