"""Voices with consent: a coordinator asks somebody whether their words may be shown, and where; they answer, change
the words, and can take it back at any time.

What is not agreed to by everybody in it is never shown. An answer at the closure only says that somebody may be
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import local_date
from operations import audit
from operations.audit import AuditEntry
from operations.errors import NotFound, Refused
from operations.mentorships.status import known_cohort
from operations.people.deciders import who_decides
from operations.people.find import known_person
from operations.people.own_page import ActResult, Done, Rejected, UnknownPerson
from operations.transactions import in_one
from store.columns import public_id
from store.database import Database
from store.forms.answers import answers_of
from store.people import own_page, people, voices
from store.people.voices import Voice
from store.tables import VoiceRow

USES = {"report": "the report of the program", "web": "our web site", "print": "printed matter"}
"""Where a voice may be shown, in the words of the page that asks."""
ANSWERS = {"named": "Yes, with my name", "unnamed": "Yes, without my name", "no": "No"}
"""The three answers."""
OTHERS = {"named": "Yes, I may be named in it", "no": "No"}
"""The answers of somebody who is named in another's words."""
LONGEST = 2000
"""Characters."""
MONTHS = 24
"""A yes counts so long."""


async def ask(
    database: Database,
    cohort: str,
    who: str,
    text: str,
    uses: Sequence[str],
    names: Sequence[str],
    by: str,
    now: datetime,
    *,
    proof: str,
    shards: int = 1,
) -> dict[int, datetime]:
    """Ask somebody of a cohort whether these words of theirs may be shown, and everybody who is named in them.

    `who`, `names` and `by` are ids, names or addresses. Returns shard to the moment (UTC) at which its postmaster
    must look. Raises NotFound, and Refused where nobody said at the closure that they may be asked.
    """
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise Refused(f"write the words themselves, at most {LONGEST} characters")
    if not uses or not {*uses} <= {*USES}:
        raise Refused(f"say where they may be shown: {', '.join(USES)}")
    async with database.begin() as session:
        await known_cohort(session, cohort)
        reader = who_decides(cohort, await people.deciders(session, cohort), by)
        person = (await known_person(session, who)).id
        named = [(await known_person(session, name)).id for name in names]
        if not await _may_be_asked(session, cohort, person):
            raise Refused(f"{who} has not said at the closure that they may be quoted, so they are not asked")
        if await voices.is_held(session, cohort, [person, *named]):
            raise Refused("a report about safety is open in one of their mentorships: ask when it is decided")
        id_ = public_id(f"voice/{cohort}/{person}/{words}")
        if await voices.find(session, id_):
            raise Refused(f"{who} was asked about these words before")
        row = VoiceRow(id=id_, cohort=cohort, person=person, text=words, uses=[*uses], by=reader, asked_at=now)
        earliest = await voices.put(session, row, named, shards=shards)
        entry = AuditEntry("voices --ask", reader, proof, cohort, [person, *named], result="done")
        await audit.put(session, now, entry)
    return earliest


async def _may_be_asked(session: AsyncSession, cohort: str, person: str) -> bool:
    given = await answers_of(session, cohort, person=person, ask="closure")
    return any(answer.body.get("c_quote") in ("with_name", "without_name") for answer in given)


async def answer(
    database: Database,
    person: str,
    generation: int,
    id_: str,
    said: str,
    text: str,
    now: datetime,
    *,
    shards: int = 1,
) -> ActResult:
    """Somebody answers; a no after a yes takes it back. Whose words they are may change them.

    `now` is program time (UTC). The same answer twice changes nothing.
    """

    async def carry_out(session: AsyncSession) -> ActResult:
        holder = await own_page.holder(session, person, generation, to_write=True)
        voice = await voices.find(session, id_)
        consent = voice.consent_of(person) if voice else None
        if holder is None or voice is None or consent is None:
            return UnknownPerson()
        own = voice.person == person
        if said not in (ANSWERS if own else OTHERS):
            return Rejected("Choose one of the answers.")
        taken_back = said == "no" and consent.answer in (*voices.YES, "withdrawn")
        words = text.strip() if own and said in voices.YES else voice.text
        if not words or len(words) > LONGEST:
            return Rejected(f"Leave some words, at most {LONGEST} characters, or answer no.")
        zone = (await known_cohort(session, voice.cohort)).zone
        until = _in_months(local_date(now, zone), MONTHS) if said in voices.YES else None
        await voices.answer(session, voice, person, "withdrawn" if taken_back else said, now, until)
        changed = words != voice.text
        earliest = await voices.reworded(session, voice, words, now, shards=shards) if changed else {}
        return Done(earliest=earliest)

    return await in_one(database, carry_out)


def _in_months(on: date, months: int) -> date:
    """The same day so many months later; the last day of a shorter month."""
    year, month = divmod(on.month - 1 + months, 12)
    for day in range(on.day, 0, -1):
        try:
            return date(on.year + year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


async def listed(database: Database, cohort: str, now: datetime) -> list[tuple[Voice, str]]:
    """The voices of a cohort with their states; those that are over name the places to look at. Raises NotFound."""
    async with database.session() as session:
        today = local_date(now, (await known_cohort(session, cohort)).zone)
        return [(voice, voice.state(today)) for voice in await voices.of_cohort(session, cohort)]


async def used(database: Database, id_: str, place: str, by: str, now: datetime, *, proof: str) -> None:
    """Note where a voice is shown. Raises NotFound, and Refused for one that is not live."""
    async with database.begin() as session:
        voice = await voices.find(session, id_)
        if voice is None:
            raise NotFound(f"there is no voice {id_!r}", use="voices")
        reader = who_decides(voice.cohort, await people.deciders(session, voice.cohort), by)
        state = voice.state(local_date(now, (await known_cohort(session, voice.cohort)).zone))
        if state != "live":
            raise Refused(f"this voice must not be shown: it is {state}")
        await voices.used(session, id_, place, reader, now)
        await audit.put(session, now, AuditEntry("voices --used", reader, proof, voice.cohort, [id_], result="done"))


async def live(session: AsyncSession, cohort: str, use: str, today: date) -> list[Voice]:
    """The voices that may be shown there today."""
    return [
        voice
        for voice in await voices.of_cohort(session, cohort)
        if voice.state(today) == "live" and use in voice.uses
    ]
