"""Corrects a person's details, with all consequences in the same transaction.

It takes back a bounce, queues again what was never delivered, moves what waits to its new moment, and tells each
mentorship through the workflow outbox. Must not queue again what was delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Post
from lifecycle.delivery.postbox import ALONE
from lifecycle.keys import MentorshipRef
from store import workflow_outbox
from store.columns import bare
from store.operations_log import put_operation
from store.people import address_changes, former_names
from store.postbox import Moment, ParticipantFacts, deliver_at, letterbox_rule, post_of
from store.shards import soonest
from store.tables import (
    CohortPersonRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    SuppressionRow,
)
from store.workflow_outbox import OutboxEvent

ITEMS = bare(ItemRow)


class UnknownParticipant(LookupError):
    """No participant has this id, or the person was erased. The message holds the id only."""


class AddressTaken(ValueError):
    """Another person has this address. The message holds that person's id only."""


@dataclass(frozen=True, slots=True)
class Details:
    """The new details of a person; None keeps the old value. In the profile an empty value removes a field, and
    fields that are not named stay."""

    name: str | None = None
    email: str | None = None
    zone: str | None = None
    language: str | None = None
    profile: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """The result of a correction, without names."""

    person: str
    fields: tuple[str, ...] = ()
    """The changed fields; empty if nothing changed."""
    healed: bool = False
    """Mail reaches the person again: it was refused before."""
    again: tuple[str, ...] = ()
    """Keys of items that were never delivered and go out again."""
    moved: tuple[str, ...] = ()
    """Keys of items that wait and may go at another moment than before."""
    mentorships: tuple[MentorshipRef, ...] = ()
    """The mentorships that are told."""
    earliest: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    """Shard to the moment (UTC) at which its postmaster must look."""

    @property
    def changed(self) -> bool:
        """Whether anything changed."""
        return bool(self.fields) or self.healed


@dataclass(frozen=True, slots=True)
class CorrectionOrder:
    """A correction as it is given: the id of the operation, by whom and why, at this moment (program time, UTC).

    Nobody else tells the mentorships before `not_before`.
    """

    id: str
    by: str
    why: str
    now: datetime
    not_before: datetime


async def correct(session: AsyncSession, person: str, details: Details, order: CorrectionOrder) -> Correction:
    """Correct a person, in an open writing transaction. Nothing happens if all values are the same.

    The same address once more takes back a bounce: it works again. Raises `UnknownParticipant`, `AddressTaken` and
    `former_names.ChangedTooOften`.
    """
    row = await session.scalar(select(ParticipantRow).where(ParticipantRow.id == person).with_for_update())
    if row is None or row.standing == "erased":
        raise UnknownParticipant(person)
    fields = [name for name, value in _values(row, details).items() if getattr(row, name) != value]
    healed = details.email is not None and row.standing == "bounced"
    if not fields and not healed:
        return Correction(person)
    if "email" in fields:
        other = await address_changes.other_holder(session, str(details.email), person)
        if other is not None:
            raise AddressTaken(other)
    if "email" in fields or healed:
        row.corrections += 1
    for name in ("name", "email"):
        if name in fields:
            await former_names.keep(session, person, name, getattr(row, name), order.now)
    for name, value in _values(row, details).items():
        setattr(row, name, value)
    if "email" in fields:
        await address_changes.overtake(session, person, order.now)
        row.generation += 1  # revokes the links in mails to the old address
    if healed:
        row.standing = "active"
    await session.flush()
    again: list[str] = []
    moments: list[Moment] = []
    if healed or "email" in fields:
        again, moments = await _send_again(session, row, order.now)
    moved, later = await _move(session, row, order.now) if "zone" in fields else ([], [])
    refs = await _mentorships(session, person)
    await _tell(session, row, refs, order, address=healed or "email" in fields, zone="zone" in fields)
    await _note(session, person, refs, fields or ["email"], order)
    earliest = soonest((*moments, *later))
    return Correction(person, tuple(fields), healed, tuple(again), tuple(moved), tuple(refs), earliest)


async def move(session: AsyncSession, person: str, order: CorrectionOrder, told: MentorshipRef) -> None:
    """Somebody lives in another zone now, as their row says already: what waits for them has another moment, and each
    of their mentorships is told but the one that hears of it anyway (`told`). Needs a writing transaction."""
    row = await session.get_one(ParticipantRow, person)
    await _move(session, row, order.now)
    refs = [ref for ref in await _mentorships(session, person) if ref != told]
    await _tell(session, row, refs, order, address=False, zone=True)


def _values(row: ParticipantRow, details: Details) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: value.strip()
        for name in ("name", "email", "zone", "language")
        if (value := getattr(details, name)) is not None
    }
    if details.profile is not None:
        merged = {**row.profile, **details.profile}
        values["profile"] = {name: value for name, value in merged.items() if value != ""}
    return values


# -- what waits, and what was never delivered ------------------------------------------------------------------


