"""Erases a person in one transaction: name, address, profile, texts, rendered mails and links go; counts, dates and
bare numbers stay under a meaningless id.

Each of their mentorships has a row that tells it that somebody has left, and nothing else. Mails that are being sent
at this moment forget what they say as soon as they need not be sent again (`store.delivery.results`), and a mail that
was worded before and not yet frozen is worded again (`MentorshipRow.erasures`). Must never touch what others wrote,
but for the name in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from store import audit, plans
from store.accounts import sessions
from store.cohorts import file_entries, files, mail_templates
from store.cohorts.program_versions import agreement_form
from store.database import putting
from store.operations_log import put_operation
from store.people import absences, address_changes, applications, former_names, notes, voices, written_messages
from store.people.correct import CorrectionOrder, MentorshipRef, UnknownParticipant
from store.people.name_matcher import NameMatcher
from store.people.redaction import AgreementDraft, numbers_only, without_names, without_words_of
from store.postbox import WAITING
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import (
    AgreementRow,
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    DraftRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    NoteRow,
    OperationRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
    StepRow,
    SuppressionRow,
    TaskRow,
)

FORMER_NAME = "Former participant"
"""The name that stays: it does not say why the person left."""
ON_ITS_WAY = and_(MessageRow.next_try_at.is_not(None), MessageRow.state.in_(("sending", "ambiguous")))
"""May have to be sent again, byte for byte."""


class StillCoordinates(ValueError):
    """The person coordinates running cohorts. The message holds their ids."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The result of erasing a person."""

    person: str
    rows: Mapping[str, int]
    """Table to the number of its rows with data of the person; tables without any are left out."""
    mentorships: tuple[MentorshipRef, ...]
    """Those that are told that somebody has left."""
    before: bool = False
    """The person was erased before."""


async def erase(
    session: AsyncSession, person: str, order: CorrectionOrder, cut: Mapping[str, str] = MappingProxyType({})
) -> Erasure:
    """Erase a person, in an open writing transaction. A second run finds what is left, which should be nothing.

    `cut` is what `files.without_entries` has made of cohorts' files before the transaction; others are read here.
    Raises `UnknownParticipant` and `StillCoordinates`.
    """
    refs = await _refs(session, person)
    await _lock(session, person, refs)
    row = await session.get(ParticipantRow, person)
    if row is None:
        raise UnknownParticipant(person)
    await _check_coordinates_nothing(session, person)
    before = row.standing == "erased"
    names = NameMatcher() if before else await _names(session, row)
    counts: Counter[str] = Counter()
    counts["answers"] += await _answers(session, person, refs, names)
    counts["agreements"] += await _agreements(session, person, refs, names)
    counts["drafts"] += await _drafts(session, person, refs, names)
    counts["participants"] += await _profiles(session, person, refs, names)
    counts["messages"] += await _messages(session, person, refs)
    counts["items"] += await _items(session, person, order)
    counts["events"] += await _reasons(session, EventRow, _told_of(EventRow, person, refs), person, names)
    counts["operations"] += await _reasons(session, OperationRow, _told_of(OperationRow, person, refs), person, names)
    counts["tasks"] += await _reasons(session, TaskRow, _of_refs(TaskRow, refs), person, names)
    counts["notes"] += await _notes(session, person, refs, names)
    counts["audit"] += await audit.forget(session, person, sorted({cohort for cohort, _ in refs}), names.out_of)
    counts["plans"] += await plans.forget(session, person, names.out_of_text)
    counts["written_messages"] += await written_messages.forget(
        session, person, sorted({cohort for cohort, _ in refs}), names.out_of
    )
    counts["suppressions"] += await _suppressions(session, person, row.email)
    counts["address_changes"] += await address_changes.forget(session, person)
    counts["absences"] += await absences.forget(session, person)
    counts["voices"] += await voices.forget(session, person, names)
    counts["cohort_files"] += await files.forget(session, person, names.out_of_text, cut)
    counts["mail_templates"] += await mail_templates.forget(session, names.out_of_text)
    counts["former_names"] += await former_names.forget(session, person)
    counts["applications"] += await applications.forget(session, person)
    told = await _still_in(session, person, refs)
    if not before:
        counts["participants"] += 1
        counts["requests"] += await _links(session, person)
        await file_entries.forget(session, person)
        await _forget_person(session, row)
        counts["sessions"] += await sessions.end(session, person)
        await _mark(session, person, refs, order)
    await _tell(session, person, told, order, names)
    return Erasure(person, {name: count for name, count in sorted(counts.items()) if count}, tuple(told), before)


