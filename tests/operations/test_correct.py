"""A wrong address, a move, a new name: corrected while everything runs, and whatever hangs on it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activities.delivery.smtp import BeforeBody
from activities.letters.fill_letters import LetterWriter
from activities.letters.prepare import Preparer
from lifecycle.commands import MemberRecord
from lifecycle.events import EVENTS
from mail.compose import compose
from mail.letters import Letter
from operations.errors import Refused
from operations.people.correct import Details, correct
from runtime.outbox_relay import relay_once
from store.cohorts.cohorts import mark_running
from store.database import Database
from store.tables import EventRow, ItemRow, MessageRow, OperationRow, ParticipantRow, RelayRow, SuppressionRow
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR, item
from testing.environments.delivery_env import (
    DAY,
    HOUR,
    LINKS,
    NINE,
    NINE_IN_NEW_YORK,
    SECRET,
    SENDER,
    DeliveryEnv,
    about,
    open_delivery_env,
    post_office,
)
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink

BEN, NEW = "ben@example.org", "benjamin@example.net"
GONE = "rcpt 550 5.1.1 no such user"


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that does what it is told."""
    async with running_sink() as sink:
        yield sink


@pytest.fixture
async def delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    """A post office with a small cohort, of which both mentorships run."""
    async with open_delivery_env(database, sink) as delivery_env:
        await delivery_env.turn(mentorship=GROUP.key)
        yield delivery_env


