"""An act of the coordinators' pages on its way: chosen, shown, confirmed, carried out.

A plan freezes which mentorships (or which task, person or cohort) an act is about and the state that each was in.
What is confirmed is exactly that: one that has changed since is refused, the others go on. Nothing here sends
anything; `operations.plan_runner` does, after `confirm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from temporalio.client import Client

from lifecycle.keys import MentorshipRef
from lifecycle.local_time import local_date
from operations import audit
from operations.acts import Act, act_of, change_of, checked, newcomer_in, with_newcomer
from operations.audit import AuditEntry
from operations.cohorts import cancel, reword
from operations.cohorts.cancel import CancelPreview
from operations.cohorts.reword import Rewording
from operations.errors import NotFound, Refused
from operations.mentorships import decide
from operations.mentorships.change import Change, ChangeOrder, Prospect, done_before_reason, look_at_all, orders
from operations.mentorships.decide import DecisionOutlook
from operations.mentorships.not_running import NOT_THERE
from operations.people import correct, erase, send_link
from operations.people.correct import Correction, Details
from operations.people.erase import Erasure
from operations.people.send_link import LinkOutlook
from program.text import whole_number
from runtime.settings import Settings
from store import plans
from store.database import Database
from store.plans import Plan, PlanLine
from store.reports import status

__all__ = ["Choice", "Plan", "PlanLine", "Progress", "Seen", "confirm", "freeze", "known_plan", "progress", "see"]

Effect = Correction | Erasure | CancelPreview | Rewording | LinkOutlook
"""What an act does that is about one person or one cohort."""

LIVES = timedelta(hours=1)
"""Real time in which a plan can be confirmed."""
KEPT = timedelta(days=1)
"""Real time after which a plan that lapsed is deleted."""
STALE = "it was changed meanwhile"
"""How the core begins to say that a change is not based on the present state."""
SHOWN = 20
"""Subjects whose dry run one page shows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody has chosen: an act with what its form said, and what it is about."""

    act: str
    options: Mapping[str, str]
    refs: Sequence[MentorshipRef] = ()
    """Of an act about mentorships: which."""
    subject: str = ""
    """Of another act: key of the task, id of the person or of the cohort."""
    cohort: str = ""
    """In which cohort it was chosen."""
    why: str = ""
    submission: str = ""
    """Id of the form, so that the same form sent twice is one plan."""


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One mentorship of a plan with its dry run, where it is still to do."""

    line: PlanLine
    prospect: Prospect | None = None
    changed: Mapping[str, str] | None = None
    """Who changed it since the plan was made (`by`, `at`, `what`)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan as it is shown before it is confirmed: what it would do, worked out by the core."""

    plan: Plan
    act: Act
    lines: tuple[SeenLine, ...] = ()
    effect: DecisionOutlook | Effect | None = None
    """Of an act that is not about mentorships."""
    refused: str = ""
    """Why nothing of it can be done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan has come."""

    plan: Plan
    act: Act
    outcomes: Mapping[str, int]
    """Outcome to the number of lines; under the empty one those still to do."""

    @property
    def left(self) -> int:
        """How many are still to do."""
        return self.outcomes.get("", 0)


# -- choosing ----------------------------------------------------------------------------------------------------


async def freeze(
    database: Database, settings: Settings, choice: Choice, now: datetime, *, by: str, proof: str
) -> Plan:
    """Freeze what was chosen. `by` is the id of an account that may do it, known by `proof`; `now` is program time
    (UTC). Reads SQL only; the request that brought the choice is in the audit, not this.

    Raises `NotFound` and `Refused` where it makes no sense.
    """
    act = act_of(choice.act)
    options = checked(act, choice.options)
    if "newcomer" in act.options and (act.subject == "mentorship" or options.get("decision") == "replace"):
        options = await with_newcomer(database, options)
    real_now = datetime.now(UTC)
    if act.subject == "task" and "until" in options:
        options["until"] = (await decide.until_of(database, choice.subject, options["until"], now)).isoformat()
    draft = Plan(
        _id(choice, options, by), act.name, choice.cohort, options, by, proof, choice.why.strip(), now,
        real_now + LIVES, 0,
    )  # fmt: skip
    if act.name == "reword":
        options["version"] = str((await _rewording(database, settings, choice.subject, options)).version)
    lines = await (_mentorships if act.subject == "mentorship" else _single)(database, settings, act, choice, draft)
    made = replace(draft, count=len(lines), cohort=draft.cohort or _only_cohort(lines))
    async with database.begin() as session:
        await plans.clear_away(session, real_now - KEPT)
        await plans.put(session, made, lines)
    return await known_plan(database, made.id)


def _id(choice: Choice, options: Mapping[str, str], by: str) -> str:
    if not choice.submission:
        return token_urlsafe(12)
    content = (
        by, choice.submission, choice.act, sorted(choice.options.items()), choice.subject, list(choice.refs),
        choice.why.strip(),
    )  # fmt: skip
    return sha256(repr(content).encode("utf-8", "replace")).hexdigest()[:20]


