"""Somebody is erased, in every phase: afterwards neither the database and its files, nor a mail that it keeps, nor
Temporal, nor a log knows who they were or what they wrote; and what came of the cohort can still be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email import message_from_string, policy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from activities.delivery.smtp import BeforeBody
from activities.letters.fill_letters import LetterWriter
from activities.letters.prepare import Preparer
from lifecycle.local_time import instant
from mail.compose import compose
from mail.letters import Letter
from operations.errors import Refused
from operations.people.correct import Details, correct
from operations.people.erase import erase, erase_in
from program.forms import Form, Option, Question
from program.limits import FORMER_NAMES
from program.loader import load_cohort
from rehearsal.script import load_behaviour
from store.database import Database
from store.people import personal_data
from store.people.redaction import AgreementDraft, without_words_of
from store.tables import (
    AgreementRow,
    AnswerRow,
    Base,
    DraftRow,
    EventRow,
    FormerNameRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    OperationRow,
    OutcomeRow,
    ParticipantRow,
    RequestRow,
    SuppressionRow,
    TaskRow,
)
from testing.cohorts.all_cases import ZONE, behaviour_of, cohort_of, launch_moment, written
from testing.cohorts.cases import LAUNCH, SECRET_WORD, START, Case, says
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR, item
from testing.environments.delivery_env import (
    DAY,
    HOUR,
    LINKS,
    NINE,
    NINE_IN_NEW_YORK,
    SECRET,
    SENDER,
    DeliveryEnv,
    about,
    open_delivery_env,
    post_office,
)
from testing.environments.engine import Engine, PatientTeller, run_engine, time_skipping
from testing.seasons.played_season import logs_kept, runtime, traces_of
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from workflows.ids import cohort_id, mentorship_id, postmaster_id

# -- a season in which six people are erased, each in another phase --------------------------------------------------

PROGRAM = """
program: whole
title: Every phase
format: one_to_one
length: 8w
phases:
  expectations:
    introduction: start
    agreement: {opens: start, closes: 7d}
    fit_check: null
  check_ins: {every: 14d, reminders: [], closes: 5d, clear_of_midpoint: 0d, clear_of_end: 14d, at_most: 1}
  midpoint:
    window: {opens: midpoint - 3d, reminders: [], closes: 7d}
  closure:
    winding_down: []
    window: {opens: end - 3d, reminders: [], closes: 10d}
    follow_up:
      window: {opens: end + 4w, reminders: [], closes: 7d}
