"""Carries out plans that were confirmed, in the background of a web process.

Each is claimed by one process at a time and goes on in another when that one dies: what has its outcome is not given
again, and what was given without one is sent under the same id, which a mentorship takes once. Where Temporal is away
the rest is `not_reached`, and nothing of it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from operations.acts import act_of
from operations.cohorts import reword
from operations.cohorts.cancel import cancel, outlook
from operations.errors import NotFound, Refused
from operations.mentorships.change import carry_out
from operations.mentorships.decide import decide
from operations.mentorships.dry_run import state_of
from operations.people import send_link
from operations.people.correct import correct
from operations.people.erase import erase
from operations.plans import STALE, decision_options, details_of, mark, orders_of, rebuilt
from runtime.errors import Unreachable
from runtime.settings import Settings
from runtime.temporal import Teller, Waker
from store import plans
from store.database import Database
from store.plans import Plan, PlanLine

log = structlog.get_logger(__name__)

CHUNK = 100
"""Lines that are given together; their outcomes are stored in one transaction."""
CLAIM = timedelta(seconds=60)
"""Real time after which another process takes up a plan of which nothing was heard."""
EVERY = 10.0
"""Real seconds between two looks for plans that nobody carries out."""
CHANGED = "changed since it was shown"


class PlanRunner:
    """Carries out plans. One in each web process; `run_forever` takes up what another one left."""

    def __init__(
        self, database: Database, settings: Settings, client: Client, clock_now: Callable[[], datetime]
    ) -> None:
        self.database = database
        self.settings = settings
        self.client = client
        self.clock_now = clock_now
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, plan: str) -> asyncio.Task[None]:
        """Carry out a plan in the background; where that has begun here, the task that does."""
        known = self._running.get(plan)
        if known is not None and not known.done():
            return known
        task = asyncio.create_task(self.run(plan), name=f"plan {plan}")
        self._running[plan] = task
        task.add_done_callback(lambda _: self._running.pop(plan, None))
        return task

    async def started(self, plan: str, within: float) -> None:
        """Carry out a plan, and wait so many real seconds for its end; it goes on after that."""
        await asyncio.wait({self.start(plan)}, timeout=within)

    async def run_forever(self) -> None:
        """Take up plans that were confirmed and that nobody carries out, until cancelled."""
        while True:
            with suppress(SQLAlchemyError, OSError):
                async with self.database.session() as session:
                    left = await plans.unclaimed(session, datetime.now(UTC))
                for plan in left:
                    self.start(plan)
            await asyncio.sleep(EVERY)

    async def stop(self) -> None:
        """Stop what runs here; another process, or the next one, goes on."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self, id_: str) -> None:
        """Carry out a plan up to its end, unless another process does."""
        token = token_hex(8)
        if not await self._hold(id_, token):
            return
        try:
            await self._carry_out(id_, token)
        except asyncio.CancelledError:
            async with self.database.begin() as session:
                await plans.let_go(session, id_, token)
            raise
        except Exception as error:
            # What is wrong here is wrong for the next attempt too: the rest can be given again by hand.
            log.error("plan_broke_off", plan=id_, why=type(error).__name__)
            async with self.database.begin() as session:
                await plans.not_reached(session, id_, self.clock_now())
                await plans.finish(session, id_, self.clock_now())

    async def _hold(self, id_: str, token: str) -> bool:
        real_now = datetime.now(UTC)
        async with self.database.begin() as session:
            return await plans.claim(session, id_, token, real_now, real_now + CLAIM)

    async def _carry_out(self, id_: str, token: str) -> None:
        async with self.database.session() as session:
            plan = await plans.find(session, id_)
            todo = await plans.lines(session, id_, outcome="")
        assert plan is not None
        about_mentorships = act_of(plan.act).subject == "mentorship"
        for first in range(0, len(todo), CHUNK):
            if first and not await self._hold(id_, token):
                return
            lines = todo[first : first + CHUNK]
            done = await (self._mentorships(plan, lines) if about_mentorships else self._single(plan, lines[0]))
            away = any(line.outcome == "not_reached" for line in done)
            async with self.database.begin() as session:
                await plans.finish_lines(session, id_, done)
                if away:
                    await plans.not_reached(session, id_, self.clock_now())
            if away:
                break
        async with self.database.begin() as session:
            await plans.finish(session, id_, self.clock_now())

    # -- mentorships ---------------------------------------------------------------------------------------------

    async def _mentorships(self, plan: Plan, lines: Sequence[PlanLine]) -> list[PlanLine]:
        now = self.clock_now()
        try:
            change = await rebuilt(self.database, self.settings, plan, lines)
            given = await orders_of(self.database, plan, change, lines)
        except (Refused, NotFound) as refused:
            return [replace(line, outcome="refused", reason=str(refused), at=now) for line in lines]
        outcomes = await carry_out(self.database, self.client, given, now, why=plan.why)
        now = self.clock_now()
        done = [
            replace(line, outcome=outcome.outcome, reason=outcome.reason, at=now)
            for line, outcome in zip(lines, outcomes, strict=True)
        ]
        return [await self._with_who(line) for line in done]

    async def _with_who(self, line: PlanLine) -> PlanLine:
        """A line that was refused because its mentorship has changed, with who changed it."""
        if line.outcome != "refused" or not line.reason.startswith(STALE):
            return line
        async with self.database.session() as session:
            changed = await plans.last_change(session, line.cohort, line.mentorship, line.operation)
        return replace(line, reason=CHANGED, changed=changed)

    # -- one task, person or cohort ------------------------------------------------------------------------------

    async def _single(self, plan: Plan, line: PlanLine) -> list[PlanLine]:
        now = self.clock_now()
        try:
            done = await self._act(plan, line, now)
        except (Refused, NotFound) as refused:
            done = replace(line, outcome="refused", reason=str(refused))
            if plan.act == "decide":
                async with self.database.session() as session:
                    done = replace(done, changed=await plans.decided_by(session, line.subject))
        except Unreachable as late:
            done = replace(line, outcome="not_reached", reason=str(late))
        except RPCError:
            done = replace(line, outcome="not_reached", reason="Temporal does not answer")
        return [replace(done, at=self.clock_now())]

    async def _act(self, plan: Plan, line: PlanLine, now: datetime) -> PlanLine:
        subject, how = line.subject, {"by": plan.by, "signed_in": True}
        done, before = replace(line, outcome="done"), replace(line, outcome="done_before")
        tell, why = Teller(self.client), plan.why
        match plan.act:
            case "decide":
                return await self._decide(plan, line, now)
            case "correct":
                seen = await correct(self.database, subject, details_of(plan), now, **how, dry_run=True)
                if not seen.changed:
                    return before
                if mark(seen) != line.based_on:
                    return replace(line, outcome="refused", reason=CHANGED)
                await correct(
                    self.database, subject, details_of(plan), now, **how, why=why, tell=tell, wake=self._wake
                )
            case "erase":
                gone = await erase(self.database, subject, now, **how, dry_run=True)
                if gone.before:
                    return before
                if mark(gone) != line.based_on:
                    return replace(line, outcome="refused", reason=CHANGED)
                await erase(self.database, subject, now, **how, why=why, tell=tell)
            case "cancel-cohort":
                stopped = await outlook(self.database, subject)
                if stopped.state == "cancelled":
                    return before
                if mark(stopped) != line.based_on:
                    return replace(line, outcome="refused", reason=CHANGED)
                shards = self.settings.shards
                await cancel(self.database, subject, now, **how, why=why, shards=shards, wake=self._wake)
            case "send-link":
                link = await send_link.outlook(self.database, subject)
                if link.waits:
                    return before
                if mark(link) != line.based_on:
                    return replace(line, outcome="refused", reason=CHANGED)
                shards = self.settings.shards
                await send_link.send_link(self.database, subject, now, **how, why=why, shards=shards, wake=self._wake)
            case "reword":
                other = await reword.outlook(self.database, self.settings, subject, int(plan.options["version"]))
                if other.nothing:
                    return before
                if mark(other) != line.based_on:
                    return replace(line, outcome="refused", reason=CHANGED)
                await reword.reword(self.database, other, now, **how, why=why)
            case _:
                raise NotFound(f"there is no act {plan.act!r}")
        return done

    async def _decide(self, plan: Plan, line: PlanLine, now: datetime) -> PlanLine:
        async with self.database.session() as session:
            decided = await plans.decided_by(session, line.subject)
        if not decided and line.based_on:
            state = await state_of(self.client, line.cohort, line.mentorship)
            if state is not None and str(state.changes) != line.based_on:
                async with self.database.session() as session:
                    changed = await plans.last_change(session, line.cohort, line.mentorship)
                return replace(line, outcome="refused", reason=CHANGED, changed=changed)
        taken = await decide(
            self.database, self.client, line.subject, plan.options["decision"], now,
            **decision_options(plan), why=plan.why,
        )  # fmt: skip
        return replace(line, outcome="done_before" if taken.before else "done", changed=decided)

    async def _wake(self, shard: int) -> None:
        # What is recorded is passed on as soon as Temporal is back.
        with suppress(RPCError):
            await Waker(self.client, self.settings)(shard)
