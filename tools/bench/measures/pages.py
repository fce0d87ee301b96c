"""The coordinators' pages with a large cohort on PostgreSQL: how long each takes, how large it is, what it asks SQL.

Every page of the route table that can be opened by an id, and the lists with their filters. The floor is a Starlette
page with one query, in the same process and through the same client. Program and workers play no part.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import event, select, text, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lifecycle import saved_state
from lifecycle.advance import begin
from lifecycle.local_time import local_date
from lifecycle.state import Member, State
from operations import plans
from operations.plans import Choice
from program.loader import Loaded
from program.models import Mentorship
from store.cohorts import files
from store.cohorts.cohorts import put
from store.cohorts.files import CohortTexts
from store.database import Database, migrate
from store.programs import freeze_program
from store.tables import MembershipRow, MentorshipRow, TaskRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import WebEnv, web_env_of
from testing.page_aims import FILES, KILOBYTES, LONGER_MS, P95_MS, most_statements
from tools.bench.cpu import cpu
from tools.bench.measures.launching import at_night
from tools.bench.servers import postgresql
from tools.bench.table import Line
from web.coordinator.route_table import ROUTES

COHORT = "pages"
LONGEST = 20.0
"""Real seconds after which a page is not opened again."""
LISTS = (
    "?sort=health&down=yes", "?text=12", "?awaited=yes", "?task=any", "?phase=check_ins&health=good", "?reached=met",
    "?ask=check_in&answered=no", "?mail=queued", "?page=77",
)  # fmt: skip
"""The list of the cohort in other ways."""
TASKS = 200
FOR_ADMINISTRATORS = ("installation",)
LEFT_OUT = {"start", "link", "sign_in", "code", "plan", "file_launch", "list_csv", "list_xlsx", "download_file"}
"""Pages of somebody who is not signed in, pages that ask Temporal, and files of all rows."""
WORDINGS = ("mail/check_in", "forms/check_in", "programs/open-call")
"""Texts of the cohort that are opened."""
FILLED = """
UPDATE mentorships SET state = 'running', phase = 'check_ins', turn = 9, next_step = 'check_in 3',
    next_on = start + 60, agreement_in_force = 1,
    health = CASE WHEN length(key) % 3 = 0 THEN 'quiet' ELSE 'good' END;
UPDATE memberships SET standing = 'accepted';
INSERT INTO requests (key, public_id, generation, cohort, mentorship, ask, number, step, person, role, early, opens,
    closes, closes_at, state, mails)
  SELECT m.cohort || '/' || m.mentorship || '/' || a.ask || '#' || a.number || '/' || m.person,
    md5(m.mentorship || a.ask || a.number || m.person), 1, m.cohort, m.mentorship, a.ask, a.number,
    m.mentorship || a.ask || a.number, m.person, m.role, false, current_date, current_date + 10, now(),
    CASE WHEN a.number = 3 AND length(m.person) % 2 = 0 THEN 'open' ELSE 'answered' END, 1
  FROM memberships m CROSS JOIN (VALUES ('invitation', 1), ('agreement', 1), ('fit_check', 1), ('check_in', 1),
    ('check_in', 2), ('check_in', 3), ('midpoint', 1)) AS a (ask, number);
UPDATE requests SET met = true, answered_at = now() WHERE ask = 'check_in' AND state = 'answered';
INSERT INTO answers (request, version, submission, person, form, form_version, body, at, late)
  SELECT key, 1, public_id, person, ask, 1,
    '{"p_met": "2", "p_useful": 4, "p_open": 5, "p_help": "no", "p_word": "It goes well, thank you."}', now(), false
  FROM requests WHERE state = 'answered';
INSERT INTO items (key, person, kind, name, number, cohort, mentorship, date, request, task, about, after_end,
    queued_at, shard, state, reason, failures)
  SELECT key, person, 'request', ask, number, cohort, mentorship, opens, key, '', '', false, now(), 0,
    CASE WHEN state = 'open' THEN 'queued' ELSE 'sent' END, '', 0
  FROM requests;
INSERT INTO events (cohort, mentorship, at, name, person, detail, by, why, turn)
  SELECT cohort, mentorship, now(), 'answered', person, ask, '', '', number FROM requests;
