"""Carries out one turn of a mentorship: writes it down in one transaction, reads answers where the turn asks what
they mean, and wakes a postmaster where something is due earlier than that one knows.
"""

from __future__ import annotations

from temporalio import activity

from activities.messages import CARRY_OUT, CarriedOut
from activities.wake_postmasters import PostmasterWaking, Wake
from lifecycle import assessment
from lifecycle.commands import Batch
from lifecycle.events import Assessed
from store.cohorts import cohorts
from store.database import Database
from store.mentorships import turns


class Recorder:
    """Writes one turn of a mentorship to SQL."""

    def __init__(self, database: Database, wake: Wake, shards: int = 1) -> None:
        self.database = database
        self.shards = shards
        self._postmasters = PostmasterWaking(database, wake)

    @activity.defn(name=CARRY_OUT)
    async def carry_out(self, batch: Batch) -> CarriedOut:
        """Apply a batch once, however often it comes, and say what the answers it asks about mean."""
        async with self._postmasters.turn():
            return await self._carry_out(batch)

    async def _carry_out(self, batch: Batch) -> CarriedOut:
        done = CarriedOut()
        async with self.database.begin() as session:
            applied = await turns.apply(session, batch, shards=self.shards)
            done.state = applied.state
            if batch.assess and applied.state is None:
                frozen = await cohorts.frozen_program(session, applied.program, applied.program_hash)
                for ask in batch.assess:
                    given = await turns.read_answers(session, ask)
                    before = await turns.read_answers_so_far(session, ask.before) if ask.before else None
                    findings = assessment.assess(
                        ask.ask,
                        given,
                        frozen.program.rules,
                        frozen.program.format,
                        [(person, role) for _, person, role in ask.requests],
                        before,
                    )
                    done.assessed.append(Assessed(f"assessed/{ask.step}", ask.ask, ask.number, findings))
        if applied.earliest:
            # After the commit: a postmaster that is about to sleep sees the item, or we see when it wakes.
            await self._postmasters.wake(applied.earliest, batch.now)
        return done
