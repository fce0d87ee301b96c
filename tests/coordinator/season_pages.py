"""Every page of the coordinators' web on a season that was played: what must be there first, and its path.

A page that is not here is missing in `PATHS`: the test that uses it compares with the route table.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx

from operations import plans
from operations.applications.apply import apply, confirm
from operations.plans import Choice
from store.people import applications
from testing.cohorts.all_cases import POST
from testing.environments.coordinator_env import signed_in
from testing.environments.engine import Engine
from testing.environments.open_call import open_call_of, typed_application
from testing.environments.web_env import WebEnv
from testing.environments.web_env import hidden as fields_of
from testing.seasons.waiting_tasks import COORDINATOR, NAME, WAITING
from tests.coordinator.test_reading import key_of, page_of, path_of

COHORT = f"/c/cohorts/{NAME}"
FILE = "/c/cohorts/winter"
"""A cohort that is not launched."""
TEXT = """\
cohort: {cohort}
title: Mentoring across the departments, winter
program: formal
start: {start}
zone: Europe/Berlin
coordinators:
  - {{id: c1, name: Cora Quillfeather, email: c1@{post}}}
participants:
  - {{id: w1, name: Zoë Müller, email: zoe@quillfeather.example}}
  - {{id: w2, name: Jo Öz, email: jo@quillfeather.example}}
mentorships:
  - {{key: m1, mentor: w1, mentees: [w2]}}
