"""What leaves an activity that failed: the kind of the error, its place, the constraint. Never its words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from temporalio.api.failure.v1 import Failure
from temporalio.converter import ActivitySerializationContext, DataConverter
from temporalio.exceptions import ApplicationError, CancelledError

from activities.error_description import described
from store.database import Database
from store.tables import SuppressionRow
from testing.environments.web_env import NOW
from workflows.payloads import DATA_CONVERTER

SECRET = "zoe.private@example.org"
CONTEXT = ActivitySerializationContext(
    namespace="default",
    workflow_id="mentorship/spring/pair",
    workflow_type="mentorship",
    activity_type="carry_out",
    activity_task_queue="mentorship",
    activity_id="1",
    is_local=True,
)


async def failure_of(error: BaseException, converter: DataConverter | None = None) -> Failure:
    """The failure as Temporal would keep it."""
    failure = Failure()
    converter = DATA_CONVERTER.with_context(CONTEXT) if converter is None else converter
    await converter.encode_failure(error, failure)
    return failure


async def _raised(breaks: Callable[[], Awaitable[object]]) -> BaseException:
    try:
        await breaks()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


async def twice(database: Database) -> None:
    row = {"email": SECRET, "person": SECRET, "reason": SECRET, "at": NOW}
    async with database.begin() as session:
        await session.execute(insert(SuppressionRow), [row])
        await session.execute(insert(SuppressionRow), [row])


async def nameless(database: Database) -> None:
    row = {"id": SECRET, "name": None, "email": SECRET, "zone": SECRET}
    async with database.begin() as session:
        await session.execute(
            text("INSERT INTO participants (id, name, email, zone) VALUES (:id, :name, :email, :zone)"), row
        )


async def of_nobody(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(
            text("INSERT INTO cohort_people (cohort, person, role) VALUES (:it, :it, :it)"), {"it": SECRET}
        )


@pytest.mark.parametrize("breaks", [twice, nameless, of_nobody])
async def test_a_row_that_the_database_refuses_stays_in_the_database(
    database: Database, breaks: Callable[[Database], Awaitable[None]]
) -> None:
    error = await _raised(lambda: breaks(database))
    assert isinstance(error, DBAPIError)
    if breaks is twice and not database.sqlite:
        assert SECRET in str(error), "PostgreSQL quotes the row: that is what must not leave"
    failure = await failure_of(error)
    assert SECRET.encode() not in failure.SerializeToString()
    assert failure.application_failure_info.type == "IntegrityError"
    assert "tests/activities/test_failures.py:" in failure.message
    assert not failure.HasField("cause")
    if breaks is twice:
        expected = "unique suppressions.email" if database.sqlite else "pk_suppressions"
        assert failure.message.endswith(f", constraint {expected}")


async def test_no_words_of_an_error_or_of_what_it_came_from_are_told() -> None:
    async def parse() -> None:
        try:
            int(SECRET)
        except ValueError as unread:
            raise LookupError(f"no answer of {SECRET}") from unread

    async def in_passing() -> None:
        try:
            int(SECRET)
        except ValueError:
            raise KeyError(SECRET)  # noqa: B904 - the context is what is tried

    async def said() -> None:
        raise ApplicationError(SECRET, SECRET, type="refused", non_retryable=True) from ValueError(SECRET)

    for raises, kind in ((parse, "LookupError"), (in_passing, "KeyError"), (said, "refused")):
        failure = await failure_of(await _raised(raises))
        assert SECRET.encode() not in failure.SerializeToString()
        assert failure.application_failure_info.type == kind
        assert failure.message.partition(" at ")[0].endswith("ValueError")
        assert failure.stack_trace
    assert failure.application_failure_info.non_retryable
    assert described(ValueError(SECRET)) == "ValueError"


async def test_what_the_engine_of_temporal_reads_stays() -> None:
    later = ApplicationError("wait", type="busy", next_retry_delay=timedelta(minutes=5))
    info = (await failure_of(later)).application_failure_info
    assert (info.type, info.next_retry_delay.ToTimedelta()) == ("busy", timedelta(minutes=5))
    assert (await failure_of(CancelledError("over"))).HasField("canceled_failure_info")


async def test_what_a_workflow_refuses_is_said_in_words() -> None:
    """Senders of updates read why; workflows know ids and dates only."""
    refused = ApplicationError("a pause must end after today", type="refused", non_retryable=True)
    assert (await failure_of(refused, DATA_CONVERTER)).message == "a pause must end after today"
