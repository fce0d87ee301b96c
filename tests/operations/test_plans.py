"""An act that was chosen, shown and confirmed is given to exactly what was shown, once, whatever happens then."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from temporalio.client import Client

from lifecycle import events
from lifecycle.keys import MentorshipRef
from operations import audit, plans
from operations.audit import AuditFilters
from operations.errors import Refused
from operations.plan_runner import CHANGED, PlanRunner
from operations.plans import Choice
from program.models import Mentorship
from runtime.settings import Settings
from store import plans as stored
from store.database import Database
from store.operations_log import put_operation
from testing.cohorts.small_cohort import CASEY, LAUNCH, PEOPLE, PROGRAM, cohort, frozen, launched
from testing.depth import DEEP
from testing.environments.core_client import CoreClient

SECRET = "a secret of the tests that is long enough"
CASES = 1000 if DEEP else 250
"""Plans that are carried out while others change the same mentorships."""
PROOF = "mailed_link"


class PlanEnv:
    """A cohort of pairs that run in this process, and a coordinator who acts on them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = Settings(secret=SECRET, _env_file=None)  # pyright: ignore[reportCallIssue]
        self.client = CoreClient(database, LAUNCH)
        self.now = LAUNCH
        self.refs: list[MentorshipRef] = []

    async def launch(self, name: str, pairs: int) -> list[MentorshipRef]:
        """Put down a cohort of so many pairs of the same two people, and let it run."""
        mentorships = tuple(
            Mentorship(key=f"m{n}", mentor="ada", mentees=(("ben", "cleo", "dan")[n % 3],)) for n in range(pairs)
        )
        which = cohort(cohort=name, mentorships=mentorships, participants=PEOPLE)
        await launched(self.database, which)
        self.refs = await self.client.run(which, {"formal": PROGRAM})
        return self.refs

    @property
    def runner(self) -> PlanRunner:
        """A web process that has just started."""
        return PlanRunner(self.database, self.settings, cast(Client, self.client), lambda: self.now)

    async def freeze(self, act: str, refs: list[MentorshipRef], by: str = CASEY.id, **options: str) -> plans.Plan:
        """Choose an act."""
        choice = Choice(act, options, refs, cohort=refs[0][0])
        return await plans.freeze(self.database, self.settings, choice, self.now, by=by, proof=PROOF)

    async def confirm(self, plan: plans.Plan) -> bool:
        """Confirm it."""
        return await plans.confirm(self.database, plan, self.now, by=plan.by, proof=PROOF)

    async def lines(self, plan: plans.Plan) -> dict[MentorshipRef, plans.PlanLine]:
        """Its lines, by mentorship."""
        found = await plans.result_lines(self.database, plan, most=100_000)
        return {(line.cohort, line.mentorship): line for line in found}

    async def change(self, ref: MentorshipRef, id_: str, weeks: int = 1, *, late: bool = False) -> None:
        """Somebody else changes a mentorship; `late`: SQL does not know it yet."""
        event = events.Extend(id_, weeks, "dana")
        async with self.database.begin() as session:
            await put_operation(session, id_, "extend", *ref, {}, "dana", "", self.now)
        assert not self.client.take(ref, event)
        if not late:
            await self.client.write([ref])


@pytest.fixture
async def plan_env(new_sqlite: Any) -> Any:
    """A cohort of pairs on SQLite."""
    async with Database.open(new_sqlite()) as database:
        await frozen(database)
        yield PlanEnv(database)


@pytest.fixture
async def both(database: Database) -> PlanEnv:
    """A cohort of pairs on either database."""
    await frozen(database)
    return PlanEnv(database)


