"""What can't be made sense of: a template, rows of the postbox, an answer, a message to a workflow.

Somebody must be able to see each, and everything else must go on meanwhile; once it is repaired, waiting items
continue.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, text, update

from store.tables import ItemRow, MembershipRow, ParticipantRow, RelayRow
from store.workflow_outbox import OutboxEvent, put
from tools.faults.installation import Town
from workflows.ids import mentorship_id

DAYS = 8
"""Days of the season that it lasts before somebody repairs it."""
NOBODY_KNOWS = "nobody_knows_this"
NO_ZONE = "Mars/Olympus_Mons"
SPOILT = "pair0"
"""The mentorship to which it happens."""


async def template_raises(here: Town) -> int:
    """The wording of one kind of mail raises, until somebody repairs it; the worker is restarted each time."""
    [wording] = (here.folder / "engine" / "templates").rglob("fit_check.md")
    as_it_was = wording.read_text()
    wording.write_text(as_it_was + "\n{{ nobody.has.this }}\n")
    await here.restart_worker()
    await here.days(DAYS)
    await here.until(lambda: _on_record(here, "fit_check: "))
    wording.write_text(as_it_was)
    await here.restart_worker()
    return len(await here.failed())


async def row_poisoned(here: Town) -> int:
    """An item that no template is for, and a person whose time zone is none."""
    async with here.database.begin() as session:
        mentor, mentee = await session.scalars(
            select(MembershipRow.person).where(MembershipRow.mentorship == SPOILT).order_by(MembershipRow.role)
        )
        cohort = await session.scalar(select(MembershipRow.cohort).where(MembershipRow.mentorship == SPOILT))
        zone = await session.scalar(select(ParticipantRow.zone).where(ParticipantRow.id == mentee))
        now = here.now()
        for person in (mentor, mentee):
            session.add(
                ItemRow(
                    key=f"{NOBODY_KNOWS}/{person}", person=person, kind="notice", name=NOBODY_KNOWS, number=1,
                    cohort=cohort, mentorship=SPOILT, date=now.date(), queued_at=now, deliver_at=now, shard=0,
                )
            )  # fmt: skip
        await session.execute(update(ParticipantRow).where(ParticipantRow.id == mentee).values(zone=NO_ZONE))
    await here.days(DAYS)
    # Each is on the record, with what is in the way; the log and the postmaster's card have the same.
    await here.until(lambda: _on_record(here, f"{NOBODY_KNOWS}/{mentor} "))
    await here.until(lambda: _on_record(here, f"{NOBODY_KNOWS}/{mentee} "))
    await here.until(lambda: _is(here.logged("not worded: ")))
    async with here.database.begin() as session:
        await session.execute(delete(ItemRow).where(ItemRow.name == NOBODY_KNOWS))
        await session.execute(update(ParticipantRow).where(ParticipantRow.id == mentee).values(zone=zone))
    return len(await here.failed())


async def answer_poisoned(here: Town) -> int:
    """What the members of one mentorship answer is spoilt on its way to the disk; another's workflow is to be told of
    something that has no name."""
    async with here.database.begin() as session:
        for statement in _SPOIL:
            await session.execute(text(statement))
        cohort = await session.scalar(select(MembershipRow.cohort).where(MembershipRow.mentorship == SPOILT))
        assert cohort is not None
        await put(session, OutboxEvent(NOBODY_KNOWS, cohort, "pair1", NOBODY_KNOWS, {"id": NOBODY_KNOWS}), here.now())

    async def waits_with_the_reason() -> bool:
        description = await here.client.get_workflow_handle(mentorship_id(cohort, SPOILT)).describe()
        return any(activity.HasField("last_failure") for activity in description.raw_description.pending_activities)

    async def is_tried_again() -> bool:
        async with here.database.session() as session:
            tries = await session.scalar(select(RelayRow.attempts).where(RelayRow.id == NOBODY_KNOWS))
        return (tries or 0) >= 2 and here.logged("relay_failed") > 0

    await here.until(waits_with_the_reason)  # in the Temporal UI
    await here.until(is_tried_again)  # in the log and in the metric
    await here.days(DAYS)
    async with here.database.begin() as session:
        spoilt = await session.scalar(select(func.count()).select_from(text("spoilt")))
        for statement in _MEND:
            await session.execute(text(statement))
        await session.execute(delete(RelayRow).where(RelayRow.id == NOBODY_KNOWS))
    return spoilt or 0


_SPOIL = (
    "CREATE TABLE spoilt (id INTEGER, body TEXT)",
    f"""CREATE TRIGGER spoils AFTER INSERT ON answers
    WHEN NEW.request IN (SELECT key FROM requests WHERE mentorship = '{SPOILT}' AND ask = 'fit_check') BEGIN
    INSERT INTO spoilt VALUES (NEW.id, NEW.body);
    UPDATE answers SET body = '{{' WHERE id = NEW.id;
    END""",
)
_MEND = (
    "DROP TRIGGER spoils",
    "UPDATE answers SET body = (SELECT body FROM spoilt WHERE spoilt.id = answers.id) WHERE body = '{'",
    "DROP TABLE spoilt",
)


async def _on_record(here: Town, word: str) -> bool:
    return any(word in line for line in await here.failed())


async def _is(count: int) -> bool:
    return count > 0
