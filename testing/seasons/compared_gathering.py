"""A seeded open call, lived on the real engine and rehearsed: the two ledgers, to be compared.

The people are known to the database before they apply, so that both sides call them by the same ids.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType

from demo.applicants import ApplicantCrowd
from lifecycle.local_time import instant
from operations.audit import COMMAND_LINE
from operations.cohorts.simulated_applicants import call_in, everybody, open_call_of, with_applicants
from operations.matching.publish import draft, publish
from program.gathering import Wishes
from program.loader import Loaded
from rehearsal.applicants import ApplicantActs, SimulatedApplicant
from rehearsal.behaviour import Behaviour
from rehearsal.ledger import ledger
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from store.cohorts import calls
from store.people import applications
from testing.environments.engine import Engine, run_engine, time_skipping
from testing.environments.open_call import loaded_call
from workflows.ids import cohort_id

LAUNCHED, LAUNCHED_AT = timedelta(days=1), time(10, 0)
"""The call is launched so long before it opens, at this time of the day in the cohort's zone."""
AFTER_PUBLISHING = timedelta(days=4)
"""So long both are played after the pairs are published: their invitations have gone out."""
START = date(2027, 3, 1)
"""So near that the invitations go out as soon as the pairs are published."""
COUNT = 12

BEHAVIOUR = Behaviour.model_validate(
    {
        "mix": {"prompt": "50%", "busy": "40%", "silent": "10%"},
        "profiles": {"prompt": {"answers": 1, "withdraws": 0.15}},
        "people": {
            "a001": {"apply": {"after": 2}, "apply#2": {"after": 5}, "wish": {"after": 1}},
            "a002": {"apply": {"after": 3}, "confirm": "never"},
            "a003": {"apply": {"after": 1}, "withdraw": {"after": 2}},
            "a004": {"apply": {"after": 25}},
        },
    }
)
"""Some apply twice, some never confirm, some withdraw, one comes after the close."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What happened, and what was rehearsed."""

    happened: dict[str, Any]
    rehearsed: dict[str, Any]
    season: RehearsedSeason
    applied: int
    withdrawn: int


class GatheringEngine(Engine):
    """An engine whose cohort gathers: its moments are looked at, and its people read what they are sent."""

    applying: ApplicantCrowd
    published: datetime | None = None

    async def read_mail(self) -> None:
        """Applicants read their mail, too."""
        fresh = self.sink.received[self.read :]
        for mail in fresh:
            await self.applying.read(mail.recipient, mail.raw)
        await super().read_mail()

    async def next_moment(self) -> datetime | None:
        """The next moment of the engine, or of the call."""
        moments = [moment.at for moment in self.applying.call.gathering.moments() if moment.at > self.now]
        other = await super().next_moment()
        return min([*moments, *([other] if other else [])], default=None)

    async def move_to(self, moment: datetime) -> None:
        """Let virtual time pass; at a moment of the call, until its workflow has done what is due."""
        await super().move_to(moment)
        if self.published is None and moment in {each.at for each in self.applying.call.gathering.moments()}:
            await self._gathered(moment)

    async def _gathered(self, moment: datetime) -> None:
        """Wait until the cohort's workflow sleeps again since this moment (UTC)."""
        handle = self.client.get_workflow_handle(cohort_id(self.cohort))
        for _ in range(600):
            history = await handle.fetch_history()
            slept = [
                event.event_time.ToDatetime(tzinfo=moment.tzinfo)
                for event in history.events
                if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
            ]
            if slept and slept[-1] >= moment:
                await self.settle()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the cohort has not done what is due at {moment}")

    async def publish(self, by: str) -> None:
        """A coordinator publishes the best pairs."""
        made = await draft(self.database, self.cohort)
        await publish(self.database, self.client, self.settings, made, self.now, by=by, proof=COMMAND_LINE)
        self.published = self.now
        await self._wait_for_mentorships()

    async def _wait_for_mentorships(self) -> None:
        """The signal has reached the cohort, and its mentorships have begun."""
        for _ in range(600):
            async with self.database.session() as session:
                if not await calls.is_gathering(session, self.cohort) and not await self.unrest():
                    return
            await asyncio.sleep(0.05)


