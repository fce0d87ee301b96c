"""How fast the core is: calls of `advance` per CPU second of one core over whole seasons.

Drives pairs and groups through complete 26-week seasons, once with everybody answering and once in silence. What
`advance` was told in a season it is told once more, alone: so that no other work and no clock lies between its calls.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from lifecycle import assessment
from lifecycle.advance import advance, begin, next_moment
from lifecycle.batch import batch
from lifecycle.commands import OpenRequest
from lifecycle.events import Answered, Assessed, Event
from lifecycle.findings import Signals
from lifecycle.state import Member, State
from program.models import Format, Program, Role
from tools.bench.table import Line

LAUNCH = date(2026, 12, 1)
START = date(2027, 1, 18)
PEOPLE: dict[str, tuple[tuple[str, Role, str], ...]] = {
    "one_to_one": (("a", "mentor", "Europe/Berlin"), ("b", "mentee", "America/New_York")),
    "group": (
        ("a", "mentor", "Europe/Berlin"),
        ("b", "mentee", "America/New_York"),
        ("c", "mentee", "Asia/Kolkata"),
        ("d", "mentee", "Pacific/Auckland"),
    ),
}


SEASONS: tuple[tuple[Format, bool], ...] = (("one_to_one", True), ("one_to_one", False), ("group", True))
"""(format, whether everybody answers)"""

Told = list[tuple[Event | None, datetime]]
"""What `advance` is told in a season: the event, and the moment (UTC)."""


def mentorship(format_: Format, answering: bool) -> State:
    """A mentorship before its first turn."""
    program = Program(program="bench", title="Bench", format=format_)
    members = [Member(*member) for member in PEOPLE[format_]]
    state = begin(program, "c", "m", START, "Europe/Berlin", LAUNCH, members, ["k"], ["d"])
    for member in members:
        # Silence begins after the invitation: nothing happens where nobody ever accepted.
        member.standing = "invited" if answering else "accepted"
    state.onboarded = not answering
    return state


def season(format_: Format, answering: bool) -> Told:
    """Live one mentorship to its end."""
    state = mentorship(format_, answering)
    now = datetime(LAUNCH.year, LAUNCH.month, LAUNCH.day, 9, tzinfo=UTC)
    waiting: list[tuple[datetime, Event]] = []
    event: Event | None = None
    told: Told = []
    while True:
        told.append((event, now))
        done = batch(state, advance(state, event, now), now)
        for ask in done.assess:
            people = [(person, role) for _, person, role in ask.requests]
            answers = {person: (role, _contented()) for person, role in people} if answering else {}
            findings = assessment.assess(ask.ask, answers, state.program.rules, format_, people)
            waiting.append((now, Assessed(f"assessed/{ask.step}", ask.ask, ask.number, findings)))
        for request in done.open_requests if answering else ():
            waiting.append((now + timedelta(days=1, minutes=len(waiting)), _answer(request, now)))
        if state.finished:
            return told
        due = next_moment(state)
        waiting.sort(key=lambda pair: pair[0])
        if waiting and (due is None or waiting[0][0] <= due):
            now, event = waiting.pop(0)
        else:
            now, event = cast(datetime, due), None


def alone(state: State, told: Told) -> float:
    """CPU seconds of `advance` for the same season."""
    began = time.process_time()
    for event, now in told:
        advance(state, event, now)
    return time.process_time() - began


def _contented() -> dict[str, object]:
    return {"f_contact": "met", "p_met": "2", "p_next": True, "r_decide": "continue", "c_follow": True}


def _answer(request: OpenRequest, at: datetime) -> Answered:
    signals = Signals()
    if request.ask == "invitation":
        signals = replace(signals, accepted=True)
    if request.ask == "agreement":
        drafts = request.role == ("mentor" if request.person == "a" and request.key.endswith("a") else "mentee")
        signals = replace(signals, act="draft" if drafts else "sign", version=1)
    return Answered(f"answer/{request.key}", request.person, request.ask, request.number, signals, at)


async def measure(*, quick: bool) -> list[Line]:
    """Calls of `advance` a second: alone, and with everything that a season needs around them."""
    calls, only, whole = spent(1.0 if quick else 5.0)
    return [
        Line("core, advance", calls / only, "calls/s", aim=60_000),
        Line("core, with batches, findings and what comes next", calls / whole, "calls/s"),
    ]


def spent(seconds: float) -> tuple[int, float, float]:
    """How often `advance` was called in whole seasons, its CPU seconds, and those of the seasons."""
    for kind in SEASONS:
        season(*kind)  # the first season of a process also fills the caches of dates
    calls, only, whole = 0, 0.0, 0.0
    while whole < seconds:
        for kind in SEASONS:
            began = time.process_time()
            told = season(*kind)
            whole += time.process_time() - began
            only += alone(mentorship(*kind), told)
            calls += len(told)
    return calls, only, whole
