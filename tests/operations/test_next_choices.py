"""Who could take an empty seat, in each format: best first, and nobody else moves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from operations.applications.apply import Received, apply, confirm
from operations.matching.next_choices import NextChoice, next_choices
from operations.matching.publish import draft
from program.models import Format
from store.database import Database
from store.people import applications
from store.tables import MembershipRow
from testing.environments.cli_env import mentorship
from testing.environments.open_call import COHORT, OPEN, call_program, launch_call, loaded_call, typed_application
from tests.operations.test_publish import published

JUNIOR: dict[str, Any] = {"grade": "EO", "unit": "Health"}
SENIOR: dict[str, Any] = {"grade": "SEO", "unit": "Finance"}


async def applies(database: Database, format_: Format, role: str, name: str, **answers: Any) -> str:
    """Somebody applies and confirms; the id of the person."""
    email = f"{name}@example.org"
    typed = typed_application(role, name, email, format_, **answers)
    assert isinstance(await apply(database, COHORT, typed, role, timedelta(minutes=1), OPEN), Received)
    async with database.session() as session:
        found = await applications.of_address(session, COHORT, email)
    assert found is not None
    await confirm(database, found.id, found.generation, OPEN)
    return found.person


async def refuses(database: Database, person: str, key: str = "m01") -> None:
    """Somebody says no, as the turn of the mentorship writes it down."""
    async with database.begin() as session:
        seat = (MembershipRow.mentorship == key) & (MembershipRow.person == person)
        await session.execute(update(MembershipRow).where(seat).values(standing="declined"))


async def choices(database: Database, key: str = "m01") -> list[NextChoice]:
    """The choices, none of which moves anybody."""
    found = [*await next_choices(database, COHORT, key)]
    assert all(choice.moves == () for choice in found)
    return found


async def test_for_a_peer_who_refused_another_peer_with_the_most_points(database: Database) -> None:
    await launch_call(database, loaded_call(program=call_program("peer")))
    ada = await applies(database, "peer", "peer", "ada", unit="Health", grade="EO")
    ben = await applies(database, "peer", "peer", "ben", unit="Finance", grade="EO")
    far = await applies(database, "peer", "peer", "far", unit="Legal", grade="G7")
    near = await applies(database, "peer", "peer", "near", unit="Legal", grade="EO")
    await applies(database, "peer", "peer", "same", unit="Health", grade="EO")
    await published(database, await draft(database, COHORT, pairs=[(ada, ben)]))
    assert await choices(database) == []
    await refuses(database, ben)
    assert [(each.person, each.role) for each in await choices(database)] == [(near, "peer"), (far, "peer")]
    await refuses(database, ada)
    assert await choices(database) == [], "nobody is left to find somebody for"


async def test_for_one_of_three_peers_nobody_who_is_with_the_third(database: Database) -> None:
    await launch_call(database, loaded_call(program=call_program("peer", groups={"least": 2, "most": 3})))
    units = ("Health", "Finance", "Legal")
    one, two, three = [await applies(database, "peer", "peer", f"p{unit}", unit=unit) for unit in units]
    other = await applies(database, "peer", "peer", "other", unit="Transport")
    await published(database, await draft(database, COHORT, pairs=[(one, two), (two, three), (one, three)]))
    await refuses(database, min(one, two, three))
    assert [each.person for each in await choices(database)] == [other]


async def test_in_a_reverse_program_the_mentor_is_the_junior_one(database: Database) -> None:
    await launch_call(database, loaded_call(program=call_program("reverse")))
    mentee = await applies(database, "reverse", "mentee", "boss", **SENIOR)
    first = await applies(database, "reverse", "mentor", "first", **JUNIOR, mentees_at_most=1)
    other = await applies(database, "reverse", "mentor", "other", **JUNIOR, mentees_at_most=1)
    await applies(database, "reverse", "mentor", "senior", grade="G7", unit="Legal", mentees_at_most=1)
    await published(database, await draft(database, COHORT, pairs=[(first, mentee)]))
    await refuses(database, first)
    assert [(each.person, each.role) for each in await choices(database)] == [(other, "mentor")]


async def group(
    database: Database, others: dict[str, tuple[str, list[str]]], leads: str = ""
) -> tuple[str, list[str], dict[str, str]]:
    """A group is published: a mentor and three mentees, who are all free on Monday morning. `others`: name to role
    and half-days of those who have no seat in it; one of them `leads` another group, of the mentees whose names begin
    with t. Returns the mentor, the mentees, and the others by name."""
    pytest.importorskip("highspy")
    await launch_call(database, loaded_call(program=call_program("group")))

    async def one(role: str, name: str, *free: str) -> str:
        who = SENIOR if role == "mentor" else JUNIOR
        return await applies(database, "group", role, name, **who | {"availability": [*free]})

    mentor = await one("mentor", "mo", "mon_am", "tue_am")
    mentees = [await one("mentee", f"s{number}", "mon_am", *(["tue_am"] * number)) for number in range(2)]
    mentees.append(await one("mentee", "s2", "mon_am"))
    ids = {name: await one(role, name, *free) for name, (role, free) in others.items()}
    pairs = [(mentor, mentee) for mentee in mentees]
    pairs += [(ids[leads], mentee) for name, mentee in ids.items() if leads and name.startswith("t")]
    await published(database, await draft(database, COHORT, pairs=pairs))
    return mentor, mentees, ids


async def test_in_a_group_a_mentee_is_free_when_all_others_are(database: Database) -> None:
    others = {"fits": ("mentee", ["mon_am"]), "only_with_mo": ("mentee", ["tue_am"])}
    _, mentees, ids = await group(database, others)
    assert await choices(database) == [], "no seat is empty"
    await refuses(database, mentees[0])
    assert [(each.person, each.role) for each in await choices(database)] == [(ids["fits"], "mentee")]


async def test_in_a_group_a_mentor_suits_all_and_leads_no_other_group(database: Database) -> None:
    others = {
        "fits": ("mentor", ["mon_am"]),
        "only_tuesday": ("mentor", ["tue_am"]),
        "busy": ("mentor", ["mon_am"]),
        **{f"t{number}": ("mentee", ["mon_am"]) for number in range(3)},
    }
    mentor, mentees, ids = await group(database, others, leads="busy")
    async with database.session() as session:
        [key] = await session.scalars(
            select(MembershipRow.mentorship).where(MembershipRow.person == mentor, MembershipRow.role == "mentor")
        )
    await refuses(database, mentor, key)
    assert [(each.person, each.role) for each in await choices(database, key)] == [(ids["fits"], "mentor")]
    await refuses(database, mentees[0], key)
    assert [each.person for each in await choices(database, key)] == [ids["fits"]]


async def test_the_command_lists_them_in_words_and_as_json(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", database_url)
    await launch_call(database, loaded_call(program=call_program("peer")))
    names = ("ada", "ben", "cleo")
    units = ("Health", "Finance", "Legal")
    ids = [await applies(database, "peer", "peer", name, unit=unit) for name, unit in zip(names, units, strict=True)]
    await published(database, await draft(database, COHORT, pairs=[(ids[0], ids[1])]))
    none = await asyncio.to_thread(mentorship, "match", COHORT, "--next", "m01")
    assert (none.code, "No seat is empty there" in none.out) == (0, True)
    await refuses(database, ids[1])
    said = await asyncio.to_thread(mentorship, "match", COHORT, "--next", "m01")
    assert "For the peer of m01: nobody else moves" in said.out
    assert "cleo" in said.out
    assert "ben" not in said.out
    [choice] = (await asyncio.to_thread(mentorship, "match", COHORT, "--next", "m01", "--json")).json
    assert (choice["person"], choice["role"], choice["moves"]) == (ids[2], "peer", [])
    unknown = await asyncio.to_thread(mentorship, "match", COHORT, "--next", "m99")
    assert (unknown.code, "no mentorship 'm99'" in unknown.err) == (2, True)


async def test_who_has_refused_twice_comes_last_and_is_for_a_coordinator_to_decide(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", database_url)
    await launch_call(database, loaded_call())
    mentors = [
        await applies(database, "one_to_one", "mentor", f"m{number}", **SENIOR, mentees_at_most=1)
        for number in range(3)
    ]
    seated = [await applies(database, "one_to_one", "mentee", f"s{number}", **JUNIOR) for number in range(3)]
    twice = await applies(database, "one_to_one", "mentee", "twice", **JUNIOR, wants=[{"tag": "leading"}])
    once = await applies(database, "one_to_one", "mentee", "once", **JUNIOR, wants=[{"tag": "data"}])
    await published(database, await draft(database, COHORT, pairs=[*zip(mentors, seated, strict=True)]))
    async with database.begin() as session:
        rows = await session.execute(select(MembershipRow.person, MembershipRow.mentorship))
        keys: dict[str, str] = {row.person: row.mentorship for row in rows}
        for person, mentor in ((twice, mentors[1]), (twice, mentors[2]), (once, mentors[2])):
            seat = {"cohort": COHORT, "mentorship": keys[mentor], "person": person, "position": 9}
            session.add(MembershipRow(**seat, role="mentee", standing="declined"))
    await refuses(database, seated[0], keys[mentors[0]])
    found = await choices(database, keys[mentors[0]])
    assert [(each.person, each.refusals, each.asks_twice) for each in found] == [(once, 1, False), (twice, 2, True)]
    assert found[0].score < found[1].score
    said = await asyncio.to_thread(mentorship, "match", COHORT, "--next", keys[mentors[0]])
    assert said.out.count("has said no 2 times: you decide") == 1
