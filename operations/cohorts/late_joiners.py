"""Who joins late: what lies ahead of a mentorship that is launched after its start, worked out by the core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from lifecycle.advance import advance, begin
from lifecycle.events import Answered
from lifecycle.findings import Signals
from lifecycle.local_time import local_date
from lifecycle.state import Member
from program.loader import Loaded
from program.models import Mentorship


@dataclass(frozen=True, slots=True)
class Late:
    """A mentorship that starts later than its plan: what it misses, and what comes first."""

    key: str
    start: date
    end: date
    left_out: tuple[tuple[str, int], ...]
    """(name, number) of steps whose windows have passed."""
    next_step: tuple[str, int]
    """(name, number) of the first that still lies ahead."""
    next_on: date | None


def late(loaded: Loaded, mentorships: Iterable[Mentorship], now: datetime) -> Iterator[Late]:
    """Of these mentorships, those whose start lies in the past when they are launched now (program time, UTC)."""
    cohort = loaded.cohort
    today = local_date(now, cohort.zone)
    zones = {person.id: person.zone or cohort.zone for person in cohort.participants}
    for mentorship in mentorships:
        start = mentorship.start or cohort.start
        if start >= today:
            continue
        state = begin(
            program=loaded.program_of(mentorship).program,
            cohort=cohort.cohort,
            key=mentorship.key,
            start=start,
            zone=cohort.zone,
            launched_on=today,
            members=[Member(person, role, zones[person]) for person, role in mentorship.members()],
            coordinators=[person.id for person in cohort.coordinators],
        )
        advance(state, None, now)
        for member in list(state.members):
            yes = Answered(f"if/{member.person}", member.person, "invitation", 1, Signals(accepted=True), now)
            advance(state, yes, now)
        left_out = tuple((step.name, step.number) for step in state.steps if step.state == "skipped")
        ahead = min((step for step in state.steps if step.state == "planned"), key=lambda s: s.opens, default=None)
        yield Late(
            mentorship.key, start, state.end, left_out, (ahead.name, ahead.number) if ahead else ("", 0),
            ahead.opens if ahead else None,
        )  # fmt: skip
