"""From last season's "yes, next round" to the people whom the next call invites: choose, see, confirm, result."""

from __future__ import annotations

from operations.cohorts import files
from operations.cohorts.files import CohortTexts
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, NOW, WebEnv, hidden
from tests.operations.test_answers_shown import submitted

PAGE = f"/c/cohorts/{COHORT}/giving-back"
NEXT = "cohort: next\napply:\n  opens: 2028-01-10\n  closes: 2028-01-31\n  invited:\n    - mia@example.org\n"


async def saved(env: WebEnv, text: str, cohort: str = "next") -> None:
    await files.save(env.database, cohort, CohortTexts(text), NOW, by="coco", proof="test")


async def test_who_said_yes_is_invited_to_the_next_call(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        assert "giving-back" in (await client.get(f"/c/cohorts/{COHORT}/report")).text
        assert "No one has said so yet" in (await client.get(PAGE)).text
        await submitted(web_env, "closure", "ada", c_give="yes", c_sat="4")
        await submitted(web_env, "closure", "mia", c_again="yes", c_sat="5")
        assert "Begin one first" in (await client.get(PAGE)).text
        await saved(web_env, NEXT)

        chosen = await client.get(PAGE)
        assert "ada@example.org" in chosen.text
        assert "<option>next</option>" in chosen.text
        seen = await client.get(PAGE, params={"into": "next"})
        assert "1 person is added to the call" in seen.text
        assert "The file invites 1 of them already." in seen.text
        assert "No one gets a mail before you launch it" in seen.text
        assert "So far everybody with the link" not in seen.text

        await saved(web_env, NEXT.replace("2028-01-31", "2028-02-15"))
        late = await client.post(PAGE, data=hidden(seen.text))
        assert late.status_code == 422
        assert "has changed since you saw it" in late.text
        seen = await client.get(PAGE, params={"into": "next"})
        done = await client.post(PAGE, data=hidden(seen.text))
        assert str(done.url).endswith("/c/cohorts/next/file?version=3")
        texts = await files.known_version(web_env.database, "next", 3)
        assert texts.file.splitlines()[4:7] == [
            "  invited:",
            '    - "Ada Lindqvist <ada@example.org>"',
            "    - mia@example.org",
        ]
        assert "invites all of them already" in (await client.get(PAGE, params={"into": "next"})).text


async def test_what_can_not_take_anybody_is_refused(web_env: WebEnv) -> None:
    await submitted(web_env, "closure", "ada", c_give="yes", c_sat="4")
    await saved(web_env, "cohort: next\n")
    async with signed_in(web_env, "coco") as client:
        refused = await client.get(PAGE, params={"into": "next"})
        assert refused.status_code == 422
        assert "no section `apply:`" in refused.text
        for into in ("elsewhere", COHORT):
            answer = await client.post(PAGE, data={"into": into, "mark": "1.x"})
            assert answer.status_code == 422
            assert "not yours to write" in answer.text


async def test_it_says_that_an_open_call_becomes_one_for_those_who_are_invited(web_env: WebEnv) -> None:
    await submitted(web_env, "closure", "ada", c_give="yes", c_sat="4")
    await saved(web_env, NEXT.partition("  invited:")[0])
    async with signed_in(web_env, "coco") as client:
        seen = await client.get(PAGE, params={"into": "next"})
    assert "So far everybody with the link can apply to the call of next." in seen.text
