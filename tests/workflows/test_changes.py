"""Mentorships that change on the way, by people and by accident: replaced, joined, bounced, answered
late, cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from demo.visitor import public_id, tokens_in
from lifecycle.events import Add, Cancel, Event, Remove, Replace
from lifecycle.local_time import instant
from program.loader import load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.people import ReceivedRequest, Reply
from store.database import migrate
from store.tables import AnswerRow, RequestRow
from testing.cohorts.all_cases import POST, ZONE, behaviour_of, cohort_of, launch_moment, written
from testing.cohorts.cases import START, Case
from testing.environments.engine import NOON, Engine, run_engine, time_skipping
from testing.seasons.played_season import PlayedSeason, logs_kept, look_back, runtime
from tests.workflows.test_privacy import private

CASES = (
    Case("replaced", "clock"),
    Case("joined", "clock_group", others=({},)),
    Case("bounced", "clock"),
    Case("late", "clock", mentee={"check_in#1": "never"}),
    Case("cancelled", "clock"),
)
NEWCOMERS = ("newcomer", "joiner")


@dataclass
class Changed:
    """What came of it all."""

    played: PlayedSeason
    late: list[tuple[str, bool]]
    """(form, late) of every answer of the mentee who answers late."""


@pytest.fixture(scope="module")
async def changed(tmp_path_factory: pytest.TempPathFactory) -> Changed:
    """All of them in one season."""
    folder = tmp_path_factory.mktemp("changes")
    file: dict[str, Any] = cohort_of(CASES, "changes") | {"program": "clock"}
    behaviour = behaviour_of(CASES)
    for person in NEWCOMERS:
        file["participants"].append({**file["participants"][0], "id": person, "email": f"{person}@{POST}"})
        behaviour["people"][person] = {"default": {"after": 1, "at": "20:20"}}
    cohort, _ = written(folder, file, behaviour)
    url = f"sqlite+aiosqlite:///{folder / 'changes.db'}"
    migrate(url)
    loaded = load_cohort(cohort)
    with logs_kept() as logs:
        async with (
            time_skipping(runtime()) as env,
            run_engine(env, url, loaded, Behaviour.model_validate(behaviour)) as engine,
        ):
            refused = f"bounced-mentee@{POST}"
            engine.sink.script(refused, *["accept"] * 4, f"rcpt 550 5.1.1 <{refused}> unknown")
            await engine.move_to(launch_moment(loaded))
            await engine.launch()
            _happens(engine, 3, "replaced", Replace("op/1", "replaced-mentee", "newcomer", ZONE, "c1"))
            _happens(engine, 6, "joined", Add("op/3", "joiner", "mentee", ZONE, "c1"))
            _happens(engine, 25, "joined", Remove("op/4", "joined-mentee", "c1"))
            _happens(engine, 26, "joined", Remove("op/5", "joined-mentee2", "c1"))
            _happens(engine, 30, "cancelled", Cancel("op/6", "c1"))
            engine.at(instant(START + timedelta(days=22), NOON, ZONE), lambda: _answers_late(engine))
            await engine.play()
            played = await look_back(engine)
            async with engine.database.session() as session:
                rows = await session.execute(
                    select(RequestRow.ask, AnswerRow.late)
                    .join(AnswerRow, AnswerRow.request == RequestRow.key)
                    .where(RequestRow.person == "late-mentee")
                )
                late = [(ask, bool(was_late)) for ask, was_late in rows]
    played.logs = logs
    return Changed(played, late)


def _happens(engine: Engine, day: int, key: str, event: Event) -> None:
    async def happen() -> None:
        await engine.send(key, event)

    engine.at(instant(START + timedelta(days=day), NOON, ZONE), happen)


async def _answers_late(engine: Engine) -> None:
    """The check-in of day 14 closed on day 19; somebody finds the mail on day 22."""
    async with engine.database.session() as session:
        request = await session.scalar(
            select(RequestRow).where(RequestRow.person == "late-mentee", RequestRow.ask == "check_in")
        )
    assert request is not None
    mails = [mail.raw for mail in engine.sink.mails_to(f"late-mentee@{POST}")]
    token = next(token for raw in mails for token in tokens_in(raw) if public_id(token) == request.public_id)
    form = engine.loaded.forms["clock"]["check_in"]
    asked = ReceivedRequest("late-mentee", "check_in", 1, "mentee", "one_to_one", ZONE, engine.now)
    answers = form.contented("mentee", "one_to_one") | {"p_help": "yes"}
    assert await engine.visitor.answer(token, asked, form, Reply(engine.now, answers), "Late")


def of(changed: Changed, key: str, part: str) -> list[dict[str, Any]]:
    """The lines of a mentorship in one part of the ledger."""
    return [line for line in changed.played.ledger[part] if line["mentorship"] == key]


def told(changed: Changed, person: str) -> list[str]:
    """`name number` of everything that a person got, in order."""
    return [
        f"{item['name']} {item['number']}"
        for mail in changed.played.ledger["mails"]
        for item in mail["items"]
        if mail["person"] == person
    ]


def test_a_newcomer_takes_a_seat_with_the_steps_that_are_ahead(changed: Changed) -> None:
    assert told(changed, "newcomer")[0] == "invitation 2"
    assert {"introduction 2", "agreement_concluded 2", "check_in 1"} <= set(told(changed, "newcomer"))
    assert "check_in 1" not in told(changed, "replaced-mentee")
    [ending] = of(changed, "replaced", "endings")
    assert ending["ending"] == "completed_partial"


def test_a_group_takes_another_member_and_says_when_it_has_become_small(changed: Changed) -> None:
    assert told(changed, "joiner")[0] == "invitation 2"
    assert "check_in 1" in told(changed, "joiner")
    assert [f"{task['kind']} {task['decision']}" for task in of(changed, "joined", "tasks")] == ["small_group noted"]


def test_an_address_that_refuses_mail_becomes_a_task_and_gets_none(changed: Changed) -> None:
    assert [f"{task['kind']} {task['decision']}" for task in of(changed, "bounced", "tasks")] == ["bounced noted"]
    reasons = {line["reason"] for line in changed.played.ledger["dropped"] if "bounced-mentee" in line["key"]}
    assert reasons == {"bounced"}


def test_a_late_answer_is_kept_and_a_cry_for_help_is_heard(changed: Changed) -> None:
    assert ("check_in", True) in changed.late
    assert [f"{task['kind']} {task['decision']}" for task in of(changed, "late", "tasks")] == ["help noted"]
    assert "late_answer" in changed.played.notes["late"]


def test_a_cancelled_mentorship_stops(changed: Changed) -> None:
    [ending] = of(changed, "cancelled", "endings")
    assert (ending["ending"], ending["on"]) == ("cancelled", (START + timedelta(days=30)).isoformat())
    assert all(step["state"] in ("settled", "skipped") for step in of(changed, "cancelled", "steps"))


def test_temporal_and_the_logs_know_nobody_of_all_this(changed: Changed) -> None:
    secret = private(changed.played)
    assert sorted({found[0] for trace in changed.played.traces if (found := secret.search(trace))}) == []
    assert [line for line in changed.played.logs if secret.search(line.encode())] == []
