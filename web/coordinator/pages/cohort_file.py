"""The file of a cohort: begin one, edit or upload it, see its faults, its plan and its rehearsal, and launch it.

Every text that is saved is a version. What is launched is what was shown: the confirmation carries the mark of it. No
page writes a row itself, and none lets a text reach a log.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError

from operations.cohorts import files
from operations.cohorts.checked_again import check_again
from operations.cohorts.files import CheckedFile, CohortTexts, FileVersion, Part, PartFault
from operations.cohorts.launch import Launch
from operations.cohorts.load import Faults, Loaded
from operations.cohorts.plan import plan
from operations.cohorts.rehearse import Rehearsed, rehearse
from operations.errors import NotFound
from program.limits import FILE_BODY_BYTES
from program.text import whole_number
from runtime.errors import ExpectedError
from store.cohorts import files as stored
from store.cohorts.cohorts import KnownOtherwise
from store.reports.status import names_of
from web.coordinator.season_chart import chart_of
from web.coordinator.visit import Visit

EDITED: tuple[Part, ...] = ("file", "people", "pairs")
LARGE = 60_000
"""Characters of a version that are put into fields to edit; a part for which there is no room is replaced by an
upload."""
MOST_PLANNED = 100
"""Mentorships whose plan is shown; of a larger cohort, of the first."""
MARKED = 3_000
"""Lines of a text that are shown with their faults."""
MARKED_CHARACTERS = 200_000
"""Of these lines together, at most."""
ROLES = ("coordinators", "deputies", "readers")
"""Keys of a cohort's file that give somebody a role."""
SHOWN_MAILS = 200
SHOWN_FAULTS = 100
"""Faults, and as many warnings, that are listed and marked."""
MOST_REHEARSED = 400
"""Mentorships that are rehearsed while somebody waits."""


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line of a text with what is wrong in it."""

    number: int
    text: str
    faults: tuple[PartFault, ...]


# -- beginning -------------------------------------------------------------------------------------------------------


async def new(_: Request, visit: Visit, refused: str = "", typed: str = "") -> Response:
    """GET: begin the file of a new cohort, or go on with one that is not launched."""
    account = visit.account
    async with visit.database.session() as session:
        drafts = await stored.drafts_of(session, account.id, account.person)
    like = sorted(account.cohorts("coordinator", "deputy"))
    return visit.page(
        "new_cohort.html", 422 if refused else 200, drafts=drafts, like=like, refused=refused, typed=typed
    )


async def begin(request: Request, visit: Visit) -> Response:
    """POST: the first version of a new cohort's file."""
    typed = await visit.typed(request)
    cohort, like = (typed.get("cohort") or [""])[0].strip(), (typed.get("like") or [""])[0]
    account = visit.account
    try:
        await files.begin(
            visit.database, cohort, like, visit.now, by=account.id, proof=visit.proof,
            may_read=account.cohorts("coordinator", "deputy"),
        )  # fmt: skip
    except ExpectedError as refused:
        return await new(request, visit, str(refused), cohort)
    await visit.record("begin_file", cohort=cohort, result="done")
    return visit.to(f"/c/cohorts/{cohort}/file")


# -- reading and saving ----------------------------------------------------------------------------------------------


async def shown(request: Request, visit: Visit) -> Response:
    """GET: a version with its faults, and what can be done with it."""
    cohort = request.path_params["cohort"]
    kept = await _versions(visit, cohort)
    version = _chosen(request, kept)
    if version is None:
        return visit.page("cohort_file.html", cohort=cohort, version=None, kept=(), runs=True, names={})
    return await _page(visit, cohort, kept, version, meanwhile="meanwhile" in request.query_params)


async def save(request: Request, visit: Visit) -> Response:
    """POST: keep what was typed or uploaded as the next version."""
    cohort = request.path_params["cohort"]
    kept = await _versions(visit, cohort)
    try:
        texts, based_on = await _sent(request, visit, cohort)
    except Faults as found:
        faults = [PartFault("other", one.line, one.column, one.problem, one.remedy, one.file) for one in found.faults]
        if kept:
            return await _page(visit, cohort, kept, kept[0], unread=faults, status=422)
        return visit.message("no_file", 422)
    number = await files.save(visit.database, cohort, texts, visit.now, by=visit.account.id, proof=visit.proof)
    await visit.record("save_file", cohort=cohort, ids=(str(number),), result="done")
    overtaken = "&meanwhile=1" if kept and kept[0].version not in (based_on, number) else ""
    return visit.to(f"/c/cohorts/{cohort}/file?version={number}{overtaken}")


