"""Plans in SQL: an act with exactly those subjects that were shown, and what came of each.

A plan is carried out by one process at a time, which holds its claim; another takes it up when the claim lapses. What
has an outcome is never given again. Claims and lapses are real time (UTC), everything else program time (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, cast, delete, func, insert, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from store.columns import bare
from store.database import putting
from store.tables import MentorshipRow, OperationRow, PlanLineRow, PlanRow, TaskRow

PLANS, LINES = bare(PlanRow), bare(PlanLineRow)
PERSONAL = ("name", "email")
"""Options that say who somebody is."""
PAGE = 500
"""Values in one statement."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One subject of a plan, as in `PlanLineRow`."""

    position: int
    cohort: str = ""
    mentorship: str = ""
    subject: str = ""
    based_on: str = ""
    operation: str = ""
    outcome: str = ""
    reason: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    at: datetime | None = None

    @property
    def place(self) -> str:
        """`cohort/mentorship`, or what else it is about."""
        return self.subject or f"{self.cohort}/{self.mentorship}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, as in `PlanRow`."""

    id: str
    act: str
    cohort: str
    options: Mapping[str, str]
    by: str
    proof: str
    why: str
    made_at: datetime
    lapses_at: datetime
    count: int
    state: str = "shown"
    given_at: datetime | None = None
    done_at: datetime | None = None
    claim: str = ""
    claimed_until: datetime | None = None


async def put(session: AsyncSession, plan: Plan, lines: Sequence[PlanLine]) -> None:
    """Store a plan with its lines; the same id again is the same plan."""
    made = await session.execute(putting(session, PlanRow, ("id",)).values(**asdict(plan)).returning(PLANS.c.id))
    if made.first() is None:
        return
    rows = [asdict(line) | {"plan": plan.id, "changed": dict(line.changed)} for line in lines]
    await session.execute(insert(LINES), rows)


async def find(session: AsyncSession, id_: str) -> Plan | None:
    """The plan with this id."""
    row = (await session.execute(select(PLANS).where(PLANS.c.id == id_))).mappings().one_or_none()
    return Plan(**row) if row else None


async def lines(
    session: AsyncSession, id_: str, *, first: int = 0, most: int | None = None, outcome: str | None = None
) -> list[PlanLine]:
    """Lines of a plan in their order; with an `outcome`, of these only (empty: those still to do)."""
    columns = [column for column in LINES.c if column.name != "plan"]
    wanted = select(*columns).where(LINES.c.plan == id_).order_by(LINES.c.position).offset(first)
    if outcome is not None:
        wanted = wanted.where(LINES.c.outcome == outcome)
    return [PlanLine(**row) for row in (await session.execute(wanted.limit(most))).mappings()]


async def outcomes(session: AsyncSession, id_: str) -> dict[str, int]:
    """How many lines have which outcome; under the empty one those still to do."""
    rows = await session.execute(
        select(LINES.c.outcome, func.count()).where(LINES.c.plan == id_).group_by(LINES.c.outcome)
    )
    return dict(iter(rows))


# -- from shown to done ------------------------------------------------------------------------------------------


async def give(session: AsyncSession, id_: str, now: datetime, real_now: datetime, why: str) -> bool:
    """Confirm a plan that is shown and has not lapsed; False where there is none such (any more)."""
    values = {"state": "given", "given_at": now} | ({"why": why} if why else {})
    given = await session.execute(
        update(PLANS)
        .where(PLANS.c.id == id_, PLANS.c.state == "shown", PLANS.c.lapses_at > real_now)
        .values(values)
        .returning(PLANS.c.id)
    )
    return given.first() is not None


async def give_again(session: AsyncSession, id_: str) -> bool:
    """Take up once more what was not reached; False where the plan is not done, or nothing is left."""
    left = await session.execute(
        update(LINES)
        .where(
            LINES.c.plan == id_,
            LINES.c.outcome == "not_reached",
            select(PLANS.c.id).where(PLANS.c.id == id_, PLANS.c.state == "done").exists(),
        )
        .values(outcome="", reason="", at=None)
        .returning(LINES.c.position)
    )
    if left.first() is None:
        return False
    await session.execute(update(PLANS).where(PLANS.c.id == id_).values(state="given", done_at=None, claim=""))
    return True


async def claim(session: AsyncSession, id_: str, token: str, real_now: datetime, until: datetime) -> bool:
    """Take up a plan that is given and that nobody else carries out, or hold on to it; False where somebody does."""
    taken = await session.execute(
        update(PLANS)
        .where(
            PLANS.c.id == id_,
            PLANS.c.state == "given",
            or_(PLANS.c.claim.in_(("", token)), PLANS.c.claimed_until < real_now),
        )
        .values(claim=token, claimed_until=until)
        .returning(PLANS.c.id)
    )
    return taken.first() is not None


async def let_go(session: AsyncSession, id_: str, token: str) -> None:
    """Give up a claim, so that another process takes the plan up at once."""
    await session.execute(
        update(PLANS).where(PLANS.c.id == id_, PLANS.c.claim == token).values(claim="", claimed_until=None)
    )


async def unclaimed(session: AsyncSession, real_now: datetime) -> list[str]:
    """Ids of plans that are given and that no process carries out, the oldest first."""
    rows = await session.scalars(
        select(PLANS.c.id)
        .where(PLANS.c.state == "given", or_(PLANS.c.claim == "", PLANS.c.claimed_until < real_now))
        .order_by(PLANS.c.given_at)
    )
    return list(rows)