"""
PHASES = {"onboarding": -15, "expectations": 5, "check_ins": 17, "midpoint": 27, "closure": 55, "closed": 75}
"""Phase to the days after the start on which the mentee of the pair of this name is erased, at noon."""
MENTEE = {"closure": says(c_follow=True)}


@dataclass
class Found:
    """Where something of a person was found, before and after they were erased."""

    before: dict[str, set[str]] = field(default_factory=dict)
    after: dict[str, set[str]] = field(default_factory=dict)
    phases: dict[str, str] = field(default_factory=dict)
    temporal: list[bytes] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    told: dict[str, list[str]] = field(default_factory=dict)
    """Mentor to the subjects of the mails that said that somebody had left."""
    endings: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    """Mentee to how many answers of theirs still count, with a number in one."""


def name_of(person: str) -> str:
    """A name that stands nowhere else."""
    return f"Ottoline Fenwycke{person.partition('-')[0].replace('_', '').title()}"


def words_of(person: str) -> dict[str, re.Pattern[bytes]]:
    """By what a person would be known."""
    wanted = {
        "name": name_of(person).split()[1],
        "address": f"{person}.private@",
        "words": f"{SECRET_WORD} of {person}",
    }
    return {what: re.compile(re.escape(word.encode()), re.IGNORECASE) for what, word in wanted.items()}


def searched(person: str, places: Mapping[str, Iterable[bytes]]) -> set[str]:
    """`place: what` for everything of a person that stands somewhere."""
    patterns = words_of(person)
    return {
        f"{place}: {what}"
        for place, texts in places.items()
        for text in texts
        for what, pattern in patterns.items()
        if pattern.search(text)
    }


async def rows(database: Database) -> list[bytes]:
    """Every row of every table."""
    async with database.session() as session:
        return [
            repr(tuple(row)).encode()
            for table in Base.metadata.sorted_tables
            for row in await session.execute(select(table))
        ]


async def mails(database: Database) -> list[bytes]:
    """Every mail that is kept, as its reader would see it."""
    async with database.session() as session:
        kept = [raw for raw in await session.scalars(select(MessageRow.raw)) if raw]
    found: list[bytes] = []
    for raw in kept:
        message: Any = message_from_string(raw, policy=policy.default)
        found += [str(message[name]).encode() for name in ("To", "Subject")]
        found += [part.get_content().encode() for part in message.walk() if part.get_content_maintype() == "text"]
    return found


def files(database: Database) -> list[bytes]:
    """The bytes of an SQLite database, with its log."""
    path = Path(str(make_url(str(database.engine.url)).database))
    return [file.read_bytes() for file in path.parent.glob(f"{path.name}*")]


async def everywhere(database: Database) -> dict[str, Iterable[bytes]]:
    """All places in which something could stand."""
    found: dict[str, Iterable[bytes]] = {"rows": await rows(database), "mails": await mails(database)}
    return found | ({"files": files(database)} if database.sqlite else {})


async def season(folder: Path, database_url: str) -> Found:
    """Play the season, and look for everybody before and after."""
    cases = [Case(phase, "whole", mentee=MENTEE, mentor=MENTEE) for phase in PHASES]
    people = [f"{case.key}-mentee" for case in cases]
    file, script = cohort_of(cases, "erased"), behaviour_of(cases)
    for one in file["participants"]:
        if one["id"] in people:
            one |= {"name": name_of(one["id"]), "email": f"{one['id']}.private@vexmail.example.org"}
    for person, reactions in script["people"].items():
        phase = person.partition("-")[0]
        for ask, reaction in reactions.items():
            said = f"{SECRET_WORD} of {person}"
            if ask != "closure" or PHASES[phase] >= PHASES["closure"]:
                # Nobody can take out a name that is written when it is forgotten already.
                said += f", with thanks to {name_of(person)}"
            reactions[ask] = json.loads(json.dumps(reaction).replace(SECRET_WORD, said))
    (folder / "programs").mkdir(parents=True)
    (folder / "programs" / "whole.yaml").write_text(PROGRAM)
    cohort, behaviour = written(folder, file, script)
    loaded = load_cohort(cohort)
    found = Found()
    with logs_kept() as found.logs:
        async with (
            time_skipping(runtime()) as env,
            run_engine(env, database_url, loaded, load_behaviour(behaviour, loaded)) as engine,
        ):
            await engine.move_to(launch_moment(loaded))
            await engine.launch()
            for phase, days in PHASES.items():
                at = instant(START + timedelta(days=days), time(12), ZONE)
                engine.at(at, partial(erased, engine, found, phase, f"{phase}-mentee"))
            await engine.play()
            await look_back(engine, found, people)
    return found


async def erased(engine: Engine, found: Found, phase: str, person: str) -> None:
    """Somebody is erased."""
    async with engine.database.session() as session:
        found.phases[phase] = (await session.get_one(MentorshipRow, (engine.cohort, phase))).phase
    found.before[person] = searched(person, await everywhere(engine.database))
    why = f"{name_of(person)} asked for it"
    done = await erase(engine.database, person, engine.now, by="c1", why=why, tell=PatientTeller(engine.client))
    assert not done.before


async def look_back(engine: Engine, found: Found, people: list[str]) -> None:
    """What is left at the end of the season."""
    places = await everywhere(engine.database)
    for person in people:
        found.after[person] = searched(person, places)
    workflows = [mentorship_id(engine.cohort, one.key) for one in engine.loaded.cohort.mentorships]
    for workflow in (*workflows, cohort_id(engine.cohort), postmaster_id(0)):
        found.temporal += (await traces_of(engine.client, workflow))[1]
    for mail in engine.sink.received:
        subject = str(mail.message["Subject"])
        if "has left the program" in subject:
            found.told.setdefault(mail.recipient.partition("@")[0], []).append(subject)
    async with engine.database.session() as session:
        for row in await session.scalars(select(OutcomeRow)):
            found.endings[row.mentorship] = row.ending
        for row in await session.scalars(select(AnswerRow).where(AnswerRow.person.in_(people))):
            assert all(isinstance(value, int) for value in row.body.values())
            found.numbers[row.person] = found.numbers.get(row.person, 0) + bool(row.body)


@pytest.fixture(scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Found:
    """The season, played once."""
    folder = tmp_path_factory.mktemp("erased")
    database = folder / "season.db"
    database.write_bytes(_sqlite_template.read_bytes())
    return await season(folder / "config", f"sqlite+aiosqlite:///{database}")


def test_whoever_is_erased_stood_everywhere_before_and_nowhere_after(found: Found) -> None:
    assert found.phases == {phase: phase for phase in PHASES}
    for phase in PHASES:
        person = f"{phase}-mentee"
        assert {f"{place}: {what}" for place in ("rows", "files") for what in ("name", "address", "words")} <= (
            found.before[person]
        )
        assert "mails: name" in found.before[person]
        assert found.after[person] == set()


def test_temporal_and_the_logs_have_never_known_them(found: Found) -> None:
    assert len(found.temporal) > 500
    assert any("worker" in line or "page" in line for line in found.logs)
    for phase in PHASES:
        places = {"temporal": found.temporal, "logs": [line.encode() for line in found.logs]}
        assert searched(f"{phase}-mentee", places) == set()


def test_the_partner_learns_that_somebody_has_left_and_nothing_else(found: Found) -> None:
    began = [phase for phase in PHASES if phase not in ("onboarding", "closed")]
    assert found.told == {f"{phase}-mentor": ["Your partner has left the program"] for phase in began}


def test_what_came_of_it_can_still_be_told(found: Found) -> None:
    assert found.endings.keys() == PHASES.keys()
    assert found.endings["onboarding"] == "never_started"
    assert {found.endings[phase] for phase in ("closure", "closed")} == {"completed"}
    assert found.numbers["closed-mentee"] >= 2
    assert LAUNCH < START


# -- on both databases, where nothing else happens -------------------------------------------------------------------

BEN = "ben@example.org"
BENS_WORDS = "a sentence that only ben has written"


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that does what it is told."""
    async with running_sink() as sink:
        yield sink


