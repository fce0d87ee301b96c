"""The saved views of docs/operations.md, asked of a real server: each finds the mentorships that it promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from lifecycle.events import Bounced, Decided, Leave, Pause
from runtime.temporal_ui import TemporalUI
from store.tables import TaskRow
from testing.cohorts.cases import Case
from testing.environments.dev_server_env import DevServerEnv, run_on_dev_server, until
from testing.servers.dev_server import Address
from tools.scripts.screenshots import PICTURED_VIEWS, saved, views

TODAY = datetime.now(UTC).date()

EVERY = {"calm", "left", "paused", "over"}
FOUND: dict[str, set[str]] = {
    "Needs a coordinator": {"left"},
    "Safety reports": set(),
    "Gone quiet": set(),
    "Paused": {"paused"},
    "Waiting for people to accept": {"calm", "left", "paused"},
    "In their last phase": set(),
    "One cohort": EVERY,
    "Next step before a date": {"calm", "left"},
    "Several open tasks": set(),
    "Over, follow-up ahead": set(),
    "All over": {"over"},
    "Mail and cohorts": set(),
    "Stuck in their code": set(),
}
"""By saved view, which of the mentorships below it finds."""


@pytest.fixture
async def env(early_server: Address, new_sqlite: Callable[[], str], tmp_path: Path):
    """One that nothing happened to, one that somebody left, a paused one, one that is over."""
    async with run_on_dev_server(
        early_server, new_sqlite(), tmp_path, *(Case(key, "clock") for key in sorted(EVERY))
    ) as found:
        await found.launch()
        yield found


async def decide(env: DevServerEnv, key: str, decision: str) -> None:
    """Decide the task of a mentorship."""
    async with env.database.session() as session:
        task = await session.scalar(
            select(TaskRow.key).where(TaskRow.cohort == env.cohort, TaskRow.mentorship == key)
        )
    assert task is not None
    await env.send(key, Decided(f"op/{key}/{decision}", task, decision, "c1"))


async def test_every_saved_view_finds_what_its_name_says(env: DevServerEnv) -> None:
    for key in ("left", "over"):
        await env.send(key, Leave(f"op/leave/{key}", f"{key}-mentee"))
    await decide(env, "over", "end")
    await env.send("paused", Pause("op/pause", TODAY + timedelta(days=30), "c1"))
    assert FOUND.keys() == views().keys()
    for name, query in views().items():
        asked = query.replace('"spring"', f'"{env.cohort}"').replace("2027-03-08", f"{TODAY + timedelta(days=20)}")
        of_cohort = f'({asked}) AND Cohort = "{env.cohort}"'

        async def found(query: str = of_cohort, wanted: set[str] = FOUND[name]) -> bool:
            return {one.id.rpartition("/")[2] async for one in env.client.list_workflows(query)} == wanted

        # What the list shows follows what happens by a moment.
        try:
            await until(found, seconds=10)
        except TimeoutError:
            shown = {one.id async for one in env.client.list_workflows(of_cohort)}
            pytest.fail(f"{name}: {asked} finds {shown}")


async def test_mail_and_cohorts_are_found_too(env: DevServerEnv) -> None:
    async def found() -> bool:
        query = views()["Mail and cohorts"]
        return {one.id async for one in env.client.list_workflows(query)} >= {
            f"cohort/{env.cohort}",
            "postmaster/0",
        }

    await until(found)


async def test_the_card_names_what_is_in_the_way(env: DevServerEnv) -> None:
    assert "Trouble" not in await env.card("calm")
    await env.send("calm", Bounced("op/bounced", "calm-mentee"))
    assert "| Trouble | mail to calm-mentee is refused for good |" in await env.card("calm")


def test_a_link_saves_a_view() -> None:
    link = saved(TemporalUI("http://127.0.0.1:8233", "default"), "Paused")
    assert link == (
        "http://127.0.0.1:8233/namespaces/default/workflows?query=Paused%20%3D%20true%20AND%20ExecutionStatus"
        "%20%3D%20%22Running%22&savedQuery=Paused"
    )
    assert views().keys() >= set(PICTURED_VIEWS)
