"""The agreement as a document that people draft, change and sign: who may act, on which version, and what a version
holds. A change is a new version with one signature; nothing that anybody wrote is ever overwritten.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.findings import AgreementAct
from operations.forms.parse import Typed
from program.forms import Answers
from program.text import whole_number
from store.forms import agreements
from store.forms.requests import Requested

SEEN = "seen_version"
"""Hidden field: the version that the person had before them."""
ACT = "act"
"""Which of the two buttons: `sign`, or anything else for a draft or a change."""


def on_the_table(requested: Requested) -> int:
    """The number of the latest version; 0 where nobody has drafted one."""
    return requested.versions[-1].number if requested.versions else 0


def drafting(requested: Requested) -> bool:
    """Whether the person is asked to write the next version, rather than to sign or change the one on the table."""
    return requested.number > on_the_table(requested)


def may(requested: Requested, act: AgreementAct) -> bool:
    """Whether it is this person's turn to do that. Signing is for those who have not signed what is on the table."""
    if requested.state not in ("open", "closed"):
        return False
    return act != "sign" or requested.person not in requested.versions[-1].signed


def concluded(requested: Requested) -> bool:
    """Whether everybody who takes part has signed the version on the table."""
    if not requested.versions or drafting(requested):
        return False
    everybody = {seat.person for seat in requested.partners} | {requested.person}
    return everybody <= set(requested.versions[-1].signed)


def last_known(requested: Requested) -> int:
    """The latest version that this person wrote or signed; 0 where they know none."""
    return max(
        (version.number for version in requested.versions if requested.person in (version.by, *version.signed)),
        default=0,
    )


def seen_version(typed: Typed) -> int:
    """The version that the person had before them when they acted; 0 where none was there."""
    return whole_number((typed.get(SEEN) or ["0"])[0], 8)


def act_of(requested: Requested, typed: Typed) -> AgreementAct:
    """What the person means to do: sign what is on the table, or write the next version."""
    if typed.get(ACT) == ["sign"] and not drafting(requested):
        return "sign"
    return "change" if requested.versions else "draft"


async def act(session: AsyncSession, requested: Requested, answers: Answers, act: AgreementAct, now: datetime) -> int:
    """Carry out what the person means to do; the version that was drafted, made by the change, or signed.

    Goals in `answers` have their ids. A version keeps what only the other side is asked; what is for the coordinators
    stays out of it.
    """
    number = on_the_table(requested)
    if act != "sign":
        asked = {question.id for question in requested.questions}
        shared = {question.id for question in requested.questions if in_document(question.type, question.visible)}
        before = requested.versions[-1].body if requested.versions else {}
        body = {name: value for name, value in before.items() if name not in asked}
        body |= {name: value for name, value in answers.items() if name in shared}
        number += 1
        await agreements.write(session, requested.cohort, requested.mentorship, number, requested.person, body, now)
    await agreements.sign(
        session, requested.cohort, requested.mentorship, number, requested.person, signature(requested, answers), now
    )
    return number


def in_document(type_: str, visible: str) -> bool:
    """Whether the answer to such a question stands in the document that everybody reads."""
    return visible == "pair" and type_ != "sign"


def signature(requested: Requested, answers: Answers) -> str:
    """The name typed as a signature; the person's own where the form asks for none."""
    typed = [answers.get(question.id) for question in requested.questions if question.type == "sign"]
    return next((name for name in typed if isinstance(name, str)), requested.name)
