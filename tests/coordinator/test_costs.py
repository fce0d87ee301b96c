"""No request to the coordinators' pages keeps the others waiting, whatever it holds: what takes long, reading a
cohort's file above all, is done beside the thread that answers requests, and has a bound of its own.

Measured is the CPU of the thread that answers, and of the whole process for what is done beside it; a request that is
over the budget is sent again, as in `tests.web.test_costs`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

import httpx
import pytest
from sqlalchemy import delete

from mail.own_templates import BYTES_AT_MOST
from operations.mentorships.message import LONGEST_TEXT
from program.limits import BODY_BYTES
from store.tables import PlanLineRow, PlanRow
from testing.cpu_budget import within
from testing.environments.coordinator_env import signed_in
from testing.environments.open_call import open_call_of
from testing.environments.web_env import COHORT, WebEnv, web_env_of
from tests.coordinator.test_cohort_file import cohort_file, saved
from tests.coordinator.test_roles import path_of, staffed
from tests.web.test_costs import BUDGET, TEXTS, TRIES, URLENCODED, bodies, urlencoded
from web.coordinator.pages.cohort_file import SHOWN_FAULTS
from web.coordinator.route_table import ROUTES

BESIDE = 12.0
"""Seconds of CPU for what is done beside: a coordinator waits for it, and others are slower meanwhile."""
UPLOADED = "multipart/form-data; boundary=x"
FILE = f"/c/cohorts/{COHORT}/file"
WORDING = f"/c/cohorts/{COHORT}/wording"

TYPED = {
    "search_for": "q", "keep_message": "text", "note": "text", "decide": "why", "plan_act": "why",
    "plan_correct": "name", "plan_erase": "why", "plan_cancel": "why", "begin_file": "cohort",
    "ask_for_link": "address", "use_code": "code", "change_application": "a_why", "change_matching": "act",
    "publish": "why", "launch": "why", "invite_again": "into", "save_file": "file", "save_wording": "text",
}  # fmt: skip
"""Route to the field into which the most can be typed."""
WHAT_ALL_FIELDS_GO_THROUGH = ("marks parted by controls", "many entries", "many parts", "a part of marks")
"""Tried with the other routes as well."""
QUERIES = ("page", "version", "q", "person", "by", "key", "mail", "language", "as", "next")

MARKDOWN = {
    "brackets": "[" * LONGEST_TEXT,
    "links in links": "[a](" * (LONGEST_TEXT // 4),
    "links": "[a](https://a.example) " * (LONGEST_TEXT // 24),
    "stars": "*a **a " * (LONGEST_TEXT // 7),
    "stars and underlines": "*_" * (LONGEST_TEXT // 2),
    "back ticks": "".join("`" * n + " " for n in range(140)),
    "quotes": "> " * (LONGEST_TEXT // 2),
    "quotes in lines": "".join("> " * n + "a\n" for n in range(95)),
    "lists in lists": "".join("  " * n + "- a\n" for n in range(95)),
    "tables": "|a" * 100 + "\n" + "|-" * 100 + "\n" + ("|b" * 100 + "\n") * 40,
    "headings": "# a\n" * (LONGEST_TEXT // 4),
    "escapes": "\\" * LONGEST_TEXT,
    "entities": "&amp;" * (LONGEST_TEXT // 5),
    "angles": "<" * LONGEST_TEXT,
    "addresses": "<a@b.example> " * (LONGEST_TEXT // 14),
    "images": "![" * (LONGEST_TEXT // 2),
    "references": "[a]: /b\n" * (LONGEST_TEXT // 8),
    "our own links": "https://pages.test/f/a" * (LONGEST_TEXT // 22),
    "starts of links": "https://" * (LONGEST_TEXT // 8),
    "one word": "a" * LONGEST_TEXT,
    "quotation marks": '"a ' * (LONGEST_TEXT // 3),
}
"""The worst that is known for Markdown, and for what is done with a message beside it."""

FRONT = "---\nsubject: Ours\npreheader: Soon\nheading: Hello\n---\n\n"
TEMPLATES = {
    "loops": "{% for a in names %}{% for b in names %}a{% endfor %}{% endfor %}" * 250,
    "loops in loops": "{% for a in names %}" * 400 + "{% endfor %}" * 400,
    "brackets": "[" * 15_000,
    "quotes": "> " * 7_000,
    "values": "{{ names }}" * 1_500,
}

YAML = {
    "brackets": "x: " + "[" * 100_000,
    "keys": "".join(f"k{n}: 1\n" for n in range(2_000)),
    "the same key": "zon: 1\n" * 3_000,
    "aliases": "a: &a [" + "1," * 500 + "]\nb: [" + "*a," * 2_000 + "]\n",
    "levels": "".join(" " * n + "a:\n" for n in range(600)),
    "a long text": 'x: "' + "\\n" * 50_000 + '"\n',
    "spaces behind a name": "people:" + " " * 100_000 + "\x01\n",
}
"""The worst that is known for reading a cohort's file."""