@pytest.fixture
async def delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    """A post office with a small cohort, whose ben has left traces in every table."""
    async with open_delivery_env(database, sink) as delivery_env:
        await delivery_env.turn(mentorship=GROUP.key)
        yield delivery_env


async def traces(delivery_env: DeliveryEnv, now: datetime = NINE_IN_NEW_YORK) -> None:
    """Ben has written, and is written about; some of it waits, some was delivered, some was put off."""
    await delivery_env.post(item("ben"), item("ada"), about("introduction", "ada"), now=now - 8 * HOUR)
    delivery_env.sink.script("ada@example.org", "accept")
    await delivery_env.deliver(now)
    await delivery_env.post(about("get_going", "ben"), now=now)
    async with delivery_env.database.begin() as session:
        request = await session.get_one(RequestRow, (await delivery_env.request("ben")).key)
        session.add(
            AnswerRow(
                request=request.key, version=1, submission="s-1", person="ben", form="check_in", form_version=1,
                body={"p_met": 3, "p_word": BENS_WORDS}, at=now,
            )
        )  # fmt: skip
        session.add(DraftRow(request=request.key, body={"p_word": [BENS_WORDS]}, at=now))
        session.add(SuppressionRow(email=BEN, person="ben", reason="permanent 550", at=now))
        session.add(
            EventRow(cohort=COHORT, mentorship=PAIR.key, at=now, name="paused", by="casey", why="Ben Mentee is ill")
        )
        session.add(
            OperationRow(
                id="pause/1", kind="pause", cohort=COHORT, mentorship=PAIR.key, by="casey", at=now,
                why=f"Ben told me: {BENS_WORDS}", detail={"person": "ben"},
            )
        )  # fmt: skip


