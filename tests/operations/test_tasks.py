"""Tasks reach a human: one mail on the days when something is new or due, with what it takes to decide."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.commands import CloseTask, OpenTask, Post
from lifecycle.delivery.postbox import LOOK_AFTER
from lifecycle.keys import task_item_key, task_key
from lifecycle.tasks import KINDS
from operations.errors import NotFound
from operations.mentorships.tasks import open_tasks
from store.columns import public_id
from store.database import Database
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR
from testing.environments.delivery_env import DAY, HOUR, LINKS, NINE, DeliveryEnv, open_delivery_env
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink

DUE = date(2026, 3, 5)
"""A Thursday."""


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with running_sink() as found:
        yield found


@pytest.fixture
async def delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    async with open_delivery_env(database, sink) as found:
        yield found


def key(kind: str, mentorship: str = PAIR.key) -> str:
    return task_key(COHORT, mentorship, kind, 1)


def opens(kind: str, *about: str, due: date = DUE, mentorship: str = PAIR.key) -> dict[str, Any]:
    """A task, and the item that tells Casey of it."""
    its_key = key(kind, mentorship)
    task = OpenTask(its_key, kind, 1, f"Reason of {kind}.", due, KINDS[kind][1], about)
    return {"open_tasks": [task], "posts": [tells("task_opened", kind, mentorship=mentorship)]}


def tells(name: str, kind: str, person: str = "casey", mentorship: str = PAIR.key) -> Post:
    its_key = key(kind, mentorship)
    urgent: Any = "urgent" if kind == "safety" else "notice"
    return Post(
        task_item_key(its_key, person, name), person, urgent, name, 1, date(2026, 3, 1), task=its_key,
        about=mentorship, after_end=True,
    )  # fmt: skip


def page(kind: str, mentorship: str = PAIR.key) -> str:
    """The address of a task's page in a mail: it says nothing of the task."""
    return LINKS.task_url(public_id(key(kind, mentorship)))


def mails(delivery_env: DeliveryEnv, person: str = "casey") -> list[str]:
    return [mail.text.replace("\r\n", "\n") for mail in delivery_env.sink.mails_to(f"{person}@example.org")]


async def test_one_mail_on_days_with_something_new_or_due_and_none_otherwise(delivery_env: DeliveryEnv) -> None:
    await delivery_env.turn(NINE - HOUR, **opens("stalled", "ben"))
    await delivery_env.turn(NINE - HOUR, mentorship=GROUP.key, **opens("small_group", mentorship=GROUP.key))
    await delivery_env.deliver_until_done(NINE + HOUR)
    [mail] = mails(delivery_env)
    table = [line.replace("\n  ", " ") for line in re.findall(r"^- .*(?:\n  .*)*", mail, re.MULTILINE)]
    assert table == [
        f"- A mentorship has stalled · {PAIR.key} · Thursday 5 March · Open the task ({page('stalled')})",
        f"- A group has become very small · {GROUP.key} · Thursday 5 March · "
        f"Open the task ({page('small_group', GROUP.key)})",
    ]
    small = key("small_group", GROUP.key)

    for days in (1, 2):
        await delivery_env.deliver_until_done(NINE + days * DAY + HOUR)
    assert len(mails(delivery_env)) == 1, "nothing is new, nothing is due"

    due = NINE + 3 * DAY
    await delivery_env.turn(due - 8 * HOUR, posts=[tells("task_repeated", "stalled")])
    closed = {"close_tasks": [CloseTask(small, "noted", "casey")]}
    repeated = tells("task_repeated", "small_group", mentorship=GROUP.key)
    await delivery_env.turn(due - 8 * HOUR, mentorship=GROUP.key, posts=[repeated])
    await delivery_env.turn(due - HOUR, mentorship=GROUP.key, **closed)
    await delivery_env.deliver_until_done(due + HOUR)
    assert len(mails(delivery_env)) == 2
    assert "Still open" in mails(delivery_env)[1]
    assert "small_group" not in mails(delivery_env)[1], "it was decided meanwhile"
    mail = mails(delivery_env)[1]
    assert "Reason of stalled." in mail
    assert "Concerns: Ben Mentee" in mail
    assert re.findall(r"^- (\w+) – ", mail, re.MULTILINE) == ["noted", "nudge", "pause", "replace", "end"]
    assert page("stalled") in mail

    await delivery_env.turn(due + 4 * DAY - 8 * HOUR, posts=[tells("task_to_deputy", "stalled", "dana")])
    await delivery_env.deliver_until_done(due + 4 * DAY + HOUR)
    assert len(mails(delivery_env)) == 2
    [to_deputy] = mails(delivery_env, "dana")
    assert page("stalled") in to_deputy


async def test_what_is_urgent_goes_at_once_and_says_nothing(delivery_env: DeliveryEnv) -> None:
    night = NINE - 6 * HOUR
    await delivery_env.turn(night, **opens("safety", "ben", due=night.date()))
    await delivery_env.deliver_until_done(night)
    [mail] = mails(delivery_env)
    assert page("safety") in mail
    for word in ("Reason of", "Ben", PAIR.key):
        assert word not in mail


async def test_tasks_are_found_by_cohort_kind_and_whom_they_wait_for(delivery_env: DeliveryEnv) -> None:
    await delivery_env.turn(NINE - HOUR, **opens("stalled", "ben"))
    await delivery_env.turn(
        NINE - HOUR, mentorship=GROUP.key, **opens("help", "dan", due=DUE + DAY, mentorship=GROUP.key)
    )
    told = tells("task_to_deputy", "stalled", "dana")
    await delivery_env.turn(NINE, posts=[told])
    stalled, wanted = key("stalled"), key("help", GROUP.key)

    async def found(now: Any = NINE, **filters: Any) -> list[str]:
        return [one.line.key for one in await open_tasks(delivery_env.database, now, **filters)]

    assert await found() == [stalled, wanted]
    assert await found(cohort=COHORT, kind="help") == [wanted]
    assert await found(who="Casey Coordinator") == [stalled, wanted]
    assert await found(who="dana@example.org") == [stalled], "only what has gone to the deputies"
    midnight = NINE - LOOK_AFTER + 4 * DAY - 9 * HOUR
    assert await found(midnight - timedelta(seconds=1), overdue=True) == []
    assert await found(midnight, overdue=True) == [stalled], "once its date has ended in the cohort's zone"
    [first, _] = await open_tasks(delivery_env.database, NINE)
    assert first.plain["look"] == f"mentorship show {COHORT}/{PAIR.key}"
    assert first.plain["commands"][2] == f"mentorship decide {stalled} pause --until 3w"
    for filters, says in (
        ({"kind": "stale"}, "did you mean stalled?"),
        ({"cohort": "winter"}, "there is no cohort 'winter'"),
        ({"who": "ben"}, "'ben' coordinates nothing and is nobody's deputy; there are casey"),
    ):
        with pytest.raises(NotFound, match=re.escape(says)):
            await found(**filters)
