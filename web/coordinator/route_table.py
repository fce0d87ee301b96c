"""Every page of the coordinators' web: its path, its methods, and the roles that may open it.

A route that is not here does not exist, and a role that is not named may not open it. A path with `{cohort}` or
`{task}` asks for the role in that very cohort; one with `{person}` in a cohort of that person; any other asks for
the role in any cohort, and its page shows no other cohort than those of the account. `docs/reference.md` has the
table, written by `tools.scripts.reference`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from operations.accounts.accounts import Role
from web.coordinator import acts, plans
from web.coordinator.acts import ACTORS
from web.coordinator.pages import (
    applicant,
    audit_page,
    cohort_file,
    cohorts,
    giving_back,
    installation,
    matching,
    matching_pool,
    mentorships,
    people,
    report,
    search,
    tasks,
    today,
    wording,
    written,
)
from web.coordinator.signing_in import openid, own_sessions, proxy_header, sign_in
from web.coordinator.visit import Visit

Handler = Callable[[Request, Visit], Awaitable[Response]]

ANYBODY: tuple[Role, ...] = ()
"""No role is needed: the pages by which somebody signs in."""
EVERYBODY: tuple[Role, ...] = ("reader", "coordinator", "deputy", "administrator")
"""Everybody who is signed in."""
COORDINATORS: tuple[Role, ...] = ("coordinator", "deputy")
"""Those who see answers and decide."""
ADMINISTRATORS: tuple[Role, ...] = ("administrator",)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table."""

    path: str
    """Below the root of the pages; ids only."""
    name: str
    """Stands in the log for the path. The words `navigation.<name>` make it an entry of the navigation."""
    methods: tuple[str, ...]
    roles: tuple[Role, ...]
    fresh: bool
    """Whether it asks for a sign-in that is not older than 30 minutes."""
    handler: Handler
    drafts: bool = False
    """Whether it is open as well to those who have written the file of a cohort that is not launched, and to the
    coordinators and deputies whom it names."""


