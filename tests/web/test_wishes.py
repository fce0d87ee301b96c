"""The page of wishes: who is shown to whom, what is kept, and what nobody learns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from operations.applications.apply import apply, confirm
from operations.matching.match import matched
from operations.matching.publish import pool_of
from program.gathering import Wishes
from store.people import applications
from testing.environments.open_call import CLOSED, COHORT, OPEN, launch_call, link_of, loaded_call, typed_application
from testing.environments.web_env import WebEnv


async def applies(env: WebEnv, role: str, name: str, **answers: Any) -> str:
    """Somebody applies and confirms; the id of their application."""
    email = f"{name.lower()}@example.org"
    typed = typed_application(role, name, email, **answers)
    await apply(env.database, COHORT, typed, role, timedelta(minutes=1), OPEN)
    async with env.database.session() as session:
        found = await applications.of_address(session, COHORT, email)
    assert found is not None
    await confirm(env.database, found.id, found.generation, OPEN)
    return found.id


async def test_a_mentee_ranks_mentors_who_pass_the_rules_and_the_match_knows_it(both: WebEnv) -> None:
    await launch_call(both.database, loaded_call(Wishes()))
    mentors = [
        await applies(both, "mentor", f"Mentor{number}", grade="G7", unit="Finance", easier=f"secret {number}")
        for number in range(3)
    ]
    await applies(both, "mentor", "Below", grade="AO", unit="Finance")
    await applies(both, "mentee", "Ella", grade="SEO", unit="Health", not_with="Mentor2")
    both.now = OPEN
    path = f"{await link_of(both.database, both.links, 'ella@example.org')}/wishes"
    async with both.client() as client:
        assert "Nothing to wish for now" in (await client.get(path)).text
        both.now = CLOSED
        page = (await client.get(path)).text
        assert "Mentor0" in page
        assert "Below" not in page, "breaks a rule"
        assert "Mentor2" not in page, "was excluded"
        assert "secret" not in page
        assert "@example.org" not in page
        twice = await client.post(path, data={f"wish.{mentors[0]}": "1", f"wish.{mentors[1]}": "1"})
        assert twice.status_code == 422
        assert "Two have the first wish" in twice.text
        sent = await client.post(
            path, data={f"wish.{mentors[1]}": "1", f"wish.{mentors[0]}": "2", f"wish.{mentors[2]}": "3"}
        )
        assert "We have your wishes" in sent.text
        theirs = f"{await link_of(both.database, both.links, 'mentor1@example.org')}/wishes"
        of_mentor = (await client.get(theirs)).text
    assert "Ella" in of_mentor
    assert "checked" in of_mentor
    assert 'value="1" checked' not in of_mentor, "nobody learns who wished for them"
    pool = await pool_of(both.database, COHORT)
    names = pool.names
    [ella] = [each for each in pool.people if names[each.id] == "Ella"]
    assert [names[person] for person in ella.wishes_as_mentee] == ["Mentor1", "Mentor0"]
    assert matched(pool).board.totals.served == 1


async def test_where_names_are_not_shown_nobody_is_named(web_env: WebEnv) -> None:
    await launch_call(web_env.database, loaded_call(Wishes(see="role_and_words")))
    await applies(web_env, "mentor", "Mentor0", grade="G7", unit="Finance")
    await applies(web_env, "mentee", "Ella", grade="SEO", unit="Health")
    web_env.now = CLOSED
    path = f"{await link_of(web_env.database, web_env.links, 'ella@example.org')}/wishes"
    async with web_env.client() as client:
        page = (await client.get(path)).text
    assert "Mentor0" not in page
    assert "ten years" in page
