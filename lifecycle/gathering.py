"""The gathering of a cohort, before it has mentorships: when the call opens, who is reminded when, when it closes,
when wishes are asked for, and when coordinators have to match. Pure: the same for workflow and rehearsal.

Dates are calendar dates in the cohort's zone. Nothing here knows who applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from lifecycle.local_time import DAY, begins, has_ended, local_date, working_days_after

Stage = Literal["planned", "applying", "closed", "wishing", "matching", "published"]
"""Where a gathering is: not yet open; open; closed, before wishes; wishes are asked for; coordinators match; done."""
MomentName = Literal[
    "invite", "remind_invited", "last_call", "close", "ask_wishes", "match", "match_repeated", "match_to_deputy"
]
MATCH = "match"
"""Kind of the task by which coordinators are asked to match; it belongs to no mentorship."""
PUBLISH = "publish"
"""The decision of that task."""
MATCH_DUE = 5
"""Working days after the last close until the task `match` is due."""
TO_DEPUTY = 2
"""Working days after that until the deputies hear of it."""
LAST_CALL = timedelta(days=2)
"""So long before the close those who were invited and have not applied get a last call."""
SHORTEST_REMINDER = timedelta(days=4)
"""A call that is open for less has no reminder, for the last call is near."""
MAILS_A_DAY = 3
"""So many mails an address gets on one day because somebody typed it into the page of a call."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that falls due in a gathering at an instant (UTC)."""

    name: MomentName
    at: datetime
    on: date
    """The date whose begin or end it is."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """The dates of a cohort's call; first and last days included."""

    zone: str
    opens: date
    closes: date
    wishes_open: date | None = None
    wishes_close: date | None = None
    published: bool = False
    days: frozenset[str] = frozenset(("mon", "tue", "wed", "thu", "fri"))
    """Working days of the program."""
    holidays: frozenset[date] = frozenset()

    @property
    def last_day(self) -> date:
        """The day after whose end the pairs can be found."""
        return self.wishes_close or self.closes

    @property
    def match_due(self) -> date:
        """The day on which the task `match` is due."""
        return working_days_after(self.last_day, MATCH_DUE, self.days, self.holidays)

    def stage(self, now: datetime) -> Stage:
        """Where the gathering is at this instant (UTC)."""
        if self.published:
            return "published"
        if now < begins(self.opens, self.zone):
            return "planned"
        if now < has_ended(self.closes, self.zone):
            return "applying"
        if self.wishes_open is not None and now < begins(self.wishes_open, self.zone):
            return "closed"
        return "wishing" if now < has_ended(self.last_day, self.zone) else "matching"

    def moments(self) -> tuple[Moment, ...]:
        """Everything that falls due, in order."""
        found = [self._begin("invite", self.opens)]
        length = self.closes - self.opens
        if length >= SHORTEST_REMINDER:
            found.append(self._begin("remind_invited", self.opens + timedelta(days=length.days // 2)))
        if length > LAST_CALL:
            found.append(self._begin("last_call", self.closes - LAST_CALL))
        found.append(Moment("close", has_ended(self.closes, self.zone), self.closes))
        if self.wishes_open is not None:
            found.append(self._begin("ask_wishes", self.wishes_open))
        found.append(Moment("match", has_ended(self.last_day, self.zone), self.last_day + DAY))
        due = self.match_due
        found.append(self._begin("match_repeated", due))
        found.append(self._begin("match_to_deputy", working_days_after(due, TO_DEPUTY, self.days, self.holidays)))
        return tuple(sorted(found, key=lambda moment: moment.at))

    def due(self, now: datetime) -> tuple[Moment, ...]:
        """What has fallen due by this instant (UTC). Whether it was done before is not known here.

        What the invited are told of an open call is left out once it has closed, and of several the last one counts:
        after an outage nobody gets the opening and a reminder at once.
        """
        if self.published:
            return ()
        due = [moment for moment in self.moments() if moment.at <= now]
        calls = [moment for moment in due if moment.name in CALLS]
        shut = self.stage(now) != "applying"
        late = calls if shut else calls[:-1]
        # A call that was told in its time has its mail already, and the key of it keeps it from coming again.
        return tuple(moment for moment in due if moment not in late)

    def next_at(self, now: datetime) -> datetime | None:
        """When something falls due next (UTC); None where nothing does any more."""
        return None if self.published else min((one.at for one in self.moments() if one.at > now), default=None)

    def today(self, now: datetime) -> date:
        """The date in the cohort's zone."""
        return local_date(now, self.zone)

    def _begin(self, name: MomentName, on: date) -> Moment:
        return Moment(name, begins(on, self.zone), on)


CALLS: tuple[MomentName, ...] = ("invite", "remind_invited", "last_call")
"""What those who were invited are told, at most once each."""


def call_number(moment: Moment, told: Mapping[int, datetime]) -> int | None:
    """The number of the mail by which somebody who was invited, and has not applied, hears of one of the CALLS; None
    where they hear nothing now. `told`: numbers of earlier mails to when they were queued (UTC). A first mail is no
    reminder, whenever it comes."""
    if not told:
        return 1
    number = CALLS.index(moment.name) + 1
    return number if number not in told and max(told.values()) < moment.at else None
