"""A notice that is no longer true when it would be delivered is dropped as `untrue`, by what the database holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from activities.letters.prepare import decide
from lifecycle.commands import CloseTask, MemberRecord, OpenTask
from lifecycle.delivery.notices import facts_of
from lifecycle.keys import item_key, task_item_key, task_key
from store.delivery import due
from testing.cohorts.one_mentorship import one_mentorship
from testing.cohorts.small_cohort import COHORT, PAIR, item
from testing.environments.delivery_env import HOUR, MONDAY, NINE, DeliveryEnv

TASK = OpenTask(task_key(COHORT, PAIR.key, "help", 1), "help", 1, "Somebody asks.", MONDAY, ("noted", "end"))
BOTH = [MemberRecord("ada", "mentor", "accepted"), MemberRecord("ben", "mentee", "accepted")]


def notice(name: str, person: str = "ada", kind: Any = "notice", **more: Any) -> Any:
    key = item_key(COHORT, PAIR.key, name, 1, person, kind)
    return item(person, kind, key=key, name=name, request="", **more)


async def fate(delivery_env: DeliveryEnv, name: str, person: str = "ada") -> str:
    found = [
        state for key, state in (await delivery_env.items()).items() if f"/{person}" in f"/{key}" and name in key
    ]
    assert len(found) == 1, found
    return found[0]


Change = Callable[[DeliveryEnv], Awaitable[None]]


def turn(**parts: Any) -> Change:
    return lambda delivery_env: delivery_env.turn(NINE - HOUR, **{"members": BOTH, **parts})


@pytest.mark.parametrize(
    ("post", "before", "after"),
    [
        (notice("introduction", about="ben"), {}, {"members": [MemberRecord("ben", "mentee", "out")]}),
        (notice("introduction", about="ben"), {}, {"ending": True}),
        (notice("get_going"), {}, {"members": [MemberRecord("ben", "mentee", "out")]}),
        (notice("winding_down", about="2026-08-31"), {"end": "2026-08-31"}, {"end": "2026-09-07"}),
        (notice("winding_down", about="2026-08-31"), {"end": "2026-08-31"}, {"end": "2026-08-31", "ending": True}),
        (notice("are_you_there"), {}, {"last_life": NINE - HOUR}),
        (notice("closing_for_silence"), {}, {"last_life": NINE - HOUR}),
        (notice("agreement_reopened", about="2"), {"agreement_open": 2}, {"agreement_open": 0}),
        (notice("agreement_concluded", number=1), {"agreement_in_force": 1}, {"agreement_in_force": 2}),
        (notice("still_paused", "casey"), {"paused_until": "open"}, {"paused_until": ""}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_notice_goes_while_it_holds_and_is_dropped_when_it_does_not(
    delivery_env: DeliveryEnv, post: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    shots = [dict(shot) for shot in (before, after)]
    for shot in shots:
        if "end" in shot:
            shot["end"] = MONDAY.fromisoformat(shot["end"])
    await delivery_env.post(post, members=BOTH, **shots[0])
    box = await looked_at(delivery_env, post.person)
    assert box.dropped == [], "it holds"
    await turn(**shots[0] | shots[1])(delivery_env)
    await delivery_env.deliver_until_done(NINE)
    assert await fate(delivery_env, post.name, post.person) == "dropped untrue"
    assert [detail for _, detail in await delivery_env.events("dropped")] == [f"{post.key} untrue"]
    assert delivery_env.sink.received == []


async def looked_at(delivery_env: DeliveryEnv, person: str) -> Any:
    """What would become of a postbox at nine."""

    async with delivery_env.database.session() as session:
        return decide((await due.postboxes(session, [person], NINE))[person], NINE)


async def test_a_task_that_is_decided_is_not_told_of(delivery_env: DeliveryEnv) -> None:
    told = item("casey", "notice", key=task_item_key(TASK.key, "casey", "task_opened"), name="task_opened",
                task=TASK.key, request="", after_end=True)  # fmt: skip
    await delivery_env.post(told, open_tasks=[TASK])
    await turn(close_tasks=[CloseTask(TASK.key, "noted", "casey")])(delivery_env)
    await delivery_env.deliver_until_done(NINE)
    assert await fate(delivery_env, "task_opened", "casey") == "dropped untrue"


async def test_a_mail_that_was_worded_while_its_notice_became_untrue_is_not_sent(delivery_env: DeliveryEnv) -> None:
    """Between the look and the freezing a partner leaves: what decides is what holds when the mail is claimed."""
    await delivery_env.post(notice("get_going"), members=BOTH)
    async with delivery_env.database.session() as session:
        boxes = await due.postboxes(session, ["ada"], NINE)
    await turn(members=[MemberRecord("ben", "mentee", "out")])(delivery_env)
    async with delivery_env.database.begin() as session:
        assert await due.unchanged(session, boxes, NINE) == set()


def test_the_core_and_the_database_ask_the_same() -> None:
    """What a snapshot says is what the state says."""
    played = one_mentorship().play(until=100)
    facts, shot = facts_of(played.state, "ned"), played.batches[-1].snapshot
    assert (facts.ending, facts.end, facts.last_life) == (shot.ending, shot.end, shot.last_life)
    assert (facts.agreement_open, facts.agreement_in_force) == (shot.agreement_open, shot.agreement_in_force)
    assert (facts.paused_until, facts.pause_ahead) == (shot.paused_until, shot.pause_ahead)