async def _sent(request: Request, visit: Visit, cohort: str) -> tuple[CohortTexts, int]:
    """The texts that a form holds, and the version that they are based on. Raises Faults."""
    async with request.form(max_files=3, max_fields=8, max_part_size=FILE_BODY_BYTES) as form:
        based_on = whole_number(str(form.get("based_on", "")), 8)
        async with visit.database.session() as session:
            texts = await stored.texts_of(session, cohort, based_on) or CohortTexts("")
        for part in EDITED:
            typed, upload = form.get(part), form.get(f"{part}_upload")
            if isinstance(upload, UploadFile) and upload.filename:
                texts = replace(texts, **{part: files.text_in(await upload.read(), part)})
            elif isinstance(typed, str):
                texts = replace(texts, **{part: files.kept_text(typed.replace("\r\n", "\n"), part)})
    return texts, based_on


async def _page(
    visit: Visit,
    cohort: str,
    kept: list[FileVersion],
    version: FileVersion,
    *,
    unread: list[PartFault] | None = None,
    meanwhile: bool = False,
    status: int = 200,
) -> Response:
    texts = await files.known_version(visit.database, cohort, version.version)
    runs = await files.runs(visit.database, cohort)
    checked = await _checked(visit, cohort, texts, runs=runs)
    async with visit.database.session() as session:
        names = {person.id: person.name for person in await names_of(session, [each.by for each in kept])}
    return visit.page(
        "cohort_file.html",
        status,
        cohort=cohort,
        version=version,
        kept=kept,
        runs=runs,
        names=names,
        meanwhile=meanwhile,
        texts={part: getattr(texts, part) for part in EDITED},
        large=_large(texts),
        lines={part: getattr(texts, part).count("\n") for part in EDITED},
        checked=checked,
        shown_faults=SHOWN_FAULTS,
        marked={part: _marked(getattr(texts, part), part, checked.faults[:SHOWN_FAULTS]) for part in EDITED},
        unread=unread or [],
    )


def _large(texts: CohortTexts) -> dict[Part, bool]:
    """Part to whether there is no room to edit it; the cohort's file comes first."""
    room, large = LARGE, dict[Part, bool]()
    for part in EDITED:
        size = len(getattr(texts, part))
        large[part] = size > room
        room -= 0 if large[part] else size
    return large


def _marked(text: str, part: Part, faults: Sequence[PartFault]) -> list[MarkedLine]:
    """The lines of a text with its faults; none where it has none."""
    by_line: dict[int, list[PartFault]] = {}
    for fault in faults:
        if fault.part == part:
            by_line.setdefault(fault.line, []).append(fault)
    if not by_line:
        return []
    lines = text[:MARKED_CHARACTERS].splitlines()[:MARKED]
    return [MarkedLine(number, line, tuple(by_line.get(number, ()))) for number, line in enumerate(lines, 1)]


async def download(request: Request, visit: Visit) -> Response:
    """GET: a version as it would lie on disk: the file, or with tables a ZIP."""
    cohort = request.path_params["cohort"]
    version = _chosen(request, await _versions(visit, cohort))
    if version is None:
        return visit.message("no_file", 404)
    texts = await files.known_version(visit.database, cohort, version.version)
    await visit.record("download_file", cohort=cohort, ids=(str(version.version),), result="done")
    if not (texts.people or texts.pairs or texts.wording):
        return _attachment(texts.file.encode(), f"{cohort}.yaml", "application/yaml")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr(f"{cohort}.yaml", texts.file)
        for name, text in files.tables_of(texts).items():
            folder.writestr(name, text)
    return _attachment(packed.getvalue(), f"{cohort}.zip", "application/zip")


