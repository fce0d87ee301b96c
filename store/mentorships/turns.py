"""Writes what one turn of a mentorship asks of the world: one batch, one transaction, once.

The workflow may send the batch again after a crash. Its turn and its moment say whether it is known; a workflow that
is behind gets the saved state of the last turn instead (docs/decisions/0011-continue-from-the-database.md). This
module decides nothing about a mentorship, sends nothing, and reads answers only to hand them to the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle import saved_state
from lifecycle.batch import CANCELLED, silenced
from lifecycle.commands import Assess, Batch, MoveRequest
from lifecycle.delivery.holds import Standstill
from lifecycle.local_time import local_date
from lifecycle.state import State
from store.cohorts import cancel, program_versions
from store.columns import public_id as public_id
from store.database import upserting
from store.mentorships.retaken_turns import forget_later_turns
from store.mentorships.turn_statements import (
    CLOSE_TASK,
    END_REQUESTS,
    ENDS,
    GIVEN,
    GOES_ON,
    MOVE_REQUESTS,
    NOTE,
    OPEN_REQUEST,
    OPEN_REQUEST_AGAIN,
    PUT_STEP,
    PUT_TASK,
    SAVED,
    STANDS,
)
from store.operations_log import change_behind
from store.postbox import Address, Moment, letterbox_rule, post, redelivered, stand_still
from store.shards import soonest
from store.tables import (
    AnswerRow,
    ItemRow,
    MembershipRow,
    OutcomeRow,
    RequestRow,
    TaskRow,
)

Rows = list[dict[str, Any]]


class UnknownMentorship(LookupError):
    """A batch is for a mentorship that was never put down. Says its key only."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch left behind."""

    fresh: bool
    """False: nothing was written now; this batch was applied before, or its workflow is behind."""
    earliest: dict[int, datetime]
    """Shard to the earliest `deliver_at` (UTC) of what was queued there; see `shards_to_wake`. For a batch that
    was applied before: of all that this mentorship has queued, for the first attempt may have woken nobody."""
    program: str
    """Id of the mentorship's frozen program."""
    program_hash: str
    """By which version of it the mentorship goes now."""
    state: State | None = None
    """Where the workflow is behind the database: the state to continue from."""


AFTERMATH = ("step_skipped",)
"""Notes of what follows from a change; its reason stands with the change itself."""


async def apply(session: AsyncSession, batch: Batch, *, shards: int = 1) -> Applied:
    """Write one turn of a mentorship. Needs a writing transaction; a batch applied before changes nothing.

    A workflow that is behind the database (it was reset, it died, another one took its place) is handed the state
    to continue from, and its turn is not written.
    Raises `UnknownMentorship`, and `UnknownPerson` for an item to somebody who is not in the store.
    """
    before = await _lock(session, batch)
    if batch.turn <= before.turn:
        saved = await _saved_state(session, batch, before)
        if saved is not None or batch.only_asks:
            earliest = await _earliest(session, batch)
            return Applied(False, earliest, before.program, before.program_hash, saved)
        # The same turn of the same moment is a second try to write it, one of an earlier moment a dead worker's.
        if before.turn_at is None or batch.now <= before.turn_at:
            return Applied(False, await _earliest(session, batch), before.program, before.program_hash)
        await forget_later_turns(session, batch, local_date(batch.now, before.zone))
    elif batch.only_asks:
        return Applied(False, {}, before.program, before.program_hash)
    cancelled = CANCELLED in (before.ending, before.cohort_state)
    if cancelled:
        batch = silenced(batch)
    address = Address(
        batch.cohort,
        batch.mentorship,
        batch.now,
        letterbox_rule(before.letterbox, before.holidays),
        shards,
    )
    was = Standstill(before.held, bool(before.paused_until) and before.state != "over")
    still = Standstill.of(batch.snapshot)
    moments: list[Moment] = []
    if batch.withhold:
        await stand_still(session, address, Standstill.of(batch.snapshot, withhold=True))
    if was != still:
        moments += await stand_still(session, address, still)
    await _write_members(session, batch)
    version = batch.version or before.first_hash or before.program_hash
    if version != before.program_hash:
        version = await program_versions.go_over(session, batch, before.program, before.program_hash, version)
    await _write_requests(session, batch, again=batch.turn <= before.furthest)
    await _write_tasks(session, batch, before.zone)
    await _write_steps(session, batch)
    await _write_notes(session, batch)
    again = await redelivered(session, batch.redeliver) if batch.redeliver else []
    moments += await post(session, address, [*batch.posts, *again], still)
    await _write_mentorship(session, batch, over=cancelled, furthest=max(batch.turn, before.furthest))
    earliest = await cancel.tell_again(session, batch) if cancelled else dict[int, datetime]()
    return Applied(True, soonest((*earliest.items(), *moments)), before.program, version)