@dataclass(frozen=True)
class Pages:
    """The pages with a coordinator who is signed in."""

    env: WebEnv
    cookie: str
    task: str

    async def forget_plans(self) -> None:
        """What earlier requests left: an erasure reads the reasons of all plans, which grow by each that is tried."""
        async with self.env.database.begin() as session:
            await session.execute(delete(PlanLineRow))
            await session.execute(delete(PlanRow))

    async def over(self, method: str, path: str, content: bytes = b"", kind: str = "") -> str:
        """What a request costs where it is too much, each time; empty where it is not."""
        headers = {"cookie": self.cookie} | ({"content-type": kind} if kind else {})
        seconds: list[tuple[float, float]] = []
        for _ in range(TRIES):
            request = httpx.Request(method, f"https://pages.test{path}", headers=headers, content=content or None)
            answering, whole = time.thread_time(), time.process_time()
            answer = await httpx.ASGITransport(self.env.app).handle_async_request(request)
            await answer.aread()
            spent = time.thread_time() - answering, time.process_time() - whole
            assert answer.status_code != 500, (method, path[:80])
            if within(spent[0], BUDGET) and within(spent[1], BESIDE):
                return ""
            seconds.append(spent)
        return "{:.2f} s, with what is beside {:.2f} s".format(*min(seconds))


