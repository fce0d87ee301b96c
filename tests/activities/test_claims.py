"""Two workers on one shard, and rows that can't be written: whose word counts, and that nobody else waits for it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DBAPIError
from temporalio.testing import ActivityEnvironment

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_settings import Sender
from activities.delivery.smtp import BeforeBody, Kind, NotSent, Trouble
from activities.messages import DeliverInput, DeliverResult
from lifecycle.delivery.postbox import LOOK_AFTER
from store.database import Database
from store.delivery.results import NOT_REPEATED
from store.tables import ItemRow, MessageRow
from testing.cohorts.small_cohort import item
from testing.environments.delivery_env import DAY, HOUR, MINUTE, NINE, DeliveryEnv, about, post_office
from testing.servers.sink import ACCEPT, DROP
from tests.activities.test_outbox import ADA, CLEO, LAPSED, killed

PEOPLE = ("ada", "cleo", "dan")


class Paused:
    """A worker that stands still at one place of every hand-over until it is woken, as a paused machine does."""

    def __init__(self, transport: Sender, place: str) -> None:
        self.transport, self.place = transport, place
        self.reached, self.woken = asyncio.Event(), asyncio.Event()

    @property
    def connections(self) -> int:
        return self.transport.connections

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        await self._stand("before the claim is looked at")
        try:
            await self.transport.send(sender, recipient, message, before_body)
        except NotSent as refusal:
            await self._stand("after a refusal")
            raise refusal
        await self._stand("after the relay has it")

    async def _stand(self, here: str) -> None:
        if here == self.place:
            self.reached.set()
            await self.woken.wait()


@pytest.fixture
async def other(delivery_env: DeliveryEnv, database_url: str) -> AsyncIterator[PostOffice]:
    """Another worker, with its own connections to the same database."""
    async with Database.open(database_url) as database:
        yield post_office(database, delivery_env.post_office._office.transport)


async def taken_over(successor: PostOffice, now: Any) -> DeliverResult:
    """The round of a worker to which Temporal gives the shard, because the one before is silent."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=2)
    return await environment.run(successor.deliver, DeliverInput(0, now))


async def paused_round(delivery_env: DeliveryEnv, place: str) -> tuple[asyncio.Task[DeliverResult], Paused]:
    """A round that stands still."""
    paused = Paused(delivery_env.post_office._office.transport, place)
    stale = post_office(delivery_env.database, paused)
    task = asyncio.create_task(stale.deliver(DeliverInput(0, NINE)))
    await paused.reached.wait()
    return task, paused


async def test_a_worker_that_wakes_late_sends_nothing_that_its_successor_has_sent(
    delivery_env: DeliveryEnv, other: PostOffice
) -> None:
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    stale, paused = await paused_round(delivery_env, "before the claim is looked at")
    assert (await taken_over(other, NINE + MINUTE)).sent == 3
    paused.woken.set()
    assert (await stale).sent == 0
    assert sorted(one.recipient for one in delivery_env.sink.received) == [f"{one}@example.org" for one in PEOPLE]
    assert await delivery_env.messages() == ["sent"] * 3
    assert await delivery_env.events("mail_ambiguous") == []
    assert {row.attempts for row in await delivery_env.rows(MessageRow)} == {1}


async def test_what_a_late_worker_has_learnt_does_not_write_over_its_successor(
    delivery_env: DeliveryEnv, other: PostOffice
) -> None:
    delivery_env.sink.script(ADA, "data 451 4.3.0 later", ACCEPT)
    delivery_env.sink.script(CLEO, DROP, ACCEPT)
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    stale, paused = await paused_round(delivery_env, "after a refusal")
    await taken_over(other, NINE + MINUTE)
    settled = {row.id: (row.state, row.sent_at) for row in await delivery_env.rows(MessageRow)}
    paused.woken.set()
    await stale
    assert {row.id: (row.state, row.sent_at) for row in await delivery_env.rows(MessageRow)} == settled
    assert "deferred" not in await delivery_env.messages()

    # The next mail of each goes as if nothing had been.
    await delivery_env.post(*(about("winding_down", person) for person in PEOPLE), now=NINE + HOUR)
    assert (await delivery_env.deliver(NINE + DAY + LOOK_AFTER)).sent == 3


async def test_a_mail_that_two_workers_have_handed_over_is_on_record_as_in_doubt(
    delivery_env: DeliveryEnv, other: PostOffice
) -> None:
    await delivery_env.post(about("transferred", "ada"))
    stale, paused = await paused_round(delivery_env, "after the relay has it")
    assert (await taken_over(other, NINE + MINUTE)).sent == 1
    paused.woken.set()
    await stale
    first, second = delivery_env.sink.received
    assert first.raw == second.raw
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.attempts, message.error) == ("sent", 2, "ambiguous")
    assert await delivery_env.events("mail_ambiguous") == [("ada", f"{message.id} ambiguous")]
    assert (await delivery_env.deliver(NINE + HOUR)).sent == 0


