"""Stores applications to an open call: who was invited, who applied, who confirmed, and what they wish for.

Everything here is personal data of one applicant. `operations.applications.apply` decides who may apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import ItemKind, Post
from lifecycle.delivery.holds import Standstill
from lifecycle.keys import application_item_key
from lifecycle.local_time import begun_everywhere
from program.forms import Answers
from store.cohorts.calls import Call
from store.postbox import Address, Moment, post
from store.tables import ApplicationRow, CohortPersonRow, ItemRow, MembershipRow, ParticipantRow

State = Literal["invited", "unconfirmed", "confirmed", "waiting", "withdrawn"]
"""asked and not answered; sent, the address is not confirmed; counts; counts once a place is free; taken back"""
COUNTS: tuple[State, ...] = ("confirmed", "waiting")
"""Applications whose address is confirmed."""

CONFIRM, YOURS = "application_confirm", "application_yours"
"""Mails that an applicant's own act brings: confirm the address; here is your link."""
INVITED = "application_invited"
"""Mail of the gathering: the call is open, and its reminders."""
WISHES = "application_wishes"
"""Mail after the close: say whom you would like to meet."""
NOBODY = "application_nobody"
"""Mail after publishing: there was nobody for them. Its number says why."""
CALLED_OFF = "application_cancelled"
"""Mail to those who applied to a cohort that is cancelled before it had anybody for them."""
OF_APPLICATIONS = (CONFIRM, YOURS, INVITED, WISHES, NOBODY, CALLED_OFF)
"""All of them; `about` of their items is the id of the application."""


