"""The sections `apply:` and `wishes:` of a cohort's file: who can apply, until when, and who may wish for whom.

Models only. `program.checks.gathering_checks` checks that the dates fit together, and the form to the program.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from program.base import CalendarDate, Id, Model

ApplicationRole = Literal["mentor", "mentee", "both", "peer"]
See = Literal["named", "role_and_words"]
WISHES_AT_MOST = 3


class Invited(Model):
    """Somebody who is asked to apply."""

    email: str
    """Where the invitation goes."""
    name: str = Field(default="", max_length=200)
    """As the invitation calls them; empty where it is not known."""


def as_invited(value: Any) -> Any:
    """An address alone is enough; `Ada Lovelace <ada@example.org>` brings the name along."""
    if isinstance(value, dict | Invited):
        return cast(object, value)
    if not isinstance(value, str):
        raise ValueError("this is no address; write one such as somebody@example.org")
    name, bracket, rest = value.strip().rpartition("<")
    if bracket and rest.endswith(">"):
        return {"name": name.strip(' "'), "email": rest[:-1].strip()}
    return {"email": value.strip()}


class Apply(Model):
    """The open call of a cohort. Dates are calendar dates in the cohort's zone, first and last day included."""

    opens: CalendarDate
    """The first day on which people can apply."""
    closes: CalendarDate
    """The last day; who applies later is put on the waiting list."""
    form: Id = "application"
    """The form of the application, one of `config/forms/`."""
    roles: tuple[ApplicationRole, ...] = ()
    """As what people can apply: `mentor`, `mentee`, `both`, `peer`. Empty: whatever the form offers."""
    invited: tuple[Annotated[Invited, BeforeValidator(as_invited)], ...] = ()
    """Who can apply, by address; each gets a mail at the opening, one reminder and one last call. Empty: everybody
    who has the link."""
    domains: tuple[str, ...] = ()
    """Addresses from these domains only, such as `example.org`. Empty: from all."""
    limit: dict[ApplicationRole, Annotated[int, Field(ge=1)]] = {}
    """So many applications of a role; who comes after is put on the waiting list."""


class Wishes(Model):
    """After the close of the call, applicants may say whom they would like to meet."""

    at_most: int = Field(default=WISHES_AT_MOST, ge=1, le=WISHES_AT_MOST)
    """How many mentors a mentee can rank, and how many mentees a mentor can name."""
    see: See = "named"
    """What applicants see of each other: `named`, or `role_and_words` without the name."""
    opens: CalendarDate | None = None
    """The first day; left out: the day after the close of the call."""
    closes: CalendarDate | None = None
    """The last day; left out: a week later."""
