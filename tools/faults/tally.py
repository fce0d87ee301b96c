"""Counts the result of a season: nothing lost, nothing doubled. It compares the engine's record with the relay's, and
trusts neither alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string, policy
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lifecycle.delivery.postbox import DropReason
from store.delivery.results import NOT_REPEATED
from store.tables import (
    AnswerRow,
    ItemRow,
    MentorshipRow,
    MessageRow,
    OutcomeRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
    TaskRow,
)
from testing.servers.sink import Received
from tools.faults.installation import Town

NEVER_HERE = (DropReason.LEFT, DropReason.ERASED, DropReason.BOUNCED)
"""Nobody leaves, is erased or has an address that refuses mail: what is dropped for that is lost."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one season."""

    mails: int
    """Different messages that arrived."""
    answers: int
    """Answers that a page took."""
    mails_lost: int
    """Told to be sent and never arrived, never settled, or dropped for a reason that was not so."""
    mails_doubled: int
    """Arrived more than once without having been in doubt, or the same thing told in two mails."""
    crowded: int
    """Second ordinary mails of one person on one day, by the person's own clock."""
    ambiguous: int
    """Arrived once more as the same message: the relay had it and nobody could know."""
    answers_lost: int
    """Taken by a page and not on the record, or never told to the mentorship."""
    stuck: int
    """Mentorships without an end."""
    not_repeated: int
    """In doubt and not repeated, because nothing in them was true any more when their dead worker was missed."""

    @property
    def kept(self) -> bool:
        """Whether nothing was lost, nothing doubled, and nobody got too much on one day."""
        return not (self.mails_lost or self.mails_doubled or self.crowded or self.answers_lost or self.stuck)


async def tally(here: Town, *, deaths: bool) -> Tally:
    """Count. `deaths`: a worker may have died, or lost the database, between the relay's answer and the record of
    it; where it may not, only what the relay took without saying so excuses a second copy."""
    async with here.database.session() as session:
        messages = list(await session.scalars(select(MessageRow)))
        items = list(await session.scalars(select(ItemRow)))
        asked_for = {row.key: row for row in await session.scalars(select(RequestRow))}
        decided = set(await session.scalars(select(TaskRow.key).where(TaskRow.closed_at.is_not(None))))
        answers = Counter(await session.scalars(select(AnswerRow.request)))
        untold = len(list(await session.scalars(select(RelayRow.id))))
        mentorships = set(await session.scalars(select(MentorshipRow.key)))
        ended = {row.mentorship: row.at for row in await session.scalars(select(OutcomeRow))}
        zones = {row.email: row.zone for row in await session.scalars(select(ParticipantRow))}
    by_id = {_message_id(message.raw): message for message in messages if message.state in ("sent", "ambiguous")}
    sent = {message.id: id_ for id_, message in by_id.items()}
    copies: dict[str, list[Received]] = defaultdict(list)
    for mail in here.arrived:
        copies[mail.id].append(mail)
    arrived = set(copies)

    # One that was in doubt and had nothing true left to say is on the record as such, and may never have arrived.
    not_repeated = {message.id for message in messages if message.error == NOT_REPEATED}
    unsettled = [item for item in items if item.state not in ("sent", "dropped")]
    nowhere = [
        item
        for item in items
        if item.state == "sent" and item.message not in not_repeated and sent.get(item.message or "") not in arrived
    ]
    vanished = {id_ for message, id_ in sent.items() if message not in not_repeated} - arrived
    given_up = [item for item in items if item.state == "dropped" and not _rightly(item, asked_for, decided, ended)]

    # One Message-ID with two texts is two mails; what nobody put on the record is one too many.
    differing = sum(len({mail.raw for mail in copies_of_one}) - 1 for copies_of_one in copies.values())
    again = sum(len(copies_of_one) - 1 for copies_of_one in copies.values())
    excused = sum(_excused(copies_of_one, by_id.get(id_), deaths=deaths) for id_, copies_of_one in copies.items())
    requests = await here.requests()
    asked = [requests[mentorship, asked.person, asked.ask, asked.number] for mentorship, asked in here.accepted]
    return Tally(
        mails=len(arrived),
        answers=len(asked),
        mails_lost=len(unsettled) + len(nowhere) + len(vanished) + len(given_up),
        mails_doubled=differing + len(arrived - set(by_id)) + again - excused,
        crowded=max(_crowded(copies, by_id, zones), _crowded_on_record(messages)),
        ambiguous=excused,
        answers_lost=(Counter(asked) - answers).total() + untold,
        stuck=len(mentorships - set(ended)),
        not_repeated=len(not_repeated),
    )


def _rightly(
    item: ItemRow, requests: Mapping[str, RequestRow], decided: Collection[str], ended: Mapping[str, datetime]
) -> bool:
    """Whether an item was dropped for a reason that the lifecycle allows (2.7) and that was so."""
    request, at = requests.get(item.request), item.done_at
    match item.reason:
        case DropReason.ANSWERED:
            return item.task in decided or (request is not None and request.answered_at is not None)
        case DropReason.WINDOW_CLOSED:
            return request is not None and at is not None and (request.closes_at <= at or request.state != "open")
        case DropReason.OVER:
            return item.mentorship in ended
        case reason:
            return reason in set(DropReason) and reason not in NEVER_HERE


def _excused(copies: Sequence[Received], message: MessageRow | None, *, deaths: bool) -> int:
    """How many of the further copies of one message are excused: each by one that the relay took and kept silent
    about, or by the record, which marks a mail that was in doubt and counts its tries."""
    unsaid = sum(not mail.said for mail in copies)
    marked = deaths and message is not None and message.error.startswith("ambiguous")
    tries = message.attempts - 1 if message is not None and marked else 0
    return min(len(copies) - 1, max(unsaid, tries))


def _crowded(
    copies: Mapping[str, Sequence[Received]], by_id: Mapping[str, MessageRow], zones: Mapping[str, str]
) -> int:
    """By what arrived: the mails' own dates."""
    days: Counter[tuple[str, object]] = Counter()
    for id_, (mail, *_) in copies.items():
        if id_ in by_id and not by_id[id_].fast:
            written = datetime.strptime(str(mail.message["Date"]), "%a, %d %b %Y %H:%M:%S %z")
            days[mail.recipient, written.astimezone(ZoneInfo(zones[mail.recipient])).date()] += 1
    return sum(count - 1 for count in days.values())


def _crowded_on_record(messages: Sequence[MessageRow]) -> int:
    """By what is on the record: the days on which they went."""
    days = Counter(
        (message.person, message.local_date)
        for message in messages
        if message.sent_at is not None and not message.fast
    )
    return sum(count - 1 for count in days.values())


def _message_id(raw: str) -> str:
    return str(message_from_string(raw, policy=policy.default)["Message-ID"])
