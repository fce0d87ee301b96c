"""How workflows run: in the SDK's sandbox, which lets nothing through that would come out otherwise when replayed."""

from __future__ import annotations

from typing import Any

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("program", "lifecycle", "activities", "pydantic", "pydantic_core", "annotated_types", "zoneinfo")
"""Pure packages that the workflow sandbox need not load again for every workflow: they keep no mutable state."""


def sandbox() -> SandboxedWorkflowRunner:
    """For workers, and where stored histories are replayed."""
    return FastSandboxRunner(SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


class FastSandboxRunner(SandboxedWorkflowRunner):
    """The SDK's, without being asked four times for every payload in which context it is converted and where it is
    stored: ours are converted alike in each context (`workflows.payloads`), and stored nowhere but in the history.
    The asking was a tenth of a turn."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow in a sandbox of its own."""
        instance: Any = super().create_instance(det)
        instance.get_serialization_context = _no_context
        instance.get_external_store_context = _no_store
        return instance


def _no_context(_command: object) -> None:
    return None


def _no_store(_command: object) -> StorageDriverStoreContext:
    return StorageDriverStoreContext(target=None)