ROUTES: tuple[Route, ...] = (
    Route("/c", "start", ("GET",), ANYBODY, False, today.start),
    Route("/c/", "today", ("GET",), EVERYBODY, False, today.today),
    Route("/c/cohorts", "cohorts", ("GET",), EVERYBODY, False, cohorts.listed),
    Route("/c/cohorts/new", "new_cohort", ("GET",), ACTORS, False, cohort_file.new),
    Route("/c/cohorts/new", "begin_file", ("POST",), ACTORS, False, cohort_file.begin),
    Route("/c/cohorts/{cohort}/file", "cohort_file", ("GET",), ACTORS, False, cohort_file.shown, True),
    Route("/c/cohorts/{cohort}/file", "save_file", ("POST",), ACTORS, False, cohort_file.save, True),
    Route("/c/cohorts/{cohort}/file/download", "download_file", ("GET",), ACTORS, True, cohort_file.download, True),
    Route("/c/cohorts/{cohort}/file/plan", "file_plan", ("GET",), ACTORS, False, cohort_file.plan_page, True),
    Route("/c/cohorts/{cohort}/file/rehearsal", "rehearsal", ("GET",), ACTORS, False, cohort_file.rehearsal, True),
    Route("/c/cohorts/{cohort}/file/launch", "file_launch", ("GET",), ACTORS, False, cohort_file.launch_page, True),
    Route("/c/cohorts/{cohort}/wording", "wording", ("GET",), ACTORS, False, wording.overview, True),
    Route("/c/cohorts/{cohort}/wording/mail", "wording_mail", ("GET",), ACTORS, False, wording.mail_body, True),
    Route("/c/cohorts/{cohort}/wording/{kind}/{name}", "wording_text", ("GET",), ACTORS, False, wording.text, True),
    Route("/c/cohorts/{cohort}/wording/{kind}/{name}", "save_wording", ("POST",), ACTORS, False, wording.save, True),
    Route("/c/cohorts/{cohort}/file/launch", "launch", ("POST",), ACTORS, False, cohort_file.launch, True),
    Route("/c/cohorts/{cohort}", "cohort", ("GET",), EVERYBODY, False, cohorts.cohort),
    Route("/c/cohorts/{cohort}", "search_list", ("POST",), EVERYBODY, False, cohorts.search),
    Route("/c/cohorts/{cohort}/list.csv", "list_csv", ("GET",), EVERYBODY, True, cohorts.csv),
    Route("/c/cohorts/{cohort}/list.xlsx", "list_xlsx", ("GET",), EVERYBODY, True, cohorts.xlsx),
    Route("/c/cohorts/{cohort}/act", "choose_act", ("GET",), ACTORS, False, acts.choose),
    Route("/c/cohorts/{cohort}/act", "plan_act", ("POST",), ACTORS, False, acts.chosen),
    Route("/c/cohorts/{cohort}/cancel", "choose_cancel", ("GET",), ACTORS, True, acts.cohort_form),
    Route("/c/cohorts/{cohort}/cancel", "plan_cancel", ("POST",), ACTORS, True, acts.cohort_form),
    Route("/c/cohorts/{cohort}/reword", "choose_reword", ("GET",), ACTORS, False, acts.cohort_form),
    Route("/c/cohorts/{cohort}/reword", "plan_reword", ("POST",), ACTORS, False, acts.cohort_form),
    Route("/c/people/{person}/correct", "choose_correct", ("GET",), ACTORS, False, acts.person_form),
    Route("/c/people/{person}/correct", "plan_correct", ("POST",), ACTORS, False, acts.person_form),
    Route("/c/people/{person}/send-link", "choose_link", ("GET",), ACTORS, False, acts.person_form),
    Route("/c/people/{person}/send-link", "plan_link", ("POST",), ACTORS, False, acts.person_form),
    Route("/c/people/{person}/erase", "choose_erase", ("GET",), ACTORS, True, acts.person_form),
    Route("/c/people/{person}/erase", "plan_erase", ("POST",), ACTORS, True, acts.person_form),
    Route("/c/plans/{plan}", "plan", ("GET",), ACTORS, False, plans.show),
    Route("/c/plans/{plan}", "confirm_plan", ("POST",), ACTORS, False, plans.confirm),
    Route("/c/plans/{plan}/again", "plan_again", ("POST",), ACTORS, False, plans.again),
    Route("/c/plans/{plan}/result", "plan_result", ("GET",), ACTORS, False, plans.result),
    Route("/c/audit", "audit", ("GET",), ACTORS, False, audit_page.listed),
    Route("/c/audit/list.csv", "audit_csv", ("GET",), ACTORS, True, audit_page.taken),
    Route("/c/audit/list.xlsx", "audit_xlsx", ("GET",), ACTORS, True, audit_page.taken),
    Route("/c/cohorts/{cohort}/report", "report", ("GET",), EVERYBODY, False, report.shown),
    Route("/c/cohorts/{cohort}/giving-back", "giving_back", ("GET",), COORDINATORS, False, giving_back.shown),
    Route("/c/cohorts/{cohort}/giving-back", "invite_again", ("POST",), COORDINATORS, False, giving_back.invite),
    Route("/c/cohorts/{cohort}/report/{kind}", "report_file", ("GET",), EVERYBODY, False, report.taken),
    Route("/c/cohorts/{cohort}/matching", "matching_board", ("GET",), COORDINATORS, False, matching.board),
    Route("/c/cohorts/{cohort}/matching", "change_matching", ("POST",), COORDINATORS, False, matching.act),
    Route("/c/cohorts/{cohort}/matching/pool", "matching_pool", ("GET",), COORDINATORS, False, matching_pool.pool),
    Route("/c/cohorts/{cohort}/matching/pool", "search_pool", ("POST",), COORDINATORS, False, matching_pool.search),
    Route("/c/cohorts/{cohort}/matching/pool.csv", "pool_csv", ("GET",), COORDINATORS, True, matching_pool.taken),
    Route("/c/cohorts/{cohort}/matching/pool.xlsx", "pool_xlsx", ("GET",), COORDINATORS, True, matching_pool.taken),
    Route("/c/cohorts/{cohort}/matching/pool/{person}", "application", ("GET",), COORDINATORS, False, applicant.page),
    Route(
        "/c/cohorts/{cohort}/matching/pool/{person}",
        "change_application",
        ("POST",),
        COORDINATORS,
        False,
        applicant.act,
    ),
    Route(
        "/c/cohorts/{cohort}/matching/publish", "show_publishing", ("GET",), COORDINATORS, True, matching.publishing
    ),
    Route("/c/cohorts/{cohort}/matching/publish", "publish", ("POST",), COORDINATORS, True, matching.publishing),
    Route("/c/tasks/{task}", "task", ("GET",), COORDINATORS, False, tasks.page),
    Route("/c/tasks/{task}", "decide", ("POST",), COORDINATORS, False, tasks.act),
    Route("/c/cohorts/{cohort}/mentorships/{key}", "mentorship", ("GET",), EVERYBODY, False, mentorships.page),
    Route("/c/cohorts/{cohort}/mentorships/{key}", "note", ("POST",), COORDINATORS, False, mentorships.note),
    Route(
        "/c/cohorts/{cohort}/mentorships/{key}/mails/{mail}", "mail", ("GET",), COORDINATORS, False, mentorships.mail
    ),
    Route(
        "/c/cohorts/{cohort}/mentorships/{key}/mails/{mail}/body",
        "mail_body",
        ("GET",),
        COORDINATORS,
        False,
        mentorships.mail_body,
    ),
    Route("/c/people/{person}", "person", ("GET",), COORDINATORS, False, people.page),
    Route("/c/people/{person}/data", "personal_data", ("GET",), COORDINATORS, True, people.data),
    Route("/c/search", "search", ("GET",), EVERYBODY, False, search.form),
    Route("/c/search", "search_for", ("POST",), EVERYBODY, False, search.search),
    Route("/c/installation", "installation", ("GET",), ADMINISTRATORS, False, installation.show),
    Route("/c/messages", "messages", ("GET",), COORDINATORS, False, written.everywhere),
    Route("/c/cohorts/{cohort}/messages", "written", ("GET",), COORDINATORS, False, written.listed),
    Route("/c/cohorts/{cohort}/messages/new", "write_message", ("GET",), COORDINATORS, False, written.write),
    Route("/c/cohorts/{cohort}/messages/new", "keep_message", ("POST",), COORDINATORS, False, written.write),
    Route("/c/cohorts/{cohort}/messages/{message}", "message", ("GET",), COORDINATORS, False, written.shown),
    Route("/c/cohorts/{cohort}/messages/{message}", "send_message", ("POST",), COORDINATORS, False, written.send),
    Route(
        "/c/cohorts/{cohort}/messages/{message}/as/{reader}",
        "message_body",
        ("GET",),
        COORDINATORS,
        False,
        written.body,
    ),
    Route("/c/cohorts/{cohort}/messages/{message}/edit", "edit_message", ("GET",), COORDINATORS, False, written.edit),
    Route(
        "/c/cohorts/{cohort}/messages/{message}/edit", "change_message", ("POST",), COORDINATORS, False, written.edit
    ),
    Route(
        "/c/cohorts/{cohort}/messages/{message}/discard",
        "discard_message",
        ("POST",),
        COORDINATORS,
        False,
        written.discard,
    ),
    Route("/c/sessions", "sessions", ("GET",), EVERYBODY, False, own_sessions.listed),
    Route("/c/sessions", "end_session", ("POST",), EVERYBODY, False, own_sessions.end),
    Route("/c/sign-out", "sign_out", ("POST",), ANYBODY, False, sign_in.sign_out),
    Route("/c/sign-in", "sign_in", ("GET",), ANYBODY, False, sign_in.form),
    Route("/c/sign-in", "ask_for_link", ("POST",), ANYBODY, False, sign_in.ask),
    Route("/c/sign-in/header", "sign_in_by_header", ("POST",), ANYBODY, False, proxy_header.begin),
    Route("/c/sign-in/openid", "sign_in_by_openid", ("GET",), ANYBODY, False, openid.begin),
    Route("/c/sign-in/openid/back", "back_from_openid", ("GET",), ANYBODY, False, openid.back),
    Route("/c/sign-in/code", "code", ("GET",), ANYBODY, False, sign_in.code_form),
    Route("/c/sign-in/code", "use_code", ("POST",), ANYBODY, False, sign_in.use_code),
    Route("/c/sign-in/link/{token}", "link", ("GET",), ANYBODY, False, sign_in.link),
    Route("/c/sign-in/link/{token}", "use_link", ("POST",), ANYBODY, False, sign_in.use_link),
)
"""Sorted by what they are about. Add a page here, its handler in a module of its own beside this one."""

NAVIGATION = (
    "today",
    "cohorts",
    "new_cohort",
    "messages",
    "matching",
    "report",
    "search",
    "audit",
    "installation",
)
"""Names of GET routes without an id that stand in the navigation, in this order, where they exist."""