async def test_a_claim_that_ends_before_the_longest_send_is_not_used(delivery_env: DeliveryEnv) -> None:
    delivery_env.post_office = post_office(
        delivery_env.database, delivery_env.post_office._office.transport, claim=timedelta(seconds=90)
    )
    await delivery_env.post(about("transferred", "ada"))
    assert (await delivery_env.deliver(NINE)).sent == 0
    assert delivery_env.sink.received == []
    assert await delivery_env.messages() == ["deferred"]
    assert {row.attempts for row in await delivery_env.rows(MessageRow)} == {0}


async def test_a_mail_whose_workers_die_before_its_body_was_never_tried(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("transferred", "ada"))
    for round_ in range(3):
        await delivery_env.post_office._office.preparer.prepare(
            ["ada"], NINE + round_ * DAY, LAPSED + round_ * DAY, claim=f"{round_}"
        )
        assert (await delivery_env.deliver(NINE + round_ * DAY + MINUTE)).sent == 0
        async with delivery_env.database.begin() as session:  # its claim has lapsed, on a day on which it may not go
            await session.execute(update(MessageRow).values(next_try_at=NINE))
        assert (await delivery_env.deliver(NINE + round_ * DAY + 12 * HOUR)).sent == 0
    delivery_env.sink.script(ADA, DROP, ACCEPT)
    await delivery_env.deliver(NINE + 3 * DAY + LOOK_AFTER)
    await delivery_env.deliver(NINE + 3 * DAY + HOUR)
    assert [one.said for one in delivery_env.sink.received] == [False, True], "dropped once, it goes once more"
    assert await delivery_env.messages() == ["sent"]