def _only_cohort(lines: Sequence[PlanLine]) -> str:
    cohorts = {line.cohort for line in lines}
    return cohorts.pop() if len(cohorts) == 1 else ""


async def _mentorships(
    database: Database, settings: Settings, act: Act, choice: Choice, plan: Plan
) -> list[PlanLine]:
    refs = list(dict.fromkeys(choice.refs))
    if not refs:
        raise Refused("no mentorship is selected")
    if len(refs) > 1 and not act.many:
        raise Refused(f"{act.name} is about one mentorship at a time")
    change = await change_of(database, settings, act, plan.options, refs, plan.made_at)
    again = bool(plan.options.get("again"))
    given = await orders(database, refs, change, plan.made_at, by=plan.by, again=again, signed_in=True)
    async with database.session() as session:
        numbers = await plans.changes_of(session, refs)
    lines: list[PlanLine] = []
    for position, order in enumerate(given):
        ref = (order.cohort, order.mentorship)
        outcome, reason = "", ""
        if order.done:
            outcome, reason = "done_before", done_before_reason(order)
        elif ref not in numbers:
            outcome, reason = "refused", NOT_THERE
        based_on = str(numbers.get(ref, ""))
        lines.append(PlanLine(position, *ref, "", based_on, order.event.id, outcome, reason))
    return lines


async def _single(database: Database, settings: Settings, act: Act, choice: Choice, plan: Plan) -> list[PlanLine]:
    """The line of an act that is about one task, person or cohort."""
    if act.subject == "task":
        facts = await decide.check(
            database, choice.subject, plan.options["decision"], plan.made_at, **decision_options(plan)
        )
        ref = (facts.cohort, facts.mentorship)
        async with database.session() as session:
            numbers = await plans.changes_of(session, [ref])
        return [PlanLine(0, *ref, choice.subject, str(numbers.get(ref, "")))]
    effect = await _effect(database, settings, act, choice.subject, plan)
    return [PlanLine(0, choice.subject if act.subject == "cohort" else "", "", choice.subject, mark(effect))]


def decision_options(plan: Plan) -> dict[str, Any]:
    """What a plan says of a decision, for the functions of `operations.mentorships.decide`."""
    options = plan.options
    newcomer = newcomer_in(options) if options.get("newcomer") else None
    return {
        "until": options.get("until", ""), "newcomer": newcomer, "person": options.get("person", ""), "by": plan.by,
        "signed_in": True,
    }  # fmt: skip


def details_of(plan: Plan) -> Details:
    """What a plan corrects of a person."""
    says = plan.options.get
    return Details(name=says("name"), email=says("email"), zone=says("zone"), language=says("language"))


async def _rewording(database: Database, settings: Settings, cohort: str, options: Mapping[str, str]) -> Rewording:
    """What putting the words of a version in force changes. Raises `Refused` and `NotFound`."""
    version = options.get("version", "")
    if version and whole_number(version, 8, -1) < 0:
        raise Refused(f"{version!r} is no number of a version")
    return await reword.outlook(database, settings, cohort, whole_number(version, 8))


async def _effect(database: Database, settings: Settings, act: Act, subject: str, plan: Plan) -> Effect:
    """What an act does to a person or a cohort, now; nothing is changed. Raises `Refused` and `NotFound`."""
    if act.name == "reword":
        return await _rewording(database, settings, subject, plan.options)
    if act.name == "cancel-cohort":
        return await cancel.outlook(database, subject)
    asked = {"by": plan.by, "signed_in": True, "dry_run": True}
    if act.name == "send-link":
        return await send_link.outlook(database, subject)
    if act.name == "erase":
        return await erase.erase(database, subject, plan.made_at, **asked)
    details = details_of(plan)
    if details == Details():
        raise Refused("say what is to be corrected")
    return await correct.correct(database, subject, details, plan.made_at, **asked)


def mark(effect: Effect) -> str:
    """By what it is told whether an act would still do what was shown."""
    match effect:
        case Correction():
            told = (effect.fields, effect.healed, effect.mentorships)
        case Erasure():
            told = (effect.before, effect.mentorships)
        case CancelPreview():
            told = (effect.state, effect.mentorships)
        case LinkOutlook():
            told = (effect.email, effect.cohort, effect.sent)
        case Rewording():
            told = (effect.before.digest, effect.after.digest)
    return sha256(repr(told).encode()).hexdigest()[:16]


# -- seeing ------------------------------------------------------------------------------------------------------


async def known_plan(database: Database, id_: str) -> Plan:
    """The plan with this id. Raises `NotFound`."""
    async with database.session() as session:
        plan = await plans.find(session, id_)
    if plan is None:
        raise NotFound("there is no such plan (any more)")
    return plan


