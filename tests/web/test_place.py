"""A participant's own page: what it shows, what can be done there, and that nothing happens by looking at it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from lifecycle.events import EVENTS
from operations.mentorships.status import show
from operations.people.correct import Details, correct
from runtime.outbox_relay import relay_once
from store.tables import (
    AddressChangeRow,
    AnswerRow,
    CohortPersonRow,
    EventRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    OperationRow,
    ParticipantRow,
    RelayRow,
    StepRow,
)
from testing.environments.web_env import COHORT, WebEnv, filled_in, hidden, send

ADAS = ("pair", "reverse", "peers", "group")
"""Mentorships of Ada."""


def me(web_env: WebEnv, person: str = "ada", generation: int = 1) -> str:
    return "/me/" + web_env.links.place_token(person, generation)


@pytest.fixture
async def client(both: WebEnv) -> AsyncIterator[httpx.AsyncClient]:
    async with both.client() as client:
        yield client


@pytest.fixture
async def reader(web_env: WebEnv) -> AsyncIterator[httpx.AsyncClient]:
    async with web_env.client() as client:
        yield client


async def act(client: httpx.AsyncClient, path: str, **typed: Any) -> httpx.Response:
    """Open the page of an act and press its button."""
    page = await client.get(path)
    return await client.post(path, data=hidden(page.text) | typed)


def told(web_env: WebEnv, *names: str) -> list[dict[str, Any]]:
    """What the workflows were told, each as an event that they understand."""
    for _, _, name, payload, id_ in web_env.told:
        assert TypeAdapter(EVENTS[name]).validate_python(payload).id == id_
    return [payload for _, _, name, payload, _ in web_env.told if name in names]


async def events(web_env: WebEnv) -> list[tuple[str, str, str, str]]:
    async with web_env.database.session() as session:
        rows = await session.scalars(select(EventRow).order_by(EventRow.id))
        return [(row.mentorship, row.name, row.detail, row.why) for row in rows]


async def plan(web_env: WebEnv) -> None:
    async with web_env.database.begin() as session:
        for name, number, on in (
            ("check_in", 2, date(2027, 4, 30)),
            ("midpoint", 1, date(2027, 5, 24)),
            ("winding_down", 1, date(2027, 8, 30)),
            ("winding_down", 2, date(2027, 9, 13)),
        ):
            session.add(
                StepRow(
                    cohort=COHORT, mentorship="pair", name=name, number=number, phase=name, verb="ask",
                    state="planned", opens=on, asked=[], answered=[],
                )
            )  # fmt: skip


# -- what it shows -------------------------------------------------------------------------------------------------


async def test_the_page_shows_what_is_open_what_comes_and_what_was_answered(
    web_env: WebEnv, reader: httpx.AsyncClient
) -> None:
    await plan(web_env)
    await web_env.change(MentorshipRow, {"key": "pair"}, phase="check_ins")
    for key in ("pair-2", "reverse", "peers", "group"):
        await web_env.change(MentorshipRow, {"key": key}, phase="expectations")
    await web_env.ask("check_in", "ada")
    fit = await web_env.ask("fit_check", "ada")
    await send(reader, fit, await filled_in(web_env, fit))
    page = await reader.get(me(web_env))
    assert page.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    assert "For Ada L. – not you?" in text
    assert "With Mia Okonkwo You are mentee in Spring 2027 Where it stands under way" in text
    assert "until the end of Thursday 15 April" in text
    assert "Friday 30 April A check-in of a minute Monday 24 May Looking back half way" in text
    first, second = "A mail about finishing well", "Another mail about finishing well"
    assert f"Monday 30 August {first} Monday 13 September {second}" in text
    assert f'href="{fit}"' in page.text
    assert "Two weeks in , sent on Monday 5 April" in text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]


async def test_nobody_learns_who_the_partner_is_before_the_introduction(
    web_env: WebEnv, reader: httpx.AsyncClient
) -> None:
    page = await reader.get(me(web_env))
    assert "Mia Okonkwo" not in page.text


@pytest.mark.parametrize("spoilt", ["stop", "generation", "erased", "changed"])
async def test_a_link_that_is_not_good_opens_nothing(web_env: WebEnv, reader: httpx.AsyncClient, spoilt: str) -> None:
    path = me(web_env)
    if spoilt == "stop":
        path = "/me/" + web_env.links.stop_token("ada", 1)
    if spoilt == "changed":
        path = path[:-1] + ("A" if path[-1] != "A" else "B")
    if spoilt == "generation":
        await web_env.change(ParticipantRow, {"id": "ada"}, generation=2)
    if spoilt == "erased":
        await web_env.change(ParticipantRow, {"id": "ada"}, standing="erased")
    before = await web_env.snapshot()
    forms = ("/address", "/address/ask", "/concern", "/details", "/erase", "/leave/spring/pair")
    for rest in ("", "/data", "/data.json", *forms):
        assert (await reader.get(path + rest)).status_code == 404, rest
    for rest in (*forms, "/reminders", "/address/cancel", "/pause/spring/pair"):
        assert (await reader.post(path + rest, data={"wanted": "no"})).status_code == 404, rest
    assert await web_env.snapshot() == before


async def test_nobody_acts_on_a_mentorship_that_is_not_theirs(web_env: WebEnv, reader: httpx.AsyncClient) -> None:
    before = await web_env.snapshot()
    for where in ("spring/pair-2", "spring/nowhere", "autumn/pair"):
        for name in ("pause", "resume", "end", "leave"):
            answer = await reader.post(f"{me(web_env)}/{name}/{where}", data={"reason": "no_fault"})
            assert answer.status_code == 404, (name, where)
    assert (await reader.post(f"{me(web_env)}/extend/spring/pair")).status_code == 404
    assert await web_env.snapshot() == before


async def test_looking_at_everything_changes_nothing(web_env: WebEnv, reader: httpx.AsyncClient) -> None:
    await web_env.change(MentorshipRow, {"key": "pair"}, phase="check_ins")
    await web_env.ask("check_in", "ada")
    before = await web_env.snapshot()
    paths = {me(web_env)}
    seen: set[str] = set()
    while paths - seen:
        path = sorted(paths - seen)[0]
        seen.add(path)
        for _ in range(5):
            page = await reader.get(path)
            assert page.status_code == 200, path
            paths |= {found.partition("#")[0] for found in re.findall(r'(?:href|action)="(/me/[^"]+)"', page.text)}
        await reader.head(path)
        paths.discard(f"{me(web_env)}/reminders")
    assert len(seen) > 10
    assert (await reader.get(f"{me(web_env)}/reminders")).status_code == 405
    assert await web_env.snapshot() == before
    assert web_env.told == []


# -- what can be done ----------------------------------------------------------------------------------------------


async def test_a_pause_is_committed_told_and_resumed(both: WebEnv, client: httpx.AsyncClient) -> None:
    page = await act(client, f"{me(both)}/pause/spring/pair", until="2027-05-03", reason="illness")
    assert page.url.path == me(both)
    assert "The mentorship is paused" in page.text
    [paused] = told(both, "Pause")
    assert paused | {"id": ""} == {
        "id": "", "until": "2027-05-03", "by": "ada", "based_on": None, "begins": None, "tell": False
    }  # fmt: skip
    async with both.database.session() as session:
        operation = await session.get(OperationRow, paused["id"])
        assert operation is not None
        assert (operation.kind, operation.by, operation.why) == ("pause", "ada", "Illness")
    assert "Illness" not in json.dumps([row[3] for row in both.told])
    await both.change(MentorshipRow, {"key": "pair"}, paused_until="2027-05-03")
    page = await client.get(me(both))
    assert "paused until Monday 3 May" in page.text
    action = f"{me(both)}/resume/spring/pair"
    assert f'action="{action}"' in page.text
    page = await client.post(action, data={"submission_id": "abcdefgh1"})
    assert "The pause is over" in page.text
    assert [one["by"] for one in told(both, "Resume")] == ["ada"]


async def test_a_pause_can_begin_later_be_told_and_be_taken_back(both: WebEnv, client: httpx.AsyncClient) -> None:
    path = f"{me(both)}/pause/spring/pair"
    form = (await client.get(path)).text
    assert "Tell my mentor (the dates only, not the reason)" in form
    assert " checked" not in form
    assert (
        "Tell the others (the dates only, not the reason)" in (await client.get(path.replace("pair", "group"))).text
    )
    fields: dict[str, str] = {"from": "2027-04-19", "until": "2027-05-03", "reason": "parental", "tell": "yes"}
    page = await client.post(path, data=hidden(form) | fields)
    assert "The pause is planned" in page.text
    [planned] = told(both, "Pause")
    assert (planned["begins"], planned["until"], planned["tell"]) == ("2027-04-19", "2027-05-03", True)
    assert "parental" not in json.dumps([row[3] for row in both.told]).lower()
    await both.change(MentorshipRow, {"key": "pair"}, pause_ahead="2027-04-19/2027-05-03")
    page = await client.get(me(both))
    assert "will be paused from Monday 19 April until Monday 3 May" in page.text
    assert "Take the pause back" in page.text
    again = await client.post(path, data=hidden(form) | fields | {"from": "2027-05-10", "until": ""})
    assert "Another pause is planned already" in again.text
    page = await client.post(f"{me(both)}/resume/spring/pair", data={"submission_id": "abcdefgh1"})
    assert "The pause is taken back" in page.text
    assert [one["by"] for one in told(both, "Resume")] == ["ada"]


@pytest.mark.parametrize(
    ("begins", "until", "says"),
    [
        ("2027-04-04", "2027-05-03", "That day is over"),
        ("2027-05-03", "2027-05-03", "must begin before the day"),
        ("2127-05-03", "", "ends before that day"),
    ],
)
async def test_a_first_day_that_makes_no_sense_is_said_at_its_field(
    web_env: WebEnv, reader: httpx.AsyncClient, begins: str, until: str, says: str
) -> None:
    path = f"{me(web_env)}/pause/spring/pair"
    page = await reader.post(path, data=hidden((await reader.get(path)).text) | {"from": begins, "until": until})
    assert page.status_code == 422
    assert says in page.text
    assert f'value="{begins}"' in page.text
    assert web_env.told == []


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("2027-04-05", "after today"),
        ("2019-01-01", "after today"),
        ("2190-01-01", "ten years"),
        ("soon", "Enter a date"),
    ],
)
async def test_a_pause_that_makes_no_sense_is_said_at_the_field(
    web_env: WebEnv, reader: httpx.AsyncClient, until: str, says: str
) -> None:
    page = await act(reader, f"{me(web_env)}/pause/spring/pair", until=until)
    assert page.status_code == 422
    assert "There is a problem" in page.text
    assert says in page.text
    assert f'value="{until}"' in page.text
    assert await web_env.count(RelayRow) == 0
    assert web_env.told == []


async def test_the_same_button_twice_is_one_act(both: WebEnv, client: httpx.AsyncClient) -> None:
    for path, typed in (
        (f"{me(both)}/leave/spring/pair", {}),
        (f"{me(both)}/concern", {"where": "spring/group", "kind": "conduct", "text": "x", "contact": "no"}),
        (f"{me(both)}/erase", {}),
        (f"{me(both)}/details", {"name": "Ada L", "zone": "Europe/Paris"}),
    ):
        fields = hidden((await client.get(path)).text) | typed
        first = await client.post(path, data=fields)
        after = await both.snapshot()
        second = await client.post(path, data=fields)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.url == second.url
        assert await both.snapshot() == after, path
    assert len(told(both, "Leave")) == 1


async def test_another_act_under_the_same_submission_is_another_act(both: WebEnv, client: httpx.AsyncClient) -> None:
    """Somebody goes back, adds "danger now", or writes of a second thing, and sends again: nothing is thrown away."""
    first = {"where": "spring/group", "kind": "unsure", "text": "He shouted", "contact": "no"}
    concerns = (first, first | {"danger": "yes"}, first | {"text": "And again"}, first)
    fields = hidden((await client.get(f"{me(both)}/concern")).text)
    for typed in concerns:
        page = await client.post(f"{me(both)}/concern", data=fields | typed)
        assert "We have your concern" in page.text
    raised = [row for row in await events(both) if row[1] == "concern_raised"]
    assert [(detail, why.partition("\n")[0]) for _, _, detail, why in raised] == [
        ("unsure", "He shouted"), ("unsure, in danger now", "He shouted"), ("unsure", "And again"),
    ]  # fmt: skip
    assert len({one["id"] for one in told(both, "Answered")}) == 3

    fields = hidden((await client.get(f"{me(both)}/details")).text)
    for name in ("Ada L", "Ada Byron"):
        await client.post(f"{me(both)}/details", data=fields | {"name": name, "zone": "Europe/Paris"})
    async with both.database.session() as session:
        assert (await session.get_one(ParticipantRow, "ada")).name == "Ada Byron"

    fields = hidden((await client.get(f"{me(both)}/address")).text)
    for email in ("ada@new.example.org", "ada@newer.example.org", "ada@newer.example.org"):
        await client.post(f"{me(both)}/address", data=fields | {"email": email})
    async with both.database.session() as session:
        asked = await session.scalars(select(AddressChangeRow.email).order_by(AddressChangeRow.email))
        assert list(asked) == ["ada@new.example.org", "ada@newer.example.org"]


async def test_what_was_done_while_temporal_was_away_is_told_later(both: WebEnv, client: httpx.AsyncClient) -> None:
    both.deaf = True
    page = await act(client, f"{me(both)}/leave/spring/pair")
    assert "You have left the mentorship" in page.text
    assert "Your leaving is on its way" in page.text
    assert both.told == []
    both.deaf = False
    await relay_once(both.database, both.tell, both.now + timedelta(minutes=10))
    assert [(one["person"], one["erased"]) for one in told(both, "Leave")] == [("ada", False)]
    assert await both.count(RelayRow) == 0


async def test_an_end_is_proposed_once_it_has_begun(web_env: WebEnv, reader: httpx.AsyncClient) -> None:
    path = f"{me(web_env)}/end/spring/pair"
    early = await act(reader, path, reason="no_fault")
    assert early.status_code == 409
    assert "has not begun yet" in early.text
    await web_env.change(MentorshipRow, {"key": "pair"}, phase="check_ins")
    assert (await act(reader, path)).status_code == 422
    await act(reader, path, reason="goals_reached")
    [proposed] = told(web_env, "ProposeEnd")
    assert (proposed["person"], proposed["reason"]) == ("ada", "goals_reached")


@pytest.mark.parametrize("state", ["over", "early", "out"])
async def test_what_the_workflow_would_refuse_is_said_kindly(
    web_env: WebEnv, reader: httpx.AsyncClient, state: str
) -> None:
    if state == "over":
        await web_env.change(MentorshipRow, {"key": "pair"}, state="over")
    elif state == "out":
        await web_env.change(MembershipRow, {"mentorship": "pair", "person": "ada"}, standing="out")
    else:
        async with web_env.database.begin() as session:
            session.add(EventRow(cohort=COHORT, mentorship="pair", at=web_env.now, name="ending_early"))
    for name in ("pause", "end", "resume"):
        for page in (
            await reader.get(f"{me(web_env)}/{name}/spring/pair"),
            await reader.post(f"{me(web_env)}/{name}/spring/pair", data={"reason": "no_fault"}),
        ):
            if name != "resume" or page.request.method == "POST":
                assert page.status_code == 409
                assert "That is not possible now" in page.text
    assert f"{me(web_env)}/pause/spring/pair" not in (await reader.get(me(web_env))).text
    assert web_env.told == []


async def test_reminders_stop_and_come_again(both: WebEnv, client: httpx.AsyncClient) -> None:
    for wanted, done in (("no", "Your reminders are stopped"), ("yes", "You get reminders again")):
        page = await client.post(
            f"{me(both)}/reminders", data={"wanted": wanted, "submission_id": f"submission-{wanted}"}
        )
        assert done in page.text
        async with both.database.session() as session:
            ada = await session.get_one(ParticipantRow, "ada")
            assert ada.reminders_stopped == (wanted == "no")
    assert [name for _, name, _, _ in await events(both)] == ["reminders_stopped", "reminders_restarted"]
    # Each of it is a sign of life, in each of her mentorships.
    assert len(told(both, "Seen")) == 2 * len(ADAS)


async def test_a_concern_goes_the_way_of_a_safety_report(both: WebEnv, client: httpx.AsyncClient) -> None:
    secret = "He shouted at me in the café"
    page = await act(
        client, f"{me(both)}/concern", where="spring/pair", kind="conduct", text=secret, contact="yes", how="0123",
        danger="yes",
    )  # fmt: skip
    assert "We have your concern" in page.text
    assert "emergency number" in page.text
    [answered] = told(both, "Answered")
    assert answered["signals"]["safety"] is True
    assert (answered["person"], answered["ask"]) == ("ada", "concern")
    assert secret not in json.dumps([row[3] for row in both.told])
    raised = [row for row in await events(both) if row[1] == "concern_raised"]
    assert raised == [("pair", "concern_raised", "conduct, in danger now", f"{secret}\nTo be contacted: 0123")]
    listed = await show(both.database, f"{COHORT}/pair")
    assert secret not in repr(listed), "on the command line as on the pages: only to those who open it"
    assert secret in repr(await show(both.database, f"{COHORT}/pair", concerns_for="coco"))


async def test_a_concern_about_a_coordinator_goes_past_them(web_env: WebEnv, reader: httpx.AsyncClient) -> None:
    assert "Is it about a coordinator?" not in (await reader.get(f"{me(web_env)}/concern")).text
    async with web_env.database.begin() as session:
        session.add(ParticipantRow(id="dora", name="Dora", email="dora@example.org", zone="Europe/Rome"))
        await session.flush()
        session.add(CohortPersonRow(cohort=COHORT, person="dora", role="deputy"))
    await act(
        reader, f"{me(web_env)}/concern", where="spring/pair", kind="interest", text="x", contact="no", about="coco"
    )  # fmt: skip
    [answered] = told(web_env, "Answered")
    assert answered["signals"]["safety"] is True
    assert answered["signals"]["not_to"] == ["coco"]


async def test_details_are_corrected_at_once(both: WebEnv, client: httpx.AsyncClient) -> None:
    wrong = await act(client, f"{me(both)}/details", name="", zone="Nowhere/Land")
    assert wrong.status_code == 422
    await act(client, f"{me(both)}/details", name="Ada Lovelace", zone="Asia/Tokyo")
    async with both.database.session() as session:
        ada = await session.get_one(ParticipantRow, "ada")
        assert (ada.name, ada.zone, ada.email, ada.generation) == ("Ada Lovelace", "Asia/Tokyo", "ada@example.org", 1)
    assert {one["zone"] for one in told(both, "Moved")} == {"Asia/Tokyo"}
    assert "Ada Lovelace" not in json.dumps([row[3] for row in both.told])


async def test_whoever_asks_to_be_erased_becomes_a_task(both: WebEnv, client: httpx.AsyncClient) -> None:
    page = await act(client, f"{me(both)}/erase")
    assert "The coordinators are asked to erase you" in page.text
    [answered] = told(both, "Answered")
    assert answered["signals"]["help"] is True
    assert answered["signals"]["wish"] == "erase"
    await both.change(MentorshipRow, {"cohort": COHORT}, state="over")
    page = await client.get(f"{me(both)}/erase")
    assert "coco@example.org" in page.text
    assert "Ask to be erased</button>" not in page.text


async def test_whoever_can_not_read_the_old_address_asks_a_coordinator_for_a_new_one(
    web_env: WebEnv, reader: httpx.AsyncClient
) -> None:
    assert (await act(reader, f"{me(web_env)}/address/ask", email="nowhere")).status_code == 422
    page = await act(reader, f"{me(web_env)}/address/ask", email="ada@new.example.org")
    assert "The coordinators are asked to take over your new address" in page.text
    [answered] = told(web_env, "Answered")
    assert (answered["signals"]["help"], answered["signals"]["wish"]) == (True, "address")
    assert "new.example.org" not in json.dumps([row[3] for row in web_env.told])
    assert [(name, why) for _, name, _, why in await events(web_env)] == [("asks_for_address", "ada@new.example.org")]
    details = Details(email="ada@new.example.org")
    await correct(web_env.database, "ada", details, web_env.now, by="coco", tell=web_env.tell)
    # The reader of the old address opens nothing of hers any more; her next mail brings a new link.
    assert (await reader.get(me(web_env))).status_code == 404
    page = await reader.get(me(web_env, generation=2))
    assert "ada@new.example.org" in page.text


# -- everything that is held ---------------------------------------------------------------------------------------


async def test_the_download_holds_what_is_theirs_and_nothing_of_anybody_else(
    both: WebEnv, client: httpx.AsyncClient
) -> None:
    for person, word in (("ada", "Mine alone"), ("mia", "Hers alone")):
        path = await both.ask("check_in", person)
        await send(client, path, await filled_in(both, path, p_word=word))
        closure = await both.ask("closure", person)
        await client.post(closure, data={"c_note": f"{word} too", "save": "1"})
        await act(
            client, f"{me(both, person)}/concern", where="spring/pair", kind="unsure", text=f"{word} in trouble",
            contact="no",
        )  # fmt: skip
        await act(client, f"{me(both, person)}/pause/spring/pair", until="2027-06-01", reason="illness")
    async with both.database.begin() as session:
        session.add(
            EventRow(
                cohort=COHORT, mentorship="pair", at=both.now, name="seen_differently", person="ada",
                detail="check_in#1",
            )
        )  # fmt: skip
        for person in ("ada", "mia"):
            session.add(
                MessageRow(
                    id=person, person=person, cohort=COHORT, at=both.now, local_date=both.now.date(), state="sent",
                    recipient=f"{person}@example.org", subject=f"A mail to {person}", raw="",
                )
            )  # fmt: skip
    answer = await client.get(f"{me(both)}/data.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    held = answer.json()
    assert held["person"]["email"] == "ada@example.org"
    assert sorted(one["mentorship"] for one in held["mentorships"]) == sorted(ADAS)
    assert [one["answers"]["p_word"] for one in held["answers"]] == ["Mine alone"]
    assert held["drafts"][0]["fields"]["c_note"] == ["Mine alone too"]
    assert [one["subject"] for one in held["mails"]] == ["A mail to ada"]
    page = (await client.get(f"{me(both)}/data")).text
    assert "(check-in 1)" in page
    assert "check_in#1" not in page
    assert "<dt>Language</dt><dd>English</dd>" in page
    for found in (answer.text, page):
        assert found.count("Mine alone in trouble") >= 1
        assert "Illness" in found
        assert "Hers alone" not in found
        assert "mia@example.org" not in found
        assert "A mail to mia" not in found
        assert "America/New_York" not in found
    assert "Mine alone</span>" in page
    assert await both.count(AnswerRow) == 2
