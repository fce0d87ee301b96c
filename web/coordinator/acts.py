"""Choosing an act: what it asks for, and about whom. What is chosen becomes a plan, shown before it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lifecycle.phases.closure import EARLY_REASONS
from operations import plans
from operations.accounts.accounts import Role
from operations.acts import ACTS, Act
from operations.errors import NotFound, Refused
from operations.forms.parse import Typed
from operations.plans import Choice
from operations.submissions import FIELD, mint
from operations.views import cohort as views
from store.reports import cohort_page
from store.reports.status import ListedPerson, names_of
from web.coordinator import searched
from web.coordinator.pages.cohorts import filters_in
from web.coordinator.visit import Visit

ACTORS: tuple[Role, ...] = ("coordinator", "deputy", "administrator")
"""Those who change what runs."""


OF_COHORT = {"cancel": "cancel-cohort", "reword": "reword"}
"""The last part of a path to the act about a whole cohort."""


@dataclass(frozen=True, slots=True)
class ActForm:
    """What the form of an act shows."""

    act: Act
    path: str
    """Where it is sent, below the root."""
    back: str
    title: str
    """Whom it is about, for people to read."""
    hidden: Sequence[tuple[str, str]] = ()
    """What is sent on unseen."""
    people: Sequence[ListedPerson] = ()
    """Those with a seat, where the act is about one of them."""
    options: Sequence[str] | None = None
    """The fields to show; None: all that the act has."""
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the fields hold at first."""


async def choose(request: Request, visit: Visit) -> Response:
    """GET: the form of an act about mentorships: `act`, and `key`s or `all` of a list. Nothing is changed."""
    return await _mentorships(request, visit, _query(request))


async def chosen(request: Request, visit: Visit) -> Response:
    """POST: the act becomes a plan."""
    return await _mentorships(request, visit, await visit.typed(request))


async def _mentorships(request: Request, visit: Visit, said: Typed) -> Response:
    cohort = request.path_params["cohort"]
    act = ACTS.get(_first(said, "act"))
    if act is None or act.subject != "mentorship":
        return visit.message("no_act", 404)
    hidden = [("act", act.name)]
    if wanted := _first(said, "all"):
        mark = _first(said, searched.MARK)
        filters = filters_in(searched.with_text(request, visit.settings, {name: _first(said, name) for name in said}))
        keys = await views.refs_of(visit.database, cohort, filters, account=visit.account.id)
        if views.digest_of(keys) != wanted:
            return visit.message("list_changed", 409)
        hidden += [("all", wanted), *searched.without_text(filters.given, mark).items()]
    else:
        keys = list(dict.fromkeys(said.get("key", [])))
        hidden += [("key", key) for key in keys]
    async with visit.database.session() as session:
        lines = await cohort_page.list_lines(session, cohort, keys[:3])
    if not keys or (not wanted and len(lines) < min(len(keys), 3)):
        return visit.message("nothing_selected", 400)
    if len(keys) > 1 and not act.many:
        return visit.message("one_at_a_time", 400)
    people = [person for person in lines[0].people if person.standing != "out"] if len(keys) == 1 else []
    named = [", ".join(person.name for person in line.people if person.standing != "out") for line in lines]
    form = ActForm(
        act,
        f"/c/cohorts/{cohort}/act",
        f"/c/cohorts/{cohort}/mentorships/{keys[0]}" if len(keys) == 1 else f"/c/cohorts/{cohort}",
        named[0] if len(keys) == 1 else visit.words.plain("act.many", n=len(keys)),
        hidden,
        people,
        [name for name in act.options if name != "person" or people],
        {"person": _first(said, "person")},
    )
    refs = [(cohort, key) for key in keys]
    return await _asked(request, visit, said, form, {"refs": refs, "cohort": cohort})


async def person_form(request: Request, visit: Visit) -> Response:
    """GET and POST: correct or erase a person, or send the link to their own page; the last part of the path says
    which."""
    person = request.path_params["person"]
    act = ACTS[request.url.path.rpartition("/")[2]]
    async with visit.database.session() as session:
        found = await names_of(session, [person])
    if not found:
        return visit.message("no_person", 404)
    said = await visit.typed(request) if request.method == "POST" else _query(request)
    path = f"/c/people/{person}"
    form = ActForm(act, f"{path}/{act.name}", path, found[0].name)
    return await _asked(request, visit, said, form, {"subject": person})


async def cohort_form(request: Request, visit: Visit) -> Response:
    """GET and POST: cancel a whole cohort, or word its mails in another way; the last part of the path says which."""
    cohort = request.path_params["cohort"]
    async with visit.database.session() as session:
        facts = await cohort_page.cohort(session, cohort)
    if facts is None:
        return visit.message("no_cohort", 404)
    said = await visit.typed(request) if request.method == "POST" else _query(request)
    path = f"/c/cohorts/{cohort}"
    name = request.url.path.rpartition("/")[2]
    form = ActForm(ACTS[OF_COHORT[name]], f"{path}/{name}", path, facts.title)
    if name == "reword":
        form = replace(form, back=f"{path}/wording", known={"version": _first(said, "version")})
    return await _asked(request, visit, said, form, {"subject": cohort, "cohort": cohort})


async def _asked(request: Request, visit: Visit, said: Typed, form: ActForm, about: Mapping[str, Any]) -> Response:
    """The form; or, where it was sent, the plan that is made of it, or the form again with what is wrong."""
    given = {name: _first(said, name) for name in form.act.options}
    if request.method != "POST":
        return _form(visit, form, {**given, **form.known}, mint())
    choice = Choice(form.act.name, given, why=_first(said, "why")[:2000], submission=_first(said, FIELD), **about)
    account = visit.account
    try:
        plan = await plans.freeze(
            visit.database, visit.settings, choice, visit.now, by=account.id, proof=account.proof
        )
    except (Refused, NotFound) as refused:
        values = given | {"why": _first(said, "why")}
        return _form(visit, form, values, mint(), str(refused), 422)
    await visit.record(
        f"plan {form.act.name}", cohort=plan.cohort, plan=plan.id, reason=plan.why, result="done", count=plan.count
    )
    return visit.to(f"/c/plans/{plan.id}")


def _form(
    visit: Visit, form: ActForm, given: Mapping[str, str], submission: str, problem: str = "", status: int = 200
) -> Response:
    options = form.options if form.options is not None else form.act.options
    return visit.page(
        "act.html",
        status,
        form=form,
        options=options,
        given={"why": "", **dict.fromkeys(form.act.options, ""), **given},
        submission=submission,
        problem=problem,
        reasons=EARLY_REASONS,
    )


def _query(request: Request) -> Typed:
    typed: Typed = {}
    for name, value in request.query_params.multi_items():
        typed.setdefault(name, []).append(value)
    return typed


def _first(said: Typed, name: str) -> str:
    return (said.get(name) or [""])[0]
