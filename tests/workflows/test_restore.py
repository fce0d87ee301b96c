"""Temporal that is restored from a backup, older than the database: what it forgot is told again or taken anew."""

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
from testing.cases import Case
from testing.dev_server import Address
from testing.dev_server_env import Stage, stage, until

PAIR, GONE = Case("pair", "clock"), Case("gone", "clock")


async def forgets(here: Stage, key: str) -> None:
    """Temporal is as it was after the first turn of this mentorship, before it was told of anything."""
    history = await here.workflow(key).fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    _, told, *_ = [event.event_id for event in history.events if event.event_type == done]
    await here.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=here.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=here.workflow(key).id),
            workflow_task_finish_event_id=told,
            request_id="forgets",
            reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
        )
    )


async def answered(here: Stage, key: str) -> None:
    """The mentor accepts, in the database and in the workflow."""
    person, at = f"{key}-mentor", datetime.now(UTC)
    async with here.database.begin() as session:
        request = select(RequestRow.key).where(RequestRow.person == person)
        said = {"request": await session.scalar(request), "version": 1, "submission": f"s/{key}", "person": person,
                "form": "invitation", "form_version": 1, "body": {"accept": True}, "at": at}  # fmt: skip
        await session.execute(insert(AnswerRow), [said])
        done = update(RequestRow).where(RequestRow.person == person).values(state="answered", answered_at=at)
        await session.execute(done)
    await here.send(key, Answered(f"s/{key}", person, "invitation", 1, Signals(accepted=True), at))


async def of_an_older_release(here: Stage, key: str) -> None:
    """The turns of this mentorship so far were written without the state of its workflow."""
    async with here.database.begin() as session:
        await session.execute(update(MentorshipRow).where(MentorshipRow.key == key).values(workflow_state=None))


async def found(here: Stage, *, mend: bool) -> list[Disagreement]:
    asked = reconcile(here.database, here.client, here.settings, datetime.now(UTC), "temporal", mend=mend)
    return [one async for one in asked]


async def turn_of(here: Stage, key: str) -> tuple[int, int]:
    """How far a mentorship is: in the database, and in its workflow."""
    async with here.database.session() as session:
        row = await session.get_one(MentorshipRow, (here.cohort, key))
    state = await here.workflow(key).query("state", result_type=State)
    return row.turn, state.turn


async def test_a_temporal_that_is_older_than_the_database(
    early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path
) -> None:
    async with stage(early_server, new_sqlite(), tmp_path, PAIR, GONE) as here:
        await here.launch()
        await answered(here, "pair")
        await here.workflow("gone").terminate()
        before = (await turn_of(here, "pair"))[0]
        async with here.database.session() as session:
            items = set(await session.scalars(select(ItemRow.key)))
        assert [(one.kind, one.what) for one in await found(here, mend=False)] == [("lost", f"{here.cohort}/gone")]
        await of_an_older_release(here, "pair")
        await forgets(here, "pair")
        told = [(one.kind, one.says, one.mended) for one in await found(here, mend=True) if one.kind == "behind"]
        assert told[-1] == ("behind", "an answer (invitation 1) that Temporal forgot", True)

        async def has_been_told() -> bool:
            await relay_once(here.database, Teller(here.client), datetime.now(UTC) + timedelta(minutes=1))
            row, state = await turn_of(here, "pair")
            return row == state >= before

        await until(has_been_told)
        state = await here.workflow("pair").query("state", result_type=State)
        assert [member.standing for member in state.members] == ["accepted", "invited"]
        assert "behind" not in {one.kind for one in await found(here, mend=False)}
        async with here.database.session() as session:
            assert set(await session.scalars(select(ItemRow.key))) == items, "nothing is put into a postbox twice"
        await here.client.start_workflow("mentorship", id="mentorship/elsewhere/m1", task_queue="nobody")

        async def is_seen() -> bool:
            foreign = [one async for one in strangers(here.database, here.client)]
            return ("unknown", "elsewhere/m1") in {(one.kind, one.what) for one in foreign}

        await until(is_seen)
