"""Counts what a finished workflow cost Temporal, from its history: events, bytes, and billable actions.

Actions are counted as Temporal Cloud counts them (docs.temporal.io/cloud/actions): a start 1, a continue-as-new 1,
a timer started 1, an activity scheduled 1 and each retry 1, a signal 1, an update accepted 1, an upsert of search
attributes 1, and all markers (local activities) of one workflow task together 1.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

ACTIONS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "start",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "update",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upsert",
}
"""A continue-as-new is counted by the start of the run that follows."""


@dataclass(slots=True)
class Cost:
    """What one or more finished workflows cost."""

    workflows: int = 0
    events: int = 0
    bytes: int = 0
    actions: Counter[str] = field(default_factory=Counter[str])

    def add(self, events: list[HistoryEvent]) -> None:
        """One run's history."""
        self.events += len(events)
        self.bytes += sum(event.ByteSize() for event in events)
        marked: set[int] = set()
        for event in events:
            if event.event_type in ACTIONS:
                self.actions[ACTIONS[event.event_type]] += 1
            elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
                marked.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                retries = event.activity_task_started_event_attributes.attempt - 1
                self.actions["retry"] += retries
        self.actions["local activities"] += len(marked)

    def each(self, value: float) -> float:
        """A sum as it falls on one workflow."""
        return value / self.workflows

    def counting(self) -> str:
        """The actions of one workflow, each kind with its number."""
        return " + ".join(f"{self.each(many):.1f} {kind}" for kind, many in self.actions.most_common() if many)


async def cost(client: Client, query: str) -> Cost:
    """What the workflows of a visibility query cost, all of their runs; a workflow id counts once."""
    total = Cost()
    ids: set[str] = set()
    async for execution in client.list_workflows(query):
        ids.add(execution.id)
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        total.add([event async for event in handle.fetch_history_events()])
    total.workflows = len(ids)
    return total
