"""Three peers who form a group are three mentorships, from the draft to the invitation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from mail.compose import compose
from operations.applications.apply import Received, apply, confirm
from operations.audit import COMMAND_LINE
from operations.errors import Refused
from operations.matching.matching_drafts import change, review
from operations.matching.publish import AS_THREE, draft
from store.database import Database
from store.people import applications
from store.tables import MembershipRow, MentorshipRow
from testing.environments.open_call import (
    CLOSED,
    COHORT,
    OPEN,
    call_program,
    launch_call,
    loaded_call,
    typed_application,
)
from tests.operations.test_publish import invitation_of, published

UNITS = ("Health", "Finance", "Legal", "Digital", "Transport")


async def three_of_them(database: Database, people: int = 3, *, allowed: bool = True) -> list[str]:
    """Peers apply, all of whom could be together; their ids, sorted."""
    groups = {"groups": {"least": 2, "most": 3}} if allowed else {}
    await launch_call(database, loaded_call(program=call_program("peer", **groups)))
    for number in range(people):
        email = f"p{number}@example.org"
        typed = typed_application("peer", f"Peer {number}", email, "peer", unit=UNITS[number])
        assert isinstance(await apply(database, COHORT, typed, "peer", timedelta(minutes=1), OPEN), Received)
        async with database.session() as session:
            found = await applications.of_address(session, COHORT, email)
        assert found is not None
        await confirm(database, found.id, found.generation, OPEN)
    async with database.session() as session:
        return sorted(each.person for each in await applications.of_cohort(session, COHORT))


async def test_three_get_two_proposals_each_and_are_told_that_they_are_three(database: Database) -> None:
    one, two, three = await three_of_them(database)
    made = await draft(database, COHORT)
    assert made.pairs == ((one, two), (one, three), (two, three))
    assert made.nobody == {}
    assert await published(database, made) == ("m01", "m02", "m03")
    async with database.session() as session:
        rows = (await session.scalars(select(MentorshipRow).order_by(MentorshipRow.key))).all()
        seats = (await session.execute(select(MembershipRow.mentorship, MembershipRow.person))).all()
    assert [row.because[0] for row in rows] == [AS_THREE] * 3
    assert all(row.proposed for row in rows)
    assert all(len(set(row.because)) == len(row.because) > 1 for row in rows), "what both want of each other, once"
    assert sorted(map(tuple, seats)) == sorted(
        [("m01", one), ("m01", two), ("m02", one), ("m02", three), ("m03", two), ("m03", three)]
    )
    text = compose(await invitation_of(database, one)).text
    assert "You three meet: pairs alone would have left one of you out" in " ".join(text.split())


async def test_pairs_of_a_file_may_be_three_only_where_all_three_pairs_are_there(database: Database) -> None:
    one, two, three = await three_of_them(database)
    made = await draft(database, COHORT, pairs=[(one, two), (two, three), (three, one)])
    assert len(made.pairs) == 3
    with pytest.raises(Refused, match="stands in two of these pairs; keep one, or add the pair that makes three"):
        await draft(database, COHORT, pairs=[(one, two), (two, three)])


async def test_two_peers_are_a_pair_in_whatever_order_a_file_writes_them(database: Database) -> None:
    one, two, _ = await three_of_them(database, allowed=False)
    for pair in ((one, two), (two, one)):
        assert (await draft(database, COHORT, pairs=[pair])).pairs == ((one, two),)


async def test_where_three_are_not_allowed_one_waits(database: Database) -> None:
    one, two, three = await three_of_them(database, allowed=False)
    made = await draft(database, COHORT)
    assert (len(made.pairs), len(made.nobody)) == (1, 1)
    with pytest.raises(Refused, match=r"stands in two of these pairs; keep one$"):
        await draft(database, COHORT, pairs=[(one, two), (two, three), (one, three)])


async def test_the_pairs_of_three_are_locked_one_after_another_and_a_lock_elsewhere_parts_them(
    database: Database,
) -> None:
    people = await three_of_them(database, 5)

    async def lock(pair: tuple[str, str], seen: int) -> None:
        await change(database, COHORT, "lock", pair, seen, CLOSED, by="coco", proof=COMMAND_LINE)

    first = await review(database, COHORT)
    board = first.result.board
    three = next(pair.three for pair in board.pairs if pair.three)
    [other] = [(pair.mentor, pair.mentee) for pair in board.pairs if not pair.three]
    await lock((three[0], three[1]), 0)
    await lock((three[2], three[0]), 1)
    locked = await review(database, COHORT)
    assert locked.draft is not None
    assert set(locked.draft.pins) == {(three[0], three[1]), (three[2], three[0])}
    assert set(locked.result.ids) == set(first.result.ids)
    await lock((three[0], other[0]), 2)
    parted = await review(database, COHORT)
    assert parted.draft is not None
    assert parted.draft.pins == ((three[0], other[0]),)
    assert {person for pair in parted.result.ids for person in pair} == set(people)