INSERT INTO tasks (key, public_id, cohort, mentorship, kind, number, reason, about, decisions, due, opened_at,
    opened_on, decision, by, why, turn, closed_in)
  SELECT cohort || '/' || key || '/task.low_score#1', 't' || md5(key), cohort, key, 'low_score', 1,
    'Somebody gave a low rating.', '[]', '["noted", "nudge", "end"]', current_date, now(), current_date, '', '', '',
    1, 0
  FROM mentorships ORDER BY key LIMIT 200;
UPDATE mentorships SET open_tasks = 1 WHERE key IN (SELECT mentorship FROM tasks);
INSERT INTO audit (at, by, proof, what, cohort, ids, count, plan, reason, result)
  SELECT now(), 'c1', 'command_line', 'extend', cohort, json_build_array(cohort || '/' || key), 1, '', '', 'done'
  FROM mentorships;
"""
"""Half a season of every mentorship, without playing it: requests, answers, mails, events, tasks, the audit."""


async def measure(*, quick: bool) -> list[Line]:
    """Put down so many mentorships, and open every page some times."""
    many, times = (1_000, 10) if quick else (10_000, 40)
    with postgresql() as database_url:
        await asyncio.to_thread(migrate, database_url)
        async with Database.open(database_url) as database:
            env = await _filled(database, many)
            bare = await _bare(database, times)
            return await _lines(env, many, times, bare)


async def _filled(database: Database, many: int) -> WebEnv:
    loaded = at_night(COHORT, many)
    now = datetime.now(UTC)
    async with database.begin() as session:
        programs = {
            id_: await freeze_program(session, used.program, used.forms, now) for id_, used in loaded.used.items()
        }
    await put(database, loaded.cohort, programs, now.date(), now)
    async with database.begin() as session:
        texts = _texts(loaded)
        await files.add(session, COHORT, texts, now, "c1", "mailed_link", files.staff_in(texts.file))
        for statement in FILLED.split(";\n"):
            if statement.strip():
                await session.execute(text(statement.replace(":", "\\:")))
        # Tasks show what their decisions would do to the mentorship as its workflow remembers it.
        for mentorship in loaded.cohort.mentorships[:TASKS]:
            state = saved_state.save(_state(loaded, mentorship, now))
            await session.execute(
                update(MentorshipRow).where(MentorshipRow.key == mentorship.key).values(workflow_state=state)
            )
    async with database.engine.connect() as connection:
        # As autovacuum does in its time.
        automatic = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await automatic.execute(text("VACUUM ANALYZE"))
    env = web_env_of(database, "https://pages.test")
    env.now = now
    return env


def _texts(loaded: Loaded) -> CohortTexts:
    """The cohort's file with its people and pairs as tables, as it would have been uploaded."""
    cohort = loaded.cohort
    [staff, *_] = cohort.coordinators
    head = (
        f"cohort: {COHORT}\ntitle: {cohort.title}\nprogram: {cohort.program}\nstart: {cohort.start}\n"
        f"zone: {cohort.zone}\npeople: people.csv\npairs: pairs.csv\n"
        f"coordinators:\n  - {{id: {staff.id}, name: {staff.name}, email: {staff.email}}}\n"
    )
    people = "".join(f"{person.id},{person.name},{person.email}\n" for person in cohort.participants)
    pairs = "".join(f"{one.key},{one.mentor},{one.mentees[0]}\n" for one in cohort.mentorships)
    return CohortTexts(head, f"id,name,email\n{people}", f"key,mentor,mentees\n{pairs}")


