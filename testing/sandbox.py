"""The SDK's sandbox, in which tests run workflows and replay histories: it refuses what a replay could not repeat.

Workers in production run without it (`worker.py`); see docs/decisions.
"""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("program", "lifecycle", "activities", "pydantic", "pydantic_core", "annotated_types", "zoneinfo")
"""Pure packages that the sandbox need not load again for every workflow: they keep no mutable state."""


def sandbox() -> SandboxedWorkflowRunner:
    """For workers in tests, and where stored histories are replayed."""
    return SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
