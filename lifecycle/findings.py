"""What answers mean, without saying what they were. Signals act the moment an answer arrives; findings are
read when an ask has settled. Both pass through Temporal, so they hold decisions and flags, never an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

AgreementAct = Literal["", "draft", "change", "sign"]
PersonalRequest = Literal["", "erase", "address", "not_me"]
MidpointOutcome = Literal["", "go_on", "reopen_agreement", "pause", "end", "task", "are_you_there"]


@dataclass(frozen=True, slots=True)
class Signals:
    """What one answer sets off at once."""

    accepted: bool | None = None
    """Invitation only."""
    safety: bool = False
    help: bool = False
    fit: bool = False
    """Fit check: somebody else wanted, or a low fit."""
    low: bool = False
    """Check-in: a relationship question at or below the threshold; acts at once only where the answer is late."""
    contact: bool = False
    """A report about safety or conduct: the reporter may be contacted about it."""
    stopped: bool = False
    """`are_you_there`: we have stopped."""
    act: AgreementAct = ""
    version: int = 0
    """Agreement: the version drafted, made by the change, or signed."""
    wish: PersonalRequest = ""
    """What the person asks a coordinator for, or has to tell (`not_me`: somebody else has used a link of theirs). It
    goes with `help`."""
    not_to: tuple[str, ...] = ()
    """A concern: ids of coordinators whom it is about, and who are not told."""
    zone: str = ""
    """Invitation: the zone the person lives in, where it is another than before."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the answers of one settled ask mean together."""

    answered: tuple[str, ...] = ()
    """Ids of those whose answer was committed in time."""
    accepted: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    nudge: bool = False
    """Fit check: somebody asked for a nudge."""
    no_contact: bool = False
    """Fit check: by every answer given nobody has been in touch."""
    low: bool = False
    """Check-in: a relationship question at or below the threshold (rule L)."""
    no_meeting: bool = False
    """Check-in: no meeting and none booked, by every answer given (rules Z1, Z2)."""
    no_meeting_before: bool | None = None
    """Check-in: the same of the one that was assessed before, late answers included; None where it was not read."""
    silent_before: bool | None = None
    """Check-in: nobody has answered the one that was assessed before; None where it was not read."""
    differ: bool = False
    """Check-in: mirrored answers far apart (rule D)."""
    goal_changed: tuple[str, ...] = ()
    """Check-in: ids of those who say that a goal changed (rule G)."""
    midpoint: MidpointOutcome = ""
    pause_until: date | None = None
    joint_sheet: tuple[str, ...] = ()
    """Midpoint: ids of those who are told that there is a joint sheet; empty where not enough of them share, so that
    it says of nobody that they do not."""
    reason: str = ""
    """For a task: why, in plain words that name nobody."""
    concerned: tuple[str, ...] = ()
    """Ids of those whom the task concerns."""
    follow_up: tuple[str, ...] = ()
    """Closure: ids of those who may be asked again later."""
    would_mentor: tuple[str, ...] = ()
    """Closure: ids of those for the coordinator's list of the next cohort."""