def known(texts: Iterable[bytes]) -> list[bytes]:
    """What still says who ben is, or what he wrote."""
    needle = re.compile(rb"ben@|Ben Mentee|\bBen\b|only ben has written|New_York")
    return [text for text in texts if needle.search(text)]


async def test_nothing_of_a_person_is_left_in_either_database(delivery_env: DeliveryEnv) -> None:
    await traces(delivery_env)
    # The pause's reason tells of somebody else's words as well, and is about ben: it goes as a whole.
    async with delivery_env.database.begin() as session:
        for row in await session.scalars(select(OperationRow)):
            row.by = "ben"
    assert len(known(await rows(delivery_env.database))) >= 6
    assert known(await mails(delivery_env.database))
    before = await delivery_env.rows(EventRow)

    dry = await erase(delivery_env.database, "ben", NINE_IN_NEW_YORK + HOUR, by="casey", dry_run=True)
    assert len(known(await rows(delivery_env.database))) >= 6, "a dry run leaves everything"
    done = await erase(delivery_env.database, BEN, NINE_IN_NEW_YORK + HOUR, by="casey", why="Ben Mentee asked for it")
    assert done.rows == dry.rows
    assert {**done.rows, "items": 1, "drafts": 1, "answers": 1, "participants": 1, "suppressions": 1} == done.rows
    assert done.mentorships == ((COHORT, PAIR.key), (COHORT, GROUP.key))
    assert known(await rows(delivery_env.database)) == []
    assert known(await mails(delivery_env.database)) == []
    if delivery_env.database.sqlite:
        assert known(files(delivery_env.database)) == []

    # What happened stays, with its dates and numbers.
    person = await delivery_env.person("ben")
    assert (person.standing, person.name) == ("erased", "Former participant")
    [answer] = await delivery_env.rows(AnswerRow)
    assert answer.body in ({"p_met": 3}, {})
    assert len(await delivery_env.rows(EventRow)) > len(before)
    assert [(row.event, row.payload["erased"]) for row in await delivery_env.relays()] == [("Leave", True)] * 2
    assert len(await delivery_env.rows(MembershipRow)) == 5

    again = await erase(delivery_env.database, "ben", NINE_IN_NEW_YORK + DAY, by="casey")
    assert (again.before, again.rows) == (True, {})
    assert len(await delivery_env.relays()) == 2
    delivery_env.sink.received.clear()
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY + HOUR)
    assert delivery_env.sink.mails_to(BEN) == []


@pytest.mark.parametrize("end", ["accept", "rcpt 450 4.2.0 later", "drop"])
async def test_a_mail_that_is_being_sent_forgets_when_it_is_out(delivery_env: DeliveryEnv, end: str) -> None:
    await delivery_env.post(about("introduction", "ada"))
    inner = delivery_env.post_office._office.transport

    class Meanwhile:
        connections = 1

        async def send(
            self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None
        ) -> None:
            await erase(delivery_env.database, "ben", NINE, by="casey")
            await inner.send(sender, recipient, message, before_body)

    delivery_env.post_office = post_office(delivery_env.database, Meanwhile())
    delivery_env.sink.script("ada@example.org", end, "accept")
    await delivery_env.deliver(NINE)
    for later in (HOUR, 2 * HOUR):
        await delivery_env.deliver(NINE + later)
    assert await delivery_env.messages() == ["sent"]
    assert known(await rows(delivery_env.database)) == []
    assert known(await mails(delivery_env.database)) == []


