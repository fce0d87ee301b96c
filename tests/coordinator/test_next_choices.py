"""The page of the task about an empty seat shows who could take it; one click and a confirmation seat them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import select, update
from temporalio.client import Client

from lifecycle.events import Answered
from lifecycle.findings import Signals
from operations.applications.written_out import written_out
from operations.audit import COMMAND_LINE
from operations.matching.publish import draft, publish
from operations.mentorships import decide
from program.models import Format
from store.columns import public_id
from store.tables import MembershipRow, PlanRow, TaskRow
from testing.environments.coordinator_env import signed_in
from testing.environments.core_client import CoreClient
from testing.environments.open_call import COHORT as CALL
from testing.environments.open_call import call_program, launch_call, loaded_call
from testing.environments.web_env import COHORT, WebEnv
from tests.coordinator.test_matching import applicants
from tests.operations.test_next_choices import applies, refuses
from web.app import create_app
from workflows.ids import mentorship_id

KEY = "m01"


async def test_a_choice_is_seen_and_confirmed(web_env: WebEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "SHOWN_WITHIN", 0.1)  # this process writes no turns
    env, ids = web_env, await applicants(web_env)
    made = await draft(env.database, COHORT, pairs=[(ids["Rosa"], ids["Otto"])])
    await publish(env.database, None, env.settings, made, env.now, by="coco", proof=COMMAND_LINE)
    core = CoreClient(env.database, env.now)
    async with env.database.session() as session:
        loaded = await written_out(session, COHORT)
    start = env.now.date() + timedelta(days=30)
    mine = tuple(one.model_copy(update={"start": start}) for one in loaded.cohort.mentorships if one.key == KEY)
    programs = {id_: used.program for id_, used in loaded.used.items()}
    await core.run(loaded.cohort.model_copy(update={"mentorships": mine}), programs)
    declined = Answered("no", ids["Otto"], "invitation", 1, Signals(accepted=False), datetime.now(UTC))
    assert core.take((COHORT, KEY), declined) == ""
    await core.write([(COHORT, KEY)])
    state = core.states[mentorship_id(COHORT, KEY)]
    [opened] = [task.key for task in state.tasks.values()]
    day = env.now.date()
    async with env.database.begin() as session:
        session.add(
            TaskRow(
                key=opened, public_id=public_id(opened), cohort=COHORT, mentorship=KEY, kind="seat_empty",
                number=1, reason="Somebody said no.", about=[ids["Otto"]], decisions=["wait", "replace", "end"],
                due=day, opened_at=env.now, opened_on=day,
            )
        )  # fmt: skip
        await session.execute(
            update(MembershipRow).where(MembershipRow.person == ids["Otto"]).values(standing="declined")
        )
    env.app = create_app(env.settings, env.database, env.tell, lambda: env.now, env.wake, cast(Client, core))
    path = f"/c/tasks/{public_id(opened)}"
    async with signed_in(env, "coco") as client:
        page = (await client.get(path)).text
        offered = re.findall(r'name="newcomer" value="(\w+)"', page)
        assert offered == [ids["Nele"], ids["Pia"]], "two steps are worth more than one"
        assert "steps above" in page
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        assert form["decision"] == "replace"
        seen = await client.post(path, data=form | {"newcomer": ids["Nele"]})
        assert "/c/plans/" in str(seen.url), seen.text
        assert "Nele" in seen.text
        assert ids["Nele"] not in [member.person for member in state.members], (
            "nothing is done before it is confirmed"
        )
        done = await client.post(str(seen.url), data={"why": "next in line"})
        assert done.status_code in (200, 202), done.text
    assert {member.person for member in state.seats()} == {ids["Rosa"], ids["Nele"]}
    async with env.database.session() as session:
        assert (await session.scalars(select(PlanRow.act))).all() == ["decide"]


@pytest.mark.parametrize("format_", ["peer", "reverse", "group"])
async def test_the_task_of_every_format_offers_who_could_take_the_seat(web_env: WebEnv, format_: Format) -> None:
    env = web_env
    if format_ == "group":
        pytest.importorskip("highspy")
    await launch_call(env.database, loaded_call(program=call_program(format_)))
    junior, senior = {"grade": "EO", "unit": "Health"}, {"grade": "SEO", "unit": "Finance"}
    sides = {
        "peer": (("peer", junior), ("peer", senior)),
        "reverse": (("mentor", junior), ("mentee", senior)),
        "group": (("mentor", senior), ("mentee", junior)),
    }[format_]
    (first_role, first), (second_role, second) = sides
    stays = await applies(env.database, format_, first_role, "stays", **first)
    goes = [await applies(env.database, format_, second_role, f"g{n}", **second) for n in range(_second(format_))]
    could = await applies(env.database, format_, second_role, "could", **second)
    made = await draft(env.database, CALL, pairs=[(stays, one) for one in goes])
    await publish(env.database, None, env.settings, made, env.now, by="coco", proof=COMMAND_LINE)
    await refuses(env.database, goes[0])
    key = f"{CALL}/m01/seat_empty#1"
    async with env.database.begin() as session:
        session.add(
            TaskRow(
                key=key, public_id=public_id(key), cohort=CALL, mentorship=KEY, kind="seat_empty", number=1,
                reason="Somebody said no.", about=[goes[0]], decisions=["wait", "replace", "end"],
                due=env.now.date(), opened_at=env.now, opened_on=env.now.date(),
            )
        )  # fmt: skip
    async with signed_in(env, "coco") as client:
        page = (await client.get(f"/c/tasks/{public_id(key)}")).text
    assert re.findall(r'name="newcomer" value="(\w+)"', page) == [could]


def _second(format_: str) -> int:
    """How many of the second role are in a mentorship."""
    return 3 if format_ == "group" else 1
