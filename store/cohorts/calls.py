"""Stores the open call of a cohort as its file says it, and reads it back for pages, mails and matching.

Must hold no address: those who are invited have applications of their own (`store.people.applications`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.letterbox import LetterboxRule
from lifecycle.gathering import Gathering, Stage
from program.checks.gathering_checks import ROLE_QUESTION, offered_roles, wishes_dates
from program.forms import Form, Question
from program.gathering import Apply, See, Wishes
from program.matching import Matching
from program.models import Model, Program
from store.database import putting
from store.postbox import letterbox_rule
from store.programs import frozen_program
from store.tables import ApplicationRow, CallRow, CohortRow


class Terms(Model):
    """Who can apply to a call, and how wishes are asked for."""

    form: str
    """Id of the form."""
    roles: tuple[str, ...]
    """As what people can apply, in the order of the page."""
    domains: tuple[str, ...] = ()
    """Domains whose addresses can apply; empty: all."""
    invited_only: bool = False
    """Only those who are invited can apply."""
    limit: dict[str, int] = {}
    """Role to the applications after which others go to the waiting list."""
    wishes_at_most: int = 0
    """How many can be named; 0: nobody is asked for wishes."""
    see: See = "named"
    """What applicants see of each other."""


@dataclass(frozen=True, slots=True)
class Call:
    """An open call with what its pages say. Dates are in the cohort's zone."""

    cohort: str
    title: str
    organisation: str
    program: Program
    language: str
    start: date
    gathering: Gathering
    terms: Terms
    form: Form
    matching: Matching
    state: str
    """Of the cohort: running, cancelled, over"""
    rule: LetterboxRule
    """The cohort's letterbox."""

    @property
    def zone(self) -> str:
        """The cohort's zone."""
        return self.gathering.zone

    def stage(self, now: datetime) -> Stage:
        """Where the gathering is at this instant (UTC)."""
        return self.gathering.stage(now)

    def questions(self, role: str) -> tuple[Question, ...]:
        """The questions for somebody who applies in this role; which role it is, is asked before."""
        roles = ("mentor", "mentee") if role == "both" else (role,)
        asked = {
            id(question)
            for each in roles
            for question in self.form.questions_for(each, self.program.format)
            if question.id != ROLE_QUESTION
        }
        found: dict[str, Question] = {}
        for question in self.form.questions:
            if id(question) in asked:
                found.setdefault(question.id, question)
        return tuple(found.values())

    def role_label(self, role: str) -> str:
        """The role as the form words it."""
        for question in self.form.questions_for("", self.program.format):
            if question.id == ROLE_QUESTION:
                return next((option.label for option in question.options if option.value == role), role)
        return role


Values = dict[str, Any]


def values_of(apply: Apply, wishes: Wishes | None, form: Form, program: Program) -> Values:
    """The columns of a call, as the file says it."""
    opens, closes = wishes_dates(apply, wishes) if wishes else (None, None)
    matching = program.matching or Matching()
    return {
        "opens": apply.opens,
        "closes": apply.closes,
        "wishes_open": opens,
        "wishes_close": closes,
        "terms": Terms(
            form=form.form,
            roles=apply.roles or offered_roles(form, program.format),
            domains=apply.domains,
            invited_only=bool(apply.invited),
            limit={str(role): most for role, most in apply.limit.items()},
            wishes_at_most=wishes.at_most if wishes else 0,
            see=wishes.see if wishes else "named",
        ).model_dump(mode="json"),
        "form": form.model_dump(mode="json"),
        "matching": matching.model_dump(mode="json", exclude_none=True),
    }


KEPT = ("matching",)
"""Columns that stay as they were when the pairs were published: by which rules they were made."""


async def differs(session: AsyncSession, cohort: str, values: Values) -> bool:
    """Whether the stored call says something else, or there is none."""
    row = await session.get(CallRow, cohort)
    if row is None:
        return True
    return any(getattr(row, name) != value for name, value in values.items() if name in _changing(row, values))


