"""What a rehearsed open call means for a coordinator: its dates, which mails go to how many on which days, how many
apply, and what comes of matching. Numbers only."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lifecycle.gathering import MATCH
from lifecycle.local_time import local_date
from rehearsal.gathering import RehearsedGathering
from store.people.applications import CONFIRM, INVITED, NOBODY, WISHES, YOURS

if TYPE_CHECKING:
    from rehearsal.season import RehearsedSeason

MOMENTS = {
    "invite": "The call opens",
    "remind_invited": "Reminder to those who are invited and have not applied",
    "last_call": "Last call to those who are invited and have not applied",
    "close": "The call closes at the end of this day",
    "ask_wishes": "Wishes open",
    "match": "Task: match the applicants, and publish the pairs",
    "match_repeated": "The task is due",
    "match_to_deputy": "Deputies hear of the task, if it is still open",
}
"""What falls due in a gathering, in words."""
WITHOUT_INVITED = ("remind_invited", "last_call")
"""What does not happen in a call that is open to everybody with the link."""
MAILS = {
    (INVITED, 1): "invitation to apply",
    (INVITED, 2): "reminder to apply",
    (INVITED, 3): "last call",
    (CONFIRM, 0): "confirm your application",
    (YOURS, 0): "your application, with the own link",
    (WISHES, 0): "whom would you like to meet",
    (NOBODY, 0): "there is nobody for you this time",
    ("task_opened", 0): "coordinators: the task to match",
    ("task_repeated", 0): "coordinators: the task to match, repeated",
    ("task_to_deputy", 0): "deputies: the task to match",
    ("invitation", 0): "invitation to the pairs",
}
"""(mail, number) to what it is; 0 stands for any number."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something on a date of the cohort's zone."""

    on: date
    what: str


@dataclass(frozen=True, slots=True)
class MailsOf:
    """Mails of one kind: on which days, in the readers' zones, and to how many people."""

    what: str
    first: date
    last: date
    mails: int
    people: int


@dataclass(frozen=True, slots=True)
class GatheringReport:
    """An open call in numbers."""

    dates: tuple[Due, ...]
    mails: tuple[MailsOf, ...]
    counts: tuple[tuple[str, int], ...]
    """What people did, to how many."""
    published: date | None = None
    impossible: str = ""
    """Why no pairs could be published."""


def gathering_report(season: RehearsedSeason, gathering: RehearsedGathering) -> GatheringReport:
    """Sum an open call up that was played."""
    call = gathering.gathering
    invited = bool(gathering.call.invited)
    dates = [
        Due(moment.on, MOMENTS[moment.name])
        for moment in call.moments()
        if invited or moment.name not in WITHOUT_INVITED
    ]
    if call.wishes_close is not None:
        dates.append(Due(call.wishes_close, "Wishes close at the end of this day"))
    if gathering.published_on is not None:
        dates.append(Due(gathering.published_on, "The coordinator publishes the pairs, by the behaviour file"))
        dates = [due for due in dates if due.on <= gathering.published_on or due.what not in _OF_AN_OPEN_TASK]
    return GatheringReport(
        dates=tuple(sorted(dates, key=lambda due: due.on)),
        mails=tuple(_mails(season)),
        counts=tuple(_counts(gathering).items()),
        published=gathering.published_on,
        impossible=gathering.impossible,
    )


_OF_AN_OPEN_TASK = (MOMENTS["match_repeated"], MOMENTS["match_to_deputy"])


def _mails(season: RehearsedSeason) -> list[MailsOf]:
    """What went out for the call, by the first mail of each kind. Of the pairs only their invitations."""
    sent: dict[str, list[tuple[date, str]]] = defaultdict(list)
    paired = {key for key in season.running if key not in season.ready}
    for mail in season.mails:
        on = local_date(mail.at, season.postboxes[mail.person].person.zone)
        for post, mentorship in mail.items:
            what = MAILS.get((post.name, post.number)) or MAILS.get((post.name, 0))
            of_call = not mentorship and (post.about or f"/task.{MATCH}#" in post.task)
            invites = mentorship in paired and post.name == "invitation" and post.kind == "request"
            if what and (of_call or invites):
                sent[what].append((on, mail.person))
    lines = [
        MailsOf(
            what, min(on for on, _ in each), max(on for on, _ in each), len(each), len({person for _, person in each})
        )
        for what, each in sent.items()
    ]
    return sorted(lines, key=lambda line: (line.first, line.last))


def _counts(gathering: RehearsedGathering) -> dict[str, int]:
    states = Counter(each.state for each in gathering.applications.values())
    roles = Counter(each.who.role for each in gathering.applications.values() if each.state == "confirmed")
    found = {"invited": len(gathering.call.invited)} if gathering.call.invited else {}
    found["applied"] = sum(each.applied_at is not None for each in gathering.applications.values())
    found["never confirmed"] = states["unconfirmed"]
    found["withdrew"] = states["withdrawn"]
    found["on the waiting list"] = states["waiting"]
    found |= {f"count as {role}": number for role, number in sorted(roles.items())}
    if gathering.gathering.wishes_open is not None:
        found["said their wishes"] = sum(each.wished for each in gathering.applications.values())
    found["mentorships published"] = gathering.pairs
    found["have nobody"] = len(gathering.nobody)
    return found