async def _names(session: AsyncSession, row: ParticipantRow) -> NameMatcher:
    """Every name and address that the person has or ever had."""
    former = await former_names.of_person(session, row.id)
    emails = [each.value for each in former if each.field == "email"]
    emails += await former_names.addresses_asked_for(session, row.id)
    return NameMatcher.of((row.name, *(each.value for each in former if each.field == "name")), (row.email, *emails))


async def _refs(session: AsyncSession, person: str) -> list[MentorshipRef]:
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship)
        .where(MembershipRow.person == person)
        .order_by(MembershipRow.cohort, MembershipRow.mentorship)
    )
    return [(cohort, mentorship) for cohort, mentorship in rows]


async def _lock(session: AsyncSession, person: str, refs: Sequence[MentorshipRef]) -> None:
    """In the order in which everybody else locks: mentorships, people, requests."""
    await session.execute(
        select(MentorshipRow.key)
        .where(tuple_(MentorshipRow.cohort, MentorshipRow.key).in_(refs))
        .order_by(MentorshipRow.cohort, MentorshipRow.key)
        .with_for_update()
    )
    await session.execute(
        select(ParticipantRow.id).where(ParticipantRow.id == person).with_for_update(key_share=True)
    )
    # A form submission locks its request: it is either stored before this, or finds the person erased.
    await session.execute(
        select(RequestRow.key).where(RequestRow.person == person).order_by(RequestRow.key).with_for_update()
    )


async def _check_coordinates_nothing(session: AsyncSession, person: str) -> None:
    rows = await session.scalars(
        select(CohortRow.id)
        .join(CohortPersonRow, CohortPersonRow.cohort == CohortRow.id)
        .where(CohortPersonRow.person == person, CohortRow.state == "running")
        .order_by(CohortRow.id)
    )
    cohorts = rows.all()
    if cohorts:
        raise StillCoordinates(", ".join(cohorts))


# -- what was written ------------------------------------------------------------------------------------------


async def _programs(session: AsyncSession, refs: Sequence[MentorshipRef]) -> dict[MentorshipRef, FrozenProgram]:
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash).where(
            tuple_(MentorshipRow.cohort, MentorshipRow.key).in_(refs)
        )
    )
    programs: dict[MentorshipRef, FrozenProgram] = {}
    for cohort, key, program, program_hash in rows.all():
        programs[cohort, key] = await frozen_program(session, program, program_hash)
    return programs


async def _answers(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], names: NameMatcher) -> int:
    programs = await _programs(session, refs)
    rows = await session.execute(
        select(AnswerRow, RequestRow.cohort, RequestRow.mentorship, RequestRow.program_hash)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(or_(AnswerRow.person == person, _of_refs(RequestRow, refs)))
    )
    changed = 0
    for answer, cohort, mentorship, version in rows.all():
        own = answer.person == person
        form = (await asked_with(session, programs[cohort, mentorship], version)).forms.get(answer.form)
        changed += _write(
            answer, "body", numbers_only(answer.body, form) if own else without_names(answer.body, form, names)
        )
    await session.flush()
    return changed


async def _agreements(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], names: NameMatcher) -> int:
    programs = await _programs(session, refs)
    rows = await session.scalars(
        select(AgreementRow)
        .where(_of_refs(AgreementRow, refs))
        .order_by(AgreementRow.cohort, AgreementRow.mentorship, AgreementRow.version)
    )
    documents: dict[MentorshipRef, list[AgreementRow]] = {}
    for row in rows:
        documents.setdefault((row.cohort, row.mentorship), []).append(row)
    changed = 0
    for ref, versions in documents.items():
        form = await agreement_form(session, ref, programs[ref])
        bodies = without_words_of(person, [AgreementDraft(row.by, row.body) for row in versions], form)
        for row, body in zip(versions, bodies, strict=True):
            signed = dict(row.signed)
            if person in signed:
                signed[person] = {**signed[person], "name": ""}
            changed += _write(row, "body", without_names(body, form, names)) | _write(row, "signed", signed)
    await session.flush()
    return changed


