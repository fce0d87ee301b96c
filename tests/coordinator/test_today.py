"""The first page: tasks with the answers behind them, what needs a look, what goes out, and an empty day."""

from __future__ import annotations

import re
from datetime import date, timedelta

from sqlalchemy import event

from lifecycle.keys import task_item_key, task_key
from operations.views.today import day_of
from store.columns import public_id
from store.database import Database
from store.reports.search import search
from store.tables import AuditRow, CohortPersonRow, ItemRow, MentorshipRow, ParticipantRow, TaskRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, NOW, WebEnv, filled_in, launch, send, web_env_of


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


async def test_what_people_wrote_stands_in_pages_the_latest_first(web_env: WebEnv) -> None:
    """Twenty on a page; what was taken back by a later answer is not among them, nor what is about safety."""
    who = [(person, key) for key in ("pair", "reverse", "peers", "group") for person in ("ada",)]
    written: list[str] = []
    for number in range(1, 8):
        for person, key in who:
            path = await web_env.ask("check_in", person, key, number)
            written.append(path)
            async with web_env.client() as participant:
                typed = await filled_in(web_env, path, p_word=f"Word {len(written):02}.")
                assert "Thank you" in (await send(participant, path, typed)).text
    async with web_env.client() as participant:
        taken_back = await filled_in(web_env, written[-1], p_word="")
        await send(participant, written[-1], taken_back)
        safety = await filled_in(web_env, written[-2], p_help="safety", p_word="A secret word.")
        await send(participant, written[-2], safety)
    async with signed_in(web_env, "coco") as client:
        first = (await client.get("/c/")).text
        second = (await client.get("/c/?wrote=2")).text
        beyond = await client.get("/c/?wrote=99")
    on_first, on_second = (re.findall(r"<q>Word (\d\d)\.</q>", page) for page in (first, second))
    assert (len(on_first), on_first + on_second) == (20, [f"{n:02}" for n in range(26, 0, -1)])
    assert "The latest 20 answers with words for you" in first
    assert 'href="/c/?wrote=2#wrote">Older' in first
    assert 'href="/c/?wrote=1#wrote">Newer' in second
    assert "Older" not in second
    assert "A secret word." not in first + second
    assert (beyond.status_code, "Newer" in beyond.text) == (200, True)


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
        assert re.search(r": 1 mail to 1 person</summary><a href=\"/c/people/dora\">Dora Klein</a>", page)


async def test_an_administrator_sees_how_cohorts_stand_and_no_task(web_env: WebEnv) -> None:
    await put_task(web_env, "low_score", NOW.date(), ["ada"])
    async with signed_in(web_env, granted=("administrator",)) as client:
        page = (await client.get("/c/")).text
    assert "Spring 2027" in page
    assert "answered low" not in page
    assert await web_env.count(AuditRow) == 1  # the sign-in


async def test_the_first_page_takes_eight_statements_however_many_tasks_there_are(web_env: WebEnv) -> None:
    for mentorship in ("pair", "pair-2", "peers", "group"):
        await put_task(web_env, "low_score", NOW.date(), ["ada"], mentorship)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    async with signed_in(web_env, "coco") as client:
        await client.get("/c/")
        event.listen(web_env.database.engine.sync_engine, "before_cursor_execute", note)
        assert (await client.get("/c/")).status_code == 200
    assert len(statements) <= 8, statements


async def test_the_day_and_the_search_read_the_same_on_either_database(database: Database) -> None:
    await launch(database)
    env = web_env_of(database, "https://pages.test")
    path = await env.ask("check_in", "ada")
    async with env.client() as participant:
        await send(participant, path, await filled_in(env, path, p_open="2", p_word="May we talk?"))
    task = await put_task(env, "low_score", NOW.date(), ["ada"])
    await tell(env, task, "coco")
    await env.change(ParticipantRow, {"id": "cai"}, standing="bounced")
    await env.change(MentorshipRow, {"key": "peers"}, health="quiet", next_on=NOW.date(), next_step="check_in 2")
    day = await day_of(database, NOW, person="coco", deciding=[COHORT], looking=None)
    assert [entry.behind[0].answer.text for entry in day.tasks]
    assert [one.key for one in day.quiet] == ["peers"]
    assert [one.id for one in day.bounced] == ["cai"]
    assert [word.text for word in day.words] == ["May we talk?"]
    assert (len(day.outgoing), day.ahead) == (1, ((NOW.date(), "check_in 2", 1),))
    async with database.session() as session:
        found = await search(session, "lindqvist", [COHORT])
    assert ([one.id for one in found.people], len(found.mentorships)) == (["ada"], 4)
