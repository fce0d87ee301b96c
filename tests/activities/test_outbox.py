"""What becomes of a mail that does not go through at once, and of one in whose sending somebody died."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.testing import ActivityEnvironment

from activities.delivery import write_results
from activities.delivery.delivery_settings import Sender
from activities.delivery.smtp import BeforeBody
from activities.letters.fill_letters import LetterWriter, PlannedLetter
from activities.letters.prepare import Preparer
from activities.messages import DeliverInput
from lifecycle.commands import MemberRecord
from lifecycle.delivery.postbox import LOOK_AFTER
from lifecycle.events import EVENTS
from mail.compose import compose
from mail.letters import Letter
from store.delivery.results import NOT_REPEATED
from store.tables import MessageRow, RequestRow, SuppressionRow
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR, item
from testing.environments.delivery_env import (
    DAY,
    HOUR,
    LINKS,
    MINUTE,
    MONDAY,
    NINE,
    NINE_IN_NEW_YORK,
    SECRET,
    SENDER,
    DeliveryEnv,
    about,
    post_office,
)
from testing.servers.sink import ACCEPT, DROP, HANG

ADA, BEN, CLEO = "ada@example.org", "ben@example.org", "cleo@example.org"
LAPSED = NINE + timedelta(minutes=15)
"""When a claim made at nine has lapsed."""


class Killed(BaseException):
    """The process is gone."""


class DiesAfter:
    """Hands mails over for real, and dies after this many were accepted, before anybody hears of it."""

    def __init__(self, transport: Sender, accepted: int) -> None:
        self.transport = transport
        self.left = accepted

    @property
    def connections(self) -> int:
        return 1

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        if self.left == 0:
            if before_body is not None:
                await before_body()
            raise Killed
        await self.transport.send(sender, recipient, message, before_body)
        self.left -= 1
        if self.left == 0:
            raise Killed


async def killed(delivery_env: DeliveryEnv, accepted: int, now: datetime = NINE) -> None:
    """A round whose process dies after this many mails."""
    doomed = post_office(delivery_env.database, DiesAfter(delivery_env.post_office._office.transport, accepted))
    with pytest.raises(BaseExceptionGroup):
        await doomed.deliver(DeliverInput(0, now))


# -- the ambiguous moment ------------------------------------------------------------------------------------------


async def test_killed_between_freezing_and_sending_nothing_is_lost(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    doomed: Preparer = delivery_env.post_office._office.preparer
    await doomed.prepare(["ada"], NINE, LAPSED)
    [frozen] = await delivery_env.rows(MessageRow)
    assert (frozen.state, delivery_env.sink.received) == ("sending", [])

    assert (await delivery_env.deliver(NINE + MINUTE)).sent == 0, "the claim holds"
    assert await delivery_env.wakes_at() == LAPSED
    assert (await delivery_env.deliver(LAPSED)).sent == 1
    [received] = delivery_env.sink.received
    # Nobody had got it, so it was looked at afresh: no try is counted, and nothing is in doubt.
    assert f"Message-ID: {received.id}" in frozen.raw
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.attempts, message.error) == ("sent", 1, "")
    assert (await delivery_env.request("ada")).mails == 1
    assert await delivery_env.items() == {"check_in#1/ada/request": "sent"}


async def test_killed_between_acceptance_and_knowing_of_it_the_same_message_goes_again(
    delivery_env: DeliveryEnv,
) -> None:
    await delivery_env.post(item("ada"), about("transferred", "cleo"), about("transferred", "dan"))
    await killed(delivery_env, accepted=2)
    await delivery_env.deliver(LAPSED)

    first, doubtful, *again = delivery_env.sink.received
    assert sorted(one.id for one in again) == sorted({one.id for one in delivery_env.sink.received} - {first.id})
    assert doubtful.raw in [one.raw for one in again], "byte for byte"
    assert set((await delivery_env.items()).values()) == {"sent"}
    assert sorted(await delivery_env.messages()) == ["sent"] * 3
    assert len([row for row in await delivery_env.rows(MessageRow) if row.error == "ambiguous"]) == 1, "not the third"
    assert len(await delivery_env.events("mail_ambiguous")) == 1
    assert (await delivery_env.deliver(LAPSED + DAY)).sent == 0


async def test_the_retry_of_the_activity_knows_that_its_forerunner_is_dead(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await killed(delivery_env, accepted=1)
    environment = ActivityEnvironment()
    beats: list[object] = []
    environment.on_heartbeat = lambda *details: beats.append(details)

    environment.info = _attempt(environment, 1)
    assert (await environment.run(delivery_env.post_office.deliver, DeliverInput(0, NINE + MINUTE))).sent == 0
    environment.info = _attempt(environment, 2)
    assert (await environment.run(delivery_env.post_office.deliver, DeliverInput(0, NINE + MINUTE))).sent == 1
    assert beats
    assert len({one.id for one in delivery_env.sink.received}) == 1


def _attempt(environment: ActivityEnvironment, number: int):
    import dataclasses

    return dataclasses.replace(environment.info, attempt=number, heartbeat_timeout=timedelta(milliseconds=4))


async def test_what_the_database_could_not_hear_is_written_down_when_it_is_back(
    delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_results, "TRIES_TO_WRITE", 1)
    delivery_env.sink.script(CLEO, "rcpt 450 4.2.0 later", ACCEPT)
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    sqlite = delivery_env.database.sqlite
    async with delivery_env.database.begin() as session:
        for statement in _REFUSES[sqlite]:
            await session.execute(text(statement))
    with pytest.raises(DBAPIError):
        await delivery_env.deliver(NINE)
    assert [one.recipient for one in delivery_env.sink.received] == [ADA]
    assert await delivery_env.messages() == ["sending", "sending"]
    async with delivery_env.database.begin() as session:
        await session.execute(text(f"DROP TRIGGER refuses{'' if sqlite else ' ON messages'}"))
    environment = ActivityEnvironment()
    environment.info = _attempt(environment, 2)
    await environment.run(delivery_env.post_office.deliver, DeliverInput(0, NINE + 5 * MINUTE))
    assert [one.recipient for one in delivery_env.sink.received] == [ADA, CLEO], "the relay had it, and we knew"
    assert sorted(await delivery_env.messages()) == ["sent", "sent"]
    assert await delivery_env.events("mail_ambiguous") == []
    assert (await delivery_env.request("ada")).mails == 1


_REFUSES = {
    True: (
        """CREATE TRIGGER refuses BEFORE UPDATE ON messages WHEN NEW.state <> 'sending'
        BEGIN SELECT RAISE(ABORT, 'away'); END""",
    ),
    False: (
        """CREATE FUNCTION refuses() RETURNS trigger AS $$ BEGIN RAISE 'away'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER refuses BEFORE UPDATE ON messages FOR EACH ROW WHEN (NEW.state <> 'sending')
        EXECUTE FUNCTION refuses()""",
    ),
}
"""Makes SQLite (or not) refuse to hear what came of a mail."""


@pytest.mark.parametrize("step", [DROP, HANG])
async def test_no_answer_means_one_more_try_with_the_same_message(delivery_env: DeliveryEnv, step: str) -> None:
    delivery_env.sink.script(ADA, step, ACCEPT)
    await delivery_env.post(item("ada"))
    first = await delivery_env.deliver(NINE)
    assert (first.sent, first.ambiguous, first.next_at) == (0, 1, NINE + 5 * MINUTE)
    assert await delivery_env.messages() == ["ambiguous"]
    # Until it is settled nothing else goes to this person.
    await delivery_env.post(about("winding_down", "ada"), now=NINE + MINUTE)
    assert (await delivery_env.deliver(NINE + MINUTE)).sent == 0

    second, then = await delivery_env.deliver_until_done(NINE + 5 * MINUTE)
    assert (second.sent, then.sent, then.next_at) == (1, 0, NINE + DAY)
    assert [one.said for one in delivery_env.sink.received] == [False, True]
    assert len({one.raw for one in delivery_env.sink.received}) == 1
    assert (await delivery_env.request("ada")).mails == 1
    assert await delivery_env.messages() == ["sent"]


async def test_twice_no_answer_counts_as_sent(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(ADA, DROP)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.deliver(NINE + 5 * MINUTE)
    assert (await delivery_env.deliver(NINE + DAY)).next_at is None
    assert len(delivery_env.sink.received) == 2
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.sent_at, message.next_try_at) == ("ambiguous", NINE + 5 * MINUTE, None)
    assert await delivery_env.items() == {"check_in#1/ada/request": "sent"}
    assert (await delivery_env.person("ada")).last_mail_on == MONDAY
    assert await delivery_env.events("mail_ambiguous") == [("ada", f"{message.id} ambiguous")] * 2


async def test_a_doubtful_mail_waits_for_the_letterbox_and_uses_up_that_day(delivery_env: DeliveryEnv) -> None:
    evening = NINE + 9 * HOUR - MINUTE
    delivery_env.sink.script(ADA, DROP, ACCEPT)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(evening)
    assert (await delivery_env.deliver(evening + 5 * MINUTE)).next_at == NINE + DAY - LOOK_AFTER
    await delivery_env.post(about("winding_down", "ada"), now=NINE + DAY - HOUR)
    morning, then = await delivery_env.deliver_until_done(NINE + DAY)
    assert (morning.sent, then.sent, then.next_at) == (1, 0, NINE + 2 * DAY)
    assert len({one.id for one in delivery_env.sink.received}) == 1


@pytest.mark.parametrize("gone", ["left", "erased"])
async def test_a_doubtful_mail_is_not_sent_again_to_whoever_has_gone(delivery_env: DeliveryEnv, gone: str) -> None:
    delivery_env.sink.script(ADA, DROP, ACCEPT)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.change("ada", standing=gone)
    await delivery_env.deliver(NINE + HOUR)
    assert len(delivery_env.sink.received) == 1
    assert await delivery_env.items() == {"check_in#1/ada/request": "sent"}
    assert [row.error for row in await delivery_env.rows(MessageRow)] == [NOT_REPEATED]


async def test_a_doubtful_mail_in_which_nothing_is_true_any_more_is_marked_as_never_repeated(
    delivery_env: DeliveryEnv,
) -> None:
    await delivery_env.post(item("ada"))
    await killed(delivery_env, accepted=0)
    async with delivery_env.database.begin() as session:
        (await session.get_one(RequestRow, (await delivery_env.request("ada")).key)).state = "closed"
    assert (await delivery_env.deliver(LAPSED)).sent == 0
    assert delivery_env.sink.received == []
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.error) == ("ambiguous", NOT_REPEATED)
    assert await delivery_env.events("mail_ambiguous") == [("ada", f"{message.id} {NOT_REPEATED}")]


async def test_nothing_is_frozen_for_whoever_has_a_mail_on_its_way(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(ADA, DROP)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.post(about("cancelled", "ada", "urgent"), now=NINE + MINUTE)
    page = await delivery_env.post_office._office.preparer.prepare(["ada"], NINE + MINUTE, LAPSED)
    assert page.mails == []


# -- for the time being --------------------------------------------------------------------------------------------


async def test_greylisted_the_mail_comes_a_little_later(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(
        ADA, "rcpt 450 4.2.0 greylisted, try again in 5 minutes", "rcpt 450 4.2.0 greylisted", ACCEPT
    )
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    first = await delivery_env.deliver(NINE)
    assert (first.sent, first.deferred, first.trouble) == (1, 1, "transient 450 4.2.0")
    assert first.next_at == NINE + 5 * MINUTE
    second = await delivery_env.deliver(NINE + 5 * MINUTE)
    assert second.next_at == NINE + 7 * MINUTE, "waits double"
    third = await delivery_env.deliver(NINE + 7 * MINUTE)
    assert (third.sent, third.next_at) == (1, None)
    assert len(delivery_env.sink.mails_to(ADA)) == 1
    assert await delivery_env.messages() == ["sent", "sent"]
    assert (await delivery_env.person("ada")).last_mail_on == MONDAY


async def test_what_falls_due_while_a_mail_is_put_off_goes_along_with_it(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(ADA, "rcpt 452 4.2.2 full", ACCEPT)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(NINE)
    await delivery_env.post(about("transferred", "ada"), now=NINE + timedelta(seconds=10))
    assert (await delivery_env.deliver(NINE + timedelta(seconds=20))).sent == 0
    await delivery_env.deliver(NINE + MINUTE)
    [received] = delivery_env.sink.received
    assert "2 things for you" in received.text
    assert set((await delivery_env.items()).values()) == {"sent"}
    assert await delivery_env.messages() == ["sent"]


async def test_a_mail_put_off_overnight_is_checked_again(delivery_env: DeliveryEnv) -> None:
    evening = NINE + 9 * HOUR - MINUTE
    delivery_env.sink.script(ADA, "rcpt 450 4.2.0 greylisted", ACCEPT)
    await delivery_env.post(item("ada"))
    await delivery_env.deliver(evening)
    assert (await delivery_env.deliver(evening + 2 * MINUTE)).next_at == NINE + DAY
    await delivery_env.change("ada", standing="left")
    await delivery_env.deliver(NINE + DAY)
    assert await delivery_env.items() == {"check_in#1/ada/request": "dropped left"}
    assert delivery_env.sink.received == []


async def test_a_relay_that_is_down_for_three_days_is_one_mail_for_each(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    await delivery_env.sink.stop()
    first = await delivery_env.deliver(NINE)
    assert (first.sent, first.deferred, first.trouble) == (0, 2, "queue")
    assert first.next_at == NINE + MINUTE
    assert (await delivery_env.deliver(NINE + MINUTE)).next_at == NINE + 3 * MINUTE
    await delivery_env.post(about("winding_down", "ada"), now=NINE + DAY)
    await delivery_env.deliver(NINE + DAY)
    assert {row.attempts for row in await delivery_env.rows(MessageRow)} == {0}, "it was not the mails' fault"
    await delivery_env.sink.start()
    last = await delivery_env.deliver(NINE + 3 * DAY)
    assert (last.sent, last.trouble, last.next_at) == (2, "", None)
    assert sorted(one.recipient for one in delivery_env.sink.received) == [ADA, CLEO]
    assert set((await delivery_env.items()).values()) == {"sent"}
    delivery_env.sink.script("", "mail 421 closing")
    await delivery_env.post(about("farewell", "cleo", after_end=True, on=MONDAY), now=NINE + 4 * DAY)
    again = NINE + 4 * DAY + LOOK_AFTER
    assert (await delivery_env.deliver(again)).next_at == again + MINUTE, "and waits are short again"


async def test_a_421_stops_the_queue_and_burns_nothing(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script("", "rcpt 421 4.3.2 closing", ACCEPT)
    await delivery_env.post(*(about("transferred", person) for person in ("ada", "cleo", "dan")))
    first = await delivery_env.deliver(NINE)
    assert first.sent + first.deferred == 3
    assert first.deferred >= 1
    assert first.next_at == NINE + MINUTE
    assert await delivery_env.wakes_at() == NINE + MINUTE
    await delivery_env.deliver(NINE + MINUTE)
    assert len(delivery_env.sink.received) == 3
    assert set(await delivery_env.messages()) == {"sent"}


@pytest.mark.parametrize(
    ("step", "trouble"),
    [
        ("mail 530 5.7.0 authenticate first", "configuration 530 5.7.0"),
        ("rcpt 550 5.7.1 relaying denied", "policy 550 5.7.1"),
        ("data 554 5.7.1 looks like spam", "policy 554 5.7.1"),
    ],
)
async def test_trouble_that_is_ours_is_told_and_suppresses_nobody(
    delivery_env: DeliveryEnv, step: str, trouble: str
) -> None:
    delivery_env.sink.script("", step, ACCEPT)
    await delivery_env.post(item("ada"))
    first = await delivery_env.deliver(NINE)
    assert (first.trouble, first.deferred, first.bounced) == (trouble, 1, [])
    assert (await delivery_env.person("ada")).standing == "active"
    assert first.next_at is not None
    assert (await delivery_env.deliver(first.next_at)).sent == 1


async def test_staging_says_nothing_about_people(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script("", "rcpt 550 5.1.1 no such user")
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, redirect_all_to="staging@example.net"
    )
    await delivery_env.post(item("ada"))
    assert (await delivery_env.deliver(NINE)).refused == 0
    assert (await delivery_env.person("ada")).standing == "active"


# -- for good ------------------------------------------------------------------------------------------------------


async def test_an_address_that_refuses_mail_for_good_is_written_to_no_more(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, "rcpt 550 5.1.1 <ben@example.org> no such user")
    await delivery_env.turn(mentorship=GROUP.key)
    await delivery_env.post(item("ben"), item("ada"))
    result = await delivery_env.deliver(NINE_IN_NEW_YORK)
    assert (result.sent, result.refused, result.bounced) == (1, 1, ["ben"])
    assert (await delivery_env.person("ben")).standing == "bounced"
    assert await delivery_env.items() == {
        "check_in#1/ada/request": "sent",
        "check_in#1/ben/request": "refused bounced",
    }
    [suppressed] = await delivery_env.rows(SuppressionRow)
    assert (suppressed.email, suppressed.person, suppressed.reason) == (BEN, "ben", "permanent 550 5.1.1")

    # Every mentorship of the person that runs is told.
    relays = await delivery_env.relays()
    assert [(row.cohort, row.mentorship, row.event) for row in relays] == [
        (COHORT, PAIR.key, "Bounced"), (COHORT, GROUP.key, "Bounced"),
    ]  # fmt: skip
    assert all(EVENTS[row.event](**row.payload).person == "ben" for row in relays)
    assert all(row.payload["id"] == row.id for row in relays)
    assert not any("@" in f"{row.payload}{row.id}" for row in relays)

    await delivery_env.post(about("transferred", "ben"), now=NINE + DAY)
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY)
    assert (await delivery_env.items())["transferred#1/ben/notice"] == "dropped bounced"
    assert delivery_env.sink.mails_to(BEN) == []


async def test_a_mentorship_that_somebody_has_left_is_not_told_that_they_bounce(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(BEN, "rcpt 550 5.1.1 no such user")
    await delivery_env.turn(mentorship=GROUP.key)
    await delivery_env.turn(members=[MemberRecord("ben", "mentee", "out")])
    await delivery_env.post(about("transferred", "ben", key="of the group"), mentorship=GROUP.key)
    await delivery_env.deliver(NINE_IN_NEW_YORK)
    assert [row.mentorship for row in await delivery_env.relays()] == [GROUP.key]


async def test_nothing_that_the_relay_says_is_kept(delivery_env: DeliveryEnv) -> None:
    delivery_env.sink.script(ADA, "rcpt 450 4.2.0 <ada@example.org> greylisted")
    delivery_env.sink.script(CLEO, "rcpt 550 5.1.1 <cleo@example.org> no such user")
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    result = await delivery_env.deliver(NINE)
    said = [row.error for row in await delivery_env.rows(MessageRow)]
    said += [detail for name in ("bounced", "dropped") for _, detail in await delivery_env.events(name)]
    assert said
    assert not any("@" in text for text in [*said, result.trouble])


# -- a worker that is told to stop ---------------------------------------------------------------------------------


class Gate:
    """Lets mails through to the real relay only when opened; says when one waits."""

    def __init__(self, transport: Sender) -> None:
        self.transport = transport
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    @property
    def connections(self) -> int:
        return 1

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        self.reached.set()
        await self.opened.wait()
        await self.transport.send(sender, recipient, message, before_body)


async def test_told_to_stop_it_brings_the_mail_on_its_way_to_its_end(delivery_env: DeliveryEnv) -> None:
    gate = Gate(delivery_env.post_office._office.transport)
    delivery_env.post_office = post_office(delivery_env.database, gate)
    await delivery_env.post(item("ada"), about("transferred", "cleo"))
    await delivery_env.deliver(NINE - HOUR)
    assert await delivery_env.wakes_at() == NINE
    round_ = asyncio.create_task(delivery_env.deliver(NINE))
    await gate.reached.wait()
    assert await delivery_env.wakes_at() is None, "at work: the code that queues something wakes it"
    round_.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await round_
    assert len(delivery_env.sink.received) == 1
    assert sorted(await delivery_env.messages()) == ["deferred", "sent"]
    await delivery_env.deliver(NINE)
    assert sorted(one.recipient for one in delivery_env.sink.received) == [ADA, CLEO]
    assert set(await delivery_env.messages()) == {"sent"}


async def test_whose_postbox_changed_while_the_mail_was_worded_is_left_for_the_next_look(
    delivery_env: DeliveryEnv,
) -> None:
    await delivery_env.post(item("ada"), about("transferred", "cleo"))

    class Slow(LetterWriter):
        """In the time that it takes to write, an answer comes in."""

        async def letters(
            self, session: AsyncSession, planned_letters: Sequence[PlannedLetter]
        ) -> list[Letter | Exception]:
            found = await super().letters(session, planned_letters)
            await delivery_env.change("ada", standing="left")
            return found

    preparer = Preparer(delivery_env.database, Slow(LINKS, SENDER, secret=SECRET), compose)
    page = await preparer.prepare(["ada", "cleo"], NINE, LAPSED)
    assert [mail.person for mail in page.mails] == ["cleo"]
    await delivery_env.deliver(NINE)
    assert (await delivery_env.items())["check_in#1/ada/request"] == "dropped left"
