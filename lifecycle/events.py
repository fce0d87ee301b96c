"""What can happen to a mentorship from outside. Each event has an `id`: the submission or operation it comes
from, so that a repeated event is the same event. Ids, dates and decisions only; never a name or an answer.

A change may say what it is `based_on`: how many changes (`State.changes`) its author had seen. If there have
been others since, it is refused. None means: whatever happened meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lifecycle.findings import Findings, Signals
from program.models import Role


@dataclass(frozen=True, slots=True)
class Answered:
    """A participant submitted a form. `signals` is what must act at once; `at` the instant of the commit."""

    id: str
    person: str
    ask: str
    number: int
    signals: Signals
    at: datetime


@dataclass(frozen=True, slots=True)
class Assessed:
    """What the answers of a settled ask mean."""

    id: str
    ask: str
    number: int
    findings: Findings


@dataclass(frozen=True, slots=True)
class Decided:
    """A coordinator decided a task. `until` goes with pause, `newcomer` (id, zone) with replace."""

    id: str
    task: str
    decision: str
    by: str
    until: date | None = None
    newcomer: str = ""
    newcomer_zone: str = ""
    person: str = ""
    """With replace: whose seat the newcomer takes, where it is not clear from the task."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing goes out and nothing falls due until `until` begins; None leaves the end open."""

    id: str
    until: date | None
    by: str
    based_on: int | None = None
    begins: date | None = None
    """A later day on which it begins; None: at once."""
    tell: bool = False
    """The others are told its dates, at once and once."""


@dataclass(frozen=True, slots=True)
class Resume:
    """A pause ends today; where none runs, the one that is planned is taken back."""

    id: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """The end moves later by whole weeks; the midpoint too, if still ahead."""

    id: str
    weeks: int
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Adopt:
    """The mentorship goes on by another version of its program. `program` has its numbers, without its wording."""

    id: str
    program: dict[str, Any]
    version: str
    """The hash by which the version is kept in SQL, with its wording and its forms."""
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """End early, with one of the reasons of the lifecycle."""

    id: str
    reason: str
    by: str
    person: str = ""
    """With `left` and `safeguarding`: whom it concerns, where it is one person."""
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class ProposeEnd:
    """A participant wants to end. One person's word opens a task; when all have said so, the mentorship ends."""

    id: str
    person: str
    reason: str = "no_fault"
    """`no_fault` or `goals_reached`."""


@dataclass(frozen=True, slots=True)
class Replace:
    """A newcomer takes somebody's seat."""

    id: str
    person: str
    newcomer: str
    zone: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """A member joins a group with the steps that are ahead."""

    id: str
    person: str
    role: Role
    zone: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """A member is taken out of a group by a coordinator."""

    id: str
    person: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """A person's own withdrawal; takes effect for that person at once. `erased` hides that it was a choice."""

    id: str
    person: str
    erased: bool = False
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Nudge:
    """Deliver the open requests again with the next letterbox."""

    id: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """End a hold after a safety report."""

    id: str
    by: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """The whole cohort is cancelled."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class Staffed:
    """Others coordinate the cohort now, or its holidays are others."""

    id: str
    coordinators: tuple[str, ...]
    deputies: tuple[str, ...]
    holidays: tuple[date, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A participant lives in another zone now."""

    id: str
    person: str
    zone: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A sign of life that is no answer: an act on the person's own page."""

    id: str
    person: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """A participant's address refuses mail for good; `soft`: it takes some, and of the last few it did not."""

    id: str
    person: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Corrected:
    """A participant's address was corrected: mail reaches them again."""

    id: str
    person: str
    by: str = ""


Event = (
    Answered
    | Assessed
    | Decided
    | Pause
    | Resume
    | Extend
    | Adopt
    | End
    | ProposeEnd
    | Replace
    | Add
    | Remove
    | Leave
    | Nudge
    | Release
    | Cancel
    | Staffed
    | Moved
    | Seen
    | Bounced
    | Corrected
)

CHANGES = (
    Decided, Pause, Resume, Extend, Adopt, End, ProposeEnd, Replace, Add, Remove, Leave, Nudge, Release, Cancel,
    Corrected,
)  # fmt: skip
"""What people do to a mentorship on purpose: each counts as a change."""

EVENTS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Answered, Assessed, Decided, Pause, Resume, Extend, Adopt, End, ProposeEnd, Replace, Add, Remove, Leave,
        Nudge, Release, Cancel, Staffed, Moved, Seen, Bounced, Corrected,
    )
}  # fmt: skip
"""Every event by name."""


def cause_of(event: Event | None) -> str:
    """The id of the operation behind a change, by which the record finds who asked for it and why; or nothing."""
    return event.id if isinstance(event, CHANGES) else ""