async def test_a_mail_whose_workers_die_twice_after_its_body_goes_no_third_time(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    await killed(delivery_env, accepted=1)
    await killed(delivery_env, accepted=1, now=LAPSED)
    assert (await delivery_env.deliver(LAPSED + HOUR)).sent == 0
    assert len(delivery_env.sink.received) == 2
    [message] = await delivery_env.rows(MessageRow)
    assert (message.state, message.attempts, message.error) == ("ambiguous", 2, NOT_REPEATED)
    assert await delivery_env.items() == {"check_in#1/ada/request": "sent"}
    assert len(await delivery_env.events("mail_ambiguous")) == 2


class InStep:
    """A relay that asks for the body of no mail before it has been told of so many."""

    connections = 3

    def __init__(self, transport: Sender, together: int) -> None:
        self.transport, self.together = transport, together
        self.told = 0
        self.all_told = asyncio.Event()

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        self.told += 1
        if self.told == self.together:
            self.all_told.set()
        await self.all_told.wait()
        await self.transport.send(sender, recipient, message, before_body)


async def confirmations(delivery_env: DeliveryEnv, together: int) -> int:
    """How many transactions confirm three mails that are on their way at the same time."""
    delivery_env.post_office = post_office(
        delivery_env.database, InStep(delivery_env.post_office._office.transport, together)
    )
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    found: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE messages SET body_begun"):
            found.append(statement)

    event.listen(delivery_env.database.engine.sync_engine, "before_cursor_execute", count)
    assert (await delivery_env.deliver(NINE)).sent == 3
    event.remove(delivery_env.database.engine.sync_engine, "before_cursor_execute", count)
    return len(found)


async def test_mails_on_their_way_at_the_same_time_are_confirmed_together(
    delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.delivery.hand_over.COMPANY", 60.0)
    assert await confirmations(delivery_env, together=3) == 1


async def test_no_mail_waits_long_for_another(delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.delivery.hand_over.COMPANY", 0.0)
    async with asyncio.timeout(30):
        assert await confirmations(delivery_env, together=1) in (1, 2, 3)


# -- rows that can't be written ------------------------------------------------------------------------------------


async def refuses(delivery_env: DeliveryEnv, when: str, table: str = "messages", what: str = "UPDATE") -> None:
    """From now on the database refuses to write such rows."""
    if delivery_env.database.sqlite:
        statements = [
            f"CREATE TRIGGER refuses BEFORE {what} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'no'); END"
        ]
    else:
        statements = [
            "CREATE FUNCTION refuses() RETURNS trigger AS $$ BEGIN RAISE 'no'; END $$ LANGUAGE plpgsql",
            f"CREATE TRIGGER refuses BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuses()",
        ]
    async with delivery_env.database.begin() as session:
        for statement in statements:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    ("when", "table", "what"),
    [
        pytest.param("NEW.person = 'ada'", "messages", "INSERT", id="frozen"),
        pytest.param("NEW.person = 'ada' AND NEW.state = 'sending'", "messages", "UPDATE", id="handed over"),
        pytest.param("NEW.person = 'ada' AND NEW.state = 'sent'", "messages", "UPDATE", id="settled"),
        pytest.param("NEW.person = 'ada' AND NEW.state = 'sent'", "items", "UPDATE", id="told"),
        pytest.param("NEW.id = 'ada'", "participants", "UPDATE", id="day used up"),
    ],
)
async def test_a_person_whose_rows_cannot_be_written_keeps_nobody_back(
    delivery_env: DeliveryEnv, when: str, table: str, what: str
) -> None:
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    await refuses(delivery_env, when, table, what)
    for minute in (0, 1, 20, 40):
        await delivery_env.deliver(NINE + minute * MINUTE)
    others = [one.recipient for one in delivery_env.sink.received if one.recipient != ADA]
    assert sorted(others) == ["cleo@example.org", "dan@example.org"]
    assert len(delivery_env.sink.mails_to(ADA)) <= 1, "what is known is not sent again for want of a row"
    await delivery_env.post(about("cancelled", "dan", "urgent"), now=NINE + HOUR)
    assert (await delivery_env.deliver(NINE + HOUR)).sent == 1


async def test_a_claim_that_cannot_be_taken_over_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("transferred", "ada"))
    await killed(delivery_env, accepted=1)
    await delivery_env.post(about("transferred", "cleo"), now=NINE + MINUTE)
    await refuses(delivery_env, "NEW.person = 'ada'")
    result = await delivery_env.deliver(LAPSED)
    assert (result.sent, [one.recipient for one in delivery_env.sink.received]) == (1, [ADA, CLEO])
    assert result.trouble.startswith("not taken over: ")


async def test_rows_that_a_worker_has_locked_while_it_stands_still_keep_nobody_back(
    delivery_env: DeliveryEnv, other: PostOffice
) -> None:
    if delivery_env.database.sqlite:
        pytest.skip("there is one writer at a time, so one that stands still keeps all others back")
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    await delivery_env.post_office._office.preparer.prepare(PEOPLE, NINE, LAPSED, claim="lost")
    async with delivery_env.database.begin() as session:
        await session.execute(select(MessageRow).where(MessageRow.person == "ada").with_for_update())
        async with asyncio.timeout(30):
            assert (await taken_over(other, NINE + MINUTE)).sent == 2
    assert (await taken_over(other, NINE + 2 * MINUTE)).sent == 1


async def test_the_database_ends_the_transaction_of_a_worker_that_stands_still(
    delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    if delivery_env.database.sqlite:
        pytest.skip("of PostgreSQL only")
    monkeypatch.setattr("store.database.IDLE_SECONDS", 1)

    async def stands_still(lost: Database) -> None:
        async with lost.begin() as session:
            await session.execute(select(MessageRow).with_for_update())
            await asyncio.sleep(2)
            await session.execute(select(MessageRow))

    async with Database.open(database_url) as lost:
        with pytest.raises(DBAPIError):
            await stands_still(lost)


async def test_a_deferred_row_that_items_refer_to_stays_and_breaks_nothing(delivery_env: DeliveryEnv) -> None:
    """As a worker without claims left it behind: the mail was sent, and its row says otherwise."""
    await delivery_env.post(about("transferred", "ada"))
    await delivery_env.deliver(NINE)
    async with delivery_env.database.begin() as session:
        await session.execute(update(MessageRow).values(state="deferred", next_try_at=NINE))
    await delivery_env.post(about("winding_down", "ada"), about("winding_down", "cleo"), now=NINE + HOUR)
    assert (await delivery_env.deliver(NINE + DAY + LOOK_AFTER)).sent == 2
    async with delivery_env.database.session() as session:
        told = await session.scalar(select(MessageRow.id).join(ItemRow, ItemRow.message == MessageRow.id).limit(1))
    assert told is not None


async def test_a_mail_that_cannot_be_encoded_keeps_nobody_back(delivery_env: DeliveryEnv) -> None:
    class Broken:
        connections = 1

        async def send(self, *mail: Any, **more: Any) -> None:
            if ADA in mail:
                raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
            await inner.send(*mail, **more)

    inner = delivery_env.post_office._office.transport
    delivery_env.post_office = post_office(delivery_env.database, Broken())  # pyright: ignore[reportArgumentType]
    await delivery_env.post(*(about("transferred", person) for person in PEOPLE))
    result = await delivery_env.deliver(NINE)
    assert (result.sent, result.deferred, result.trouble) == (2, 1, "not sent: UnicodeEncodeError")


# -- how long, and when somebody is asked --------------------------------------------------------------------------


class Says:
    """A relay that always has the same trouble."""

    connections = 1

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    async def send(self, *mail: Any, **more: Any) -> None:
        raise NotSent(self.trouble)


@pytest.mark.parametrize(
    ("words", "longest"),
    [
        ("rcpt 450 4.2.0 try again in 99999 hours", 4 * HOUR),
        ("rcpt 450 4.7.1 limit reached, try again in 99999 hours", DAY),
        ("rcpt 421 4.7.0 try again in 99999 hours", 4 * HOUR),
        ("mail 421 4.3.2 retry after 99999 hours", 4 * HOUR),
        ("data 451 4.3.0 too many messages in the last 24 hours, try again later", MINUTE),
    ],
)
async def test_no_words_of_a_relay_put_mail_off_for_long(
    delivery_env: DeliveryEnv, words: str, longest: timedelta
) -> None:
    delivery_env.sink.script("", words, ACCEPT)
    await delivery_env.post(about("transferred", "ada"))
    first = await delivery_env.deliver(NINE)
    assert first.next_at == NINE + longest
    [message] = await delivery_env.rows(MessageRow)
    assert message.next_try_at == NINE + longest
    if longest < DAY:
        assert (await delivery_env.deliver(NINE + longest)).sent == 1


@pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.POLICY])
async def test_a_mail_that_is_put_off_for_a_day_opens_a_task_and_is_tried_further(
    delivery_env: DeliveryEnv, kind: Kind
) -> None:
    delivery_env.post_office = post_office(delivery_env.database, Says(Trouble(kind, "450 4.2.2")))  # pyright: ignore[reportArgumentType]
    await delivery_env.post(about("transferred", "ada", on=NINE.date()))
    now, tries = NINE, 0
    while not await delivery_env.relays():
        result = await delivery_env.deliver(now)
        tries += result.deferred
        assert result.next_at is not None
        assert tries < 20
        now = max(result.next_at, now + MINUTE)
    [told] = await delivery_env.relays()
    assert (told.event, told.payload["person"], told.payload["soft"]) == ("Bounced", "ada", True)
    assert tries == 12
    assert (await delivery_env.person("ada")).standing == "active"
    for _ in range(3):
        result = await delivery_env.deliver(now)
        now = result.next_at or now
    assert len(await delivery_env.relays()) == 1, "once"


