"""Whether a worker runs: who asked Temporal for work lately, and whether one answers now.

Temporal lists a worker for minutes after it has gone. A worker that lives asks for work at least once a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from operations.health.findings import Finding
from workflows.ids import postmaster_id

ASKS_WITHIN = timedelta(seconds=65)
"""A worker asks again after a minute without work."""
JUST_NOW = timedelta(seconds=2)
"""One that asked so lately is there."""
ANSWERS_WITHIN = timedelta(seconds=10)
"""Real time that a worker has to answer a question to a postmaster."""
METADATA = "__temporal_workflow_metadata"
"""A question that the SDK itself answers, for every workflow."""
_SILENT = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)


async def examine_worker(client: Client, task_queue: str) -> Finding:
    """Look for a worker of this task queue. Starts nothing. Raises RPCError."""
    seen = await _last_seen(client, task_queue)
    if seen is None:
        return _missing(f"no worker takes work from the task queue {task_queue!r}")
    ago = max(datetime.now(UTC) - seen, timedelta(0))
    if ago > ASKS_WITHIN:
        return _missing(f"no worker takes work from the task queue {task_queue!r}; one last did {_ago(ago)}")
    if ago > JUST_NOW and not await _answers(client, task_queue):
        return _missing(f"a worker of the task queue {task_queue!r} was there {_ago(ago)}, and does not answer now")
    return Finding("worker", "good", f"takes work from the task queue {task_queue!r}; asked for it {_ago(ago)}")


async def _last_seen(client: Client, task_queue: str) -> datetime | None:
    """When a worker last asked for a workflow's work (UTC)."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    pollers = (await client.workflow_service.describe_task_queue(request)).pollers
    return max((poller.last_access_time.ToDatetime(UTC) for poller in pollers), default=None)


async def _answers(client: Client, task_queue: str) -> bool:
    """Whether a worker answers for the first postmaster; True as well where this task queue has none."""
    postmaster = client.get_workflow_handle(postmaster_id(0))
    try:
        if (await postmaster.describe()).task_queue != task_queue:
            return True
        await postmaster.query(METADATA, rpc_timeout=ANSWERS_WITHIN)
    except WorkflowQueryFailedError:
        return True
    except RPCError as error:
        if error.status in _SILENT:
            return False
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return True


def _missing(says: str) -> Finding:
    return Finding("worker", "fault", says, "Start one: mentorship worker. Mails and all that is due wait for it.")


def _ago(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 60} minutes ago" if seconds >= 120 else f"{seconds} seconds ago"
