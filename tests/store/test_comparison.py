"""A later file beside what it said before and what runs: only what its author has changed is a difference."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from lifecycle.commands import Note
from program.content import content_hash
from program.models import Cohort, Mentorship, Person
from store.accounts import accounts
from store.cohorts import file_entries
from store.cohorts.apply_file import keep, take_over
from store.cohorts.cohorts import KnownOtherwise, mark_running
from store.cohorts.compare import Comparison, compare, is_known
from store.database import Database
from store.programs import FrozenProgram
from store.tables import CohortRow, EntryRow, ItemRow, MentorshipRow, ParticipantRow, RelayRow
from testing.cohorts.small_cohort import (  # fmt: skip
    CASEY,
    COHORT,
    DANA,
    FORMS,
    GROUP,
    LAUNCH,
    PAIR,
    PEOPLE,
    PROGRAM,
    START,
    applied,
    cohort,
    item,
    launched,
    turn,
)
from tests.store.test_cohorts import sizes

ADA, BEN, *_ = PEOPLE
ZOE = Person(id="zoe", name="Zoe", email="zoe@example.org")


def frozen(**changes: Any) -> dict[str, FrozenProgram]:
    """The cohort's program, perhaps edited."""
    program = PROGRAM.model_copy(update=changes)
    return {program.program: FrozenProgram(program, content_hash(program, FORMS), FORMS)}


def with_ada(**changes: Any) -> Cohort:
    """The cohort, with Ada otherwise."""
    return cohort(participants=(ADA.model_copy(update=changes), *PEOPLE[1:]))


async def compared(database: Database, which: Cohort | None = None, **program: Any) -> Comparison:
    return await compare(database, which or cohort(), frozen(**program))


def told(found: Comparison) -> list[str]:
    """Each difference on one line."""
    people = [f"{one.field} of {one.id}: {one.before} → {one.after}" for one in found.differences]
    return people + [f"{one.key}: {_otherwise(one.said, one.says)}" for one in found.altered]


def _otherwise(said: dict[str, Any], says: dict[str, Any]) -> str:
    return ", ".join(field for field in says if said[field] != says[field])


async def settled(database: Database, which: Cohort) -> None:
    """Take over what can be, and keep what the file says."""
    found = await compared(database, which)
    async with database.begin() as session:
        await take_over(session, which, found.differences, LAUNCH, "casey", "")
        await keep(session, which, frozen(), found.differences, ())


async def test_a_comparison_leaves_nothing(database: Database) -> None:
    before = await compared(database)
    assert (before.known, before.launched_on, before.new) == (False, None, (PAIR.key, GROUP.key))
    assert before.new_people == ("casey", "dana", "ada", "ben", "cleo", "dan")
    assert not await is_known(database, COHORT)
    await launched(database)
    known = await sizes(database)
    after = await compared(database, cohort(title="Another title", mentorships=(PAIR,)))
    assert (after.known, after.waiting, after.launched_on) == (True, (PAIR.key, GROUP.key), LAUNCH.date())
    assert (after.new, after.unchanged, after.vanished) == ((), 1, (GROUP.key,))
    assert told(after) == [f"title of {COHORT}: Spring 2026 → Another title"]
    assert await sizes(database) == known


async def test_the_same_file_says_nothing_otherwise(database: Database) -> None:
    await launched(database)
    assert told(await compared(database)) == []


@pytest.mark.parametrize(
    ("which", "says"),
    [
        (cohort(organisation="Society"), f"organisation of {COHORT}:  → Society"),
        (cohort(holidays=()), f"holidays of {COHORT}: ['2026-04-06'] → []"),
        (cohort(coordinators=(CASEY, ZOE)), f"coordinators of {COHORT}: ['casey'] → ['casey', 'zoe']"),
        (with_ada(zone="Asia/Tokyo"), "zone of ada: Europe/Paris → Asia/Tokyo"),
        (with_ada(name="Adele Mentor"), "name of ada: Ada Mentor → Adele Mentor"),
        (with_ada(email="adele@example.org"), "email of ada: ada@example.org → adele@example.org"),
        (with_ada(profile={"place": "Paris"}),
         "profile of ada: {'title': 'Engineer'} → {'title': 'Engineer', 'place': 'Paris'}"),
        (cohort(mentorships=(PAIR.model_copy(update={"mentees": ("dan",)}), GROUP)), "ada-ben: members"),
        (cohort(mentorships=(PAIR.model_copy(update={"start": START + timedelta(days=7)}), GROUP)), "ada-ben: start"),
        (cohort(mentorships=(PAIR, GROUP.model_copy(update={"mentees": ("dan", "cleo")}))), ""),
        (with_ada(email="ADA@example.org"), ""),
    ],
)  # fmt: skip
async def test_what_the_file_says_otherwise(sqlite_url: str, which: Cohort, says: str) -> None:
    async with Database.open(sqlite_url) as database:
        await launched(database)
        assert told(await compared(database, which)) == ([says] if says else [])


