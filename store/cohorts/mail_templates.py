"""The mail templates that cohorts have of their own: read by every worker and page, put in force for one cohort.

Must not check them: `operations.cohorts.reword` and `launch` give only what renders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mail.own_templates import SHARED, OwnTemplates
from store.database import upserting
from store.tables import CohortRow, ItemRow, MailTemplatesRow, MessageRow

_read: dict[str, OwnTemplates] = {}
"""By digest, so an entry can't become wrong; as many as there are words in use."""


class UnknownTemplates(LookupError):
    """No templates of this digest are kept."""


@dataclass(frozen=True, slots=True)
class MailsOnTheirWay:
    """What a cohort's mails are doing while its words change."""

    worded: int
    """Mails that are worded and not sent yet: they go as they are."""
    waiting: Mapping[str, int]
    """Name of a mail to the items that wait to be worded."""


async def known(session: AsyncSession, digest: str) -> OwnTemplates:
    """The templates of this digest, read once a process. Raises `UnknownTemplates`."""
    if not digest:
        return SHARED
    if digest not in _read:
        texts = await session.scalar(select(MailTemplatesRow.texts).where(MailTemplatesRow.digest == digest))
        if texts is None:
            raise UnknownTemplates(f"no mail templates with the digest {digest[:12]} are kept")
        _read[digest] = OwnTemplates(digest, texts)
    return _read[digest]


async def in_force(session: AsyncSession, cohort: str) -> OwnTemplates:
    """The own templates by which a cohort's mails are worded; none where it is not launched."""
    digest = await session.scalar(select(CohortRow.mails).where(CohortRow.id == cohort))
    return await known(session, digest or "")


async def put(session: AsyncSession, cohort: str, own: OwnTemplates) -> None:
    """Word a cohort's mails by these templates from now on; by those of the installation where there are none."""
    before = await session.scalar(select(CohortRow.mails).where(CohortRow.id == cohort))
    if before == own.digest:
        return
    if own.texts:
        row = upserting(session, MailTemplatesRow).values(digest=own.digest, texts=dict(own.texts))
        await session.execute(
            row.on_conflict_do_update(index_elements=("digest",), set_={"texts": row.excluded.texts})
        )
    await session.execute(update(CohortRow).where(CohortRow.id == cohort).values(mails=own.digest))


async def running(session: AsyncSession) -> dict[str, OwnTemplates]:
    """Every cohort that runs, with its own templates."""
    rows = await session.execute(
        select(CohortRow.id, CohortRow.mails).where(CohortRow.state == "running").order_by(CohortRow.id)
    )
    return {cohort: await known(session, digest) for cohort, digest in rows.all()}


async def on_their_way(session: AsyncSession, cohort: str) -> MailsOnTheirWay:
    """What waits in a cohort to be worded, and what is worded and not sent."""
    worded = await session.scalar(
        select(func.count())
        .select_from(MessageRow)
        .where(MessageRow.cohort == cohort, MessageRow.state.in_(("sending", "deferred", "ambiguous")))
    )
    rows = await session.execute(
        select(ItemRow.name, func.count().label("waiting"))
        .where(ItemRow.cohort == cohort, ItemRow.state == "queued")
        .group_by(ItemRow.name)
        .order_by(ItemRow.name)
    )
    return MailsOnTheirWay(worded or 0, {row.name: row.waiting for row in rows})


async def forget(session: AsyncSession, out_of_text: Callable[[str], str]) -> int:
    """Take a person's names out of every text; how many cohorts have other words by that."""
    rows = await session.execute(select(CohortRow.id, CohortRow.mails).where(CohortRow.mails != ""))
    changed = 0
    for cohort, digest in rows.all():
        own = await known(session, digest)
        without = OwnTemplates.of({name: out_of_text(text) for name, text in own.texts.items()})
        if without != own:
            await put(session, cohort, without)
            await session.execute(update(MailTemplatesRow).where(MailTemplatesRow.digest == digest).values(texts={}))
            _read.pop(digest, None)
            changed += 1
    return changed
