"""Statements that are compiled once do what `session.execute` does, on both databases: values, rows, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import String, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from store.columns import bare
from store.database import Database, WriteOutsideBegin
from store.prepared import LONGEST_PADDED, Prepared, putting
from store.tables import CohortPersonRow, EventRow, ParticipantRow, PostmasterRow, StepRow, TaskRow

AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
ADA = {"id": "ada", "name": "Ada", "email": "ada@example.org", "zone": "Europe/Paris"}
PEOPLE, POSTMASTERS = bare(ParticipantRow), bare(PostmasterRow)

ADD_PERSON = Prepared(insert(PEOPLE))
PERSON = Prepared(select(*PEOPLE.c).where(PEOPLE.c.id == bindparam("person")))
THOSE = Prepared(
    select(PEOPLE.c.id).where(PEOPLE.c.id.in_(bindparam("people", expanding=True))).order_by(PEOPLE.c.id)
)
MAILED = Prepared(update(PEOPLE).where(PEOPLE.c.id == bindparam("its_id")).values(last_mail_on=bindparam("on")))
PUT_WAKE = putting(PostmasterRow, ("shard",), ("wakes_at",))
WAKE = Prepared(select(POSTMASTERS.c.wakes_at).where(POSTMASTERS.c.shard == bindparam("shard")))


@pytest.fixture(name="server")
async def only_postgresql(postgresql_url: str) -> AsyncIterator[Database]:
    async with Database.open(postgresql_url) as opened:
        yield opened


async def people(database: Database, *ids: str) -> None:
    async with database.begin() as session:
        await ADD_PERSON.write(session, *(ADA | {"id": id_, "email": f"{id_}@example.org"} for id_ in ids))


async def test_values_and_columns_are_converted_as_the_orm_converts_them(database: Database) -> None:
    person = ADA | {"profile": {"title": "Countess", "years": [1, 2]}, "last_mail_on": date(2026, 3, 1)}
    async with database.begin() as session:
        assert await ADD_PERSON.write(session, person) == 1
        assert await PUT_WAKE.write(session, {"shard": 3, "wakes_at": AT}) == 1
    async with database.session() as session:
        row = await PERSON.one_or_none(session, {"person": "ada"})
        stored = await session.get_one(ParticipantRow, "ada")
        assert tuple(row) == tuple(getattr(stored, column.key) for column in PEOPLE.c)
        assert row.profile == person["profile"]
        assert await WAKE.scalar(session, {"shard": 3}) == AT
        assert await PERSON.one_or_none(session, {"person": "eve"}) is None
        assert await WAKE.scalar(session, {"shard": 4}) is None


async def test_defaults_of_columns_that_are_not_given_are_written(database: Database) -> None:
    async with database.begin() as session:
        await Prepared(insert(bare(EventRow))).write(session, {"cohort": "c", "at": AT, "name": "opened"})
        await ADD_PERSON.write(session, ADA)
        event = (await session.scalars(select(EventRow))).one()
        person = await session.get_one(ParticipantRow, "ada")
    assert (event.mentorship, event.detail, event.turn) == ("", "", 0)
    assert (person.standing, person.profile, person.corrections) == ("active", {}, 0)


async def test_many_rows_are_one_call_and_a_row_that_is_there_is_written_over(database: Database) -> None:
    step = {"cohort": "c", "mentorship": "m", "name": "fit", "number": 1, "phase": "check_ins", "verb": "ask",
            "state": "planned", "opens": date(2026, 1, 1), "closes": None, "settled": None, "asked": ["a"],
            "answered": []}  # fmt: skip
    put = putting(StepRow, ("cohort", "mentorship", "name", "number"), ("state", "answered"))
    async with database.begin() as session:
        await put.write(session, step, step | {"number": 2})
        await put.write(session, step | {"state": "open"}, step | {"number": 3})
        rows = await session.execute(select(StepRow.number, StepRow.state).order_by(StepRow.number))
        assert [tuple(row) for row in rows] == [(1, "open"), (2, "planned"), (3, "planned")]
        assert await put.write(session) == 0


@pytest.mark.parametrize("many", [0, 1, 2, 3, 5, 8, LONGEST_PADDED + 1])
async def test_a_list_may_be_of_any_length(database: Database, many: int) -> None:
    await people(database, "a", "b", "c", "d", "e", "f")
    wanted = [*"abcdef", *(f"x{nth}" for nth in range(many))][:many]
    async with database.session() as session:
        for _ in range(2):
            assert await THOSE.scalars(session, {"people": wanted}) == sorted(set(wanted) & set("abcdef"))


async def test_a_list_of_pairs_and_a_list_in_the_statement(database: Database) -> None:
    await people(database, "a", "b", "c")
    pairs = Prepared(
        select(func.count())
        .where(tuple_(PEOPLE.c.id, PEOPLE.c.email).in_(bindparam("pairs", expanding=True)))
        .where(PEOPLE.c.standing.in_(("active", "left", "bounced")), PEOPLE.c.name == bindparam("name", type_=String))
    )
    async with database.session() as session:
        for given, count in (([], 0), ([("a", "a@example.org"), ("b", "b@example.org"), ("c", "x")], 2)):
            assert await pairs.scalar(session, {"pairs": given, "name": "Ada"}) == count


async def test_how_many_rows_were_changed_is_told(database: Database) -> None:
    await people(database, "a", "b")
    async with database.begin() as session:
        rows = [{"its_id": id_, "on": date(2026, 1, 2)} for id_ in ("a", "b", "nobody")]
        assert await MAILED.write(session, *rows) == 2
        assert await MAILED.write(session, rows[2]) == 0
        assert await Prepared(delete(PEOPLE).where(PEOPLE.c.id == bindparam("its_id"))).write(session, rows[0]) == 1


async def test_a_session_for_reading_refuses_to_write(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(WriteOutsideBegin):
            await ADD_PERSON.write(session, ADA)
        assert await THOSE.scalars(session, {"people": ["ada"]}) == []


async def test_a_statement_is_of_the_transaction_that_is_open(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.begin() as session:
            await ADD_PERSON.write(session, ADA)
            raise KeyError

    with pytest.raises(KeyError):
        await fail_half_way()
    async with database.session() as session:
        assert await THOSE.scalars(session, {"people": ["ada"]}) == []
        await people(database, "ada")
        if database.sqlite:  # one consistent state; PostgreSQL has one for each statement
            assert await THOSE.scalars(session, {"people": ["ada"]}) == []
        await session.rollback()
        assert await THOSE.scalars(session, {"people": ["ada"]}) == ["ada"]


async def test_what_the_orm_has_still_to_write_is_written_first(database: Database) -> None:
    async with database.begin() as session:
        session.add(ParticipantRow(**ADA))
        assert await THOSE.scalars(session, {"people": ["ada"]}) == ["ada"]
        (await session.get_one(ParticipantRow, "ada")).name = "Ada King"
        assert (await PERSON.one_or_none(session, {"person": "ada"})).name == "Ada King"


async def error_of(database: Database, write: Any) -> StatementError:
    with pytest.raises(StatementError) as caught:
        async with database.begin() as session:
            await write(session)
    return caught.value


async def test_errors_are_those_of_sqlalchemy_and_show_no_values(database: Database) -> None:
    nobody = {"cohort": "none", "person": "Secret Name", "role": "deputy"}
    naive = {"shard": 0, "wakes_at": datetime(2026, 3, 1)}  # noqa: DTZ001
    wrong = Prepared(select(PEOPLE.c.id).where(func.no_such_function(PEOPLE.c.id) == bindparam("secret")))
    prepared, executed = Prepared(insert(bare(CohortPersonRow))), insert(bare(CohortPersonRow))
    wakes = insert(POSTMASTERS)
    for ours, theirs in (
        (lambda session: prepared.write(session, nobody), lambda session: session.execute(executed, nobody)),
        (lambda session: PUT_WAKE.write(session, naive), lambda session: session.execute(wakes, naive)),
        (lambda session: wrong.all(session, {"secret": "Secret Name"}),
         lambda session: session.execute(wrong._statement, {"secret": "Secret Name"})),  # pyright: ignore
    ):  # fmt: skip
        mine, its = await error_of(database, ours), await error_of(database, theirs)
        assert type(mine) is type(its)
        assert type(mine.orig) is type(its.orig)
        assert "Secret Name" not in str(mine)
        assert mine.params is None
    assert isinstance(await error_of(database, lambda session: prepared.write(session, nobody)), IntegrityError)
    missing = await error_of(database, lambda session: PERSON.all(session, {}))
    assert isinstance(missing.orig, KeyError)


async def test_a_lost_connection_is_given_up_and_the_next_transaction_has_another(server: Database) -> None:
    await people(server, "ada")
    end = Prepared(select(func.pg_terminate_backend(bindparam("pid"))))
    own = Prepared(select(func.pg_backend_pid()))
    async with server.session() as session:
        pid = await own.scalar(session)
        async with server.session() as other:
            await end.all(other, {"pid": pid})
        with pytest.raises(DBAPIError) as caught:
            await THOSE.all(session, {"people": ["ada"]})
        assert caught.value.connection_invalidated
    async with server.session() as session:
        assert await THOSE.scalars(session, {"people": ["ada"]}) == ["ada"]


async def test_who_is_cancelled_while_a_statement_runs_leaves_no_answer_behind(server: Database) -> None:
    await people(server, "ada")
    slow = Prepared(select(func.pg_sleep(bindparam("seconds"))))

    async def wait() -> None:
        async with server.session() as session:
            await slow.all(session, {"seconds": 20})

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in range(12):
        async with server.session() as session:
            assert await THOSE.scalars(session, {"people": ["ada"]}) == ["ada"]


async def test_a_long_transaction_lets_others_have_their_turn(sqlite_url: str) -> None:
    async with Database.open(sqlite_url) as database:
        turns: list[int] = []

        async def others() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        async with database.begin() as session:
            other = asyncio.create_task(others())
            for nth in range(1500):
                await ADD_PERSON.write(session, ADA | {"id": f"p{nth}", "email": f"p{nth}@example.org"})
            other.cancel()
    assert len(turns) > 2


async def test_tasks_of_a_mentorship_are_numbers_dates_and_lists(database: Database) -> None:
    task = {"public_id": "t", "key": "k", "cohort": "c", "mentorship": "m", "kind": "low_score", "number": 1,
            "reason": "", "about": ["ada"], "decisions": ["noted"], "due": date(2026, 1, 1), "opened_at": AT,
            "opened_on": date(2026, 1, 1)}  # fmt: skip
    async with database.begin() as session:
        await putting(TaskRow, ("key",), tuple(task)).write(session, task)
        row = await Prepared(select(TaskRow.about, TaskRow.opened_at, TaskRow.closed_at)).one_or_none(session)
    assert tuple(row) == (["ada"], AT, None)
