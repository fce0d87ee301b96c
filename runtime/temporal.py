"""The Temporal client: connects, sends events to mentorships, wakes postmasters.

Which server that is, `runtime.temporal_connection` knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import TypeAdapter
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.errordetails.v1 import WorkflowNotReadyFailure
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import (
    Client,
    Interceptor,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import SearchAttributeKey, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from lifecycle.events import EVENTS, Event
from lifecycle.state import SCHEMA, Member, State
from runtime.errors import ExpectedError, Unreachable
from runtime.settings import Settings
from runtime.temporal_connection import temporal_connection
from store.cohorts.cohorts import FrozenProgram, Planned
from workflows import options, search_attributes
from workflows.cohort import CohortWorkflow
from workflows.ids import cohort_id, mentorship_id, postmaster_id
from workflows.inputs import CohortInput, MentorshipInput, Pace, PostmasterInput, numbers_of
from workflows.mentorship import MentorshipWorkflow
from workflows.payloads import DATA_CONVERTER
from workflows.postmaster import PostmasterWorkflow

log = structlog.get_logger(__name__)

PAUSES = (0.1, 0.5, 2.0)
"""Real seconds before an update is sent again that Temporal dropped."""
AN_UPDATE = timedelta(seconds=10)
"""Real time that an update may take to be accepted; after that it is relayed later."""

UNHANDLED = "expected but not found"
"""Part of the SDK's message about an update without a handler."""

LAUNCHED = "launched"
"""Memo of a mentorship's workflow: when its cohort was launched (program time, UTC)."""

_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in EVENTS.items()}


class RefusedChange(ExpectedError):
    """A mentorship refused an event; the message has the reason and an alternative."""


class NotTaken(Unreachable):
    """No worker has taken an event in time, or one that doesn't know it. It may still be taken; the same event sent
    again is the same event."""


class NoSuchMentorship(ExpectedError):
    """No workflow runs for this mentorship (`COHORT/KEY`): it has never been started, it is over, or its
    workflow is lost."""

    def __init__(self, mentorship: str) -> None:
        super().__init__(
            f"no mentorship {mentorship} runs: it has not been started, it is over, or its workflow is missing "
            "(`mentorship doctor` says which)"
        )


async def connect(
    runtime: Runtime | None = None, *, lazy: bool = False, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A client for the Temporal server of this installation. Raises StackDown.

    A `lazy` one connects with its first call: for a process that works while Temporal is away.
    """
    return await Client.connect(
        **temporal_connection().options,
        data_converter=DATA_CONVERTER,
        runtime=runtime,
        lazy=lazy,
        interceptors=interceptors,
    )


def pace_of(settings: Settings) -> Pace:
    """The program clock of an installation, as workflows are told it."""
    return Pace(epoch=settings.epoch, speed=settings.speed)


async def send(client: Client, cohort: str, mentorship: str, event: Event, *, wait: bool = True) -> str:
    """Send an event to a mentorship; its id is the update id, so a retry is the same update.

    With `wait`, returns the outcome. Raises `RefusedChange` with the reason, `NoSuchMentorship`, `NotTaken`
    where no worker runs, and RPCError where Temporal can't be reached.
    """
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(mentorship_id(cohort, mentorship))
    try:
        outcome = await _update(handle, event, wait=wait)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == options.REFUSED:
            raise RefusedChange(cause.message) from error
        if isinstance(cause, ApplicationError) and UNHANDLED in cause.message:
            raise NotTaken(
                f"a worker of an older release came upon this and does not know {type(event).__name__}. Update the "
                "workers, and send it again then: nothing has been done yet."
            ) from error
        raise
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise NotTaken(
            f"no worker has taken this within {AN_UPDATE.total_seconds():.0f} seconds. Is one running "
            "(`mentorship worker`)? Send it again then: it is not done twice."
        ) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NoSuchMentorship(f"{cohort}/{mentorship}") from error
        raise
    if outcome != "done":
        raise RefusedChange(outcome)
    return outcome


async def _update(handle: WorkflowHandle[Any, Any], event: Event, *, wait: bool) -> str:
    """The outcome of an event. Sent again where Temporal dropped it with a task whose result it refused: something
    else had come meanwhile, or it does not know an attribute yet. Nothing is done twice: the id is the same."""
    for pause in PAUSES:
        try:
            return await _update_once(handle, event, wait=wait)
        except RPCError as error:
            if not _is_dropped(error):
                raise
        await asyncio.sleep(pause)
    return await _update_once(handle, event, wait=wait)


async def _update_once(handle: WorkflowHandle[Any, Any], event: Event, *, wait: bool) -> str:
    stage = WorkflowUpdateStage.COMPLETED if wait else WorkflowUpdateStage.ACCEPTED
    update = await handle.start_update(
        type(event).__name__, event, id=event.id, wait_for_stage=stage, result_type=str, rpc_timeout=AN_UPDATE
    )
    return await update.result() if wait else "done"


def _is_dropped(error: RPCError) -> bool:
    details = error.grpc_status.details if error.status is RPCStatusCode.FAILED_PRECONDITION else ()
    return any(detail.Is(WorkflowNotReadyFailure.DESCRIPTOR) for detail in details)


class Teller:
    """Sends workflows events that were committed to SQL; used by the pages and the relay."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(
        self, cohort: str, mentorship: str, event: str, payload: dict[str, Any], _update_id: str
    ) -> None:
        """Send one event. A refusal is final and returns; what can be tried again raises.

        Raises NoSuchMentorship where no workflow runs: whether one must run is written in the database.
        """
        happened = _ADAPTERS[event].validate_python(payload)
        try:
            await send(self.client, cohort, mentorship, happened, wait=False)
        except RefusedChange as final:
            log.info("not_taken", cohort=cohort, mentorship=mentorship, event_name=event, why=type(final).__name__)


