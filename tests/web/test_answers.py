"""An answer is committed before anything else and is never lost, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from operations.forms.parse import Typed
from operations.forms.submit import Differs, Faulty, Saved, Shut, SubmitResult, UnknownRequest, submit
from runtime.outbox_relay import GRACE, hand_over, relay_once
from store.tables import AnswerRow, DraftRow, MembershipRow, MentorshipRow, ParticipantRow, RelayRow, RequestRow
from testing.environments.web_env import CLOSES_AT, COHORT, NOW, WebEnv, filled_in


async def put_in(web_env: WebEnv, path: str, submission: str, typed: Typed) -> SubmitResult:
    link = web_env.links.read_request(path.removeprefix("/f/"))
    assert link is not None
    outcome = await submit(web_env.database, *link, submission, typed, web_env.now)
    if isinstance(outcome, Saved):
        await hand_over(web_env.database, web_env.tell, *outcome.to_tell, web_env.now, outcome.only)
    return outcome


async def answers(web_env: WebEnv) -> list[AnswerRow]:
    async with web_env.database.session() as session:
        return list(await session.scalars(select(AnswerRow).order_by(AnswerRow.id)))


async def row(web_env: WebEnv, table: Any, key: Any) -> Any:
    async with web_env.database.session() as session:
        return await session.get(table, key)


async def test_an_answer_is_kept_and_the_workflow_told(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    assert await put_in(both, path, "submission-1", await filled_in(both, path)) == Saved(1)
    (answer,) = await answers(both)
    assert (answer.version, answer.late, answer.at, answer.form) == (1, False, NOW, "check_in")
    assert answer.body["p_met"] == "2"
    assert (await both.requested(path)).state == "answered"
    ((cohort, mentorship, event, payload, update_id),) = both.told
    assert (cohort, mentorship, event, update_id) == (COHORT, "pair", "Answered", "submission-1")
    assert payload["person"] == "ada"
    assert payload["number"] == 1
    assert await both.count(RelayRow) == 0


async def test_an_answer_waits_for_what_came_before_it(both: WebEnv) -> None:
    """Two people answer; the workflow could not be told of the first. It hears of both in their order."""
    for later, person in enumerate(("ada", "mia")):
        path = await both.ask("check_in", person)
        link = both.links.read_request(path.removeprefix("/f/"))
        assert link is not None
        at = both.now + timedelta(minutes=later)
        outcome = await submit(both.database, *link, person, await filled_in(both, path), at)
        assert isinstance(outcome, Saved)
        assert (outcome.only is not None) is (person == "ada")
    await hand_over(both.database, both.tell, COHORT, "pair", both.now)
    assert [payload["person"] for *_, payload, _ in both.told] == ["ada", "mia"]
    assert await both.count(RelayRow) == 0


async def test_a_mentorship_that_has_not_started_is_not_told_at_once(both: WebEnv) -> None:
    path = await both.ask("invitation", "ada")
    await both.change(MentorshipRow, {"key": "pair"}, state="planned")
    await put_in(both, path, "submission-1", {"accept": ["yes"]})
    assert both.told == []
    assert await both.count(RelayRow) == 1


async def test_what_the_workflow_is_told_holds_no_answer_and_no_name(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    await put_in(both, path, "submission-1", await filled_in(both, path, p_word="I was robbed", p_help="safety"))
    assert both.signals[0]["safety"] is True
    assert "robbed" not in repr(both.told)
    assert "Lindqvist" not in repr(both.told)


async def test_the_same_submission_twice_is_one_answer(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    typed = await filled_in(both, path)
    assert await put_in(both, path, "submission-1", typed) == Saved(1)
    assert await put_in(both, path, "submission-1", typed) == Saved(1, repeated=True)
    assert len(await answers(both)) == len(both.told) == 1


async def test_another_content_under_the_same_submission_is_kept_out_and_told(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    await put_in(both, path, "submission-1", await filled_in(both, path))
    assert await put_in(both, path, "submission-1", await filled_in(both, path, p_met="0")) == Differs()
    assert [answer.body["p_met"] for answer in await answers(both)] == ["2"]


async def test_a_submission_of_somebody_else_can_not_be_taken_over(both: WebEnv) -> None:
    hers, his = await both.ask("check_in", "ada"), await both.ask("check_in", "ben", "pair-2")
    typed = await filled_in(both, hers)
    await put_in(both, hers, "submission-1", typed)
    await put_in(both, his, "submission-2", typed)
    assert await put_in(both, his, "submission-1", typed) == Differs()
    assert len(await answers(both)) == 2


async def test_a_change_is_a_new_version_and_all_are_kept(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    for number, met in enumerate(("0", "1", "2"), start=1):
        outcome = await put_in(both, path, f"submission-{number}", await filled_in(both, path, p_met=met))
        assert outcome == Saved(number)
    assert [(each.version, each.body["p_met"]) for each in await answers(both)] == [(1, "0"), (2, "1"), (3, "2")]


async def test_two_at_the_same_moment_become_two_versions(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    typed = await filled_in(both, path)
    outcomes = await asyncio.gather(
        *(put_in(both, path, f"submission-{number}", typed | {"p_met": [str(number)]}) for number in range(3)),
        *(put_in(both, path, "submission-0", typed | {"p_met": ["0"]}) for _ in range(3)),
    )
    assert sorted(each.version for each in await answers(both)) == [1, 2, 3]
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert sorted({told[4] for told in both.told}) == ["submission-0", "submission-1", "submission-2"]
    assert await both.count(RelayRow) == 0


async def test_an_answer_survives_a_workflow_that_can_not_be_reached(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    both.deaf = True
    assert await put_in(both, path, "submission-1", await filled_in(both, path)) == Saved(1)
    assert await both.count(AnswerRow) == await both.count(RelayRow) == 1
    assert await relay_once(both.database, both.tell, both.now + GRACE) == 0
    both.deaf = False
    assert await relay_once(both.database, both.tell, both.now + timedelta(hours=1)) == 1
    assert await relay_once(both.database, both.tell, both.now + timedelta(hours=2)) == 0
    assert [told[4] for told in both.told] == ["submission-1"]
    assert both.told[0][3]["at"].startswith("2027-04-05T09:00:00")


async def test_nobody_else_tells_while_the_page_still_does(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    both.deaf = True
    await put_in(both, path, "submission-1", await filled_in(both, path))
    both.deaf = False
    assert await relay_once(both.database, both.tell, both.now) == 0
    assert both.told == []


LATE = CLOSES_AT + timedelta(days=3)


@pytest.mark.parametrize(
    ("state", "mentorship", "now", "outcome"),
    [
        ("open", "running", NOW, Saved(1)),
        ("answered", "running", NOW, Saved(1)),
        ("open", "running", CLOSES_AT, Saved(1, late=True)),
        ("closed", "running", NOW, Saved(1, late=True)),
        ("closed", "running", LATE, Saved(1, late=True)),
        ("closed", "over", LATE, Shut("over")),
        ("open", "over", NOW, Shut("over")),
        ("answered", "over", NOW, Shut("over")),
        ("withdrawn", "running", NOW, Shut("withdrawn")),
        ("superseded", "running", NOW, Shut("superseded")),
        ("withdrawn", "over", LATE, Shut("withdrawn")),
    ],
)
async def test_what_becomes_of_an_answer_by_state(
    web_env: WebEnv, state: str, mentorship: str, now: Any, outcome: SubmitResult
) -> None:
    path = await web_env.ask("check_in", "ada")
    await web_env.change(RequestRow, {"person": "ada"}, state=state)
    await web_env.change(MentorshipRow, {"key": "pair"}, state=mentorship)
    web_env.now = now
    assert await put_in(web_env, path, "submission-1", await filled_in(web_env, path)) == outcome
    assert len(await answers(web_env)) == len(web_env.told) == isinstance(outcome, Saved)


@pytest.mark.parametrize(
    ("ask", "mentorship", "now", "outcome"),
    [
        ("follow_up", "over", NOW, Saved(1)),
        ("follow_up", "over", LATE, Shut("over")),
        ("are_you_there", "running", LATE, Saved(1)),
        ("are_you_there", "over", NOW, Shut("over")),
    ],
)
async def test_the_follow_up_runs_after_the_end_and_the_links_of_are_you_there_up_to_it(
    web_env: WebEnv, ask: str, mentorship: str, now: Any, outcome: SubmitResult
) -> None:
    path = await web_env.ask(ask, "ada")
    await web_env.change(MentorshipRow, {"key": "pair"}, state=mentorship)
    web_env.now = now
    assert await put_in(web_env, path, "submission-1", await filled_in(web_env, path)) == outcome


async def test_whoever_has_no_seat_any_more_is_not_asked(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    await web_env.change(RequestRow, {"person": "ada"}, state="closed")
    await web_env.change(MembershipRow, {"person": "ada"}, standing="out")
    assert await put_in(web_env, path, "submission-1", {}) == Shut("withdrawn")


async def test_a_late_answer_does_not_make_a_closed_request_answered(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    await web_env.change(RequestRow, {"person": "ada"}, state="closed")
    await put_in(web_env, path, "submission-1", await filled_in(web_env, path))
    assert (await web_env.requested(path)).state == "closed"
    assert [each.late for each in await answers(web_env)] == [True]


async def test_in_a_pause_nothing_is_late(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    await web_env.change(MentorshipRow, {"key": "pair"}, paused_until="2027-06-01")
    web_env.now = LATE
    assert await put_in(web_env, path, "submission-1", await filled_in(web_env, path)) == Saved(1)


async def test_whoever_left_is_asked_nothing_more_and_whoever_is_erased_is_unknown(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    typed = await filled_in(web_env, path)
    await web_env.change(ParticipantRow, {"id": "ada"}, standing="left")
    assert await put_in(web_env, path, "submission-1", typed) == Shut("withdrawn")
    await web_env.change(ParticipantRow, {"id": "ada"}, standing="erased")
    assert await put_in(web_env, path, "submission-1", typed) == UnknownRequest()


async def test_faults_keep_nothing_and_tell_nobody(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    outcome = await put_in(web_env, path, "submission-1", {"p_met": ["7"], "p_useful": ["9"]})
    assert isinstance(outcome, Faulty)
    assert outcome.faults[0].control == "p_met"
    assert await web_env.count(AnswerRow) == await web_env.count(RelayRow) == len(web_env.told) == 0


async def test_an_accepted_invitation_fills_the_profile_and_moves_the_zone(both: WebEnv) -> None:
    path = await both.ask("invitation", "ada")
    typed: Typed = {
        "accept": ["yes"], "i_goals": [" Lead a team "], "i_zone": ["lisbon"], "i_language": ["English, Svenska"],
        "i_availability": ["mornings"], "i_easier": [""],
    }  # fmt: skip
    assert await put_in(both, path, "submission-1", typed) == Saved(1)
    person = await row(both, ParticipantRow, "ada")
    assert person.zone == "Europe/Lisbon"
    assert {name: person.profile[name] for name in ("goals", "languages", "availability")} == {
        "goals": "Lead a team",
        "languages": "English, Svenska",
        "availability": "mornings",
    }
    assert both.signals[0]["accepted"] is True
    assert both.signals[0]["zone"] == "Europe/Lisbon"


async def test_whoever_declines_need_not_fill_in_the_rest_and_changes_no_profile(web_env: WebEnv) -> None:
    path = await web_env.ask("invitation", "ada")
    typed: Typed = {"accept": ["no"], "i_goals": ["x" * 5000], "i_zone": ["Atlantis"]}
    assert await put_in(web_env, path, "submission-1", typed) == Saved(1)
    assert web_env.signals[0]["accepted"] is False
    assert (await row(web_env, ParticipantRow, "ada")).zone == "Europe/Stockholm"


async def test_the_same_zone_again_moves_nothing(web_env: WebEnv) -> None:
    path = await web_env.ask("invitation", "ada")
    await put_in(web_env, path, "submission-1", {"accept": ["yes"], "i_zone": ["Europe/Stockholm"]})
    assert web_env.signals[0]["zone"] == ""


async def test_a_draft_goes_when_the_answer_is_in(web_env: WebEnv) -> None:
    path = await web_env.ask("closure", "ada")
    typed = await filled_in(web_env, path)
    async with web_env.client() as client:
        await client.post(path, data=typed | {"save": ["1"]})
        assert await web_env.count(DraftRow) == 1
        assert web_env.told == []
        await put_in(web_env, path, "submission-1", typed)
    assert await web_env.count(DraftRow) == 0


async def test_a_submission_without_an_id_is_still_one_answer(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    typed = await filled_in(web_env, path)
    for submission in ("", "", "<script>", "<script>"):
        assert isinstance(await put_in(web_env, path, submission, typed), Saved)
    assert len(await answers(web_env)) == 2


async def test_somebody_out_of_the_group_is_no_partner(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "mia", "group")
    await web_env.change(MembershipRow, {"mentorship": "group", "person": "cai"}, standing="out")
    assert [seat.person for seat in (await web_env.requested(path)).partners] == ["ada", "ben"]


async def test_a_submission_of_another_form_is_taken_where_nothing_was_answered(both: WebEnv) -> None:
    """Before, the unique submission made the page fail each time."""
    first, second = await both.ask("check_in", "ada"), await both.ask("closure", "ada")
    await put_in(both, first, "submission-1", await filled_in(both, first))
    typed = await filled_in(both, second)
    kept = await put_in(both, second, "submission-1", typed)
    again = await put_in(both, second, "submission-1", typed)
    assert (kept, again) == (Saved(1), Saved(1, repeated=True))
    assert await both.count(AnswerRow) == 2
    assert len({id_ for *_, id_ in both.told}) == len(both.told)
