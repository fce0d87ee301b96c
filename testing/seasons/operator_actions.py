"""What an operator does in the Temporal UI, for tests, faults and recordings."""

from __future__ import annotations

from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client


async def card_of(client: Client, workflow_id: str) -> str:
    """The card of a workflow, in Markdown. Needs a worker."""
    handle = client.get_workflow_handle(workflow_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details.replace("\N{EM SPACE}", "")


async def reset(client: Client, workflow_id: str, *, task: int = 0, forget_updates: bool = False) -> None:
    """Reset a workflow to the end of a task (0 is the first): it forgets what came after. Its updates are sent again
    by the server, unless `forget_updates`."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_task_finish_event_id=[one.event_id for one in history.events if one.event_type == done][task],
            request_id=uuid4().hex,
            reset_reapply_exclude_types=(
                [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE] if forget_updates else []
            ),
        )
    )
