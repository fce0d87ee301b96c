"""A database from a backup: what may have been mailed is put aside, what is not due yet goes out."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import insert, select

from lifecycle.commands import OpenTask
from store.database import Database
from store.mentorships.restore import RESTORED, Standing, close_what_is_over, may_have_gone_out, put_aside, standings
from store.tables import MessageRow, RequestRow, TaskRow
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, applied, ask, item, launched, states, turn

LATER = LAUNCH + timedelta(days=2)
TASK = OpenTask(f"{COHORT}/{PAIR.key}/task.help#1", "help", 1, "Somebody asks for a word.", LATER.date(), ("noted",))


async def season(database: Database) -> None:
    """Two items that are due, one that is not, a request, a task, and a mail on its way."""
    await launched(database)
    await applied(
        database,
        turn(
            1,
            open_requests=[ask("ben")],
            open_tasks=[TASK],
            posts=[item("ben"), item("ada", "receipt"), item("ben", "reminder", date=date(2026, 3, 9))],
        ),
    )
    mail = {"id": "m", "person": "ada", "cohort": COHORT, "at": LAUNCH, "local_date": LAUNCH.date(),
            "recipient": "ada@example.org", "subject": "s", "raw": "r", "state": "deferred",
            "next_try_at": LATER}  # fmt: skip
    async with database.begin() as session:
        await session.execute(insert(MessageRow), [mail])


async def test_what_may_have_gone_out_is_put_aside_and_what_is_not_due_stays(database: Database) -> None:
    await season(database)
    async with database.begin() as session:
        assert await may_have_gone_out(session, LATER) == (2, 2)
        await put_aside(session, LATER)
        assert await may_have_gone_out(session, LATER) == (0, 0)
        [mail] = await session.scalars(select(MessageRow))
        assert (mail.state, mail.error, mail.next_try_at) == ("sent", RESTORED, None)
    assert await states(database) == {
        "check_in#1/ada/receipt": f"dropped {RESTORED}",
        "check_in#1/ben/request": f"dropped {RESTORED}",
        "check_in#1/ben/reminder": "queued",
    }


async def test_what_a_workflow_knows_to_be_over_is_closed(database: Database) -> None:
    await season(database)
    async with database.begin() as session:
        await close_what_is_over(session, turn(5, LATER))
        assert (await session.get_one(RequestRow, ask("ben").key)).state == "closed"
        assert (await session.get_one(TaskRow, TASK.key)).decision == RESTORED
        assert await standings(session) == [
            Standing(COHORT, PAIR.key, "running", 1), Standing(COHORT, GROUP.key, "planned", 0),
        ]  # fmt: skip
