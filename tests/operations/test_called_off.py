"""A cohort that is cancelled before it has somebody for its applicants tells them, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select, text, update

from activities.letters.fill_letters import LetterWriter, PlannedLetter
from mail.compose import compose
from mail.letters import Letter
from operations.applications.apply import KEPT, LAPSES
from operations.applications.forget_applications import forget_forever, forget_where_nothing_runs
from operations.audit import COMMAND_LINE
from operations.cohorts.cancel import cancel, outlook
from operations.matching.publish import draft
from runtime.links import Links
from store.cohorts import calls
from store.database import Database
from store.delivery.due import Item
from store.mentorships import tasks
from store.people import applications
from store.tables import CohortRow, ItemRow, ParticipantRow, TaskRow
from testing.environments.open_call import CLOSED, COHORT, OPEN, launch_call, loaded_call
from tests.operations.test_publish import MENTEES, MENTORS, SETTINGS, apply_as, published

CALLED_OFF = "application_cancelled"
WHY = "The department moves in autumn."


async def told(database: Database) -> dict[str, list[tuple[str, str]]]:
    """Name of the mail about a cancelled cohort to its people, with the state of the item."""
    async with database.session() as session:
        rows = await session.execute(
            select(ItemRow.name, ItemRow.person, ItemRow.state).where(ItemRow.name.in_((CALLED_OFF, "cancelled")))
        )
    found: dict[str, list[tuple[str, str]]] = {}
    for name, person, state in rows:
        found.setdefault(name, []).append((person, state))
    return found


async def letter_about(database: Database, person: str) -> Letter:
    """The letter that tells somebody."""
    links = Links((SETTINGS.secrets[0],), "https://mentoring.example.org")
    writer = LetterWriter(links, "mentoring@example.org", secret="x" * 40)
    async with database.session() as session:
        row = (
            await session.scalars(select(ItemRow).where(ItemRow.person == person, ItemRow.name == CALLED_OFF))
        ).one()
        item = Item(row.key, person, row.kind, row.name, 1, COHORT, "", row.date, row.queued_at, "", "", row.about)
        [letter] = await writer.letters(session, [PlannedLetter("a", person, (item,), OPEN)])
    assert isinstance(letter, Letter), letter
    return letter


async def test_whoever_applied_is_told_once_with_the_reason(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", **MENTORS)
    late = await apply_as(database, "mentee", "late", CLOSED, **MENTEES)
    await apply_as(database, "mentee", "nobody", confirmed=False, **MENTEES)
    day = CLOSED.date()
    async with database.begin() as session:
        await tasks.open_of_cohort(session, COHORT, f"{COHORT}/match", "match", "", ("publish",), day, CLOSED, day)
    seen = await outlook(database, COHORT)
    assert (seen.applicants, {each.id for each in seen.people}) == (2, {mentor, late})
    assert await cancel(database, COHORT, CLOSED, by="coco", why=WHY, proof=COMMAND_LINE)
    assert not await cancel(database, COHORT, CLOSED + timedelta(hours=1), by="coco", why="again", proof=COMMAND_LINE)
    found = await told(database)
    assert found.keys() == {CALLED_OFF}
    assert sorted(found[CALLED_OFF]) == sorted([(mentor, "queued"), (late, "queued")])
    async with database.session() as session:
        task = (await session.scalars(select(TaskRow))).one()
    assert (task.decision, task.why, task.closed_at) == ("cancelled", WHY, CLOSED)
    mail = compose(await letter_about(database, mentor))
    assert f"The reason: {WHY}" in mail.text
    assert "not about your application" in mail.text.replace("\n", " ")


async def test_without_a_reason_none_is_given_and_who_has_an_answer_gets_no_second_one(database: Database) -> None:
    await launch_call(database, loaded_call())
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    await apply_as(database, "mentee", "ella", **MENTEES)
    await apply_as(database, "mentee", "finn", grade="HEO", unit="Legal", wants=[{"tag": "data"}])
    late = await apply_as(database, "mentee", "late", CLOSED, **MENTEES)
    await published(database, await draft(database, COHORT))
    assert await cancel(database, COHORT, CLOSED, by="coco", proof=COMMAND_LINE)
    found = await told(database)
    assert [person for person, _ in found[CALLED_OFF]] == [late]
    assert "The reason" not in compose(await letter_about(database, late)).text


async def test_what_was_published_keeps_the_rules_by_which_it_was_made(database: Database) -> None:
    loaded = loaded_call()
    await launch_call(database, loaded)
    await apply_as(database, "mentor", "mo", **MENTORS)
    await apply_as(database, "mentee", "ella", **MENTEES)
    edited = loaded_call(domains=["example.org"])
    program = edited.used["open-call"].program
    assert program.matching is not None
    matching = program.matching.model_copy(update={"rules": ()})
    changed = program.model_copy(update={"matching": matching})
    assert edited.cohort.apply is not None
    assert edited.application is not None
    values = calls.values_of(edited.cohort.apply, None, edited.application, changed)
    await published(database, await draft(database, COHORT))
    async with database.begin() as session:
        assert await calls.differs(session, COHORT, values), "its domains are others"
        await calls.put(session, COHORT, values)
        kept = await calls.find(session, COHORT)
        assert not await calls.differs(session, COHORT, values)
    assert kept is not None
    assert (kept.terms.domains, kept.gathering.published) == (("example.org",), True)
    assert [rule.kind for rule in kept.matching.rules] == [rule.kind for rule in program.matching.rules]


async def applied(database: Database) -> set[str]:
    """Addresses of those whose applications are there."""
    async with database.session() as session:
        return {each.email for each in await applications.of_cohort(session, COHORT)}


async def test_the_applications_of_a_cancelled_cohort_are_deleted_when_their_time_is_over(database: Database) -> None:
    invited = [f"{name}@example.org" for name in ("mo", "late", "nobody", "never")]
    await launch_call(database, loaded_call(invited=invited))
    mentor = await apply_as(database, "mentor", "mo", **MENTORS)
    await apply_as(database, "mentee", "late", CLOSED, **MENTEES)
    await apply_as(database, "mentee", "nobody", CLOSED, confirmed=False, **MENTEES)
    assert await cancel(database, COHORT, CLOSED, by="coco", proof=COMMAND_LINE)
    before = await applied(database)
    await forget_where_nothing_runs(database, CLOSED + LAPSES)
    assert await applied(database) == before - {"nobody@example.org"}
    await forget_where_nothing_runs(database, CLOSED + KEPT - timedelta(days=1))
    assert await applied(database) == before - {"nobody@example.org"}
    stop = asyncio.Event()

    def late() -> datetime:
        stop.set()
        return CLOSED + KEPT

    await forget_forever(database, late, stop)
    assert await applied(database) == set()
    async with database.session() as session:
        person = await session.get_one(ParticipantRow, mentor)
    assert "mo" not in (person.name, person.email.partition("@")[0]), "they were known by the application only"


async def test_a_cohort_that_runs_is_left_to_its_workflow_and_who_was_matched_keeps_numbers(
    database: Database,
) -> None:
    await launch_call(database, loaded_call())
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    await apply_as(database, "mentee", "ella", **MENTEES)
    await apply_as(database, "mentee", "finn", grade="HEO", unit="Legal", wants=[{"tag": "data"}])
    await published(database, await draft(database, COHORT))
    await forget_where_nothing_runs(database, CLOSED + KEPT)
    assert len(await applied(database)) == 3
    async with database.begin() as session:
        await session.execute(update(CohortRow).values(state="over"))
    await forget_where_nothing_runs(database, CLOSED + KEPT)
    async with database.session() as session:
        kept = await applications.of_cohort(session, COHORT)
    assert {each.email for each in kept} == {"mo@example.org", "ella@example.org"}
    assert all("leading a team" not in repr(each.body) and not each.name for each in kept)
    assert {each.body.get("b_confid") for each in kept if each.role == "mentee"} == {5}


async def test_a_database_that_is_away_is_tried_again(database: Database) -> None:
    stop = asyncio.Event()
    times: list[datetime] = []

    def now() -> datetime:
        times.append(CLOSED)
        if len(times) == 3:
            stop.set()
        return CLOSED

    async with database.begin() as session:
        await session.execute(text("ALTER TABLE calls RENAME TO calls_elsewhere"))
    try:
        await forget_forever(database, now, stop, timedelta(milliseconds=1))
    finally:
        async with database.begin() as session:
            await session.execute(text("ALTER TABLE calls_elsewhere RENAME TO calls"))
    assert len(times) == 3
