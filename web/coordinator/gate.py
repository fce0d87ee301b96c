"""Stands before every page of the coordinators' web: nobody reaches a handler whom the route table does not let in.

It refuses in words that say what to do, and what is refused changes nothing. It says the same whether or not a cohort
exists, and its log holds no path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as StarletteRoute

from operations.accounts.accounts import Account
from operations.errors import NotFound
from store.accounts import accounts
from store.cohorts import files
from web.coordinator.route_table import NAVIGATION, ROUTES, Route
from web.coordinator.signing_in.cookies import session_cookie
from web.coordinator.signing_in.proxy_header import still_vouched
from web.coordinator.signing_in.sign_in import sign_in_path
from web.coordinator.visit import NavigationEntry, Site, Visit

READING = ("GET", "HEAD")
"""Methods that change nothing."""


def routes_of(site: Site, table: Sequence[Route] = ROUTES) -> list[StarletteRoute]:
    """The routes of an application, each behind the gate."""
    return [StarletteRoute(route.path, _endpoint(site, route), methods=list(route.methods)) for route in table]


def navigation_of(account: Account | None, root: str) -> tuple[NavigationEntry, ...]:
    """The pages of the navigation that an account may open."""
    by_name = {route.name: route for route in ROUTES if "GET" in route.methods and "{" not in route.path}
    return tuple(
        NavigationEntry(name, f"{root}{by_name[name].path}")
        for name in NAVIGATION
        if name in by_name and account is not None and account.may(by_name[name].roles)
    )


def _endpoint(site: Site, route: Route) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        visit = await _visit(site, request, route.name)
        response = await _answer(request, visit, route)
        if request.method not in READING and not visit.noted:
            await visit.record(route.name, **_concerned(request), result=_result(response))
        return response

    endpoint.__name__ = f"c_{route.name}"  # stands in the log
    return endpoint


async def nothing_here(site: Site, request: Request, status: int) -> Response:
    """The page of an address below `/c/` that no route has."""
    visit = await _visit(site, request, "")
    return visit.message("nothing_here", status)


async def _visit(site: Site, request: Request, route: str) -> Visit:
    account = await site.sign_in.account(session_cookie(request, site.settings), site.real_now())
    if account is not None and account.proof == "proxy_header":
        vouched = still_vouched(request, site.settings, site.sign_in, account.mark)
        account = account if vouched else None
    return Visit(
        site=site,
        path=f"{site.pages.root}{request.url.path}",
        route=route,
        signed_in=account,
        navigation=navigation_of(account, site.pages.root),
        now=site.clock_now(),
    )


async def _answer(request: Request, visit: Visit, route: Route) -> Response:
    """The page, or what stands in its way."""
    if route.roles:
        if visit.signed_in is None:
            if request.method in READING:
                return RedirectResponse(sign_in_path(visit, quote(request.url.path)), 303)
            return visit.page("signed_out.html", 401, next=sign_in_path(visit, "/c/"))
        if not await _is_let_in(visit, visit.signed_in, route, request.path_params):
            return visit.message("not_yours", 403)
        if route.fresh and not visit.fresh:
            return visit.ask_fresh()
    try:
        return await route.handler(request, visit)
    except NotFound:  # no handler need answer by itself for what is not there
        return visit.message(_missing(request.path_params), 404)


def _missing(parameters: dict[str, Any]) -> str:
    """The words for what is not there: those about what the path names last, where there are such."""
    *_, last = (*parameters, "")
    return f"no_{last}" if last in ("cohort", "message", "task") else "nothing_here"


def _concerned(request: Request) -> dict[str, Any]:
    """The cohort and the ids in a path, for the audit log. A token is neither."""
    parameters = {name: str(value) for name, value in request.path_params.items() if name != "token"}
    return {"cohort": parameters.pop("cohort", ""), "ids": tuple(parameters.values())}


def _result(response: Response) -> str:
    if response.status_code < 400:
        return "done"
    return "signed out" if response.status_code == 401 else "refused"


async def _is_let_in(visit: Visit, account: Account, route: Route, parameters: dict[str, Any]) -> bool:
    if cohort := parameters.get("cohort"):
        return account.may(route.roles, cohort) or (route.drafts and await _drafts(visit, account, route, cohort))
    if task := parameters.get("task"):
        async with visit.database.session() as session:
            cohort = await accounts.cohort_of_task(session, task)
        return bool(cohort) and account.may(route.roles, cohort)
    if person := parameters.get("person"):
        if account.everywhere.intersection(route.roles):
            return True
        async with visit.database.session() as session:
            cohorts = await accounts.cohorts_of_person(session, person)
        return any(account.may(route.roles, cohort) for cohort in cohorts)
    return account.may(route.roles)


async def _drafts(visit: Visit, account: Account, route: Route, cohort: str) -> bool:
    """Whether this account, which has a role elsewhere, has written the file of a cohort that is not launched, or is
    named in it as a coordinator or deputy."""
    if not account.may(route.roles):
        return False
    async with visit.database.session() as session:
        return any(draft == cohort for draft, _ in await files.drafts_of(session, account.id, account.person))
