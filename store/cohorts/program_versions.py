"""Moves a mentorship, and its cohort, to another version of its program. Requests already sent keep their form.

The move is part of the transaction of the turn that adopts the version, so that dates, forms and wording never mix
two versions. Must not be called for a mentorship that does not run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Batch, OpenRequest
from lifecycle.keys import MentorshipRef
from program.forms import Form
from store.cohorts import file_entries
from store.lookups import Lookup, look_up
from store.operations_log import change_behind
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import CohortRow, EntryRow, EventRow, MentorshipRow, ProgramRow, RequestRow


async def go_over(session: AsyncSession, batch: Batch, program: str, before: str, version: str) -> str:
    """Move a mentorship to another version of its program; returns its version after that.

    A version that a restored database has lost is ignored: the mentorship keeps its version until the change is given
    again.
    """
    cohort, key = batch.cohort, batch.mentorship
    if await session.get(ProgramRow, (program, version)) is None:
        return before
    of_mentorship = (RequestRow.cohort == cohort, RequestRow.mentorship == key)
    asked = update(RequestRow).where(*of_mentorship, RequestRow.program_hash == "")
    await session.execute(asked.values(program_hash=before).execution_options(synchronize_session=False))
    first = case((MentorshipRow.first_hash == "", before), else_=MentorshipRow.first_hash)
    row = update(MentorshipRow).where(MentorshipRow.cohort == cohort, MentorshipRow.key == key)
    await session.execute(
        row.values(program_hash=version, first_hash=first).execution_options(synchronize_session=False)
    )
    frozen = await frozen_program(session, program, version)
    # Without this, launching the file again would extend the mentorship a second time.
    entry = await session.get(EntryRow, (cohort, file_entries.MENTORSHIP, key))
    if entry is not None and entry.said.get("program") == program:
        entry.said = {**entry.said, "length": frozen.program.length}
    await _cohort_follows(session, cohort, frozen, batch)
    await session.flush()
    return version


async def _cohort_follows(session: AsyncSession, cohort: str, frozen: FrozenProgram, batch: Batch) -> None:
    """When its last mentorship has moved, the cohort moves too, and gets the letterbox of the new version."""
    # The lock lets mentorships move one after the other, so that the last knows it; inserting mentorships needs no
    # such lock.
    row = await session.scalar(select(CohortRow).where(CohortRow.id == cohort).with_for_update(key_share=True))
    if row is None or row.program != frozen.program.program or row.program_hash == frozen.hash:
        return
    of_program = (MentorshipRow.cohort == cohort, MentorshipRow.program == row.program, MentorshipRow.state != "over")
    behind = select(MentorshipRow.key).where(*of_program, MentorshipRow.program_hash != frozen.hash).limit(1)
    if await session.scalar(behind) is not None:
        return
    letterbox = frozen.program.letterbox.model_dump(mode="json")
    changed = ["version"] if row.letterbox == letterbox else ["version", "letterbox"]
    row.program_hash, row.letterbox = frozen.hash, letterbox
    author = await change_behind(session, batch.cause) if batch.cause else None
    event = {"cohort": cohort, "at": batch.now, "name": "cohort_changed"}
    event |= {"by": author.by, "why": author.why} if author else {}
    await session.execute(insert(EventRow), [event | {"detail": name} for name in changed])


async def begun_with(session: AsyncSession, opened: Iterable[OpenRequest]) -> dict[str, str]:
    """Step key to the version of its form so far: an open agreement is one document and keeps its form."""
    steps = {request.step for request in opened if request.ask == "agreement" and request.step}
    if not steps:
        return {}
    rows = await session.execute(
        select(RequestRow.step, RequestRow.program_hash).where(
            RequestRow.step.in_(steps), RequestRow.program_hash != ""
        )
    )
    return {row.step: row.program_hash for row in rows}


async def agreement_form(session: AsyncSession, ref: MentorshipRef, now: FrozenProgram) -> Form | None:
    """The form of a mentorship's agreement, with the questions of its earlier versions: their answers are still
    there."""
    return await form_of_agreement(session, now, await look_up(session, agreement_hashes(ref)))


def agreement_hashes(ref: MentorshipRef) -> Lookup[list[str]]:
    """The versions of its program with which the agreement of a mentorship was asked; empty is the present one."""
    cohort, key = ref
    query = (
        select(RequestRow.program_hash)
        .where(RequestRow.cohort == cohort, RequestRow.mentorship == key, RequestRow.ask == "agreement")
        .distinct()
        .order_by(RequestRow.program_hash)
    )
    return Lookup(query, lambda rows: [row.program_hash for row in rows])


async def form_of_agreement(session: AsyncSession, now: FrozenProgram, hashes: Iterable[str]) -> Form | None:
    """The form of an agreement that was asked with these versions of its program, and goes by the one of `now`."""
    programs = [now, *[await asked_with(session, now, version) for version in hashes if version]]
    forms = [form for program in programs if (form := program.forms.get(program.program.form_for("agreement")))]
    if not forms:
        return None
    return forms[0].model_copy(update={"questions": tuple(question for form in forms for question in form.questions)})


# -- for the command -----------------------------------------------------------------------------------------------


async def versions(session: AsyncSession, refs: Collection[MentorshipRef]) -> dict[MentorshipRef, tuple[str, str]]:
    """The (program, hash) of each of these mentorships."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash).where(
            MentorshipRow.cohort.in_({cohort for cohort, _ in refs})
        )
    )
    versions_by_ref = {(cohort, key): (program, version) for cohort, key, program, version in rows}
    return {ref: versions_by_ref[ref] for ref in refs}


async def known_versions(session: AsyncSession, programs: Collection[str]) -> dict[str, list[str]]:
    """The hashes of all frozen versions of these programs, oldest first."""
    rows = await session.execute(
        select(ProgramRow.program, ProgramRow.hash)
        .where(ProgramRow.program.in_(programs))
        .order_by(ProgramRow.frozen_at, ProgramRow.hash)
    )
    hashes: dict[str, list[str]] = {}
    for program, version in rows:
        hashes.setdefault(program, []).append(version)
    return hashes
