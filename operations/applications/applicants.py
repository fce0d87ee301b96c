"""Those who applied to a cohort, as a coordinator reads them: listed, exported, taken from the waiting list,
withdrawn on request; and as people who can be matched.

Read with names, for human eyes; nothing of it may be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from mail.form_text import answer_text
from matching.applicants import Applicant, Value
from operations.applications.apply import CAPACITY, ROLE, ZONE, forget
from operations.audit import AuditEntry
from operations.audit import put as put_audit
from operations.errors import NotFound, Refused
from operations.people.deciders import who_decides
from operations.people.erase import clean_up
from operations.transactions import committed
from program.faults import nearest
from program.forms import Answers, Question
from store.cohorts import calls, past_seats
from store.cohorts.calls import Call
from store.database import Database
from store.people import applications, people
from store.people.applications import Application

PROFILE = {
    "wants": "goals",
    "wants_in_words": "goals",
    "offers": "offer",
    "offers_in_words": "offer",
    "languages": "languages",
    "easier": "easier",
}
"""Questions of an application to the fields of the profile that the partner sees; several make one text. Any other
question that is visible for the pair becomes a field of its own."""

LINES = ("not_with",)
"""Questions whose answer names people, one on each line; it is no field that rules read."""
ROLES: Mapping[str, tuple[bool, bool]] = {
    "mentor": (True, False),
    "mentee": (False, True),
    "both": (True, True),
    "peer": (True, True),
}
"""Role of an application to whether somebody would be a mentor, and whether a mentee."""
TAG = "tag"
"""The field of an entry of a group that holds a ranked tag."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One application as a coordinator reads it. Instants are UTC."""

    id: str
    """Of the person."""
    name: str
    email: str
    role: str
    state: str
    at: datetime
    confirmed_at: datetime | None
    missing: tuple[str, ...]
    """Fields that a rule reads, and this person has not answered."""
    answers: Answers

    @property
    def plain(self) -> dict[str, Any]:
        """As an object for `--json`."""
        return {
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "role": self.role,
            "state": self.state,
            "at": self.at.isoformat(),
            "confirmed_at": self.confirmed_at.isoformat() if self.confirmed_at else None,
            "missing": list(self.missing),
            "answers": self.answers,
        }


async def call_of(session: AsyncSession, cohort: str) -> Call:
    """The open call of a cohort. Raises NotFound with what there is."""
    found = await calls.find(session, cohort)
    if found is not None:
        return found
    known = await calls.all_ids(session)
    near = nearest(cohort, known)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else "there is none"
    raise NotFound(f"no cohort {cohort!r} with an open call was launched; {remedy}")


async def applied(database: Database, cohort: str, *, state: str = "", role: str = "") -> tuple[Call, list[Applied]]:
    """The applications to a cohort, by state and time. Raises NotFound."""
    async with database.session() as session:
        call = await call_of(session, cohort)
        found = await applications.of_cohort(session, cohort, (state,) if state else ())
    listed = [_applied(call, each) for each in found if not role or each.role == role]
    return call, sorted(listed, key=lambda each: (_ORDER.index(each.state), each.at, each.id))


_ORDER = ("confirmed", "waiting", "unconfirmed", "invited", "withdrawn")


def _applied(call: Call, application: Application) -> Applied:
    return Applied(
        id=application.person,
        name=application.shown_name,
        email=application.email,
        role=application.role,
        state=application.state,
        at=application.at,
        confirmed_at=application.confirmed_at,
        missing=_missing(call, application),
        answers={
            question.id: application.body[question.id]
            for question in call.questions(application.role)
            if question.id in application.body and question.visible != "totals"
        }
        if application.role
        else {},
    )


def _missing(call: Call, application: Application) -> tuple[str, ...]:
    if application.state not in applications.COUNTS:
        return ()
    asked = {question.id for question in call.questions(application.role)}
    reads = [
        rule.field for rule in call.matching.rules if rule.field and rule.kind not in ("different", "not_in_line")
    ]
    return tuple(name for name in dict.fromkeys(reads) if name in asked and not application.body.get(name))


# -- as a table ------------------------------------------------------------------------------------------------------


