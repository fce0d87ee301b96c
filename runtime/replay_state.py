"""Reads what the workflow of a mentorship remembers from its history, without a worker.

A query would need a worker, and a worker would deliver mail and take turns.
"""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from lifecycle.state import State
from workflows.ids import mentorship_id
from workflows.inputs import MentorshipInput
from workflows.mentorship import MentorshipWorkflow
from workflows.payloads import DATA_CONVERTER

RUNS = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
IS_OVER = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED

_recalled: dict[str, State] = {}
"""Run id to the state, while a history is replayed."""


@workflow.defn(name="mentorship")
class Recalled(MentorshipWorkflow):
    """A mentorship that is only replayed."""

    @workflow.init
    def __init__(self, start: MentorshipInput) -> None:
        super().__init__(start)
        _recalled[workflow.info().run_id] = self.state

    def continue_from(self, state: State) -> None:
        """As in the workflow; the state is another object from then on."""
        super().continue_from(state)
        _recalled[workflow.info().run_id] = state

    @workflow.run
    async def run(self, start: MentorshipInput) -> str:
        """As it went."""
        return await super().run(start)


async def recall(client: Client, cohort: str, key: str, *, ended_by_force: bool = False) -> State | None:
    """What the workflow of this mentorship remembers; None where there is none, or where it was ended by force
    (terminated, timed out), unless that is asked for.

    Raises RuntimeError where this version of the engine can't go through its history.
    """
    id_ = mentorship_id(cohort, key)
    status = await status_of(client, id_)
    if status is None or (status not in (RUNS, IS_OVER) and not ended_by_force):
        return None
    history = await client.get_workflow_handle(id_).fetch_history()
    past = WorkflowHistory(history.workflow_id, _taken(history.events))
    if not past.events:
        handed = history.events[0].workflow_execution_started_event_attributes.input.payloads
        start, *_ = await client.data_converter.decode(handed, [MentorshipInput])
        return start.begin()
    replayer = Replayer(
        workflows=[Recalled], workflow_runner=UnsandboxedWorkflowRunner(), data_converter=DATA_CONVERTER
    )
    result = await replayer.replay_workflow(past, raise_on_replay_failure=False)
    state = _recalled.pop(history.run_id, None)
    if result.replay_failure is not None:
        raise RuntimeError(f"{history.workflow_id} can't be gone through again") from result.replay_failure
    return state


async def status_of(client: Client, workflow_id: str) -> WorkflowExecutionStatus.ValueType | None:
    """Whether the last run of a workflow is running, completed, terminated …; None where there is none."""
    asked = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        described = await client.workflow_service.describe_workflow_execution(asked)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return described.workflow_execution_info.status


def _taken(events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """The history up to the last turn that was taken, without what no worker has seen yet."""
    done, begun = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
    kinds = [event.event_type for event in events]
    if done not in kinds:
        return []
    last = len(kinds) - kinds[::-1].index(done)
    return list(events[: kinds.index(begun, last) if begun in kinds[last:] else None])
