"""What the core asks the world to do. Immutable, made of ids, dates and decisions only: no name, no address,
no answer ever stands in a command, because commands pass through Temporal.

Dates are calendar dates; instants are aware datetimes in UTC.

The type checker holds that nobody changes a command (`frozen=TYPE_CHECKING`). Python would hold it by a call for each
field of each command, which was a sixth of what a turn takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

Day = date
"""A calendar date, under a name that a field called `date` does not hide from readers of annotations."""

ItemKind = Literal["request", "reminder", "notice", "receipt", "urgent"]
RequestEnd = Literal["closed", "withdrawn", "superseded"]


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class OpenRequest:
    """Ask one participant to fill one form. `closes` is the last day; `closes_at` the instant it has ended."""

    key: str
    ask: str
    number: int
    person: str
    role: str
    opens: date
    closes: date
    closes_at: datetime
    early: bool = False
    step: str = ""
    """Step key this request belongs to."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class MoveRequest:
    """A request's window closes on another day than before (pause, extension, `wait`); an answered or closed
    one is open again when `reopen` is set."""

    key: str
    closes: date
    closes_at: datetime
    reopen: bool = False


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class EndRequest:
    """A request takes no more answers that count: its window closed, it was withdrawn, or superseded."""

    key: str
    state: RequestEnd


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Post:
    """Put an item into a person's postbox. Not before `date` begins in the person's zone."""

    key: str
    person: str
    kind: ItemKind
    name: str
    number: int
    date: Day
    request: str = ""
    """Request key, where the item carries a request or reminds of one."""
    task: str = ""
    """Task key, where the item tells a coordinator of a task."""
    about: str = ""
    """Id of the person the item is about, a reason code, or the dates of a pause, where its wording needs one."""
    after_end: bool = False
    """Still true when the mentorship is over (farewell, a task …)."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Redeliver:
    """Deliver the open requests of this mentorship again with the next letterbox (nudge). `nth` makes keys."""

    requests: tuple[str, ...]
    nth: int
    date: Day


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class OpenTask:
    """Something a coordinator must decide. `reason` is in plain words and names nobody."""

    key: str
    kind: str
    number: int
    reason: str
    due: date
    decisions: tuple[str, ...]
    about: tuple[str, ...] = ()
    """Ids of the participants it concerns; the pages show their names."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class GrowTask:
    """The same kind of trouble again while the task is open: its reason grows. Or its decisions are others now."""

    key: str
    reason: str
    about: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    """The decisions that are open from now on; empty: those that were."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class CloseTask:
    """A task is decided, or lapses (`decision="lapsed"`) because its mentorship is over."""

    key: str
    decision: str
    by: str = ""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Withhold:
    """What the hold keeps back is dropped as `over`, for good."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Note:
    """One line of the record: what happened, to whom, in ids and decisions."""

    name: str
    person: str = ""
    detail: str = ""
    by: str = ""
    """Id of who asked for it, where it follows from a coordinator's change or decision."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class StepRecord:
    """A step of the plan as it stands now; written over what was recorded of it before."""

    name: str
    number: int
    phase: str
    verb: str
    state: str
    opens: date
    closes: date | None
    settled: date | None
    asked: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class MemberRecord:
    """Where a member stands: invited, accepted, declined, silent, out (left, removed, replaced)."""

    person: str
    role: str
    standing: str


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Finish:
    """The mentorship reached its ending; `on` is the date in the cohort's zone."""

    ending: str
    reason: str
    on: date


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Assess:
    """Read the answers of a settled ask and say what they mean (`lifecycle.findings`)."""

    ask: str
    number: int
    step: str
    requests: tuple[tuple[str, str, str], ...]
    """(request key, person, role) of everyone who was asked."""
    closed_at: datetime
    """Answers committed later are late and don't count."""
    before: tuple[tuple[str, str, str], ...] = ()
    """Check-in: the same of everyone who was asked in the check-in that was assessed before. Of these late answers
    count as well."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Refuse:
    """An event makes no sense now; `reason` says why and what would work, for the person who sent it."""

    reason: str


Command = (
    OpenRequest
    | MoveRequest
    | EndRequest
    | Post
    | Redeliver
    | OpenTask
    | GrowTask
    | CloseTask
    | Note
    | StepRecord
    | MemberRecord
    | Finish
    | Assess
    | Refuse
    | Withhold
)


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class Snapshot:
    """One mentorship at a glance, for status lists and the Temporal UI. `next_at` is an instant in UTC."""

    phase: str
    health: str
    """`good`, `quiet` (nobody answered last time), `attention` (a task is open), `trouble` (safety), `over`."""
    next_step: str
    next_on: date | None
    next_at: datetime | None
    awaited: tuple[str, ...]
    open_tasks: int
    paused_until: str
    """ISO date, `open` for a pause without end, or empty."""
    held: bool
    over: bool
    start: date
    midpoint: date
    end: date
    pause_ahead: str = ""
    """A pause that begins later, as `2027-03-01/2027-04-19` or `2027-03-01/open`; or empty."""
    ending: bool = False
    """An end has been decided: the mentorship ends early, or is over."""
    last_life: datetime | None = None
    """The last sign of life from anyone (UTC)."""
    agreement_open: int = 0
    """Number of the agreement step that is open; 0 where none is."""
    agreement_in_force: int = 0
    """The version of the agreement that is in force; 0 where none is."""


@dataclass(slots=True)
class Batch:
    """Everything one turn of a mentorship asks of the world: one activity, one transaction."""

    # `lambda: []`, as `list[Post]()` takes seven times as long.

    cohort: str
    mentorship: str
    turn: int
    """Counts the batches of this mentorship; (cohort, mentorship, turn) makes a repeated batch a no-op."""
    now: datetime
    """Program time of the turn, UTC."""
    snapshot: Snapshot
    open_requests: list[OpenRequest] = field(default_factory=lambda: [])
    move_requests: list[MoveRequest] = field(default_factory=lambda: [])
    end_requests: list[EndRequest] = field(default_factory=lambda: [])
    posts: list[Post] = field(default_factory=lambda: [])
    redeliver: list[Redeliver] = field(default_factory=lambda: [])
    open_tasks: list[OpenTask] = field(default_factory=lambda: [])
    grow_tasks: list[GrowTask] = field(default_factory=lambda: [])
    close_tasks: list[CloseTask] = field(default_factory=lambda: [])
    notes: list[Note] = field(default_factory=lambda: [])
    steps: list[StepRecord] = field(default_factory=lambda: [])
    members: list[MemberRecord] = field(default_factory=lambda: [])
    finish: Finish | None = None
    assess: list[Assess] = field(default_factory=lambda: [])
    cause: str = ""
    """Id of the operation that this turn carries out; who gave it and why stands in SQL under this id."""
    version: str = ""
    """The version of its program by which the mentorship goes on; empty: the one with which it was launched."""
    state: str = ""
    """The whole state after this turn (`lifecycle.saved_state`). Empty where an older release sent the turn."""
    only_asks: bool = False
    """Nothing happened: the workflow asks whether the database holds later turns. Such a batch is not written."""
    withhold: bool = False
    """What the hold keeps back is dropped as `over`."""