"""
CALM, GROUP = (NAME, "D-open"), (NAME, "in-a-group")
CHOICES = (
    Choice("extend", {"weeks": "2"}, [CALM, GROUP], why="They began late."),
    Choice("pause", {"until": "3w", "tell": "yes"}, [CALM, GROUP]),
    Choice("nudge", {}, [CALM]),
    Choice("end", {"reason": "no_fault"}, [CALM]),
    Choice("replace", {"person": "L-mentee", "name": "Eve Adams", "email": "eve@example.org"}, [(NAME, "L")]),
    Choice("leave", {"person": "L-mentee"}, [(NAME, "L")]),
    Choice("decide", {"decision": "pause", "until": "2038-05-04"}, subject=key_of("Z2")),
    Choice("correct", {"zone": "Asia/Tokyo", "name": "Eve Adams"}, subject="L-mentee"),
    Choice("send-link", {}, subject="L-mentee"),
    Choice("erase", {}, subject="L-mentee"),
    Choice("reword", {}, subject=NAME),
    Choice("cancel-cohort", {}, subject=NAME),
)
ACTS = ("pause", "resume", "extend", "end", "nudge", "release", "adopt", "replace", "add", "remove", "leave")
NO_PAGES = {
    # Files, frames of a page, and ways to another page.
    "start", "download_file", "list_csv", "list_xlsx", "audit_csv", "audit_xlsx", "pool_csv", "pool_xlsx",
    "report_file", "wording_mail", "mail_body", "message_body", "personal_data", "sign_in_by_openid",
    "back_from_openid",
}  # fmt: skip


async def paths(env: WebEnv, engine: Engine) -> dict[str, list[str]]:
    """Name of a route to the paths at which its page is looked at. What the pages need is made first."""
    async with signed_in(env, COORDINATOR) as http:
        found = await _files(http, env) | await _messages(http) | await _matching(http, env)
        found |= await _plans(http, env, engine)
        mail = re.search(r'href="(/c/[^"]*/mails/[^"/]*)"', (await http.get(page_of("L"))).text)
    assert mail is not None
    return found | {
        "today": ["/c/"],
        "cohorts": ["/c/cohorts"],
        "cohort": [COHORT, f"{COHORT}?health=attention&sort=tasks", f"{COHORT}?text=nobody"],
        "choose_act": [f"{COHORT}/act?act={act}&key=in-a-group" for act in ACTS]
        + [f"{COHORT}/act?act=extend&key=L&key=D-open"],
        "choose_cancel": [f"{COHORT}/cancel"],
        "choose_reword": [f"{COHORT}/reword"],
        "choose_correct": ["/c/people/L-mentee/correct"],
        "choose_link": ["/c/people/L-mentee/send-link"],
        "choose_erase": ["/c/people/L-mentee/erase"],
        "audit": ["/c/audit", "/c/audit?what=nothing"],
        "report": [f"{COHORT}/report"],
        "giving_back": [f"{COHORT}/giving-back"],
        "task": [path_of(mentorship) for mentorship in WAITING],
        "mentorship": [page_of(key) for key in ("L", "in-a-group", "D-open", "left")],
        "mail": [unescape(mail[1])],
        "person": ["/c/people/L-mentee", "/c/people/in-a-group-mentor"],
        "search": ["/c/search"],
        "sessions": ["/c/sessions"],
        "messages": ["/c/messages"],
    }


async def _files(http: httpx.AsyncClient, env: WebEnv) -> dict[str, list[str]]:
    start = (env.now.date() + timedelta(days=60)).isoformat()
    good = TEXT.format(cohort="winter", start=start, post=POST)
    await http.post("/c/cohorts/new", data={"cohort": "winter", "like": ""})
    for based_on, text in enumerate((good.replace("zone:", "zon:").replace("[w2]", "[w9]"), good), 1):
        await http.post(f"{FILE}/file", data={"based_on": str(based_on), "file": text})
    kept = await http.post(
        f"{COHORT}/file", data={"based_on": "0", "file": TEXT.format(cohort=NAME, start=start, post=POST)}
    )
    assert kept.status_code == 200, kept.text
    mail = f"{COHORT}/wording/mail/check_in"
    shown = (await http.get(mail)).text
    text = unescape(shown.partition('id="text" name="text"')[2].partition(">\n")[2].partition("</textarea>")[0])
    saved = await http.post(mail, data={**fields_of(shown), "text": f"{text}\nWith best wishes.\n"})
    assert "saved=" in str(saved.url), saved.text
    return {
        "new_cohort": ["/c/cohorts/new"],
        "cohort_file": [f"{FILE}/file", f"{FILE}/file?version=2", f"{COHORT}/file"],
        "file_plan": [f"{FILE}/file/plan"],
        "rehearsal": [f"{FILE}/file/rehearsal"],
        "file_launch": [f"{FILE}/file/launch"],
        "wording": [f"{FILE}/wording", f"{COHORT}/wording?mail=introduction&role=mentor"],
        "wording_text": [f"{FILE}/wording/forms/check_in", f"{FILE}/wording/programs/formal", mail],
    }


async def _messages(http: httpx.AsyncClient) -> dict[str, list[str]]:
    path = f"{COHORT}/messages"
    made: list[str] = []
    for subject in ("An evening for all of you", "Where to meet"):
        form = (await http.get(f"{path}/new")).text
        typed = {"subject": subject, "text": "Hello,\n\nwe **meet** on Thursday.\n\n- Bring a friend", "only": ""}
        draft = await http.post(f"{path}/new", data={**fields_of(form), **typed})
        assert draft.status_code == 200, draft.text
        made.append(draft.url.path)
    seen = re.search(r'name="seen" value="([^"]*)"', (await http.get(made[0])).text)
    assert seen is not None
    await http.post(made[0], data={"seen": seen[1]})
    return {
        "written": [path],
        "write_message": [f"{path}/new"],
        "message": made,
        "edit_message": [f"{made[1]}/edit"],
    }


async def _matching(http: httpx.AsyncClient, env: WebEnv) -> dict[str, list[str]]:
    path = f"{COHORT}/matching"
    await open_call_of(env.database, NAME, env.now)
    people = {"mentee": ("Nele", "Otto", "Pia Wolfeschlegelsteinhausen-Bergerdorff"), "mentor": ("Rosa", "Sami")}
    for role, names in people.items():
        for nth, name in enumerate(names):
            email = f"{name.split()[0].lower()}@example.org"
            units = ("Digital", "Legal", "Health") if role == "mentee" else ("Finance", "Transport")
            typed = typed_application(role, name, email, unit=units[nth], grade="EO" if role == "mentee" else "HEO")
            await apply(env.database, NAME, typed, role, timedelta(minutes=1), env.now)
            async with env.database.session() as session:
                one = await applications.of_address(session, NAME, email)
            assert one is not None
            await confirm(env.database, one.id, one.generation, env.now)
    async with env.database.session() as session:
        [first, *_] = await applications.of_cohort(session, NAME)
    kept = await http.post(path, data={"act": "match", "version": "0"})
    assert kept.status_code == 200, kept.text
    return {
        "matching_board": [path, f"{path}?person={first.person}"],
        "matching_pool": [f"{path}/pool"],
        "application": [f"{path}/pool/{first.person}"],
        "show_publishing": [f"{path}/publish"],
    }


async def _plans(http: httpx.AsyncClient, env: WebEnv, engine: Engine) -> dict[str, list[str]]:
    shown: list[str] = []
    for choice in CHOICES:
        chosen = replace(choice, cohort=NAME)
        made = await plans.freeze(
            engine.database, env.settings, chosen, env.now, by=COORDINATOR, proof="printed_link"
        )
        shown.append(f"/c/plans/{made.id}")
    done = replace(CHOICES[0], cohort=NAME, options={"weeks": "1"})
    made = await plans.freeze(engine.database, env.settings, done, env.now, by=COORDINATOR, proof="printed_link")
    result = await http.post(f"/c/plans/{made.id}")
    assert result.url.path.endswith("/result"), result.text
    return {"plan": shown, "plan_result": [result.url.path]}
