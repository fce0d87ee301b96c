"""Launching is reconciling (lifecycle 9): a cohort's file is compared with what runs; new mentorships start, changes
are shown and done, what has vanished is listed. Launching again finishes what broke off.

What was wanted stays on the record of the cohort until it is done, so an interruption loses nothing: each change has
one id for all time, and the same change given twice is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from temporalio.client import Client

from lifecycle.local_time import local_date
from lifecycle.state import State
from mail.own_templates import OwnTemplates
from operations.applications import open_call
from operations.cohorts.file_changes import FileChange, ending, wanted
from operations.cohorts.late_joiners import Late, late
from operations.errors import Refused
from operations.mentorships.dry_run import foresee, state_of
from operations.mentorships.not_running import LOST, not_there
from operations.people.correct import Details, correct_in, pass_on
from operations.people.deciders import who_decides
from program.loader import Loaded
from runtime.settings import Settings
from runtime.temporal import NoSuchMentorship, RefusedChange, Teller, Waker, foreign, send, start_cohort
from store import operations_log
from store.cohorts import apply_file, cohorts, compare, progress
from store.cohorts.cohorts import FrozenProgram, Put
from store.cohorts.compare import Comparison, Difference, is_known
from store.database import Database
from store.people import people

__all__ = [
    "ChangeResult",
    "Difference",
    "FileChange",
    "Launch",
    "LaunchPreview",
    "carry_out",
    "is_known",
    "keep",
    "launch",
    "look",
    "still_to_start",
]  # fmt: skip

CONCURRENCY = 8
"""Mentorships that are changed at the same time."""


@dataclass(frozen=True, slots=True)
class LaunchPreview:
    """What a change does to one mentorship, worked out by the core that then does it."""

    end_before: date
    end_after: date
    told: tuple[tuple[str, str], ...]
    """(person or coordinator, what they are told) as a consequence, at once or soon."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What launching a file comes to, before anything is done."""

    compared: Comparison
    late: tuple[Late, ...]
    """Of the new ones, those whose start has passed."""
    wanted: tuple[FileChange, ...]
    """Changes of mentorships that run, refused ones among them."""
    ends: tuple[FileChange, ...]
    """Mentorships that vanished from the file and are to end."""
    outlooks: dict[str, LaunchPreview]
    """Key to what changes for it; empty where Temporal was not asked."""
    by: str = ""
    call: bool = False
    """The open call is new, or its file says something else than before."""

    @property
    def possible(self) -> tuple[FileChange, ...]:
        """The changes of mentorships that can be done."""
        return tuple(change for change in (*self.wanted, *self.ends) if change.event and not change.refused)

    @property
    def taken_over(self) -> tuple[Difference, ...]:
        """What is taken over of the cohort and of its people."""
        return tuple(difference for difference in self.compared.differences if not difference.refused)

    @property
    def to_start(self) -> int:
        """How many mentorships start."""
        return len(self.compared.new) + len(self.compared.waiting)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.to_start or self.possible or self.taken_over or self.compared.new_people or self.call)


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What came of one change: `done`, or why it was not."""

    mentorship: str
    what: str
    outcome: str = "done"


async def look(
    database: Database,
    client: Client | None,
    loaded: Loaded,
    now: datetime,
    *,
    end_missing: bool = False,
    by: str = "",
    signed_in: bool = False,
) -> Launch:
    """What launching this file comes to; nothing is written and nothing starts. `now` is program time (UTC).

    `signed_in`: `by` is an account whose right to launch was checked. Without a client what changes mean for each
    mentorship is not worked out. Raises `KnownOtherwise`, and `Refused`
    where the cohort is cancelled, or its id was used by another database.
    """
    cohort = loaded.cohort
    compared = await compare.compare(database, cohort, _frozen(loaded))
    if compared.state == "cancelled":
        raise Refused(f"{cohort.cohort} was cancelled; launch what comes next under another id")
    if client is not None and (compared.new or compared.waiting):
        await _make_sure_it_is_ours(database, client, cohort.cohort, {*compared.new, *compared.waiting})
    zones = {person.id: person.zone or cohort.zone for person in cohort.participants}
    changes = bool(compared.altered or compared.differences or (end_missing and compared.vanished))
    who = await _who(database, cohort.cohort, by, signed_in=signed_in) if by or changes else ""
    changes = [change for altered in compared.altered for change in wanted(cohort.cohort, altered, zones, who)]
    ends = [ending(cohort.cohort, key, who) for key in compared.vanished] if end_missing else []
    outlooks: dict[str, LaunchPreview] = {}
    if client is not None:
        changes, outlooks = await _worked_out(client, cohort.cohort, changes, now)
        ends, more = await _worked_out(client, cohort.cohort, ends, now)
        outlooks |= more
    new = [mentorship for mentorship in cohort.mentorships if mentorship.key in set(compared.new)]
    call = await open_call.differs(database, loaded)
    return Launch(compared, tuple(late(loaded, new, now)), tuple(changes), tuple(ends), outlooks, who, call)


async def launch(database: Database, client: Client, settings: Settings, loaded: Loaded, now: datetime) -> Put:
    """Put down what is new of a cohort and have it started. `now` is program time (UTC).

    What is known stays as it is: see `look` for what a file says otherwise.
    """
    async with database.begin() as session:
        programs = {
            id_: await cohorts.freeze_program(session, used.program, used.forms, now)
            for id_, used in loaded.used.items()
        }
    launched_on = local_date(now, loaded.cohort.zone)
    mails = OwnTemplates.of(loaded.mails)
    put = await cohorts.put(database, loaded.cohort, programs, launched_on, now, mails=mails)
    await open_call.put(database, loaded, now)
    await start_cohort(client, settings, loaded.cohort.cohort)
    return put


async def carry_out(
    database: Database,
    client: Client,
    settings: Settings,
    loaded: Loaded,
    planned: Launch,
    now: datetime,
    *,
    why: str = "",
    started: Callable[[int], Any] | None = None,
) -> list[ChangeResult]:
    """Put down what is new, start it, and change what runs. Launching the same file again finishes what broke off.

    `started` waits until so many mentorships are started; without it, nobody waits. What came of each change of a
    mentorship is returned.
    """
    cohort = loaded.cohort
    await launch(database, client, settings, loaded, now)
    if started is not None and planned.to_start:
        await started(planned.to_start)
    await _take_over(database, client, settings, loaded, planned, now, why)
    results = await _give(database, client, cohort.cohort, planned.possible, now, why)
    await keep(database, loaded, planned, results)
    return results


async def keep(database: Database, loaded: Loaded, planned: Launch, results: Sequence[ChangeResult] = ()) -> None:
    """Keep what the file says, for the next launch to compare with. Also where there was nothing to do: it may say
    by now what had come about otherwise. What was refused is told again."""
    undone = {result.mentorship for result in results if result.outcome != "done"}
    undone |= {change.mentorship for change in planned.wanted if change.refused}
    async with database.begin() as session:
        await apply_file.keep(session, loaded.cohort, _frozen(loaded), planned.compared.differences, undone)


async def still_to_start(database: Database, cohort: str) -> int:
    """How many mentorships of a cohort are put down and not started."""
    async with database.session() as session:
        return (await progress.by_state(session, cohort)).get("planned", 0)


# -- looking -----------------------------------------------------------------------------------------------------


def _frozen(loaded: Loaded) -> dict[str, FrozenProgram]:
    return {id_: FrozenProgram(used.program, used.hash, used.forms) for id_, used in loaded.used.items()}


async def _who(database: Database, cohort: str, by: str, *, signed_in: bool) -> str:
    async with database.session() as session:
        return who_decides(cohort, await people.deciders(session, cohort), by, signed_in=signed_in)


async def _make_sure_it_is_ours(database: Database, client: Client, cohort: str, keys: set[str]) -> None:
    """Refuse to start what Temporal knows from a database that was there before this one."""
    async with database.session() as session:
        launched_at = await progress.launched_at(session, cohort)
    others = [key for key in await foreign(client, cohort, launched_at) if key in keys]
    if others:
        listed = ", ".join(others[:12]) + (", …" if len(others) > 12 else "")
        raise Refused(
            f"Temporal holds mentorships of {cohort} that another database has launched: {listed}.\n"
            "They would be taken for these. Give this cohort another id; or, if the older ones are of no use any "
            "more, end them for good, and launch again:\n"
            f"  temporal workflow delete --query \"Cohort = '{cohort}' AND WorkflowType = 'mentorship'\""
        )


async def _worked_out(
    client: Client, cohort: str, changes: Sequence[FileChange], now: datetime
) -> tuple[list[FileChange], dict[str, LaunchPreview]]:
    """The changes with what the core says of them, and what they do to each mentorship."""
    states: dict[str, State | None] = {}
    concurrency = asyncio.Semaphore(CONCURRENCY)

    async def ask(key: str) -> None:
        async with concurrency:
            states[key] = await state_of(client, cohort, key)

    await asyncio.gather(*(ask(key) for key in {change.mentorship for change in changes if change.event}))
    outlined: list[FileChange] = []
    outlooks: dict[str, LaunchPreview] = {}
    for change in changes:
        state = states.get(change.mentorship)
        # Where an earlier launch broke off, its change may have been taken after the database was read: given again,
        # it is the same change.
        if change.event is None or change.refused or state is None or change.event.id in state.seen:
            outlined.append(change)
            continue
        after, seen = foresee(state, change.event, now)
        if seen.refused:
            outlined.append(replace(change, refused=seen.refused))
            continue
        told = tuple((item.person, item.name) for item in seen.told)
        known = outlooks.get(change.mentorship)
        outlooks[change.mentorship] = LaunchPreview(
            known.end_before if known else seen.end_before, after.end, (*(known.told if known else ()), *told)
        )
        states[change.mentorship] = after
        based = replace(change.event, based_on=seen.based_on)  # pyright: ignore[reportCallIssue]
        outlined.append(replace(change, event=based))
    return outlined, outlooks


# -- doing -------------------------------------------------------------------------------------------------------


async def _take_over(
    database: Database, client: Client, settings: Settings, loaded: Loaded, planned: Launch, now: datetime, why: str
) -> None:
    """What the file says of the cohort and of its people, in one transaction; mentorships hear of it by relay."""
    corrected: dict[str, dict[str, Any]] = {}
    for difference in planned.taken_over:
        if difference.kind == "person":
            corrected.setdefault(difference.id, {})[difference.field] = difference.after
    async with database.begin() as session:
        await apply_file.take_over(session, loaded.cohort, planned.taken_over, now, planned.by, why)
        corrections = [
            await correct_in(session, id_, Details(**fields), now, by=planned.by, why=why)
            for id_, fields in corrected.items()
        ]
    for correction in corrections:
        await pass_on(database, correction, now, tell=Teller(client), wake=Waker(client, settings))


async def _give(
    database: Database, client: Client, cohort: str, changes: Sequence[FileChange], now: datetime, why: str
) -> list[ChangeResult]:
    """Give the changes, in order for each mentorship, several mentorships at a time."""
    concurrency = asyncio.Semaphore(CONCURRENCY)
    by_key: dict[str, list[FileChange]] = {}
    for change in changes:
        by_key.setdefault(change.mentorship, []).append(change)

    async def give(changes_of_one: Sequence[FileChange]) -> list[ChangeResult]:
        async with concurrency:
            results: list[ChangeResult] = []
            for change in changes_of_one:
                results.append(
                    ChangeResult(
                        change.mentorship, change.what, await _one(database, client, cohort, change, now, why)
                    )
                )
                if results[-1].outcome != "done":
                    break
            return results

    done = await asyncio.gather(*(give(changes_of_one) for changes_of_one in by_key.values()))
    return [result for results in done for result in results]


async def _one(database: Database, client: Client, cohort: str, change: FileChange, now: datetime, why: str) -> str:
    """Give one change, with who and why on the record first; `done`, or why not."""
    event = change.event
    assert event is not None
    async with database.begin() as session:
        kind, by = type(event).__name__.lower(), getattr(event, "by", "")
        await operations_log.put_operation(session, event.id, kind, cohort, change.mentorship, {}, by, why, now)
    try:
        outcome = await send(client, cohort, change.mentorship, event)
    except RefusedChange as refused:
        outcome = str(refused)
    except NoSuchMentorship:
        outcome = await not_there(database, cohort, change.mentorship)
        if outcome == LOST:
            return outcome
    async with database.begin() as session:
        result = outcome if outcome == "done" else f"refused: {outcome}"
        await operations_log.finish_operation(session, event.id, result)
    return outcome
