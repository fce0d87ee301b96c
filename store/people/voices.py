"""Voices: stories in people's own words, who agreed to show them, and where they were shown.

A voice is live only while everybody agrees: whose words they are, and who is named in it. Must not show a voice that
is not live to anybody but the coordinators, those who are asked, and the person themself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import time_ns

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from lifecycle.keys import item_key
from lifecycle.local_time import DAY, local_date
from store.database import upserting
from store.people.name_matcher import NameMatcher
from store.postbox import WAITING, Address, letterbox_rule, post
from store.shards import soonest
from store.tables import (
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    VoiceConsentRow,
    VoiceRow,
    VoiceUseRow,
)

VOICE = "voice"
"""Name of the mail that asks."""
REMINDED_AFTER = 7
"""Days after the asking until the only reminder."""
YES = ("named", "unnamed")


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person says to it. `until` is the last day on which a yes counts."""

    person: str
    name: str
    answer: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice as its coordinators and the people in it see it."""

    id: str
    cohort: str
    person: str
    name: str
    text: str
    uses: tuple[str, ...]
    asked_at: datetime
    consents: tuple[Consent, ...]
    places: tuple[str, ...]
    """Where it was shown."""

    def state(self, today: date) -> str:
        """`waiting` for somebody, `live`, `refused`, `withdrawn` or `expired`."""
        answers = [consent.answer for consent in self.consents]
        for ended in ("withdrawn", "no"):
            if ended in answers:
                return "withdrawn" if ended == "withdrawn" else "refused"
        if "" in answers:
            return "waiting"
        over = any(consent.until is None or consent.until < today for consent in self.consents)
        return "expired" if over else "live"

    @property
    def signed(self) -> str:
        """The name that stands below it; empty where the person wants to stay unnamed."""
        return next(
            (self.name for each in self.consents if each.person == self.person and each.answer == "named"), ""
        )

    def consent_of(self, person: str) -> Consent | None:
        """What this person says; None where they are not asked."""
        return next((consent for consent in self.consents if consent.person == person), None)


async def put(
    session: AsyncSession,
    voice: VoiceRow,
    named: Collection[str],
    *,
    shards: int,
) -> dict[int, datetime]:
    """Put down a voice and ask everybody in it. Needs a writing transaction.

    Returns shard to the moment (UTC) at which its postmaster must look.
    """
    session.add(voice)
    await session.flush()
    people = [voice.person, *sorted({*named} - {voice.person})]
    session.add_all([VoiceConsentRow(voice=voice.id, person=person) for person in people])
    await session.flush()
    return await _mail(session, voice, people, voice.asked_at, shards=shards, number=1)


async def _mail(
    session: AsyncSession, voice: VoiceRow, people: Sequence[str], now: datetime, *, shards: int, number: int
) -> dict[int, datetime]:
    cohort = await session.get_one(CohortRow, voice.cohort)
    rule = letterbox_rule(cohort.letterbox, cohort.holidays)
    today = local_date(now, cohort.zone)
    posts = [
        Post(
            key=item_key(voice.cohort, VOICE, voice.id, number, person, "notice", nth),
            person=person,
            kind="notice",
            name=VOICE,
            number=nth + 1,
            date=today + days * DAY,
            about=voice.id,
            after_end=True,
        )
        for person in people
        for nth, days in enumerate((0, REMINDED_AFTER))
    ]
    return soonest(await post(session, Address(voice.cohort, "", now, rule, shards), posts, Standstill()))


async def answer(
    session: AsyncSession, voice: Voice, person: str, said: str, now: datetime, until: date | None
) -> None:
    """Put down what somebody says; the mails about it that wait for them are dropped."""
    await session.execute(
        update(VoiceConsentRow)
        .where(VoiceConsentRow.voice == voice.id, VoiceConsentRow.person == person)
        .values(answer=said, at=now, until=until)
        .execution_options(synchronize_session=False)
    )
    await _no_mail(session, ItemRow.about == voice.id, ItemRow.person == person, now=now)


async def reworded(
    session: AsyncSession, voice: Voice, text: str, now: datetime, *, shards: int
) -> dict[int, datetime]:
    """Put down other words, and ask everybody else in it again, for they agreed to the words before. Mails that still
    ask about those are dropped."""
    row = await session.get_one(VoiceRow, voice.id)
    row.text = text
    others = [consent.person for consent in voice.consents if consent.person != voice.person]
    await session.execute(
        update(VoiceConsentRow)
        .where(VoiceConsentRow.voice == voice.id, VoiceConsentRow.person.in_(others))
        .values(answer="", at=None, until=None)
        .execution_options(synchronize_session=False)
    )
    await session.flush()
    await _no_mail(session, ItemRow.about == voice.id, ItemRow.person.in_(others), reason="untrue", now=now)
    # Real time: words can change twice at the same program time, and each asking has mails of its own.
    return await _mail(session, row, others, now, shards=shards, number=time_ns()) if others else {}


async def used(session: AsyncSession, voice: str, place: str, by: str, now: datetime) -> None:
    """Put down a place where it is shown; the same place twice is one."""
    row = upserting(session, VoiceUseRow).values(voice=voice, place=place, by=by, at=now)
    await session.execute(row.on_conflict_do_nothing(index_elements=("voice", "place")))


async def is_held(session: AsyncSession, cohort: str, people: Collection[str]) -> bool:
    """Whether a report about safety holds the mail of a mentorship of one of these people in this cohort."""
    seat = (MembershipRow.cohort == MentorshipRow.cohort) & (MembershipRow.mentorship == MentorshipRow.key)
    held = await session.scalar(
        select(MentorshipRow.key)
        .join(MembershipRow, seat)
        .where(MentorshipRow.cohort == cohort, MembershipRow.person.in_(people), MentorshipRow.held.is_(True))
        .limit(1)
    )
    return held is not None


async def find(session: AsyncSession, id_: str) -> Voice | None:
    """The voice of this id."""
    found = await _read(session, VoiceRow.id == id_)
    return found[0] if found else None


async def of_cohort(session: AsyncSession, cohort: str) -> list[Voice]:
    """All voices of a cohort, the oldest first."""
    return await _read(session, VoiceRow.cohort == cohort)


async def with_person(session: AsyncSession, person: str) -> list[Voice]:
    """The voices in which this person was asked, whose words they are or because they are named."""
    mine = select(VoiceConsentRow.voice).where(VoiceConsentRow.person == person)
    return await _read(session, VoiceRow.id.in_(mine))


async def forget(session: AsyncSession, person: str, names: NameMatcher) -> int:
    """Nothing is left of what this person said; voices in which others name them end, and lose the name. How many
    rows there were."""
    named_in = select(VoiceConsentRow.voice).where(VoiceConsentRow.person == person)
    for row in await session.scalars(select(VoiceRow).where(VoiceRow.id.in_(named_in), VoiceRow.person != person)):
        row.text = names.out_of(row.text)
    await session.flush()
    own = (await session.scalars(select(VoiceRow.id).where(VoiceRow.person == person))).all()
    for table in (VoiceUseRow, VoiceConsentRow):
        await session.execute(delete(table).where(table.voice.in_(own)))
    await session.execute(delete(VoiceRow).where(VoiceRow.id.in_(own)))
    ended = await session.scalars(
        update(VoiceConsentRow)
        .where(VoiceConsentRow.person == person, VoiceConsentRow.answer != "withdrawn")
        .values(answer="withdrawn", until=None)
        .returning(VoiceConsentRow.voice)
        .execution_options(synchronize_session=False)
    )
    return len(own) + len(ended.all())


async def _no_mail(session: AsyncSession, *which: object, now: datetime, reason: str = "answered") -> None:
    await session.execute(
        update(ItemRow)
        .where(ItemRow.name == VOICE, ItemRow.state.in_(WAITING), *which)  # type: ignore[arg-type]
        .values(state="dropped", reason=reason, done_at=now, deliver_at=None)
        .execution_options(synchronize_session=False)
    )


async def _read(session: AsyncSession, which: object) -> list[Voice]:
    rows = await session.execute(
        select(VoiceRow, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == VoiceRow.person)
        .where(which)  # type: ignore[arg-type]
        .order_by(VoiceRow.asked_at, VoiceRow.id)
        .execution_options(populate_existing=True)
    )
    voices = [(row, name) for row, name in rows]
    if not voices:
        return []
    ids = [row.id for row, _ in voices]
    consents: dict[str, list[Consent]] = {}
    for row, name in await session.execute(
        select(VoiceConsentRow, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == VoiceConsentRow.person)
        .where(VoiceConsentRow.voice.in_(ids))
        .order_by(VoiceConsentRow.person)
        .execution_options(populate_existing=True)
    ):
        consents.setdefault(row.voice, []).append(Consent(row.person, name, row.answer, row.until))
    places: dict[str, list[str]] = {}
    for use in await session.scalars(
        select(VoiceUseRow).where(VoiceUseRow.voice.in_(ids)).order_by(VoiceUseRow.at, VoiceUseRow.place)
    ):
        places.setdefault(use.voice, []).append(use.place)
    return [
        Voice(
            row.id, row.cohort, row.person, name, row.text, tuple(row.uses), row.asked_at,
            tuple(consents.get(row.id, ())), tuple(places.get(row.id, ())),
        )
        for row, name in voices
    ]  # fmt: skip
