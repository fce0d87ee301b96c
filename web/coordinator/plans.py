"""A plan on its way: shown with what it would do, confirmed, carried out, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError

from mail.dates import listed
from operations import plans
from operations.errors import NotFound, Refused
from operations.plans import Plan, PlanLine, Seen
from program.text import whole_number
from runtime.errors import Unreachable
from store.accounts import accounts
from store.lookups import look_up_all
from store.reports import cohort_page
from store.reports.cohort_page import ListLine
from store.reports.mentorship_page import names_of, zone_of
from web.coordinator.acts import ACTORS
from web.coordinator.visit import Visit

WITHIN = 3.0
"""Real seconds that a confirmation waits for its end; after that the page shows how far it has come."""
PAGE = 50
OUTCOMES = ("done", "refused", "not_reached", "done_before")


async def show(request: Request, visit: Visit) -> Response:
    """GET: what the plan would do, and the button that confirms it."""
    plan = await _plan(request, visit)
    if plan is None:
        return visit.message("no_plan", 404)
    if plan.state != "shown":
        return visit.to(f"/c/plans/{plan.id}/result")
    page = _page(request)
    if visit.client is None:
        return visit.message("temporal_away", 503)
    try:
        seen = await plans.see(
            visit.database, visit.settings, visit.client, plan, visit.now, first=(page - 1) * plans.SHOWN
        )
    except (RPCError, Unreachable):
        return visit.message("temporal_away", 503)
    lines = [one.line for one in seen.lines]
    changers = _changers(one.changed for one in seen.lines)
    ids = [*_ids(seen), plan.options.get("newcomer", ""), plan.by, *changers]
    names, zone = await _names_and_zone(visit, plan, ids)
    return visit.page(
        "plan.html",
        plan=plan,
        about=await _about(visit, plan),
        seen=seen,
        names=names,
        of_lines=await _people(visit, lines),
        zone=zone,
        at=_at,
        number=page,
        pages_of=max(1, -(-plan.count // plans.SHOWN)),
        own=plan.by == visit.account.id,
    )


async def confirm(request: Request, visit: Visit) -> Response:
    """POST: the plan is carried out on exactly what was shown. Twice is once."""
    plan = await _plan(request, visit)
    if plan is None:
        return visit.message("no_plan", 404)
    act = plans.act_of(plan.act)
    if act.fresh and not visit.fresh:
        return visit.ask_fresh()
    if not await _may_act(visit, plan):
        return visit.message("not_yours", 403)
    account = visit.account
    why = ((await visit.typed(request)).get("why") or [""])[0][:2000]
    try:
        given = await plans.confirm(visit.database, plan, visit.now, by=account.id, proof=account.proof, why=why)
    except Refused:
        return visit.message("plan_lapsed" if plan.by == account.id else "plan_of_another", 409)
    if given:
        visit.noted.append(plan.act)
    return await _carried_out(visit, plan)


async def again(request: Request, visit: Visit) -> Response:
    """POST: what was not reached is tried once more."""
    plan = await _plan(request, visit)
    if plan is None:
        return visit.message("no_plan", 404)
    if plans.act_of(plan.act).fresh and not visit.fresh:
        return visit.ask_fresh()
    if not await _may_act(visit, plan):
        return visit.message("not_yours", 403)
    account = visit.account
    try:
        if await plans.again(visit.database, plan, visit.now, by=account.id, proof=account.proof):
            visit.noted.append(plan.act)
    except Refused:
        return visit.message("plan_of_another", 409)
    return await _carried_out(visit, plan)


async def result(request: Request, visit: Visit) -> Response:
    """GET: how far it has come, and what came of each. Opening it takes up a plan that nobody carries out."""
    plan = await _plan(request, visit)
    if plan is None:
        return visit.message("no_plan", 404)
    if plan.state == "shown":
        return visit.to(f"/c/plans/{plan.id}")
    if plan.state == "given" and visit.site.plans is not None:
        visit.site.plans.start(plan.id)
    progress = await plans.progress(visit.database, plan)
    outcome = request.query_params.get("outcome", "")
    wanted = outcome if outcome in OUTCOMES else None
    page = _page(request)
    lines = await plans.result_lines(visit.database, plan, first=(page - 1) * PAGE, most=PAGE, outcome=wanted)
    names, zone = await _names_and_zone(visit, plan, [plan.by, *_changers(line.changed for line in lines)])
    total = progress.outcomes.get(wanted, 0) if wanted else plan.count
    return visit.page(
        "result.html",
        plan=plan,
        about=await _about(visit, plan),
        progress=progress,
        lines=lines,
        names=names,
        of_lines=await _people(visit, lines),
        zone=zone,
        at=_at,
        outcomes=OUTCOMES,
        outcome=wanted or "",
        number=page,
        pages_of=max(1, -(-total // PAGE)),
        own=plan.by == visit.account.id,
    )


# -- the parts ---------------------------------------------------------------------------------------------------


async def _carried_out(visit: Visit, plan: Plan) -> Response:
    if visit.site.plans is not None:
        await visit.site.plans.started(plan.id, WITHIN)
    return visit.to(f"/c/plans/{plan.id}/result")


async def _plan(request: Request, visit: Visit) -> Plan | None:
    """The plan, where this account may look at it: its own, or one of a cohort in which it acts."""
    try:
        plan = await plans.known_plan(visit.database, request.path_params["plan"])
    except NotFound:
        return None
    if plan.by == visit.account.id:
        return plan
    # Of what somebody reported, others must not even see that there is something.
    lines = await plans.result_lines(visit.database, plan, most=1)
    private = plan.act == "release" or any("/task.safety#" in line.subject for line in lines)
    return plan if not private and plan.cohort and visit.account.may(ACTORS, plan.cohort) else None


async def _may_act(visit: Visit, plan: Plan) -> bool:
    """Whether the account may still do it where it would be done: roles can have changed since it was shown."""
    act = plans.act_of(plan.act)
    if act.subject == "person":
        [line] = await plans.result_lines(visit.database, plan, most=1)
        return await _acts_on(visit, line.subject)
    return bool(plan.cohort) and visit.account.may(ACTORS, plan.cohort)


async def _acts_on(visit: Visit, person: str) -> bool:
    """Whether the account may act on this person."""
    async with visit.database.session() as session:
        cohorts = await accounts.cohorts_of_person(session, person)
    return bool(visit.account.everywhere.intersection(ACTORS)) or any(
        visit.account.may(ACTORS, cohort) for cohort in cohorts
    )


async def _about(visit: Visit, plan: Plan) -> tuple[str, str]:
    """Whom or what a plan about one person, cohort or task is about, in words, and the path of its page; the name of
    a person only where the account still acts on them. Empty for a plan about mentorships."""
    subject = plans.act_of(plan.act).subject
    if subject == "mentorship":
        return "", ""
    [line] = await plans.result_lines(visit.database, plan, most=1)
    if subject == "task":
        people = [one.people for one in (await _people(visit, [line])).values()]
        named = [person.name for person in (people[0] if people else ()) if person.standing != "out"]
        path = f"/c/cohorts/{quote(line.cohort)}/mentorships/{quote(line.mentorship)}"
        return listed(named, visit.words.language), path
    if subject == "cohort":
        async with visit.database.session() as session:
            facts = await cohort_page.cohort(session, line.subject)
        return facts.title if facts else line.subject, f"/c/cohorts/{line.subject}"
    if not await _acts_on(visit, line.subject):
        return line.subject, f"/c/people/{line.subject}"
    names, _ = await _names_and_zone(visit, plan, [line.subject])
    return names[line.subject] or line.subject, f"/c/people/{line.subject}"


def _page(request: Request) -> int:
    return max(1, whole_number(request.query_params.get("page", "")))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _people(visit: Visit, lines: Sequence[PlanLine]) -> dict[str, ListLine]:
    """The mentorships of these lines with their people, by `cohort/mentorship`."""
    found: dict[str, ListLine] = {}
    async with visit.database.session() as session:
        for cohort in sorted({line.cohort for line in lines if line.mentorship}):
            keys = [line.mentorship for line in lines if line.cohort == cohort]
            for one in await cohort_page.list_lines(session, cohort, keys):
                found[f"{cohort}/{one.key}"] = one
    return found


async def _names_and_zone(visit: Visit, plan: Plan, ids: Iterable[str]) -> tuple[dict[str, str], str]:
    """Id to name of people (somebody who is no person of a cohort goes by their id), and the zone of the plan."""
    wanted = list(dict.fromkeys(id_ for id_ in ids if id_))
    async with visit.database.session() as session:
        known, zone = await look_up_all(session, names_of(wanted), zone_of(plan.cohort))
    return {id_: known.get(id_, id_) for id_ in wanted}, zone


def _changers(changes: Iterable[Any]) -> list[str]:
    return [changed["by"] for changed in changes if changed]


def _ids(seen: Seen) -> Iterable[str]:
    """Those whom the effects of a plan name."""
    looked = [one.prospect for one in seen.lines if one.prospect]
    for outlook, void in [(one.outlook, one.withdrawn) for one in looked]:
        yield from (one.person for one in (*outlook.told, *void))
    effect: Any = seen.effect
    if hasattr(effect, "outlook"):
        yield from (one.person for one in (*effect.outlook.told, *effect.withdrawn))