async def test_what_was_taken_over_is_said_no_more_and_what_has_changed_since_is_not_undone(
    database: Database,
) -> None:
    await launched(database)
    later = cohort(title="Autumn", holidays=(date(2026, 4, 7),))
    await settled(database, later)
    assert told(await compared(database, later)) == []
    assert told(await compared(database)) == [
        f"title of {COHORT}: Autumn → Spring 2026", f"holidays of {COHORT}: ['2026-04-07'] → ['2026-04-06']",
    ]  # fmt: skip
    async with database.begin() as session:
        ada = await session.get_one(ParticipantRow, "ada")
        ada.zone, ada.name, ada.profile = "Asia/Tokyo", "Ada Lovelace", {"title": "Countess"}
        await session.execute(update(MentorshipRow).values(start=START + timedelta(days=30)))
    assert told(await compared(database, later)) == []


async def test_what_cannot_be_done_is_said_again(database: Database) -> None:
    await launched(database)
    which = cohort(
        zone="Europe/Berlin",
        title="Autumn",
        participants=(
            ADA.model_copy(update={"name": "Eve", "email": "eve@example.org"}),
            BEN.model_copy(update={"email": "dan@example.org", "language": "fr"}),
            *PEOPLE[2:],
        ),
    )
    found = await compared(database, which)
    refused = {f"{one.field} of {one.id}": one.refused for one in found.differences if one.refused}
    assert refused == {
        f"zone of {COHORT}": "it stays while the cohort runs: its dates are counted by it",
        "entry of ada": "another name and another address: somebody new needs an id of their own",
        "email of ben": "this address is known as dan",
    }
    async with database.begin() as session:
        await session.execute(update(ParticipantRow).where(ParticipantRow.id == "ben").values(language="fr"))
    await settled(database, which)
    again = await compared(database, which)
    assert {f"{one.field} of {one.id}" for one in again.differences if one.refused} == set(refused)
    assert len(again.differences) == len(refused)


async def test_an_erased_person_does_not_come_back_with_the_file(database: Database) -> None:
    await launched(database)
    async with database.begin() as session:
        ada = await session.get_one(ParticipantRow, "ada")
        ada.standing, ada.name, ada.email = "erased", "", ""
        await file_entries.forget(session, "ada")
    assert told(await compared(database, with_ada(name="Ada Again"))) == []


async def test_a_cohort_that_was_launched_before_entries_were_kept_is_compared_with_what_runs(
    database: Database,
) -> None:
    await launched(database)
    async with database.begin() as session:
        await session.execute(delete(EntryRow))
        await session.execute(update(MentorshipRow).values(start=START + timedelta(days=30)))
    assert told(await compared(database)) == []
    which = with_ada(zone="Asia/Tokyo").model_copy(update={"title": "Autumn"})
    assert told(await compared(database, which)) == [
        f"title of {COHORT}: Spring 2026 → Autumn", "zone of ada: Europe/Paris → Asia/Tokyo",
    ]  # fmt: skip


async def test_a_longer_program_is_a_difference_of_each_mentorship(database: Database) -> None:
    await launched(database)
    found = await compared(database, length=PROGRAM.length + 14)
    assert [line.partition(":")[0] for line in told(found)] == [f"version of {COHORT}", PAIR.key, GROUP.key]
    assert [(one.said["length"], one.says["length"]) for one in found.altered] == [(182, 196)] * 2


