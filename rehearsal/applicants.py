"""Simulated people at an open call: what each would write into the application, and when they apply, confirm, wish
and withdraw. Deterministic by seed.

Used by the rehearsal and by the demo, whose people fill in the real page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Literal

from lifecycle.local_time import instant, local_date
from program.forms import Answers
from rehearsal.behaviour import Behaviour, Profile, Reaction
from rehearsal.people import NOON, People

ApplicantAct = Literal["apply", "confirm", "wish", "withdraw"]
AFTER_THE_MAIL = timedelta(minutes=7)
"""Somebody opens the link of a mail so long after it came."""


@dataclass(frozen=True, slots=True)
class SimulatedApplicant:
    """Somebody who applies. Ids of others are those of this pool, not those of a database."""

    id: str
    name: str
    email: str
    zone: str
    role: str
    """mentor, mentee, both, peer"""
    answers: Answers = field(default_factory=dict[str, object])
    """What they type, without name, address and role."""
    wishes: tuple[str, ...] = ()
    """As a mentee: mentors, the first wish first."""
    would_take: tuple[str, ...] = ()
    """As a mentor: mentees whom they would gladly take."""
    picks: int = 0
    """Who names nobody takes so many of those whom the page shows first."""


class ApplicantActs:
    """When the applicants of a call act. What is not scripted is dealt by profile; without one, people apply on the
    day after the opening, confirm at once, wish on the day after they were asked, and stay."""

    def __init__(self, behaviour: Behaviour, people: Iterable[str], seed: int = 1) -> None:
        self.behaviour = behaviour
        self.seed = seed
        self._dealt = People(behaviour, people, seed).dealt

    def applies(self, person: str, zone: str, opens: datetime, days: int) -> list[datetime]:
        """When (UTC) somebody applies, several times where the file says so; nothing where they never do. The call
        opens at `opens` (UTC) and is open for so many days."""
        script = self._script(person)
        if script is not None:
            found = [self._scripted(script, "apply", zone, opens)]
            again = sorted((name for name in script if name.startswith("apply#")), key=lambda name: int(name[6:]))
            found += [self._scripted(script, name, zone, opens) for name in again]
            return [at for at in found if at is not None]
        profile, chance = self._profile(person, "apply")
        if profile is not None and chance.random() >= profile.answers:
            return []
        if profile is None:
            return [_at(opens, 1, NOON, zone)]
        return [_at(opens, chance.randint(0, max(days - 1, 0)), _time_of_day(profile, chance), zone)]

    def confirms(self, person: str, mailed_at: datetime) -> datetime | None:
        """When (UTC) somebody confirms whom a mail asks for it at this moment (UTC)."""
        script = self._script(person)
        if script is not None:
            reaction = script.get("confirm")
            never = reaction is not None and reaction.never
            return None if never else mailed_at + AFTER_THE_MAIL
        profile, chance = self._profile(person, "confirm")
        return None if profile is not None and chance.random() >= profile.answers else mailed_at + AFTER_THE_MAIL

    def wishes(self, person: str, zone: str, mailed_at: datetime) -> datetime | None:
        """When (UTC) somebody says their wishes whom a mail asks for them at this moment (UTC)."""
        script = self._script(person)
        if script is not None:
            return self._scripted(script, "wish", zone, mailed_at)
        profile, chance = self._profile(person, "wish")
        if profile is None:
            return _at(mailed_at, 1, NOON, zone)
        if chance.random() >= profile.answers:
            return None
        return _at(mailed_at, chance.randint(*profile.after), _time_of_day(profile, chance), zone)

    def withdraws(self, person: str, zone: str, confirmed_at: datetime) -> datetime | None:
        """When (UTC) somebody takes an application back that they confirmed at this moment (UTC)."""
        script = self._script(person)
        if script is not None:
            return self._scripted(script, "withdraw", zone, confirmed_at) if "withdraw" in script else None
        profile, chance = self._profile(person, "withdraw")
        if profile is None or chance.random() >= profile.withdraws:
            return None
        return _at(confirmed_at, 1 + chance.randint(*profile.after), _time_of_day(profile, chance), zone)

    def _script(self, person: str) -> dict[str, Reaction] | None:
        return self.behaviour.people.get(person) if person not in self._dealt else None

    def _scripted(self, script: dict[str, Reaction], act: str, zone: str, since: datetime) -> datetime | None:
        default = script.get("default", Reaction())
        reaction = script.get(act) or default
        if reaction.never:
            return None
        after = reaction.after if reaction.after is not None else default.after if default.after is not None else 1
        return _at(since, after, reaction.at or default.at or NOON, zone)

    def _profile(self, person: str, act: ApplicantAct) -> tuple[Profile | None, Random]:
        name = self._dealt.get(person)
        return self.behaviour.profile(name) if name else None, Random(f"{self.seed}/{person}/{act}")


def _time_of_day(profile: Profile, chance: Random) -> time:
    earliest, latest = (moment.hour * 60 + moment.minute for moment in profile.at)
    minute = chance.randint(min(earliest, latest), max(earliest, latest))
    return time(minute // 60, minute % 60)


def _at(since: datetime, after: int, wall: time, zone: str) -> datetime:
    on = local_date(since, zone) + timedelta(days=after)
    return max(instant(on, wall, zone), since + timedelta(minutes=1))