async def test_a_mail_that_was_worded_before_is_worded_anew(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(about("introduction", "ada"))

    class Slow(LetterWriter):
        """In the time that it takes to write, somebody is erased."""

        async def letters(self, session: Any, planned_letters: Any) -> list[Letter | Exception]:
            found = await super().letters(session, planned_letters)
            async with delivery_env.database.begin() as writing:
                await erase_in(writing, "ben", NINE, by="casey")
            return found

    page = await Preparer(delivery_env.database, Slow(LINKS, SENDER, secret=SECRET), compose).prepare(
        ["ada"], NINE, NINE + HOUR
    )
    assert page.mails == []
    await delivery_env.deliver(NINE + HOUR)
    assert "Ben" not in delivery_env.sink.received[0].text


async def test_what_others_wrote_stays_but_for_the_name(delivery_env: DeliveryEnv) -> None:
    now = NINE
    long = "We talk about what is hard, and nobody keeps a list."
    async with delivery_env.database.begin() as session:
        for version, by, body in (
            (1, "ben", {"p_word": BENS_WORDS, "p_met": "weekly"}),
            (2, "ada", {"p_word": f"{BENS_WORDS}. {long}", "p_met": "weekly", "note": f"Ben said: {long}"}),
        ):
            signed = {"ben": {"name": "Ben M.", "at": now.isoformat()}, "ada": {"name": "Ada", "at": now.isoformat()}}
            session.add(
                AgreementRow(
                    cohort=COHORT, mentorship=PAIR.key, version=version, by=by, body=body, signed=signed, at=now
                )
            )
        session.add(
            TaskRow(
                key="t", cohort=COHORT, mentorship=PAIR.key, kind="help", number=1, reason="r", due=now.date(),
                opened_at=now, opened_on=now.date(), why="Ada and BEN MENTEE will talk", about=["ada"],
            )
        )  # fmt: skip
    await erase(delivery_env.database, "ben", now, by="casey")
    bodies = [row.body for row in await delivery_env.rows(AgreementRow)]
    assert all("only ben" not in json.dumps(body) for body in bodies)
    assert any(body.get("note") == f"… said: {long}" for body in bodies)
    for row in await delivery_env.rows(AgreementRow):
        assert (row.signed["ben"]["name"], row.signed["ada"]["name"]) == ("", "Ada")
    [task] = await delivery_env.rows(TaskRow)
    assert task.why == "Ada and … will talk"
    assert not [row for row in await delivery_env.rows(ItemRow) if row.state == "queued" and row.person == "ben"]


def test_what_was_chosen_together_stays_for_the_others() -> None:
    form = Form(
        form="agreement",
        title="Agreement",
        who_sees="The group.",
        questions=(
            Question(id="a_purpose", type="text", label="What for?"),
            Question(id="a_day", type="one", label="On which day?", options=(Option(value="mon", label="Monday"),)),
        ),
    )
    first = AgreementDraft("mel", {"a_purpose": "Find out what we want from our work", "a_day": ""})
    second = AgreementDraft("ben", {"a_purpose": "Learn to say no without being rude", "a_day": "mon"})
    third = AgreementDraft("mel", {"a_purpose": "Learn to say no without being rude, and yes", "a_day": "mon"})
    fourth = AgreementDraft("mel", {"a_purpose": "Meet and see", "a_day": "mon"})
    assert without_words_of("ben", [first, second, third, fourth], form) == [
        first.body, {"a_day": "mon"}, {"a_day": "mon"}, fourth.body,
    ]  # fmt: skip


async def test_whoever_coordinates_is_not_erased_before_others_do(delivery_env: DeliveryEnv) -> None:
    with pytest.raises(Refused, match="casey coordinates spring, which still runs"):
        await erase(delivery_env.database, "casey", NINE, by="dana")
    with pytest.raises(Refused, match="there is no person 'nobody'"):
        await erase(delivery_env.database, "nobody", NINE, by="dana")
    assert (await delivery_env.person("casey")).name == "Casey Coordinator"
    with pytest.raises(Refused, match="no coordinator or deputy"):
        await erase(delivery_env.database, "ben", NINE, by="ada")
    assert (await delivery_env.person("ben")).standing == "active"
    async with delivery_env.database.session() as session:
        assert await session.get(ParticipantRow, "ben")


async def said_by_ada(delivery_env: DeliveryEnv, text: str, **more: str) -> None:
    """Ada has answered, drafted and told of herself with these words."""
    async with delivery_env.database.begin() as session:
        request = (await delivery_env.request("ada")).key
        session.add(
            AnswerRow(
                request=request, version=1, submission="submission-ada", person="ada", form="check_in",
                form_version=1, body={"p_word": text, "p_met": "weekly"} | more, at=NINE,
            )
        )  # fmt: skip
        session.add(DraftRow(request=request, body={"p_word": [text]}, at=NINE))
        (await session.get_one(ParticipantRow, "ada")).profile = {"easier": text}


async def words_left(delivery_env: DeliveryEnv) -> list[str]:
    """What Ada's words are by now."""
    [answer] = await delivery_env.rows(AnswerRow)
    [draft] = await delivery_env.rows(DraftRow)
    return [answer.body["p_word"], draft.body["p_word"][0], (await delivery_env.person("ada")).profile["easier"]]


async def test_every_name_and_address_that_somebody_ever_had_goes(delivery_env: DeliveryEnv) -> None:
    await delivery_env.post(item("ada"))
    text = "Zoë, ZOE and Zoe\u0308 of zoe@old.example; Lindqvists Plan; Ben's; Bo Ek as well"
    await said_by_ada(delivery_env, text)
    for name in ("Zoë Lindqvist", "Bo Ek"):
        await correct(delivery_env.database, "ben", Details(name=name), NINE, by="casey")
    await correct(delivery_env.database, "ben", Details(email="zoe@old.example"), NINE, by="casey")
    details = Details(name="Somebody New", email="new@example.org")
    await correct(delivery_env.database, "ben", details, NINE + HOUR, by="casey")
    async with delivery_env.database.session() as session:
        held = await personal_data.personal_data(session, "ben")
    former = {(each["what"], each["value"]) for each in held["former_names"]}
    assert former == {
        ("name", "Ben Mentee"), ("name", "Zoë Lindqvist"), ("name", "Bo Ek"), ("email", BEN),
        ("email", "zoe@old.example"),
    }  # fmt: skip
    done = await erase(delivery_env.database, "ben", NINE, by="casey")
    assert done.rows["former_names"] == len(former)
    assert await words_left(delivery_env) == ["… and … of …; … Plan; …'s; … as well"] * 3
    assert await delivery_env.rows(FormerNameRow) == []
    for trace in (
        *await rows(delivery_env.database),
        *(files(delivery_env.database) if delivery_env.database.sqlite else ()),
    ):
        assert not re.search(rb"lindqvist|zoe@old|ben mentee", trace, re.IGNORECASE)


async def test_a_word_of_the_form_is_no_name(delivery_env: DeliveryEnv) -> None:
    """Somebody is called like an answer that others chose from a list: that one stays as it is."""
    await delivery_env.post(item("ada"))
    await said_by_ada(delivery_env, "We met Weekly Often", p_met="weekly")
    await correct(delivery_env.database, "ben", Details(name="Weekly Often"), NINE, by="casey")
    await erase(delivery_env.database, "ben", NINE, by="casey")
    [answer] = await delivery_env.rows(AnswerRow)
    assert answer.body == {"p_word": "We met …", "p_met": "weekly"}


async def test_no_more_names_are_taken_than_can_be_erased(delivery_env: DeliveryEnv) -> None:
    for number in range(FORMER_NAMES):
        await correct(delivery_env.database, "ben", Details(name=f"Ben Number{number}"), NINE, by="casey")
    with pytest.raises(Refused, match="were changed 50 times"):
        await correct(delivery_env.database, "ben", Details(name="Ben Once More"), NINE, by="casey")
    assert (await delivery_env.person("ben")).name == f"Ben Number{FORMER_NAMES - 1}"
    # A former name once more needs no further row.
    assert (await correct(delivery_env.database, "ben", Details(zone="Asia/Tokyo"), NINE, by="casey")).changed
    assert len(await delivery_env.rows(FormerNameRow)) == FORMER_NAMES
