"""A cohort with one mentorship of every format, the pages in front of it, and short ways to open a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin

import httpx
from sqlalchemy import func, select, update
from starlette.applications import Starlette
from temporalio.client import Client

from lifecycle.keys import request_key, step_key
from operations.forms.parse import Typed, typed_of
from program.files.folders import SHIPPED
from program.forms import Answers, Question, consistent
from program.loader import LoadedProgram, load_program
from program.models import Cohort, Mentorship, Participant, Person
from runtime.links import Links
from runtime.settings import Settings
from store.cohorts.cohorts import put
from store.database import Database
from store.forms import requests
from store.forms.requests import Requested
from store.mentorships.turns import public_id
from store.people import address_changes
from store.programs import freeze_program
from store.tables import Base, MembershipRow, MentorshipRow, RequestRow
from web.app import create_app

COHORT = "spring"
START = date(2027, 3, 1)
NOW = datetime(2027, 4, 5, 9, 0, tzinfo=UTC)
"""A Monday, five weeks in."""
CLOSES = date(2027, 4, 15)
CLOSES_AT = datetime(2027, 4, 16, tzinfo=UTC)
BASE_URL = "http://pages.test"
SECRET = "a secret of the tests that is long enough"
PROGRAMS: dict[str, LoadedProgram] = {
    name: load_program(SHIPPED / "programs" / f"{name}.yaml")
    for name in ("formal", "reverse", "peer", "group", "informal")
}
PEOPLE = (
    Participant(id="mia", name="Mia Okonkwo", email="mia@example.org", zone="Europe/Berlin"),
    Participant(id="ada", name="Ada Lindqvist", email="ada@example.org", zone="Europe/Stockholm"),
    Participant(id="ben", name="Ben O'Neill", email="ben@example.org", zone="America/New_York"),
    Participant(id="cai", name="Cai Wu", email="cai@example.org", zone="Asia/Shanghai"),
)
MENTORSHIPS = (
    Mentorship(key="pair", program="formal", mentor="mia", mentees=("ada",)),
    Mentorship(key="pair-2", program="formal", mentor="mia", mentees=("ben",)),
    Mentorship(key="reverse", program="reverse", mentor="mia", mentees=("ada",)),
    Mentorship(key="peers", program="peer", peers=("ada", "ben")),
    Mentorship(key="group", program="group", mentor="mia", mentees=("ada", "ben", "cai")),
)

COHORT_FILE = Cohort(
    cohort=COHORT,
    title="Spring 2027",
    organisation="Northern Lights",
    program="formal",
    start=START,
    zone="Europe/Berlin",
    coordinators=(Person(id="coco", name="Coco Marchetti", email="coco@example.org", zone="Europe/Rome"),),
    participants=PEOPLE,
    mentorships=MENTORSHIPS,
)
"""The cohort as its file says it."""


@dataclass
class WebEnv:
    """The pages of a launched cohort. `told` is what the workflows have been told; `deaf` makes that fail."""

    database: Database
    settings: Settings
    app: Starlette = field(init=False)
    now: datetime = NOW
    told: list[tuple[str, str, str, dict[str, Any], str]] = field(default_factory=list[Any])
    deaf: bool = False
    woken: list[int] = field(default_factory=list[int])
    temporal: Client | None = None
    """For what coordinators do; None: it can't be reached."""

    def __post_init__(self) -> None:
        self.app = create_app(self.settings, self.database, self.tell, lambda: self.now, self.wake, self.temporal)
        self.links = Links.of(self.settings)

    async def tell(self, cohort: str, mentorship: str, event: str, payload: dict[str, Any], id_: str) -> None:
        """What a workflow does with an event: it takes it, or can't be reached."""
        if self.deaf:
            raise ConnectionError("no workflow can be reached")
        self.told.append((cohort, mentorship, event, payload, id_))

    async def wake(self, shard: int) -> None:
        """A postmaster is woken."""
        self.woken.append(shard)

    @property
    def signals(self) -> list[dict[str, Any]]:
        """The signals of every answer that the workflows were told of."""
        return [payload["signals"] for _, _, _, payload, _ in self.told]

    def client(self) -> httpx.AsyncClient:
        """A client that talks to the pages as a proxy does: without a network, below the host alone."""
        transport = httpx.ASGITransport(self.app)
        origin = urljoin(self.settings.public_url, "/")
        return httpx.AsyncClient(transport=transport, base_url=origin, follow_redirects=True)

    async def ask(
        self,
        ask: str,
        person: str,
        mentorship: str = "pair",
        number: int = 1,
        *,
        early: bool = False,
        opens: date = date(2027, 4, 1),
    ) -> str:
        """Open a request, as the workflow would; the path of its page."""
        key = request_key(COHORT, mentorship, ask, number, person)
        async with self.database.begin() as session:
            role = await session.scalar(
                select(MembershipRow.role).where(
                    MembershipRow.mentorship == mentorship, MembershipRow.person == person
                )
            )
            row = RequestRow(
                key=key,
                public_id=public_id(key),
                cohort=COHORT,
                mentorship=mentorship,
                ask=ask,
                number=number,
                step=step_key(COHORT, mentorship, ask, 1),
                person=person,
                role=role,
                early=early,
                opens=opens,
                closes=CLOSES,
                closes_at=CLOSES_AT,
            )
            session.add(row)
        return "/f/" + self.links.request_token(public_id(key), 1)

    async def change(self, table: type[Base], where: Mapping[str, Any], **values: Any) -> None:
        """Change rows behind the pages' back."""
        async with self.database.begin() as session:
            conditions = [getattr(table, name) == value for name, value in where.items()]
            await session.execute(update(table).where(*conditions).values(**values))

    async def requested(self, path: str) -> Requested:
        """The request behind a page."""
        link = self.links.read_request(path.removeprefix("/f/"))
        assert link is not None
        async with self.database.session() as session:
            request = await requests.find(session, *link)
        assert request is not None
        return request

    async def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table: two equal snapshots mean that nothing changed."""
        async with self.database.session() as session:
            return {
                table.name: sorted((tuple(row) for row in await session.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }

    async def count(self, table: type[Base]) -> int:
        """How many rows a table has."""
        async with self.database.session() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0


def web_env_of(
    database: Database, public_url: str = BASE_URL, *, client: Client | None = None, **changes: int | str
) -> WebEnv:
    """The pages in front of a database in which the cohort is launched; `changes` are to the settings."""
    settings = Settings(secret=SECRET, public_url=public_url, _env_file=None, **changes)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return WebEnv(database, settings, temporal=client)


async def launch(database: Database) -> None:
    """Put the cohort down and let it run: everybody has accepted."""
    now = NOW - timedelta(weeks=8)
    async with database.begin() as session:
        programs = {
            name: await freeze_program(session, shipped.program, shipped.forms, now)
            for name, shipped in PROGRAMS.items()
        }
    await put(database, COHORT_FILE, programs, now.date(), now)
    web_env = web_env_of(database)
    await web_env.change(MembershipRow, {"cohort": COHORT}, standing="accepted")
    await web_env.change(MentorshipRow, {"cohort": COHORT}, state="running")


# -- what a browser would do --------------------------------------------------------------------------------------


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's (last) form."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in fields}


def contented(questions: tuple[Question, ...], name: str) -> Typed:
    """What a contented person types; with a signature if one is asked for."""
    answers: Answers = {question.id: question.contented for question in questions if question.contented is not None}
    answers |= {question.id: name for question in questions if question.type == "sign"}
    return typed_of(questions, consistent(questions, answers))


async def filled_in(web_env: WebEnv, path: str, **changes: str) -> Typed:
    """The fields of a form as a contented person fills them in, with some changed."""
    requested = await web_env.requested(path)
    return contented(requested.questions, requested.name) | {name: [value] for name, value in changes.items()}


async def wants(web_env: WebEnv, person: str, email: str) -> str:
    """Somebody asks on their own page for another address; the id of the change."""
    path = f"/me/{web_env.links.place_token(person, 1)}/address"
    async with web_env.client() as client:
        await client.post(path, data=hidden((await client.get(path)).text) | {"email": email})
    async with web_env.database.session() as session:
        change = await address_changes.latest(session, person, web_env.now)
    assert change is not None
    return change.id


async def send(client: httpx.AsyncClient, path: str, typed: Typed, page: str = "") -> httpx.Response:
    """Open a page and send its form with these fields; `page` is one opened before."""
    opened = page or (await client.get(path)).text
    return await client.post(path, data=hidden(opened) | typed)