async def _drafts(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], names: NameMatcher) -> int:
    own = select(RequestRow.key).where(RequestRow.person == person)
    gone = await session.scalars(delete(DraftRow).where(DraftRow.request.in_(own)).returning(DraftRow.request))
    changed = len(gone.all())
    others = select(RequestRow.key).where(_of_refs(RequestRow, refs))
    for row in await session.scalars(select(DraftRow).where(DraftRow.request.in_(others))):
        changed += _write(row, "body", names.out_of(row.body))
    await session.flush()
    return changed


async def _profiles(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], names: NameMatcher) -> int:
    """The profiles of partners may mention the person by name."""
    partners = select(MembershipRow.person).where(_of_refs(MembershipRow, refs), MembershipRow.person != person)
    changed = 0
    for row in await session.scalars(
        select(ParticipantRow).where(ParticipantRow.id.in_(partners)).order_by(ParticipantRow.id)
    ):
        changed += _write(row, "profile", names.out_of(row.profile))
    await session.flush()
    return changed


async def _notes(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], names: NameMatcher) -> int:
    """Notes about this person or a mentorship of theirs go; those about a partner may mention them by name."""
    changed = await notes.forget(session, person, refs)
    for row in await session.scalars(select(NoteRow).where(_of_refs(NoteRow, refs)).order_by(NoteRow.id)):
        changed += _write(row, "text", names.out_of(row.text))
    await session.flush()
    return changed


def _write(row: Any, name: str, value: Any) -> bool:
    """Set a field; returns whether it changed."""
    if getattr(row, name) == value:
        return False
    setattr(row, name, value)
    return True


# -- mails -----------------------------------------------------------------------------------------------------


async def _messages(session: AsyncSession, person: str, refs: Sequence[MentorshipRef]) -> int:
    """What mails said to this person goes, and what mails of their mentorships said to others: they name them."""
    cohorts = sorted({cohort for cohort, _ in refs})
    of_refs = exists().where(ItemRow.message == MessageRow.id, or_(_of_refs(ItemRow, refs), ItemRow.about == person))
    concerned = or_(
        MessageRow.person == person,
        of_refs,
        # A deferred mail is no longer bound to its items; it will be worded again.
        and_(MessageRow.cohort.in_(cohorts), MessageRow.state == "deferred"),
    )
    has_content = or_(
        MessageRow.raw != "", MessageRow.subject != "", and_(MessageRow.person == person, MessageRow.recipient != "")
    )
    ids = await session.execute(select(MessageRow.id, MessageRow.person, ON_ITS_WAY).where(concerned, has_content))
    messages = ids.all()
    own = [id_ for id_, recipient, on_its_way in messages if recipient == person and not on_its_way]
    done = [id_ for id_, _, on_its_way in messages if not on_its_way]
    going = [id_ for id_, _, on_its_way in messages if on_its_way]
    for ids_of_kind, values in (
        (done, {"raw": "", "subject": ""}),
        (own, {"recipient": ""}),
        (going, {"forget": True}),
    ):
        for first in range(0, len(ids_of_kind), 500):
            await session.execute(
                update(MessageRow)
                .where(MessageRow.id.in_(ids_of_kind[first : first + 500]))
                .values(values)
                .execution_options(synchronize_session=False)
            )
    return len(messages)


async def _items(session: AsyncSession, person: str, order: CorrectionOrder) -> int:
    dropped = await session.execute(
        update(ItemRow)
        .where(ItemRow.person == person, ItemRow.state.in_(WAITING))
        .values(state="dropped", reason="erased", done_at=order.now, deliver_at=None)
        .returning(ItemRow.key, ItemRow.cohort, ItemRow.mentorship)
        .execution_options(synchronize_session=False)
    )
    rows: list[dict[str, Any]] = [
        {"cohort": cohort, "mentorship": mentorship, "at": order.now, "name": "dropped", "person": person,
         "detail": f"{key} erased"}
        for key, cohort, mentorship in dropped.all()
    ]  # fmt: skip
    if rows:
        await session.execute(insert(EventRow), rows)
    return len(rows)


# -- who -------------------------------------------------------------------------------------------------------


