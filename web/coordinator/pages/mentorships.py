"""The page of one mentorship, the mails that were sent in it, and what coordinators note about it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from operations.errors import Refused
from operations.mentorships import notes
from operations.submissions import FIELD, mint
from operations.views.mail import ShownMail, framed, shown_mail
from operations.views.mentorship import mentorship_view
from runtime.temporal_ui import TemporalUI
from web.coordinator.reading import reader_of
from web.coordinator.visit import Visit
from web.security import FRAMED_MAIL, FRAMING
from workflows.ids import mentorship_id


async def page(request: Request, visit: Visit) -> Response:
    """GET: the mentorship."""
    return await _shown(visit, request)


async def note(request: Request, visit: Visit) -> Response:
    """POST: write a note, or remove one."""
    cohort, key = request.path_params["cohort"], request.path_params["key"]
    typed = await visit.typed(request)
    text, about, submission, gone = ((typed.get(name) or [""])[0] for name in ("text", "about", FIELD, "remove"))
    who = {"by": visit.account.id, "proof": visit.proof}
    try:
        if gone:
            await notes.remove(visit.database, (cohort, key), gone, visit.now, **who)
        else:
            await notes.add(
                visit.database, f"{cohort}/{key}", text, visit.now, person=about, submission=submission, **who
            )
    except Refused as refused:
        return await _shown(visit, request, fault=str(refused), text=text, about=about, status=400)
    visit.noted.append("note")
    return visit.to(f"{_path(request)}#notes")


async def mail(request: Request, visit: Visit) -> Response:
    """GET: one mail with its headers; its HTML in a frame, its text below."""
    shown = await _mail(request, visit)
    response = visit.page("mail.html", mail=shown, here=f"{visit.root}{_path(request)}")
    response.headers["content-security-policy"] = FRAMING
    return response


async def mail_body(request: Request, visit: Visit) -> Response:
    """GET: the HTML of a mail, for the frame: it can run nothing and load nothing."""
    shown = await _mail(request, visit)
    return HTMLResponse(framed(shown), headers={"content-security-policy": FRAMED_MAIL})


async def _shown(
    visit: Visit, request: Request, *, fault: str = "", text: str = "", about: str = "", status: int = 200
) -> Response:
    cohort, key = request.path_params["cohort"], request.path_params["key"]
    view = await mentorship_view(visit.database, cohort, key, reader_of(visit), visit.now)
    return visit.page(
        "mentorship.html",
        status,
        view=view,
        fault=fault,
        text=text,
        about=about,
        submission=mint(),
        here=f"{visit.root}{_path(request)}",
        temporal=_in_temporal(visit, cohort, key),
    )


async def _mail(request: Request, visit: Visit) -> ShownMail:
    parameters = request.path_params
    return await shown_mail(
        visit.database,
        parameters["cohort"],
        parameters["key"],
        parameters["mail"],
        reader_of(visit),
    )


def _in_temporal(visit: Visit, cohort: str, key: str) -> str:
    """The workflow of the mentorship in the Temporal UI; empty where none is named, and for others than
    administrators."""
    ui = visit.settings.temporal_ui.rstrip("/")
    if not ui or visit.client is None or not visit.may("administrator"):
        return ""
    return TemporalUI(ui, visit.client.namespace).workflow(mentorship_id(cohort, key))


def _path(request: Request) -> str:
    return "/c/cohorts/{cohort}/mentorships/{key}".format(**request.path_params)