@dataclass(frozen=True, slots=True)
class Application:
    """One application with its person. `email` and `person_name` are what we hold; `name` is what was typed."""

    id: str
    cohort: str
    person: str
    generation: int
    person_name: str
    email: str
    zone: str
    language: str
    standing: str
    state: State
    role: str
    name: str
    body: Answers
    invited: bool
    at: datetime
    confirmed_at: datetime | None
    mails: int
    mailed_on: date | None
    mails_that_day: int
    wishes: tuple[str, ...]
    would_take: tuple[str, ...]
    wished_at: datetime | None

    @property
    def shown_name(self) -> str:
        """How a coordinator reads the name."""
        return self.person_name or self.name


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What somebody typed, checked."""

    id: str
    cohort: str
    person: str
    role: str
    name: str
    body: Answers
    form_version: int
    at: datetime
    state: State = "unconfirmed"
    invited: bool = False
    mailed_on: date | None = None
    """The day (UTC) of the one mail that its arrival brings; None where it brings none."""


def _columns() -> tuple[Any, ...]:
    row = ApplicationRow
    return (
        row.id, row.cohort, row.person, ParticipantRow.generation, ParticipantRow.name.label("person_name"),
        ParticipantRow.email, ParticipantRow.zone, ParticipantRow.language, ParticipantRow.standing, row.state,
        row.role, row.name, row.body, row.invited, row.at, row.confirmed_at, row.mails, row.mailed_on,
        row.mails_that_day, row.wishes, row.would_take, row.wished_at,
    )  # fmt: skip


async def _select(session: AsyncSession, *which: Any, lock: bool = False) -> list[Application]:
    query = select(*_columns()).join(ParticipantRow, ParticipantRow.id == ApplicationRow.person).where(*which)
    query = query.order_by(ApplicationRow.person)
    if lock:
        query = query.with_for_update(of=ApplicationRow)
    rows = await session.execute(query)
    return [_application(row) for row in rows]


def _application(row: Any) -> Application:
    values = dict(row._mapping)
    return Application(**{**values, "wishes": tuple(row.wishes), "would_take": tuple(row.would_take)})


async def find(
    session: AsyncSession, id_: str, generation: int | None = None, *, lock: bool = False
) -> Application | None:
    """An application by its id, and by the generation of its link; None where there is none, or it is revoked."""
    which = [ApplicationRow.id == id_, ParticipantRow.standing != "erased"]
    if generation is not None:
        which.append(ParticipantRow.generation == generation)
    found = await _select(session, *which, lock=lock)
    return found[0] if found else None


async def several(session: AsyncSession, ids: Iterable[str]) -> list[Application]:
    """The applications with these ids, of people who are not erased."""
    return await _select(session, ApplicationRow.id.in_(list(ids)), ParticipantRow.standing != "erased")


async def of_address(session: AsyncSession, cohort: str, email: str, *, lock: bool = False) -> Application | None:
    """The application from this address; None where there is none."""
    found = await _select(
        session,
        ApplicationRow.cohort == cohort,
        func.lower(ParticipantRow.email) == email.strip().lower(),
        lock=lock,
    )
    return found[0] if found else None


async def of_person(session: AsyncSession, person: str) -> list[Application]:
    """All applications of a person."""
    return await _select(session, ApplicationRow.person == person)


async def of_cohort(session: AsyncSession, cohort: str, states: Sequence[str] = ()) -> list[Application]:
    """The applications to a cohort in these states (all, where none is named), by person id."""
    which = [ApplicationRow.cohort == cohort]
    if states:
        which.append(ApplicationRow.state.in_(states))
    return await _select(session, *which)


async def count(session: AsyncSession, cohort: str, states: Sequence[str], role: str = "") -> int:
    """How many applications there are in these states, of a role or of all."""
    query = select(func.count()).where(ApplicationRow.cohort == cohort, ApplicationRow.state.in_(states))
    return await session.scalar(query.where(ApplicationRow.role == role) if role else query) or 0


async def add(session: AsyncSession, new: NewApplication) -> None:
    """Store an application that there was not. Needs a writing transaction."""
    session.add(
        ApplicationRow(
            id=new.id, cohort=new.cohort, person=new.person, state=new.state, role=new.role, name=new.name,
            body=dict(new.body), form_version=new.form_version, invited=new.invited, at=new.at,
            mails=int(new.mailed_on is not None), mailed_on=new.mailed_on,
            mails_that_day=int(new.mailed_on is not None),
        )
    )  # fmt: skip
    await session.flush()


async def change(session: AsyncSession, id_: str, **values: Any) -> None:
    """Change columns of an application. Needs a writing transaction."""
    await session.execute(
        update(ApplicationRow)
        .where(ApplicationRow.id == id_)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def add_person(session: AsyncSession, id_: str, name: str, email: str, zone: str, language: str) -> None:
    """Store somebody who is known by their application only. Needs a writing transaction."""
    session.add(ParticipantRow(id=id_, name=name, email=email.strip(), zone=zone, language=language))
    await session.flush()


async def change_person(session: AsyncSession, person: str, **values: Any) -> None:
    """Change name, zone or profile of somebody. Needs a writing transaction."""
    await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id == person)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def only_applied(session: AsyncSession, person: str, besides: str = "") -> bool:
    """Whether a person is known by applications only: no seat, no role, and no application but `besides` counts."""
    elsewhere = or_(
        exists().where(MembershipRow.person == person),
        exists().where(CohortPersonRow.person == person),
        exists().where(
            ApplicationRow.person == person, ApplicationRow.id != besides, ApplicationRow.state.in_(COUNTS)
        ),
    )
    return not await session.scalar(select(elsewhere))


async def forget(session: AsyncSession, person: str) -> int:
    """Delete the applications of a person, and the wishes for them; returns the rows. Needs a writing transaction."""
    cohorts = (await session.scalars(select(ApplicationRow.cohort).where(ApplicationRow.person == person))).all()
    found = await session.execute(delete(ApplicationRow).where(ApplicationRow.person == person))
    for row in await session.scalars(
        select(ApplicationRow).where(ApplicationRow.cohort.in_(cohorts), ApplicationRow.wished_at.is_not(None))
    ):
        row.wishes = [id_ for id_ in row.wishes if id_ != person]
        row.would_take = [id_ for id_ in row.would_take if id_ != person]
    await session.flush()
    return found.rowcount  # pyright: ignore[reportAttributeAccessIssue]


async def delete_one(session: AsyncSession, id_: str) -> None:
    """Delete an application. Needs a writing transaction."""
    await session.execute(delete(ApplicationRow).where(ApplicationRow.id == id_))


async def tell(
    session: AsyncSession,
    call: Call,
    application: str,
    person: str,
    kind: ItemKind,
    name: str,
    nth: int,
    now: datetime,
    *,
    shards: int,
) -> list[Moment]:
    """Put a mail about an application into its person's postbox; one that is in already stays as it is. Returns the
    moments at which its postmaster must look. Needs a writing transaction."""
    item = Post(
        key=application_item_key(call.cohort, application, name, nth),
        person=person,
        kind=kind,
        name=name,
        number=nth,
        date=begun_everywhere(now),
        about=application,
        after_end=True,
    )
    address = Address(call.cohort, "", now, call.rule, shards)
    return await post(session, address, [item], Standstill())


async def told_at(session: AsyncSession, cohort: str, name: str) -> dict[str, dict[int, datetime]]:
    """Application to what its person was told by mails of this name: number to when it was queued (UTC)."""
    rows = await session.execute(
        select(ItemRow.about, ItemRow.number, ItemRow.queued_at).where(ItemRow.cohort == cohort, ItemRow.name == name)
    )
    found: dict[str, dict[int, datetime]] = {}
    for about, number, queued_at in rows:
        found.setdefault(about, {})[number] = queued_at
    return found


async def drop_waiting(session: AsyncSession, cohort: str, name: str, now: datetime) -> None:
    """Drop the waiting mails of this name: their time is over. Needs a writing transaction."""
    await session.execute(
        update(ItemRow)
        .where(ItemRow.cohort == cohort, ItemRow.name == name, ItemRow.state.in_(("queued", "held")))
        .values(state="dropped", reason="window_closed", done_at=now, deliver_at=None)
        .execution_options(synchronize_session=False)
    )


async def take_back(
    session: AsyncSession, cohort: str, application: str, names: Sequence[str], now: datetime
) -> None:
    """Drop the waiting mails of these names about an application. Needs a writing transaction."""
    await session.execute(
        update(ItemRow)
        .where(
            ItemRow.cohort == cohort,
            ItemRow.about == application,
            ItemRow.name.in_(names),
            ItemRow.state.in_(("queued", "held")),
        )
        .values(state="dropped", reason="answered", done_at=now, deliver_at=None)
        .execution_options(synchronize_session=False)
    )
