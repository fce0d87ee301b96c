"""What is counted when a season is over: nothing lost, nothing twice. Trusts neither the engine's record nor the
relay's alone; each is held against the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from email import message_from_string, policy

from sqlalchemy import select

from faults.town import Town
from store.settling import NOT_REPEATED
from store.tables import AnswerRow, ItemRow, MentorshipRow, MessageRow, OutcomeRow, RelayRow


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one season."""

    mails: int
    """Different messages that arrived."""
    answers: int
    """Answers that a page took."""
    mails_lost: int
    """Told to be sent and never arrived, or never settled."""
    mails_doubled: int
    """Arrived more than once without our having been left in doubt, or the same thing told in two mails."""
    ambiguous: int
    """Arrived once more as the same message: the relay had it and nobody could know."""
    answers_lost: int
    """Taken by a page and not on the record, or never told to the mentorship."""
    stuck: int
    """Mentorships without an end."""
    unknown: int
    """In doubt and not repeated, because nothing in them was true any more when their dead worker was missed."""

    @property
    def kept(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not (self.mails_lost or self.mails_doubled or self.answers_lost or self.stuck)


async def tally(here: Town, doubts: int) -> Tally:
    """Count. `doubts`: how often at most somebody could not know whether the relay had taken a mail."""
    async with here.database.session() as session:
        messages = list(await session.scalars(select(MessageRow)))
        items = list(await session.scalars(select(ItemRow)))
        answers = Counter(await session.scalars(select(AnswerRow.request)))
        untold = len(list(await session.scalars(select(RelayRow.id))))
        mentorships = set(await session.scalars(select(MentorshipRow.key)))
        ended = set(await session.scalars(select(OutcomeRow.mentorship)))
    sent = {message.id: _message_id(message.raw) for message in messages if message.state in ("sent", "ambiguous")}
    copies = Counter((mail.id, mail.raw) for mail in here.arrived)
    arrived = {id_ for id_, _ in copies}
    again = copies.total() - len(copies)

    # No fault refuses anybody for good, so whoever was refused has lost a mail; one that was in doubt and had nothing
    # true left to say is on the record as such.
    unknown = {message.id for message in messages if message.error == NOT_REPEATED}
    sent = {message: id_ for message, id_ in sent.items() if message not in unknown or id_ in arrived}
    unsettled = [item for item in items if item.state not in ("sent", "dropped")]
    nowhere = [
        item
        for item in items
        if item.state == "sent" and item.message not in unknown and sent.get(item.message or "") not in arrived
    ]
    # One Message-ID with two texts is two mails; what nobody put on the record is one too many.
    differing, unknown = len(copies) - len(arrived), arrived - set(sent.values())
    requests = await here.requests()
    asked = [requests[mentorship, asked.person, asked.ask, asked.number] for mentorship, asked in here.accepted]
    return Tally(
        mails=len(arrived),
        answers=len(asked),
        mails_lost=len(unsettled) + len(nowhere) + len(set(sent.values()) - arrived),
        mails_doubled=differing + len(unknown) + max(again - doubts, 0),
        ambiguous=min(again, doubts),
        answers_lost=(Counter(asked) - answers).total() + untold,
        stuck=len(mentorships - ended),
        unknown=len(unknown),
    )


def _message_id(raw: str) -> str:
    return str(message_from_string(raw, policy=policy.default)["Message-ID"])
