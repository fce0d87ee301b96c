"""Who did what: every change by a coordinator, on the pages or the command line, and every look at what is kept
apart.

A row says who, by what proof, when, what and about whom, and why. It holds ids only: no name, no address, no answer.
An act calls `record`, before a change that may break off, or `put` inside the transaction of the act.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from store import audit
from store.audit import MOST_IDS, AuditEntry, AuditFilters, AuditLine
from store.database import Database

__all__ = ["COMMAND_LINE", "MOST_IDS", "PROOFS", "AuditEntry", "AuditFilters", "AuditLine", "look", "put", "record"]

COMMAND_LINE = "command_line"
NOBODY = "nobody"
PROOFS = (COMMAND_LINE, "mailed_link", "mailed_code", "printed_link", "openid", "proxy_header", NOBODY)
"""By what a person is known who acts: a shell on the machine, the proofs of a sign-in, or nothing."""


async def record(database: Database, now: datetime, entry: AuditEntry) -> None:
    """Write one row in a transaction of its own. `now` is program time (UTC). Raises ValueError for another proof."""
    async with database.begin() as session:
        await put(session, now, entry)


async def put(session: AsyncSession, now: datetime, entry: AuditEntry) -> None:
    """Write one row inside the transaction of the act. Raises ValueError for a proof that is none of PROOFS."""
    if entry.proof not in PROOFS:
        raise ValueError(f"{entry.proof!r} is no proof; use one of {', '.join(PROOFS)}")
    await audit.add(session, now, entry)


async def look(
    database: Database,
    filters: AuditFilters,
    *,
    cohorts: Collection[str] | None = None,
    first: int = 0,
    most: int = 50,
) -> tuple[list[AuditLine], int]:
    """Rows, the latest first, and how many there are. With `cohorts`, those of these cohorts only."""
    async with database.session() as session:
        return await audit.read(session, filters, cohorts=cohorts, first=first, most=most)
