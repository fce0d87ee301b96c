"""Somebody who knows how the engine makes its keys sends reports of failures that never happened."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from activities.delivery.verp import envelope_sender
from operations.bounces.bounces import take_in
from store.tables import MessageRow, ParticipantRow
from tools.faults.installation import Town

ROUNDS = 4
"""How often everybody's mails are reported, two days apart."""
IDS_AT_ONCE = 800
"""Message-IDs that fit into one report."""


async def forged_bounces(here: Town) -> int:
    """Each mail of each person is reported as refused for good: by the hash of its key, by many ids in one report, by
    an envelope signed with another secret. The person's mail must go on."""
    here.asked_at_the_end.append(lambda: _nobody_is_silenced(here))
    forged = 0
    for _ in range(ROUNDS):
        await here.days(2)
        async with here.database.session() as session:
            rows = list(await session.execute(select(MessageRow.id, MessageRow.recipient)))
        for message, recipient in rows:
            guess = f"<{hashlib.sha256(message.encode()).hexdigest()[:40]}@engine.example.org>"
            strange = envelope_sender("mentoring@engine.example.org", message, "a secret of somebody else's own")
            others = [f"<{n:040x}@engine.example.org>" for n in range(IDS_AT_ONCE)]
            for raw in (
                _report(recipient, guess),
                _report(recipient, *others, guess),
                _report(recipient, guess, to=strange),
            ):
                taken = await take_in(here.database, here.settings, raw, here.now())
                forged += 1
                if taken.came != "unmatched":
                    here.asked_at_the_end.append(lambda came=taken.came: _said(f"a forged report was {came}"))
    return forged


def _report(recipient: str, *ids: str, to: str = "mentoring@engine.example.org") -> bytes:
    """A delivery report (RFC 3464)."""
    returned = "\r\n".join(f"Message-ID: {id_}" for id_ in ids)
    return (
        f"From: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"--B\r\nContent-Type: message/rfc822\r\n\r\n{returned}\r\nSubject: Check-in\r\n\r\nHello\r\n--B--\r\n"
    ).encode()


async def _nobody_is_silenced(here: Town) -> list[str]:
    async with here.database.session() as session:
        silent = await session.scalars(select(ParticipantRow.id).where(ParticipantRow.standing != "active"))
    return [f"{person} gets no mail any more" for person in silent]


async def _said(trouble: str) -> list[str]:
    return [trouble]
