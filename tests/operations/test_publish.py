"""From an open call to mentorships: who is matched, what publishing writes, and what it never does."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from sqlalchemy import delete, select, update

from activities.letters.fill_letters import LetterWriter, PlannedLetter
from lifecycle.keys import request_key
from mail.compose import compose
from mail.letters import Letter
from operations.applications.applicants import applied, as_rows, take_from_waiting_list, withdraw_on_request
from operations.applications.apply import Received, apply, confirm, withdraw
from operations.applications.written_out import as_file
from operations.audit import COMMAND_LINE
from operations.errors import Refused
from operations.matching.match import matched
from operations.matching.next_choices import choices_in, next_choices, reasons_with
from operations.matching.publish import Draft, draft, pool_of, publish
from runtime.links import Links
from runtime.settings import Settings
from store.cohorts import past_seats
from store.columns import public_id
from store.database import Database
from store.delivery.due import Item
from store.people import applications
from store.tables import ApplicationRow, ItemRow, MembershipRow, MentorshipRow, ParticipantRow, RequestRow
from testing.environments.cli_env import mentorship
from testing.environments.open_call import CLOSED, COHORT, OPEN, launch_call, loaded_call, typed_application

SETTINGS = Settings(secret="a secret of the tests that is long enough", _env_file=None)  # pyright: ignore[reportCallIssue]
MENTORS: dict[str, Any] = {"grade": "G7", "unit": "Finance", "offers": ["leading"]}
MENTEES: dict[str, Any] = {"grade": "SEO", "unit": "Health"}
A_MINUTE = timedelta(minutes=1)


async def apply_as(
    database: Database, role: str, name: str, now: datetime = OPEN, *, confirmed: bool = True, **answers: Any
) -> str:
    """Somebody applies and, where that is said, confirms; the id of the person."""
    email = f"{name}@example.org"
    typed = typed_application(role, name, email, **answers)
    assert isinstance(await apply(database, COHORT, typed, role, A_MINUTE, now), Received)
    async with database.session() as session:
        found = await applications.of_address(session, COHORT, email)
    assert found is not None
    if confirmed:
        assert await confirm(database, found.id, found.generation, now)
    return found.person


async def published(database: Database, made: Draft, now: datetime = CLOSED) -> tuple[str, ...]:
    """The keys that publishing made, without a workflow to start."""
    done = await publish(database, None, SETTINGS, made, now, by="coco", proof=COMMAND_LINE)
    return done.mentorships


async def test_who_confirmed_is_matched_and_published_with_the_reasons(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    left = await apply_as(database, "mentee", "finn", grade="HEO", unit="Legal", wants=[{"tag": "data"}])
    await apply_as(database, "mentor", "nobody", confirmed=False, **MENTORS)
    made = await draft(database, COHORT)
    assert made.pairs == ((mentor, mentee),)
    assert any("Leading people" in part.words for part in made.because[mentor, mentee])
    assert set(made.nobody) == {left}
    assert await published(database, made) == ("m01",)
    async with database.session() as session:
        row = await session.get_one(MentorshipRow, (COHORT, "m01"))
        seats = dict((await session.execute(select(MembershipRow.person, MembershipRow.role))).all())  # pyright: ignore[reportArgumentType]
        profile = (await session.get_one(ParticipantRow, mentee)).profile
        told = (await session.scalars(select(ItemRow.person).where(ItemRow.name == "application_nobody"))).all()
    assert row.proposed
    assert row.because == [
        "Leading people: one of you wants to work on it, the other offers it",
        "You have in common: Policy",
    ]
    assert any(part.field == "grade" for part in made.because[mentor, mentee]), "what only coordinators see is a part"
    assert seats == {mentor: "mentor", mentee: "mentee"}
    assert "leading a team" in profile["goals"]
    assert "grade" not in profile, "what only coordinators see is shown to no partner"
    assert list(told) == [left]
    again = await draft(database, COHORT)
    assert again.published
    assert await published(database, again) == ()


async def test_who_had_each_other_or_withdrew_is_not_matched_again(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=2, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    await published(database, await draft(database, COHORT))
    await launch_call(database, loaded_call(cohort="next"))
    for person in (mentor, mentee):
        role = "mentor" if person == mentor else "mentee"
        name = "mo" if person == mentor else "ella"
        typed = typed_application(role, name, f"{name}@example.org", **(MENTORS if role == "mentor" else MENTEES))
        assert isinstance(await apply(database, "next", typed, role, A_MINUTE, OPEN), Received)
        async with database.session() as session:
            found = await applications.of_address(session, "next", f"{name}@example.org")
        assert found is not None
        assert found.person == person, "a person is one row, whatever they apply to"
        await confirm(database, found.id, found.generation, OPEN)
    with pytest.raises(Refused, match="no pair can be made"):
        await draft(database, "next")


async def test_a_draft_with_somebody_who_has_withdrawn_since_is_refused_whole(database: Database) -> None:
    await launch_call(database, loaded_call())
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    made = await draft(database, COHORT)
    assert await withdraw_on_request(database, COHORT, mentee, CLOSED, by="coco", proof=COMMAND_LINE) == mentee
    with pytest.raises(Refused, match="can't be matched any more"):
        await published(database, made)
    async with database.session() as session:
        assert (await session.scalars(select(MentorshipRow.key))).all() == []


async def test_pairs_of_a_file_are_published_as_they_are_and_never_above_a_capacity(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    one = await apply_as(database, "mentee", "ella", **MENTEES)
    two = await apply_as(database, "mentee", "finn", **MENTEES)
    made = await draft(database, COHORT, pairs=[(mentor, two)])
    assert made.pairs == ((mentor, two),)
    with pytest.raises(Refused, match="takes 1 mentees at most"):
        await draft(database, COHORT, pairs=[(mentor, one), (mentor, two)])


async def test_who_waits_counts_once_a_coordinator_takes_them_in(database: Database) -> None:
    await launch_call(database, loaded_call())
    late = await apply_as(database, "mentee", "late", CLOSED, **MENTEES)
    assert {each.id for each in (await pool_of(database, COHORT)).people} == set()
    taken = await take_from_waiting_list(database, COHORT, late, CLOSED, by="coco", proof=COMMAND_LINE)
    assert (taken.id, taken.state) == (late, "confirmed")
    assert {each.id for each in (await pool_of(database, COHORT)).people} == {late}
    with pytest.raises(Refused, match="not on the waiting list"):
        await take_from_waiting_list(database, COHORT, late, CLOSED, by="coco", proof=COMMAND_LINE)


async def test_the_exported_rows_and_the_file_say_what_there_is(database: Database) -> None:
    await launch_call(database, loaded_call())
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    await apply_as(database, "mentee", "ella", **MENTEES, wants=[{"tag": "leading"}, {"tag": "data"}])
    columns, rows = as_rows(*await applied(database, COHORT))
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    assert {(each["name"], each["role"], each["state"]) for each in found} == {
        ("mo", "mentor", "confirmed"),
        ("ella", "mentee", "confirmed"),
    }
    assert {each["wants"] for each in found} == {"", "leading | data"}
    assert "b_confid" not in columns, "totals only"
    await published(database, await draft(database, COHORT))
    file = YAML(typ="safe").load(await as_file(database, COHORT))  # pyright: ignore[reportUnknownMemberType]
    assert [each["key"] for each in file["mentorships"]] == ["m01"]
    assert {each["name"] for each in file["participants"]} == {"mo", "ella"}


async def decline(database: Database, key: str, person: str) -> None:
    """Somebody refuses, as the turn of the mentorship writes it down."""
    async with database.begin() as session:
        await session.execute(
            update(MembershipRow)
            .where(MembershipRow.mentorship == key, MembershipRow.person == person)
            .values(standing="declined")
        )


async def take_seat(database: Database, key: str, person: str) -> None:
    """Somebody takes an empty seat, as the turn of the mentorship writes it down."""
    async with database.begin() as session:
        session.add(
            MembershipRow(cohort=COHORT, mentorship=key, person=person, role="mentee", standing="invited", position=9)
        )


async def test_an_invitation_after_matching_names_the_partner_and_says_why(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    await published(database, await draft(database, COHORT))
    letter = await invitation_of(database, mentee)
    [item] = letter.items
    assert item.proposed
    assert [(partner.id, partner.name, partner.email) for partner in item.partners] == [(mentor, "mo", "")]
    assert item.because[0] == "Leading people: one of you wants to work on it, the other offers it"
    mail = compose(letter)
    assert "We propose mo to you" in mail.text
    assert "mo@example.org" not in mail.text
    assert "G7" not in re.sub(r"https://\S+", "", mail.text), "the grade is for coordinators only"
    await decline(database, "m01", mentor)
    [alone] = (await invitation_of(database, mentee)).items
    assert (alone.partners, alone.because) == ((), ())


async def invitation_of(database: Database, person: str) -> Letter:
    """The letter with the invitation of somebody."""
    links = Links((SETTINGS.secrets[0],), "https://mentoring.example.org")
    writer = LetterWriter(links, "mentoring@example.org", secret="x" * 40, why_matched=reasons_with)
    key = request_key(COHORT, "m01", "invitation", 1, person)
    async with database.begin() as session:
        if await session.get(RequestRow, key) is None:
            session.add(
                RequestRow(
                    key=key, public_id=public_id(key), cohort=COHORT, mentorship="m01", ask="invitation", number=1,
                    step=f"{COHORT}/m01/invitation#1", person=person, role="mentee", opens=date(2027, 3, 15),
                    closes=date(2027, 3, 29), closes_at=datetime(2027, 3, 30, tzinfo=UTC),
                )
            )  # fmt: skip
    item = Item(
        f"{key}/request", person, "request", "invitation", 1, COHORT, "m01", date(2027, 3, 15), CLOSED, key, "", ""
    )
    async with database.session() as session:
        [letter] = await writer.letters(session, [PlannedLetter("a", person, (item,), CLOSED)])
    assert isinstance(letter, Letter), letter
    return letter


async def test_after_a_refusal_the_best_free_people_are_named_and_never_who_refused(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    one = await apply_as(database, "mentee", "ella", **MENTEES)
    two = await apply_as(database, "mentee", "finn", **MENTEES, wants=[{"tag": "leading"}])
    three = await apply_as(database, "mentee", "gil", **MENTEES, wants=[{"tag": "data"}])
    late = await apply_as(database, "mentee", "late", CLOSED, **MENTEES)
    await published(database, await draft(database, COHORT, pairs=[(mentor, one)]))
    assert await next_choices(database, COHORT, "m01") == (), "no seat is empty"
    await decline(database, "m01", one)
    choices = await next_choices(database, COHORT, "m01")
    assert [choice.person for choice in choices] == [two, three, late]
    assert [choice.waiting for choice in choices] == [False, False, True]
    assert choices[0].score > choices[1].score
    assert all(choice.moves == () for choice in choices)
    async with database.session() as session:
        assert await past_seats.refused_before(session, one, [mentor]) == [mentor]
        assert await past_seats.refused_before(session, two, [mentor]) == []
    await take_seat(database, "m01", two)
    [proposed] = (await invitation_of(database, two)).items
    assert proposed.because == (
        "Leading people: one of you wants to work on it, the other offers it",
        "You have in common: Policy",
    )
    assert [partner.id for partner in proposed.partners] == [mentor]
    assert await next_choices(database, COHORT, "m01") == (), "the seat is offered"


async def test_nobody_is_a_next_choice_whose_line_leads_to_who_stays_over_somebody_else(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    one = await apply_as(database, "mentee", "ella", **MENTEES)
    await apply_as(database, "mentor", "between", manager="mo@example.org", **MENTORS)
    await apply_as(database, "mentee", "gil", manager="between@example.org", **MENTEES)
    other = await apply_as(database, "mentee", "hal", **MENTEES)
    await published(database, await draft(database, COHORT, pairs=[(mentor, one)]))
    await decline(database, "m01", one)
    assert [choice.person for choice in await next_choices(database, COHORT, "m01")] == [other]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["apply", "confirm", "withdraw", "close"]),
        st.integers(0, 5),
        st.sampled_from(["mentor", "mentee", "both"]),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
async def test_nobody_applies_twice_and_only_who_confirmed_and_stayed_is_in_a_draft(
    sqlite_url: str, acts: list[tuple[str, int, str]]
) -> None:
    async with Database.open(sqlite_url) as database:
        await _acts(database, acts)


async def _acts(database: Database, acts: list[tuple[str, int, str]]) -> None:
    await _empty(database)
    await launch_call(database, loaded_call(limit={"mentor": 2}))
    now = OPEN
    for act, who, role in acts:
        email = f"p{who}@example.org"
        async with database.session() as session:
            found = await applications.of_address(session, COHORT, email)
        if act == "apply":
            answers = MENTORS if role == "mentor" else MENTEES
            typed = typed_application(role, f"p{who}", email, **answers)
            await apply(database, COHORT, typed, role, A_MINUTE, now)
        elif act == "confirm" and found is not None:
            await confirm(database, found.id, found.generation, now)
        elif act == "withdraw" and found is not None:
            await withdraw(database, found.id, found.generation, now)
        elif act == "close":
            now = CLOSED
    async with database.session() as session:
        rows = await applications.of_cohort(session, COHORT)
    addresses = [each.email for each in rows]
    assert len(addresses) == len(set(addresses))
    counted = {each.person for each in rows if each.state == "confirmed"}
    assert sum(each.role == "mentor" and each.state == "confirmed" for each in rows) <= 2
    pool = await pool_of(database, COHORT)
    assert {each.id for each in pool.people} == counted
    pairs = matched(pool).ids
    capacity = {each.id: each.capacity for each in pool.people}
    for mentor in {pair[0] for pair in pairs}:
        assert sum(pair[0] == mentor for pair in pairs) <= capacity[mentor]
    assert {person for pair in pairs for person in pair} <= counted


async def _empty(database: Database) -> None:
    """Nobody has applied; the cohort stays."""
    async with database.begin() as session:
        await session.execute(delete(ApplicationRow))


async def test_two_who_name_each_other_as_manager_are_named_and_nothing_breaks(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", database_url)
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    one = await apply_as(database, "mentee", "ella", **MENTEES)
    two = await apply_as(database, "mentee", "finn", **MENTEES)
    await published_by_hand(database, mentor, one)
    for name, manager in (("ella", "finn@example.org"), ("finn", "ella@example.org")):
        async with database.session() as session:
            found = await applications.of_address(session, COHORT, f"{name}@example.org")
        assert found is not None
        async with database.begin() as session:
            await applications.change(session, found.id, body={**found.body, "manager": manager})
    circle = f"these people report to each other in a circle: ({one} → {two} → {one}|{two} → {one} → {two}); correct"
    with pytest.raises(Refused, match=circle):
        matched(await pool_of(database, COHORT))
    with pytest.raises(Refused, match=circle):
        await next_choices(database, COHORT, "m01")
    async with database.session() as session:
        assert await choices_in(session, COHORT, "m01") == ()
    said = await asyncio.to_thread(mentorship, "match", COHORT)
    assert (said.code, "report to each other in a circle" in said.err) == (2, True)


async def published_by_hand(database: Database, mentor: str, mentee: str) -> None:
    """A pair whose mentee then says no."""
    await published(database, await draft(database, COHORT, pairs=[(mentor, mentee)]))
    await decline(database, "m01", mentee)
