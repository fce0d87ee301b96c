"""Matching: the board with what every other pair would cost, the versions of the draft, and publishing.

Shows names to coordinators of the cohort. A pair is locked or banned in one step, which makes a version and mails
nobody; publishing is shown first, and confirmed.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError

from operations.errors import NotFound, Refused
from operations.matching import publish
from operations.matching.matching_drafts import Review, change, review
from program.text import whole_number
from runtime.errors import Unreachable
from store.reports.status import names_of
from web.coordinator.visit import Visit

ID = re.compile(r"[\w.-]*\w")
"""What can be the id of a person in a text about them."""


async def board(request: Request, visit: Visit) -> Response:
    """GET: the pairs of the latest draft, or of `?version=`; with `?person=` what others for them would cost."""
    cohort = str(request.path_params["cohort"])
    version = request.query_params.get("version", "")
    try:
        looked = await review(visit.database, cohort, whole_number(version))
        person = request.query_params.get("person", "")[:100]
        others = await asyncio.to_thread(looked.result.others, looked.pool.known(person)) if person else ()
        found = await asyncio.to_thread(lambda: looked.result.board)
        deciders = await _deciders(visit, looked)
    except NotFound:
        return visit.message("no_matching", 404)
    except Refused as refused:
        return visit.message("not_matched", 409, why=str(refused))
    return visit.page(
        "matching.html",
        **_shown(cohort, looked),
        board=found,
        person=person,
        others=others,
        mentees=_mentees(looked),
        deciders=deciders,
        with_names=lambda text: ID.sub(lambda word: looked.pool.names.get(word[0], word[0]), text),
    )


def _shown(cohort: str, looked: Review) -> dict[str, Any]:
    return {
        "cohort": cohort,
        "call": looked.call,
        "names": looked.pool.names,
        "draft": looked.draft,
        "latest": looked.is_latest,
        "versions": looked.versions,
    }


async def _deciders(visit: Visit, looked: Review) -> dict[str, str]:
    """Id to name of those who made the versions."""
    wanted = list(dict.fromkeys(one.by for one in (*looked.versions, *([looked.draft] if looked.draft else []))))
    async with visit.database.session() as session:
        known = {person.id: person.name for person in await names_of(session, wanted)}
    return {id_: known.get(id_, id_) for id_ in wanted}


def _mentees(looked: Review) -> frozenset[str]:
    return frozenset(person.id for person in looked.pool.people if person.mentee)


async def act(request: Request, visit: Visit) -> Response:
    """POST: match again, or lock, unlock, ban or unban a pair. Makes the next version; mails nobody."""
    cohort = str(request.path_params["cohort"])
    typed = await visit.typed(request)
    chosen, _, pair = (typed.get("act") or [""])[0].partition(" ")
    mentor, _, mentee = pair.partition(":")
    seen = (typed.get("version") or [""])[0]
    try:
        await change(
            visit.database,
            cohort,
            chosen,
            (mentor, mentee) if mentor and mentee else None,
            whole_number(seen),
            visit.now,
            by=visit.account.id,
            proof=visit.proof,
        )
    except NotFound:
        return visit.message("no_matching", 404)
    except Refused as refused:
        return visit.message("not_matched", 409, why=str(refused))
    visit.noted.append(f"matching {chosen}")
    return visit.to(f"/c/cohorts/{cohort}/matching")


async def publishing(request: Request, visit: Visit) -> Response:
    """GET: what publishing would do; POST: do it, if the draft is still the one that was shown."""
    cohort = str(request.path_params["cohort"])
    posted = request.method == "POST"
    typed = await visit.typed(request) if posted else {}
    try:
        looked = await review(visit.database, cohort)
        if looked.draft is None:
            return visit.message("no_draft", 409)
        made = await publish.draft(visit.database, cohort, pairs=[*looked.result.ids])
        if not posted:
            return visit.page("matching_publish.html", **_shown(cohort, looked), made=made)
        if (typed.get("version") or [""])[0] != str(looked.draft.version):
            return visit.message("not_matched", 409, why=visit.words.plain("matching.changed"))
        why = (typed.get("why") or [""])[0][:2000]
        await publish.publish(
            visit.database, visit.client, visit.settings, made, visit.now, by=visit.account.id, why=why,
            proof=visit.proof,
        )  # fmt: skip
    except NotFound:
        return visit.message("no_matching", 404)
    except Refused as refused:
        return visit.message("not_matched", 409, why=str(refused))
    except (RPCError, Unreachable):
        visit.noted.append("publish")
        return visit.message("published_later", 202)
    visit.noted.append("publish")
    return visit.to(f"/c/cohorts/{cohort}")
