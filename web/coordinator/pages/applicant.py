"""One application as a coordinator sees it: its answers, to be edited, accepted or withdrawn when somebody asks.

What is shown only in totals is not on the page. Each act is on the record with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from mail.form_text import worded
from operations.applications.applicants import find_application, take_from_waiting_list, withdraw_on_request
from operations.applications.edit import edit_on_request, may_edit, questions_for
from operations.errors import NotFound, Refused
from operations.forms.fill_in import NO_PURPOSE
from operations.forms.parse import FieldFault, Typed, typed_of, zone_names
from web.coordinator.visit import Visit
from web.forms.fields import fields_of


async def page(request: Request, visit: Visit) -> Response:
    """GET: the application of a person."""
    return await _shown(request, visit)


async def act(request: Request, visit: Visit) -> Response:
    """POST: save the answers, take them from the waiting list, or withdraw for them."""
    cohort, person = (str(request.path_params[name]) for name in ("cohort", "person"))
    typed = await visit.typed(request)
    chosen, why = ((typed.get(name) or [""])[0] for name in ("act", "why"))
    how = {"by": visit.account.id, "why": why[:2000], "proof": visit.proof}
    pool = f"/c/cohorts/{cohort}/matching/pool"
    try:
        if chosen == "accept":
            await take_from_waiting_list(visit.database, cohort, person, visit.now, **how)
        elif chosen == "withdraw":
            if (typed.get("sure") or [""])[0] != "yes":
                return await _shown(request, visit, unsure=True)
            await withdraw_on_request(visit.database, cohort, person, visit.now, **how)
            visit.noted.append("applicants withdraw")
            return visit.to(pool)
        else:
            edited = await edit_on_request(visit.database, cohort, person, typed, visit.now, **how)
            if edited.faults:
                return await _shown(request, visit, typed, edited.faults)
    except NotFound:
        return visit.message("no_matching", 404)
    except Refused as refused:
        return visit.message("not_matched", 409, why=str(refused))
    visit.noted.append(f"applicants {'accept' if chosen == 'accept' else 'edit'}")
    return visit.to(f"{pool}/{person}?done={'accept' if chosen == 'accept' else 'edit'}")


async def _shown(
    request: Request,
    visit: Visit,
    typed: Typed | None = None,
    faults: Sequence[FieldFault] = (),
    *,
    unsure: bool = False,
) -> Response:
    cohort, person = (str(request.path_params[name]) for name in ("cohort", "person"))
    try:
        async with visit.database.session() as session:
            call, found, _ = await find_application(session, cohort, person, visit.account.id)
    except NotFound:
        return visit.message("no_matching", 404)
    except Refused as refused:
        return visit.message("not_matched", 404, why=str(refused))
    closed = may_edit(call, found)
    names = {"partner": "your partner", "since": "the start", "purpose": NO_PURPOSE, "program": call.program.title}
    questions = worded(questions_for(call, found), names) if found.role and not closed else ()
    fields = fields_of(questions, typed or typed_of(questions, found.body), faults)
    done = request.query_params.get("done", "")
    return visit.page(
        "matching_applicant.html",
        422 if faults or unsure else 200,
        cohort=cohort,
        call=call,
        application=found,
        role_label=call.role_label(found.role) if found.role else "",
        closed=closed,
        fields=fields,
        faults=faults,
        unsure=unsure,
        done=done if done in ("accept", "edit") else "",
        zones=zone_names() if any(field.suggestions for field in fields) else (),
        withdrawable=found.state != "withdrawn" and not (call.gathering.published and found.state == "confirmed"),
    )