async def test_an_id_that_belongs_to_another_address_is_refused(database: Database) -> None:
    await launched(database)
    before = await sizes(database)
    other = with_ada(email="adele@example.org").model_copy(update={"cohort": "autumn"})
    with pytest.raises(KnownOtherwise, match="another email address: ada") as refused:
        await compared(database, other)
    assert "@" not in str(refused.value)
    assert await sizes(database) == before


async def test_who_is_known_from_elsewhere_stays_as_known(database: Database) -> None:
    await launched(database)
    other = with_ada(zone="Asia/Tokyo").model_copy(update={"cohort": "autumn"})
    assert told(await compared(database, other)) == []
    await launched(database, other)
    assert told(await compared(database, other)) == []
    async with database.session() as session:
        assert (await session.get_one(ParticipantRow, "ada")).zone == "Europe/Paris"


async def test_entries_name_nobody(database: Database) -> None:
    await launched(database)
    async with database.session() as session:
        said = str([row.said for row in await session.scalars(select(EntryRow))])
    for word in ("Ada", "Mentor", "Casey", "@", "Engineer"):
        assert word not in said


async def test_who_coordinates_no_more_gets_nothing_more_and_each_mentorship_is_told(database: Database) -> None:
    await launched(database)
    async with database.begin() as session:
        await mark_running(session, COHORT, [PAIR.key])
    theirs = [item("casey", "notice", key="t/1", task="t"), item("dana", "notice", key="t/2", task="t")]
    own = item("casey", "notice", key="x", name="get_going")
    await applied(database, turn(1, posts=[*theirs, own]))
    which = cohort(coordinators=(Person(id="dana", name="Dana Deputy", email="dana@example.org"), ZOE), deputies=())
    await launched(database, which)
    await settled(database, which)
    async with database.session() as session:
        items = {row.key: f"{row.state} {row.reason}".strip() for row in await session.scalars(select(ItemRow))}
        [relay] = await session.scalars(select(RelayRow))
        row = await session.get_one(CohortRow, COHORT)
    assert items == {"t/1": "dropped left", "t/2": "queued", "x": "queued"}
    assert (relay.event, relay.mentorship) == ("Staffed", PAIR.key)
    assert relay.payload == {
        "id": relay.id, "coordinators": ["dana", "zoe"], "deputies": [], "holidays": ["2026-04-06"], "by": "casey",
    }  # fmt: skip
    assert row.title == "Spring 2026"
    assert DANA.id in relay.payload["coordinators"]


async def test_coordinators_that_change_twice_at_the_same_instant_are_told_each_and_in_their_order(
    database: Database,
) -> None:
    await launched(database)
    async with database.begin() as session:
        await mark_running(session, COHORT, [PAIR.key])
    await launched(database, cohort(coordinators=(CASEY, ZOE)))
    for coordinators in ((ZOE,), (CASEY, ZOE), (ZOE,)):
        await settled(database, cohort(coordinators=coordinators))
    async with database.session() as session:
        relays = await session.scalars(select(RelayRow).order_by(RelayRow.at, RelayRow.id))
        payloads = [row.payload["coordinators"] for row in relays]
    assert payloads == [["zoe"], ["casey", "zoe"], ["zoe"]]


async def test_a_mentorship_that_ends_early_has_not_vanished(database: Database) -> None:
    await launched(database)
    other = cohort(mentorships=(Mentorship(key="m9", mentor="ada", mentees=("ben",)),))
    assert (await compared(database, other)).vanished == (PAIR.key, GROUP.key)
    await applied(database, turn(1, notes=[Note("ending_early", detail="no_fault")]))
    assert (await compared(database, other)).vanished == (GROUP.key,)


async def test_readers_come_and_go_with_the_file_and_no_mentorship_is_told(database: Database) -> None:
    await launched(database)
    which = cohort(readers=(ZOE,))
    assert told(await compared(database, which)) == [f"readers of {COHORT}: [] → ['zoe']"]
    await launched(database, which)
    await settled(database, which)
    async with database.session() as session:
        assert await accounts.readers_of(session, COHORT) == ["zoe"]
        assert (await session.get_one(ParticipantRow, "zoe")).name == ZOE.name
        assert list(await session.scalars(select(RelayRow))) == []
    assert told(await compared(database, which)) == []
    await settled(database, cohort())
    async with database.session() as session:
        assert await accounts.readers_of(session, COHORT) == []