async def compare_gathering(database_url: str, seed: int) -> Compared:
    """Live and rehearse the same call."""
    file = loaded_call(Wishes())
    file = replace(file, cohort=file.cohort.model_copy(update={"start": START}))
    call = call_in(file)
    assert call is not None, "the file has a call"
    people = everybody(call, file.cohort, None, COUNT, seed)
    ids = [each.id for each in people]
    launched_at = instant(call.gathering.opens - LAUNCHED, LAUNCHED_AT, call.zone)
    async with (
        time_skipping() as env,
        run_engine(env, database_url, file, BEHAVIOUR, seed=seed, kind=GatheringEngine) as engine,
    ):
        acts = ApplicantActs(BEHAVIOUR, ids, seed)
        engine.applying = ApplicantCrowd(
            call, people, acts, engine.database, engine.visitor, lambda: engine.now, engine.at
        )
        engine.crowd = replace(
            engine.crowd, applicants=ids, known_as=engine.applying.known_as, publish=engine.publish
        )
        await _make_known(engine, people)
        await engine.move_to(launched_at)
        await engine.launch()
        engine.applying.begin()
        season = rehearsed(file, people, launched_at, seed)
        assert season.gathering is not None, "the season has a call"
        assert season.gathering.published_on is not None, "the pairs are published"
        until = instant(season.gathering.published_on + AFTER_PUBLISHING, LAUNCHED_AT, call.zone)
        await engine.play(until)
        happened = await engine.ledger()
        names = {application: id_ for id_, application in engine.applying.application_of.items()}
        return Compared(
            _until(_with_ids(happened, names), until), _until(ledger(season), until), season,
            len(engine.applying.sent), len(engine.applying.withdrawn),
        )  # fmt: skip


async def _make_known(engine: Engine, people: list[SimulatedApplicant]) -> None:
    async with engine.database.begin() as session:
        for each in people:
            await applications.add_person(session, each.id, each.name, each.email, each.zone, "en")


def rehearsed(file: Loaded, people: list[SimulatedApplicant], launched_at: datetime, seed: int) -> RehearsedSeason:
    """The same call, rehearsed."""
    call = call_in(file)
    assert call is not None, "the file has a call"
    season = RehearsedSeason(
        with_applicants(file.cohort, people),
        file.programs,
        file.forms,
        BEHAVIOUR,
        launched_at=launched_at,
        script=change_happens,
        seed=seed,
        call=open_call_of(call, people, ()),
    )
    return season.play()


def _with_ids(happened: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The ledger with the ids of the simulated people in the keys of what applications are told."""
    for line in [item for mail in happened["mails"] for item in mail["items"]] + happened["dropped"]:
        for application, id_ in names.items():
            line["key"] = line["key"].replace(f"/call/{application}/", f"/call/{id_}/")
    for mail in happened["mails"]:
        mail["items"].sort(key=lambda item: item["key"])
    return happened


def _until(whole: dict[str, Any], until: datetime) -> dict[str, Any]:
    """What both have seen: mails, tasks of the call, and what was dropped, up to a moment (UTC). In UTC: the zone of
    a person goes with the application that is deleted."""
    mails = [mail | {"at": datetime.fromisoformat(mail["at"]).astimezone(UTC)} for mail in whole["mails"]]
    before = [mail for mail in mails if mail["at"] < until]
    return {
        "mails": sorted(before, key=lambda mail: (mail["at"], mail["person"], mail["items"][0]["key"])),
        "tasks": [task for task in whole["tasks"] if task["kind"] == "match"],
        "dropped": [line["key"] for line in whole["dropped"] if datetime.fromisoformat(line["at"]) < until],
    }