async def test_a_corrected_address_gets_what_the_old_one_refused(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, GONE)
    await delivery_env.post(item("ben"), item("ada"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    both = [MemberRecord("ada", "mentor", "accepted"), MemberRecord("ben", "mentee", "accepted")]
    await delivery_env.post(about("get_going", "ben"), now=NINE + DAY, members=both)
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY)
    assert await delivery_env.items() == {
        "check_in#1/ada/request": "sent",
        "check_in#1/ben/request": "refused bounced",
        "get_going#1/ben/notice": "dropped bounced",
    }

    woken: list[int] = []

    async def wake(shard: int) -> None:
        woken.append(shard)

    now = NINE_IN_NEW_YORK + DAY + HOUR
    done = await correct(delivery_env.database, "ben", Details(email=NEW), now, by="dana", why="a slip", wake=wake)
    assert (done.fields, done.healed, len(done.again), woken) == (("email",), True, 2, [0])
    assert ((await delivery_env.person("ben")).standing, await delivery_env.rows(SuppressionRow)) == ("active", [])

    # It was their mail of the day to nobody: today's letterbox is still open.
    assert (await delivery_env.deliver(now + HOUR)).sent == 1
    [mail] = delivery_env.sink.mails_to(NEW)
    assert mail.message["To"] == f"Ben Mentee <{NEW}>"
    assert {row.state for row in await delivery_env.rows(ItemRow)} == {"sent"}
    assert sorted(await delivery_env.messages()) == ["refused", "sent", "sent"]
    assert (await delivery_env.request("ben")).mails == 1
    assert len(delivery_env.sink.mails_to("ada@example.org")) == 1

    # Every mentorship of theirs hears of it, and the record can say who and why.
    told = [row for row in await delivery_env.relays() if row.event == "Corrected"]
    assert [(row.cohort, row.mentorship) for row in told] == [(COHORT, PAIR.key), (COHORT, GROUP.key)]
    assert [EVENTS[row.event](**row.payload).by for row in told] == ["dana", "dana"]
    operations = {row.id: (row.by, row.why) for row in await delivery_env.rows(OperationRow)}
    assert operations == {row.payload["id"]: ("dana", "a slip") for row in told}
    assert not any("@" in f"{row.id}{row.payload}" for row in told)
    assert not (await correct(delivery_env.database, "ben", Details(email=NEW), now + DAY, by="dana")).changed


async def test_the_same_address_once_more_takes_a_bounce_back(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, GONE, "accept")
    await delivery_env.post(item("ben"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    done = await correct(delivery_env.database, BEN, Details(email=BEN), NINE_IN_NEW_YORK + HOUR, by="casey")
    assert (done.fields, done.healed, done.again) == ((), True, (item("ben").key,))
    later = NINE_IN_NEW_YORK + 2 * HOUR
    # The very same mail, so the very same row: it may not stand in its own way.
    assert (await delivery_env.deliver(later)).sent == 1
    assert len(delivery_env.sink.mails_to(BEN)) == 1


async def test_what_was_delivered_does_not_come_again(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ben"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    done = await correct(delivery_env.database, "ben", Details(email=NEW), NINE_IN_NEW_YORK + HOUR, by="casey")
    assert (done.again, done.healed) == ((), False)
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY)
    assert delivery_env.sink.mails_to(NEW) == []


async def test_a_mail_on_its_way_to_the_old_address_bounces_nobody(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, GONE)
    await delivery_env.post(item("ben"))
    inner = delivery_env.post_office._office.transport
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Gate:
        connections = 1

        async def send(
            self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None
        ) -> None:
            reached.set()
            await go_on.wait()
            await inner.send(sender, recipient, message, before_body)

    delivery_env.post_office = post_office(delivery_env.database, Gate())
    going = asyncio.create_task(delivery_env.deliver(NINE_IN_NEW_YORK))
    await reached.wait()
    await correct(delivery_env.database, "ben", Details(email=NEW), NINE_IN_NEW_YORK, by="casey")
    go_on.set()
    assert (await going).bounced == []
    assert (await delivery_env.person("ben")).standing == "active"
    await delivery_env.deliver(NINE_IN_NEW_YORK + HOUR)
    assert [mail.recipient for mail in delivery_env.sink.received] == [NEW]


async def test_what_was_worded_for_the_old_address_is_not_frozen(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ben"))

    class Slow(LetterWriter):
        """In the time that it takes to write, the address is corrected."""

        async def letters(self, session: Any, planned_letters: Any) -> list[Letter | Exception]:
            found = await super().letters(session, planned_letters)
            await correct(delivery_env.database, "ben", Details(email=NEW), NINE, by="casey")
            return found

    page = await Preparer(delivery_env.database, Slow(LINKS, SENDER, secret=SECRET), compose).prepare(
        ["ben"], NINE_IN_NEW_YORK, NINE_IN_NEW_YORK + HOUR
    )
    assert page.mails == []
    await delivery_env.deliver(NINE_IN_NEW_YORK + HOUR)
    assert [mail.recipient for mail in delivery_env.sink.received] == [NEW]


@pytest.mark.parametrize("state", ["deferred", "ambiguous"])
async def test_a_mail_that_was_put_off_or_is_in_doubt_goes_to_the_new_address_only(
    delivery_env: DeliveryEnv, state: str
) -> None:
    delivery_env.sink.script(BEN, "rcpt 450 4.2.0 greylisted" if state == "deferred" else "drop")
    await delivery_env.post(item("ben"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    assert await delivery_env.messages() == [state]
    taken = len(delivery_env.sink.received)
    await correct(
        delivery_env.database, "ben", Details(email=NEW), NINE_IN_NEW_YORK + timedelta(seconds=1), by="casey"
    )
    await delivery_env.deliver(NINE_IN_NEW_YORK + HOUR)
    await delivery_env.deliver(NINE_IN_NEW_YORK + 2 * HOUR)
    assert [mail.recipient for mail in delivery_env.sink.received[taken:]] == [NEW]


async def test_whoever_moves_gets_what_waits_by_the_new_clock(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ben"), now=NINE - DAY)
    done = await correct(delivery_env.database, "ben", Details(zone="Europe/Paris"), NINE - HOUR, by="casey")
    assert (done.moved, done.again) == ((item("ben").key,), ())
    [row] = await delivery_env.rows(ItemRow)
    assert row.deliver_at is not None
    assert NINE <= row.deliver_at < NINE + HOUR
    assert (await delivery_env.deliver(NINE + HOUR)).sent == 1
    moved = [row for row in await delivery_env.relays() if row.event == "Moved"]
    assert [EVENTS[row.event](**row.payload).zone for row in moved] == ["Europe/Paris"] * 2


async def test_corrections_at_the_same_instant_are_told_each_and_in_their_order(delivery_env: DeliveryEnv) -> None:
    told: list[str] = []

    async def tell(_cohort: str, mentorship: str, event: str, payload: dict[str, Any], _id: str) -> None:
        if mentorship == PAIR.key and event == "Moved":
            told.append(payload["zone"])

    zones = ["Europe/Paris", "Europe/Lisbon", "Europe/Paris", "Europe/Oslo"]
    for zone in zones:
        await correct(delivery_env.database, "ben", Details(zone=zone), NINE, by="casey")
    await relay_once(delivery_env.database, tell, NINE + HOUR)
    assert told == zones


async def test_a_dry_run_changes_nothing(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, GONE)
    await delivery_env.post(item("ben"))
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    before = await snapshot(delivery_env.database)
    done = await correct(
        delivery_env.database, "ben", Details(email=NEW, name="Benjamin"), NINE, by="casey", dry_run=True
    )
    assert (done.fields, done.healed, len(done.again)) == (("name", "email"), True, 1)
    assert await snapshot(delivery_env.database) == before


async def snapshot(database: Database) -> list[str]:
    """Every row that a correction could touch."""
    tables = (ParticipantRow, ItemRow, MessageRow, RelayRow, OperationRow, EventRow, SuppressionRow)
    async with database.session() as session:
        return [
            repr({name: value for name, value in vars(row).items() if not name.startswith("_")})
            for table in tables
            for row in await session.scalars(select(table))
        ]


NO_SENSE = [
    ("ben", Details(email="ADA@example.org"), "casey", "belongs to ada already.*correct ada first"),
    ("ben", Details(email="ben at home"), "casey", "is no address"),
    ("ben", Details(zone="Europe/Berln"), "casey", "is no zone"),
    ("ben", Details(name=" "), "casey", "can't be empty"),
    ("ben", Details(language="Deutsch!"), "casey", "is no language"),
    ("ben", Details(name="Benjamin"), "zoe", "'zoe' is no coordinator or deputy"),
    ("benn", Details(name="Benjamin"), "casey", "there is no person 'benn'; did you mean ben"),
    ("dan", Details(name="Daniel"), "casey", "dan was erased"),
]


async def test_what_makes_no_sense_is_refused_in_words(delivery_env: DeliveryEnv) -> None:
    await delivery_env.change("dan", standing="erased")
    before = await snapshot(delivery_env.database)
    for who, details, by, says in NO_SENSE:
        with pytest.raises(Refused, match=says):
            await correct(delivery_env.database, who, details, NINE, by=by)
    assert await snapshot(delivery_env.database) == before


async def test_other_details_are_on_the_record_and_move_nothing(delivery_env: DeliveryEnv) -> None:
    details = Details(name="Benjamin Mentee", language="pt-BR", profile={"pronouns": "they/them"})
    done = await correct(delivery_env.database, "Ben Mentee", details, NINE, by="Casey Coordinator", why="asked")
    assert done.fields == ("name", "language", "profile")
    row = await delivery_env.person("ben")
    assert (row.name, row.language, row.profile) == ("Benjamin Mentee", "pt-BR", {"pronouns": "they/them"})
    lines = [row for row in await delivery_env.rows(EventRow) if row.name == "details_corrected"]
    assert [(line.mentorship, line.detail, line.by, line.why) for line in lines] == [
        (PAIR.key, "name, language, profile", "casey", "asked"),
        (GROUP.key, "name, language, profile", "casey", "asked"),
    ]
    assert await delivery_env.relays() == []
    again = replace(details, profile={"pronouns": ""})
    assert (await correct(delivery_env.database, "ben", again, NINE, by="casey")).fields == ("profile",)
    assert (await delivery_env.person("ben")).profile == {}


async def test_what_waits_for_a_mentorship_that_is_not_started_is_told_when_it_is(
    database: Database, sink: Sink
) -> None:
    told: list[str] = []

    async def tell(_cohort: str, mentorship: str, event: str, _payload: dict[str, Any], _id: str) -> None:
        told.append(f"{mentorship} {event}")

    async with open_delivery_env(database, sink) as delivery_env:
        await correct(delivery_env.database, "ben", Details(zone="Asia/Tokyo"), NINE, by="casey", tell=tell)
        assert told == [f"{PAIR.key} Moved"]
        assert await relay_once(database, tell, NINE + DAY) == 0
        async with database.begin() as session:
            await mark_running(session, COHORT, [GROUP.key])
        assert await relay_once(database, tell, NINE + DAY) == 1
    assert told == [f"{PAIR.key} Moved", f"{GROUP.key} Moved"]