async def test_what_is_acted_on_is_what_was_shown_under_concurrent_changes(plan_env: PlanEnv) -> None:
    chance = random.Random(14)
    refs = await plan_env.launch("many", 6)
    for case in range(CASES):
        chosen = chance.sample(refs, chance.randint(1, 4))
        before = chance.sample(refs, chance.randint(0, 1))
        for nth, ref in enumerate(before):
            await plan_env.change(ref, f"before/{case}/{nth}", late=chance.random() < 0.3)
        act, options = chance.choice([("extend", {"weeks": "1"}), ("pause", {"until": "3w"}), ("nudge", {})])
        plan = await plan_env.freeze(act, chosen, again="yes", **options)
        shown = await plan_env.lines(plan)
        assert set(shown) == set(chosen)
        seen = {ref: plan_env.client.states[f"mentorship/{ref[0]}/{ref[1]}"].changes for ref in chosen}
        between = {ref for ref in chosen if chance.random() < 0.25}
        for ref in between:
            await plan_env.change(ref, f"between/{case}/{ref[1]}", late=chance.random() < 0.5)
        assert await plan_env.confirm(plan)
        await asyncio.gather(*(runner.run(plan.id) for runner in (plan_env.runner, plan_env.runner)))
        assert not await plan_env.confirm(plan)
        await plan_env.runner.run(plan.id)
        done = await plan_env.lines(plan)
        acted = {ref for ref in refs if shown.get(ref) and shown[ref].operation in plan_env.client.taken[ref]}
        assert acted == {ref for ref, line in done.items() if line.outcome == "done"}
        stale = {ref for ref in chosen if str(seen[ref]) != shown[ref].based_on}
        assert {ref for ref, line in done.items() if line.outcome == "refused"} >= between | stale
        assert not acted & (between | stale)
        assert {line.outcome for line in done.values()} <= {"done", "refused"}
        operations = {line.operation for line in shown.values()}
        others = {ref: ids for ref, ids in plan_env.client.taken.items() if ref not in acted}
        assert not any(operations & set(ids) for ids in others.values())
        assert all(plan_env.client.taken[ref].count(shown[ref].operation) == 1 for ref in acted)
        for ref in chosen:
            if act == "pause" and ref in acted:
                assert not plan_env.client.take(ref, events.Resume(f"resume/{case}/{ref[1]}", "dana"))
        await plan_env.client.write([*chosen, *before])


async def test_one_that_has_changed_is_refused_with_who_and_when_and_the_others_go_on(both: PlanEnv) -> None:
    first, second, third = await both.launch("spring", 3)
    plan = await both.freeze("extend", [first, second, third], weeks="4")
    both.now += timedelta(minutes=14)
    await both.change(second, "dana/1", late=True)
    seen = await plans.see(both.database, both.settings, cast(Client, both.client), plan, both.now)
    assert [one.changed["by"] if one.changed else "" for one in seen.lines] == ["", "dana", ""]
    await both.confirm(plan)
    await both.runner.run(plan.id)
    lines = await both.lines(plan)
    assert [lines[ref].outcome for ref in (first, second, third)] == ["done", "refused", "done"]
    assert lines[second].reason == CHANGED
    assert lines[second].changed == {"by": "dana", "at": both.now.isoformat(), "what": "extend"}
    rows, _ = await audit.look(both.database, AuditFilters(plan=plan.id))
    assert [(row.what, row.by, row.proof, row.count) for row in rows] == [("extend", "casey", PROOF, 3)]


async def test_where_temporal_is_away_nothing_is_done_and_it_can_be_given_again(both: PlanEnv) -> None:
    refs = await both.launch("spring", 6)
    plan = await both.freeze("extend", refs, weeks="4")
    await both.confirm(plan)
    both.client.last_of = 2
    await both.runner.run(plan.id)
    half = await plans.progress(both.database, await plans.known_plan(both.database, plan.id))
    assert half.outcomes == {"done": 2, "not_reached": 4}
    assert half.plan.state == "done"
    both.client.away, both.client.last_of = False, None
    assert await plans.again(both.database, plan, both.now, by=plan.by, proof=PROOF)
    assert not await plans.again(both.database, plan, both.now, by=plan.by, proof=PROOF)
    await both.runner.run(plan.id)
    assert {line.outcome for line in (await both.lines(plan)).values()} == {"done"}
    assert all(len(ids) == 1 for ids in both.client.taken.values())