class Waker:
    """Wakes the postmaster of a shard, and starts it if it has never run."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings

    async def __call__(self, shard: int) -> None:
        """Signal the postmaster of this shard that something is due earlier than it knows."""
        await self.client.start_workflow(
            PostmasterWorkflow.run,
            PostmasterInput(shard=shard, pace=pace_of(self.settings)),
            id=postmaster_id(shard),
            task_queue=self.settings.task_queue,
            static_summary=f"delivers the mail of shard {shard}",
            start_signal="wake",
        )


async def register_search_attributes(client: Client) -> list[str]:
    """Make sure that the namespace knows every search attribute; the names of those that were added."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = [key for key in search_attributes.ALL if key.name not in known.custom_attributes]
    if missing:
        await add_search_attributes(client, missing)
    return sorted(key.name for key in missing)


async def add_search_attributes(client: Client, keys: Iterable[SearchAttributeKey]) -> None:
    """Add search attributes that the namespace doesn't have."""
    kinds = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in keys}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    )


class Starter:
    """Starts the workflow of a mentorship that a coordinator has launched, or starts it again.

    Each one bears when its cohort was launched, by which it is told from one that another database had launched
    under the same id before.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings

    async def __call__(self, planned: Planned, frozen: FrozenProgram) -> bool:
        """Start it once; if it was started before, it is left alone. False where that one is another database's."""
        try:
            await self._start(planned, frozen, None, WorkflowIDReusePolicy.REJECT_DUPLICATE)
        except WorkflowAlreadyStartedError:
            id_ = mentorship_id(planned.cohort, planned.key)
            known = await self.client.get_workflow_handle(id_).describe()
            return _is_ours(await known.memo(), planned.launched_at)
        return True

    async def start_again(
        self, planned: Planned, frozen: FrozenProgram, state: State | None, *, replace: bool = False
    ) -> bool:
        """Start a mentorship that has no running workflow, from its state; without one, from its beginning.

        False where a workflow runs already, or has come to its end by itself: that one is left alone. `replace`: it
        is terminated instead, for it is behind the database.
        """
        reuse, conflict = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, WorkflowIDConflictPolicy.FAIL
        if replace:
            reuse, conflict = WorkflowIDReusePolicy.ALLOW_DUPLICATE, WorkflowIDConflictPolicy.TERMINATE_EXISTING
        try:
            await self._start(planned, frozen, state, reuse, conflict)
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _start(
        self,
        planned: Planned,
        frozen: FrozenProgram,
        state: State | None,
        reuse: WorkflowIDReusePolicy,
        conflict: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
    ) -> None:
        start = MentorshipInput(
            cohort=planned.cohort,
            key=planned.key,
            program=numbers_of(frozen.program),
            start=planned.start,
            zone=planned.zone,
            launched_on=planned.launched_on,
            members=[Member(seat.person, seat.role, seat.zone) for seat in planned.members],
            coordinators=list(planned.coordinators),
            deputies=list(planned.deputies),
            holidays=list(planned.holidays),
            pace=pace_of(self.settings),
            state=replace(state, schema=SCHEMA) if state else None,
            schema=SCHEMA,
        )
        await self.client.start_workflow(
            MentorshipWorkflow.run,
            start,
            id=mentorship_id(planned.cohort, planned.key),
            task_queue=self.settings.task_queue,
            id_reuse_policy=reuse,
            id_conflict_policy=conflict,
            memo={LAUNCHED: planned.launched_at.isoformat()},
            search_attributes=search_attributes.at_start(planned.cohort, planned.program),
            static_summary=f"{planned.key} of {planned.cohort} ({frozen.program.format}, {planned.program})",
        )


async def foreign(client: Client, cohort: str, launched_at: datetime | None) -> list[str]:
    """Keys of mentorships of this cohort's id that Temporal holds, running or ended, from another database.

    `launched_at` is when this database launched the cohort; None: never yet.
    """
    keys: list[str] = []
    async for execution in client.list_workflows(f"WorkflowType = 'mentorship' AND Cohort = '{cohort}'"):
        if not _is_ours(await execution.memo(), launched_at):
            keys.append(execution.id.removeprefix(mentorship_id(cohort, "")))
    return sorted(set(keys))


def _is_ours(memo: Mapping[str, Any], launched_at: datetime | None) -> bool:
    """Whether a mentorship was launched by this database. One of a release that left no mark counts as ours."""
    if launched_at is None:
        return False
    return memo.get(LAUNCHED, launched_at.isoformat()) == launched_at.isoformat()


async def start_cohort(client: Client, settings: Settings, cohort: str) -> None:
    """Start the workflow of a cohort, or tell the one that runs that there may be mentorships to start."""
    await client.start_workflow(
        CohortWorkflow.run,
        CohortInput(cohort=cohort, pace=pace_of(settings)),
        id=cohort_id(cohort),
        task_queue=settings.task_queue,
        start_signal="launch",
        static_summary=f"cohort {cohort}",
    )
