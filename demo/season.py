"""A season at speed: the embedded stack with a fast clock, a cohort launched on it, and its people at work, from the
open call to the last farewell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from demo.applicants import ApplicantCrowd
from demo.call import DemoCall
from demo.crowd import Act, Crowd
from demo.visitor import Visitor
from embedded.mailbox import Received
from embedded.stack import Stack, running
from lifecycle.clock import Clock
from lifecycle.local_time import DAY, local_date, zone
from operations.accounts.printed_links import print_link
from operations.cohorts.launch import launch
from operations.cohorts.simulated_applicants import call_in, read_simulated
from operations.mentorships.labels import phrase
from program.checks.complaints import validated
from program.faults import Fault, Faults
from program.files.reading import read_yaml
from program.gathering import Wishes
from program.loader import Loaded, load_cohort
from rehearsal.applicants import ApplicantActs
from rehearsal.behaviour import Behaviour
from rehearsal.people import ReceivedRequest
from runtime.settings import Settings
from store.accounts import sessions
from store.reports import status
from store.reports.status import StatusLine
from store.tables import ItemRow, MentorshipRow, OutcomeRow, RelayRow, TaskRow

CONFIG = Path(__file__).parent.parent / "config"
HALF_A_YEAR = timedelta(weeks=26)
TAKES = timedelta(minutes=3, seconds=20)
"""Real time in which half a year passes at speed 1: with the open call before it and the closure after it, a season
is over in five minutes."""
LOOK_EVERY = 0.25
"""Real seconds between two looks at how things stand."""
TOO_LONG = timedelta(days=100)
"""Program time after the last end after which whatever still runs is stuck."""
BEFORE_THE_START = timedelta(days=5)
"""From the launch to the start of a cohort without an open call, for the invitations to be answered."""
APPLYING, WISHING, MATCHING = (13, 13.0), (6, 6.0), (12, 8.0)
"""Days, and real seconds, that these take at least: from the opening of the call to its close, the time for wishes,
and from its end to the start, in which the pairs are published and the invitations answered."""
REST_WITHIN = 15.0
"""Real seconds that the engine may take to come to rest when all mentorships are closed."""


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """Something to show: when (program time, in the cohort's zone), what, and in words. Names are for the terminal
    only."""

    at: datetime
    what: str
    """call, applied, wish, pairs, refused, mail, answer, task, decided, phase, over, trouble"""
    mentorship: str
    text: str


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What somebody wants to see. `speed` is a factor: at 1 half a year passes in four minutes."""

    data: Path
    speed: float = 1.0
    mentorships: int = 0
    """How many of the mentorships in the cohort's file to play, beside the pairs of its call; 0 plays all."""
    cohort: Path = CONFIG / "cohorts" / "demo.yaml"
    applicants: Path = CONFIG / "cohorts" / "demo-people.csv"
    people: Path = CONFIG / "people" / "demo.yaml"
    seed: int = 1


@dataclass
class DemoSeason:
    """A season that is being played."""

    stack: Stack
    loaded: Loaded
    crowd: Crowd
    show: Callable[[DemoEvent], None]
    call: DemoCall | None = None
    """The open call; None where the cohort has none."""
    sign_in_url: str = ""
    """Signs somebody who watches in as the coordinator, once; from then on they decide."""
    lines: list[StatusLine] = field(default_factory=list[StatusLine])
    """How the mentorships stand, as last looked at."""
    slowest: timedelta = timedelta()
    """The longest that a mentorship was seen overdue (real time)."""
    troubles: list[str] = field(default_factory=list[str])
    """What went wrong with people's acts."""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    """Real time, UTC."""
    tasks_open: int = 0
    taken_over: bool = False
    """Somebody who watches has signed in as the coordinator."""
    overtime: list[str] = field(default_factory=list[str])
    """Keys of mentorships that had not ended when they should have."""
    _acts: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _acting: int = 0
    _home: bool = False
    _names: dict[str, str] = field(default_factory=dict[str, str])
    _seats: dict[str, str] = field(default_factory=dict[str, str])
    _shown: set[str] = field(default_factory=set[str])

    @property
    def cohort(self) -> str:
        """The id of the cohort."""
        return self.loaded.cohort.cohort

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.stack.now()

    @property
    def today(self) -> date:
        """The date in the cohort's zone."""
        return local_date(self.now, self.loaded.cohort.zone)

    @property
    def is_over(self) -> bool:
        """Whether the pairs are published and every mentorship is closed. Where the person who watches decides, pairs
        that they have not published are not waited for."""
        call = self.call
        decided = call is None or bool(call.published or call.refused or self.taken_over)
        return decided and bool(self.lines) and all(line.state == "over" for line in self.lines)

    def real(self, span: timedelta) -> timedelta:
        """How long a span of program time takes in reality."""
        return self.stack.settings.clock.real_span(span)

    async def launch(self) -> None:
        """Put the cohort down and have its mentorships started; from now on people read their mail."""
        cohort = self.loaded.cohort
        applicants = self.call.crowd.applicants if self.call else ()
        for person in (*cohort.participants, *cohort.coordinators, *cohort.deputies, *applicants):
            self._names[person.email.casefold()] = person.name
            self._seats[person.id] = person.name
        stack = self.stack
        stack.inbox.on_arrival = self._arrived
        await launch(stack.database, stack.client, stack.settings, self.loaded, self.now)
        link = await print_link(stack.database, stack.settings, cohort.coordinators[0].id)
        self.sign_in_url = link.url
        if self.call is not None:
            self.call.begin()

    async def play(self, stopped: asyncio.Event) -> None:
        """Watch until every mentorship is closed and everything has come to rest, or until told to stop."""
        last = max(self.loaded.cohort.start + self._length(key) for key in self.loaded.used)
        while not stopped.is_set():
            await self.look()
            if self.is_over:
                await self._come_to_rest(stopped)
                return
            if self.today > last + TOO_LONG:
                self.overtime = [line.key for line in self.lines if line.state != "over"]
                return
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """See how everything stands, and show what is new."""
        database = self.stack.database
        async with database.session() as session:
            self.lines = await status.status(session, self.cohort)
            due = await session.scalars(
                select(MentorshipRow.next_at).where(
                    MentorshipRow.cohort == self.cohort, MentorshipRow.next_at.is_not(None)
                )
            )
            now = self.now
            overdue = [now - moment for moment in due if moment is not None and moment < now]
            tasks = list(await session.scalars(select(TaskRow).where(TaskRow.cohort == self.cohort)))
            self.taken_over = await sessions.has_any(session, self.loaded.cohort.coordinators[0].id)
        if self.call is not None:
            await self.call.look()
        self.slowest = max([self.slowest, *map(self.real, overdue)])
        self.tasks_open = sum(task.closed_at is None for task in tasks)
        for task in sorted(tasks, key=lambda task: task.opened_at):
            about = " and ".join(self.name_of(person) for person in task.about)
            text = f"{phrase(task.kind)}{f' ({about})' if about else ''}, to be decided by {task.due:%d %b}"
            self._show_once(f"{task.key}/opened", task.opened_at, "task", task.mentorship, text)
            if task.closed_at is not None:
                text = f"{phrase(task.kind)}: {phrase(task.decision)}"
                self._show_once(f"{task.key}/closed", task.closed_at, "decided", task.mentorship, text)
        for line in self.lines:
            if line.state == "over":
                text = f"{phrase(line.ending)}{f' ({phrase(line.reason)})' if line.reason else ''}"
                self._show_once(f"{line.key}/over", now, "over", line.key, text)
            elif line.phase != "onboarding":
                self._show_once(f"{line.key}/{line.phase}", now, "phase", line.key, phrase(line.phase))

    async def stay(self, stopped: asyncio.Event) -> None:
        """Everything goes on, follow-ups included, until told to stop."""
        while not stopped.is_set():
            await self.look()
            await asyncio.sleep(LOOK_EVERY * 4)

    def at(self, moment: datetime, act: Act) -> None:
        """Let somebody act at a moment of program time (UTC)."""
        if self._home:
            return
        task = asyncio.create_task(self._act(moment, act))
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    async def go_home(self) -> None:
        """Nobody acts any more."""
        self._home = True
        for task in list(self._acts):
            task.cancel()
        await asyncio.gather(*self._acts, return_exceptions=True)

    # -- people --------------------------------------------------------------------------------------------------

    def _arrived(self, mail: Received) -> None:
        name = self._names.get(mail.recipient.casefold(), mail.recipient)
        self._show("mail", "", f"{name}: {mail.subject}")

        async def read() -> None:
            if self.call is not None:
                await self.call.crowd.read(mail.recipient, mail.raw)
            await self.crowd.read(mail.raw)
            await self.crowd.look_for_tasks()

        self.at(self.now, read)

    async def _act(self, moment: datetime, act: Act) -> None:
        await asyncio.sleep(max(self.real(moment - self.now).total_seconds(), 0))
        self._acting += 1
        try:
            await act()
        except Exception as failure:
            self.troubles.append(f"{type(failure).__name__}: {failure}")
            self._show("trouble", "", self.troubles[-1])
        finally:
            self._acting -= 1

    def name_of(self, person: str) -> str:
        """A person of the database, or of the simulated people, by name."""
        return self._seats.get(self.crowd.known_as.get(person, person), person)

    def address_of(self, person: str) -> str:
        """The address of an applicant, in small letters; empty for anybody else."""
        id_ = self.crowd.known_as.get(person)
        applicants = self.call.crowd.applicants if self.call else ()
        return next((each.email.casefold() for each in applicants if each.id == id_), "")

    def answered(self, asked: ReceivedRequest, mentorship: str) -> None:
        """Show that a page took an answer."""
        what = phrase(f"{asked.ask} {asked.number}")
        self._show("answer", mentorship, f"{self.name_of(asked.person)}: {what}")

    def _show_once(self, key: str, at: datetime, what: str, mentorship: str, text: str) -> None:
        if key not in self._shown:
            self._shown.add(key)
            self._show(what, mentorship, text, at)

    def shown(self, what: str, text: str, at: datetime | None = None) -> None:
        """Show something that concerns no single mentorship."""
        self._show(what, "", text, at)

    def _show(self, what: str, mentorship: str, text: str, at: datetime | None = None) -> None:
        local = (at or self.now).astimezone(zone(self.loaded.cohort.zone))
        self.show(DemoEvent(local, what, mentorship, text))

    # -- the end -------------------------------------------------------------------------------------------------

    async def _come_to_rest(self, stopped: asyncio.Event) -> None:
        """Wait until the last farewell is out and the last answer has been told."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REST_WITHIN
        while not stopped.is_set() and loop.time() < until and (self._acting or await self._left()):
            await asyncio.sleep(LOOK_EVERY)
        await self.look()

    async def _left(self) -> int:
        """How much is still to be told or delivered."""
        async with self.stack.database.session() as session:
            # What a report holds back waits for the coordinator; a person who took over need not decide.
            states = ("queued", "sending") if self.taken_over else ("queued", "held", "sending")
            waiting = (ItemRow.state.in_(states), ItemRow.cohort == self.cohort)
            items = await session.scalar(select(func.count()).select_from(ItemRow).where(*waiting)) or 0
            relays = await session.scalar(select(func.count()).select_from(RelayRow)) or 0
            ended = select(func.count()).select_from(OutcomeRow).where(OutcomeRow.cohort == self.cohort)
            return items + relays + len(self.lines) - (await session.scalar(ended) or 0)

    def _length(self, program: str) -> timedelta:
        return timedelta(days=self.loaded.programs[program].length)


@asynccontextmanager
async def season(wanted: DemoOptions, show: Callable[[DemoEvent], None]) -> AsyncIterator[DemoSeason]:
    """A season on an embedded stack of its own, ready to launch. Raises Faults for a file that is not in order."""
    began = datetime.now(UTC)
    settings = Settings(  # pyright: ignore[reportCallIssue]
        data=wanted.data,
        database_url="",
        speed=HALF_A_YEAR / TAKES * wanted.speed,
        epoch=began,
        mail_from="mentoring@demo.example.org",
    )
    behaviour = load_behaviour(wanted.people)
    whole = load_cohort(wanted.cohort)
    async with running(settings, in_memory=True, any_port=True) as stack:
        today = local_date(stack.now(), whole.cohort.zone)
        loaded = at_once(whole, today, settings.clock, wanted.mentorships)
        call = call_in(loaded)
        applicants = read_simulated(wanted.applicants, call) if call else []
        ids = [each.id for each in applicants]
        acts = ApplicantActs(behaviour, [*(person.id for person in loaded.cohort.participants), *ids], wanted.seed)
        async with _browser(stack.settings.public_url) as browser:
            here: list[DemoSeason] = []

            def at(moment: datetime, act: Act) -> None:
                here[0].at(moment, act)

            visitor = Visitor(browser)
            crowd = Crowd(
                loaded, behaviour, stack.database, stack.client, visitor, stack.now, at, wanted.seed, ids,
                answered=lambda asked, mentorship: here[0].answered(asked, mentorship),
            )  # fmt: skip
            here.append(DemoSeason(stack, loaded, crowd, show, began=began))
            if call is not None:
                applying = ApplicantCrowd(call, applicants, acts, stack.database, visitor, stack.now, at)
                here[0].call = DemoCall(applying, stack, here[0].shown)
                crowd.known_as, crowd.publish = applying.known_as, here[0].call.publish
            try:
                yield here[0]
            finally:
                await here[0].go_home()


def _browser(url: str) -> httpx.AsyncClient:
    """What all simulated people share. A connection is used once: one that waits may be shut by the pages just as
    somebody sends a form over it."""
    return httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_keepalive_connections=0))


def at_once(loaded: Loaded, today: date, clock: Clock, mentorships: int) -> Loaded:
    """The cohort with an open call that begins tomorrow, or a start in some days where it has none, and only so many
    of its mentorships with their people (0: all). However fast the clock runs, there is real time to apply and to
    wish."""

    def days(at_least: int, real: float) -> timedelta:
        return max(timedelta(days=at_least), timedelta(days=ceil(real / clock.real_span(DAY).total_seconds())))

    cohort = loaded.cohort
    dates: dict[str, Any] = {"start": today + BEFORE_THE_START}
    if cohort.apply is not None:
        opens = today + DAY
        closes = opens + days(*APPLYING)
        wishes_open = closes + DAY
        wishes_close = wishes_open + days(*WISHING)
        dates = {
            "start": wishes_close + days(*MATCHING),
            "apply": cohort.apply.model_copy(update={"opens": opens, "closes": closes}),
            "wishes": (cohort.wishes or Wishes()).model_copy(update={"opens": wishes_open, "closes": wishes_close}),
        }
    mentorships_at_once = cohort.mentorships[:mentorships] if mentorships else cohort.mentorships
    seated = {person for mentorship in mentorships_at_once for person, _ in mentorship.members()}
    people = tuple(person for person in cohort.participants if person.id in seated)
    changed = cohort.model_copy(update={**dates, "mentorships": mentorships_at_once, "participants": people})
    used = {mentorship.program or cohort.program for mentorship in mentorships_at_once} | {cohort.program}
    return replace(loaded, cohort=changed, used={id_: program for id_, program in loaded.used.items() if id_ in used})


def load_behaviour(path: Path) -> Behaviour:
    """The behaviour in a file. Raises Faults."""
    faults: list[Fault] = []
    behaviour = validated(Behaviour, read_yaml(path), faults)
    if faults or behaviour is None:
        raise Faults(faults)
    return behaviour
