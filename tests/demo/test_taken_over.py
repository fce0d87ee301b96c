"""Somebody who watches the demo signs in as the coordinator, and decides nothing: nothing is broken, and the verdict
says what waits for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from demo.check import Check
from demo.pages import forms_on
from demo.season import CONFIG, DemoEvent, DemoOptions, DemoSeason, season
from demo.verdict import verdict
from operations.mentorships.labels import phrase
from store.tables import ItemRow, TaskRow

COHORT = """\
cohort: watched
title: A watched season
program: short
start: 2027-03-01
zone: Europe/Berlin
coordinators:
  - {{id: w1, name: Hedwig Sollinger, email: hedwig@example.org}}
apply: {{opens: 2027-01-11, closes: 2027-01-22}}
participants:
  - {{id: w2, name: Gauri Deshpandey, email: gauri@example.org}}
  - {{id: w3, name: Finn Achterhold, email: finn@example.org}}
mentorships:
  - {{key: m01, mentor: w2, mentee: w3, start: {start}}}
"""
PROGRAM = "extends: open-call\nprogram: short\ntitle: Four weeks\nlength: 4w\n"
YOURS = "a decision of yours: "
ATTEMPTS = 3
"""Seasons that are played until one is in time: a machine that is busy makes people miss what they meant to do."""
PEOPLE = "people:\n  w3: {midpoint: {answers: {p_help: safety}}}\n  d08: {apply#2: {after: 5}}\n"


def files(folder: Path) -> DemoOptions:
    """A mentorship of four weeks in which somebody reports a concern, beside an open call."""
    for name, text in (
        ("cohorts/watched.yaml", COHORT.format(start=datetime.now(UTC).date() + timedelta(days=8))),
        ("programs/short.yaml", PROGRAM),
        ("people/watched.yaml", PEOPLE),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    data = folder / "data"
    return DemoOptions(
        data, speed=2.0, cohort=folder / "cohorts/watched.yaml", people=folder / "people/watched.yaml",
        applicants=CONFIG / "cohorts" / "demo-people.csv",
    )  # fmt: skip


async def sign_in(playing: DemoSeason) -> None:
    """Follow the link that the demo prints, as a browser does."""
    async with httpx.AsyncClient(timeout=60) as browser:
        page = await browser.get(playing.sign_in_url)
        [form] = forms_on(page.text)
        entered = await browser.post(str(httpx.URL(playing.sign_in_url).join(form.action)), data=form.fields)
        assert entered.status_code == 303, entered.text


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a season that was taken over."""

    checks: list[Check]
    seen: list[DemoEvent]
    open_tasks: dict[str, TaskRow]
    """Kind to task."""
    held: int
    """Items that are held back."""

    @property
    def in_time(self) -> bool:
        """Whether the machine let everybody come in time, so that everything happened that was meant to."""
        return all(check.kept for check in self.checks)


async def played(folder: Path) -> Played:
    """Play a season in which nobody decides anything."""
    folder.mkdir()
    seen: list[DemoEvent] = []
    async with season(files(folder), seen.append) as playing:
        await playing.launch()
        await sign_in(playing)
        await asyncio.wait_for(playing.play(asyncio.Event()), 300)
        checks = await verdict(playing)
        async with playing.stack.database.session() as session:
            tasks = await session.scalars(select(TaskRow).where(TaskRow.closed_at.is_(None)))
            held = await session.scalar(select(func.count(ItemRow.key)).where(ItemRow.state == "held"))
            return Played(checks, seen, {task.kind: task for task in tasks}, held or 0)


@pytest.mark.timeout(1200)
async def test_what_the_person_who_watches_does_not_decide_waits_and_nothing_is_broken(tmp_path: Path) -> None:
    for attempt in range(ATTEMPTS):
        came = await played(tmp_path / str(attempt))
        broken = [check for check in came.checks if not (check.kept or check.speed)]
        assert broken == []
        waiting = {check.promise: check.counted for check in came.checks if check.waits}
        assert waiting["the pairs are published"] == "they wait until you publish them"
        decisions = {promise: text for promise, text in waiting.items() if promise.startswith(YOURS)}
        assert decisions.keys() == {YOURS + phrase(kind) for kind in came.open_tasks}
        for kind, task in came.open_tasks.items():
            assert decisions[YOURS + phrase(kind)].endswith(f", due on {task.due:%d %b %Y}")
        if came.in_time:
            break
    else:
        pytest.fail("this machine was too slow, again and again, for people to come in time")
    assert decisions[f"{YOURS}match"].startswith("the open call, due on ")
    assert decisions[f"{YOURS}safety"].startswith("m01 of Finn Achterhold, due on ")
    # What the report holds back is told as long as something is.
    assert ("nothing waits in a postbox" in waiting) is bool(came.held)
    assert not any(event.what == "decided" and event.text.startswith(("match", "safety")) for event in came.seen)
