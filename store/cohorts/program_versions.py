"""A mentorship, and a cohort, goes over to another version of its program. What was asked before keeps the form with
which it was asked.

The mentorship goes over in the transaction of the turn that does, so that its dates, its forms and its wording are
never of two versions. Must never be called for one that does not run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Batch, OpenRequest
from lifecycle.keys import MentorshipRef
from program.forms import Form
from store.cohorts import file_entries
from store.operations_log import change_behind
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import CohortRow, EntryRow, EventRow, MentorshipRow, ProgramRow, RequestRow


async def go_over(session: AsyncSession, batch: Batch, program: str, before: str, version: str) -> str:
    """Let a mentorship go by another version of its program from now on; the version by which it goes then.

    One that a restored database has lost is not taken up: what is known stays, until somebody gives it again.
    """
    cohort, key = batch.cohort, batch.mentorship
    if await session.get(ProgramRow, (program, version)) is None:
        return before
    of_it = (RequestRow.cohort == cohort, RequestRow.mentorship == key)
    asked = update(RequestRow).where(*of_it, RequestRow.program_hash == "")
    await session.execute(asked.values(program_hash=before).execution_options(synchronize_session=False))
    first = case((MentorshipRow.first_hash == "", before), else_=MentorshipRow.first_hash)
    row = update(MentorshipRow).where(MentorshipRow.cohort == cohort, MentorshipRow.key == key)
    await session.execute(
        row.values(program_hash=version, first_hash=first).execution_options(synchronize_session=False)
    )
    frozen = await frozen_program(session, program, version)
    # Or launching the file again would make it longer once more.
    entry = await session.get(EntryRow, (cohort, file_entries.MENTORSHIP, key))
    if entry is not None and entry.said.get("program") == program:
        entry.said = {**entry.said, "length": frozen.program.length}
    await _cohort_follows(session, cohort, frozen, batch)
    await session.flush()
    return version


async def _cohort_follows(session: AsyncSession, cohort: str, frozen: FrozenProgram, batch: Batch) -> None:
    """With the last of its mentorships the cohort has gone over, too, and its letterbox is the new version's."""
    # One after the other, so that the last one knows that it is the last; whoever puts down mentorships isn't kept.
    row = await session.scalar(select(CohortRow).where(CohortRow.id == cohort).with_for_update(key_share=True))
    if row is None or row.program != frozen.program.program or row.program_hash == frozen.hash:
        return
    its = (MentorshipRow.cohort == cohort, MentorshipRow.program == row.program, MentorshipRow.state != "over")
    behind = select(MentorshipRow.key).where(*its, MentorshipRow.program_hash != frozen.hash).limit(1)
    if await session.scalar(behind) is not None:
        return
    letterbox = frozen.program.letterbox.model_dump(mode="json")
    changed = ["version"] if row.letterbox == letterbox else ["version", "letterbox"]
    row.program_hash, row.letterbox = frozen.hash, letterbox
    given = await change_behind(session, batch.cause) if batch.cause else None
    event = {"cohort": cohort, "at": batch.now, "name": "cohort_changed"}
    event |= {"by": given.by, "why": given.why} if given else {}
    await session.execute(insert(EventRow), [event | {"detail": name} for name in changed])


async def begun_with(session: AsyncSession, opened: Iterable[OpenRequest]) -> dict[str, str]:
    """Step to the version with whose form it has been asked so far: an agreement that is open is one document, and
    goes on in the form in which it was begun."""
    steps = {request.step for request in opened if request.ask == "agreement" and request.step}
    if not steps:
        return {}
    rows = await session.execute(
        select(RequestRow.step, RequestRow.program_hash).where(
            RequestRow.step.in_(steps), RequestRow.program_hash != ""
        )
    )
    return {row.step: row.program_hash for row in rows}


async def agreement_form(session: AsyncSession, place: MentorshipRef, now: FrozenProgram) -> Form | None:
    """The form of a mentorship's agreement, with what earlier versions of it asked: their answers are still there."""
    cohort, key = place
    versions = await session.scalars(
        select(RequestRow.program_hash)
        .where(RequestRow.cohort == cohort, RequestRow.mentorship == key, RequestRow.ask == "agreement")
        .distinct()
        .order_by(RequestRow.program_hash)
    )
    programs = [now, *[await asked_with(session, now, version) for version in versions if version]]
    forms = [form for one in programs if (form := one.forms.get(one.program.form_for("agreement")))]
    if not forms:
        return None
    return forms[0].model_copy(update={"questions": tuple(question for form in forms for question in form.questions)})


# -- what the command asks -----------------------------------------------------------------------------------------


async def versions(session: AsyncSession, places: Collection[MentorshipRef]) -> dict[MentorshipRef, tuple[str, str]]:
    """(program, hash) by which each of these mentorships goes."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash).where(
            MentorshipRow.cohort.in_({cohort for cohort, _ in places})
        )
    )
    found = {(cohort, key): (program, version) for cohort, key, program, version in rows}
    return {place: found[place] for place in places}


async def known_versions(session: AsyncSession, programs: Collection[str]) -> dict[str, list[str]]:
    """The hashes of every version of these programs that was ever frozen."""
    rows = await session.execute(
        select(ProgramRow.program, ProgramRow.hash)
        .where(ProgramRow.program.in_(programs))
        .order_by(ProgramRow.frozen_at, ProgramRow.hash)
    )
    found: dict[str, list[str]] = {}
    for program, version in rows:
        found.setdefault(program, []).append(version)
    return found
