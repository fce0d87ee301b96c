"""What workflows are started with. Ids, dates and numbers of the program; never a name, an address or an answer.

Only optional fields may be added: workflows that run for a year are read by newer code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from lifecycle.advance import begin
from lifecycle.clock import Clock
from lifecycle.saved_state import WORDING
from lifecycle.state import Member, State
from program.models import Program


@dataclass(frozen=True)
class Pace:
    """The program clock that a workflow lives by."""

    epoch: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    speed: float = 1.0

    @property
    def clock(self) -> Clock:
        """The clock itself."""
        return Clock(self.epoch, self.speed)


def numbers_of(program: Program) -> dict[str, Any]:
    """A program without its wording and without what is default, small enough for every history."""
    return {
        **program.model_dump(mode="json", exclude=WORDING, exclude_defaults=True),
        "program": program.program,
        "title": program.program,
    }


@dataclass
class MentorshipInput:
    """Starts a mentorship, or continues one: `state` is set when it continues as new, or from the database."""

    cohort: str
    key: str
    program: dict[str, Any]
    start: date
    zone: str
    launched_on: date
    members: list[Member]
    coordinators: list[str]
    deputies: list[str] = field(default_factory=list[str])
    holidays: list[date] = field(default_factory=list[date])
    pace: Pace = field(default_factory=Pace)
    state: State | None = None
    schema: int = 1
    """The rules by which a mentorship lives that begins now (`lifecycle.state.SCHEMA`); 1 where nothing is said."""

    def begin(self) -> State:
        """The state to go on from."""
        return self.state or begin(
            program=Program.model_validate(self.program),
            cohort=self.cohort,
            key=self.key,
            start=self.start,
            zone=self.zone,
            launched_on=self.launched_on,
            members=self.members,
            coordinators=self.coordinators,
            deputies=self.deputies,
            holidays=tuple(self.holidays),
            schema=self.schema,
        )


@dataclass
class PostmasterInput:
    """One postmaster looks after one shard of people."""

    shard: int
    pace: Pace = field(default_factory=Pace)


@dataclass
class CohortInput:
    """One cohort: its mentorships are started, then watched until the last is over."""

    cohort: str
    pace: Pace = field(default_factory=Pace)