async def test_ten_thousand_go_on_in_another_process_and_nothing_is_given_twice(
    plan_env: PlanEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = await plan_env.launch("large", 300)
    plan = await plan_env.freeze("extend", refs, weeks="2")
    await plan_env.confirm(plan)
    died, started = plan_env.runner, asyncio.Event()
    real = stored.finish_lines

    async def slow(*given: Any) -> None:
        await real(*given)
        started.set()

    monkeypatch.setattr(stored, "finish_lines", slow)
    running = died.start(plan.id)
    await started.wait()
    await died.stop()
    assert running.done()
    assert (await plans.known_plan(plan_env.database, plan.id)).state == "given"
    another = plan_env.runner
    forever = asyncio.create_task(another.run_forever())
    async with asyncio.timeout(60):
        while (await plans.known_plan(plan_env.database, plan.id)).state != "done":
            await asyncio.sleep(0.02)
    forever.cancel()
    assert {line.outcome for line in (await plan_env.lines(plan)).values()} == {"done"}
    assert all(len(ids) == 1 for ids in plan_env.client.taken.values())


async def test_a_plan_lapses_belongs_to_who_made_it_and_the_same_form_twice_is_one(both: PlanEnv) -> None:
    refs = await both.launch("spring", 2)
    choice = Choice("extend", {"weeks": "4"}, refs, cohort="spring", submission="12345678")
    made = [
        await plans.freeze(both.database, both.settings, choice, both.now, by="casey", proof=PROOF) for _ in range(2)
    ]
    assert made[0].id == made[1].id
    because = replace(choice, why="they asked for it")
    other = await plans.freeze(both.database, both.settings, because, both.now, by="casey", proof=PROOF)
    assert other.why == "they asked for it", "the same form with another reason is another plan"
    with pytest.raises(Refused, match="somebody else"):
        await plans.confirm(both.database, made[0], both.now, by="dana", proof=PROOF)
    async with both.database.begin() as session:
        await session.execute(stored.PLANS.update().values(lapses_at=made[0].made_at - timedelta(days=365)))
    with pytest.raises(Refused, match="look again"):
        await both.confirm(made[0])
    assert all(not ids for ids in both.client.taken.values())


@pytest.mark.parametrize(
    ("act", "options", "reason"),
    [
        ("extend", {}, "say weeks"),
        ("extend", {"weeks": "four"}, "no number of whole weeks"),
        ("end", {"reason": "boredom"}, "no reason to end early"),
        ("replace", {"person": "ben"}, "say who takes the seat"),
        ("pause", {"until": "someday"}, "is no date"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_there_is_a_plan(
    plan_env: PlanEnv, act: str, options: dict[str, str], reason: str
) -> None:
    refs = await plan_env.launch("spring", 1)
    with pytest.raises(Refused, match=reason):
        await plan_env.freeze(act, refs, **options)


async def test_a_newcomer_is_named_in_the_plan_only_until_it_is_carried_out(both: PlanEnv) -> None:
    [ref] = await both.launch("spring", 1)
    newcomer = {"name": "Eve Canary", "email": "eve@example.org", "zone": "Europe/Paris"}
    plan = await both.freeze("replace", [ref], person="ben", **newcomer)
    assert plan.options["newcomer"].startswith("p-")
    await both.confirm(plan)
    await both.runner.run(plan.id)
    assert [line.outcome for line in (await both.lines(plan)).values()] == ["done"]
    left = await plans.known_plan(both.database, plan.id)
    assert not {"name", "email"} & set(left.options)


async def test_a_person_is_corrected_and_erased_by_a_plan(both: PlanEnv) -> None:
    await both.launch("spring", 1)
    for act, options in (("correct", {"zone": "Asia/Tokyo"}), ("erase", {})):
        choice = Choice(act, options, subject="ada")
        plan = await plans.freeze(both.database, both.settings, choice, both.now, by="casey", proof=PROOF)
        seen = await plans.see(both.database, both.settings, cast(Client, both.client), plan, both.now)
        assert seen.effect is not None
        await both.confirm(plan)
        await both.runner.run(plan.id)
        [line] = await plans.result_lines(both.database, plan)
        assert line.outcome == "done", line.reason
