"""The ledger, the status and the timeline of a small season made by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from lifecycle.commands import CloseTask, EndRequest, Finish, Note, OpenTask, StepRecord
from lifecycle.keys import task_item_key, task_key
from store.database import Database
from store.reports.ledger import ledger
from store.reports.status import Filters, cohorts, counts, open_tasks, status
from store.reports.timeline import MentorshipNotFound, timeline
from store.tables import AnswerRow, ItemRow, MessageRow, RelayRow
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, applied, ask, item, launched, turn

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHECK_IN = StepRecord(
    "check_in", 1, "check_ins", "ask", "open", date(2026, 3, 2), date(2026, 3, 12), None, ("ada", "ben")
)
LATER_STEP = StepRecord("midpoint", 1, "midpoint", "ask", "planned", date(2026, 6, 15), date(2026, 6, 29), None)
HELP = OpenTask(
    task_key(COHORT, PAIR.key, "help", 1), "help", 1, "Somebody asks you to get in touch.", date(2026, 3, 4),
    ("noted", "nudge"), ("ben",),
)  # fmt: skip


async def message(database: Database, person: str, at: datetime, keys: list[str], state: str = "sent") -> None:
    """What the postmaster writes when a mail has gone out."""
    async with database.begin() as session:
        name = f"{person}-{at:%d%H%M}"
        await session.execute(
            insert(MessageRow),
            [{"id": name, "person": person, "cohort": COHORT, "at": at, "local_date": at.date(), "state": state,
              "recipient": f"{person}@example.org", "subject": "Hello Ada", "raw": "Dear Ada", "sent_at": at}],
        )  # fmt: skip
        await session.execute(
            update(ItemRow)
            .where(ItemRow.key.in_(keys))
            .values(state="sent" if state == "sent" else "sending", message=name, done_at=at)
        )


@pytest.fixture
async def season(database: Database) -> Database:
    """Two are asked, one answers in time and asks for help, the other a day late; then they pause."""
    await launched(database)
    told = item(
        "casey", "notice", key=task_item_key(HELP.key, "casey", "task_opened"), name="task_opened", task=HELP.key
    )
    await applied(
        database,
        turn(
            1,
            open_requests=[ask("ada", "mentor"), ask("ben")],
            posts=[item("ada"), item("ben")],
            steps=[CHECK_IN, LATER_STEP],
            awaited=("ada", "ben"),
            health="quiet",
        ),
    )
    await message(database, "ada", LAUNCH, [item("ada").key])
    await message(database, "ben", NOON + timedelta(hours=1), [item("ben").key])
    await answer(database, "ben", NOON + timedelta(hours=2), "ben.1", late=False)
    await applied(
        database,
        turn(2, NOON + timedelta(hours=2), open_tasks=[HELP], posts=[told, item("ada", "reminder", 1)]),
        turn(
            3,
            NOON + timedelta(days=1),
            close_tasks=[CloseTask(HELP.key, "noted", "casey")],
            notes=[Note("paused", detail="2026-04-01")],
            paused_until="2026-04-01",
        ),
        turn(
            4,
            NOON + timedelta(days=11),
            end_requests=[EndRequest(ask("ada").key, "closed")],
            paused_until="2026-04-01",
            awaited=("ada",),
        ),
    )
    await message(database, "casey", NOON + timedelta(hours=3), [told.key], "ambiguous")
    await answer(database, "ada", NOON + timedelta(days=12), "ada.1", late=True)
    return database


async def answer(database: Database, person: str, at: datetime, submission: str, *, late: bool) -> None:
    async with database.begin() as session:
        await session.execute(
            insert(AnswerRow),
            [{"request": ask(person).key, "version": 1, "submission": submission, "person": person, "late": late,
              "form": "check_in", "form_version": 1, "body": {"p_word": "Dear Casey"}, "at": at}],
        )  # fmt: skip


async def ledger_of(database: Database) -> dict[str, Any]:
    async with database.session() as session:
        return await ledger(session, COHORT)


async def test_the_ledger_of_a_small_season(season: Database) -> None:
    asked = {"kind": "request", "name": "check_in", "number": 1, "mentorship": PAIR.key}
    assert await ledger_of(season) == {
        "mails": [
            {
                "person": "ada",
                "at": "2026-03-02T09:00+01:00",
                "items": [{"key": "spring/ada-ben/check_in#1/ada/request", **asked}],
            },
            {
                "person": "ben",
                "at": "2026-03-02T08:00-05:00",
                "items": [{"key": "spring/ada-ben/check_in#1/ben/request", **asked}],
            },
            {
                "person": "casey",
                "at": "2026-03-02T16:00+01:00",
                "items": [
                    {
                        "key": "spring/ada-ben/task.help#1/casey/task_opened",
                        "kind": "notice",
                        "name": "task_opened",
                        "number": 1,
                        "mentorship": PAIR.key,
                    }
                ],
            },
        ],
        "dropped": [
            {
                "key": "spring/ada-ben/check_in#1/ada/reminder.1",
                "reason": "paused",
                "at": "2026-03-03T13:00+01:00",
            }
        ],
        "steps": [
            {
                "mentorship": PAIR.key,
                "name": "check_in",
                "number": 1,
                "opens": "2026-03-02",
                "closes": "2026-03-12",
                "settled": None,
                "state": "open",
            },
            {
                "mentorship": PAIR.key,
                "name": "midpoint",
                "number": 1,
                "opens": "2026-06-15",
                "closes": "2026-06-29",
                "settled": None,
                "state": "planned",
            },
        ],
        "answers": [
            {
                "mentorship": PAIR.key,
                "person": "ben",
                "form": "check_in",
                "number": 1,
                "at": "2026-03-02T09:00-05:00",
                "late": False,
            },
            {
                "mentorship": PAIR.key,
                "person": "ada",
                "form": "check_in",
                "number": 1,
                "at": "2026-03-14T13:00+01:00",
                "late": True,
            },
        ],
        "tasks": [
            {
                "mentorship": PAIR.key,
                "kind": "help",
                "opened": "2026-03-02",
                "due": "2026-03-04",
                "closed": "2026-03-03",
                "decision": "noted",
            }
        ],
        "endings": [],
    }


async def test_the_ledger_names_nobody_and_tells_no_answer(season: Database) -> None:
    text = json.dumps(await ledger_of(season))
    for secret in ("Ada", "Ben", "Casey", "@", "Dear", "Hello", "touch"):
        assert secret not in text


async def test_items_of_one_mail_stand_in_one_mail_and_other_cohorts_in_none(season: Database) -> None:
    extra = item("ada", "notice", key=f"{COHORT}/{PAIR.key}/get_going#1/ada/notice", name="get_going", request="")
    await applied(season, turn(5, NOON + timedelta(days=40), posts=[extra]))
    await message(season, "ada", NOON + timedelta(days=41), [extra.key, item("ada", "reminder", 1).key])
    mails = (await ledger_of(season))["mails"]
    assert [len(mail["items"]) for mail in mails] == [1, 1, 1, 2]
    async with season.session() as session:
        assert (await ledger(session, "autumn"))["mails"] == []


async def test_endings_are_dated_in_the_cohorts_zone(season: Database) -> None:
    await applied(season, turn(5, over=True, finish=Finish("ended_early", "no_fault", date(2026, 5, 4))))
    assert (await ledger_of(season))["endings"] == [
        {"mentorship": PAIR.key, "ending": "ended_early", "reason": "no_fault", "on": "2026-05-04"}
    ]


async def test_a_mail_that_waits_for_its_relay_has_not_gone_out(season: Database) -> None:
    async with season.begin() as session:
        await session.execute(update(MessageRow).where(MessageRow.person == "ada").values(state="deferred"))
    assert [mail["person"] for mail in (await ledger_of(season))["mails"]] == ["ben", "casey"]


# -- for human eyes --------------------------------------------------------------------------------------------


async def test_status_is_one_line_a_mentorship_with_names(season: Database) -> None:
    async with season.session() as session:
        group, pair = sorted(await status(session, COHORT), key=lambda line: line.key, reverse=True)
        assert [line.key for line in await status(session, COHORT)] == [PAIR.key, GROUP.key]
    assert (pair.state, pair.phase, pair.paused_until) == ("running", "check_ins", "2026-04-01")
    assert [(who.name, who.role) for who in pair.people] == [("Ada Mentor", "mentor"), ("Ben Mentee", "mentee")]
    assert [who.name for who in pair.awaited] == ["Ada Mentor"]
    assert (group.state, [who.id for who in group.people]) == ("planned", ["ben", "cleo", "dan"])


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        (Filters(), [PAIR.key, GROUP.key]),
        (Filters(state="planned"), [GROUP.key]),
        (Filters(phase="check_ins"), [PAIR.key]),
        (Filters(health="trouble"), []),
        (Filters(person="ben"), [PAIR.key, GROUP.key]),
        (Filters(person="cleo"), [GROUP.key]),
        (Filters(program="informal"), []),
        (Filters(with_tasks=True), []),
    ],
)
async def test_status_shows_what_is_asked_for(season: Database, filters: Filters, keys: list[str]) -> None:
    async with season.session() as session:
        assert [line.key for line in await status(session, COHORT, filters)] == keys


async def test_a_timeline_tells_everything_in_order_and_what_comes_next(season: Database) -> None:
    async with season.session() as session:
        found = await timeline(session, COHORT, PAIR.key)
    assert [(h.what, h.name, h.person.name if h.person else "", h.detail) for h in found.happened] == [
        ("mail", "check_in", "Ada Mentor", ""),
        ("mail", "check_in", "Ben Mentee", ""),
        ("answer", "check_in", "Ben Mentee", ""),
        ("task_opened", "help", "", "Somebody asks you to get in touch."),
        ("mail", "task_opened", "Casey Coordinator", "ambiguous"),
        ("event", "paused", "", "2026-04-01"),
        ("task_closed", "help", "", "noted"),
        ("dropped", "check_in", "Ada Mentor", "paused"),
        ("answer", "check_in", "Ada Mentor", "late"),
    ]
    assert [(step.name, step.opens, [who.id for who in step.awaited]) for step in found.ahead] == [
        ("check_in", date(2026, 3, 2), ["ada", "ben"]),
        ("midpoint", date(2026, 6, 15), []),
    ]
    assert (found.zone, found.tasks) == ("Europe/Paris", ())


async def test_a_timeline_of_nothing_is_refused(season: Database) -> None:
    async with season.session() as session:
        with pytest.raises(MentorshipNotFound, match="no mentorship 'elsewhere' in the cohort 'spring'"):
            await timeline(session, COHORT, "elsewhere")


async def test_open_tasks_come_with_what_it_takes_to_decide_them(season: Database) -> None:
    low = OpenTask(
        task_key(COHORT, PAIR.key, "low_score", 1),
        "low_score",
        1,
        "A low mark.",
        date(2026, 3, 9),
        ("noted",),
        ("ben",),
    )
    pressing = OpenTask(
        task_key(COHORT, GROUP.key, "help", 1), "help", 1, "Help is asked for.", date(2026, 3, 4), ("noted",)
    )
    await applied(season, turn(5, open_tasks=[low]), turn(1, mentorship=GROUP.key, open_tasks=[pressing]))
    async with season.session() as session:
        found = await open_tasks(session)
        assert [task.key for task in found] == [pressing.key, low.key]
        assert [who.name for who in found[1].about] == ["Ben Mentee"]
        assert [who.name for who in found[0].people] == ["Ben Mentee", "Cleo Mentee", "Dan Mentee"]
        assert [task.key for task in await open_tasks(session, COHORT, due_by=date(2026, 3, 4))] == [pressing.key]
        assert await open_tasks(session, "autumn") == []


async def test_the_numbers_of_a_status_page(season: Database) -> None:
    async with season.begin() as session:
        await session.execute(
            insert(RelayRow),
            [{"id": "r", "cohort": COHORT, "mentorship": PAIR.key, "event": "Seen", "payload": {}, "at": NOON}],
        )
    late = OpenTask(task_key(COHORT, PAIR.key, "silent", 1), "silent", 1, "Silence.", date(2026, 3, 9), ("noted",))
    await applied(season, turn(5, open_tasks=[late]))
    async with season.session() as session:
        found = await counts(session, COHORT, date(2026, 3, 10))
        assert [row.id for row in await cohorts(session)] == [COHORT]
    assert found.mentorships == {"planned": 1, "running": 1}
    assert found.phases == {"check_ins": 1}
    assert found.requests == {"closed": 1, "open": 1}
    assert found.messages == {"ambiguous": 1, "sent": 2}
    assert found.items == {"dropped": 1, "sending": 1, "sent": 2}
    assert (found.answers, found.tasks_open, found.tasks_overdue, found.relays) == (2, 1, 1, 1)
    assert found.endings == {}
