"""A small cohort to try the store on: two pairs and a group in two zones, and short ways to say a turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from lifecycle.commands import Batch, Finish, OpenRequest, Post, Snapshot
from lifecycle.keys import item_key, request_key, step_key
from program.forms import Form, Question
from program.models import Cohort, Mentorship, Participant, Person, Program
from store.cohorts.cohorts import FrozenProgram, Put, freeze_program, put
from store.database import Database
from store.mentorships import turns
from store.tables import ItemRow

COHORT = "spring"
LAUNCH = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday morning, three weeks before the start."""
START = date(2026, 3, 23)

PROGRAM = Program(program="formal", title="Formal mentoring")
FORMS = {
    "check_in": Form(
        form="check_in",
        title="Check-in",
        who_sees="The coordinator.",
        questions=(Question(id="p_met", type="number", label="Meetings?"),),
    )
}
CASEY = Person(id="casey", name="Casey Coordinator", email="casey@example.org")
DANA = Person(id="dana", name="Dana Deputy", email="dana@example.org")
PEOPLE = (
    Participant(id="ada", name="Ada Mentor", email="ada@example.org", profile={"title": "Engineer"}),
    Participant(id="ben", name="Ben Mentee", email="ben@example.org", zone="America/New_York"),
    Participant(id="cleo", name="Cleo Mentee", email="cleo@example.org"),
    Participant(id="dan", name="Dan Mentee", email="dan@example.org"),
)
PAIR = Mentorship(key="ada-ben", mentor="ada", mentees=("ben",))
GROUP = Mentorship(key="group-1", mentor="ben", mentees=("cleo", "dan"), start=date(2026, 4, 6))


def cohort(**changes: Any) -> Cohort:
    """The cohort, with some of it otherwise."""
    usual = Cohort(
        cohort=COHORT,
        title="Spring 2026",
        program="formal",
        start=START,
        zone="Europe/Paris",
        holidays=(date(2026, 4, 6),),
        coordinators=(CASEY,),
        deputies=(DANA,),
        participants=PEOPLE,
        mentorships=(PAIR, GROUP),
    )
    return usual.model_copy(update=changes)


async def frozen(database: Database) -> dict[str, FrozenProgram]:
    """The cohort's program, frozen."""
    async with database.begin() as session:
        return {"formal": await freeze_program(session, PROGRAM, FORMS, LAUNCH)}


async def launched(database: Database, which: Cohort | None = None, **options: Any) -> Put:
    """The cohort, put down."""
    programs = await frozen(database)
    return await put(database, which or cohort(), programs, LAUNCH.date(), LAUNCH, **options)


CALM = Snapshot(
    phase="check_ins",
    health="good",
    next_step="midpoint 1",
    next_on=date(2026, 6, 15),
    next_at=datetime(2026, 6, 14, 22, 0, tzinfo=UTC),
    awaited=(),
    open_tasks=0,
    paused_until="",
    held=False,
    over=False,
    start=START,
    midpoint=date(2026, 6, 22),
    end=date(2026, 9, 21),
)


def turn(number: int, now: datetime = LAUNCH, *, mentorship: str = PAIR.key, **parts: Any) -> Batch:
    """A batch: commands in lists and `finish`; anything else goes into its snapshot."""
    commands: dict[str, Any] = {name: value for name, value in parts.items() if isinstance(value, list | Finish)}
    shot = replace(CALM, **{name: value for name, value in parts.items() if name not in commands})
    return Batch(COHORT, mentorship, number, now, shot, **commands)


async def applied(database: Database, *batches: Batch, shards: int = 1) -> list[turns.Applied]:
    """Apply batches, each in a transaction of its own."""
    results: list[turns.Applied] = []
    for batch in batches:
        async with database.begin() as session:
            results.append(await turns.apply(session, batch, shards=shards))
    return results


def ask(person: str, role: str = "mentee", number: int = 1, name: str = "check_in") -> OpenRequest:
    """A check-in of the pair, open from the launch date for ten days."""
    return OpenRequest(
        key=request_key(COHORT, PAIR.key, name, number, person),
        ask=name,
        number=number,
        person=person,
        role=role,
        opens=date(2026, 3, 2),
        closes=date(2026, 3, 12),
        closes_at=datetime(2026, 3, 13, 4, 0, tzinfo=UTC),
        step=step_key(COHORT, PAIR.key, name, number),
    )


def item(person: str, kind: Any = "request", nth: int = 0, **rest: Any) -> Post:
    """An item of the pair's first check-in."""
    key = rest.pop("key", item_key(COHORT, PAIR.key, "check_in", 1, person, kind, nth))
    usual = {"name": "check_in", "number": 1, "date": date(2026, 3, 2)}
    if kind in ("request", "reminder"):
        usual["request"] = request_key(COHORT, PAIR.key, "check_in", 1, person)
    return Post(key=key, person=person, kind=kind, **(usual | rest))


async def states(database: Database) -> dict[str, str]:
    """Item key, shortened by cohort and mentorship, to its state with the reason."""
    async with database.session() as session:
        rows = (await session.scalars(select(ItemRow).order_by(ItemRow.key))).all()
    prefix = f"{COHORT}/{PAIR.key}/"
    return {row.key.removeprefix(prefix): f"{row.state} {row.reason}".strip() for row in rows}