async def finish_lines(session: AsyncSession, id_: str, done: Sequence[PlanLine]) -> None:
    """Store the outcomes of lines; one that has its outcome keeps it."""
    for line in done:
        await session.execute(
            update(LINES)
            .where(LINES.c.plan == id_, LINES.c.position == line.position, LINES.c.outcome == "")
            .values(outcome=line.outcome, reason=line.reason, changed=dict(line.changed), at=line.at)
        )


async def not_reached(session: AsyncSession, id_: str, now: datetime) -> None:
    """What is left of a plan was not reached."""
    await session.execute(
        update(LINES).where(LINES.c.plan == id_, LINES.c.outcome == "").values(outcome="not_reached", at=now)
    )


async def finish(session: AsyncSession, id_: str, now: datetime) -> None:
    """Each line has its outcome. Where nothing is left to try again, the plan forgets whom its options name."""
    plan = await find(session, id_)
    left = (await outcomes(session, id_)).get("not_reached", 0)
    values: dict[str, Any] = {"state": "done", "done_at": now, "claim": "", "claimed_until": None}
    if plan is not None and not left:
        values["options"] = without_personal(plan.options)
    await session.execute(update(PLANS).where(PLANS.c.id == id_, PLANS.c.state == "given").values(values))


def without_personal(options: Mapping[str, str]) -> dict[str, str]:
    """The options without what says who somebody is."""
    return {name: value for name, value in options.items() if name not in PERSONAL}


async def clear_away(session: AsyncSession, before: datetime) -> None:
    """Delete plans that were never confirmed and lapsed before this moment (real time, UTC)."""
    stale = select(PLANS.c.id).where(PLANS.c.state == "shown", PLANS.c.lapses_at < before)
    await session.execute(delete(LINES).where(LINES.c.plan.in_(stale)))
    await session.execute(delete(PLANS).where(PLANS.c.state == "shown", PLANS.c.lapses_at < before))


async def forget(session: AsyncSession, person: str, without_name: Callable[[str], str]) -> int:
    """Take a person who is erased out of plans: their name and address out of options, their name out of reasons.
    Returns how many plans changed."""
    changed = 0
    rows = await session.execute(select(PLANS.c.id, PLANS.c.by, PLANS.c.options, PLANS.c.why))
    for id_, by, options, why in rows.all():
        about = person in options.values() or person == by
        left = without_personal(options) if about else {key: without_name(value) for key, value in options.items()}
        reason = "" if about else without_name(why)
        if (left, reason) != (options, why):
            await session.execute(update(PLANS).where(PLANS.c.id == id_).values(options=left, why=reason))
            changed += 1
    return changed


# -- what a plan is based on -------------------------------------------------------------------------------------


async def changes_of(session: AsyncSession, refs: Sequence[MentorshipRef]) -> dict[MentorshipRef, int]:
    """How many changes each of these mentorships has had, as of its last turn in SQL; those that have had no turn are
    left out."""
    table = bare(MentorshipRow)
    postgresql = session.get_bind().dialect.name == "postgresql"
    state = cast(table.c.workflow_state, JSON) if postgresql else type_coerce(table.c.workflow_state, JSON)
    found: dict[MentorshipRef, int] = {}
    for cohort, keys in _by_cohort(refs).items():
        for first in range(0, len(keys), PAGE):
            rows = await session.execute(
                select(table.c.key, state["changes"].as_integer()).where(
                    table.c.cohort == cohort,
                    table.c.key.in_(keys[first : first + PAGE]),
                    table.c.workflow_state.is_not(None),
                    table.c.state == "running",
                )
            )
            found |= {(cohort, key): changes for key, changes in rows if changes is not None}
    return found


async def last_change(session: AsyncSession, cohort: str, mentorship: str, but: str = "") -> dict[str, str]:
    """Who changed a mentorship last, when (UTC, ISO 8601) and what they did; empty where nobody has. The operation
    with the id `but` does not count."""
    row = (
        await session.execute(
            select(OperationRow.by, OperationRow.at, OperationRow.kind)
            .where(
                OperationRow.cohort == cohort,
                OperationRow.mentorship == mentorship,
                # One that has no result yet may have been taken a moment ago.
                OperationRow.result.in_(("done", "")),
                OperationRow.id != but,
            )
            .order_by(OperationRow.at.desc())
            .limit(1)
        )
    ).one_or_none()
    return {"by": row[0], "at": row[1].isoformat(), "what": row[2]} if row else {}


async def decided_by(session: AsyncSession, task: str) -> dict[str, str]:
    """Who decided a task, when (UTC, ISO 8601) and how; empty where nobody has."""
    row = (
        await session.execute(
            select(TaskRow.by, TaskRow.closed_at, TaskRow.decision).where(
                TaskRow.key == task, TaskRow.closed_at.is_not(None)
            )
        )
    ).one_or_none()
    if row is None:
        return {}
    by, at, decision = row
    return {"by": by, "at": at.isoformat() if at else "", "what": decision}


def _by_cohort(refs: Sequence[MentorshipRef]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for cohort, key in refs:
        found.setdefault(cohort, []).append(key)
    return found
