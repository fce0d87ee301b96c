"""Mail delivery on a real database and a real SMTP server, with the cohort of `testing.cohorts.small_cohort`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_settings import PostOfficeRules, Sender
from activities.delivery.smtp import Relay, SmtpTransport
from activities.letters.fill_letters import LetterWriter
from activities.messages import DeliverInput, DeliverResult
from lifecycle.commands import MemberRecord, Post
from lifecycle.delivery.postbox import LOOK_AFTER
from lifecycle.keys import item_key, request_key
from mail.compose import compose
from mail.letters import Letter, WordedMail
from runtime.links import Links
from store.database import Database
from store.tables import EventRow, ItemRow, MessageRow, ParticipantRow, PostmasterRow, RelayRow, RequestRow
from testing.cohorts.small_cohort import COHORT, LAUNCH, PAIR, applied, ask, launched, turn
from testing.servers.sink import Sink

NINE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + LOOK_AFTER
"""Monday, nine o'clock in Paris, where all but Ben live: the letterboxes are open, and the postmaster looks."""
NINE_IN_NEW_YORK = NINE + timedelta(hours=6)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MONDAY = date(2026, 3, 2)
SECRET = "a secret of at least thirty-two characters"
LINKS = Links((SECRET,), "https://mentoring.example.org")
SENDER = "mentoring@example.org"


@dataclass
class DeliveryEnv:
    """A launched cohort, its postmaster and the mail server: everything that a test of delivery needs."""

    database: Database
    sink: Sink
    post_office: PostOffice
    turns: dict[str, int] = field(default_factory=dict)

    async def turn(self, now: datetime = NINE - 8 * HOUR, mentorship: str = PAIR.key, **parts: Any) -> None:
        """One turn of a mentorship, recorded as the workflow has it recorded."""
        self.turns[mentorship] = self.turns.get(mentorship, 0) + 1
        await applied(self.database, turn(self.turns[mentorship], now, mentorship=mentorship, **parts))

    async def post(self, *posts: Post, now: datetime = NINE - 8 * HOUR, **parts: Any) -> None:
        """Put items into the postbox."""
        await self.turn(now, posts=list(posts), **parts)

    async def deliver(self, now: datetime) -> DeliverResult:
        """One round of the only postmaster."""
        return await self.post_office.deliver(DeliverInput(0, now))

    async def deliver_until_done(self, now: datetime) -> list[DeliverResult]:
        """Rounds at this moment until nothing is left to do now."""
        rounds = [await self.deliver(now)]
        while rounds[-1].next_at is not None and rounds[-1].next_at <= now:
            rounds.append(await self.deliver(now))
        return rounds

    async def rows(self, table: Any) -> list[Any]:
        """All rows of a table, in a stable order."""
        async with self.database.session() as session:
            rows_of_table = list((await session.scalars(select(table))).all())
        return sorted(rows_of_table, key=lambda row: str(getattr(row, "key", None) or getattr(row, "id", "")))

    async def items(self) -> dict[str, str]:
        """Item key without its cohort to its state, with the reason."""
        rows: list[ItemRow] = await self.rows(ItemRow)
        return {row.key.removeprefix(f"{COHORT}/{PAIR.key}/"): f"{row.state} {row.reason}".strip() for row in rows}

    async def messages(self) -> list[str]:
        """State of each message."""
        rows: list[MessageRow] = await self.rows(MessageRow)
        return [row.state for row in rows]

    async def person(self, id_: str) -> ParticipantRow:
        """A person as the store has them."""
        return next(row for row in await self.rows(ParticipantRow) if row.id == id_)

    async def request(self, person: str) -> RequestRow:
        """The person's first check-in."""
        return next(row for row in await self.rows(RequestRow) if row.key == check_in(person))

    async def events(self, name: str) -> list[tuple[str, str]]:
        """(person, detail) of the events of this name."""
        rows: list[EventRow] = await self.rows(EventRow)
        return [(row.person, row.detail) for row in rows if row.name == name]

    async def relays(self) -> list[RelayRow]:
        """What the workflows are to be told."""
        return await self.rows(RelayRow)

    async def wakes_at(self) -> datetime | None:
        """When the postmaster wakes, as it has put it down."""
        [row] = await self.rows(PostmasterRow)
        return row.wakes_at

    async def change(self, person: str, **values: Any) -> None:
        """Change a person's row."""
        async with self.database.begin() as session:
            row = await session.get_one(ParticipantRow, person)
            for name, value in values.items():
                setattr(row, name, value)


def rules(**changes: Any) -> PostOfficeRules:
    """The usual rules, with some of them otherwise."""
    return replace(PostOfficeRules(SENDER), **changes)


def post_office(
    database: Database,
    transport: Sender,
    word: Callable[[Letter], WordedMail] = compose,
    *,
    redirect_all_to: str = "",
    **changes: Any,
) -> PostOffice:
    """A post office."""
    secret = changes.get("secret") or SECRET
    letter_writer = LetterWriter(LINKS, SENDER, redirect_all_to=redirect_all_to, secret=secret)
    return PostOffice(database, transport, letter_writer, word, rules(redirected=bool(redirect_all_to), **changes))


@asynccontextmanager
async def open_delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    """The cohort launched, both of the pair asked for their first check-in, the post office open."""
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=3, timeout=1))
    await launched(database)
    delivery_env = DeliveryEnv(database, sink, post_office(database, transport))
    accepted = [MemberRecord("ada", "mentor", "accepted"), MemberRecord("ben", "mentee", "accepted")]
    asked = [ask("ben"), ask("ada", "mentor")]
    await delivery_env.turn(LAUNCH - HOUR * 9, open_requests=asked, members=accepted)
    yield delivery_env
    await transport.close()


def check_in(person: str) -> str:
    """Key of the person's first check-in."""
    return request_key(COHORT, PAIR.key, "check_in", 1, person)


def about(name: str, person: str, kind: Any = "notice", on: date = MONDAY, number: int = 1, **rest: Any) -> Post:
    """An item that tells the pair something."""
    key = rest.pop("key", "") or item_key(COHORT, PAIR.key, name, number, person, kind)
    return Post(key=key, person=person, kind=kind, name=name, number=number, date=on, **rest)