def _attachment(content: bytes, name: str, media: str) -> Response:
    return Response(content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


# -- looking ahead ---------------------------------------------------------------------------------------------------


async def plan_page(request: Request, visit: Visit) -> Response:
    """GET: who gets what and when, if this version were launched now."""
    cohort, version, loaded = await _faultless(request, visit)
    if loaded is None or version is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    mentorships = loaded.cohort.mentorships
    first = replace(loaded, cohort=loaded.cohort.model_copy(update={"mentorships": mentorships[:MOST_PLANNED]}))
    planned = await asyncio.to_thread(plan, first, visit.now)
    return visit.page(
        "cohort_plan.html", cohort=cohort, version=version, plan=planned, mails=planned.mails[:SHOWN_MAILS],
        planned=len(first.cohort.mentorships), all=len(mentorships),
    )  # fmt: skip


async def rehearsal(request: Request, visit: Visit) -> Response:
    """GET: a season with simulated people; with `download`, the page that the command line writes."""
    cohort, version, loaded = await _faultless(request, visit)
    if loaded is None or version is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    if len(loaded.cohort.mentorships) > MOST_REHEARSED:
        return visit.message("too_many_to_rehearse", 200, n=MOST_REHEARSED)
    rehearsed: Rehearsed = await asyncio.to_thread(lambda: rehearse(loaded, now=visit.now))
    if "download" in request.query_params:
        await visit.record("download_rehearsal", cohort=cohort, ids=(str(version.version),), result="done")
        return _attachment(rehearsed.html().encode(), f"{cohort}-season.html", "text/html; charset=utf-8")
    return visit.page(
        "cohort_rehearsal.html", cohort=cohort, version=version, report=rehearsed.report,
        chart=chart_of(rehearsed.report),
    )  # fmt: skip


# -- launching -------------------------------------------------------------------------------------------------------


async def launch_page(request: Request, visit: Visit) -> Response:
    """GET: what launching this version comes to. Nothing is done by it."""
    cohort, version, loaded = await _faultless(request, visit)
    if loaded is None or version is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    return await _launch_seen(visit, cohort, version, loaded, end_missing="end_missing" in request.query_params)


async def launch(request: Request, visit: Visit) -> Response:
    """POST: launch it, as it was shown."""
    typed = {name: values[0] for name, values in (await visit.typed(request)).items() if values}
    cohort, version, loaded = await _faultless(request, visit, typed)
    if loaded is None or version is None:
        return visit.to(f"/c/cohorts/{cohort}/file")
    end_missing = typed.get("end_missing") == "1"
    try:
        if visit.client is None:
            return visit.message("not_reached", 503)
        seen = await files.see(
            visit.database, visit.client, loaded, visit.now, by=visit.account.id, end_missing=end_missing
        )
        if _changes_roles(loaded, seen.launch) and not visit.fresh:
            return visit.ask_fresh()
        keys = [*seen.launch.compared.new, *(change.mentorship for change in seen.launch.possible)]
        entry = visit.entry(
            "launch", cohort=cohort, ids=tuple(f"{cohort}/{key}" for key in keys), reason=typed.get("why", "")
        )
        results = await files.confirm(
            visit.database, visit.client, visit.settings, version, seen, typed.get("mark", ""), visit.now,
            entry=entry, why=typed.get("why", ""),
        )  # fmt: skip
    except RPCError:
        return visit.message("not_reached", 503)
    except (ExpectedError, KnownOtherwise) as refused:
        visit.noted.clear()  # nothing was done: the gate writes that it was refused
        return await _launch_seen(
            visit, cohort, version, loaded, end_missing=end_missing, refused=str(refused), status=409
        )
    return visit.page("cohort_launched.html", cohort=cohort, version=version, launch=seen.launch, results=results)


def _changes_roles(loaded: Loaded, launch: Launch) -> bool:
    """Whether it changes who has a role in a cohort that runs, or the address to which their sign-in goes."""
    staff = {person.id for role in ROLES for person in getattr(loaded.cohort, role)}
    return any(
        one.field in ROLES if one.kind == "cohort" else one.field == "email" and one.id in staff
        for one in launch.taken_over
    )


async def _launch_seen(
    visit: Visit,
    cohort: str,
    version: FileVersion,
    loaded: Loaded,
    *,
    end_missing: bool,
    refused: str = "",
    status: int = 200,
) -> Response:
    context: dict[str, Any] = {"cohort": cohort, "version": version, "loaded": loaded, "end_missing": end_missing}
    try:
        if visit.client is None:
            return visit.message("not_reached", 503)
        seen = await files.see(
            visit.database, visit.client, loaded, visit.now, by=visit.account.id, end_missing=end_missing
        )
    except RPCError:
        return visit.message("not_reached", 503)
    except (ExpectedError, KnownOtherwise) as impossible:
        return visit.page("cohort_launch.html", 409, seen=None, refused=str(impossible), **context)
    return visit.page("cohort_launch.html", status, seen=seen, refused=refused, **context)


# -- parts -----------------------------------------------------------------------------------------------------------


async def _versions(visit: Visit, cohort: str) -> list[FileVersion]:
    async with visit.database.session() as session:
        return await stored.versions(session, cohort)


def _chosen(request: Request, kept: list[FileVersion], typed: Mapping[str, str] | None = None) -> FileVersion | None:
    asked = whole_number((typed or request.query_params).get("version", ""), 8)
    return next((each for each in kept if each.version == asked), kept[0] if kept else None)


async def _checked(visit: Visit, cohort: str, texts: CohortTexts, *, runs: bool) -> CheckedFile:
    return await asyncio.to_thread(check_again, texts, cohort, visit.now, visit.settings, runs=runs)


async def _faultless(
    request: Request, visit: Visit, typed: Mapping[str, str] | None = None
) -> tuple[str, FileVersion | None, Loaded | None]:
    """The cohort, the version that is asked for, and what it says; None where it has faults or there is none."""
    cohort = request.path_params["cohort"]
    version = _chosen(request, await _versions(visit, cohort), typed)
    if version is None:
        return cohort, None, None
    try:
        texts = await files.known_version(visit.database, cohort, version.version)
    except NotFound:
        return cohort, None, None
    checked = await _checked(visit, cohort, texts, runs=await files.runs(visit.database, cohort))
    return cohort, version, checked.loaded