async def _send_again(session: AsyncSession, row: ParticipantRow, now: datetime) -> tuple[list[str], list[Moment]]:
    """What the old address did not take waits for the next letterbox. Whether it is still true is asked then."""
    await session.execute(
        delete(SuppressionRow).where(
            or_(SuppressionRow.person == row.id, func.lower(SuppressionRow.email) == row.email.lower())
        )
    )
    # These may or may not have reached the old address; they were not meant for it.
    doubtful = await session.scalars(
        update(MessageRow)
        .where(MessageRow.person == row.id, MessageRow.state == "ambiguous", MessageRow.next_try_at.is_not(None))
        .values(state="refused", error="corrected", next_try_at=None)
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    )
    # Deferred mails will be worded again, for the new address.
    await session.execute(delete(MessageRow).where(MessageRow.person == row.id, MessageRow.state == "deferred"))
    lost = or_(
        # What asked the old address for a new one asks it no more.
        and_(ItemRow.state == "refused", ItemRow.name.not_in(ALONE)),
        and_(ItemRow.state == "dropped", ItemRow.reason == "bounced", ItemRow.name.not_in(ALONE)),
        and_(ItemRow.state == "sending", ItemRow.message.in_(doubtful.all())),
    )
    rows = await session.scalars(
        select(ItemRow).where(ItemRow.person == row.id, lost).order_by(ItemRow.key).with_for_update()
    )
    items = rows.all()
    # They will be worded again, for the new address.
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id.in_({item.message for item in items if item.message}))
        .values(raw="")
        .execution_options(synchronize_session=False)
    )
    return await queue(session, row, items, now)


async def _move(session: AsyncSession, row: ParticipantRow, now: datetime) -> tuple[list[str], list[Moment]]:
    """What waits in the postbox may go when the letterbox opens in the new zone."""
    rows = await session.scalars(
        select(ItemRow)
        # One that can't be worded waits for its own reasons.
        .where(ItemRow.person == row.id, ItemRow.state == "queued", ItemRow.reason == "")
        .order_by(ItemRow.key)
        .with_for_update()
    )
    return await queue(session, row, rows.all(), now)


async def queue(
    session: AsyncSession, row: ParticipantRow, items: Sequence[ItemRow], now: datetime
) -> tuple[list[str], list[Moment]]:
    """Queue items of this person again; returns their keys, and when postmasters must look."""
    cohorts = await session.execute(
        select(CohortRow.id, CohortRow.letterbox, CohortRow.holidays).where(
            CohortRow.id.in_({item.cohort for item in items})
        )
    )
    rules = {cohort: letterbox_rule(letterbox, holidays) for cohort, letterbox, holidays in cohorts}
    rows: list[dict[str, Any]] = []
    moments: list[Moment] = []
    for item in items:
        facts = ParticipantFacts(row.id, row.zone, row.last_mail_on, rules[item.cohort])
        waiting: Post = post_of(item)
        at = deliver_at(facts, waiting, max(now, item.queued_at))
        rows.append({"item_key": item.key, "moment": at})
        moments.append((item.shard, at))
    if rows:
        queued = {"state": "queued", "reason": "", "done_at": None, "message": None}
        await (await session.connection()).execute(
            update(ITEMS)
            .where(ITEMS.c.key == bindparam("item_key"))
            .values({"deliver_at": bindparam("moment")} | queued),
            rows,
        )
    return [item.key for item in items], moments


# -- whom it concerns ------------------------------------------------------------------------------------------


async def _mentorships(session: AsyncSession, person: str) -> list[MentorshipRef]:
    """The mentorships that are not over in which this person has a seat."""
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship)
        .join(
            MentorshipRow,
            and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(
            MembershipRow.person == person,
            MembershipRow.standing != "out",
            MentorshipRow.state.in_(("planned", "running")),
        )
        .order_by(MembershipRow.cohort, MembershipRow.mentorship)
    )
    return [(cohort, mentorship) for cohort, mentorship in rows]


async def _tell(
    session: AsyncSession,
    row: ParticipantRow,
    refs: Iterable[MentorshipRef],
    order: CorrectionOrder,
    *,
    address: bool,
    zone: bool,
) -> None:
    for cohort, mentorship in refs:
        if address:
            id_ = f"{order.id}/{cohort}/{mentorship}/corrected"
            # The record finds the author and the reason through this row.
            await put_operation(session, id_, "correct", cohort, mentorship, {}, order.by, order.why, order.now)
            event = {"id": id_, "person": row.id, "by": order.by}
            await workflow_outbox.put(
                session, OutboxEvent(id_, cohort, mentorship, "Corrected", event), order.not_before
            )
        if zone:
            id_ = f"{order.id}/{cohort}/{mentorship}/moved"
            event = {"id": id_, "person": row.id, "zone": row.zone}
            await workflow_outbox.put(session, OutboxEvent(id_, cohort, mentorship, "Moved", event), order.not_before)


async def _note(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef], fields: Sequence[str], order: CorrectionOrder
) -> None:
    coordinated = await session.scalars(
        select(CohortPersonRow.cohort).where(CohortPersonRow.person == person).order_by(CohortPersonRow.cohort)
    )
    where = [*refs, *((cohort, "") for cohort in coordinated)]
    line: dict[str, Any] = {
        "at": order.now,
        "name": "details_corrected",
        "person": person,
        "detail": ", ".join(fields),
        "by": order.by,
        "why": order.why,
    }
    if where:
        await session.execute(
            insert(EventRow), [line | {"cohort": cohort, "mentorship": mentorship} for cohort, mentorship in where]
        )
