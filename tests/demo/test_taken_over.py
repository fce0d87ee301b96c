"""Somebody who watches the demo signs in as the coordinator, and decides nothing: nothing is broken, and the verdict
says what waits for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from demo.pages import forms_on
from demo.season import CONFIG, DemoOptions, DemoSeason, season
from demo.verdict import verdict

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


@pytest.mark.timeout(600)
async def test_what_the_person_who_watches_does_not_decide_waits_and_nothing_is_broken(tmp_path: Path) -> None:
    async with season(files(tmp_path), lambda _event: None) as playing:
        await playing.launch()
        await sign_in(playing)
        await asyncio.wait_for(playing.play(asyncio.Event()), 300)
        checks = await verdict(playing)
    broken = [check for check in checks if not (check.kept or check.speed)]
    assert broken == []
    waiting = {check.promise: check.counted for check in checks if check.waits}
    assert waiting["the pairs are published"] == "they wait until you publish them"