def as_rows(call: Call, found: Sequence[Applied]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows as `mentorship match --people` reads them, with the state in front of the answers."""
    questions: dict[str, Question] = {}
    for question in call.form.questions:
        if question.id not in (ROLE, CAPACITY, ZONE) and question.visible != "totals":
            questions.setdefault(question.id, question)
    columns = ["id", "name", "email", "role", "state", ZONE, CAPACITY, *questions]
    rows = [
        [
            each.id, each.name, each.email, each.role, each.state, str(each.answers.get(ZONE, "")),
            str(each.answers.get(CAPACITY, "")), *(_cell(each.answers.get(id_)) for id_ in questions),
        ]
        for each in found
    ]  # fmt: skip
    return columns, rows


def _cell(answer: Any) -> str:
    value = value_of(answer)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else " | ".join(value)


def value_of(answer: Any) -> Value:
    """An answer as matching compares it: a text, yes or no, or a list (ranked, where the form ranks)."""
    if answer is None:
        return ()
    if isinstance(answer, bool):
        return answer
    if isinstance(answer, list | tuple):
        entries: Iterable[Any] = answer  # pyright: ignore[reportUnknownVariableType]
        return tuple(str(entry.get(TAG, "")) if isinstance(entry, dict) else str(entry) for entry in entries)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return str(answer)


# -- as people who can be matched ----------------------------------------------------------------------------------


async def matchable(session: AsyncSession, call: Call) -> tuple[Applicant, ...]:
    """Those whose application counts, without the waiting list, as matching takes them. Who had each other in any
    cohort, or was proposed and refused, is never matched again."""
    found = [
        each
        for each in await applications.of_cohort(session, call.cohort, ("confirmed",))
        if each.standing == "active"
    ]
    before = await past_seats.together_before(session, [each.person for each in found])
    named = {word: each.person for each in found for word in (each.email.casefold(), each.person_name.casefold())}
    return tuple(applicant_of(call, each, before.get(each.person, frozenset()), named) for each in found)


def applicant_of(call: Call, application: Application, before: frozenset[str], named: Mapping[str, str]) -> Applicant:
    """Somebody as matching takes them. `before`: ids of people whom they had before; `named`: names and addresses, in
    small letters, to ids."""
    mentor, mentee = ROLES[application.role]
    body = application.body
    not_with = {
        named[line.strip().casefold()]
        for name in LINES
        for line in str(body.get(name, "")).replace(",", "\n").splitlines()
        if line.strip().casefold() in named
    }
    groups = call.program.format == "group"
    most = call.matching.groups.most if groups else call.matching.capacity.mentor_at_most
    capacity = body.get(CAPACITY, most if groups else 1)
    return Applicant(
        id=application.person,
        mentor=mentor,
        mentee=mentee,
        capacity=min(int(capacity), most) if mentor else 0,
        zone=application.zone or call.zone,
        fields={
            **{id_: value_of(answer) for id_, answer in body.items() if id_ not in (ROLE, CAPACITY, ZONE, *LINES)},
            "email": application.email,
        },
        wishes_as_mentee=application.wishes,
        wishes_as_mentor=application.would_take,
        not_with=before | not_with,
    )


# -- what coordinators do ------------------------------------------------------------------------------------------


async def take_from_waiting_list(
    database: Database, cohort: str, who: str, now: datetime, *, by: str, why: str = "", proof: str
) -> Applied:
    """An application on the waiting list counts from now on. Raises Refused."""

    async def carry_out(session: AsyncSession) -> Applied:
        call, found, decider = await find_application(session, cohort, who, by)
        if found.state != "waiting":
            raise Refused(f"{found.person} is not on the waiting list: the application is {found.state}")
        await applications.change(session, found.id, state="confirmed")
        await put_act(session, now, decider, proof, "applicants --accept", cohort, found.person, why)
        after = await applications.find(session, found.id)
        assert after is not None
        return _applied(call, after)

    return await committed(database, carry_out)


async def withdraw_on_request(
    database: Database, cohort: str, who: str, now: datetime, *, by: str, why: str = "", proof: str
) -> str:
    """Delete the application of somebody who asked for it; returns the person's id. Raises Refused once the pairs are
    published."""

    async def carry_out(session: AsyncSession) -> tuple[str, Any]:
        call, found, decider = await find_application(session, cohort, who, by)
        if call.gathering.published and found.state == "confirmed":
            raise Refused(
                f"the pairs of {cohort} are published; take the person out of the mentorship instead", use="leave"
            )
        await put_act(session, now, decider, proof, "applicants --withdraw", cohort, found.person, why)
        return found.person, await forget(session, found, now, decider)

    person, erasure = await committed(database, carry_out)
    if erasure is not None:
        await clean_up(database, erasure, now, tell=None)
    return person


async def find_application(session: AsyncSession, cohort: str, who: str, by: str) -> tuple[Call, Application, str]:
    """The call, the application of an id or address, and who decides. Raises Refused and NotFound."""
    call = await call_of(session, cohort)
    decider = who_decides(cohort, await people.deciders(session, cohort), by)
    wanted = who.strip().casefold()
    everybody = await applications.of_cohort(session, cohort)
    for found in everybody:
        if wanted in (found.person.casefold(), found.email.casefold()):
            return call, found, decider
    raise Refused(f"nobody has applied to {cohort} with the id or address {who!r}")


async def put_act(
    session: AsyncSession, now: datetime, by: str, proof: str, what: str, cohort: str, person: str, why: str
) -> None:
    """Write what a coordinator did to an application into the audit. Needs a writing transaction."""
    await put_audit(session, now, AuditEntry(what, by, proof, cohort, [person], reason=why))


def shown_to_partner(call: Call, application: Application) -> dict[str, str]:
    """What somebody agreed to show to whom they are matched with: the answers that the form calls visible for the
    pair, in words."""
    found: dict[str, list[str]] = {}
    for question in call.questions(application.role):
        answer = application.body.get(question.id)
        if question.visible != "pair" or answer in (None, "", []):
            continue
        if question.type == "group":
            labels = {option.value: option.label for part in question.fields for option in part.options}
            value = value_of(answer)
            tags = value if isinstance(value, tuple) else (str(value),)
            text = ", ".join(labels.get(tag, tag) for tag in tags if tag)
        else:
            text = answer_text(question, answer)
        found.setdefault(PROFILE.get(question.id, question.id), []).append(text)
    return {name: "\n".join(texts) for name, texts in found.items()}
