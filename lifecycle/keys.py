"""One place that builds keys. A key is made of stable ids only, never of a date or a wording, so that the
same thing told to the same person has the same key however often the engine tries.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha256

MentorshipRef = tuple[str, str]
"""Which mentorship: the id of its cohort and its key in it."""


def step_key(cohort: str, mentorship: str, name: str, number: int) -> str:
    """`cohort/mentorship/check_in#2`."""
    return f"{cohort}/{mentorship}/{name}#{number}"


def request_key(cohort: str, mentorship: str, name: str, number: int, person: str) -> str:
    """`cohort/mentorship/check_in#2/p07`: one person, one form, one occasion."""
    return f"{step_key(cohort, mentorship, name, number)}/{person}"


def item_key(cohort: str, mentorship: str, name: str, number: int, person: str, kind: str, nth: int = 0) -> str:
    """`cohort/mentorship/check_in#2/p07/reminder.1`: one thing told to one person, unique for all time."""
    return item_of(request_key(cohort, mentorship, name, number, person), kind, nth)


def item_of(request: str, kind: str, nth: int = 0) -> str:
    """`cohort/mentorship/check_in#2/p07/reminder.1`: an item that carries this request, or reminds of it."""
    return f"{request}/{kind}.{nth}" if nth else f"{request}/{kind}"


def task_key(cohort: str, mentorship: str, kind: str, number: int) -> str:
    """`cohort/mentorship/task.stalled#1`."""
    return f"{cohort}/{mentorship}/task.{kind}#{number}"


def task_item_key(task: str, person: str, name: str, nth: int = 0) -> str:
    """`cohort/mentorship/task.stalled#1/c1/task_opened`: a coordinator is told of a task."""
    return f"{task}/{person}/{name}.{nth}" if nth else f"{task}/{person}/{name}"


def message_key(items: Iterable[str], corrections: int = 0) -> str:
    """Id of the mail that carries these items: 24 lower-case letters and digits, the same on every try.

    To an address that was corrected (so many times) goes another mail than went to the one before.
    """
    lines = [*sorted(items), *([f"#{corrections}"] if corrections else [])]
    digest = sha256("\n".join(lines).encode()).digest()
    return b32encode(digest[:15]).decode().lower()


def application_item_key(cohort: str, application: str, name: str, nth: int = 1) -> str:
    """`cohort/call/4kx9q2mz7vb1/application_confirm.1`: an applicant is told something; `nth` of its kind."""
    return f"{cohort}/call/{application}/{name}.{nth}"
