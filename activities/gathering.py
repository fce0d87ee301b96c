"""Does what falls due in a cohort's gathering: tells the invited of the call, asks for wishes, opens the task to
match, repeats it, and deletes what nobody confirmed.

Every act is idempotent, by the keys of its items and its task: an activity whose worker died is run again, and nobody
is mailed twice. Returns counts and dates only, for they pass through Temporal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.launch import Forget
from activities.messages import GATHER, CohortQuestion, Gathered
from activities.wake_postmasters import Wake, wake_in_time
from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from lifecycle.gathering import CALLS, MATCH, PUBLISH, Moment, call_number
from lifecycle.keys import application_item_key, task_item_key, task_key
from lifecycle.local_time import begun_everywhere
from store.cohorts import calls
from store.cohorts.calls import Call
from store.database import Database
from store.mentorships import tasks
from store.people import applications, people
from store.people.applications import Application
from store.postbox import Address, post
from store.postbox import Moment as ShardMoment
from store.shards import soonest

PAGE = 200
"""Mails that are put into postboxes in one transaction."""


class Gatherer:
    """Carries out the gathering of cohorts."""

    def __init__(self, database: Database, wake: Wake, forget: Forget, shards: int = 1) -> None:
        self.database = database
        self.wake = wake
        self.forget = forget
        self.shards = shards

    @activity.defn(name=GATHER)
    async def gather(self, question: CohortQuestion) -> Gathered:
        """Do everything that has fallen due by now, and say what comes next."""
        now = question.now
        async with self.database.session() as session:
            call = await calls.find(session, question.cohort)
        if call is None or call.state != "running":
            return Gathered("over")
        moments: list[ShardMoment] = []
        for moment in call.gathering.due(now):
            moments += await self._happen(call, moment, now)
        if moments:
            await self._wake(moments, now)
        await self.forget(self.database, question.cohort, now)
        async with self.database.session() as session:
            counts = await calls.counts(session, question.cohort)
        following = [one for one in call.gathering.moments() if one.at > now and not call.gathering.published]
        return Gathered(
            stage=call.stage(now),
            next_at=following[0].at if following else None,
            next_name=following[0].name if following else "",
            counts={f"{state} {role}".strip(): count for (state, role), count in sorted(counts.items())},
        )

    async def _happen(self, call: Call, moment: Moment, now: datetime) -> list[ShardMoment]:
        if moment.name in CALLS:
            return await self._tell_invited(call, moment, now)
        match moment.name:
            case "close":
                async with self.database.begin() as session:
                    await applications.drop_waiting(session, call.cohort, applications.INVITED, now)
                return []
            case "ask_wishes":
                return await self._ask_wishes(call, now)
            case "match":
                async with self.database.begin() as session:
                    await applications.drop_waiting(session, call.cohort, applications.WISHES, now)
                return await self._task(call, moment, now)
            case _:
                return await self._task(call, moment, now)

    async def _tell_invited(self, call: Call, moment: Moment, now: datetime) -> list[ShardMoment]:
        """The opening, a reminder or the last call, to those who have not applied. A first mail is no reminder."""
        async with self.database.session() as session:
            waiting = await applications.of_cohort(session, call.cohort, ("invited",))
            told = await applications.told_at(session, call.cohort, applications.INVITED)
        numbered = ((each, call_number(moment, told.get(each.id, {}))) for each in waiting)
        due = [(each, number) for each, number in numbered if number is not None]
        return await self._post(call, applications.INVITED, due, now)

    async def _ask_wishes(self, call: Call, now: datetime) -> list[ShardMoment]:
        if call.stage(now) != "wishing":
            return []
        async with self.database.session() as session:
            confirmed = await applications.of_cohort(session, call.cohort, ("confirmed",))
            told = await applications.told_at(session, call.cohort, applications.WISHES)
        return await self._post(call, applications.WISHES, [(one, 1) for one in confirmed if one.id not in told], now)

    async def _post(
        self, call: Call, name: str, due: Sequence[tuple[Application, int]], now: datetime
    ) -> list[ShardMoment]:
        moments: list[ShardMoment] = []
        for first in range(0, len(due), PAGE):
            posts = [
                Post(
                    key=application_item_key(call.cohort, each.id, name, number),
                    person=each.person,
                    kind="notice",
                    name=name,
                    number=number,
                    date=begun_everywhere(now),
                    about=each.id,
                )
                for each, number in due[first : first + PAGE]
                if each.standing == "active"
            ]
            async with self.database.begin() as session:
                moments += await post(session, self._address(call, now), posts, Standstill())
        return moments

    async def _task(self, call: Call, moment: Moment, now: datetime) -> list[ShardMoment]:
        """The task `match`: opened once all answers can be in, repeated on its due date, then to the deputies."""
        key = task_key(call.cohort, "", MATCH, 1)
        name = {"match": "task_opened", "match_repeated": "task_repeated", "match_to_deputy": "task_to_deputy"}
        async with self.database.begin() as session:
            if moment.name == "match":
                reason = await _reason(session, call)
                today, due = call.gathering.today(now), call.gathering.match_due
                await tasks.open_of_cohort(session, call.cohort, key, MATCH, reason, (PUBLISH,), due, now, today)
            elif not await tasks.is_open(session, key):
                return []
            deciders = await people.deciders(session, call.cohort)
            told = [each.id for each in deciders if moment.name == "match_to_deputy" or each.role == "coordinator"]
            posts = [
                Post(
                    key=task_item_key(key, person, name[moment.name]),
                    person=person,
                    kind="notice",
                    name=name[moment.name],
                    number=1,
                    date=moment.on,
                    task=key,
                )
                for person in told
            ]
            return await post(session, self._address(call, now), posts, Standstill())

    def _address(self, call: Call, now: datetime) -> Address:
        return Address(call.cohort, "", now, call.rule, self.shards)

    async def _wake(self, moments: Sequence[ShardMoment], now: datetime) -> None:
        await wake_in_time(self.database, soonest(moments), now, self.wake)


async def _reason(session: AsyncSession, call: Call) -> str:
    """Why coordinators have to act, in numbers."""
    counts = await calls.counts(session, call.cohort)
    confirmed = {role: count for (state, role), count in counts.items() if state == "confirmed"}
    waiting = sum(count for (state, _), count in counts.items() if state == "waiting")
    parts = ", ".join(f"{count} {role}" for role, count in sorted(confirmed.items())) or "nobody"
    more = f" On the waiting list: {waiting}." if waiting else ""
    return f"The call has closed. Applied and confirmed: {parts}.{more} Match them, and publish the pairs."
