"""How many of those who applied to a call got a seat: counted while their applications are there, kept when the pairs
are published. Numbers only; who they were is not in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Form
from program.matching import Matching
from reports.applied_figures import KEPT, lots
from reports.rows import ApplicantFacts, Lot
from store.tables import ApplicationRow, CallRow, MembershipRow


async def keep(session: AsyncSession, cohort: str, now: datetime) -> None:
    """Keep the counts as they are now, at the publishing of the pairs. Needs a writing transaction."""
    counted = KEPT.dump_python(await _counted(session, cohort, now), mode="json")
    await session.execute(update(CallRow).where(CallRow.cohort == cohort).values(applied=counted))


async def applied(session: AsyncSession, cohort: str, until: datetime) -> tuple[tuple[Lot, ...], bool]:
    """The counts as of an instant (UTC), and whether the pairs were published by then: as they were kept then, before
    as they stand. Nothing where the cohort has no call, or nothing was kept."""
    call = (
        await session.execute(select(CallRow.published_at, CallRow.applied).where(CallRow.cohort == cohort))
    ).one_or_none()
    if call is None:
        return (), False
    if call.published_at is None or call.published_at >= until:
        return await _counted(session, cohort, until), False
    return KEPT.validate_python(call.applied or ()), True


async def _counted(session: AsyncSession, cohort: str, until: datetime) -> tuple[Lot, ...]:
    """Of who applied and confirmed it by mail; not of who withdrew."""
    form, matching = (
        await session.execute(select(CallRow.form, CallRow.matching).where(CallRow.cohort == cohort))
    ).one()
    seat = exists().where(MembershipRow.cohort == cohort, MembershipRow.person == ApplicationRow.person)
    rows = await session.execute(
        select(ApplicationRow.role, seat.label("seated"), ApplicationRow.body)
        .where(
            ApplicationRow.cohort == cohort, ApplicationRow.confirmed_at <= until, ApplicationRow.state != "withdrawn"
        )
        .order_by(ApplicationRow.person)
    )  # fmt: skip
    people = [ApplicantFacts(role, bool(seated), body) for role, seated, body in rows]
    return lots(people, Form.model_validate(form), Matching.model_validate(matching))
