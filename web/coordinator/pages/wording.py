"""The words of a cohort: every mail as its readers get it, every form as people see it, and the texts to edit.

A program, form or mail that is edited here belongs to this cohort alone: it is kept with the next version of its
file. What runs keeps its words until it adopts them: a program by `adopt`, mails by `reword`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mail.form_text import worded
from operations.cohorts import files, reword
from operations.cohorts.checked_again import check_again
from operations.cohorts.files import MAIL, CheckedFile, CohortTexts
from operations.cohorts.load import Loaded
from operations.cohorts.preview import (
    EDITABLE,
    FORMATS,
    PreviewOptions,
    WordedMail,
    languages_of,
    preview,
)
from operations.forms.fill_in import NO_PURPOSE
from program.forms import Form
from program.limits import BODY_BYTES
from program.text import CONTROLS, whole_number
from runtime.errors import ExpectedError
from store.reports.status import names_of
from web.coordinator.pages.cohort_file import SHOWN_FAULTS
from web.coordinator.visit import Visit
from web.forms.fields import Block, blocks_of, fields_of
from web.security import FRAMED_MAIL, FRAMING

SAMPLE = {"partner": "Mia Okonkwo", "since": "1 March", "purpose": NO_PURPOSE}
"""What stands in the places of a form that is only looked at."""
READERS = ("mentor", "mentee", "peer", "coordinator")

VALUES = (
    "names", "full_names", "me", "coordinator", "cohort", "organisation", "program", "closes", "since", "start",
    "end", "number", "form_minutes", "role", "format", "kind", "nth",
)  # fmt: skip
"""The values that many mails use, for the list beside the text; templates/mail/README.md has all of them."""


# -- looking ---------------------------------------------------------------------------------------------------------


async def overview(request: Request, visit: Visit) -> Response:
    """GET: all mails and forms, and one mail as a reader gets it."""
    cohort = request.path_params["cohort"]
    texts, checked, runs = await _latest(visit, cohort)
    if texts is None or checked is None or checked.loaded is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    loaded = checked.loaded
    asked = request.query_params.get("mail", "")
    shown = await asyncio.to_thread(_shown, request, visit, loaded, asked if asked in EDITABLE else EDITABLE[0])
    forms = sorted({id_ for program in loaded.used.values() for id_ in program.forms})
    return _framing(
        visit.page(
            "wording.html",
            cohort=cohort,
            loaded=loaded,
            forms=forms,
            own=sorted(texts.wording),
            own_mails=sorted(texts.mails.texts),
            waits=await _waits(visit, cohort, texts, runs=runs),
            **shown,
        )
    )


async def mail_body(request: Request, visit: Visit) -> Response:
    """GET: the HTML of a mail, for the frame: it can run nothing and load nothing."""
    cohort = request.path_params["cohort"]
    _, checked, _ = await _latest(visit, cohort)
    if checked is None or checked.loaded is None:
        return visit.message("no_file", 404)
    asked = request.query_params.get("mail", "")
    chosen = asked if asked in EDITABLE else EDITABLE[0]
    shown = (await asyncio.to_thread(_shown, request, visit, checked.loaded, chosen))["shown"]
    if shown is None:
        return visit.message("no_file", 404)
    return HTMLResponse(shown.html, headers={"content-security-policy": FRAMED_MAIL})


async def text(request: Request, visit: Visit) -> Response:
    """GET: a program, form or mail of the cohort: how people see it, and its text to edit. With `version`, the text
    of an earlier version to take back."""
    cohort = request.path_params["cohort"]
    texts, checked, runs = await _latest(visit, cohort)
    if texts is None or checked is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    earlier = request.query_params.get("version", "")
    if not whole_number(earlier, 8):
        return await _text_page(request, visit, texts, checked, runs)
    before = await files.known_version(visit.database, cohort, whole_number(earlier, 8))
    typed = files.worded_text(before, _name(request), visit.settings)
    return await _text_page(request, visit, texts, checked, runs, typed=typed, taken_back=True)


# -- saving ----------------------------------------------------------------------------------------------------------


async def save(request: Request, visit: Visit) -> Response:
    """POST: keep a program, form or mail for this cohort, as part of the next version of its file.

    With faults nothing is kept, and what was typed stands there with them. So it does where somebody else has changed
    the same text meanwhile: sent again, it takes the place of theirs.
    """
    cohort = request.path_params["cohort"]
    texts, before, runs = await _latest(visit, cohort)
    if texts is None or before is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    name = _name(request)
    async with request.form(max_files=0, max_fields=4, max_part_size=BODY_BYTES) as form:
        typed = CONTROLS.sub("", str(form.get("text", "")).replace("\r\n", "\n"))
        drop, based_on = "drop" in form, str(form.get("based_on", ""))
    files.worded_text(texts, name, visit.settings)  # there is such a text
    own = {other: kept for other, kept in texts.wording.items() if other != name}
    changed = replace(texts, wording=own if drop else {**own, name: typed})
    if based_on and based_on != files.mark_of(texts, name):
        return await _text_page(request, visit, texts, before, runs, typed=typed, overtaken=True, status=409)
    checked = await _checked(visit, cohort, changed, runs=runs)
    if checked.faults:
        shown = replace(before, faults=checked.faults)
        return await _text_page(request, visit, texts, shown, runs, typed=typed, status=422)
    number = await files.save(visit.database, cohort, changed, visit.now, by=visit.account.id, proof=visit.proof)
    await visit.record("save_wording", cohort=cohort, ids=(name, str(number)), result="done")
    language = f"&language={_language(request)}" if name.startswith(MAIL) else ""
    return visit.to(f"/c/cohorts/{cohort}/wording/{_address(request)}?saved={number}{language}")


# -- the page of one text --------------------------------------------------------------------------------------------


async def _text_page(
    request: Request,
    visit: Visit,
    texts: CohortTexts,
    checked: CheckedFile,
    runs: bool,
    *,
    typed: str | None = None,
    taken_back: bool = False,
    overtaken: bool = False,
    status: int = 200,
) -> Response:
    """The page of a text as it is kept; with what was `typed` in its field, where that is something else."""
    cohort, name = request.path_params["cohort"], _name(request)
    written = files.worded_text(texts, name, visit.settings)
    earlier = await files.earlier_texts(visit.database, cohort, name)
    async with visit.database.session() as session:
        names = {person.id: person.name for person in await names_of(session, [one.by for one in earlier])}
    shown = written if typed is None else typed
    context: dict[str, Any] = {
        "lines": shown.splitlines(), "file_name": f"{name}.{'md' if name.startswith(MAIL) else 'yaml'}",
        "cohort": cohort, "which": name, "address": _address(request), "own": name in texts.wording,
        "written": shown, "based_on": files.mark_of(texts, name),
        "faults": checked.faults[:SHOWN_FAULTS], "saved": request.query_params.get("saved", ""),
        "taken_back": taken_back, "overtaken": overtaken, "earlier": earlier, "names": names,
        "runs": runs,
    }  # fmt: skip
    if name.startswith(MAIL):
        context |= await _of_mail(request, visit, texts, checked, runs)
        return _framing(visit.page("wording_mail.html", status, **context))
    return visit.page("wording_text.html", status, **context, **_of_form(request, checked.loaded, name))


def _of_form(request: Request, loaded: Loaded | None, name: str) -> dict[str, Any]:
    """A form as people see it; nothing of it for a program, or where the file has faults."""
    form, program = _form(loaded, name)
    format_ = request.query_params.get("format", "") or (program or FORMATS[0])
    roles = ("peer",) if format_ == "peer" else ("mentor", "mentee")
    role = request.query_params.get("role", "")
    role = role if role in roles else roles[-1]
    return {
        "form": form, "blocks": _blocks(form, role, format_), "formats": FORMATS, "roles": roles, "role": role,
        "format": format_,
    }  # fmt: skip


async def _of_mail(
    request: Request, visit: Visit, texts: CohortTexts, checked: CheckedFile, runs: bool
) -> dict[str, Any]:
    """A mail as its readers get it, what can stand in it, and who else uses the same words."""
    mail = request.path_params["name"]
    running = await reword.with_their_own(visit.database, mail)
    seen = visit.account.cohorts("coordinator", "deputy", "administrator")
    everywhere = "administrator" in visit.account.everywhere
    return {
        "language": _language(request), "values": VALUES,
        "others": {cohort: own for cohort, own in running.items() if everywhere or cohort in seen},
        "waits": await _waits(visit, request.path_params["cohort"], texts, runs=runs),
        **await asyncio.to_thread(_shown, request, visit, checked.loaded, mail, _language(request)),
    }  # fmt: skip


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


# -- a mail as a reader gets it --------------------------------------------------------------------------------------


def _shown(request: Request, visit: Visit, loaded: Loaded | None, mail: str, language: str = "") -> dict[str, Any]:
    """A mail with what was chosen of it, and what there is to choose from. Takes a while: call it in a thread."""
    said = request.query_params.get
    reminder, language = said("reminder", ""), language or said("language", "")
    format_ = said("format", "") or (loaded.used[loaded.cohort.program].program.format if loaded else FORMATS[0])
    options = PreviewOptions(
        format=format_, role=said("role", ""), reminder=int(reminder) if reminder in ("1", "2") else 0,
        language=language,
    )  # fmt: skip
    shown: WordedMail | None = None
    refused = ""
    if loaded is not None:
        try:
            shown = preview(mail, options, visit.settings, loaded=loaded)
        except ExpectedError as why:
            refused = str(why)
    return {
        "mail": mail, "options": options, "shown": shown, "refused": refused, "mails": EDITABLE, "formats": FORMATS,
        "readers": READERS, "languages": languages_of(loaded, visit.settings),
    }  # fmt: skip


# -- parts -----------------------------------------------------------------------------------------------------------


async def _latest(visit: Visit, cohort: str) -> tuple[CohortTexts | None, CheckedFile | None, bool]:
    """The latest texts, what is in them, and whether the cohort runs."""
    texts = await files.latest_texts(visit.database, cohort)
    runs = await files.runs(visit.database, cohort)
    return texts, await _checked(visit, cohort, texts, runs=runs) if texts is not None else None, runs


async def _checked(visit: Visit, cohort: str, texts: CohortTexts, *, runs: bool) -> CheckedFile:
    return await asyncio.to_thread(check_again, texts, cohort, visit.now, visit.settings, runs=runs)


async def _waits(visit: Visit, cohort: str, texts: CohortTexts, *, runs: bool) -> bool:
    """Whether the cohort runs with other mails than those that were saved last."""
    return runs and await reword.in_force(visit.database, cohort) != texts.mails


def _framing(response: Response) -> Response:
    response.headers["content-security-policy"] = FRAMING
    return response


def _language(request: Request) -> str:
    return request.query_params.get("language", "") or "en"


def _address(request: Request) -> str:
    return f"{request.path_params['kind']}/{request.path_params['name']}"


def _name(request: Request) -> str:
    """The name of a text among the wording of a cohort."""
    kind, name = request.path_params["kind"], request.path_params["name"]
    return f"{MAIL}{_language(request)}/{name}" if kind == "mail" else f"{kind}/{name}"