async def test_a_mail_that_cannot_be_made_for_half_a_day_opens_a_task(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("agreement_concluded", "ada", "receipt"))
    for hour in range(11):
        assert (await delivery_env.deliver(NINE + hour * HOUR)).trouble == "not worded: agreement_concluded: Missing"
    assert await delivery_env.relays() == []
    assert (await delivery_env.deliver(NINE + 11 * HOUR)).next_at == NINE + 12 * HOUR
    [told] = await delivery_env.relays()
    assert (told.event, told.payload["person"], told.payload["soft"]) == ("Bounced", "ada", True)
    assert (await delivery_env.deliver(NINE + 12 * HOUR)).next_at == NINE + 16 * HOUR
    assert len(await delivery_env.relays()) == 1


@pytest.mark.parametrize(
    ("address", "over_the_wire"),
    [
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("zoë@bücher.example.org", "zoë@xn--bcher-kva.example.org"),
    ],
)
async def test_international_addresses_get_their_mail(
    delivery_env: DeliveryEnv, address: str, over_the_wire: str
) -> None:
    delivery_env.sink.utf8 = True
    await delivery_env.change("ada", email=address)
    await delivery_env.post(item("ada"))
    assert (await delivery_env.deliver(NINE)).sent == 1
    [mail] = delivery_env.sink.received
    assert mail.recipient == over_the_wire
    assert over_the_wire in mail.raw.decode()
    assert await delivery_env.messages() == ["sent"]


async def test_a_relay_that_does_not_take_such_letters_opens_a_task_and_suppresses_nobody(
    delivery_env: DeliveryEnv,
) -> None:
    await delivery_env.change("ada", email="zoë@example.org")
    await delivery_env.post(about("transferred", "ada", "urgent"))
    now, first = NINE, await delivery_env.deliver(NINE)
    assert (first.deferred, first.trouble) == (1, "policy smtputf8")
    while not await delivery_env.relays():
        now = (await delivery_env.deliver(now)).next_at or now
        assert now < NINE + 3 * DAY
    assert (await delivery_env.person("ada")).standing == "active"
