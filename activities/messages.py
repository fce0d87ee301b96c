"""What workflows and activities say to each other. Imports no SQL and no SMTP, so that a workflow may import it.

Everything here passes through Temporal: ids, dates and decisions only, never a name, an address or an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.events import Assessed
from lifecycle.state import State

CARRY_OUT = "carry_out"
"""One turn of a mentorship: `lifecycle.commands.Batch` in, `CarriedOut` back."""

DELIVER = "deliver"
"""One round of a postmaster: `DeliverInput` in, `DeliverResult` back."""

START_MENTORSHIPS = "start_mentorships"
"""Start what is planned of a cohort: `CohortQuestion` in, `Started` back."""

COHORT_PROGRESS = "cohort_progress"
"""Count what runs: `CohortQuestion` in, `CohortProgress` back."""


GATHER = "gather"
"""Do what has fallen due in a cohort's gathering: `CohortQuestion` in, `Gathered` back."""


@dataclass
class CarriedOut:
    """What came of a turn."""

    assessed: list[Assessed] = field(default_factory=list)
    """What the answers meant that the turn had read."""
    state: State | None = None
    """Set when the turn was not written because the database holds later turns: the workflow was reset, or Temporal
    was restored from a backup. The workflow continues from this state."""


@dataclass(frozen=True)
class DeliverInput:
    """One round of a postmaster: deliver what is due in this shard at this moment (program time, UTC)."""

    shard: int
    now: datetime


@dataclass
class DeliverResult:
    """What a round did. Counts are items for `dropped`, mails for everything else."""

    sent: int = 0
    dropped: int = 0
    held: int = 0
    deferred: int = 0
    refused: int = 0
    ambiguous: int = 0
    next_at: datetime | None = None
    """When the postmaster should look again (program time, UTC); None while nothing waits. May lie in the
    past or be this very moment: there is more to do, go round again at once."""
    bounced: list[str] = field(default_factory=list)
    """Ids of those whose address refuses mail for good; their mentorships are told through the relay."""
    trouble: str = ""
    """What a person has to fix, by class and code; empty when all is well."""


@dataclass(frozen=True)
class CohortQuestion:
    """Of which cohort, and when (program time, UTC)."""

    cohort: str
    now: datetime


@dataclass
class Started:
    """How many mentorships a launch started."""

    started: int = 0


@dataclass
class CohortProgress:
    """How many mentorships of a cohort are not yet started, running, over."""

    planned: int = 0
    running: int = 0
    over: int = 0
    gathering: bool = False
    """Its open call is not published yet, so there are mentorships to come."""


@dataclass
class Gathered:
    """How a gathering stands after what was due is done. Counts only: nobody is named."""

    stage: str
    """As `lifecycle.gathering.Stage`; `over` where the cohort no longer runs, or has no call."""
    next_at: datetime | None = None
    """When something falls due next (program time, UTC); None where nothing does any more."""
    next_name: str = ""
    """What that is."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """`confirmed mentor` and so on, to how many."""
