"""Sessions of the coordinators' web: begun, looked up, listed, ended. Times are real time (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.accounts.accounts import RoleHolder, holders
from store.lookups import Lookup, look_up_all
from store.tables import SessionRow


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it stands."""

    id: str
    account: str
    person: str
    mark: str
    granted: tuple[str, ...]
    name: str
    proof: str
    browser: str
    signed_in_at: datetime
    seen_at: datetime
    ends_at: datetime


async def put(session: AsyncSession, digest: str, stored: StoredSession) -> None:
    """Begin a session. Needs a writing transaction."""
    await session.execute(
        insert(SessionRow).values(
            digest=digest,
            id=stored.id,
            account=stored.account,
            person=stored.person,
            mark=stored.mark,
            granted=list(stored.granted),
            name=stored.name,
            proof=stored.proof,
            browser=stored.browser,
            signed_in_at=stored.signed_in_at,
            seen_at=stored.seen_at,
            ends_at=stored.ends_at,
        )
    )


async def find(session: AsyncSession, digest: str) -> tuple[StoredSession | None, RoleHolder | None]:
    """The session of this cookie's digest, ended by time or not, and its person with their roles: one statement."""
    wanted = Lookup(
        select(SessionRow).where(SessionRow.digest == digest),
        lambda rows: next((_stored(row) for row in rows), None),
    )
    person = select(SessionRow.person).where(SessionRow.digest == digest, SessionRow.person != "")
    return await look_up_all(session, wanted, holders(person))


async def seen(session: AsyncSession, digest: str, at: datetime) -> None:
    """Note that a session was used. Needs a writing transaction."""
    await session.execute(update(SessionRow).where(SessionRow.digest == digest).values(seen_at=at))


async def of_account(
    session: AsyncSession, account: str, alive_at: datetime, seen_after: datetime
) -> list[StoredSession]:
    """The sessions of an account that have not ended, the latest used first."""
    return await all_alive(session, alive_at, seen_after, SessionRow.account == account)


async def all_alive(
    session: AsyncSession, alive_at: datetime, seen_after: datetime, *only: ColumnElement[bool]
) -> list[StoredSession]:
    """Every session that has not ended and meets these conditions, the latest used first."""
    rows = await session.scalars(
        select(SessionRow)
        .where(SessionRow.ends_at > alive_at, SessionRow.seen_at > seen_after, *only)
        .order_by(SessionRow.seen_at.desc(), SessionRow.id)
    )
    return [_stored(row) for row in rows]


async def has_any(session: AsyncSession, account: str) -> bool:
    """Whether an account has a session that was not ended by hand."""
    return await session.scalar(select(SessionRow.id).where(SessionRow.account == account).limit(1)) is not None


async def end(session: AsyncSession, account: str, id_: str = "") -> int:
    """End one session of an account, or all of them; how many there were. Needs a writing transaction."""
    statement = delete(SessionRow).where(SessionRow.account == account)
    if id_:
        statement = statement.where(SessionRow.id == id_)
    ended = await session.execute(statement.returning(SessionRow.id))
    return len(ended.all())


async def forget(session: AsyncSession, before: datetime) -> None:
    """Delete sessions that ended before this instant. Needs a writing transaction."""
    await session.execute(delete(SessionRow).where(SessionRow.ends_at < before))


def _stored(row: SessionRow | Any) -> StoredSession:
    return StoredSession(
        id=row.id,
        account=row.account,
        person=row.person,
        mark=row.mark,
        granted=tuple(row.granted),
        name=row.name,
        proof=row.proof,
        browser=row.browser,
        signed_in_at=row.signed_in_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
    )
