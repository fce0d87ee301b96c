"""A cohort is put down once: the same file twice changes nothing, a broken launch is finished (lifecycle 9)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from program.models import Mentorship, Program
from store.cohorts.cohorts import StartingMember, UnknownCohort, mark_running, mentorship, planned
from store.database import Database
from store.programs import UnknownProgram, freeze_program, frozen_program
from store.tables import CohortPersonRow, CohortRow, MembershipRow, MentorshipRow, ParticipantRow, ProgramRow
from testing.cohorts.small_cohort import COHORT, FORMS, GROUP, LAUNCH, PAIR, PEOPLE, PROGRAM, START, cohort, launched


async def count(database: Database, entity: type[Any]) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(entity)) or 0


async def sizes(database: Database) -> list[int]:
    entities = (ProgramRow, CohortRow, CohortPersonRow, ParticipantRow, MentorshipRow, MembershipRow)
    return [await count(database, entity) for entity in entities]


async def test_a_cohort_is_put_down_with_everything_it_names(database: Database) -> None:
    found = await launched(database)
    assert (found.new, found.known) == ((PAIR.key, GROUP.key), 0)
    assert await sizes(database) == [1, 1, 2, 6, 2, 5]
    async with database.session() as session:
        pair = await session.get_one(MentorshipRow, (COHORT, PAIR.key))
        late = await session.get_one(MentorshipRow, (COHORT, GROUP.key))
        ben = await session.get_one(ParticipantRow, "ben")
        ada = await session.get_one(ParticipantRow, "ada")
    assert (pair.start, pair.midpoint, pair.end) == (START, date(2026, 6, 22), date(2026, 9, 21))
    assert (pair.state, pair.turn, pair.launched_on) == ("planned", 0, LAUNCH.date())
    assert late.start == date(2026, 4, 6), "a late joiner's own start"
    assert (ben.zone, ada.zone) == ("America/New_York", "Europe/Paris"), "the cohort's zone where none is written"
    assert ada.profile == {"title": "Engineer"}


async def test_the_same_cohort_twice_changes_nothing(database: Database) -> None:
    await launched(database)
    before = await sizes(database)
    again = await launched(database)
    assert (again.new, again.known) == ((), 2)
    assert await sizes(database) == before


async def test_a_launch_that_broke_off_is_finished_by_running_it_again(database: Database) -> None:
    half = cohort(mentorships=(PAIR,))
    await launched(database, half, page=1)
    async with database.begin() as session:
        await mark_running(session, COHORT, [PAIR.key])
    found = await launched(database, page=1)
    assert (found.new, found.known) == ((GROUP.key,), 1)
    async with database.session() as session:
        assert [row.key for row in await planned(session, COHORT)] == [GROUP.key]


async def test_a_known_person_may_take_part_in_another_cohort(database: Database) -> None:
    await launched(database)
    upper = PEOPLE[0].model_copy(update={"email": "ADA@example.org"})
    found = await launched(database, cohort(cohort="autumn", participants=(upper, *PEOPLE[1:])))
    assert found.new == (PAIR.key, GROUP.key)
    assert await count(database, ParticipantRow) == 6


async def test_a_planned_mentorship_is_read_back_for_its_workflow(database: Database) -> None:
    await launched(database)
    async with database.session() as session:
        pair = await mentorship(session, COHORT, PAIR.key)
    assert pair.members == (
        StartingMember("ada", "mentor", "Europe/Paris"),
        StartingMember("ben", "mentee", "America/New_York"),
    )
    assert (pair.zone, pair.start, pair.launched_on) == ("Europe/Paris", START, LAUNCH.date())
    assert (pair.coordinators, pair.deputies, pair.holidays) == (("casey",), ("dana",), (date(2026, 4, 6),))


async def test_planned_mentorships_come_in_pages_until_they_run(database: Database) -> None:
    many = tuple(Mentorship(key=f"m{n:02}", mentor="ada", mentees=("ben",)) for n in range(7))
    await launched(database, cohort(mentorships=many))
    seen: list[str] = []
    async with database.session() as session:
        while page := await planned(session, COHORT, after=seen[-1] if seen else "", limit=3):
            seen += [row.key for row in page]
    assert seen == [f"m{n:02}" for n in range(7)]
    async with database.begin() as session:
        await mark_running(session, COHORT, seen[:5])
    async with database.session() as session:
        assert [row.key for row in await planned(session, COHORT)] == ["m05", "m06"]


async def test_a_program_is_frozen_with_its_forms_and_comes_back_the_same(database: Database) -> None:
    longer = PROGRAM.model_copy(update={"length": 91})
    async with database.begin() as session:
        first = await freeze_program(session, PROGRAM, FORMS, LAUNCH)
        again = await freeze_program(session, PROGRAM, FORMS, LAUNCH + timedelta(days=1))
        other = await freeze_program(session, longer, FORMS, LAUNCH)
    assert first.hash == again.hash != other.hash
    assert await count(database, ProgramRow) == 2
    async with database.session() as session:
        found = await frozen_program(session, "formal", other.hash)
        assert found.program == longer
        assert found.form_for("check_in") == FORMS["check_in"]
        assert await frozen_program(session, "formal", other.hash) is found, "parsed once"


async def test_a_program_written_out_in_full_survives_freezing(sqlite_url: str) -> None:
    written = Program.model_validate(
        {
            "program": "p",
            "title": "P",
            "length": "12w",
            "letterbox": {"opens": "08:30", "closes": "17:00", "days": ["tue"]},
            "phases": {"check_ins": None, "closure": {"winding_down": ["end - 3d"], "follow_up": None}},
        }
    )
    async with Database.open(sqlite_url) as database:
        async with database.begin() as session:
            frozen = await freeze_program(session, written, {}, LAUNCH)
        async with database.session() as session:
            assert (await frozen_program(session, "p", frozen.hash)).program == written


async def test_what_is_not_there_is_said_plainly(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(UnknownCohort, match="no cohort 'winter' was launched"):
            await planned(session, "winter")
        with pytest.raises(UnknownProgram, match="'formal' with the hash 'none'"):
            await frozen_program(session, "formal", "none")
    await launched(database)
    async with database.session() as session:
        with pytest.raises(UnknownCohort, match="no mentorship 'elsewhere'"):
            await mentorship(session, COHORT, "elsewhere")
