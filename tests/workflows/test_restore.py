"""Temporal that is restored from a backup, older than the database: what it forgot is told again or taken again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from lifecycle.events import Answered
from lifecycle.findings import Signals
from lifecycle.state import State
from operations.health.restore import Disagreement, reconcile, strangers
from runtime.outbox_relay import relay_once
from runtime.temporal import Teller
from store.tables import AnswerRow, ItemRow, MentorshipRow, RequestRow
from testing.cohorts.cases import Case
from testing.environments.dev_server_env import DevServerEnv, run_on_dev_server, until
from testing.servers.dev_server import Address

PAIR, GONE = Case("pair", "clock"), Case("gone", "clock")


async def forgets(env: DevServerEnv, key: str) -> None:
    """Temporal is as it was after the first turn of this mentorship, before it was told of anything."""
    history = await env.workflow(key).fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    _, told, *_ = [event.event_id for event in history.events if event.event_type == done]
    await env.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=env.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=env.workflow(key).id),
            workflow_task_finish_event_id=told,
            request_id="forgets",
            reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
        )
    )


async def answered(env: DevServerEnv, key: str) -> None:
    """The mentor accepts, in the database and in the workflow."""
    person, at = f"{key}-mentor", datetime.now(UTC)
    async with env.database.begin() as session:
        request = select(RequestRow.key).where(RequestRow.person == person)
        said = {"request": await session.scalar(request), "version": 1, "submission": f"s/{key}", "person": person,
                "form": "invitation", "form_version": 1, "body": {"accept": True}, "at": at}  # fmt: skip
        await session.execute(insert(AnswerRow), [said])
        done = update(RequestRow).where(RequestRow.person == person).values(state="answered", answered_at=at)
        await session.execute(done)
    await env.send(key, Answered(f"s/{key}", person, "invitation", 1, Signals(accepted=True), at))


async def of_an_older_release(env: DevServerEnv, key: str) -> None:
    """The turns of this mentorship so far were written without the state of its workflow."""
    async with env.database.begin() as session:
        await session.execute(update(MentorshipRow).where(MentorshipRow.key == key).values(workflow_state=None))


async def found(env: DevServerEnv, *, fix: bool) -> list[Disagreement]:
    asked = reconcile(env.database, env.client, env.settings, datetime.now(UTC), "temporal", fix=fix)
    return [one async for one in asked]


async def turn_of(env: DevServerEnv, key: str) -> tuple[int, int]:
    """How far a mentorship is: in the database, and in its workflow."""
    async with env.database.session() as session:
        row = await session.get_one(MentorshipRow, (env.cohort, key))
    state = await env.workflow(key).query("state", result_type=State)
    return row.turn, state.turn


async def test_a_temporal_that_is_older_than_the_database(
    early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path
) -> None:
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR, GONE) as env:
        await env.launch()
        await answered(env, "pair")
        await env.workflow("gone").terminate()
        before = (await turn_of(env, "pair"))[0]
        async with env.database.session() as session:
            items = set(await session.scalars(select(ItemRow.key)))
        assert [(one.kind, one.what) for one in await found(env, fix=False)] == [("lost", f"{env.cohort}/gone")]
        await of_an_older_release(env, "pair")
        await forgets(env, "pair")
        told = [(one.kind, one.says, one.fixed) for one in await found(env, fix=True) if one.kind == "behind"]
        assert told[-1] == ("behind", "an answer (invitation 1) that Temporal forgot", True)

        async def has_been_told() -> bool:
            await relay_once(env.database, Teller(env.client), datetime.now(UTC) + timedelta(minutes=1))
            row, state = await turn_of(env, "pair")
            return row == state >= before

        await until(has_been_told)
        state = await env.workflow("pair").query("state", result_type=State)
        assert [member.standing for member in state.members] == ["accepted", "invited"]
        assert "behind" not in {one.kind for one in await found(env, fix=False)}
        async with env.database.session() as session:
            assert set(await session.scalars(select(ItemRow.key))) == items, "nothing is put into a postbox twice"
        await env.client.start_workflow("mentorship", id="mentorship/elsewhere/m1", task_queue="nobody")

        async def is_seen() -> bool:
            foreign = [one async for one in strangers(env.database, env.client)]
            return ("unknown", "elsewhere/m1") in {(one.kind, one.what) for one in foreign}

        await until(is_seen)
