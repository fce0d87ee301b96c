"""The first page: tasks with the answers behind them, what needs a look, what goes out, and an empty day."""

from __future__ import annotations

from datetime import date, timedelta

from lifecycle.keys import task_item_key, task_key
from store.columns import public_id
from store.tables import AuditRow, CohortPersonRow, ItemRow, MentorshipRow, ParticipantRow, TaskRow
from testing.coordinator_env import signed_in
from testing.web_env import COHORT, NOW, WebEnv, filled_in, send


async def put_task(env: WebEnv, kind: str, due: date, about: list[str], mentorship: str = "pair") -> str:
    """Open a task, as a turn of its mentorship does, and tell nobody of it."""
    key = task_key(COHORT, mentorship, kind, 1)
    async with env.database.begin() as session:
        session.add(
            TaskRow(
                key=key,
                cohort=COHORT,
                mentorship=mentorship,
                kind=kind,
                number=1,
                reason="A question about the relationship was answered low.",
                about=about,
                decisions=["noted", "nudge", "pause"],
                due=due,
                opened_at=NOW,
                opened_on=NOW.date(),
            )
        )
    return key


async def tell(env: WebEnv, task: str, person: str) -> None:
    """Queue the item that tells somebody of a task."""
    async with env.database.begin() as session:
        session.add(
            ItemRow(
                key=task_item_key(task, person, "task_opened"), person=person, kind="urgent", name="task_opened",
                number=1, cohort=COHORT, mentorship="pair", date=NOW.date(), task=task, queued_at=NOW,
                deliver_at=NOW + timedelta(days=1),
            )
        )  # fmt: skip


async def test_a_task_stands_with_the_low_answer_behind_it_and_its_decisions(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    typed = await filled_in(web_env, path, p_open="2", p_word="May we talk? <b>soon</b>")
    async with web_env.client() as participant:
        assert "Thank you" in (await send(participant, path, typed)).text
    low = await put_task(web_env, "low_score", NOW.date(), ["ada"])
    await put_task(web_env, "stalled", NOW.date() - timedelta(days=2), [], "pair-2")
    await web_env.change(MentorshipRow, {"key": "peers"}, health="quiet")
    await web_env.change(ParticipantRow, {"id": "cai"}, standing="bounced")
    async with signed_in(web_env, "coco") as client:
        page = (await client.get("/c/")).text
    assert page.index("Overdue") < page.index("A question about the relationship was answered low.")
    assert "I can say what is really on my mind" in page
    assert "2 of 5" in page
    assert f'href="/c/tasks/{public_id(low)}?decision=nudge#decide"' in page
    assert "May we talk? &lt;b&gt;soon&lt;/b&gt;" in page
    assert "In 1 mentorship nobody answered the last check-in" in page
    assert "Mail to 1 person comes back" in page
    assert "2 decisions" in page


async def test_an_empty_day_says_so(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        page = (await client.get("/c/")).text
    assert "Nothing waits for you. Have a good day." in page
    assert "Nobody has gone silent" in page


async def test_a_report_is_there_only_for_those_to_whom_its_task_went(web_env: WebEnv) -> None:
    async with web_env.database.begin() as session:
        session.add(ParticipantRow(id="dora", name="Dora Klein", email="dora@example.org", zone="Europe/Berlin"))
        await session.flush()
        session.add(CohortPersonRow(cohort=COHORT, person="dora", role="deputy"))
    safety = await put_task(web_env, "safety", NOW.date(), ["ada"])
    for person, sees in (("coco", False), ("dora", False)):
        async with signed_in(web_env, person) as client:
            assert ("safety or conduct" in (await client.get("/c/")).text) is sees
    await tell(web_env, safety, "dora")
    async with signed_in(web_env, "dora") as client:
        page = (await client.get("/c/")).text
        assert "safety or conduct" in page
        assert ": 1 mail" in page


async def test_an_administrator_sees_how_cohorts_stand_and_no_task(web_env: WebEnv) -> None:
    await put_task(web_env, "low_score", NOW.date(), ["ada"])
    async with signed_in(web_env, granted=("administrator",)) as client:
        page = (await client.get("/c/")).text
    assert "Spring 2027" in page
    assert "answered low" not in page
    assert await web_env.count(AuditRow) == 1  # the sign-in
