"""Messages that coordinators write: listed, written, looked at, sent; each is a draft until it is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mail.markdown import render
from operations import submissions
from operations.errors import NotFound, Refused
from operations.forms.parse import Typed
from operations.mentorships import message
from operations.mentorships.status import known_cohort
from operations.submissions import mint
from operations.views.written import WrittenLine, lines_of, mentorships_named
from runtime.temporal import Waker
from web.coordinator.visit import Visit
from web.security import FRAMED_MAIL, FRAMING

SHOWN = 200
"""Readers whom one page shows."""


@dataclass(frozen=True, slots=True)
class MessageForm:
    """What the form of a message holds."""

    cohort: str
    path: str
    """Where it is sent, below the root."""
    subject: str = ""
    text: str = ""
    only: str = ""
    """Ids, addresses or names of those whom alone it is for, apart by commas."""
    keys: Sequence[str] = ()
    """The mentorships that it is about; none: the whole cohort."""


async def everywhere(_: Request, visit: Visit) -> Response:
    """GET: the messages of all cohorts that the account coordinates."""
    cohorts = visit.account.cohorts("coordinator", "deputy")
    return visit.page("written_everywhere.html", of=[(one, await lines_of(visit.database, one)) for one in cohorts])


async def listed(request: Request, visit: Visit) -> Response:
    """GET: what is written, what waits and what was sent in a cohort."""
    cohort = request.path_params["cohort"]
    lines: list[WrittenLine] = await lines_of(visit.database, cohort)
    return visit.page("written_list.html", cohort=cohort, lines=lines)


async def write(request: Request, visit: Visit) -> Response:
    """GET: the form of a new message: `key`s say which mentorships, `person` which person. POST: it is a draft."""
    cohort = request.path_params["cohort"]
    path = f"/c/cohorts/{cohort}/messages/new"
    if request.method != "POST":
        keys = tuple(dict.fromkeys(request.query_params.getlist("key")))
        form = MessageForm(cohort, path, only=request.query_params.get("person", "")[:200], keys=keys)
        return await _form(visit, form)
    typed = await visit.typed(request)
    form = _form_of(cohort, path, typed)
    new = sha256(submissions.submission_id(_first(typed, submissions.FIELD), form).encode()).hexdigest()[:12]
    return await _kept(visit, form, new)


async def edit(request: Request, visit: Visit) -> Response:
    """GET: the form of a draft. POST: the draft is another."""
    cohort, id_ = request.path_params["cohort"], request.path_params["message"]
    path = f"/c/cohorts/{cohort}/messages/{id_}/edit"
    written, _ = await message.written(visit.database, id_, cohort)
    if written.state != "draft":
        return visit.to(f"/c/cohorts/{cohort}/messages/{id_}")
    if request.method == "POST":
        return await _kept(visit, _form_of(cohort, path, await visit.typed(request)), id_)
    only = ", ".join(written.people)
    return await _form(visit, MessageForm(cohort, path, written.subject, written.text, only, written.mentorships))


async def shown(request: Request, visit: Visit) -> Response:
    """GET: a draft with whom it reaches, when, and the mail of each; or what became of a message."""
    return await _shown(request, visit)


async def body(request: Request, visit: Visit) -> Response:
    """GET: the HTML of the mail to one reader, for the frame: it can run nothing and load nothing."""
    cohort, id_ = request.path_params["cohort"], request.path_params["message"]
    try:
        await message.written(visit.database, id_, cohort)
        mail = await message.preview(visit.database, visit.settings, id_, request.path_params["reader"], visit.now)
    except (NotFound, Refused):
        return visit.message("nothing_here", 404)
    return HTMLResponse(mail.html, headers={"content-security-policy": FRAMED_MAIL})


async def send(request: Request, visit: Visit) -> Response:
    """POST: it goes into the postboxes of exactly those who were shown. Twice is once."""
    cohort, id_ = request.path_params["cohort"], request.path_params["message"]
    typed = await visit.typed(request)
    wake = Waker(visit.client, visit.settings) if visit.client is not None else None
    try:
        await message.written(visit.database, id_, cohort)
        sent = await message.send(
            visit.database, id_, visit.now, seen=_first(typed, "seen") or "nothing", by=visit.account.id,
            proof=visit.proof, shards=visit.settings.shards, wake=wake,
        )  # fmt: skip
    except Refused as refused:
        return await _shown(request, visit, str(refused), 409)
    if not sent.before:
        visit.noted.append("message")  # in the transaction that sent it
    return visit.to(f"/c/cohorts/{cohort}/messages/{id_}")


async def discard(request: Request, visit: Visit) -> Response:
    """POST: a draft is removed."""
    cohort, id_ = request.path_params["cohort"], request.path_params["message"]
    try:
        await message.written(visit.database, id_, cohort)
        await message.discard(visit.database, id_, visit.now, by=visit.account.id, proof=visit.proof)
    except Refused as refused:
        return await _shown(request, visit, str(refused), 409)
    visit.noted.append("discard-message")
    return visit.to(f"/c/cohorts/{cohort}/messages")


# -- parts ---------------------------------------------------------------------------------------------------------


async def _shown(request: Request, visit: Visit, problem: str = "", status: int = 200) -> Response:
    cohort, id_ = request.path_params["cohort"], request.path_params["message"]
    try:
        written, became = await message.written(visit.database, id_, cohort)
        named = await mentorships_named(visit.database, cohort, written.mentorships)
        if written.state != "draft":
            return visit.page(
                "written_sent.html", status, written=written, became=became, named=named, problem=problem,
                words_of=_words_of(written.text), zone=(await _zone(visit, cohort)),
            )  # fmt: skip
        outlook = await message.outlook(visit.database, id_, visit.now)
        reader = request.query_params.get("as", "") or outlook.readers[0].id
        mail = await message.preview(visit.database, visit.settings, id_, reader, visit.now)
    except Refused as refused:
        return visit.page("written_stuck.html", 409, cohort=cohort, id=id_, problem=str(refused))
    page = visit.page(
        "written_draft.html", status, written=written, outlook=outlook, readers=outlook.readers[:SHOWN],
        reader=next(one for one in outlook.readers if one.id == reader), mail=mail, named=named, problem=problem,
    )  # fmt: skip
    page.headers["content-security-policy"] = FRAMING
    return page


async def _kept(visit: Visit, form: MessageForm, id_: str) -> Response:
    try:
        content = await message.addressed(
            visit.database,
            [f"{form.cohort}/{key}" for key in form.keys] or [form.cohort],
            form.subject,
            form.text,
            [one.strip() for one in form.only.split(",") if one.strip()],
        )
        kept = await message.draft(
            visit.database, content, visit.now, by=visit.account.id, id_=id_, proof=visit.proof
        )
    except (NotFound, Refused) as refused:
        return await _form(visit, form, str(refused), 422)
    visit.noted.append("write-message")
    return visit.to(f"/c/cohorts/{form.cohort}/messages/{kept.id}")


async def _form(visit: Visit, form: MessageForm, problem: str = "", status: int = 200) -> Response:
    named = await mentorships_named(visit.database, form.cohort, form.keys)
    longest = (message.LONGEST_SUBJECT, message.LONGEST_TEXT)
    return visit.page(
        "written_form.html", status, form=form, named=named, problem=problem, submission=mint(), longest=longest
    )


def _form_of(cohort: str, path: str, typed: Typed) -> MessageForm:
    keys = tuple(dict.fromkeys(typed.get("key", ())))
    return MessageForm(cohort, path, _first(typed, "subject"), _first(typed, "text"), _first(typed, "only"), keys)


async def _zone(visit: Visit, cohort: str) -> str:
    async with visit.database.session() as session:
        return (await known_cohort(session, cohort)).zone


def _words_of(text: str) -> Markup:
    """What was written, as the mail shows it. Markup of ours: no HTML of a person, and no image."""
    return Markup(render(text, below=2).html)


def _first(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[0]