async def see(
    database: Database, settings: Settings, client: Client, plan: Plan, now: datetime, *, first: int = 0
) -> Seen:
    """What a plan would do: the dry run of its mentorships from the `first`, a page of them. `now` is program time
    (UTC). Raises RPCError where Temporal does not answer."""
    act = act_of(plan.act)
    async with database.session() as session:
        lines = await plans.lines(session, plan.id, first=first, most=SHOWN)
    try:
        if act.subject == "mentorship":
            shown = await _prospects(database, settings, client, plan, lines, now)
            return Seen(plan, act, tuple(shown))
        [line] = lines
        if act.subject == "task":
            outlook = await decide.look_at(
                database, client, line.subject, plan.options["decision"], plan.made_at, **decision_options(plan)
            )
            return Seen(plan, act, effect=outlook, refused=outlook.outlook.refused)
        return Seen(plan, act, effect=await _effect(database, settings, act, line.subject, plan))
    except (Refused, NotFound) as refused:
        return Seen(plan, act, refused=str(refused))


async def _prospects(
    database: Database, settings: Settings, client: Client, plan: Plan, lines: Sequence[PlanLine], now: datetime
) -> list[SeenLine]:
    todo = [line for line in lines if not line.outcome]
    looked: dict[int, Prospect] = {}
    if todo:
        given = await orders_of(database, plan, await rebuilt(database, settings, plan, todo), todo)
        for line, prospect in zip(todo, await look_at_all(database, client, given, now), strict=True):
            looked[line.position] = prospect
    shown: list[SeenLine] = []
    async with database.session() as session:
        for line in lines:
            prospect, changed = looked.get(line.position), None
            if prospect and prospect.outlook.refused.startswith(STALE):
                changed = await plans.last_change(session, line.cohort, line.mentorship, line.operation)
            shown.append(SeenLine(line, prospect, changed))
    return shown


async def rebuilt(database: Database, settings: Settings, plan: Plan, lines: Sequence[PlanLine]) -> Change:
    """The change of a plan about mentorships, as it was when it was made. Raises `Refused`."""
    refs = [(line.cohort, line.mentorship) for line in lines]
    return await change_of(database, settings, act_of(plan.act), plan.options, refs, plan.made_at)


async def orders_of(database: Database, plan: Plan, change: Change, lines: Sequence[PlanLine]) -> list[ChangeOrder]:
    """The orders of these lines as they were frozen: the same ids, counted from the same day, based on what was
    shown."""
    cohorts = {line.cohort for line in lines}
    async with database.session() as session:
        zones = {row.id: row.zone for row in await status.cohorts(session) if row.id in cohorts}
    given: list[ChangeOrder] = []
    for line in lines:
        own = change.each[line.cohort, line.mentorship] if change.each is not None else change
        event = own.event(line.operation, plan.by, local_date(plan.made_at, zones[line.cohort]))
        based = replace(event, based_on=int(line.based_on))  # pyright: ignore[reportCallIssue]
        given.append(ChangeOrder(line.cohort, line.mentorship, own, based, plan.by))
    return given


# -- confirming --------------------------------------------------------------------------------------------------


async def confirm(database: Database, plan: Plan, now: datetime, *, by: str, proof: str, why: str = "") -> bool:
    """Confirm a plan; False where that was done before, and nothing more is to do. `by` is the account that does,
    known by `proof`; `now` is program time (UTC). Raises `Refused` where it is somebody else's, or has lapsed."""
    if plan.by != by:
        raise Refused("somebody else has made this plan; make your own")
    reason = why.strip() or plan.why
    async with database.begin() as session:
        given = await plans.give(session, plan.id, now, datetime.now(UTC), why.strip())
        if given:
            lines = await plans.lines(session, plan.id, most=audit.MOST_IDS)
            entry = AuditEntry(
                plan.act, by, proof, plan.cohort, [line.place for line in lines], plan.id, reason, count=plan.count
            )
            await audit.put(session, now, entry)
            return True
        known = await plans.find(session, plan.id)
    if known is None or known.state == "shown":
        raise Refused("this was shown more than an hour ago; look again")
    return False


async def again(database: Database, plan: Plan, now: datetime, *, by: str, proof: str) -> bool:
    """Take up what a plan has not reached; False where there is nothing such. Raises `Refused` where the plan is
    somebody else's."""
    if plan.by != by:
        raise Refused("somebody else has made this plan; make your own")
    async with database.begin() as session:
        taken = await plans.give_again(session, plan.id)
        if taken:
            entry = AuditEntry(plan.act, by, proof, plan.cohort, plan=plan.id, reason=plan.why, result="again")
            await audit.put(session, now, entry)
    return taken


async def progress(database: Database, plan: Plan) -> Progress:
    """How far a plan has come."""
    async with database.session() as session:
        return Progress(plan, act_of(plan.act), await plans.outcomes(session, plan.id))


async def result_lines(
    database: Database, plan: Plan, *, first: int = 0, most: int = 50, outcome: str | None = None
) -> list[PlanLine]:
    """Lines of a plan with what came of each."""
    async with database.session() as session:
        return await plans.lines(session, plan.id, first=first, most=most, outcome=outcome)
