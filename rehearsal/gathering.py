"""An open call over virtual time: who applies, confirms, withdraws and wishes, which mails that brings, and the pairs
that the coordinator publishes, which the season then plays.

The moments are those of `lifecycle.gathering`, the mails those of `operations.applications.apply` and
`activities.gathering`; matching is handed in, and is that of the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from lifecycle.commands import ItemKind, Post
from lifecycle.delivery.postbox import DropReason
from lifecycle.gathering import CALLS, MAILS_A_DAY, MATCH, Gathering, Moment, call_number
from lifecycle.keys import application_item_key, task_item_key, task_key
from lifecycle.local_time import begun_everywhere, local_date
from program.models import Mentorship
from rehearsal.applicants import ApplicantActs, SimulatedApplicant
from rehearsal.records import TaskRecord
from store.people.applications import CONFIRM, INVITED, NOBODY, WISHES, YOURS

if TYPE_CHECKING:
    from rehearsal.season import RehearsedSeason

DUE, ACT = range(2)
"""Order of what happens at the same instant, as in `rehearsal.season`."""
Wished = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""Ids of those whose application counts to (wishes as a mentee, as a mentor)."""


@dataclass(frozen=True, slots=True)
class SimulatedPairs:
    """What publishing makes of those who applied."""

    mentorships: tuple[Mentorship, ...]
    nobody: Mapping[str, int]
    """Those for whom there is nobody, with the reason."""
    impossible: str = ""
    """Why there is no pair at all."""


class Matching(Protocol):
    """What the pages of wishes and `mentorship publish` make of those who applied."""

    def shown(self, person: str, counted: Wished) -> Mapping[Literal["wish", "take"], Sequence[str]]:
        """Whom somebody can wish for, the best first."""
        ...

    def publish(self, counted: Wished, taken: Collection[str]) -> SimulatedPairs:
        """What publishing the best pairs makes. `taken`: keys that mentorships have already."""
        ...


@dataclass(frozen=True, slots=True)
class OpenCall:
    """What a rehearsal knows of an open call."""

    gathering: Gathering
    applicants: Sequence[SimulatedApplicant]
    matching: Matching
    invited: frozenset[str] = frozenset()
    """Ids of those who are invited; where there are any, nobody else can apply."""
    limit: Mapping[str, int] = field(default_factory=dict[str, int])
    """Role to the applications after which others go to the waiting list."""
    wishes_at_most: int = 0


@dataclass(slots=True)
class RehearsedApplication:
    """One application, as the engine would store it."""

    who: SimulatedApplicant
    state: Literal["none", "invited", "unconfirmed", "confirmed", "waiting", "withdrawn"] = "none"
    applied_at: datetime | None = None
    wishes: tuple[str, ...] = ()
    would_take: tuple[str, ...] = ()
    wished: bool = False
    mails: int = 0
    on: date | None = None
    that_day: int = 0
    told: dict[int, datetime] = field(default_factory=dict[int, datetime])
    """Numbers of the calls that this person was told, with their moments (UTC)."""
    asked: bool = False
    """Asked for wishes."""