async def _saved_state(session: AsyncSession, batch: Batch, before: Any) -> State | None:
    """The state of the last turn, where this batch is another one; None for a second try to write the last turn,
    and where a release that saved no states sent this turn or wrote the last one."""
    if not batch.state or (batch.turn == before.turn and batch.now == before.turn_at):
        return None
    text = await SAVED.scalar(session, {"its_cohort": batch.cohort, "its_key": batch.mentorship})
    state = saved_state.load(text) if text else None
    return state if state is not None and state.turn == before.turn else None


async def read_answers(session: AsyncSession, assess: Assess) -> dict[str, tuple[str, dict[str, Any]]]:
    """Participant id to (role, answers) for everyone who was asked and answered in time.

    The last version committed at or before `closed_at` counts. Where an ask settled because everyone had
    answered, the web server's clock may be ahead of the workflow's by a little; then the first version inside
    the window counts. Later versions are marked late where the window had ended. Needs a writing transaction.
    """
    roles = {key: (person, role) for key, person, role in assess.requests}
    rows = await GIVEN.all(session, {"requests": list(roles)})
    counting: dict[str, tuple[str, dict[str, Any]]] = {}
    late: list[int] = []
    for answer, request, body, at, marked, closes_at in rows:
        person, role = roles[request]
        if at <= assess.closed_at or (at <= closes_at and person not in counting):
            counting[person] = (role, body)
        elif at > closes_at and not marked:
            late.append(answer)
    if late:
        await session.execute(update(AnswerRow).where(AnswerRow.id.in_(late)).values(late=True))
    return counting


