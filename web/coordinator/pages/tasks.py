"""The page of one task: the answers behind it, what each decision would do, and deciding it with one confirmation.

The page is the dry run: it says what each decision does to the mentorship as it is. A decision about a mentorship
that changed since is refused and nothing is done. One that needs more than the page has shown, such as another date,
becomes a plan, which shows it exactly and asks.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError

from operations import plans
from operations.errors import NotFound, Refused
from operations.mentorships import concerns
from operations.mentorships.decide import decide
from operations.plans import Choice
from operations.submissions import FIELD, mint
from operations.views.task import TaskView, decided, decided_at, task_view
from web.coordinator.reading import reader_of
from web.coordinator.visit import Visit

FIELDS = ("until", "person", "newcomer", "name", "email", "zone", "why")
"""Fields beside the decision."""


async def page(request: Request, visit: Visit) -> Response:
    """GET: the task; one that is decided on another page leads there."""
    public = request.path_params["task"]
    if elsewhere := await decided_at(visit.database, public):
        return visit.to(elsewhere)
    after, decision = (request.query_params.get(name, "") for name in ("after", "decision"))
    return await _shown(visit, public, after=after, given={"decision": decision})


async def act(request: Request, visit: Visit) -> Response:
    """POST: decide the task, or open the report behind it."""
    task = request.path_params["task"]
    typed = await visit.typed(request)
    given = {name: (typed.get(name) or [""])[0].strip() for name in (*FIELDS, FIELD, "act", "decision", "based_on")}
    view = await task_view(visit.database, task, reader_of(visit), visit.now)
    if given["act"] == "open":
        await concerns.opened(
            visit.database, view.task.cohort, view.task.mentorship, view.task.key, visit.now,
            by=visit.account.id, proof=visit.proof,
        )  # fmt: skip
        visit.noted.append("concern opened")
        return await _shown(visit, task, opened=True)
    if view.task.closed_at is None and given["based_on"] != str(view.based_on):
        return await _shown(visit, task, given=given, fault=visit.words("task.changed"), status=409)
    shown_so = given["decision"] == "pause" and given["until"] == view.pause_until.isoformat()
    if view.task.closed_at is None and given["decision"] in ("pause", "replace") and not shown_so:
        return await _planned(visit, view, given)
    return await _decided(visit, view, given)


async def _decided(visit: Visit, view: TaskView, given: Mapping[str, str]) -> Response:
    task = view.task
    not_reached = visit.words("task.not_reached")
    if visit.client is None:
        return await _shown(visit, task.public_id, given=given, fault=not_reached, status=503)
    try:
        await decide(
            visit.database,
            visit.client,
            task.key,
            given["decision"],
            visit.now,
            until=given["until"] if given["decision"] == "pause" else "",
            by=visit.account.id,
            why=given["why"],
            proof=visit.proof,
        )
    except Refused as refused:
        return await _shown(visit, task.public_id, given=given, fault=str(refused), status=409)
    except RPCError:
        return await _shown(visit, task.public_id, given=given, fault=not_reached, status=503)
    visit.noted.append("decide")
    then = view.next_task if given["act"] == "decide_next" and view.next_task else task.public_id
    return visit.to(f"/c/tasks/{then}?after={task.public_id}")


async def _planned(visit: Visit, view: TaskView, given: Mapping[str, str]) -> Response:
    """What the page could not show exactly, another date or a newcomer, is shown by a plan, and asked there."""
    task = view.task
    wanted = ("until",) if given["decision"] == "pause" else ("person", "newcomer", "name", "email", "zone")
    options = {"decision": given["decision"]} | {name: given[name] for name in wanted}
    choice = Choice(
        "decide", options, subject=task.key, cohort=task.cohort, why=given["why"], submission=given[FIELD]
    )
    by, proof = visit.account.id, visit.proof
    try:
        plan = await plans.freeze(visit.database, visit.settings, choice, visit.now, by=by, proof=proof)
    except (Refused, NotFound) as refused:
        return await _shown(visit, task.public_id, given=given, fault=str(refused), status=422)
    await visit.record(
        "plan decide", cohort=task.cohort, plan=plan.id, reason=plan.why, result="done", count=plan.count
    )
    return visit.to(f"/c/plans/{plan.id}")


async def _shown(
    visit: Visit,
    task: str,
    *,
    opened: bool = False,
    after: str = "",
    given: Mapping[str, str] | None = None,
    fault: object = "",
    status: int = 200,
) -> Response:
    reader = reader_of(visit)
    view = await task_view(visit.database, task, reader, visit.now, opened=opened)
    return visit.page(
        "task.html",
        status,
        view=view,
        done=await decided(visit.database, after, reader) if after else None,
        fault=fault,
        given=dict.fromkeys(FIELDS, "") | dict(given or {}),
        chosen=(given or {}).get("decision", ""),
        submission=mint(),
    )
