"""A whole cohort is cancelled: everybody is told once, and everything stops, whatever was under way."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from activities.delivery.smtp import Relay, SmtpTransport
from activities.messages import DeliverInput
from lifecycle.commands import Finish
from operations.cohorts.cancel import cancel, outlook, still_to_tell
from operations.errors import NotFound, Refused
from program.models import Mentorship, Participant
from store.cohorts.cohorts import mark_running
from store.database import Database
from store.mentorships import turns
from store.tables import CohortRow, EventRow, ItemRow, MentorshipRow, OutcomeRow, RelayRow, RequestRow
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, applied, ask, cohort, item, launched, turn
from testing.environments.delivery_env import post_office
from testing.servers.sink import running as running_sink

NOW = LAUNCH + timedelta(hours=2)
CROWD = 500


async def runs(database: Database, *keys: str) -> None:
    """Mark mentorships as started."""
    async with database.begin() as session:
        await mark_running(session, COHORT, keys)


async def items(database: Database) -> dict[str, str]:
    """Item key to its state with the reason."""
    async with database.session() as session:
        rows = (await session.scalars(select(ItemRow))).all()
    return {row.key.removeprefix(f"{COHORT}/"): f"{row.state} {row.reason}".strip() for row in rows}


async def test_everything_stops_in_one_transaction(database: Database) -> None:
    await launched(database)
    await runs(database, PAIR.key)
    await applied(database, turn(1, open_requests=[ask("ben")], posts=[item("ben"), item("ben", "receipt")]))
    woken: list[int] = []

    async def wake(shard: int) -> None:
        woken.append(shard)

    assert await cancel(database, COHORT, NOW, by="dana@example.org", why="no budget", wake=wake)
    async with database.session() as session:
        cancelled = await session.get_one(CohortRow, COHORT)
        rows = {row.key: row for row in await session.scalars(select(MentorshipRow))}
        requests = [row.state for row in await session.scalars(select(RequestRow))]
        outcomes = {row.mentorship: row.ending for row in await session.scalars(select(OutcomeRow))}
        told = [row.payload for row in await session.scalars(select(RelayRow))]
        events = [(row.mentorship, row.by, row.why) for row in await session.scalars(
            select(EventRow).where(EventRow.name == "cancelled").order_by(EventRow.mentorship)
        )]  # fmt: skip
    assert cancelled.state == "cancelled"
    assert {key: (row.state, row.ending) for key, row in rows.items()} == {
        PAIR.key: ("over", "cancelled"), GROUP.key: ("over", "cancelled"),
    }  # fmt: skip
    assert outcomes == {PAIR.key: "cancelled", GROUP.key: "cancelled"}
    assert requests == ["withdrawn"]
    assert told == [{"id": f"cancel/{COHORT}/{PAIR.key}", "by": "dana"}], "what was never started needs no telling"
    assert events == [(PAIR.key, "dana", "no budget"), (GROUP.key, "dana", "no budget")]
    assert await items(database) == {
        "ada-ben/check_in#1/ben/request": "dropped over",
        "ada-ben/check_in#1/ben/receipt": "queued",
        "all/cancelled#1/ada/urgent": "queued",
        "all/cancelled#1/ben/urgent": "queued",
    }
    assert woken == [0]

    assert not await cancel(database, COHORT, NOW + timedelta(hours=1), by="casey")
    assert len(await items(database)) == 4
    assert await still_to_tell(database, COHORT) == 1


async def test_a_turn_that_was_under_way_puts_nothing_into_a_postbox_and_its_workflow_is_told(
    database: Database,
) -> None:
    await launched(database)
    await runs(database, PAIR.key)
    await cancel(database, COHORT, NOW, by="casey")
    async with database.begin() as session:
        for row in await session.scalars(select(RelayRow)):
            await session.delete(row)

    # The pair's was under way, and the group's was being started.
    asked = {"open_requests": [ask("ben")], "posts": [item("ben"), item("ben", "receipt")]}
    [first, second] = await applied(
        database, turn(1, NOW, **asked), turn(1, NOW, mentorship=GROUP.key, posts=[item("cleo", key="x")])
    )
    assert {key for key in await items(database) if "all/cancelled" not in key} == {"ada-ben/check_in#1/ben/receipt"}
    assert first.earliest == second.earliest == {0: NOW}, "its postmaster is woken, should nobody have done it"
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(RequestRow)) == 0
        assert {row.state for row in await session.scalars(select(MentorshipRow))} == {"over"}
        assert {row.mentorship for row in await session.scalars(select(RelayRow))} == {PAIR.key, GROUP.key}

    await applied(database, turn(2, NOW, over=True, finish=Finish("cancelled", "", NOW.date())))
    async with database.session() as session:
        row = await session.get_one(MentorshipRow, (COHORT, PAIR.key))
    assert (row.state, row.turn, row.ending) == ("over", 2, "cancelled")


async def test_what_ended_before_keeps_its_ending_and_its_people_hear_nothing(database: Database) -> None:
    await launched(database)
    await runs(database, PAIR.key, GROUP.key)
    await applied(database, turn(1, over=True, finish=Finish("completed", "", NOW.date())))
    found = await outlook(database, COHORT)
    assert (found.mentorships, [one.id for one in found.people]) == ((GROUP.key,), ["ben", "cleo", "dan"])
    await cancel(database, COHORT, NOW, by="casey")
    async with database.session() as session:
        assert (await session.get_one(MentorshipRow, (COHORT, PAIR.key))).ending == "completed"
    assert set(await items(database)) == {f"all/cancelled#1/{who}/urgent" for who in ("ben", "cleo", "dan")}


async def test_a_cohort_that_is_not_there_or_is_over_is_not_cancelled(database: Database) -> None:
    with pytest.raises(NotFound, match="none was launched yet"):
        await cancel(database, COHORT, NOW, by="casey")
    await launched(database)
    with pytest.raises(Refused, match="'zoe' is no coordinator or deputy of spring"):
        await cancel(database, COHORT, NOW, by="zoe")
    async with database.begin() as session:
        (await session.get_one(CohortRow, COHORT)).state = "over"
    with pytest.raises(Refused, match="nothing is left to cancel"):
        await cancel(database, COHORT, NOW, by="casey")


async def test_five_hundred_people_get_one_mail_each_within_the_rate(database: Database) -> None:
    people = tuple(Participant(id=f"p{n:03}", name=f"Person {n}", email=f"p{n:03}@example.org") for n in range(CROWD))
    pairs = [Mentorship(key=f"m{n:03}", mentor=f"p{n:03}", mentees=(f"p{n + 1:03}",)) for n in range(CROWD - 1)]
    await launched(database, cohort(participants=people, mentorships=tuple(pairs)))
    await runs(database, *(pair.key for pair in pairs))
    async with database.begin() as session:
        for pair in pairs[::5]:
            waits = [item(pair.mentees[0], "notice", name="get_going", key=f"{pair.key}/get_going")]
            batch = turn(1, LAUNCH, mentorship=pair.key, posts=waits)
            await turns.apply(session, batch)

    rate = 400
    async with running_sink() as sink:
        transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=4))
        postmaster = post_office(database, transport, mails_per_second=rate)
        assert await cancel(database, COHORT, NOW, by="casey")
        assert await still_to_tell(database, COHORT) == len(pairs)
        clock = asyncio.get_running_loop().time
        began = clock()
        result = await postmaster.deliver(DeliverInput(0, NOW))
        took = clock() - began
        assert not await cancel(database, COHORT, NOW + timedelta(minutes=1), by="casey")
        later = await postmaster.deliver(DeliverInput(0, NOW + timedelta(days=1)))
        await transport.close()
    told = Counter(mail.recipient for mail in sink.received)
    assert told == dict.fromkeys((person.email for person in people), 1), "most of them are in two mentorships"
    assert {str(mail.message["Subject"]) for mail in sink.received} == {"Spring 2026 has been cancelled"}
    assert (result.sent, later.sent) == (CROWD, 0)
    assert took >= (CROWD - 1) / rate, "never faster than the relay is to be asked"
