"""Finding and adding people, on both databases."""

from __future__ import annotations

from store.database import Database
from store.mentorships import tasks
from store.people import people
from store.people.people import KnownPerson
from testing.cohorts.small_cohort import launched


async def test_a_person_is_found_by_id_and_by_address_in_any_case(database: Database) -> None:
    await launched(database)
    async with database.begin() as session:
        newcomer = KnownPerson("eve", "Eve Newcomer", "Eve@example.org", "Asia/Tokyo", "en", "active")
        await people.add(session, newcomer)
    async with database.session() as session:
        assert await people.find(session, "eve") == newcomer
        assert await people.find(session, email=" eve@EXAMPLE.org ") == newcomer
        assert await people.find(session, "nobody") is None
        assert await tasks.find(session, "no/such/task") is None
