"""The words of a cohort: every mail as its readers get it, every form as people see it, and the texts to edit.

A program or form that is edited here belongs to this cohort alone: it is kept with the next version of its file. What
runs keeps its words until it adopts them. The words of mails belong to the installation and are only shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mail.form_text import worded
from operations.cohorts import files
from operations.cohorts.files import CheckedFile, CohortTexts
from operations.cohorts.load import Loaded
from operations.cohorts.preview import FORMATS, NAMES, PreviewOptions, WordedMail, preview
from operations.forms.fill_in import NO_PURPOSE
from program.forms import Form
from program.limits import BODY_BYTES
from runtime.errors import ExpectedError
from web.coordinator.visit import Visit
from web.forms.fields import Block, blocks_of, fields_of
from web.security import FRAMED_MAIL, FRAMING

SAMPLE = {"partner": "Mia Okonkwo", "since": "1 March", "purpose": NO_PURPOSE}
"""What stands in the places of a form that is only looked at."""


async def overview(request: Request, visit: Visit) -> Response:
    """GET: all mails and forms, and one mail as a reader gets it."""
    cohort = request.path_params["cohort"]
    texts, checked = await _latest(visit, cohort)
    if texts is None or checked is None or checked.loaded is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    name, options = _asked(request, checked.loaded)
    shown, refused = _preview(visit, checked.loaded, name, options)
    response = visit.page(
        "wording.html", cohort=cohort, loaded=checked.loaded, names=NAMES, formats=FORMATS, mail=name,
        options=options,
        shown=shown, refused=refused, query=request.url.query, own=sorted(texts.wording),
        forms=sorted({id_ for program in checked.loaded.used.values() for id_ in program.forms}),
    )  # fmt: skip
    response.headers["content-security-policy"] = FRAMING
    return response


async def mail_body(request: Request, visit: Visit) -> Response:
    """GET: the HTML of that mail, for the frame: it can run nothing and load nothing."""
    cohort = request.path_params["cohort"]
    _, checked = await _latest(visit, cohort)
    if checked is None or checked.loaded is None:
        return visit.message("no_file", 404)
    shown, _ = _preview(visit, checked.loaded, *_asked(request, checked.loaded))
    if shown is None:
        return visit.message("no_file", 404)
    return HTMLResponse(shown.html, headers={"content-security-policy": FRAMED_MAIL})


async def text(request: Request, visit: Visit) -> Response:
    """GET: a program or form of the cohort: how people see it, and its text to edit."""
    cohort = request.path_params["cohort"]
    texts, checked = await _latest(visit, cohort)
    if texts is None or checked is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    return await _text_page(request, visit, texts, checked)


async def save(request: Request, visit: Visit) -> Response:
    """POST: keep a program or form for this cohort, as part of the next version of its file. With faults nothing is
    kept, and what was typed stands there with them."""
    cohort = request.path_params["cohort"]
    texts, _ = await _latest(visit, cohort)
    if texts is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    name = _name(request)
    async with request.form(max_files=0, max_fields=4, max_part_size=BODY_BYTES) as form:
        typed = str(form.get("text", "")).replace("\r\n", "\n")
        drop = "drop" in form
    own = {other: kept for other, kept in texts.wording.items() if other != name}
    changed = replace(texts, wording=own if drop else {**own, name: typed})
    checked = await _checked(visit, cohort, changed)
    if checked.faults:
        return await _text_page(request, visit, changed, checked, status=422)
    number = await files.save(visit.database, cohort, changed, visit.now, by=visit.account.id, proof=visit.proof)
    await visit.record("save_file", cohort=cohort, ids=(str(number),), result="done")
    return visit.to(f"/c/cohorts/{cohort}/wording/{name}?saved={number}")


async def _text_page(
    request: Request, visit: Visit, texts: CohortTexts, checked: CheckedFile, status: int = 200
) -> Response:
    cohort, name = request.path_params["cohort"], _name(request)
    written = files.worded_text(texts, name, visit.settings)
    form, program = _form(checked.loaded, name)
    format_ = request.query_params.get("format", "") or (program or FORMATS[0])
    roles = ("peer",) if format_ == "peer" else ("mentor", "mentee")
    role = request.query_params.get("role", "")
    role = role if role in roles else roles[-1]
    return visit.page(
        "wording_text.html", status, cohort=cohort, which=name, written=written, own=name in texts.wording,
        faults=checked.faults, saved=request.query_params.get("saved", ""), form=form,
        blocks=_blocks(form, role, format_), formats=FORMATS, roles=roles, role=role, format=format_,
        runs=await files.runs(visit.database, cohort),
    )  # fmt: skip


def _form(loaded: Loaded | None, name: str) -> tuple[Form | None, str]:
    """The form of this name with the format of a program that uses it; None for a program, or where it has faults."""
    kind, _, id_ = name.partition("/")
    for program in loaded.used.values() if loaded is not None and kind == "forms" else ():
        if id_ in program.forms:
            return program.forms[id_], program.program.format
    return None, ""


def _blocks(form: Form | None, role: str, format_: str) -> Sequence[Block]:
    if form is None:
        return ()
    words = {**SAMPLE, "program": form.title}
    return blocks_of(fields_of(worded(form.questions_for(role, format_), words), {}))


def _asked(request: Request, loaded: Loaded) -> tuple[str, PreviewOptions]:
    said = request.query_params.get
    name = said("mail", "") if said("mail", "") in NAMES else NAMES[0]
    format_ = said("format", "") or loaded.used[loaded.cohort.program].program.format
    reminder = said("reminder", "")
    return name, PreviewOptions(
        format=format_, role=said("role", ""), reminder=int(reminder) if reminder in ("1", "2") else 0
    )


def _preview(visit: Visit, loaded: Loaded, name: str, options: PreviewOptions) -> tuple[WordedMail | None, str]:
    """The mail, or why there is none like this."""
    try:
        return preview(name, options, visit.settings, loaded=loaded), ""
    except ExpectedError as refused:
        return None, str(refused)


async def _latest(visit: Visit, cohort: str) -> tuple[CohortTexts | None, CheckedFile | None]:
    texts = await files.latest_texts(visit.database, cohort)
    return texts, await _checked(visit, cohort, texts) if texts is not None else None


async def _checked(visit: Visit, cohort: str, texts: CohortTexts) -> CheckedFile:
    runs = await files.runs(visit.database, cohort)
    return await asyncio.to_thread(files.check, texts, cohort, visit.now, visit.settings, runs=runs)


def _name(request: Request) -> str:
    return f"{request.path_params['kind']}/{request.path_params['name']}"
