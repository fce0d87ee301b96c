"""The draft of a matching: coordinators lock and ban pairs, see what each would cost, and every version is kept.

A draft is worked out from those who can be matched now, so somebody who has withdrawn is in none. What a version had
is kept where it is as good as anything else, so a lock or a ban moves as few people as it can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from matching.objective import Wanted
from matching.threes import three_of
from operations.applications.applicants import call_of
from operations.audit import AuditEntry
from operations.audit import put as put_audit
from operations.errors import Refused
from operations.matching.match import Matched, matched
from operations.matching.pool import Pool
from operations.matching.publish import pool_of
from store.cohorts import calls, matching_drafts
from store.cohorts.calls import Call
from store.cohorts.matching_drafts import MatchingDraft, PairOfIds
from store.database import Database

ACTS = ("match", "lock", "unlock", "ban", "unban")
"""What makes a new version."""


@dataclass(frozen=True)
class Review:
    """A draft as coordinators look at it."""

    call: Call
    pool: Pool
    result: Matched
    draft: MatchingDraft | None
    """The version; None where nothing was kept yet: `result` is then the best there is."""
    versions: Sequence[MatchingDraft]
    """The latest ones, the latest first."""

    @property
    def is_latest(self) -> bool:
        """Whether this is the version that acts go on from."""
        return self.draft is None or self.draft.version == self.versions[0].version


async def review(database: Database, cohort: str, version: int = 0) -> Review:
    """The latest draft of a cohort, or this version. Raises NotFound where there is no call, and Refused."""
    pool = await pool_of(database, cohort)
    async with database.session() as session:
        call = await call_of(session, cohort)
        known = await matching_drafts.versions(session, cohort)
        draft = await matching_drafts.find(session, cohort, version) if version else (known[0] if known else None)
    if version and draft is None:
        raise Refused(f"there is no version {version} of these pairs")
    pins, bans = (draft.pins, draft.bans) if draft else ((), ())
    result = await _worked_out(pool, pins, bans, draft.pairs if draft else ())
    return Review(call, pool, result, draft, known)


async def change(
    database: Database,
    cohort: str,
    act: str,
    pair: PairOfIds | None,
    seen: int,
    now: datetime,
    *,
    by: str,
    proof: str,
) -> MatchingDraft:
    """Make the next version: match again, or lock, unlock, ban or unban a pair of (mentor, mentee).

    `seen` is the version that was looked at; 0 where there was none. `now` is program time (UTC). Raises Refused
    where it makes no sense, a rule forbids it, or somebody else changed the draft meanwhile.
    """
    if act not in ACTS or (act != "match" and pair is None):
        raise Refused("nothing was chosen")
    looked = await review(database, cohort)
    if looked.call.gathering.published:
        raise Refused("these pairs are published; change the mentorships themselves")
    last = looked.draft.version if looked.draft else 0
    if last != seen:
        raise Refused("somebody else changed the draft meanwhile; look again")
    pins = set(looked.draft.pins) if looked.draft else set[PairOfIds]()
    bans = set(looked.draft.bans) if looked.draft else set[PairOfIds]()
    if pair is not None:
        for id_ in pair:
            looked.pool.known(id_)
        three = three_of(looked.result.ids) if looked.pool.format == "peer" else ()
        pins, bans = _changed(looked.pool, act, pair, pins, bans, frozenset(three))
    before = looked.draft.pairs if looked.draft else looked.result.ids
    result = await _worked_out(looked.pool, sorted(pins), sorted(bans), before)
    draft = MatchingDraft(last + 1, tuple(sorted(pins)), tuple(sorted(bans)), result.ids, act, by, now)
    async with database.begin() as session:
        await calls.lock(session, cohort)
        if await matching_drafts.find(session, cohort, draft.version) is not None:
            raise Refused("somebody else changed the draft meanwhile; look again")
        await matching_drafts.add(session, cohort, draft)
        await put_audit(session, now, AuditEntry(f"matching {act}", by, proof, cohort, list(pair or ())))
    return draft


def _changed(
    pool: Pool, act: str, pair: PairOfIds, pins: set[PairOfIds], bans: set[PairOfIds], three: frozenset[str]
) -> tuple[set[PairOfIds], set[PairOfIds]]:
    same = {pair, (pair[1], pair[0])} if pool.format == "peer" else {pair}
    pins, bans = pins - same, bans - same
    if act == "lock":
        taken = set(pair) if pool.format == "peer" else {pair[1]}
        # Somebody who is locked to another moves: the last word counts. In a group of three each is with both others.
        pins = {
            pin
            for pin in pins
            if not taken & (set(pin) if pool.format == "peer" else {pin[1]}) or three.issuperset((*pin, *pair))
        } | {pair}
    if act == "ban":
        bans = bans | {pair}
    return pins, bans


async def _worked_out(
    pool: Pool, pins: Sequence[PairOfIds], bans: Sequence[PairOfIds], before: Sequence[PairOfIds]
) -> Matched:
    """The best pairs, computed in a thread. Locked pairs of somebody who is gone are left out."""
    here = {person.id for person in pool.people}

    def known(pairs: Sequence[PairOfIds]) -> frozenset[PairOfIds]:
        return frozenset(pair for pair in pairs if here.issuperset(pair))

    return await asyncio.to_thread(matched, pool, Wanted(known(pins), known(bans), known(before)))
