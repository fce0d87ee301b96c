"""Two releases side by side: what began on one stays there until a quiet moment, and then goes on with the next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from temporalio.api.enums.v1 import VersioningBehavior
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.service import RPCError

from lifecycle.events import Pause, Resume
from runtime.smtp import transport_of
from testing.cohorts.cases import Case
from testing.environments.dev_server_env import DevServerEnv, run_on_dev_server, until
from testing.servers.dev_server import Address
from worker import make_worker
from workflows import search_attributes
from workflows.ids import cohort_id, mentorship_id, postmaster_id

PAIR = Case("pair", "clock")
LATER = datetime.now(UTC).date() + timedelta(days=30)


async def make_current(env: DevServerEnv, build_id: str) -> None:
    """What `temporal worker deployment set-current-version` does, once a worker of this version has been seen."""
    order = SetWorkerDeploymentCurrentVersionRequest(
        namespace=env.client.namespace,
        deployment_name=env.settings.deployment,
        build_id=build_id,
        ignore_missing_task_queues=True,
    )

    async def taken() -> bool:
        with suppress(RPCError):
            await env.client.workflow_service.set_worker_deployment_current_version(order)
            return True
        return False

    await until(taken)


async def runs_on(env: DevServerEnv, workflow: str) -> tuple[str, str]:
    """The version on which a workflow runs, and how it clings to it."""
    description = await env.client.get_workflow_handle(workflow).describe()
    info = description.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id, VersioningBehavior.Name(info.behavior)


async def test_a_mentorship_goes_on_with_the_newer_version_at_a_quiet_moment(
    early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path
) -> None:
    pinned = "VERSIONING_BEHAVIOR_PINNED"
    async with run_on_dev_server(early_server, new_sqlite(), tmp_path, PAIR, build_id="one") as env:
        await make_current(env, "one")
        await env.launch()
        workflows = mentorship_id(env.cohort, "pair"), cohort_id(env.cohort), postmaster_id(0)
        for workflow in workflows:
            await until(lambda workflow=workflow: _on(env, workflow, "one", pinned))
        newer = env.settings.model_copy(update={"build_id": "two"})
        transport = transport_of(newer)
        async with make_worker(env.client, newer, env.database, transport):
            assert await env.send("pair", Pause("op/before", LATER, "c1")) == "done"
            assert await runs_on(env, workflows[0]) == ("one", pinned), "a newer worker is there, and not current"
            await make_current(env, "two")

            # The server tells a workflow with its next turn; what is under way there is finished on the old version.
            turns = count()

            async def moved() -> bool:
                await env.send("pair", Pause(f"op/pause/{next(turns)}", LATER, "c1"))
                await env.client.get_workflow_handle(workflows[1]).signal("launch")
                await env.client.get_workflow_handle(workflows[2]).signal("wake")
                return [await runs_on(env, workflow) for workflow in workflows] == [("two", pinned)] * 3

            await until(moved)
            paused = (await env.noted("pair")).count("paused")
            assert await env.send("pair", Pause("op/before", LATER, "c1")) == "done"
            assert (await env.noted("pair")).count("paused") == paused, "what happened on the old version is known"
            shown = (await env.workflow("pair").describe()).typed_search_attributes
            assert shown[search_attributes.PAUSED] is True
            assert await env.send("pair", Resume("op/after", "c1")) == "done"
            assert (await env.noted("pair"))[-1] == "resumed"
        await transport.close()


async def _on(env: DevServerEnv, workflow: str, build_id: str, behaviour: str) -> bool:
    with suppress(RPCError):
        return await runs_on(env, workflow) == (build_id, behaviour)
    return False
