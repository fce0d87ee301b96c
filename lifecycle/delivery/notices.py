"""When a notice that waits in a postbox is still true (lifecycle 2.7). One table, asked at delivery by the postmaster
and by the rehearsal: a notice was true when it was queued, and may not be any more.

A notice whose name is not in the table stays true, and so does every receipt. A new notice that can become untrue
gets one line in `TRUE_WHILE`, and its name in `OF_PARTNERS` or `OF_SILENCE` where its condition asks for that: those
facts are read from SQL for no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from lifecycle.state import PlannedPause, State

SeatStanding = tuple[str, str, str]
"""(participant id, role, standing)"""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A mentorship as it stands now, for one reader. Dates are calendar dates, instants UTC."""

    takes_part: bool = True
    """The reader has accepted a seat and has it still."""
    partners: frozenset[str] = frozenset()
    """Ids of those of the other role (in `peer`: the other peers) who take part."""
    present: frozenset[str] = frozenset()
    """Ids of everybody who takes part."""
    ending: bool = False
    """An end has been decided: the mentorship ends early, or is over."""
    end: date | None = None
    last_life: datetime | None = None
    """The last sign of life from anyone."""
    agreement_open: int = 0
    """Number of the agreement step that is open; 0 where none is."""
    agreement_in_force: int = 0
    """The version of the agreement that is in force; 0 where none is."""
    paused_until: str = ""
    """ISO date, `open`, or empty."""
    pause_ahead: str = ""
    """The dates of a pause that begins later, as in `PlannedPause.words`; or empty."""
    task_open: bool = True
    """The task that the notice tells of is not decided."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says that can become untrue: the version, the people, the date or the pause it was queued for."""

    number: int
    about: str
    queued_at: datetime


Condition = Callable[[Notice, NoticeFacts], bool]


def still_true(name: str, notice: Notice, facts: NoticeFacts) -> bool:
    """Whether a notice of this name still says what holds."""
    condition = TRUE_WHILE.get(name)
    return condition is None or condition(notice, facts)


def facts_of(state: State, reader: str, *, task_open: bool = True) -> NoticeFacts:
    """What the conditions look at, from the state of a mentorship itself."""
    takes_part, partners, present = who_takes_part(_seats(state), reader)
    return NoticeFacts(
        takes_part,
        partners,
        present,
        ending=state.end_decided,
        end=state.end,
        last_life=state.last_life,
        agreement_open=state.agreement_open,
        agreement_in_force=state.agreement.concluded,
        paused_until=state.paused_until,
        pause_ahead=state.pause_ahead.words if state.pause_ahead else "",
        task_open=task_open,
    )


def _seats(state: State) -> Iterable[SeatStanding]:
    return ((member.person, member.role, member.standing) for member in state.members)


def who_takes_part(seats: Iterable[SeatStanding], reader: str) -> tuple[bool, frozenset[str], frozenset[str]]:
    """(whether the reader takes part, ids of the reader's partners who do, ids of all who do)."""
    present = {person: role for person, role, standing in seats if standing == "accepted"}
    own = present.get(reader)
    partners = (person for person, role in present.items() if person != reader and (role != own or role == "peer"))
    return own is not None, frozenset(partners), frozenset(present)


def partners_of(state: State, reader: str) -> str:
    """What an introduction is queued for: ids of the reader's partners, apart by a space."""
    _, partners, _ = who_takes_part(_seats(state), reader)
    return " ".join(sorted(partners))


# -- the conditions --------------------------------------------------------------------------------------------


def _together(_: Notice, facts: NoticeFacts) -> bool:
    """The reader and a partner take part, and no end has been decided."""
    return facts.takes_part and bool(facts.partners) and not facts.ending


def _introduced(notice: Notice, facts: NoticeFacts) -> bool:
    """... and somebody is there for whom the introduction was queued."""
    queued_for = notice.about.split()
    return _together(notice, facts) and (not queued_for or any(one in facts.present for one in queued_for))


def _ends_then(notice: Notice, facts: NoticeFacts) -> bool:
    """E is the date that the notice was queued for, and no earlier end has been decided."""
    return not facts.ending and notice.about in ("", str(facts.end))


def _silent(notice: Notice, facts: NoticeFacts) -> bool:
    """Nobody has shown a sign of life since, and no end has been decided."""
    return not facts.ending and (facts.last_life is None or facts.last_life <= notice.queued_at)


def _agreement_open(notice: Notice, facts: NoticeFacts) -> bool:
    return notice.about == str(facts.agreement_open)


def _in_force(notice: Notice, facts: NoticeFacts) -> bool:
    return notice.number == facts.agreement_in_force


def _paused(_: Notice, facts: NoticeFacts) -> bool:
    return bool(facts.paused_until)


def _left(notice: Notice, facts: NoticeFacts) -> bool:
    return facts.takes_part and notice.about not in facts.present


def _paused_then(notice: Notice, facts: NoticeFacts) -> bool:
    """The pause with these dates runs, or is still planned."""
    until = PlannedPause.of(notice.about).until
    runs = facts.paused_until == (until.isoformat() if until else "open")
    return facts.takes_part and (runs or facts.pause_ahead == notice.about)


def _task_open(_: Notice, facts: NoticeFacts) -> bool:
    return facts.task_open


TRUE_WHILE: dict[str, Condition] = {
    "introduction": _introduced,
    "get_going": _together,
    "joint_sheet": _together,
    "winding_down": _ends_then,
    "are_you_there": _silent,
    "closing_for_silence": _silent,
    "agreement_reopened": _agreement_open,
    "agreement_concluded": _in_force,
    "still_paused": _paused,
    "partner_left": _left,
    "partner_paused": _paused_then,
    "task_opened": _task_open,
    "task_repeated": _task_open,
    "task_to_deputy": _task_open,
}
"""Name of a notice to the condition under which it is still true."""

OF_SILENCE = ("are_you_there", "closing_for_silence")
"""Notices whose condition asks for the last sign of life."""

OF_PARTNERS = frozenset({"introduction", "get_going", "joint_sheet", "partner_left", "partner_paused"})
"""Notices whose condition asks who takes part."""
