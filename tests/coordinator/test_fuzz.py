"""Whatever is sent to whatever route of the coordinators' pages, by whichever role: nothing breaks, and nothing comes
back as more than text."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from operations.accounts.accounts import Role
from store.database import Database
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, WebEnv, launch, web_env_of
from tests.coordinator.test_cohort_file import cohort_file, saved
from tests.coordinator.test_roles import HOLDERS, path_of, staffed
from tests.web.test_fuzz import ATTACKS, LIVE, MARK
from web.coordinator.route_table import ROUTES
from web.security import HEADERS

FIELDS = (
    "act", "key", "keys", "all", "query", "weeks", "until", "begin", "reason", "why", "person", "newcomer", "zone",
    "text", "subject", "what", "id", "decision", "address", "code", "next", "q", "cohort", "like", "file", "people",
    "pairs", "version", "pair", "pins", "bans", "phase", "health", "sort", "page", "after", "who", "task",
    "submission_id", "seen",
)  # fmt: skip
"""Names that some page knows."""
MARKED = [attack for attack in ATTACKS if MARK in attack]


def judged(answer: httpx.Response) -> None:
    """What every answer promises, whatever was asked."""
    where = f"{answer.request.method} {answer.request.url.path}"
    assert answer.status_code < 500, where
    for name in HEADERS:
        assert len(answer.headers.get_list(name)) == 1, where
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    live = LIVE.search(answer.text) if is_page else None
    assert live is None, live and (where, answer.text[max(live.start() - 60, 0) : live.end() + 20])
    assert MARK not in answer.headers.get("set-cookie", "")
    assert not answer.headers.get("location", "/").startswith(("//", "http:", "javascript:")), where


@pytest.mark.parametrize("role", [*HOLDERS, "nobody"])
async def test_nothing_breaks_and_nothing_comes_back_as_more_than_text(web_env: WebEnv, role: Role) -> None:
    env = web_env_of(web_env.database, web_env.settings.public_url, requests_per_minute=0, requests_per_link=0)
    task = await staffed(env)
    attack = " ".join(MARKED)
    typed: dict[str, Any] = dict.fromkeys(FIELDS, attack)
    routes = [route for route in ROUTES if route.name not in ("sign_out", "end_session")]

    async def attacked(client: httpx.AsyncClient) -> None:
        client.follow_redirects = False
        for route in routes:
            real = path_of(route, task)
            invented = path_of(route, quote(MARKED[0], safe=""), quote(MARKED[1], safe=""), quote(MARKED[2], safe=""))
            for path in dict.fromkeys((real, invented)):
                for method in route.methods:
                    asked: dict[str, Any] = (
                        {"data": typed | {"cohort": COHORT}} if method == "POST" else {"params": typed}
                    )
                    judged(await client.request(method, path, **asked))

    if role in HOLDERS:
        async with signed_in(env, HOLDERS[role], granted=(role,)) as client:
            await attacked(client)
    else:
        async with env.client() as client:
            await attacked(client)


NUMBERS = ("page", "version", "nth", "seen", "based_on")
"""Fields that hold a number."""
ODD = ("\x00", "\u00b2", "\u0663", "-1", "\u202e\ud7ff", "9" * 19)
"""What a database, a cursor, or `int` does not take, each in its way."""


async def test_no_letter_in_a_path_a_query_or_a_form_breaks_a_page(database: Database) -> None:
    """On both databases: PostgreSQL refuses letters that SQLite takes."""
    await launch(database)
    env = web_env_of(database, "https://pages.test", requests_per_minute=0, requests_per_link=0)
    task = await staffed(env)
    known = {"cohort": COHORT, "task": task, "person": "ada"}
    broken: list[tuple[str, str, str]] = []
    async with signed_in(env, HOLDERS["coordinator"], granted=("coordinator",)) as client:
        client.follow_redirects = False
        for route in ROUTES:
            if route.name in ("sign_out", "end_session"):
                continue
            for odd in ODD:
                written = quote(odd, safe="")
                paths = (
                    path_of(route, task),
                    re.sub(r"\{(\w+)\}", lambda part, written=written: known.get(part[1], written), route.path),
                    re.sub(r"\{(\w+)\}", written, route.path),
                )
                for path in dict.fromkeys(paths):
                    for method in route.methods:
                        typed = dict.fromkeys((*FIELDS, *NUMBERS), odd) | {"cohort": COHORT}
                        asked: dict[str, Any] = {"data": typed} if method == "POST" else {"params": typed}
                        if (await client.request(method, path, **asked)).status_code >= 500:
                            broken.append((method, route.name, odd))
    assert broken == []


@pytest.mark.parametrize("digits", [19, 5_000])
async def test_no_number_is_too_long(web_env: WebEnv, digits: int) -> None:
    """Python reads no number of more than 4,300 digits, and databases count to nineteen."""
    task = await staffed(web_env)
    async with signed_in(web_env, HOLDERS["coordinator"], granted=("coordinator",)) as client:
        for route in ROUTES:
            if "GET" in route.methods:
                for name in NUMBERS:
                    page = await client.get(path_of(route, task), params={name: "9" * digits})
                    assert page.status_code < 500, (route.name, name)
        for path in ("/f/x/pause/", "/me/x/voice/", "/c/cohorts/spring/messages/", "/c/people/"):
            assert (await client.get(f"{path}{'9' * digits}")).status_code < 500


async def test_a_query_is_read_without_what_is_no_text(web_env: WebEnv) -> None:
    async with signed_in(web_env, HOLDERS["coordinator"], granted=("coordinator",)) as client:
        page = await client.get("/c/audit", params={"by": "co\x00co\u202e", "what": "a b&c"})
    assert 'value="coco"' in page.text
    assert 'value="a b&amp;c"' in page.text


async def test_no_letter_in_a_file_or_a_wording_breaks_a_page(database: Database) -> None:
    """What no database holds is refused with its line in a file, and left out of a mail; on both databases."""
    await launch(database)
    env = web_env_of(database, "https://pages.test")
    async with signed_in(env, HOLDERS["coordinator"]) as client:
        path = f"/c/cohorts/{COHORT}"
        await saved(client, COHORT, file=cohort_file(COHORT, "mentorships: []\nparticipants: []\n"))
        for part in ("file", "people", "pairs"):
            for sent in (cohort_file(COHORT, "# a\x00b\n"), cohort_file(COHORT, "# a\x00b\n").encode()):
                refused = await saved(client, COHORT, **{part: sent})  # type: ignore[arg-type]
                assert refused.status_code == 422, part
                assert "line 8" in refused.text
                assert "this text holds a NUL character" in refused.text
        text = "---\nsubject: Ours\npreheader: Soon\nheading: Hello\n---\n\nSo\x00on.\u202e\n"
        kept = await client.post(f"{path}/wording/mail/check_in?language=en", data={"text": text})
        assert kept.status_code == 200, kept.text
        assert "Soon.\n</textarea>" in kept.text
