"""How workflows move to a newer worker: pinned to the version they began with (`worker.py`), they start afresh on
the newer one at a quiet moment. Without worker versions, nothing of this shows.

A behaviour must not stand on the workflows themselves: a server refuses it from workers that have no version.
"""

from __future__ import annotations

from typing import Any, NoReturn

from temporalio import workflow
from temporalio.workflow import ContinueAsNewVersioningBehavior


def newer_worker() -> bool:
    """Whether a newer worker version is current."""
    return workflow.info().is_target_worker_deployment_version_changed()


def long_enough() -> bool:
    """Whether it is time to start afresh: the history has grown long, or a newer worker version is current."""
    return workflow.info().is_continue_as_new_suggested() or newer_worker()


def start_afresh(start: Any) -> NoReturn:
    """Continue as new with this input, on the newer worker version if there is one."""
    behaviour = ContinueAsNewVersioningBehavior.AUTO_UPGRADE if newer_worker() else None
    workflow.continue_as_new(start, initial_versioning_behavior=behaviour)
