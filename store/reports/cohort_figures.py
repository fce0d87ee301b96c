"""The figures of a cohort, counted when they are asked for, with one statement however large the cohort is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.lookups import Lookup, look_up_all
from store.reports.cohort_page import (
    AT_MIDPOINT,
    AWAITED,
    BOUNCED,
    MET,
    NOTHING_UNSEEN,
    health,
    open_tasks,
    reached,
)
from store.tables import ItemRow, MembershipRow, MentorshipRow, ParticipantRow, RequestRow


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of a cohort: (what, name, more) to number."""

    counts: Mapping[tuple[str, str, str], int]

    def of(self, what: str, name: str, more: str = "") -> int:
        """One number; 0 where there is none such."""
        return self.counts.get((what, name, more), 0)

    def names(self, what: str) -> list[str]:
        """The names of which there are numbers."""
        return sorted({name for kind, name, _ in self.counts if kind == what})


async def figures(session: AsyncSession, id_: str, unseen: frozenset[str] = NOTHING_UNSEEN) -> Figures:
    """The numbers of a cohort, in one statement, for somebody who must not see the reports of `unseen`."""
    ours = MentorshipRow.cohort == id_
    asked = RequestRow.cohort == id_
    kinds = (
        select(
            MentorshipRow.state, MentorshipRow.phase, health(unseen).label("health"), MentorshipRow.format,
            MentorshipRow.program, MentorshipRow.ending, AWAITED.label("awaited"),
            (open_tasks(unseen) > 0).label("tasks"), (MentorshipRow.agreement_in_force > 0).label("agreed"),
        )
        .where(ours)
        .subquery()
    )  # fmt: skip
    lookups = (
        select(kinds, func.count().label("number")).group_by(*kinds.c),
        select(func.count().label("number")).where(ours, reached("accepted")),
        _mentorships_with(asked, *MET),
        _mentorships_with(asked, *AT_MIDPOINT),
        select(RequestRow.ask, RequestRow.state, func.count().label("number"))
        .where(asked, RequestRow.state != "withdrawn")
        .group_by(RequestRow.ask, RequestRow.state),
        select(ItemRow.state, func.count().label("number"))
        .where(ItemRow.cohort == id_, ItemRow.state.in_(("queued", "sent")))
        .group_by(ItemRow.state),
        select(func.count(MembershipRow.person.distinct()).label("number"))
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == id_, ParticipantRow.standing.in_(BOUNCED)),
    )
    found = await look_up_all(session, *(Lookup(query, list[Any]) for query in lookups))
    mentorships, accepted, met, midpoint, asks, mails, bounced = found
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in mentorships:
        for what in _named(row):
            counts[(*what, "")] += row.number
    for station, [row] in (("accepted", accepted), ("met", met), ("midpoint", midpoint)):
        counts["reached", station, ""] = row.number
    for row in asks:
        counts["ask", row.ask, "yes" if row.state == "answered" else "no"] += row.number
    for row in mails:
        counts["mail", row.state, ""] = row.number
    counts["mail", "bounced", ""] = bounced[0].number
    return Figures(counts)


def _mentorships_with(*requests: ColumnElement[bool]) -> Select[int]:
    """How many mentorships have such a request. PostgreSQL groups keys faster than it counts distinct ones."""
    keys = select(RequestRow.mentorship).where(*requests).group_by(RequestRow.mentorship).subquery()
    return select(func.count().label("number")).select_from(keys)


def _named(row: Any) -> Iterator[tuple[str, str]]:
    """The (what, name) under which mentorships like this are counted."""
    yield "state", row.state
    yield "format", row.format
    yield "program", row.program
    if row.ending:
        yield "ending", row.ending
    if row.state == "running":
        yield "phase", row.phase
        yield "health", row.health
        if row.awaited:
            yield "awaited", "yes"
        if row.tasks:
            yield "task", "any"
    if row.state != "planned":
        yield "reached", "invited"
    if row.agreed:
        yield "reached", "agreement"
    if row.state == "over":
        yield "reached", "closed"