@pytest.fixture
async def pages(web_env: WebEnv) -> Pages:
    env = web_env_of(web_env.database, "https://pages.test", requests_per_minute=0, requests_per_link=0)
    task = await staffed(env)
    await open_call_of(env.database, COHORT, env.now)
    async with signed_in(env, "coco") as client:
        await saved(client, COHORT, file=cohort_file(COHORT, "mentorships: []\nparticipants: []\n"))
        return Pages(env, "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar), task)


def upload(**parts: str) -> bytes:
    """A form with files."""
    head = '--x\r\nContent-Disposition: form-data; name="{0}_upload"; filename="{0}"\r\n\r\n'
    return "".join(f"{head.format(name)}{text}\r\n" for name, text in parts.items()).encode() + b"--x--\r\n"


async def test_every_form_has_a_field_here(pages: Pages) -> None:
    names = {route.name for route in ROUTES if "POST" in route.methods}
    assert set(TYPED) <= names


@pytest.mark.many
@pytest.mark.parametrize("name", sorted({route.name for route in ROUTES if "POST" in route.methods}))
async def test_no_form_takes_more_than_its_share_whatever_is_in_it(pages: Pages, name: str) -> None:
    [path] = [path_of(route, pages.task) for route in ROUTES if route.name == name]
    if name in ("sign_out", "end_session"):
        return
    dear: list[str] = []
    for what, content, kind in bodies(TYPED.get(name, "text")):
        if name in TYPED or what in WHAT_ALL_FIELDS_GO_THROUGH:
            await pages.forget_plans()
            found = await pages.over("POST", path, content, kind)
            dear += [f"{what}: {found}"] if found else []
    assert dear == []


async def test_no_query_takes_more_than_its_share(pages: Pages) -> None:
    dear: list[str] = []
    for route in ROUTES:
        if "GET" in route.methods:
            for what in ("marks parted by controls", "letters that decompose", "what HTML escapes", "digits"):
                text = quote_from_bytes(TEXTS[what].encode()[:5_000])
                query = "&".join(f"{name}={text}" for name in QUERIES)[:60_000]
                found = await pages.over("GET", f"{path_of(route, pages.task)}?{query}")
                dear += [f"{route.name}: {what}: {found}"] if found else []
    assert dear == []


@pytest.mark.parametrize("what", MARKDOWN)
async def test_no_message_takes_more_than_its_share_neither_written_nor_shown(pages: Pages, what: str) -> None:
    path = f"/c/cohorts/{COHORT}/messages"
    body = urlencoded("text", MARKDOWN[what]) + b"&subject=News&key=pair&submission_id=" + b"a" * 20
    assert not await pages.over("POST", f"{path}/new", body, URLENCODED)
    async with pages.env.client() as client:
        client.headers["cookie"] = pages.cookie
        kept = await client.post(f"{path}/new", content=body, headers={"content-type": URLENCODED})
    message = kept.url.path.removeprefix(f"{path}/")
    assert message != "new", kept.text
    for part in ("", "/edit", "/as/ada", "/as/mia"):
        assert not await pages.over("GET", f"{path}/{message}{part}"), part


async def test_a_message_names_so_many_people_and_no_more(pages: Pages) -> None:
    for named in ("ada," * 60_000, "nobody at all," * 18_000, "".join(f"n{n}," for n in range(30_000))):
        body = b"subject=News&text=Hello&" + urlencoded("only", named)
        assert not await pages.over("POST", f"/c/cohorts/{COHORT}/messages/new", body[:BODY_BYTES], URLENCODED)


@pytest.mark.parametrize("what", TEMPLATES)
async def test_no_wording_of_a_mail_takes_more_than_its_share(pages: Pages, what: str) -> None:
    text = FRONT + TEMPLATES[what]
    assert len(text) <= BYTES_AT_MOST
    assert not await pages.over("POST", f"{WORDING}/mail/check_in", urlencoded("text", text), URLENCODED)
    for path in ("/mail/check_in", "?mail=check_in", "/mail?mail=check_in"):
        assert not await pages.over("GET", f"{WORDING}{path}"), path


@pytest.mark.parametrize("what", YAML)
async def test_no_file_of_a_cohort_takes_more_than_its_share_neither_kept_nor_shown(pages: Pages, what: str) -> None:
    file = cohort_file(COHORT, "mentorships: []\n") + YAML[what]
    body = upload(file=file, people="id,name,email\n" + "p,A,a\n" * 1_000)
    assert not await pages.over("POST", FILE, body, UPLOADED)
    for page in ("", "/download", "/plan"):
        assert not await pages.over("GET", f"{FILE}{page}"), page
    assert not await pages.over("GET", f"/c/cohorts/{COHORT}/giving-back?into={COHORT}")


async def test_no_table_takes_more_than_its_share_however_many_faults_it_has(pages: Pages) -> None:
    people = "id,name,email,zone\n" + "".join(f"p{n},Na\u202eme,nowhere,Europe/Berlinn\n" for n in range(5_000))
    file = cohort_file(COHORT, "mentorships: []\npeople: people.csv\n")
    assert not await pages.over("POST", FILE, upload(file=file, people=people), UPLOADED)
    assert not await pages.over("GET", FILE)
    async with pages.env.client() as client:
        client.headers["cookie"] = pages.cookie
        page = await client.get(FILE)
    assert page.text.count("U+202E") <= 2 * SHOWN_FAULTS, "listed once, and once marked"
    assert len(page.text) < 2 * BODY_BYTES


@pytest.mark.parametrize("text", ["forms/check_in", "programs/formal"])
async def test_no_program_or_form_takes_more_than_its_share(pages: Pages, text: str) -> None:
    for what, yaml in YAML.items():
        assert not await pages.over("POST", f"{WORDING}/{text}", urlencoded("text", yaml), URLENCODED), what
