"""Looking at a mail before anybody gets it: any template with invented people, to a reader invented or real.

Only the reader may be real, by name, zone and language; what the mail says of others is always invented.
"""

from __future__ import annotations

from dataclasses import replace

from lifecycle.tasks import KINDS
from mail.compose import compose
from mail.letters import NAMES, Composed, Reader
from mail.preview import FORMATS, ROLES, sample
from operations.mentorships.decide import Refused
from program.faults import either, nearest
from program.models import Format
from store import operations_log
from store.database import Database
from store.operations_log import KnownPerson

__all__ = ["FORMATS", "NAMES", "TASKS", "Composed", "preview", "reader"]

TASKS = tuple(KINDS)
"""Kinds of task, for the mails that tell of one."""


async def reader(database: Database, person: str) -> KnownPerson:
    """The person whose name, zone and language a preview takes. Raises `Refused`."""
    async with database.session() as session:
        found = await operations_log.person(session, person)
    if found is None:
        raise Refused(f"there is no person {person!r}; write an id as in the cohort's file")
    return found


def preview(
    name: str,
    *,
    format_: str = "one_to_one",
    role: str = "",
    reminder: int = 0,
    number: int = 1,
    early: bool = False,
    task: str = "stalled",
    person: KnownPerson | None = None,
) -> Composed:
    """A mail with everything that it may say. `reminder` is 1 or 2 for the first or second reminder.

    Raises `Refused` for what does not exist.
    """
    name = _known("mail", name, NAMES)
    of_format: Format = _known("format", format_, FORMATS)  # pyright: ignore[reportAssignmentType]
    roles = ROLES[of_format]
    reads: Reader = _known("role in this format", role, roles) if role else roles[-1]  # pyright: ignore[reportAssignmentType]
    kind = "reminder" if reminder else None
    about = _known("kind of task", task, TASKS)
    letter = sample(name, of_format, reads, kind=kind, nth=reminder or 1, number=number, early=early, task=about)
    if person is not None:
        recipient = replace(
            letter.recipient, id=person.id, name=person.name, email=person.email, zone=person.zone,
            language=person.language,
        )  # fmt: skip
        letter = replace(letter, recipient=recipient)
    return compose(letter)


def _known(what: str, written: str, known: tuple[str, ...]) -> str:
    if written in known:
        return written
    near = nearest(written, known)
    remedy = f"did you mean `{near[0]}`?" if near else f"write {either(known)}"
    raise Refused(f"there is no {what} {written!r}; {remedy}")