async def read_answers_so_far(
    session: AsyncSession, requests: Sequence[tuple[str, str, str]]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Participant id to (role, answers) of everyone who has answered one of these requests, in time or late."""
    roles = {key: (person, role) for key, person, role in requests}
    rows = await GIVEN.all(session, {"requests": list(roles)})
    return {roles[row.request][0]: (roles[row.request][1], row.body) for row in rows}


async def _lock(session: AsyncSession, batch: Batch) -> Any:
    row = await STANDS.one_or_none(session, {"its_cohort": batch.cohort, "its_key": batch.mentorship})
    if row is None:
        raise UnknownMentorship(f"no mentorship {batch.mentorship!r} in cohort {batch.cohort!r}")
    return row


async def _earliest(session: AsyncSession, batch: Batch) -> dict[int, datetime]:
    rows = await session.execute(
        select(ItemRow.shard, func.min(ItemRow.deliver_at))
        .where(ItemRow.cohort == batch.cohort, ItemRow.mentorship == batch.mentorship, ItemRow.state == "queued")
        .group_by(ItemRow.shard)
    )
    return {shard: at for shard, at in rows if at is not None}


async def _write_requests(session: AsyncSession, batch: Batch, *, again: bool) -> None:
    """`again`: a repeated turn may have been answered meanwhile, and an answer stays."""
    if batch.open_requests:
        begun_with = await program_versions.begun_with(session, batch.open_requests)
        rows: Rows = [
            {
                "key": request.key,
                "public_id": public_id(request.key),
                "cohort": batch.cohort,
                "mentorship": batch.mentorship,
                "ask": request.ask,
                "number": request.number,
                "step": request.step,
                "person": request.person,
                "role": request.role,
                "early": request.early,
                "opens": request.opens,
                "closes": request.closes,
                "closes_at": request.closes_at,
                "state": "open",
                "answered_at": None,
                "program_hash": begun_with.get(request.step, ""),
            }
            for request in batch.open_requests
        ]
        await (OPEN_REQUEST_AGAIN if again else OPEN_REQUEST).write(session, *rows)
        if again:
            keys = [row["key"] for row in rows]
            unanswered = update(RequestRow).where(RequestRow.key.in_(keys), RequestRow.state != "answered")
            await session.execute(unanswered.values(state="open"))
    moves: dict[MoveRequest, list[str]] = defaultdict(list)
    for move in batch.move_requests:
        moves[MoveRequest("", move.closes, move.closes_at, move.reopen)].append(move.key)
    for move, keys in moves.items():
        window = {"keys": keys, "until": move.closes, "until_moment": move.closes_at}
        await MOVE_REQUESTS.write(session, window)
        if move.reopen:
            await session.execute(
                update(RequestRow)
                .where(
                    RequestRow.key.in_(keys), RequestRow.state.in_(("closed",) if again else ("answered", "closed"))
                )
                .values(state="open", answered_at=None)
            )
    ends: dict[str, list[str]] = defaultdict(list)
    for end in batch.end_requests:
        ends[end.state].append(end.key)
    for state, keys in ends.items():
        # An answer may have been committed while the workflow closed the window: it stays an answer.
        from_states = ("open",) if state == "closed" else ("open", "answered", "closed")
        await END_REQUESTS.write(session, {"keys": keys, "from_states": from_states, "to_state": state})


async def _write_tasks(session: AsyncSession, batch: Batch, zone: str) -> None:
    today = local_date(batch.now, zone)
    if batch.open_tasks:
        rows: Rows = [
            {
                "public_id": public_id(task.key),
                "key": task.key,
                "cohort": batch.cohort,
                "mentorship": batch.mentorship,
                "kind": task.kind,
                "number": task.number,
                "reason": task.reason,
                "about": list(task.about),
                "decisions": list(task.decisions),
                "due": task.due,
                "opened_at": batch.now,
                "opened_on": today,
                "turn": batch.turn,
                "closed_in": 0,
                "closed_at": None,
                "closed_on": None,
                "decision": "",
                "by": "",
            }
            for task in batch.open_tasks
        ]
        await PUT_TASK.write(session, *rows)
    for growth in batch.grow_tasks:
        task = await session.get_one(TaskRow, growth.key)
        if growth.decisions:
            task.decisions = list(growth.decisions)
        if growth.reason and growth.reason not in task.reason.splitlines():
            task.reason = f"{task.reason}\n{growth.reason}"
        task.about = [*task.about, *(person for person in growth.about if person not in task.about)]
    closed = {"closed_at": batch.now, "closed_on": today, "closed_in": batch.turn}
    rows = [
        {"its_key": closing.key, "decision": closing.decision, "by": closing.by, **closed}
        for closing in batch.close_tasks
    ]
    await CLOSE_TASK.write(session, *rows)


async def _write_steps(session: AsyncSession, batch: Batch) -> None:
    if not batch.steps:
        return
    rows: Rows = [
        {
            "cohort": batch.cohort,
            "mentorship": batch.mentorship,
            "name": step.name,
            "number": step.number,
            "phase": step.phase,
            "verb": step.verb,
            "state": step.state,
            "opens": step.opens,
            "closes": step.closes,
            "settled": step.settled,
            "asked": list(step.asked),
            "answered": list(step.answered),
        }
        for step in batch.steps
    ]
    await PUT_STEP.write(session, *rows)


async def _write_notes(session: AsyncSession, batch: Batch) -> None:
    if not batch.notes:
        return
    author = await change_behind(session, batch.cause) if batch.cause else None
    whose = next((note for note in batch.notes if note.name not in AFTERMATH), batch.notes[0])
    rows: Rows = [
        {
            "cohort": batch.cohort,
            "mentorship": batch.mentorship,
            "at": batch.now,
            "name": note.name,
            "person": note.person,
            "detail": note.detail,
            "by": author.by if author and note is whose else note.by,
            "why": author.why if author and note is whose else "",
            "turn": batch.turn,
        }
        for note in batch.notes
    ]
    await NOTE.write(session, *rows)


async def _write_members(session: AsyncSession, batch: Batch) -> None:
    for member in batch.members:
        seats = select(func.count()).where(
            MembershipRow.cohort == batch.cohort, MembershipRow.mentorship == batch.mentorship
        )
        seat = upserting(session, MembershipRow).values(
            cohort=batch.cohort,
            mentorship=batch.mentorship,
            person=member.person,
            role=member.role,
            standing=member.standing,
            position=seats.scalar_subquery(),
        )
        await session.execute(
            seat.on_conflict_do_update(
                index_elements=("cohort", "mentorship", "person"),
                set_={"role": seat.excluded.role, "standing": seat.excluded.standing},
            )
        )


async def _write_mentorship(session: AsyncSession, batch: Batch, *, over: bool, furthest: int) -> None:
    now = batch.snapshot
    values: dict[str, Any] = {
        "its_cohort": batch.cohort,
        "its_key": batch.mentorship,
        "workflow_state": batch.state or None,
        "turn": batch.turn,
        "turn_at": batch.now,
        "furthest": furthest,
        "state": "over" if now.over or over else "running",
        "phase": now.phase,
        "health": now.health,
        "next_step": now.next_step,
        "next_on": now.next_on,
        "next_at": now.next_at,
        "awaited": list(now.awaited),
        "open_tasks": now.open_tasks,
        "paused_until": now.paused_until,
        "pause_ahead": now.pause_ahead,
        "held": now.held,
        "start": now.start,
        "midpoint": now.midpoint,
        "end": now.end,
        "ending_decided": now.ending,
        "last_life": now.last_life,
        "agreement_open": now.agreement_open,
        "agreement_in_force": now.agreement_in_force,
    }
    if batch.finish is not None:
        finish = batch.finish
        values |= {"ending": finish.ending, "reason": finish.reason, "ended_on": finish.on, "state": "over"}
        outcome = upserting(session, OutcomeRow).values(
            cohort=batch.cohort,
            mentorship=batch.mentorship,
            ending=finish.ending,
            reason=finish.reason,
            on=finish.on,
            at=batch.now,
            turn=batch.turn,
        )
        await session.execute(outcome.on_conflict_do_nothing(index_elements=("cohort", "mentorship")))
    await (ENDS if batch.finish else GOES_ON).write(session, values)