def _state(loaded: Loaded, mentorship: Mentorship, now: datetime) -> State:
    cohort, used = loaded.cohort, loaded.used[loaded.cohort.program]
    members = [Member(mentorship.mentor or "", "mentor", cohort.zone)]
    members += [Member(person, "mentee", cohort.zone) for person in mentorship.mentees]
    staff = [person.id for person in cohort.coordinators]
    return begin(
        used.program, cohort.cohort, mentorship.key, cohort.start, cohort.zone, local_date(now, cohort.zone), members,
        staff,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening one page came to. Times in milliseconds."""

    p50: float
    p95: float
    cpu: float
    """Of the pages and of PostgreSQL, for one time that it is opened."""
    kilobytes: float
    statements: int


async def _lines(env: WebEnv, many: int, times: int, bare: float) -> list[Line]:
    async with env.database.session() as session:
        staff = await session.scalar(text("SELECT person FROM cohort_people WHERE role = 'coordinator'"))
    lines = [Line(f"a Starlette page with one query, {many:,} mentorships in the same PostgreSQL: p95", bare, "ms")]
    async with (
        signed_in(env, staff) as http,
        signed_in(env, granted=("administrator",)) as administrator,
        _counting(env.database) as statements,
    ):
        for name, path in await _paths(env, staff):
            client = administrator if name in FOR_ADMINISTRATORS else http
            found = await _opened(client, path, times, statements, _server(env.database))
            if found is None:
                continue
            shown = re.sub(r"/plans/[^/]+", "/plans/…", path)
            lines += [
                Line(f"{shown}: p95", found.p95, "ms", aim=LONGER_MS.get(name, P95_MS), better="less"),
                Line("  the same, to a bare page", found.p95, "ms", bare),
                Line("  p50", found.p50, "ms"),
                Line("  CPU, with that of PostgreSQL", found.cpu, "ms"),
                Line("  size", found.kilobytes, "KB", aim=None if name in FILES else KILOBYTES, better="less"),
                Line("  statements", found.statements, "", aim=most_statements(name), better="less"),
            ]
    return lines


def _server(database: Database) -> int:
    """The process of the PostgreSQL server."""
    folder = Path(str(database.engine.url.query["host"]))
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


async def _paths(env: WebEnv, staff: str) -> list[tuple[str, str]]:
    """Name of the route and path of every page that is opened by an id, and of the lists."""
    async with env.database.session() as session:
        keys = list(await session.scalars(select(MentorshipRow.key).order_by(MentorshipRow.key)))
        person = await session.scalar(select(MembershipRow.person).limit(1))
        task = await session.scalar(select(TaskRow.public_id).limit(1))
    choice = Choice("extend", {"weeks": "4"}, [(COHORT, key) for key in keys], cohort=COHORT)
    made = await plans.freeze(env.database, env.settings, choice, env.now, by=staff, proof="mailed_link")
    await plans.confirm(env.database, made, env.now, by=staff, proof="mailed_link")
    values = {"cohort": COHORT, "key": keys[0], "person": person or "", "task": task or "", "plan": made.id}
    paths: list[tuple[str, str]] = []
    for route in ROUTES:
        named = set(re.findall(r"\{(\w+)(?::\w+)?\}", route.path))
        if "GET" not in route.methods or route.name in LEFT_OUT or not named <= set(values):
            continue
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: str(values[name[1]]), route.path)
        paths.append((route.name, f"{path}?act=extend&key={keys[0]}" if route.name == "choose_act" else path))
    paths += [("wording_text", f"/c/cohorts/{COHORT}/wording/{text}") for text in WORDINGS]
    return paths + [("cohort", f"/c/cohorts/{COHORT}{query}") for query in LISTS]


async def _opened(
    http: httpx.AsyncClient, path: str, times: int, statements: list[str], server: int
) -> Opened | None:
    """Open a page so many times; None where it does not open with what there is here."""
    first = await http.get(path)
    if first.status_code != 200:
        print(f"{path}: {first.status_code}, not measured", flush=True)
        return None
    statements.clear()
    size = len((await http.get(path)).content) / 1024
    count = len(statements)
    before = time.process_time() + cpu(server)
    took = await _took(http, path, times)
    spent = time.process_time() + cpu(server) - before
    return Opened(
        statistics.median(took), statistics.quantiles(took, n=20)[-1], spent / len(took) * 1000, size, count
    )


async def _took(http: httpx.AsyncClient, path: str, times: int) -> list[float]:
    took: list[float] = []
    until = time.perf_counter() + LONGEST
    while len(took) < times and (len(took) < 2 or time.perf_counter() < until):
        began = time.perf_counter()
        await http.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return took


@asynccontextmanager
async def _counting(database: Database) -> AsyncIterator[list[str]]:
    """The statements that the database is given."""
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", count)


async def _bare(database: Database, times: int) -> float:
    """The floor: milliseconds of a page with one query."""

    async def page(_: Request) -> Response:
        async with database.session() as session:
            keys: Sequence[str] = list(await session.scalars(select(MentorshipRow.key).limit(50)))
        return PlainTextResponse("\n".join(keys))

    transport = httpx.ASGITransport(Starlette(routes=[Route("/", page)]))
    async with httpx.AsyncClient(transport=transport, base_url="https://pages.test") as http:
        await http.get("/")
        return statistics.quantiles(await _took(http, "/", times * 5), n=20)[-1]
