"""From applicants to mentorships: matching those who applied, and publishing the pairs. Publishing is launching: the
mentorships stand in the cohort as if its file had named them, and start.

One transaction writes all pairs and closes the call, so that a process that dies publishes everything or nothing;
publishing again finishes what broke off, and mails nobody twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from activities.wake_postmasters import wake_in_time
from lifecycle.local_time import local_date
from mail.dates import listed
from matching.objective import PairIds
from matching.scoring import Part
from matching.threes import three_of
from operations.applications.applicants import call_of, matchable, shown_to_partner
from operations.applications.written_out import written_out
from operations.audit import AuditEntry
from operations.audit import put as put_audit
from operations.errors import Refused
from operations.matching.match import matched
from operations.matching.pool import Pool
from operations.people.deciders import who_decides
from program.models import Cohort, Format, Mentorship
from runtime.settings import Settings
from runtime.temporal import Waker, start_cohort
from store.cohorts import calls, cohorts
from store.cohorts.calls import Call
from store.database import Database
from store.forms import requests
from store.mentorships import tasks
from store.people import applications, people
from store.people.applications import Application
from store.postbox import Moment
from store.reports import applied
from store.shards import soonest

NO_FIT, NO_PLACE, NO_MENTEE = 1, 2, 3
"""Why there is nobody for somebody, as the number of the item that says it."""
AS_THREE = (
    "You three meet: pairs alone would have left one of you out, so each of three is proposed to both others, and "
    "you are asked about each of them"
)
"""The first reason of each pair of a group of three peers, in words for the two of them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The pairs that publishing would make of a cohort."""

    cohort: str
    title: str
    pairs: tuple[PairIds, ...]
    """(mentor, mentee), as ids; in a program of peers the two peers."""
    because: Mapping[PairIds, tuple[Part, ...]]
    """Parts of the score of each pair, the most points first, for coordinators."""
    nobody: Mapping[str, int]
    """Those for whom there is nobody, with the reason."""
    names: Mapping[str, str]
    published: bool = False
    """The pairs were published before; there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing has done."""

    cohort: str
    mentorships: tuple[str, ...]
    told: int
    """How many hear that there is nobody for them."""
    earliest: Mapping[int, datetime] = field(default_factory=dict[int, datetime], compare=False)
    """Shard to the moment (UTC) to wake its postmaster for."""


async def pool_of(database: Database, cohort: str) -> Pool:
    """Those whose application counts, ready to be matched. Raises Refused and NotFound."""
    async with database.session() as session:
        call = await call_of(session, cohort)
        found = await matchable(session, call)
        everybody = await applications.of_cohort(session, cohort, applications.COUNTS)
    names = {each.person: each.shown_name for each in everybody}
    return Pool(call.title, call.program.format, call.start, call.matching, found, names)


async def draft(
    database: Database,
    cohort: str,
    *,
    pins: Sequence[str] = (),
    bans: Sequence[str] = (),
    pairs: Sequence[PairIds] | None = None,
) -> Draft:
    """What publishing would do. `pairs` are taken as they are, instead of the best ones; each must be possible.

    Raises Refused.
    """
    pool = await pool_of(database, cohort)
    async with database.session() as session:
        call = await call_of(session, cohort)
    if call.gathering.published:
        return Draft(cohort, call.title, (), {}, {}, pool.names, published=True)
    made, nobody = pairs_of(pool, pins=pins, bans=bans, pairs=pairs)
    if not made:
        raise Refused("no pair can be made of those who applied; the matching says why", use="match")
    return Draft(cohort, call.title, tuple(sorted(made)), made, nobody, pool.names)


def pairs_of(
    pool: Pool, *, pins: Sequence[str] = (), bans: Sequence[str] = (), pairs: Sequence[PairIds] | None = None
) -> tuple[dict[PairIds, tuple[Part, ...]], dict[str, int]]:
    """The best pairs of a pool, or these `pairs`, with the parts of their scores; and those for whom there is nobody,
    with the reason. Raises Refused."""
    if pairs is not None:
        pins = [f"{mentor}:{mentee}" for mentor, mentee in pairs]
        _check_pairs(pool, pairs)
    board = matched(pool, pool.wanted(pins, bans)).board
    made = {(pair.mentor, pair.mentee): pair.parts for pair in board.pairs}
    if pairs is not None:
        # Two peers are a pair in whatever order they are written.
        chosen = {pair if pool.format != "peer" else (min(pair), max(pair)) for pair in pairs}
        made = {pair: made[pair] for pair in made if pair in chosen}
    lacks = {one.id: NO_PLACE if one.short else NO_FIT for one in board.nobody}
    placed = {person for pair in made for person in pair}
    nobody = {
        each.id: lacks.get(each.id, NO_PLACE) if each.mentee else NO_MENTEE
        for each in pool.people
        if each.id not in placed
    }
    return made, nobody


def _check_pairs(pool: Pool, pairs: Sequence[PairIds]) -> None:
    if pool.format == "peer":
        seen = [pool.known(person) for pair in pairs for person in pair]
        three = three_of(pairs) if pool.matching.three_peers else ()
        if twice := [person for person in seen if seen.count(person) > (2 if person in three else 1)]:
            more = ", or add the pair that makes three of them" if pool.matching.three_peers else ""
            raise Refused(f"{twice[0]} stands in two of these pairs; keep one{more}")
        return
    capacity = {each.id: each.capacity for each in pool.people}
    taken: dict[str, int] = {}
    mentees: set[str] = set()
    for mentor, mentee in pairs:
        taken[pool.known(mentor)] = taken.get(mentor, 0) + 1
        if pool.known(mentee) in mentees:
            raise Refused(f"{mentee} has two mentors in these pairs; keep one")
        mentees.add(mentee)
        if taken[mentor] > capacity.get(mentor, 0):
            raise Refused(f"{mentor} takes {capacity.get(mentor, 0)} mentees at most, and these pairs give them more")


async def publish(
    database: Database,
    client: Client | None,
    settings: Settings,
    made: Draft,
    now: datetime,
    *,
    by: str,
    why: str = "",
    proof: str,
) -> Published:
    """Write the pairs of a draft into the cohort and start them. Raises Refused where somebody of them has withdrawn
    since. Without a client they start with the next launch or publishing. `now` is program time (UTC)."""
    async with database.begin() as session:
        call = await call_of(session, made.cohort)
        decider = who_decides(made.cohort, await people.deciders(session, made.cohort), by)
        await calls.lock(session, made.cohort)
        if (await call_of(session, made.cohort)).gathering.published:
            done = Published(made.cohort, (), 0)
        else:
            done = await _write(session, settings, call, made, now, decider, proof, why)
    if client is not None:
        await start_cohort(client, settings, made.cohort)
        await wake_in_time(database, done.earliest, now, Waker(client, settings))
    return done


async def _write(
    session: AsyncSession,
    settings: Settings,
    call: Call,
    made: Draft,
    now: datetime,
    decider: str,
    proof: str,
    why: str,
) -> Published:
    counted = {
        each.person: each
        for each in await applications.of_cohort(session, made.cohort, ("confirmed",))
        if each.standing == "active"
    }
    placed = [person for pair in made.pairs for person in pair]
    gone = sorted(set(placed) - set(counted))
    if gone:
        raise Refused(f"{', '.join(gone)} can't be matched any more; match again, and publish that")
    if call.state != "running":
        raise Refused(f"{made.cohort} is {call.state}; nothing can start in it")
    loaded = await written_out(session, made.cohort)
    taken = {mentorship.key for mentorship in loaded.cohort.mentorships}
    seated = mentorships_of(call.program.format, made.pairs, taken)
    mentorships = tuple(seated)
    for person in sorted(set(placed)):
        await applications.change_person(session, person, profile=await _profile(session, call, counted[person]))
    says: Cohort = loaded.cohort.model_copy(update={"mentorships": mentorships})
    frozen = await cohorts.contents(session, made.cohort)
    assert frozen is not None
    three = frozenset(three_of(made.pairs)) if call.program.format == "peer" else frozenset[str]()
    because = {
        mentorship.key: (
            *((AS_THREE,) if three.issuperset(mentorship.peers or ("",)) else ()),
            *_because(call, made, pairs),
        )
        for mentorship, pairs in seated.items()
    }
    today = local_date(now, call.zone)
    new = await cohorts.put_in(session, says, frozen.programs, today, because)
    await calls.mark_published(session, made.cohort, now)
    await applied.keep(session, made.cohort, now)
    await tasks.close_of_cohort(session, made.cohort, "match", "published", decider, why, now, today)
    alone = {person: reason for person, reason in made.nobody.items() if person in counted}
    moments: list[Moment] = []
    for person, reason in alone.items():
        moments += await applications.tell(
            session, call, counted[person].id, person, "notice", applications.NOBODY, reason, now,
            shards=settings.shards,
        )  # fmt: skip
    await requests.note(session, made.cohort, "", now, "published", detail=str(len(new)), by=decider, why=why)
    entry = AuditEntry("publish", decider, proof, made.cohort, [f"{made.cohort}/{key}" for key in new], reason=why)
    await put_audit(session, now, entry)
    return Published(made.cohort, tuple(new), len(alone), soonest(moments))


def mentorships_of(
    format_: Format, pairs: Sequence[PairIds], taken: Collection[str]
) -> dict[Mentorship, tuple[PairIds, ...]]:
    """The mentorships of these pairs, each with the pairs that it is made of; a group is made of several. `taken`:
    keys that mentorships of the cohort have already."""
    free = (key for key in (f"m{number:02}" for number in count(1)) if key not in taken)
    if format_ == "peer":
        return {Mentorship(key=next(free), peers=pair): (pair,) for pair in pairs}
    if format_ != "group":
        return {
            Mentorship(key=next(free), mentor=mentor, mentees=(mentee,)): ((mentor, mentee),)
            for mentor, mentee in pairs
        }
    groups: dict[str, list[str]] = {}
    for mentor, mentee in pairs:
        groups.setdefault(mentor, []).append(mentee)
    return {
        Mentorship(key=next(free), mentor=mentor, mentees=tuple(mentees)): tuple(
            (mentor, mentee) for mentee in mentees
        )
        for mentor, mentees in groups.items()
    }


def _because(call: Call, made: Draft, pairs: Sequence[PairIds]) -> tuple[str, ...]:
    """Why these people: what is true of all pairs of a mentorship."""
    first, *others = (reasons(call, made.because[pair]) for pair in pairs)
    return tuple(words for words in first if all(words in other for other in others))


def reasons(call: Call, parts: Sequence[Part]) -> tuple[str, ...]:
    """Why two were matched, in words for the two of them: only by answers that the form shows to a partner. A wish is
    no reason to be told, for nobody learns who wished for them."""
    questions = {question.id: question for role in call.terms.roles for question in call.questions(role)}
    labels = {tag.tag.casefold(): tag.label for tag in call.matching.tags}
    offered = {score.field: score.offered or "" for score in call.matching.score if score.kind == "wanted"}
    found: list[str] = []
    for part in parts:
        question = questions.get(part.field)
        if question is None or question.visible != "pair":
            continue
        _, _, value = part.words.partition(": ")
        if part.kind == "wanted":
            other = questions.get(offered.get(part.field, ""))
            if other is not None and other.visible == "pair":
                topic = labels.get(value.casefold(), value)
                found.append(f"{topic}: one of you wants to work on it, the other offers it")
        elif part.kind == "equal":
            options = {option.value.casefold(): option.label for option in question.options}
            shared = [options.get(each.strip().casefold(), each.strip()) for each in value.split(",")]
            found.append(f"You have in common: {listed(shared, 'en')}")
    return tuple(dict.fromkeys(found))


async def _profile(session: AsyncSession, call: Call, application: Application) -> dict[str, Any]:
    """What the partner may see, beside what is known of the person from before."""
    known = await people.profile(session, application.person)
    return {**known, **shown_to_partner(call, application)}