async def put(session: AsyncSession, cohort: str, values: Values) -> None:
    """Store a call, over what its file said before. Needs a writing transaction; the cohort is stored before.

    Once the pairs are published, the rules by which they were made stay.
    """
    columns = _changing(await session.get(CallRow, cohort), values)
    await session.execute(
        putting(session, CallRow, ("cohort",), columns), [{"cohort": cohort, "published_at": None, **values}]
    )


def _changing(row: CallRow | None, values: Values) -> tuple[str, ...]:
    """The columns that an edit of the file changes."""
    published = row is not None and row.published_at is not None
    return tuple(name for name in values if not (published and name in KEPT))


async def find(session: AsyncSession, cohort: str) -> Call | None:
    """The call of this cohort; None where there is none."""
    row = await session.get(CallRow, cohort)
    if row is None:
        return None
    of = await session.get_one(CohortRow, cohort)
    frozen = await frozen_program(session, of.program, of.program_hash)
    gathering = Gathering(
        zone=of.zone,
        opens=row.opens,
        closes=row.closes,
        wishes_open=row.wishes_open,
        wishes_close=row.wishes_close,
        published=row.published_at is not None,
        days=frozenset(frozen.program.letterbox.days),
        holidays=frozenset(date.fromisoformat(day) for day in of.holidays),
    )
    return Call(
        cohort=cohort,
        title=of.title,
        organisation=of.organisation,
        program=frozen.program,
        language=of.language,
        start=of.start,
        gathering=gathering,
        terms=Terms.model_validate(row.terms),
        form=Form.model_validate(row.form),
        matching=Matching.model_validate(row.matching),
        state=of.state,
        rule=letterbox_rule(of.letterbox, of.holidays),
    )


async def is_gathering(session: AsyncSession, cohort: str) -> bool:
    """Whether a running cohort has an open call whose pairs are not published yet."""
    found = await session.scalar(
        select(CallRow.cohort)
        .join(CohortRow, CohortRow.id == CallRow.cohort)
        .where(CallRow.cohort == cohort, CallRow.published_at.is_(None), CohortRow.state == "running")
    )
    return found is not None


async def all_ids(session: AsyncSession) -> list[str]:
    """The cohorts that have an open call."""
    return list(await session.scalars(select(CallRow.cohort).order_by(CallRow.cohort)))


async def no_longer_running(session: AsyncSession) -> list[str]:
    """The cohorts with an open call that are cancelled or over, and still have applications."""
    rows = select(CallRow.cohort).join(CohortRow, CohortRow.id == CallRow.cohort).where(CohortRow.state != "running")
    some = rows.where(exists().where(ApplicationRow.cohort == CallRow.cohort))
    return list(await session.scalars(some.order_by(CallRow.cohort)))


async def lock(session: AsyncSession, cohort: str) -> None:
    """Keep everybody else from adding applications to this call until the transaction ends."""
    await session.execute(select(CallRow.cohort).where(CallRow.cohort == cohort).with_for_update())


async def published_at(session: AsyncSession, cohort: str) -> datetime | None:
    """When the pairs were published (UTC); None before."""
    return await session.scalar(select(CallRow.published_at).where(CallRow.cohort == cohort))


async def mark_published(session: AsyncSession, cohort: str, now: datetime) -> None:
    """The pairs are published. Needs a writing transaction."""
    await session.execute(
        update(CallRow).where(CallRow.cohort == cohort, CallRow.published_at.is_(None)).values(published_at=now)
    )


async def counts(session: AsyncSession, cohort: str) -> dict[tuple[str, str], int]:
    """(state, role) to the number of applications."""
    rows = await session.execute(
        select(ApplicationRow.state, ApplicationRow.role, func.count())
        .where(ApplicationRow.cohort == cohort)
        .group_by(ApplicationRow.state, ApplicationRow.role)
    )
    return {(state, role): count for state, role, count in rows}
