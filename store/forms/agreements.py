"""The versions of a mentorship's agreement and who signed them. A version, once written, is never rewritten:
a change is a new version, and signatures are only ever added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Answers
from store.columns import bare
from store.lookups import Lookup
from store.prepared import Prepared
from store.tables import AgreementRow, MentorshipRow

AGREEMENTS = bare(AgreementRow)
VERSIONS = Prepared(
    select(AGREEMENTS.c.version, AGREEMENTS.c.by, AGREEMENTS.c.body, AGREEMENTS.c.at, AGREEMENTS.c.signed)
    .where(AGREEMENTS.c.cohort == bindparam("cohort"), AGREEMENTS.c.mentorship == bindparam("mentorship"))
    .order_by(AGREEMENTS.c.version)
)


@dataclass(frozen=True, slots=True)
class Signature:
    """The name as typed, and when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the document; `signed` is participant id to signature."""

    number: int
    by: str
    body: Answers
    at: datetime
    signed: dict[str, Signature]


async def versions(session: AsyncSession, cohort: str, mentorship: str) -> tuple[Version, ...]:
    """All versions, oldest first."""
    rows = await VERSIONS.all(session, {"cohort": cohort, "mentorship": mentorship})
    return tuple(_version(*row) for row in rows)


def versions_of(cohort: str, mentorship: str) -> Lookup[tuple[Version, ...]]:
    """The same, to be looked up beside others."""
    query = (
        select(AgreementRow.version, AgreementRow.by, AgreementRow.body, AgreementRow.at, AgreementRow.signed)
        .where(AgreementRow.cohort == cohort, AgreementRow.mentorship == mentorship)
        .order_by(AgreementRow.version)
    )
    return Lookup(query, lambda rows: tuple(_version(*row) for row in rows))


def _version(number: int, by: str, body: Answers, at: datetime, signed: dict[str, dict[str, str]]) -> Version:
    signatures = {
        person: Signature(signature["name"], datetime.fromisoformat(signature["at"]))
        for person, signature in signed.items()
    }
    return Version(number, by, body, at, signatures)


async def lock(session: AsyncSession, cohort: str, mentorship: str) -> None:
    """Keep other writers from this mentorship's agreement until the transaction ends."""
    await session.execute(
        select(MentorshipRow.key)
        .where(MentorshipRow.cohort == cohort, MentorshipRow.key == mentorship)
        .with_for_update()
    )


async def write(
    session: AsyncSession, cohort: str, mentorship: str, number: int, by: str, body: Answers, at: datetime
) -> None:
    """Write a new version, unsigned. Raises IntegrityError where this version exists already."""
    session.add(
        AgreementRow(cohort=cohort, mentorship=mentorship, version=number, by=by, body=body, signed={}, at=at)
    )
    await session.flush()


async def sign(
    session: AsyncSession, cohort: str, mentorship: str, number: int, person: str, name: str, at: datetime
) -> None:
    """Add a signature to a version; signing twice keeps the first. Call it with the agreement locked."""
    row = await session.get_one(AgreementRow, (cohort, mentorship, number))
    if person not in row.signed:
        row.signed = {**row.signed, person: {"name": name, "at": at.isoformat()}}
        await session.flush()