async def _reasons(
    session: AsyncSession, table: Any, which: ColumnElement[bool], person: str, names: NameMatcher
) -> int:
    """Reasons in somebody's own words: gone where they are about this person, without the name where they are not."""
    changed = 0
    for row in await session.scalars(select(table).where(which)):
        about = person in (getattr(row, "person", ""), row.by, *(getattr(row, "about", None) or ()))
        changed += _write(row, "why", "" if about else names.out_of(row.why))
    await session.flush()
    return changed


def _told_of(table: Any, person: str, refs: Sequence[MentorshipRef]) -> ColumnElement[bool]:
    """Lines about the person, by the person, or of one of their mentorships, that say something."""
    concerned = [table.by == person, _of_refs(table, refs)]
    if hasattr(table, "person"):
        concerned.append(table.person == person)
    return or_(*concerned)


def _of_refs(table: Any, refs: Sequence[MentorshipRef]) -> ColumnElement[bool]:
    return tuple_(table.cohort, table.mentorship).in_(refs)


async def _suppressions(session: AsyncSession, person: str, email: str) -> int:
    gone = await session.scalars(
        delete(SuppressionRow)
        .where(or_(SuppressionRow.person == person, SuppressionRow.email == email))
        .returning(SuppressionRow.email)
    )
    return len(gone.all())


async def _links(session: AsyncSession, person: str) -> int:
    """Revoke all links of the person."""
    revoked = await session.scalars(
        update(RequestRow)
        .where(RequestRow.person == person)
        .values(generation=RequestRow.generation + 1)
        .returning(RequestRow.key)
        .execution_options(synchronize_session=False)
    )
    return len(revoked.all())


async def _forget_person(session: AsyncSession, row: ParticipantRow) -> None:
    row.name, row.email, row.zone, row.language, row.profile = FORMER_NAME, "", "UTC", "en", {}
    row.standing = "erased"
    row.reminders_stopped = True
    row.generation += 1
    await session.flush()


async def _mark(session: AsyncSession, person: str, refs: Sequence[MentorshipRef], order: CorrectionOrder) -> None:
    if not refs:
        return
    await session.execute(
        update(MentorshipRow)
        .where(tuple_(MentorshipRow.cohort, MentorshipRow.key).in_(refs))
        .values(erasures=MentorshipRow.erasures + 1)
        .execution_options(synchronize_session=False)
    )
    line: dict[str, Any] = {"at": order.now, "name": "erased", "person": person, "by": order.by}
    await session.execute(
        insert(EventRow), [line | {"cohort": cohort, "mentorship": mentorship} for cohort, mentorship in refs]
    )


async def _still_in(session: AsyncSession, person: str, refs: Sequence[MentorshipRef]) -> list[MentorshipRef]:
    """Where they have a seat, and something is still to come: also the follow-up of a mentorship that has ended."""
    to_come = exists().where(
        StepRow.cohort == MembershipRow.cohort,
        StepRow.mentorship == MembershipRow.mentorship,
        StepRow.name == "follow_up",
        StepRow.state.in_(("planned", "open")),
    )
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship)
        .join(
            MentorshipRow,
            and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(
            MembershipRow.person == person,
            MembershipRow.standing != "out",
            or_(MentorshipRow.state != "over", to_come),
        )
        .order_by(MembershipRow.cohort, MembershipRow.mentorship)
    )
    gone = set(refs)
    return [(cohort, mentorship) for cohort, mentorship in rows if (cohort, mentorship) in gone]


async def _tell(
    session: AsyncSession, person: str, told: Sequence[MentorshipRef], order: CorrectionOrder, names: NameMatcher
) -> None:
    rows: list[dict[str, Any]] = []
    for cohort, mentorship in told:
        id_ = f"{order.id}/{cohort}/{mentorship}"
        why = names.out_of(order.why)
        await put_operation(session, id_, "erase", cohort, mentorship, {}, order.by, why, order.now)
        event = {"id": id_, "person": person, "erased": True}
        rows.append(
            {"id": id_, "cohort": cohort, "mentorship": mentorship, "event": "Leave", "payload": event,
             "at": order.not_before, "attempts": 0}
        )  # fmt: skip
    if rows:
        await session.execute(putting(session, RelayRow, ("id",)), rows)
