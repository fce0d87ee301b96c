"""Requests to sign in: stored, counted for the limits, used once. Times are real time (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import SignInRow


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """A request to sign in. Secrets are digests; `account` is empty where the address is nobody's."""

    id: str
    link: str
    browser: str
    code: str
    account: str
    person: str
    mark: str
    granted: tuple[str, ...]
    sender: str
    asked_at: datetime
    ends_at: datetime
    used_at: datetime | None = None
    attempts: int = 0


async def put(session: AsyncSession, asked: StoredSignIn) -> None:
    """Store a request. Needs a writing transaction."""
    await session.execute(
        insert(SignInRow).values(
            id=asked.id,
            link=asked.link,
            browser=asked.browser,
            code=asked.code,
            account=asked.account,
            person=asked.person,
            mark=asked.mark,
            granted=list(asked.granted),
            sender=asked.sender,
            asked_at=asked.asked_at,
            ends_at=asked.ends_at,
            attempts=0,
        )
    )


async def by_link(session: AsyncSession, link: str) -> StoredSignIn | None:
    """The request whose link has this digest."""
    row = await session.scalar(select(SignInRow).where(SignInRow.link == link))
    return _stored(row) if row else None


async def by_browser(session: AsyncSession, browser: str) -> StoredSignIn | None:
    """The latest request of the browser whose cookie has this digest."""
    row = await session.scalar(
        select(SignInRow)
        .where(SignInRow.browser == browser)
        .order_by(SignInRow.asked_at.desc(), SignInRow.id)
        .limit(1)
    )
    return _stored(row) if row else None


async def use(session: AsyncSession, id_: str, at: datetime) -> bool:
    """Use a request up; False where it was used before. Needs a writing transaction."""
    used = await session.execute(
        update(SignInRow)
        .where(SignInRow.id == id_, SignInRow.used_at.is_(None))
        .values(used_at=at)
        .returning(SignInRow.id)
    )
    return used.one_or_none() is not None


async def count_attempt(session: AsyncSession, id_: str, most: int) -> bool:
    """Count one tried code; False where as many as allowed were tried before. Needs a writing transaction."""
    counted = await session.execute(
        update(SignInRow)
        .where(SignInRow.id == id_, SignInRow.used_at.is_(None), SignInRow.attempts < most)
        .values(attempts=SignInRow.attempts + 1)
        .returning(SignInRow.id)
    )
    return counted.one_or_none() is not None


async def asked_since(session: AsyncSession, since: datetime, *, mark: str = "", sender: str = "") -> int:
    """How many mails were asked for, for an address or from a sender, since an instant; a printed link is none."""
    condition = SignInRow.mark == mark if mark else SignInRow.sender == sender
    asked = select(func.count()).select_from(SignInRow)
    found = await session.scalar(asked.where(condition, SignInRow.browser != "", SignInRow.asked_at > since))
    return found or 0


async def forget(session: AsyncSession, before: datetime) -> None:
    """Delete requests that ended before this instant. Needs a writing transaction."""
    await session.execute(delete(SignInRow).where(SignInRow.ends_at < before))


def _stored(row: SignInRow) -> StoredSignIn:
    return StoredSignIn(
        id=row.id,
        link=row.link,
        browser=row.browser,
        code=row.code,
        account=row.account,
        person=row.person,
        mark=row.mark,
        granted=tuple(row.granted),
        sender=row.sender,
        asked_at=row.asked_at,
        ends_at=row.ends_at,
        used_at=row.used_at,
        attempts=row.attempts,
    )