class RehearsedGathering:
    """The open call of a rehearsed season."""

    def __init__(self, season: RehearsedSeason, call: OpenCall) -> None:
        self.season = season
        self.call = call
        self.acts = ApplicantActs(season.behaviour, [person.id for person in season.cohort.participants], season.seed)
        self.applications = {each.id: RehearsedApplication(each) for each in call.applicants}
        for id_ in call.invited:
            self.applications[id_].state = "invited"
        self.published_on: date | None = None
        self.pairs = 0
        self.nobody: Mapping[str, int] = {}
        self.impossible = ""
        """Why no pairs could be published."""

    @property
    def now(self) -> datetime:
        """Virtual time, UTC."""
        return self.season.now

    @property
    def gathering(self) -> Gathering:
        """The dates of the call, and whether its pairs are published."""
        return self.call.gathering

    def begin(self) -> None:
        """The cohort is launched: what is due happens, and people apply in their time."""
        self.fall_due()
        for moment in self.gathering.moments():
            if moment.at > self.now:
                self.season.at(moment.at, DUE, self.fall_due)
        opens = self.gathering.moments()[0].at
        days = (self.gathering.closes - self.gathering.opens).days + 1
        for application in self.applications.values():
            who = application.who
            for at in self.acts.applies(who.id, who.zone, opens, days):
                self.season.at(at, ACT, partial(self.apply, application))

    # -- what falls due --------------------------------------------------------------------------------------------

    def fall_due(self) -> None:
        """Everything that has fallen due by now, once."""
        if self.published_on is not None or self.season.cancelled:
            return
        for moment in self.gathering.due(self.now):
            if moment.name in CALLS:
                self._tell_invited(moment)
            elif moment.name == "close":
                self._take_back(self.applications, (INVITED,), DropReason.WINDOW_CLOSED)
            elif moment.name == "ask_wishes":
                self._ask_wishes()
            else:
                if moment.name == "match":
                    self._take_back(self.applications, (WISHES,), DropReason.WINDOW_CLOSED)
                self._task(moment)

    def _tell_invited(self, moment: Moment) -> None:
        for application in self.applications.values():
            number = call_number(moment, application.told) if application.state == "invited" else None
            if number is not None:
                application.told[number] = self.now
                self._tell(application, "notice", INVITED, number)

    def _ask_wishes(self) -> None:
        if self.gathering.stage(self.now) != "wishing":
            return
        for application in self.applications.values():
            if application.state == "confirmed" and not application.asked:
                application.asked = True
                self._tell(application, "notice", WISHES, 1)

    def _task(self, moment: Moment) -> None:
        season, cohort = self.season, self.season.cohort
        key = task_key(cohort.cohort, "", MATCH, 1)
        if moment.name == "match" and key not in season.tasks:
            today = local_date(self.now, cohort.zone)
            season.tasks[key] = TaskRecord("", MATCH, 1, today, self.gathering.match_due)
        elif moment.name == "match" or season.tasks[key].closed is not None:
            return
        name = {"match": "task_opened", "match_repeated": "task_repeated"}.get(moment.name, "task_to_deputy")
        deciders = (*cohort.coordinators, *(cohort.deputies if name == "task_to_deputy" else ()))
        for person in deciders:
            item = task_item_key(key, person.id, name)
            season.put(None, Post(item, person.id, "notice", name, 1, moment.on, task=key))

    # -- what people do --------------------------------------------------------------------------------------------

    def apply(self, application: RehearsedApplication) -> None:
        """Somebody sends the form of the public page."""
        stage = self.gathering.stage(self.now)
        if self._over or stage in ("planned", "published"):
            return
        if application.state == "withdrawn" or (self.call.invited and application.who.id not in self.call.invited):
            return
        today = self.now.astimezone(UTC).date()
        application.that_day = application.that_day if application.on == today else 0
        if application.that_day >= MAILS_A_DAY:
            return
        counts = application.state in ("confirmed", "waiting")
        application.state = application.state if counts else "unconfirmed"
        application.applied_at = application.applied_at or self.now
        application.on, application.that_day = today, application.that_day + 1
        self._take_back([application.who.id], (INVITED,), DropReason.ANSWERED)
        self._tell(application, "receipt", YOURS if counts else CONFIRM, self._mailed(application))

    def confirm(self, application: RehearsedApplication) -> None:
        """Somebody presses the button behind the link of the mail."""
        stage = self.gathering.stage(self.now)
        if application.state != "unconfirmed" or self._over or stage in ("planned", "published"):
            return
        limit = self.call.limit.get(application.who.role)
        full = limit is not None and len(self._counted(application.who.role)) >= limit
        application.state = "waiting" if full or stage != "applying" else "confirmed"
        self._take_back([application.who.id], (CONFIRM, INVITED), DropReason.ANSWERED)
        self._tell(application, "receipt", YOURS, self._mailed(application))
        leaves = self.acts.withdraws(application.who.id, application.who.zone, self.now)
        if leaves is not None:
            self.season.at(leaves, ACT, partial(self.withdraw, application))

    def withdraw(self, application: RehearsedApplication) -> None:
        """Somebody takes an application back, before the pairs are published."""
        if self._over or application.state not in ("confirmed", "waiting"):
            return
        application.state = "withdrawn"
        self._take_back([application.who.id], (CONFIRM, YOURS, INVITED, WISHES, NOBODY), DropReason.ANSWERED)

    def wish(self, application: RehearsedApplication) -> None:
        """Somebody says whom they would like to meet, of those whom the page shows."""
        if self._over or application.state != "confirmed" or self.gathering.stage(self.now) != "wishing":
            return
        who, most = application.who, self.call.wishes_at_most
        for side, shown in self.call.matching.shown(who.id, self._wished()).items():
            wanted = who.wishes if side == "wish" else who.would_take
            chosen = tuple(one for one in wanted if one in shown)[:most] or tuple(shown[: min(who.picks, most)])
            if side == "wish":
                application.wishes = chosen
            else:
                application.would_take = chosen
        application.wished = True

    def read(self, post: Post, at: datetime) -> None:
        """A mail about an application has reached its person."""
        application = self.applications.get(post.about)
        if application is None:
            return
        if post.name == CONFIRM:
            confirms = self.acts.confirms(post.about, at)
            if confirms is not None:
                self.season.at(confirms, ACT, partial(self.confirm, application))
        elif post.name == WISHES:
            wishes = self.acts.wishes(post.about, application.who.zone, at)
            if wishes is not None:
                self.season.at(wishes, ACT, partial(self.wish, application))

    # -- publishing ------------------------------------------------------------------------------------------------

    def publish(self) -> None:
        """The coordinator publishes the best pairs: their mentorships stand in the cohort, and begin."""
        season, today = self.season, local_date(self.now, self.season.cohort.zone)
        made = self.call.matching.publish(self._wished(), season.running)
        if made.impossible:
            self.impossible = made.impossible
            return
        self.published_on, self.pairs, self.nobody = today, len(made.mentorships), made.nobody
        task = season.tasks[task_key(season.cohort.cohort, "", MATCH, 1)]
        task.closed, task.decision = today, "published"
        for person, reason in made.nobody.items():
            self._tell(self.applications[person], "notice", NOBODY, reason)
        kept = (*season.cohort.mentorships, *made.mentorships)
        season.cohort = season.cohort.model_copy(update={"mentorships": kept})
        for mentorship in made.mentorships:
            season.turn(season.add(mentorship), None)

    # -- parts -----------------------------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        return self.published_on is not None or self.season.cancelled

    def _counted(self, role: str = "") -> list[RehearsedApplication]:
        return [
            each for each in self.applications.values() if each.state == "confirmed" and role in ("", each.who.role)
        ]

    def _wished(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        return {each.who.id: (each.wishes, each.would_take) for each in self._counted()}

    def _mailed(self, application: RehearsedApplication) -> int:
        application.mails += 1
        return application.mails

    def _tell(self, application: RehearsedApplication, kind: ItemKind, name: str, number: int) -> None:
        id_ = application.who.id
        key = application_item_key(self.season.cohort.cohort, id_, name, number)
        on = begun_everywhere(self.now)
        after_end = name != INVITED and name != WISHES
        self.season.put(None, Post(key, id_, kind, name, number, on, about=id_, after_end=after_end))

    def _take_back(self, people: Collection[str], names: Collection[str], reason: DropReason) -> None:
        """What waits for these people of these mails does not go out."""
        for person in people:
            postbox = self.season.postboxes[person]
            for key, letter in list(postbox.letters.items()):
                if letter.post.about == person and letter.post.name in names:
                    self.season.drop(postbox, key, reason)
