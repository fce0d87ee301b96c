"""One turn of a mentorship, written once: requests, items, tasks, steps, members, endings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update

from lifecycle.commands import (
    Assess,
    CloseTask,
    EndRequest,
    Finish,
    GrowTask,
    MemberRecord,
    MoveRequest,
    Note,
    OpenTask,
    Redeliver,
    StepRecord,
)
from lifecycle.delivery.postbox import LOOK_AFTER
from lifecycle.keys import task_item_key, task_key
from store.database import Database
from store.mentorships import turns
from store.postbox import UnknownPerson
from store.shards import shard_of, shards_to_wake
from store.tables import (
    AnswerRow,
    Base,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    OutcomeRow,
    ParticipantRow,
    PostmasterRow,
    RequestRow,
    StepRow,
    TaskRow,
)
from testing.cohorts.small_cohort import COHORT, LAUNCH, PAIR, applied, ask, item, launched, states, turn

NINE_IN_PARIS = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NINE_IN_NEW_YORK = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
LATER = LAUNCH + timedelta(days=2)

STALLED = OpenTask(
    key=task_key(COHORT, PAIR.key, "stalled", 1),
    kind="stalled",
    number=1,
    reason="They have not met.",
    due=date(2026, 3, 9),
    decisions=("noted", "end"),
    about=("ben",),
)
TOLD_OF_TASK = item(
    "casey", "notice", key=task_item_key(STALLED.key, "casey", "task_opened"), name="task_opened",
    task=STALLED.key, after_end=True,
)  # fmt: skip
CHECK_IN = StepRecord(
    "check_in", 1, "check_ins", "ask", "open", date(2026, 3, 2), date(2026, 3, 12), None, ("ada", "ben")
)
FULL = turn(
    1,
    open_requests=[ask("ada", "mentor"), ask("ben")],
    posts=[item("ada"), item("ben"), TOLD_OF_TASK],
    open_tasks=[STALLED],
    notes=[Note("one_silent", "ben", "check_in#1")],
    steps=[CHECK_IN],
    members=[MemberRecord("ben", "mentee", "accepted")],
    awaited=("ada", "ben"),
)


@pytest.fixture
async def season(database: Database) -> Database:
    """The small cohort, put down."""
    await launched(database)
    return database


async def rows(database: Database, entity: type[Any], *where: Any) -> list[Any]:
    async with database.session() as session:
        return list(await session.scalars(select(entity).where(*where)))


async def everything(database: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    async with database.session() as session:
        return {
            table.name: sorted(map(repr, await session.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


async def answer(database: Database, person: str, at: datetime, version: int = 1, **body: Any) -> None:
    """What the web pages write when somebody answers the check-in."""
    key = ask(person).key
    async with database.begin() as session:
        await session.execute(
            insert(AnswerRow),
            [{"request": key, "version": version, "submission": f"{person}.{version}", "person": person,
              "form": "check_in", "form_version": 1, "body": body, "at": at}],
        )  # fmt: skip
        await session.execute(
            update(RequestRow).where(RequestRow.key == key).values(state="answered", answered_at=at)
        )


# -- once ------------------------------------------------------------------------------------------------------


async def test_a_batch_applied_twice_is_applied_once(season: Database) -> None:
    (first,) = await applied(season, FULL)
    before = await everything(season)
    (second,) = await applied(season, FULL)
    assert (first.fresh, second.fresh) == (True, False)
    assert await everything(season) == before
    assert second.earliest == first.earliest, "the first attempt may have died before it woke anybody"


async def test_an_older_turn_than_the_last_changes_nothing(season: Database) -> None:
    await applied(season, FULL, turn(2, phase="midpoint"))
    before = await everything(season)
    (again,) = await applied(season, FULL)
    assert not again.fresh
    assert await everything(season) == before


async def test_the_same_batch_from_two_attempts_at_once_is_applied_once(season: Database) -> None:
    found = await asyncio.gather(*(applied(season, FULL) for _ in range(4)))
    assert sorted(one.fresh for (one,) in found) == [False, False, False, True]
    assert len(await rows(season, EventRow)) == 1


async def test_a_turn_takes_few_statements(season: Database) -> None:
    statements: list[str] = []
    engine = season.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    await applied(season, replace(FULL, members=[], open_tasks=[]))
    assert 4 <= len([sql for sql in statements if not sql.startswith("BEGIN")]) <= 8, statements


async def test_a_turn_that_can_not_be_written_whole_is_not_written_at_all(season: Database) -> None:
    before = await everything(season)
    with pytest.raises(UnknownPerson, match="nobody"):
        await applied(season, replace(FULL, posts=[item("ada"), item("nobody")]))
    assert await everything(season) == before


async def test_a_mentorship_that_was_never_put_down_is_refused(season: Database) -> None:
    with pytest.raises(turns.UnknownMentorship, match="elsewhere"):
        await applied(season, turn(1, mentorship="elsewhere"))


# -- what is written -------------------------------------------------------------------------------------------


async def test_a_snapshot_is_what_status_lists_show(season: Database) -> None:
    await applied(season, turn(7, phase="midpoint", health="attention", open_tasks=2, awaited=("ben",)))
    (row,) = await rows(season, MentorshipRow, MentorshipRow.key == PAIR.key)
    assert (row.turn, row.state, row.phase, row.health) == (7, "running", "midpoint", "attention")
    assert (row.open_tasks, row.awaited, row.next_step) == (2, ["ben"], "midpoint 1")


async def test_an_item_is_due_when_its_readers_letterbox_opens(season: Database) -> None:
    (result,) = await applied(season, FULL)
    due = {row.person: row.deliver_at for row in await rows(season, ItemRow)}
    paris, new_york = NINE_IN_PARIS + LOOK_AFTER, NINE_IN_NEW_YORK + LOOK_AFTER
    assert due == {"ada": paris, "ben": new_york, "casey": paris}
    assert result.earliest == {0: paris}


async def test_an_item_keeps_its_first_form_for_ever(season: Database) -> None:
    await applied(season, FULL)
    async with season.begin() as session:
        await session.execute(update(ItemRow).where(ItemRow.person == "ada").values(state="sent"))
    await applied(season, turn(2, LATER, posts=[item("ada", date=date(2026, 5, 1))]))
    (row,) = await rows(season, ItemRow, ItemRow.person == "ada")
    assert (row.state, row.date) == ("sent", date(2026, 3, 2))


async def test_people_are_spread_over_shards_for_ever_the_same_way(season: Database) -> None:
    (result,) = await applied(season, FULL, shards=3)
    assert {row.person: row.shard for row in await rows(season, ItemRow)} == {
        person: shard_of(person, 3) for person in ("ada", "ben", "casey")
    }
    assert set(result.earliest) == {shard_of(person, 3) for person in ("ada", "ben", "casey")}
    assert [shard_of(person, 3) for person in ("ada", "ben", "casey")] == [0, 2, 1]


async def test_a_request_opens_with_an_id_that_says_nothing(season: Database) -> None:
    await applied(season, FULL)
    found = await rows(season, RequestRow)
    assert {(row.person, row.role, row.state, row.mails) for row in found} == {
        ("ada", "mentor", "open", 0),
        ("ben", "mentee", "open", 0),
    }
    for row in found:
        assert row.public_id == turns.public_id(row.key)
        assert len(row.public_id) == 16
        assert row.person not in row.public_id
    assert len({row.public_id for row in found}) == 2


async def test_a_window_moves_and_an_answered_request_opens_again_only_if_told_to(season: Database) -> None:
    await applied(season, FULL)
    await answer(season, "ben", LAUNCH)
    closes, closes_at = date(2026, 3, 20), datetime(2026, 3, 21, 4, 0, tzinfo=UTC)
    moves = [MoveRequest(ask(person).key, closes, closes_at) for person in ("ada", "ben")]
    await applied(season, turn(2, move_requests=moves))
    found = {row.person: row for row in await rows(season, RequestRow)}
    assert {person: (row.state, row.closes_at) for person, row in found.items()} == {
        "ada": ("open", closes_at),
        "ben": ("answered", closes_at),
    }
    await applied(season, turn(3, move_requests=[replace(move, reopen=True) for move in moves]))
    assert {row.state for row in await rows(season, RequestRow)} == {"open"}


@pytest.mark.parametrize(
    ("ends", "open_one", "answered_one"),
    [
        ("closed", "closed", "answered"),
        ("withdrawn", "withdrawn", "withdrawn"),
        ("superseded", "superseded", "superseded"),
    ],
)
async def test_a_request_ends(season: Database, ends: Any, open_one: str, answered_one: str) -> None:
    await applied(season, FULL)
    await answer(season, "ben", LAUNCH)
    ended = [EndRequest(ask(person).key, ends) for person in ("ada", "ben")]
    await applied(season, turn(2, end_requests=ended))
    found = {row.person: row.state for row in await rows(season, RequestRow)}
    assert found == {"ada": open_one, "ben": answered_one}


async def test_a_nudge_delivers_what_is_open_and_not_waiting_again(season: Database) -> None:
    await applied(season, FULL)
    async with season.begin() as session:
        await session.execute(update(ItemRow).where(ItemRow.person == "ada").values(state="sent"))
    nudge = Redeliver((ask("ada").key, ask("ben").key), 1, LATER.date())
    await applied(season, turn(2, LATER, redeliver=[nudge]))
    assert await states(season) == {
        "check_in#1/ada/request": "sent",
        "check_in#1/ada/request.nudge1": "queued",
        "check_in#1/ben/request": "queued",
        "task.stalled#1/casey/task_opened": "queued",
    }
    await answer(season, "ada", LATER)
    await applied(season, turn(3, LATER, redeliver=[replace(nudge, nth=2)]))
    assert "check_in#1/ada/request.nudge2" not in await states(season)


async def test_a_task_opens_grows_and_closes(season: Database) -> None:
    await applied(
        season,
        FULL,
        turn(2, grow_tasks=[GrowTask(STALLED.key, "Again no meeting.", ("ben", "ada"))]),
        turn(3, grow_tasks=[GrowTask(STALLED.key, "Again no meeting.", ("ada",))]),
    )
    (task,) = await rows(season, TaskRow)
    assert task.reason == "They have not met.\nAgain no meeting."
    assert task.about == ["ben", "ada"]
    assert (task.opened_on, task.closed_at) == (date(2026, 3, 2), None)
    late_in_paris = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    await applied(season, turn(4, late_in_paris, close_tasks=[CloseTask(STALLED.key, "noted", "casey")]))
    (task,) = await rows(season, TaskRow)
    assert (task.decision, task.by, task.closed_on) == ("noted", "casey", date(2026, 3, 5))


async def test_a_step_is_written_over_and_a_member_keeps_the_seat(season: Database) -> None:
    settled = replace(CHECK_IN, state="settled", settled=date(2026, 3, 4), answered=("ada",))
    newcomer = MemberRecord("dan", "mentee", "invited")
    await applied(season, FULL, turn(2, steps=[settled], members=[newcomer]))
    (step,) = await rows(season, StepRow)
    assert (step.state, step.settled, step.asked, step.answered) == (
        "settled", date(2026, 3, 4), ["ada", "ben"], ["ada"],
    )  # fmt: skip
    seats = await rows(season, MembershipRow, MembershipRow.mentorship == PAIR.key)
    assert {(seat.person, seat.standing, seat.position) for seat in seats} == {
        ("ada", "invited", 0),
        ("ben", "accepted", 1),
        ("dan", "invited", 2),
    }


async def test_the_record_says_what_happened_to_whom_and_who_asked_for_it(season: Database) -> None:
    await applied(season, turn(1, LATER, notes=[Note("paused", "ben", "2026-04-01", by="casey"), Note("resumed")]))
    found = [(row.at, row.name, row.person, row.detail, row.by) for row in await rows(season, EventRow)]
    assert found == [(LATER, "paused", "ben", "2026-04-01", "casey"), (LATER, "resumed", "", "", "")]


async def test_an_ending_is_final(season: Database) -> None:
    await applied(
        season,
        turn(1, over=True, health="over", finish=Finish("ended_early", "no_fault", date(2026, 5, 4))),
        turn(2, over=True, health="over", finish=Finish("completed", "", date(2026, 9, 21))),
    )
    (outcome,) = await rows(season, OutcomeRow)
    assert (outcome.ending, outcome.reason, outcome.on) == ("ended_early", "no_fault", date(2026, 5, 4))
    (row,) = await rows(season, MentorshipRow, MentorshipRow.key == PAIR.key)
    assert row.state == "over"


# -- standing still --------------------------------------------------------------------------------------------

SAFETY_RECEIPT = item("ben", "receipt", key=f"{COHORT}/{PAIR.key}/safety_received#1/ben/receipt",
                      name="safety_received", after_end=True)  # fmt: skip
WAITING = turn(1, open_requests=[ask("ada", "mentor"), ask("ben")],
               posts=[item("ada"), item("ben", "reminder", 1), TOLD_OF_TASK], open_tasks=[STALLED])  # fmt: skip


async def test_a_hold_keeps_what_the_pair_would_get_and_nothing_else(season: Database) -> None:
    await applied(season, WAITING, turn(2, LATER, held=True, posts=[SAFETY_RECEIPT, item("ben")]))
    assert await states(season) == {
        "check_in#1/ada/request": "held",
        "check_in#1/ben/reminder.1": "held",
        "check_in#1/ben/request": "held",
        "safety_received#1/ben/receipt": "queued",
        "task.stalled#1/casey/task_opened": "queued",
    }


PAUSE_TOLD = item("ben", "urgent", key=f"{COHORT}/{PAIR.key}/partner_paused#1/ben/urgent", name="partner_paused")


@pytest.mark.parametrize(("held", "state"), [(False, "queued"), (True, "held")])
async def test_what_tells_of_a_pause_goes_in_it_and_waits_for_the_end_of_a_hold(
    season: Database, held: bool, state: str
) -> None:
    await applied(season, WAITING, turn(2, LATER, held=held, paused_until="2026-06-01", posts=[PAUSE_TOLD]))
    assert (await states(season))["partner_paused#1/ben/urgent"] == state
    await applied(season, turn(3, LATER, held=held, pause_ahead="2026-07-01/open"))
    (row,) = await rows(season, MentorshipRow, MentorshipRow.key == PAIR.key)
    assert (row.paused_until, row.pause_ahead) == ("", "2026-07-01/open")


async def test_what_a_hold_kept_is_queued_again_at_the_next_opening(season: Database) -> None:
    friday_evening = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=UTC) + LOOK_AFTER
    await applied(season, WAITING, turn(2, LATER, held=True))
    assert {row.deliver_at for row in await rows(season, ItemRow, ItemRow.state == "held")} == {None}
    (released,) = await applied(season, turn(3, friday_evening))
    found = {row.key: row.deliver_at for row in await rows(season, ItemRow, ItemRow.person == "ada")}
    assert found == {item("ada").key: monday}
    assert released.earliest == {0: friday_evening + LOOK_AFTER}, "afternoon in New York"


async def test_a_pause_keeps_requests_and_drops_reminders(season: Database) -> None:
    await applied(season, WAITING, turn(2, LATER, paused_until="2026-04-01"))
    assert await states(season) == {
        "check_in#1/ada/request": "held",
        "check_in#1/ben/reminder.1": "dropped paused",
        "task.stalled#1/casey/task_opened": "queued",
    }
    (event_row,) = await rows(season, EventRow)
    assert (event_row.name, event_row.person) == ("dropped", "ben")
    assert event_row.detail.endswith("reminder.1 paused")
    await applied(season, turn(3, LATER, posts=[item("ada", "reminder", 2)], paused_until="2026-04-08"))
    assert (await states(season))["check_in#1/ada/reminder.2"] == "dropped paused"
    await applied(season, turn(4, datetime(2026, 4, 8, 4, 0, tzinfo=UTC)))
    (ada,) = await rows(season, ItemRow, ItemRow.person == "ada", ItemRow.kind == "request")
    assert (ada.state, ada.deliver_at) == ("queued", datetime(2026, 4, 8, 7, 0, tzinfo=UTC) + LOOK_AFTER)


async def test_a_release_within_a_pause_keeps_waiting_for_its_end(season: Database) -> None:
    await applied(
        season,
        WAITING,
        turn(2, held=True),
        turn(3, held=True, paused_until="open"),
        turn(4, paused_until="open"),
    )
    assert (await states(season))["check_in#1/ada/request"] == "held"
    assert (await states(season))["check_in#1/ben/reminder.1"] == "dropped paused"
    await applied(season, turn(5))
    assert (await states(season))["check_in#1/ada/request"] == "queued"


async def test_a_release_waits_for_a_delivery_that_still_sees_the_hold(postgresql_url: str) -> None:
    """Otherwise the delivery would put its item on hold after the release, without end."""
    async with Database.open(postgresql_url) as season:
        await launched(season)
        await _release_during_a_delivery(season)
        assert (await states(season))["check_in#1/ada/request"] == "queued"


async def _release_during_a_delivery(season: Database) -> None:
    await applied(season, WAITING, turn(2, held=True))
    async with season.begin() as session:
        await session.execute(update(ItemRow).where(ItemRow.person == "ada").values(state="queued"))
    async with season.begin() as delivery:
        await delivery.execute(
            select(ParticipantRow.id).where(ParticipantRow.id == "ada").with_for_update(key_share=True)
        )
        release = asyncio.create_task(applied(season, turn(3, LATER)))
        await _until_somebody_waits_for_a_lock(season)
        await delivery.execute(update(ItemRow).where(ItemRow.person == "ada").values(state="held"))
    await release


async def _until_somebody_waits_for_a_lock(database: Database) -> None:
    async with asyncio.timeout(30), database.session() as session:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not await session.scalar(waiting):
            await asyncio.sleep(0.01)


async def test_what_is_on_its_way_is_not_called_back(season: Database) -> None:
    await applied(season, WAITING)
    async with season.begin() as session:
        await session.execute(update(ItemRow).where(ItemRow.person == "ada").values(state="sending"))
    await applied(season, turn(2, held=True))
    assert (await states(season))["check_in#1/ada/request"] == "sending"


FINISH = Finish("ended_early", "safeguarding", date(2026, 3, 4))


async def test_what_is_held_stays_held_when_the_mentorship_ends(season: Database) -> None:
    await applied(season, WAITING, turn(2, held=True))
    held = await states(season)
    assert "held" in held.values()
    farewell = item(
        "ben", key=f"{COHORT}/{PAIR.key}/farewell#1/ben/notice", name="farewell", request="", after_end=True
    )
    await applied(season, turn(3, held=True, over=True, finish=FINISH, posts=[farewell]))
    assert await states(season) == held | {"farewell#1/ben/notice": "held"}
    await applied(season, turn(4, LATER, over=True))
    assert set((await states(season)).values()) == {"queued"}


async def test_what_is_withheld_is_dropped_as_over_with_an_event(season: Database) -> None:
    await applied(season, WAITING, turn(2, held=True), turn(3, held=True, over=True, finish=FINISH))
    held = {row.key for row in await rows(season, ItemRow, ItemRow.state == "held")}
    await applied(season, replace(turn(4, LATER, over=True), withhold=True))
    dropped = await rows(season, ItemRow, ItemRow.state == "dropped")
    assert {(row.key, row.reason) for row in dropped} == {(key, "over") for key in held}
    events = await rows(season, EventRow, EventRow.name == "dropped")
    assert {row.detail for row in events} == {f"{key} over" for key in held}


async def test_what_a_notice_is_checked_against_stands_with_the_mentorship(season: Database) -> None:
    facts = {"ending": True, "last_life": LATER, "agreement_open": 2, "agreement_in_force": 3}
    await applied(season, turn(2, **facts))
    [row] = await rows(season, MentorshipRow, MentorshipRow.key == PAIR.key)
    assert (row.ending_decided, row.last_life, row.agreement_open, row.agreement_in_force) == (True, LATER, 2, 3)


async def test_the_decisions_of_a_task_change_with_what_can_be_decided(season: Database) -> None:
    task = OpenTask(
        f"{COHORT}/{PAIR.key}/task.safety#1", "safety", 1, "A report.", date(2026, 3, 4), ("release", "end")
    )
    await applied(season, turn(2, open_tasks=[task]))
    await applied(season, turn(3, grow_tasks=[GrowTask(task.key, "", decisions=("release", "withhold"))]))
    [row] = await rows(season, TaskRow, TaskRow.key == task.key)
    assert (row.decisions, row.reason) == (["release", "withhold"], "A report.")


async def test_another_mentorship_of_the_same_person_goes_on(season: Database) -> None:
    other = item("ben", key=f"{COHORT}/group-1/introduction#1/ben/notice", name="introduction", request="")
    await applied(season, WAITING, turn(1, mentorship="group-1", posts=[other]), turn(2, held=True))
    found = {row.key: row.state for row in await rows(season, ItemRow, ItemRow.mentorship == "group-1")}
    assert found == {other.key: "queued"}


# -- waking postmasters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sleeps_until", "woken"),
    [
        ("no postmaster yet", True),
        (None, True),
        (LAUNCH, True),
        (LAUNCH + timedelta(hours=1), False),
        (LAUNCH + timedelta(hours=2), False),
        (LAUNCH + timedelta(hours=3), True),
    ],
)
async def test_a_postmaster_is_woken_when_it_would_sleep_past_something(
    database: Database, sleeps_until: datetime | str | None, woken: bool
) -> None:
    due = LAUNCH + timedelta(hours=2)
    if not isinstance(sleeps_until, str):
        async with database.begin() as session:
            await session.execute(insert(PostmasterRow), [{"shard": 3, "wakes_at": sleeps_until}])
    async with database.session() as session:
        assert await shards_to_wake(session, {3: due}, LAUNCH) == ({3: 0} if woken else {})


async def test_nothing_queued_wakes_nobody(season: Database) -> None:
    (result,) = await applied(season, turn(1))
    async with season.session() as session:
        assert not await shards_to_wake(session, result.earliest, LAUNCH)


# -- answers ---------------------------------------------------------------------------------------------------

CLOSES_AT = ask("ben").closes_at
ASSESS = Assess(
    "check_in", 1, f"{COHORT}/{PAIR.key}/check_in#1",
    ((ask("ada").key, "ada", "mentor"), (ask("ben").key, "ben", "mentee")), CLOSES_AT,
)  # fmt: skip


async def read(database: Database, assess: Assess) -> dict[str, tuple[str, dict[str, Any]]]:
    async with database.begin() as session:
        return await turns.read_answers(session, assess)


async def test_the_last_version_before_the_close_counts_and_what_comes_later_is_late(season: Database) -> None:
    await applied(season, FULL)
    await answer(season, "ben", CLOSES_AT - timedelta(days=1), p_met=1)
    await answer(season, "ben", CLOSES_AT, version=2, p_met=2)
    await answer(season, "ben", CLOSES_AT + timedelta(seconds=1), version=3, p_met=3)
    assert await read(season, ASSESS) == {"ben": ("mentee", {"p_met": 2})}
    assert [row.late for row in await rows(season, AnswerRow)] == [False, False, True]
    assert await read(season, ASSESS) == {"ben": ("mentee", {"p_met": 2})}


async def test_an_answer_after_everybody_answered_changes_nothing_and_is_not_late(season: Database) -> None:
    await applied(season, FULL)
    await answer(season, "ada", LAUNCH, m_load=4)
    await answer(season, "ben", LATER, p_met=1)
    await answer(season, "ben", LATER + timedelta(hours=1), version=2, p_met=0)
    found = await read(season, replace(ASSESS, closed_at=LATER))
    assert found == {"ada": ("mentor", {"m_load": 4}), "ben": ("mentee", {"p_met": 1})}
    assert not any(row.late for row in await rows(season, AnswerRow))


async def test_a_web_server_whose_clock_is_ahead_loses_no_answer(season: Database) -> None:
    await applied(season, FULL)
    await answer(season, "ben", LATER + timedelta(seconds=2), p_met=1)
    assert await read(season, replace(ASSESS, closed_at=LATER)) == {"ben": ("mentee", {"p_met": 1})}


# -- privacy ---------------------------------------------------------------------------------------------------


async def test_refusals_name_nobody(season: Database) -> None:
    async with season.session() as session:
        names = list(await session.scalars(select(ParticipantRow.name)))
    with pytest.raises(UnknownPerson) as refused:
        await applied(season, replace(FULL, posts=[item("nobody")]))
    assert not [name for name in names if name in str(refused.value)]
